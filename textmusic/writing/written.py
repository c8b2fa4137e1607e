"""What of a piece stands: finished bars, what was given, what is written."""

from __future__ import annotations

from dataclasses import dataclass

from textmusic.music.notes import Note
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row, Sketch
from textmusic.tokens.folding import Struck


@dataclass(frozen=True, slots=True)
class Bar:
    """A finished bar. index: from 0. total: bars to be written. notes: those that start in it.

    plan: of these bars, complete. row: its row of the sketch.
    """

    index: int
    total: int
    notes: tuple[Note, ...]
    plan: Plan
    row: Row = Row()

    @property
    def last(self) -> bool:
        """Whether the piece ends with it."""
        return self.index + 1 == self.total


@dataclass(frozen=True, slots=True)
class Given:
    """What of a piece stands already.

    notes: as they are written, in that order, with the tonic of the plan on C. rows: of the sketch,
    from the first bar on. bars: the first that is to be written, and the one behind the last; None
    for all. programs: those that are to be written, where others stand in the same bars. melody:
    whether what stands is a melody alone, which wants chords and a bass.
    """

    notes: tuple[Struck, ...] = ()
    rows: tuple[Row, ...] = ()
    bars: tuple[int, int] | None = None
    programs: tuple[int, ...] | None = None
    melody: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """Complete bars of a take. notes: only those that were written. plan: of the whole piece."""

    notes: tuple[Struck, ...]
    plan: Plan
    sketch: Sketch
