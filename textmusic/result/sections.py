"""The sections of a piece: as they were asked for, or as its sketch has them."""

from __future__ import annotations

from itertools import accumulate

from textmusic.music.form import letters
from textmusic.music.outline import section_lengths
from textmusic.music.sketch import Outline, Sketch


def sections_of(
    outline: Outline, sketch: Sketch, new_bars: tuple[int, int] | None = None
) -> list[tuple[int, str]]:
    """(first bar, name) of each section of a piece.

    As they were asked for, of `new_bars` alone (from 0, and the one behind the last; None: all);
    else letters for what the sketch has come back, [] for a piece in which nothing does.
    """
    if outline.form:
        names = outline.names or outline.form
        first, last = new_bars or (0, len(sketch.rows))
        lengths = section_lengths(len(outline.form), last - first)
        firsts = accumulate(lengths, initial=first)
        return [
            (bar, name) for bar, name, long in zip(firsts, names, lengths, strict=False) if long
        ]
    found = letters(sketch.rows)
    return found if len({letter for _, letter in found}) < len(found) else []
