"""Whether notes keep to the limits of a grade: judged by the notes alone, whoever wrote them.

It knows nothing of how practice pieces are written; hands are told apart at middle C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textmusic.music.notes import Floats, Notes
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice
from textmusic.music.theory import (
    LEADING_TONE,
    MAJOR_SCALE,
    MIDDLE_C,
    NATURAL_MINOR_SCALE,
    is_minor,
    quarters_per_bar,
    tonic,
)

_NEAR = 0.01  # quarter notes


@dataclass(frozen=True, slots=True)
class Verdict:
    """One limit. bar: the first in which it is broken, from 1; None where it is kept."""

    limit: str
    bar: int | None = None

    @property
    def kept(self) -> bool:
        """Whether it is kept in the whole piece."""
        return self.bar is None


def judge(notes: Notes, plan: Plan, practice: Practice) -> tuple[Verdict, ...]:
    """Every limit of the grade, in a fixed order. plan: the piece's key, metre and bars."""
    return tuple(_Judge(notes, plan, practice).verdicts())


def in_a_line(verdicts: tuple[Verdict, ...], practice: Practice) -> str:
    """The verdicts as the report says them: "grade 1 piano: kept"."""
    said = f"grade {practice.grade} {practice.instrument}"
    broken = ", ".join(f"{v.limit} in bar {v.bar}" for v in verdicts if not v.kept)
    return f"{said}: {'broken: ' + broken if broken else 'kept'}"


class _Judge:
    def __init__(self, notes: Notes, plan: Plan, practice: Practice) -> None:
        assert plan.key is not None and plan.time_signature is not None
        self.notes, self.plan, self.practice = notes.sorted(), plan, practice
        self.grade = practice.limits
        self.bar = quarters_per_bar(plan.time_signature)
        low = notes.pitch < MIDDLE_C
        two = len(self.grade.hands) == 2
        self.hands = [
            notes.chosen(which).sorted() for which in ((low, ~low) if two else (low | ~low,))
        ]

    def verdicts(self) -> Iterator[Verdict]:
        """Each limit with the first bar in which it is broken."""
        yield self._at("key", 0.0 if self.plan.key not in self.practice.keys else None)
        metre = self.plan.time_signature
        yield self._at("time signature", 0.0 if metre not in self.grade.metres else None)
        yield self._first("instrument", self.notes.program != self.grade.program)
        yield self._first("notes of the key", ~np.isin(self.notes.pitch % 12, self._scale()))
        yield self._worst("compass", self._compass)
        if self.grade.five_finger:
            yield self._worst("five-finger position", self._position)
        yield self._worst("note values", self._values)
        ends = np.floor((self.notes.end - _NEAR) / self.bar)
        yield self._first("no ties over bar lines", ends > self._bars_of(self.notes))
        yield self._worst("notes at once", self._at_once)
        yield self._worst("leaps", self._leaps)
        if len(self.hands) == 2 and not self.grade.together:
            yield self._at("hands apart", self._overlap())
        yield self._at("ending on the tonic", self._ending())

    def _scale(self) -> list[int]:
        scale = _scale_degrees(str(self.plan.key))
        return [p for p in scale if not self.practice.only or p in self.practice.only]

    def _bars_of(self, notes: Notes) -> Floats:
        return np.floor((notes.start + _NEAR) / self.bar)

    def _first(self, limit: str, broken: NDArray[np.bool_]) -> Verdict:
        return self._at(limit, float(self.notes.start[broken].min()) if broken.any() else None)

    def _at(self, limit: str, quarter: float | None) -> Verdict:
        return Verdict(limit, None if quarter is None else int((quarter + _NEAR) // self.bar) + 1)

    def _worst(self, limit: str, broken: Callable[[int], float | None]) -> Verdict:
        """The earliest place in any hand. broken: number of the hand -> place or None."""
        found = [broken(number) for number in range(len(self.hands)) if len(self.hands[number])]
        return self._at(limit, min((at for at in found if at is not None), default=None))

    def _compass(self, number: int) -> float | None:
        mine, hand = self.hands[number], self.grade.hands[number]
        return _earliest(mine, (mine.pitch < hand.low) | (mine.pitch > hand.high))

    def _position(self, number: int) -> float | None:
        """Where a hand has more than five neighbouring notes of the scale."""
        mine = self.hands[number]
        scale = sorted(_scale_degrees(str(self.plan.key)))
        degree = np.array([7 * (p // 12) + sum(s <= p % 12 for s in scale) for p in mine.pitch])
        return _earliest(mine, degree - degree.min() > 4) if len(degree) else None

    def _values(self, number: int) -> float | None:
        mine, hand = self.hands[number], self.grade.hands[number]
        known = np.array([d for d in self.grade.durations if d >= hand.shortest])
        last = self._bars_of(mine) == (self.plan.bars or 0) - 1
        odd = np.abs(mine.duration[:, None] - known[None]).min(axis=1) > _NEAR
        if self.practice.left_whole and number == 0 and len(self.hands) == 2:
            odd = np.abs(mine.duration - self.bar) > _NEAR
        odd &= ~(last & (np.abs(mine.duration - self.bar) < _NEAR))
        grid = min(self.grade.durations)
        off = np.abs(mine.start / grid - np.rint(mine.start / grid)) > _NEAR
        return _earliest(mine, odd | off)

    def _at_once(self, number: int) -> float | None:
        """Where more of a hand's notes sound than it may strike."""
        mine = self.hands[number]
        starts = mine.start[:, None]
        sounding = (mine.start[None] <= starts + _NEAR) & (mine.end[None] > starts + _NEAR)
        return _earliest(mine, sounding.sum(axis=1) > self.grade.hands[number].at_once)

    def _leaps(self, number: int) -> float | None:
        """Where a hand's line, its upper note (of a left hand the lower), leaps too far."""
        mine = self.hands[number]
        lower = number == 0 and len(self.hands) == 2
        starts = sorted(set(np.round(mine.start, 3)))
        pick = min if lower else max
        line = [pick(mine.pitch[np.abs(mine.start - at) < _NEAR]) for at in starts]
        for at, before, after in zip(starts[1:], line, line[1:], strict=False):
            if abs(int(after) - int(before)) > self.grade.leap:
                return float(at)
        return None

    def _overlap(self) -> float | None:
        """Where a hand begins while the other one holds a note."""
        for one, two in (self.hands, self.hands[::-1]):
            for start in one.start:
                if ((two.start <= start + _NEAR) & (two.end > start + _NEAR)).any():
                    return float(start)
        return None

    def _ending(self) -> float | None:
        """The last place, unless the lowest note that is struck last is the tonic."""
        last = self.notes.start.max() if len(self.notes) else 0.0
        final = self.notes.pitch[self.notes.start >= last - _NEAR]
        home = len(final) > 0 and int(final.min()) % 12 == tonic(str(self.plan.key))
        return None if home else float(last)


def _scale_degrees(key: str) -> list[int]:
    steps = (*NATURAL_MINOR_SCALE[:6], LEADING_TONE) if is_minor(key) else MAJOR_SCALE
    return [(tonic(key) + step) % 12 for step in steps]


def _earliest(notes: Notes, broken: NDArray[np.bool_]) -> float | None:
    return float(notes.start[broken].min()) if broken.any() else None
