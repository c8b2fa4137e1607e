"""Existing music: fitted to the vocabulary, cut, measured, and put together again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from symusic import Score, Tempo, TimeSignature

from textmusic.errors import TextMusicError
from textmusic.music.measure import measure
from textmusic.music.notes import GRID, Notes, grid_of, notes_of, repaired, sliced, to_score
from textmusic.music.plan import MAX_PROGRAMS, TEMPO_RANGE, Plan
from textmusic.music.theory import DEFAULT_TEMPO, DRUMS, TIME_SIGNATURES, quarters_per_bar


@dataclass(frozen=True, slots=True)
class Material:
    """A piece to continue. plan: as measured, of its last stretch in one metre.

    begin: quarter note at which that stretch begins; before it notes are kept as they are. marks:
    the score's own tempi and time signatures, without notes.
    """

    notes: Notes
    plan: Plan
    begin: float
    marks: Score

    @property
    def bar(self) -> float:
        """Length of a bar in quarter notes."""
        return quarters_per_bar(self.plan.time_signature or "4/4")

    @property
    def bars(self) -> int:
        """Bars of the last stretch, the last one filled up."""
        return self.plan.bars or 0

    @property
    def end(self) -> float:
        """Quarter note at which its last bar ends."""
        return self.begin + self.bars * self.bar

    def cut(self, bars: int) -> Material:
        """The first bars of the last stretch alone (and what comes before it)."""
        stop = self.begin + bars * self.bar
        return replace(
            self, notes=sliced(self.notes, 0.0, stop), plan=replace(self.plan, bars=bars)
        )

    def tail(self, bars: int) -> Notes:
        """The notes of its last bars, moved to 0."""
        return sliced(self.notes, self.end - bars * self.bar, self.end)

    def score(self) -> Score:
        """The notes as a score, in the vocabulary's ranges, with the piece's tempi and metres."""
        notes = repaired(self.notes, Counter())
        grid = self.marks.ticks_per_quarter
        metre, tempo = self.plan.time_signature or "4/4", self.plan.tempo or DEFAULT_TEMPO
        score = to_score(notes, metre, tempo, grid)
        score.time_signatures = self.marks.time_signatures
        score.tempos = self.marks.tempos
        return score


def material_of(score: Score) -> Material:
    """The part of a score that can be continued.

    Raises TextMusicError if there is none: no notes in the vocabulary's range, an unsupported
    metre, or more instruments than a MIDI file has channels.
    """
    grid = max((grid_of(metre) for _, metre in _metres(score)), default=GRID)
    marks = score.resample(grid, min_dur=1)
    notes = repaired(notes_of(marks), Counter())
    if not len(notes):
        raise TextMusicError(
            "the file has no note that an instrument can play; choose another file."
        )
    heard = [change for change in _metres(marks) if change[0] < notes.end.max()]
    begin, metre = max(heard, default=(0.0, "4/4"))
    if metre not in TIME_SIGNATURES:
        raise TextMusicError(
            f"the file ends in {metre}, which is not supported; choose one that ends in"
            f" {', '.join(TIME_SIGNATURES)}."
        )
    programs = np.unique(notes.program)
    if (melodic := int((programs != DRUMS).sum())) > MAX_PROGRAMS:
        raise TextMusicError(
            f"the file has {melodic} instruments; choose a file with at most {MAX_PROGRAMS}."
        )
    if not marks.tempos:
        marks.tempos.append(Tempo(0, DEFAULT_TEMPO))
    if not marks.time_signatures:
        marks.time_signatures.append(TimeSignature(0, 4, 4))
    tempo = max((mark.time, mark.qpm) for mark in marks.tempos)[1]
    tempo = min(max(tempo, TEMPO_RANGE[0]), TEMPO_RANGE[1])
    bar = quarters_per_bar(metre)
    stretch = to_score(sliced(notes, begin, np.inf), metre, tempo)
    plan = replace(
        measure(stretch),
        programs=tuple(int(p) for p in programs),
        bars=max(1, ceil((float(notes.end.max()) - begin) / bar - 1e-6)),
        begin=begin == 0,
        end=True,
    )
    marks.tracks.clear()
    return Material(notes, plan, begin, marks)


def _metres(score: Score) -> list[tuple[float, str]]:
    """(quarter note, time signature) of a score's changes."""
    return [
        (mark.time / score.ticks_per_quarter, f"{mark.numerator}/{mark.denominator}")
        for mark in score.time_signatures
    ]
