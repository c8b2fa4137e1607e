"""The commands that judge: evaluate, compare, listen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from textmusic.cli.checks import check_folder, check_seed, check_soundfont
from textmusic.cli.options import HOST, PORT, FirstSeed, Host, Model, Port, Soundfont
from textmusic.cli.terminal import plain
from textmusic.errors import TextMusicError
from textmusic.result.formats import AUDIO_FORMATS
from textmusic.system.values import within


def listen(
    prompts: Annotated[Path, typer.Argument(help="The prompts file that batch was given.")],
    answers: Annotated[
        list[Path], typer.Option(help="A folder that batch wrote; give at least two.")
    ],
    database: Annotated[Path, typer.Option(help="Database of the votes.")] = Path("votes.sqlite"),
    csv: Annotated[
        Path | None, typer.Option(help="Export the votes to this file and exit.")
    ] = None,
    results: Annotated[
        bool, typer.Option("--results", help="Show everybody the results right away.")
    ] = False,
    host: Host = HOST,
    port: Port = PORT,
    soundfont: Soundfont = None,
) -> None:
    """Open a blind listening test that asks which of two answers is better."""
    within("port", port, 1, 65535)
    from textmusic.listening.pairs import read_pairs
    from textmusic.listening.votes import Votes

    if csv is not None:
        if not database.exists():
            raise TextMusicError(
                f"'{database}' does not exist; give the --database with the votes."
            )
        Votes(database).export_csv(csv)
        typer.echo(str(csv))
        return
    check_soundfont(("wav",), soundfont)
    pairs, broken = read_pairs(prompts, answers)
    for name in broken:
        typer.echo(plain(f"skipped, not readable as MIDI: {name}"), err=True)
    from textmusic.listening.page import build_listening_page
    from textmusic.page.launch import launch

    page = build_listening_page(pairs, Votes(database), results=results, soundfont=soundfont)
    launch(page, host=host, port=port, footer_links=["settings"])  # no API page for listeners


SOUNDS, EXAMPLES = 60, 8  # defaults
MOST = 10_000  # of either
Report = Annotated[Path, typer.Option("--out", "-o", help="Folder for the answers and the report.")]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What is measured, and on which answers."""

    answers: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of MIDI answers, 0001.mid for the first prompt, or named in the prompts'"
            " field 'file'; can be repeated."
        ),
    ] = None
    real: Annotated[
        Path | None,
        typer.Option(help="Folder of real pieces that answer the prompts, used as reference."),
    ] = None
    seeds: Annotated[int, typer.Option(help="Answers per prompt, 1 to 10.")] = 1
    seed: FirstSeed = 1000
    words: Annotated[
        bool, typer.Option("--words/--no-words", help="Also test single mood words.")
    ] = True
    sounds: Annotated[
        int | None,
        typer.Option(
            help="Answers per model that are rendered and analysed as audio (audio extra);"
            " default 60, or 0 for --answers alone."
        ),
    ] = None
    examples: Annotated[
        int | None,
        typer.Option(
            help="Prompts shown in the report with audio and piano roll; default 8, without audio"
            " for --answers alone."
        ),
    ] = None
    data: Annotated[
        Path | None, typer.Option(help="Prepared data, to measure originality and genre.")
    ] = None
    soundfont: Soundfont = None


def evaluate(
    prompts: Annotated[Path, typer.Argument(help="JSON lines with text and expected facts.")],
    *,
    measured: Measurement,
    out: Report = Path("evaluation"),
    model: Model = None,
) -> None:
    """Measure how well a model, or a folder of --answers, follows the prompts."""
    models = [] if measured.answers and model is None else [model or "default"]
    _report(prompts, models, measured, out)


def compare(
    prompts: Annotated[Path, typer.Option(help="JSON lines with text and expected facts.")],
    *,
    models: Annotated[
        list[str] | None,
        typer.Option(help="Two or more: default, lstm, a model folder or a Hub id."),
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    same_plan: Annotated[
        bool,
        typer.Option(
            "--same-plan/--own-plans",
            help="Give all models the first one's plan, or let each plan for itself.",
        ),
    ] = True,
    measured: Measurement,
    out: Report = Path("comparison"),
) -> None:
    """Compare models on the same prompts, seeds and plans; writes a report with audio."""
    named = [*(models or []), *(more or [])]  # --models a b: click takes b for an argument
    if len(named) + len(measured.answers or []) < 2:
        raise TextMusicError("compare needs two models; for example --models default lstm.")
    _report(prompts, named, measured, out, same_plan=same_plan)


def _report(
    prompts: Path, models: Sequence[str], measured: Measurement, out: Path, *,
    same_plan: bool = False,
) -> None:  # fmt: skip
    within("seeds", measured.seeds, 1, 10)
    check_seed(measured.seed)
    for name, count in (("sounds", measured.sounds), ("examples", measured.examples)):
        if count is not None:
            within(name, count, 0, MOST)
    if measured.sounds:
        if measured.real is None:
            raise TextMusicError("--sounds compares with real pieces; give them with --real.")
        if find_spec("librosa") is None:
            raise TextMusicError("--sounds needs librosa; run pip install 'textmusic[audio]'.")
    check_folder(out)
    check_soundfont(AUDIO_FORMATS, measured.soundfont)
    from textmusic.evaluation.comparison import Options, compare, entrants
    from textmusic.evaluation.report_page import markdown, save

    sounds, examples = measured.sounds, measured.examples
    if sounds is None:  # rendering takes most of the time: answers that exist are played if asked
        sounds = SOUNDS if models else 0
    options = Options(
        seeds=measured.seeds, seed=measured.seed, same_plan=same_plan, sounds=sounds,
        words=measured.words, data=measured.data, soundfont=measured.soundfont,
    )  # fmt: skip
    taking_part = entrants(models, measured.answers or [])
    comparison = compare(prompts, taking_part, out, options, measured.real)
    page = save(
        comparison, out, examples=EXAMPLES if examples is None else examples,
        soundfont=measured.soundfont, audio=bool(models) or examples is not None,
    )  # fmt: skip
    typer.echo(markdown(comparison))
    typer.echo(str(page))
