"""The command that turns a folder of music into training data: prepare."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textmusic.cli.checks import check_folder
from textmusic.cli.options import Ray, Workers
from textmusic.cli.terminal import new_console, say
from textmusic.errors import TextMusicError
from textmusic.system.values import within

if TYPE_CHECKING:
    from rich.console import Console

    from textmusic.corpus.summary import Summary


def prepare(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of MIDI, MusicXML, ABC, kern files or zip archives; subfolders are"
            " included."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the data.")] = Path("data"),
    base: Annotated[
        str | None,
        typer.Option(
            help="Model folder or Hub id of the LLM to train; default: the bundled model."
        ),
    ] = None,
    longest: Annotated[
        int, typer.Option(help="Most music tokens in one stretch, 100 to 8192.")
    ] = 1920,
    valid: Annotated[int, typer.Option(help="Percentage of the tunes for validation.")] = 2,
    test: Annotated[int, typer.Option(help="Percentage of the tunes for the test.")] = 4,
    workers: Workers = None,
    ray: Ray = None,
) -> None:
    """Turn a folder of music into training data.

    Your own descriptions can be in captions.csv (file,text and optionally key, tempo,
    time_signature, instruments, mood, genre), in captions.jsonl, or in piece.txt beside piece.mid.
    If it is stopped, run the same command again to continue.
    """
    within("longest", longest, 100, 8192)
    within("valid", valid, 0, 50)
    within("test", test, 0, 50)
    if workers is not None:
        within("workers", workers, 1, 256)
    check_folder(out)
    if folder.resolve() == out.resolve():
        raise TextMusicError("the output folder can't be the music folder; choose another with -o.")
    from textmusic.corpus.preparation import prepare as prepared
    from textmusic.writing.loading import text_tokenizer

    shares = {"valid": valid, "test": test}
    summary = prepared(
        folder, out, text_tokenizer(base), longest=longest, shares=shares, workers=workers, ray=ray
    )
    console = new_console()
    show(summary, console)
    say(
        console,
        f"{out} has train, valid and test.parquet and summary.json; open preview.html to see the"
        " data",
    )


def show(summary: Summary, console: Console) -> None:
    """Print the summary: the long tables by their first rows."""
    from rich.table import Table as RichTable
    from rich.text import Text

    from textmusic.corpus.summary import SHOWN, opening, tables

    for title, head, rows in tables(summary):
        table = RichTable(box=None, pad_edge=False, header_style="dim", title=title)
        table.title_justify, table.title_style = "left", "bold"
        for place, name in enumerate(head):
            numbers = bool(rows) and place > 0 and rows[0][place][:1].isdigit()
            table.add_column(name, justify="right" if numbers else "left", overflow="fold")
        for row in rows[:SHOWN]:
            table.add_row(*map(Text, row))
        console.print(table)
        if len(rows) > SHOWN:
            say(console, f"... and {len(rows) - SHOWN:,} more")
        console.print()
    for note in _also(summary):
        say(console, note)
    say(console, opening(summary))


def _also(summary: Summary) -> Iterable[str]:
    if summary.passed_over:
        kinds = sorted(summary.passed_over.items(), key=lambda item: (-item[1], item[0]))
        yield "other files, skipped: " + ", ".join(f"{n:,} {kind}" for kind, n in kinds[:12])
    yield from summary.notes
