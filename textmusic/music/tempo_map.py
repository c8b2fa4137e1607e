"""A piece's tempi over time: how long its quarter notes take."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from textmusic.music.theory import DEFAULT_TEMPO

if TYPE_CHECKING:
    from symusic import Score


@dataclass(frozen=True, slots=True)
class TempoMap:
    """Where each tempo begins. starts: in quarter notes, the first is 0. qpm: of each.

    Before the first tempo that a file states there are 120 quarter notes a minute; where it states
    several at one place, the last one counts.
    """

    starts: tuple[float, ...] = (0.0,)
    qpm: tuple[float, ...] = (DEFAULT_TEMPO,)

    @staticmethod
    def of(marks: Iterable[tuple[float, float]]) -> TempoMap:
        """The map of (quarter note, quarter notes a minute), in any order of time."""
        said = {0.0: DEFAULT_TEMPO}
        for start, qpm in sorted(marks, key=lambda mark: mark[0]):
            said[max(start, 0.0)] = qpm
        return TempoMap(tuple(said), tuple(said.values()))

    @staticmethod
    def of_score(score: Score) -> TempoMap:
        """The map of a score in ticks."""
        quarter = score.ticks_per_quarter
        return TempoMap.of((mark.time / quarter, float(mark.qpm)) for mark in score.tempos)

    def at(self, quarter: float) -> float:
        """Quarter notes a minute at a quarter note (of a change there, the new tempo)."""
        return self.qpm[max(bisect_right(self.starts, quarter + 1e-6) - 1, 0)]

    def seconds(self, quarter: float) -> float:
        """When a quarter note is heard, in seconds from the beginning."""
        passed = 0.0
        for (start, stop), qpm in zip(pairwise((*self.starts, quarter)), self.qpm, strict=True):
            if start >= quarter:
                break
            passed += (min(stop, quarter) - start) * 60 / qpm
        return passed
