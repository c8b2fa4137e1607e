"""What a library keeps of a piece: facts, vector, lines and chords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textmusic.library.features import Vector, triads, vector
from textmusic.library.lines import TICKS, Lines, lines_of
from textmusic.music.bars import bars_until
from textmusic.music.measure import measure
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan

if TYPE_CHECKING:
    from symusic import Score

MOST_CHORDS = 4096  # half bars whose chords are kept


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of a piece in words. plan: measured in its notes.

    name: its path in the folder, with "/". title: as the file says, or its name.
    metres: (tick, top, bottom) of its time signatures, 24 ticks a quarter note.
    """

    name: str
    title: str
    plan: Plan
    metres: tuple[tuple[int, int, int], ...] = ()

    def bars(self, ticks: Sequence[int]) -> list[int]:
        """The bar, from 1, that each tick is in."""
        spans = bars_until(max(ticks, default=0) + 1, self.metres)
        begins = [span.start for span in spans]
        return [int(n) for n in np.searchsorted(begins, list(ticks), side="right")]

    def to_row(self) -> list[Any]:
        """Plain types only; `from_row` reads it back."""
        return [self.name, self.title, dict(self.plan.known()), self.metres]

    @staticmethod
    def from_row(row: Sequence[Any]) -> Facts:
        """Inverse of `to_row`."""
        name, title, plan, metres = row
        if "programs" in plan:
            plan = {**plan, "programs": tuple(plan["programs"])}
        return Facts(name, title, Plan(**plan), tuple((m[0], m[1], m[2]) for m in metres))


@dataclass(frozen=True, slots=True)
class Portrait:
    """A piece as a library knows it.

    vector: (256,), see `features`. lines: see `lines`. chords: a triad for each half bar, a number
    of `structure.TRIADS`, -1 for none.
    """

    facts: Facts
    vector: Vector
    lines: Lines
    chords: NDArray[np.int8]


def portrait(score: Score, name: str, title: str = "") -> Portrait:
    """The portrait of a score."""
    notes = notes_of(score)
    plan, lines = measure(score, notes=notes), lines_of(notes)
    quarter = TICKS / score.ticks_per_quarter
    metres = sorted(
        (round(mark.time * quarter), int(mark.numerator), int(mark.denominator))
        for mark in score.time_signatures
    )
    facts = Facts(name, title or PurePosixPath(name).stem, plan, tuple(metres))
    chords = np.array(triads(notes, plan)[:MOST_CHORDS], dtype=np.int8)
    return Portrait(facts, vector(notes, lines, plan), lines, chords)
