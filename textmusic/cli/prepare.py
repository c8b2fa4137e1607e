"""The command that makes training data of a folder of music: prepare."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textmusic.cli.checks import check_folder
from textmusic.cli.terminal import new_console, say
from textmusic.errors import TextMusicError
from textmusic.language.controls import within

if TYPE_CHECKING:
    from rich.console import Console

    from textmusic.corpus.summary import Summary


def prepare(
    folder: Annotated[
        Path, typer.Argument(help="MIDI, MusicXML, ABC, kern, zip archives; folders in folders.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the data.")] = Path("data"),
    base: Annotated[
        str | None,
        typer.Option(help="Model folder or Hub id of the LLM to be trained; else the bundled one."),
    ] = None,
    longest: Annotated[
        int, typer.Option(help="Music tokens in a stretch at most, 100 to 8192.")
    ] = 1920,
    valid: Annotated[int, typer.Option(help="Percent of the tunes for validation.")] = 2,
    test: Annotated[int, typer.Option(help="Percent of the tunes for the test.")] = 4,
    workers: Annotated[int | None, typer.Option(help="Processes; else one a core.")] = None,
    ray: Annotated[
        str | None,
        typer.Option(help="Ray cluster that reads: local (started here), auto, or HOST:PORT."),
    ] = None,
) -> None:
    """Make training data of a folder of music.

    Descriptions may stand in captions.csv (file,text and, if you like, key, tempo, time_signature,
    instruments, mood, genre) or captions.jsonl, or in piece.txt beside piece.mid. Stopped and run
    again, it goes on where it was.
    """
    within("longest", longest, 100, 8192)
    within("valid", valid, 0, 50)
    within("test", test, 0, 50)
    if workers is not None:
        within("workers", workers, 1, 256)
    check_folder(out)
    if folder.resolve() == out.resolve():
        raise TextMusicError("the data can't go into the folder they are made of; choose -o.")
    from textmusic.corpus.preparation import prepare as prepared
    from textmusic.writing.loading import text_tokenizer

    shares = {"valid": valid, "test": test}
    summary = prepared(
        folder, out, text_tokenizer(base), longest=longest, shares=shares, workers=workers, ray=ray
    )
    console = new_console()
    show(summary, console)
    say(console, f"in {out}: train, valid and test.parquet, summary.json; look at preview.html")


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
        yield "other files, passed over: " + ", ".join(f"{n:,} {kind}" for kind, n in kinds[:12])
    yield from summary.notes
