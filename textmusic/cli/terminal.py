"""What people see in a terminal: tables and lines. Progress bars: `system.progress`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from textmusic.language.notes import note_for

if TYPE_CHECKING:
    from rich.console import Console

    from textmusic.result.generation import Generation


def show(generation: Generation, console: Console) -> None:
    """Print what was asked, planned and measured, and what could not be used."""
    from rich.table import Table
    from rich.text import Text

    report = generation.report
    said = any(letter.isalnum() for letter in report.text)  # words, read or not
    how = report.change.how if report.change else None
    if how in (None, "continue") and not said and not any(row.asked for row in report.rows):
        went = "the new bars go on as before" if report.new_bars else "the model chose everything"
        say(console, f"nothing was asked for, so {went}")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("", *report.heads, ""):
        table.add_column(head)
    for row in report.rows:
        sign = {True: Text("✓", "green"), False: Text("✗", "red"), None: Text("")}[row.ok]
        asked = Text(row.asked) if row.asked else Text("open", "dim")
        cells = {"asked": asked, "planned": Text(row.planned), "measured": Text(row.measured)}
        table.add_row(row.field, *(cells[head] for head in report.heads), sign)
    console.print(table)
    for note in report.unused:
        say(console, f"not used: {note_for(note, report.text)}")
    for note in report.remarks:
        say(console, f"note: {note_for(note, report.text)}")
    if original := report.originality():
        say(console, f"originality: {original}")


def new_console() -> Console:
    """Standard output, as rich writes to it."""
    from rich.console import Console

    # A file or a pipe has no width to fit into.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def say(console: Console, text: str) -> None:
    """Print a line as it is: no markup in it, no line breaks in a path."""
    console.print(plain(text), markup=False, soft_wrap=True)


def plain(text: str) -> str:
    """A text on one line, without what could steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
