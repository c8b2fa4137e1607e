"""What people see in a terminal: tables, lines and a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

    from textmusic.generation import Generation

OnStep = Callable[[int, int], None]
T = TypeVar("T")


def show(generation: Generation, console: Console) -> None:
    """Print what was asked, planned and measured, and what could not be used."""
    from rich.table import Table
    from rich.text import Text

    report = generation.report
    if not any(row.asked for row in report.rows) and not report.caption:
        say(console, "nothing was asked for: everything is the model's choice")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("", "asked", "planned", "measured", ""):
        table.add_column(head)
    for row in report.rows:
        sign = {True: Text("✓", "green"), False: Text("✗", "red"), None: Text("")}[row.ok]
        asked = Text(row.asked) if row.asked else Text("open", "dim")
        table.add_row(row.field, asked, Text(row.planned), Text(row.measured), sign)
    console.print(table)
    for note in report.unused:
        say(console, f"not used: {note}")


@contextmanager
def progress_bar(doing: str, unit: str) -> Iterator[OnStep]:
    """A bar on standard error, while the block runs; gives the function that moves it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns: list[Any] = [TextColumn(doing), BarColumn(), MofNCompleteColumn(), TextColumn(unit)]
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task(doing, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def tracked(things: Sequence[T], doing: str, unit: str = "pieces") -> Iterator[T]:
    """The things, with a bar that tells how many are done."""
    with progress_bar(doing, unit) as step:
        for done, thing in enumerate(things):
            step(done, len(things))
            yield thing


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
