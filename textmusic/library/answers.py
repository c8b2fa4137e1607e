"""What programs get: pieces that are alike, and what two pieces share, as plain values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textmusic.library.folder import open_library, read_melody, read_portrait
from textmusic.library.index import Index
from textmusic.library.neighbours import nearest
from textmusic.library.originality import Passage, shared_with, speed, transposition
from textmusic.library.portrait import Portrait
from textmusic.library.side_by_side import bars_of, beside
from textmusic.library.words import fitting


def similar(asked: Path | str, folder: Path, top: int) -> list[dict[str, Any]]:
    """Pieces of a folder that are like a file (a Path) or fit a description (a str).

    Each has piece (its name in the folder), title, score and why (sentences).
    """
    index = open_library(folder).index
    if isinstance(asked, Path):
        found = nearest(read_portrait(asked), index, top)
    else:
        found = fitting(asked, index, top)
    return [
        {
            "piece": index.facts[one.piece].name, "title": index.facts[one.piece].title,
            "score": round(one.score, 3), "why": list(one.why),
        }
        for one in found
    ]  # fmt: skip


def shared(one: Path, other: Path) -> dict[str, Any]:
    """The longest melodic and rhythmic run that two files share; None where there is none.

    Each has notes, bars (first, last), other_bars and usual (the share of unrelated pairs of real
    pieces that share as much). melody also has semitones (how far it lies above the other's),
    times_as_long (None in another rhythm) and side_by_side (bar, notes, bar there, notes there).
    """
    mine, theirs = read_melody(one), read_melody(other)
    found = shared_with(mine, Index.of([theirs]))
    melody, rhythm = (found[0].melody, found[0].rhythm) if found else (None, None)
    said: dict[str, Any] = {"melody": None, "rhythm": None}
    if rhythm is not None:
        said["rhythm"] = _run(rhythm, mine, theirs)
    if melody is not None:
        said["melody"] = _run(melody, mine, theirs) | {
            "semitones": transposition(melody, mine.lines, theirs.lines),
            "times_as_long": speed(melody, mine.lines, theirs.lines),
            "side_by_side": [list(row) for row in beside(melody, mine, theirs)],
        }
    return said


def _run(run: Passage, mine: Portrait, theirs: Portrait) -> dict[str, Any]:
    return {
        "notes": run.notes, "usual": round(run.usual, 4), "bars": list(bars_of(mine, run.mine)),
        "other_bars": list(bars_of(theirs, run.theirs)),
    }  # fmt: skip
