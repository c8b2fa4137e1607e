"""The notes of a piece that is being written, by bar."""

from __future__ import annotations

from collections.abc import Iterable

from textmusic.music.notes import Note
from textmusic.music.plan import Plan
from textmusic.tokens.folding import Struck
from textmusic.tokens.score_grammar import ScoreGrammar
from textmusic.writing.written import Given


class BarNotes:
    """Those that were given and those that the score has so far, as written and as they sound."""

    def __init__(self, given: Given) -> None:
        self.by_bar: dict[int, list[Struck]] = {}
        for note in given.notes:
            self.by_bar.setdefault(note.bar, []).append(note)
        self._programs = given.programs
        self._score: ScoreGrammar | None = None
        self._plan = Plan()
        self._filed = 0  # notes of the score that lie in by_bar
        self._sounding: dict[int, tuple[Note, ...]] = {}  # the new notes of complete bars

    def begin(self, score: ScoreGrammar, plan: Plan) -> None:
        """Take the notes of a score from now on. plan: of the whole piece, complete."""
        self._score, self._plan = score, plan

    def file(self) -> None:
        """Sort the notes that were written since into their bars."""
        if self._score is not None:
            for note in self._score.notes[self._filed :]:
                self.by_bar.setdefault(note.bar, []).append(note)
            self._filed = len(self._score.notes)

    def between(self, first: int, last: int) -> list[Struck]:
        """The notes of some bars, given or written, in the order of writing."""
        self.file()
        notes = [note for bar in range(first, last) for note in self.by_bar.get(bar, ())]
        return sorted(notes, key=lambda note: note.place)

    def is_new(self, note: Struck) -> bool:
        """Whether a note was written here, and not given."""
        assert self._score is not None
        inside = self._score.first <= note.bar < self._score.last
        return inside and (self._programs is None or note.program in self._programs)

    def complete(self, bar: int) -> tuple[Note, ...]:
        """The new notes of a bar that gets no more, as they sound; `sounding` keeps them."""
        self.file()
        new = (note for note in self.by_bar.get(bar, ()) if self.is_new(note))
        self._sounding[bar] = found = self._heard(new)
        return found

    def sounding(self, bars: int) -> list[Note]:
        """The notes that were written in bars before `bars`, from the first written bar line on.

        Bars that `complete` has given are not decoded again.
        """
        if self._score is None:
            return []
        heard: list[Note] = []
        for bar in range(self._score.first, bars):
            known = self._sounding.get(bar)  # another thread may be adding to them
            if known is None:
                known = self._heard(n for n in tuple(self._score.notes) if n.bar == bar)
            heard += known
        return heard

    def _heard(self, notes: Iterable[Struck]) -> tuple[Note, ...]:
        assert self._score is not None
        first = self._score.first
        return tuple(note._replace(bar=note.bar - first).sounding(self._plan) for note in notes)
