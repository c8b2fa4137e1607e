"""How the parts of a piece move and sound together, in numbers a listener would notice.

As in `structure`: every figure takes notes and plan, NaN says that there is nothing to count, and
drums are left out. Times are taken to the nearest twelfth of a quarter note, as they are written,
so that chords of a performance count as chords.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from textmusic.music.notes import Notes
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS

GRID = 12  # of a quarter note
STEP = 2  # semitones: as far as a step goes
CLASHES = (1, 13)  # semitones: a minor second, also an octave wider

Ints = NDArray[np.int64]


def stepwise_moves(notes: Notes, plan: Plan) -> float:
    """Share of melodic moves that are steps, of a semitone or two, 0 to 1.

    A move leads from the highest note of a part's onset to that of its next; those that stay on the
    pitch count as moves, too. The share of conjunct motion of textbooks and of jSymbolic's
    `Stepwise Motion` (McKay 2010), taken part by part.
    """
    steps = moves = 0
    for start, _, pitch in _parts(notes):
        order = np.lexsort((-pitch, start))
        first = np.unique(start[order], return_index=True)[1]
        moved = np.abs(np.diff(pitch[order][first]))
        steps += int(((moved > 0) & (moved <= STEP)).sum())
        moves += len(moved)
    return steps / moves if moves else math.nan


def clashing_onsets(notes: Notes, plan: Plan) -> float:
    """Share of onsets at which two tones a semitone or a minor ninth apart sound, 0 to 1.

    Of onsets at which two pitches or more sound. A definition of our own: of the intervals the
    harshest two.
    """
    parts = list(_parts(notes))
    if not parts:
        return math.nan
    start, end, pitch = (np.concatenate(column) for column in zip(*parts, strict=True))
    clashing = several = 0
    for at in np.unique(start):
        sounding = np.unique(pitch[(start <= at) & (end > at)])
        apart = sounding[:, None] - sounding[None]
        several += len(sounding) > 1
        clashing += bool(np.isin(apart, CLASHES).any())
    return clashing / several if several else math.nan


def silence_within(notes: Notes, plan: Plan) -> float:
    """Share of the time between a part's first and last note in which it is silent, 0 to below 1.

    Of all parts together, weighted by time. A definition of our own.
    """
    silent = total = 0
    for start, end, _ in _parts(notes):
        order = np.argsort(start, kind="stable")
        until = np.maximum.accumulate(end[order])
        silent += int(np.maximum(start[order][1:] - until[:-1], 0).sum())
        total += int(until[-1] - start.min())
    return silent / total if total else math.nan


def _parts(notes: Notes) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Starts, ends (in twelfths of a quarter) and pitches of each instrument's notes."""
    for program in np.unique(notes.program):
        if program != DRUMS:
            its = notes.chosen(notes.program == program)
            start = np.round(its.start * GRID).astype(np.int64)
            end = np.maximum(np.round(its.end * GRID).astype(np.int64), start + 1)
            yield start, end, its.pitch.astype(np.int64)
