"""Bars and beats in whole numbers.

Time is counted in ticks, 24 a quarter note: the vocabulary's grid (12 positions a beat) in every
metre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil, inf

TICKS = 24  # per quarter note
SIXTEENTH = 6


@dataclass(frozen=True, slots=True)
class BarSpan:
    """A bar, which begins at a tick of the piece. A change of metre may cut it short."""

    start: int
    length: int
    numerator: int
    denominator: int

    @property
    def end(self) -> int:
        """The tick at which the next one begins."""
        return self.start + self.length

    @property
    def cell(self) -> int:
        """What is divided in two or three: a quarter note, an eighth in metres of eighths."""
        return min(96 // self.denominator, TICKS)

    @property
    def beats(self) -> tuple[int, ...]:
        """The ticks where a beat begins, in the bar, and its end: 6/8 -> (0, 36, 72)."""
        unit, count = 96 // self.denominator, self.numerator
        if self.denominator < 8:
            groups = [1] * count
        elif count % 3 == 0:
            groups = [3] * (count // 3)
        else:  # 5/8 is 2 + 3, 7/8 is 2 + 2 + 3
            groups = [2] * (count // 2 - count % 2) + [3] * (count % 2) if count > 1 else [1]
        edges = accumulate((unit * group for group in groups), initial=0)
        return (*(edge for edge in edges if edge < self.length), self.length)

    @property
    def middle(self) -> int:
        """Where a symbol must not hide the accent: the half of a long bar; 0 if there is none."""
        if self.denominator == 4 and self.numerator in (4, 5, 6, 8):
            return self.numerator // 2 * TICKS
        return self.length // 2 if (self.numerator, self.denominator) in ((4, 2), (12, 8)) else 0


def bars_until(end: int, metres: Sequence[tuple[int, int, int]]) -> list[BarSpan]:
    """The bars of a piece up to the one in which tick `end` lies; at least one.

    metres: (tick, numerator, denominator) of every time signature, in order; 4/4 before the first.
    """
    changes = {0: (4, 4)} | {max(time, 0): (top, bottom) for time, top, bottom in metres}
    times = [time for time in sorted(changes) if time < end or time == 0]
    bars: list[BarSpan] = []
    for time, stop in pairwise([*times, max(end, 1)]):
        top, bottom = changes[time]
        whole = max(96 * top // bottom, 1)
        last = stop == max(end, 1)
        for start in range(time, stop, whole):
            length = whole if last else min(whole, stop - start)
            bars.append(BarSpan(start, length, top, bottom))
    return bars


def end_of_bars(bars: int, metres: Sequence[tuple[float, str]]) -> float:
    """The quarter note at which so many bars end, counted from the beginning of a piece.

    metres: (quarter note, time signature) of every change; 4/4 before the first. A change in the
    middle of a bar ends it.
    """
    changes = {0.0: "4/4"} | {
        max(at, 0.0): metre for at, metre in sorted(metres, key=lambda change: change[0])
    }
    times = sorted(changes)
    left = bars
    for at, after in zip(times, [*times[1:], inf], strict=True):
        top, bottom = map(int, changes[at].split("/"))
        bar = top * 4 / bottom
        if after == inf or left <= (here := ceil((after - at) / bar - 1e-6)):
            return min(at + left * bar, after)
        left -= here
    raise AssertionError("the last metre has no end")
