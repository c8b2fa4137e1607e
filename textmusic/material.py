"""Music that is there already: made fit for the vocabulary, cut, measured, put together again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from symusic import Note, Score, Tempo, TimeSignature, Track

from textmusic.errors import TextMusicError
from textmusic.measure import Notes, measure, notes_of
from textmusic.plan import (
    DRUMS,
    MAX_PROGRAMS,
    TEMPO_RANGE,
    TIME_SIGNATURES,
    Plan,
    quarters_per_bar,
)

GRID = 12  # ticks per quarter note: the vocabulary's grid, but for metres of eighths
LONGEST_NOTE = 32.0  # quarter notes; what sounds longer was never released


@dataclass(frozen=True, slots=True)
class Material:
    """A piece to go on from. plan: as measured, of its last stretch in one metre.

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
        score = to_score(notes, self.plan.time_signature or "4/4", self.plan.tempo or 120.0, grid)
        score.time_signatures = self.marks.time_signatures
        score.tempos = self.marks.tempos
        return score


def material_of(score: Score) -> Material:
    """What of a score can be gone on from.

    Raises TextMusicError where that is nothing: no notes in the vocabulary's range, a metre that it
    lacks, or more instruments than a MIDI file has channels for.
    """
    grid = max((grid_of(metre) for _, metre in _metres(score)), default=GRID)
    marks = score.resample(grid, min_dur=1)
    notes = repaired(notes_of(marks), Counter())
    if not len(notes):
        raise TextMusicError("the file holds no note that an instrument can play; choose another.")
    heard = [change for change in _metres(marks) if change[0] < notes.end.max()]
    begin, metre = max(heard, default=(0.0, "4/4"))
    if metre not in TIME_SIGNATURES:
        raise TextMusicError(
            f"the file ends in {metre}; choose one that ends in {', '.join(TIME_SIGNATURES)}."
        )
    programs = np.unique(notes.program)
    if (melodic := int((programs != DRUMS).sum())) > MAX_PROGRAMS:
        raise TextMusicError(
            f"the file has {melodic} instruments; choose one with {MAX_PROGRAMS} at most."
        )
    if not marks.tempos:
        marks.tempos.append(Tempo(0, 120.0))
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


def grid_of(metre: str) -> int:
    """Ticks per quarter note of the vocabulary's grid: in metres of eighths the beat is shorter."""
    return 2 * GRID if metre.endswith("/8") else GRID


def _metres(score: Score) -> list[tuple[float, str]]:
    """(quarter note, time signature) of a score's changes."""
    return [
        (mark.time / score.ticks_per_quarter, f"{mark.numerator}/{mark.denominator}")
        for mark in score.time_signatures
    ]


def repaired(notes: Notes, done: Counter[str]) -> Notes:
    """Notes of vocabulary pitches, none struck while it still sounds in the same part.

    done: counts what was dropped or shortened.
    """
    low, high = np.where(notes.program == DRUMS, 27, 21), np.where(notes.program == DRUMS, 88, 108)
    keep = (notes.pitch >= low) & (notes.pitch <= high)
    stuck = notes.duration > LONGEST_NOTE
    done["note dropped: outside the vocabulary's pitches"] += int((~keep).sum())
    done[f"note shortened: stuck for over {LONGEST_NOTE:.0f} quarter notes"] += int(stuck.sum())
    duration = np.where(stuck, LONGEST_NOTE, notes.duration)
    order = np.flatnonzero(keep)  # by part and pitch, and in a part as they are struck
    order = order[np.lexsort((notes.start[order], notes.pitch[order], notes.program[order]))]
    before, after = order[:-1], order[1:]
    voice = (notes.program[before] == notes.program[after]) & (
        notes.pitch[before] == notes.pitch[after]
    )
    twice = voice & (notes.start[before] == notes.start[after])
    keep[after[twice]] = False
    done["note dropped: struck twice at once"] += int(twice.sum())
    # of notes struck at once the first is kept, and the next one later on ends it
    later = voice & ~twice
    first = np.maximum.accumulate(np.where(np.append(True, ~twice), np.arange(len(order)), 0))
    cut = order[first[:-1][later]]
    duration[cut] = np.minimum(duration[cut], notes.start[after[later]] - notes.start[cut])
    return Notes(
        notes.start[keep],
        duration[keep],
        notes.pitch[keep],
        notes.velocity[keep],
        notes.program[keep],
    )


def sliced(notes: Notes, begin: float, stop: float) -> Notes:
    """The notes that start in [begin, stop), moved to 0, cut at the end."""
    inside = (notes.start >= begin - 1e-6) & (notes.start < stop - 1e-6)
    start = notes.start[inside]
    duration = np.minimum(notes.duration[inside], stop - start)
    return Notes(
        start - begin, duration, notes.pitch[inside], notes.velocity[inside], notes.program[inside]
    )


def to_score(notes: Notes, metre: str, tempo: float, grid: int | None = None) -> Score:
    """A Score of one metre and tempo from columns of notes.

    grid: ticks per quarter note; by default as fine as the vocabulary's in this metre.
    """
    grid = grid or grid_of(metre)
    score = Score(grid)
    top, bottom = map(int, metre.split("/"))
    score.time_signatures.append(TimeSignature(0, top, bottom))
    score.tempos.append(Tempo(0, tempo))
    columns = (
        np.rint(notes.start * grid).astype(np.int32),
        np.maximum(np.rint(notes.duration * grid), 1).astype(np.int32),
        notes.pitch.astype(np.int8),
        notes.velocity.astype(np.int8),
    )
    for program in np.unique(notes.program):
        mine = notes.program == program
        drums = bool(program == DRUMS)
        track = Track(program=0 if drums else int(program), is_drum=drums)
        track.notes = Note.from_numpy(*(column[mine] for column in columns), ttype="tick")
        score.tracks.append(track)
    return score


def joined(one: Notes, two: Notes, at: float) -> Notes:
    """Two lots of notes, the second moved to begin at a quarter note."""
    start = np.concatenate([one.start, two.start + at])
    program = np.concatenate([one.program, two.program])
    pitch = np.concatenate([one.pitch, two.pitch])
    order = np.lexsort((pitch, program, start))
    return Notes(
        start[order],
        np.concatenate([one.duration, two.duration])[order],
        pitch[order],
        np.concatenate([one.velocity, two.velocity])[order],
        program[order],
    )
