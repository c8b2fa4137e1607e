"""A metre that the vocabulary lacks, read as the next longer one: 11/8 as 12/8.

Each bar of the piece becomes a longer bar whose rest stays empty, and what is written in longer
bars is put back on the piece's own: bar lines stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from textmusic.music.notes import Floats, Notes
from textmusic.music.theory import TIME_SIGNATURES, quarters_per_bar


def longer_metre(metre: str) -> str | None:
    """The metre of the vocabulary with the next longer bars, counted alike if there is one.

    11/8 -> 12/8, 13/16 -> 7/8, 7/4 -> 4/2; None where none is as long.
    """
    own = quarters_per_bar(metre)
    longer = [m for m in TIME_SIGNATURES if quarters_per_bar(m) >= own - 1e-6]
    eighths = int(metre.split("/")[1]) >= 8
    return min(
        longer,
        key=lambda m: (quarters_per_bar(m), m.endswith("/8") != eighths, m.endswith("/2")),
        default=None,
    )


def lengthened(notes: Notes, begin: float, own: float, longer: float) -> Notes:
    """The notes with every bar from `begin` on made longer. own, longer: quarter notes a bar."""
    if own == longer:
        return notes
    return _moved(notes, lambda at: np.where(at < begin, at, begin + _to(at - begin, own, longer)))


def shortened(notes: Notes, own: float, longer: float) -> Notes:
    """Inverse of `lengthened`, from 0 on; what begins where the own bars have no place is left out.

    A note that reaches into that place ends with its bar.
    """
    if own == longer:
        return notes
    inside = notes.start % longer < own - 1e-6
    return _moved(notes.chosen(inside), lambda at: _to(at, longer, own))


def _to(at: Floats, old: float, new: float) -> Floats:
    """Times in bars of one length as times in bars of another; what finds no place, at its end."""
    bar = np.floor(at / old + 1e-6)
    return np.asarray(bar * new + np.minimum(np.maximum(at - bar * old, 0.0), new))


def _moved(notes: Notes, move: Callable[[Floats], Floats]) -> Notes:
    start, end = move(notes.start), move(notes.end)
    return replace(notes, start=start, duration=np.maximum(end - start, 0.0))
