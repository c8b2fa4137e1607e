"""The commands that judge: evaluate, compare, listen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from textmusic.cli.checks import check_folder, check_seed, check_soundfont
from textmusic.cli.options import Model, Soundfont
from textmusic.cli.terminal import plain
from textmusic.errors import TextMusicError
from textmusic.language.controls import within
from textmusic.result.formats import AUDIO_FORMATS


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
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 7860,
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
Answers = Annotated[
    list[Path] | None,
    typer.Option(
        help="Folder of MIDI answers, 0001.mid for the first prompt, or named in the prompts' field"
        " 'file'; can be repeated."
    ),
]
Real = Annotated[
    Path | None,
    typer.Option(help="Folder of real pieces that answer the prompts, used as reference."),
]
Seeds = Annotated[int, typer.Option(help="Answers per prompt, 1 to 10.")]
Report = Annotated[Path, typer.Option("--out", "-o", help="Folder for the answers and the report.")]
SoundsOf = Annotated[
    int | None,
    typer.Option(
        help="Answers per model that are rendered and analysed as audio (audio extra); default 60,"
        " or 0 for --answers alone."
    ),
]
Examples = Annotated[
    int | None,
    typer.Option(
        help="Prompts shown in the report with audio and piano roll; default 8, without audio for"
        " --answers alone."
    ),
]
Words = Annotated[bool, typer.Option("--words/--no-words", help="Also test single mood words.")]
Data = Annotated[Path | None, typer.Option(help="Prepared data, to measure originality and genre.")]


def evaluate(
    prompts: Annotated[Path, typer.Argument(help="JSON lines with text and expected facts.")],
    answers: Answers = None,
    real: Real = None,
    out: Report = Path("evaluation"),
    seeds: Seeds = 1,
    seed: Annotated[int, typer.Option(help="Seed of the first prompt; increases by one.")] = 1000,
    words: Words = True,
    sounds: SoundsOf = None,
    examples: Examples = None,
    data: Data = None,
    soundfont: Soundfont = None,
    model: Model = None,
) -> None:
    """Measure how well a model, or a folder of --answers, follows the prompts."""
    models = [] if answers and model is None else [model or "default"]
    _report(prompts, models, answers or [], real, out, examples, seeds=seeds, seed=seed,
            words=words, sounds=sounds, data=data, soundfont=soundfont)  # fmt: skip


def compare(
    prompts: Annotated[Path, typer.Option(help="JSON lines with text and expected facts.")],
    models: Annotated[
        list[str] | None,
        typer.Option(help="Two or more: default, lstm, a model folder or a Hub id."),
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    answers: Answers = None,
    real: Real = None,
    out: Report = Path("comparison"),
    seeds: Seeds = 1,
    seed: Annotated[int, typer.Option(help="Seed of the first prompt; increases by one.")] = 1000,
    same_plan: Annotated[
        bool,
        typer.Option(
            "--same-plan/--own-plans",
            help="Give all models the first one's plan, or let each plan for itself.",
        ),
    ] = True,
    words: Words = True,
    sounds: SoundsOf = None,
    examples: Examples = None,
    data: Data = None,
    soundfont: Soundfont = None,
) -> None:
    """Compare models on the same prompts, seeds and plans; writes a report with audio."""
    named = [*(models or []), *(more or [])]  # --models a b: click takes b for an argument
    if len(named) + len(answers or []) < 2:
        raise TextMusicError("compare needs two models; for example --models default lstm.")
    _report(prompts, named, answers or [], real, out, examples, seeds=seeds, seed=seed,
            same_plan=same_plan, words=words, sounds=sounds, data=data,
            soundfont=soundfont)  # fmt: skip


def _report(
    prompts: Path, models: Sequence[str], answers: Sequence[Path], real: Path | None, out: Path,
    examples: int | None, **options: Any,
) -> None:  # fmt: skip
    within("seeds", options["seeds"], 1, 10)
    check_seed(options["seed"])
    check_folder(out)
    check_soundfont(AUDIO_FORMATS, options["soundfont"])
    from textmusic.evaluation.comparison import Options, compare, entrants
    from textmusic.evaluation.report_page import markdown, save

    taking_part = entrants(models, answers)
    # Rendering takes most of the time, so that answers that exist are played only if asked for.
    if options["sounds"] is None:
        options["sounds"] = SOUNDS if models else 0
    comparison = compare(prompts, taking_part, out, Options(**options), real)
    page = save(comparison, out, examples=EXAMPLES if examples is None else examples,
                soundfont=options["soundfont"],
                audio=bool(models) or examples is not None)  # fmt: skip
    typer.echo(markdown(comparison))
    typer.echo(str(page))
