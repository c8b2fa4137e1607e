"""Notes as arrays and as single values, out of scores and back into them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from symusic import Note as ScoreNote
from symusic import Score, Tempo, TimeSignature, Track

from textmusic.music.plan import Plan
from textmusic.music.theory import DRUM_PITCH_RANGE, DRUMS, PITCH_RANGE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
GRID = 12  # ticks per quarter note: the vocabulary's grid, but for metres of eighths
LONGEST_NOTE = 32.0  # quarter notes; longer notes were never released
# What `repaired` does, by the names that it is counted under.
OUTSIDE = "note dropped: outside the vocabulary's pitches"
STUCK = f"note shortened: stuck for over {LONGEST_NOTE:.0f} quarter notes"
STRUCK_TWICE = "note dropped: struck twice at once"
# A half-note beat would make MidiTok's grid (12 positions a beat) too coarse for sixteenths, so
# half-note metres are written on the quarter-note grid of the same length.
_QUARTER_NOTE_METRES = {"2/2": "4/4", "3/2": "6/4", "4/2": "8/4"}


class Note(NamedTuple):
    """A note. Times in quarter notes from the beginning; program 128 is the drum kit."""

    start: float
    duration: float
    pitch: int
    velocity: int
    program: int


@dataclass(frozen=True, slots=True)
class Notes:
    """A score's notes as columns, in onset order. Times are in quarter notes."""

    start: Floats
    duration: Floats
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    program: NDArray[np.int64]  # 128 for drums

    def __len__(self) -> int:
        return len(self.start)

    @property
    def end(self) -> Floats:
        """When each note ends."""
        return self.start + self.duration

    def chosen(self, which: Ints | NDArray[np.bool_]) -> Notes:
        """The notes at these places, in this order, or those where a mask is true."""
        return Notes(
            self.start[which], self.duration[which], self.pitch[which], self.velocity[which],
            self.program[which],
        )  # fmt: skip

    def sorted(self) -> Notes:
        """The notes by onset, program and pitch."""
        return self.chosen(np.lexsort((self.pitch, self.program, self.start)))


def notes_of(score: Score) -> Notes:
    """All notes of a score, sorted by onset, program and pitch."""
    columns: list[list[NDArray[np.int64]]] = [[], [], [], [], []]
    for track in score.tracks:
        data = track.notes.numpy()
        program = DRUMS if track.is_drum else track.program
        for column, name in zip(columns, ("time", "duration", "pitch", "velocity"), strict=False):
            column.append(np.asarray(data[name], dtype=np.int64))
        columns[4].append(np.full(len(track.notes), program, dtype=np.int64))
    if not score.tracks:
        empty = np.zeros(0, dtype=np.int64)
        return Notes(empty / 1.0, empty / 1.0, empty, empty, empty)
    start, duration, *others = (np.concatenate(c) for c in columns)
    quarter = float(score.ticks_per_quarter)
    return Notes(start / quarter, duration / quarter, *others).sorted()


def columns_of(notes: Sequence[Note]) -> Notes:
    """Single notes as columns, in their order."""
    start, duration, *others = list(zip(*notes, strict=True)) or [()] * 5
    return Notes(
        np.array(start, dtype=np.float64), np.array(duration, dtype=np.float64),
        *(np.array(column, dtype=np.int64) for column in others),
    )  # fmt: skip


