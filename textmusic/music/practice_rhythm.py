"""Rhythms that a beginner reads: what may begin where in a bar, so that the bar comes out even.

Every beat is to be seen, as notation has it: off the beat a note ends with the beat, and no note
lies over the middle of a bar of 4/4. There are no ties and no rests. Times are in ticks, of which a
quarter note has 24.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from textmusic.music.theory import quarters_per_bar

TICKS = 24  # a quarter note
Rhythm = dict[int, tuple[int, ...]]  # place in the bar -> lengths of notes that may begin there


def ticks_of(quarters: Iterable[float]) -> tuple[int, ...]:
    """Quarter notes in ticks, ascending."""
    return tuple(sorted(round(length * TICKS) for length in quarters))


def bar_ticks(metre: str) -> int:
    """The length of a bar."""
    return round(quarters_per_bar(metre) * TICKS)


def beat_ticks(metre: str) -> int:
    """The length of a beat: a quarter note, or a dotted one in metres of eighths."""
    return TICKS * 3 // 2 if metre.endswith("/8") else TICKS


@cache
def rhythm(
    metre: str, lengths: tuple[int, ...], *, syncopation: bool = False, ends: int = 0
) -> Rhythm:
    """The lengths that may begin at each place, such that the rest of the bar can be filled.

    lengths: those that are allowed. ends: how long the bar's last note is at least; a whole bar
    leaves no other note. A place that can't be reached or left has none. Where the lengths can't
    fill the bar at all, a note of the whole bar does.
    """
    bar = bar_ticks(metre)
    if ends >= bar:
        return {0: (bar,)}
    options: Rhythm = {}
    for place in range(bar - 1, -1, -1):
        fitting = tuple(
            length
            for length in lengths
            if (place + length in options or (place + length == bar and length >= ends))
            and _readable(metre, place, length, syncopation)
        )
        if fitting:
            options[place] = fitting
    return options if 0 in options else {0: (bar,)}


def _readable(metre: str, place: int, length: int, syncopation: bool) -> bool:
    """Whether a note shows the beats as notation wants it."""
    bar, beat = bar_ticks(metre), beat_ticks(metre)
    inside, end = place % beat, place + length
    middle = bar // 2 if metre in ("4/4", "6/8") else 0
    if place and place < middle < end and not (syncopation and length == 2 * TICKS):
        return False
    if beat > TICKS:  # beats of three eighths
        eighth = TICKS // 2
        if inside:
            return length == eighth
        return length in (eighth, 2 * eighth) or length % beat == 0
    half = beat // 2
    if inside == 0:
        return (
            length <= beat or length % beat == 0 or (length == beat + half and end % beat == half)
        )
    if inside == half:
        return end <= place + half or (syncopation and length == beat)
    return end % half == 0 and length < half
