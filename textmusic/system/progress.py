"""Progress bars on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

OnStep = Callable[[int, int], None]
T = TypeVar("T")


@contextmanager
def progress_bar(doing: str, unit: str) -> Iterator[OnStep]:
    """Show a bar on standard error while the block runs; yields the function that moves it."""
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
    """Iterate over the things with a progress bar."""
    with progress_bar(doing, unit) as step:
        for done, thing in enumerate(things):
            step(done, len(things))
            yield thing
