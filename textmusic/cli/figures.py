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
    prompts: Annotated[Path, typer.Argument(help="The file that batch was given.")],
    answers: Annotated[
        list[Path], typer.Option(help="A folder that batch wrote; repeat it, two at least.")
    ],
    database: Annotated[Path, typer.Option(help="Where the votes are kept.")] = Path(
        "votes.sqlite"
    ),
    csv: Annotated[Path | None, typer.Option(help="Write the votes to this file, no page.")] = None,
    results: Annotated[
        bool, typer.Option("--results", help="Show the results to everybody, at once.")
    ] = False,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 7860,
    soundfont: Soundfont = None,
) -> None:
    """Open a blind listening test: which of two answers is better?"""
    within("port", port, 1, 65535)
    from textmusic.listening.pairs import read_pairs
    from textmusic.listening.votes import Votes

    if csv is not None:
        if not database.exists():
            raise TextMusicError(f"'{database}' is not there; name the --database with the votes.")
        Votes(database).export_csv(csv)
        typer.echo(str(csv))
        return
    check_soundfont(("wav",), soundfont)
    pairs, broken = read_pairs(prompts, answers)
    for name in broken:
        typer.echo(plain(f"left out: {name} can't be read as MIDI"), err=True)
    from textmusic.listening.page import build_listening_page
    from textmusic.page.launch import launch

    page = build_listening_page(pairs, Votes(database), results=results, soundfont=soundfont)
    launch(page, host=host, port=port, footer_links=["settings"])  # no API page for listeners


Answers = Annotated[
    list[Path] | None,
    typer.Option(help="A folder of MIDI answers, 0001.mid to the first prompt; can be repeated."),
]
Real = Annotated[
    Path | None,
    typer.Option(help="A folder of real answers: the reference, and the ceiling of each figure."),
]
Seeds = Annotated[int, typer.Option(help="Answers to each prompt, 1 to 10.")]
Report = Annotated[Path, typer.Option("--out", "-o", help="Folder for answers and report.")]
SoundsOf = Annotated[
    int, typer.Option(help="Answers of each that are played and listened to (audio extra).")
]
Examples = Annotated[int, typer.Option(help="Prompts that the report lets one hear and see.")]
Words = Annotated[bool, typer.Option("--words/--no-words", help="Try single mood words too.")]
Data = Annotated[
    Path | None, typer.Option(help="What training/prepare.py wrote: originality and genre.")
]


def evaluate(
    prompts: Annotated[Path, typer.Argument(help="JSON lines: text, and what may be expected.")],
    answers: Answers = None,
    real: Real = None,
    out: Report = Path("evaluation"),
    seeds: Seeds = 1,
    seed: Annotated[int, typer.Option(help="Of the first prompt; the next has the next.")] = 1000,
    words: Words = True,
    sounds: SoundsOf = 60,
    examples: Examples = 8,
    data: Data = None,
    soundfont: Soundfont = None,
    model: Model = None,
) -> None:
    """Measure how well a model does what prompts ask; or others' answers, with --answers."""
    models = [] if answers and model is None else [model or "default"]
    _report(prompts, models, answers or [], real, out, examples, seeds=seeds, seed=seed,
            words=words, sounds=sounds, data=data, soundfont=soundfont)  # fmt: skip


def compare(
    prompts: Annotated[Path, typer.Option(help="JSON lines: text, and what may be expected.")],
    models: Annotated[
        list[str] | None,
        typer.Option(help="Two or more: default, lstm, a model folder or a Hub id."),
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    answers: Answers = None,
    real: Real = None,
    out: Report = Path("comparison"),
    seeds: Seeds = 1,
    seed: Annotated[int, typer.Option(help="Of the first prompt; the next has the next.")] = 1000,
    same_plan: Annotated[
        bool,
        typer.Option(
            "--same-plan/--own-plans", help="Force the first model's plan upon all, or no plan."
        ),
    ] = True,
    words: Words = True,
    sounds: SoundsOf = 60,
    examples: Examples = 8,
    data: Data = None,
    soundfont: Soundfont = None,
) -> None:
    """Put models side by side: the same prompts, seeds and plans; a page to hear and see."""
    named = [*(models or []), *(more or [])]  # --models a b: click takes b for an argument
    if len(named) + len(answers or []) < 2:
        raise TextMusicError("a comparison needs two; name them: --models default lstm.")
    _report(prompts, named, answers or [], real, out, examples, seeds=seeds, seed=seed,
            same_plan=same_plan, words=words, sounds=sounds, data=data,
            soundfont=soundfont)  # fmt: skip


def _report(
    prompts: Path, models: Sequence[str], answers: Sequence[Path], real: Path | None, out: Path,
    examples: int, **options: Any,
) -> None:  # fmt: skip
    within("seeds", options["seeds"], 1, 10)
    check_seed(options["seed"])
    check_folder(out)
    check_soundfont(AUDIO_FORMATS, options["soundfont"])
    from textmusic.evaluation.comparison import Options, compare, entrants
    from textmusic.evaluation.report_page import markdown, save

    taking_part = entrants(models, answers)
    comparison = compare(prompts, taking_part, out, Options(**options), real)
    page = save(comparison, out, examples=examples, soundfont=options["soundfont"])
    typer.echo(markdown(comparison))
    typer.echo(str(page))
