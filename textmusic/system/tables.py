"""Tables that people open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from textmusic.system.whole_files import write_text

MARK = "\ufeff"  # by which spreadsheets know UTF-8


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file that spreadsheets open as it is meant. A cell that is None stays empty.

    Raises TextMusicError if the file can't be written; there is no partial one then.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(head)
    for row in rows:
        table.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    write_text(path, MARK + text.getvalue())


def harmless(cell: str) -> str:
    """A cell of a table, such that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.lstrip().startswith(("=", "+", "-", "@")) else cell