def each(notes: Notes) -> list[Note]:
    """Inverse of `columns_of`."""
    columns = (notes.start, notes.duration, notes.pitch, notes.velocity, notes.program)
    return [Note(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def top_line(notes: Notes) -> Floats:
    """(N, 2) onset in quarter notes and MIDI pitch of the highest pitched note at each onset.

    The "skyline" of Uitdenbogerd & Zobel 1999, less its cutting of notes. Drums are left out.
    """
    tonal = notes.program != DRUMS
    start, pitch = notes.start[tonal], notes.pitch[tonal]
    order = np.lexsort((-pitch, start))
    start, pitch = start[order], pitch[order]
    first = np.concatenate([[True], np.diff(start) > 1e-6]) if len(start) else np.zeros(0, bool)
    return np.stack([start[first], pitch[first].astype(np.float64)], axis=1)


def sliced(notes: Notes, begin: float, stop: float) -> Notes:
    """The notes that start in [begin, stop), moved to 0, cut at the end."""
    inside = notes.chosen((notes.start >= begin - 1e-6) & (notes.start < stop - 1e-6))
    duration = np.minimum(inside.duration, stop - inside.start)
    return replace(inside, start=inside.start - begin, duration=duration)


def joined(one: Notes, two: Notes, at: float) -> Notes:
    """Two sets of notes as one, the second moved to begin at a given quarter note."""
    two = replace(two, start=two.start + at)
    columns = ("start", "duration", "pitch", "velocity", "program")
    both = (np.concatenate([getattr(one, name), getattr(two, name)]) for name in columns)
    return Notes(*both).sorted()


def repaired(notes: Notes, done: Counter[str]) -> Notes:
    """Notes of vocabulary pitches, none struck again while it still sounds in the same part.

    done: counts what was dropped or shortened.
    """
    drums = notes.program == DRUMS
    low, high = (np.where(drums, *ends) for ends in zip(DRUM_PITCH_RANGE, PITCH_RANGE, strict=True))
    keep = (notes.pitch >= low) & (notes.pitch <= high)
    stuck = notes.duration > LONGEST_NOTE
    done[OUTSIDE] += int((~keep).sum())
    done[STUCK] += int(stuck.sum())
    duration = np.where(stuck, LONGEST_NOTE, notes.duration)
    order = np.flatnonzero(keep)  # by part and pitch, and in a part as they are struck
    order = order[np.lexsort((notes.start[order], notes.pitch[order], notes.program[order]))]
    before, after = order[:-1], order[1:]
    voice = (notes.program[before] == notes.program[after]) & (
        notes.pitch[before] == notes.pitch[after]
    )
    twice = voice & (notes.start[before] == notes.start[after])
    keep[after[twice]] = False
    done[STRUCK_TWICE] += int(twice.sum())
    # of notes struck at once the first is kept, and the next one later on ends it
    later = voice & ~twice
    first = np.maximum.accumulate(np.where(np.append(True, ~twice), np.arange(len(order)), 0))
    cut = order[first[:-1][later]]
    duration[cut] = np.minimum(duration[cut], notes.start[after[later]] - notes.start[cut])
    return replace(notes, duration=duration).chosen(keep)


def grid_of(metre: str) -> int:
    """Ticks per quarter note of the vocabulary's grid: in metres of eighths the beat is shorter."""
    return 2 * GRID if metre.endswith("/8") else GRID


def on_grid(notes: Notes, metre: str) -> Notes:
    """The notes as a score of this metre has them: on the vocabulary's grid, a step at least."""
    grid = grid_of(metre)
    steps = np.maximum(np.rint(notes.duration * grid), 1)
    return replace(notes, start=np.rint(notes.start * grid) / grid, duration=steps / grid)


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
        track.notes = ScoreNote.from_numpy(*(column[mine] for column in columns), ttype="tick")
        score.tracks.append(track)
    return score


def grid_signature(time_signature: str) -> str:
    """The time signature whose grid REMI writes a bar on: "3/2" -> "6/4", "3/4" -> "3/4"."""
    return _QUARTER_NOTE_METRES.get(time_signature, time_signature)


@cache
def positions_per_beat(time_signature: str) -> tuple[int, int]:
    """(steps in a bar, steps in a quarter note) of the REMI grid: "6/8" -> (72, 24)."""
    top, bottom = map(int, grid_signature(time_signature).split("/"))
    return 12 * top, 3 * bottom


def score_of(notes: Iterable[Note], plan: Plan) -> Score:
    """A Score of these notes, with the plan's tempo and metre, a track an instrument.

    A key signature is not written here: `generation.finish` adds what a MIDI file should carry.
    """
    assert plan.time_signature is not None and plan.tempo is not None
    _, per_quarter = positions_per_beat(plan.time_signature)
    score: Score = Score(per_quarter)
    top, bottom = map(int, plan.time_signature.split("/"))
    score.time_signatures.append(TimeSignature(0, top, bottom))
    score.tempos.append(Tempo(0, plan.tempo))
    played: dict[int, list[Note]] = {}
    for note in notes:
        played.setdefault(note.program, []).append(note)
    for program in sorted(played):
        drums = program == DRUMS
        track = Track(program=0 if drums else program, is_drum=drums)
        for start, duration, pitch, velocity, _ in played[program]:
            time, length = round(start * per_quarter), round(duration * per_quarter)
            track.notes.append(ScoreNote(time, length, pitch, velocity))
        score.tracks.append(track)
    return score
