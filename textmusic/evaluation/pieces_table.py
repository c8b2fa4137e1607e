"""Every answer as a row of a CSV file: the values whose means are in the report."""

from __future__ import annotations

from pathlib import Path

from textmusic.evaluation.bootstrap import Mean
from textmusic.evaluation.comparison import Comparison
from textmusic.evaluation.distributions import table
from textmusic.evaluation.entries import Entry
from textmusic.music.notes import Floats
from textmusic.system.tables import write_csv

PIECES = "pieces.csv"
HEAD = ("model", "prompt", "text", "file", "problem")
OF_ANSWERS = ("asked", "beside", "data")  # sections whose figures are means over answers


def save_pieces(comparison: Comparison, folder: Path) -> Path:
    """Write a row for each answer, also for those that are missing or can't be read.

    Columns: those of `HEAD`, then a figure each, then the features whose distributions are
    compared. A share is 0 to 1; a cell is empty where a figure does not apply. Returns the path;
    raises TextMusicError where it can't be written.
    """
    entries = [(entry, values_of(entry)) for entry in comparison.columns]
    names = list(dict.fromkeys(name for _, values in entries for name in values))
    rows: list[list[object]] = []
    for entry, values in entries:
        for place, (number, file, problem) in enumerate(_files(entry)):
            cells = [_cell(values.get(name), place) for name in names]
            rows.append([entry.name, number, comparison.texts[number - 1], file, problem, *cells])
    write_csv(folder / PIECES, [*HEAD, *names], rows)
    return folder / PIECES


def values_of(entry: Entry) -> dict[str, Floats]:
    """The values of an entry's answers by name of the figure, (N,), in the answers' order.

    "valid" has more: 0 for each file that can't be read, then for each missing answer.
    """
    values: dict[str, Floats] = {
        name: sample.values
        for section in OF_ANSWERS
        for name, sample in entry.samples.get(section, {}).items()
        if isinstance(sample, Mean)
    }
    return values | table(entry.pieces)


def _files(entry: Entry) -> list[tuple[int, str, str | None]]:
    """Number of the prompt, file and problem of every answer that there should be."""
    read = [
        (a.number, f"{a.file.resolve().parent.name}/{a.file.name}", None) for a in entry.answers
    ]
    broken = [(file.number, file.name, file.reason) for file in entry.broken]
    return [*read, *broken, *((number, "", "no answer") for number in entry.missing)]


def _cell(values: Floats | None, place: int) -> float | None:
    if values is None or place >= len(values) or values[place] != values[place]:
        return None
    return float(values[place])
