"""Small changes to a piece that need no model: transpose, tempo, snap to a key, re-orchestrate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.language.prompt import Prompt
from textmusic.music.material import material_of
from textmusic.music.measure import measure
from textmusic.music.notes import Notes
from textmusic.music.plan import TEMPO_RANGE, Plan
from textmusic.music.theory import DRUMS, NO_KEY, degrees_of, range_of, tonic, transposed
from textmusic.result.generation import Generation, account, finish
from textmusic.system.values import within

MOST_SEMITONES = 24
Pitches = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What is changed, in this order. Drums keep their sounds whatever happens to the others.

    semitones: up, -24 to 24. key: to whose scale all notes are moved, each to the nearest tone.
    tempo: quarter notes a minute at the beginning; later ones keep their ratio to it. programs:
    General MIDI programs that play instead.
    """

    semitones: int = 0
    key: str | None = None
    tempo: float | None = None
    programs: tuple[int, ...] | None = None


def adjust(score: Score, adjustment: Adjustment) -> Generation:
    """A changed copy of a piece, with its report; raises TextMusicError for what can't be done."""
    if adjustment == Adjustment():
        raise TextMusicError(
            "there is nothing to change; transpose, snap, or give another tempo or instrument."
        )
    within("transpose", adjustment.semitones, -MOST_SEMITONES, MOST_SEMITONES)
    material = material_of(score)
    notes = _transposed(material.notes, adjustment.semitones)
    key = transposed(material.plan.key or NO_KEY, adjustment.semitones)
    if adjustment.key is not None:
        notes, key = _snapped(notes, adjustment.key), adjustment.key
    if adjustment.programs is not None:
        notes = _played_by(notes, adjustment.programs)
    made = replace(material, notes=notes).score()
    if adjustment.tempo is not None:
        within("tempo", adjustment.tempo, *TEMPO_RANGE)
        ratio = adjustment.tempo / made.tempos[0].qpm
        for mark in made.tempos:
            mark.qpm = mark.qpm * ratio
    plan = replace(measure(made), key=key, begin=True, end=True)
    asked = Plan(
        key=key if adjustment.semitones or adjustment.key else None,
        tempo=adjustment.tempo,
        programs=adjustment.programs,
    )
    prompt = Prompt("", asked, None, "", ())
    return account(prompt, plan, finish(made, plan), 0, "adjusted", ids=0, nats=0.0)


def _transposed(notes: Notes, semitones: int) -> Notes:
    """Notes moved up; what would leave the piano's range comes back an octave."""
    pitch = np.where(notes.program == DRUMS, notes.pitch, notes.pitch + semitones)
    return replace(notes, pitch=_folded(pitch, notes.program))


def _folded(pitch: Pitches, program: Pitches) -> Pitches:
    """Pitches moved by octaves into the range of what plays them."""
    folded = pitch.copy()
    for played in np.unique(program):
        if played == DRUMS:
            continue
        mine = program == played
        low, high = range_of(int(played))
        part = folded[mine]
        part = np.where(part < low, part + 12 * -((part - low) // 12), part)
        folded[mine] = np.where(part > high, part - 12 * -((high - part) // 12), part)
    return folded


def _snapped(notes: Notes, key: str) -> Notes:
    """Each note on the nearest tone of the key's scale, downwards if two are as near."""
    if key == NO_KEY:
        raise TextMusicError('snapping needs a key; give one, for example "D minor".')
    scale = {(tonic(key) + degree) % 12 for degree in degrees_of(key)}
    steps = [
        next(step for step in (0, -1, 1) if (pitch_class + step) % 12 in scale)
        for pitch_class in range(12)
    ]
    moved = notes.pitch + np.array(steps)[notes.pitch % 12]
    pitch = np.where(notes.program == DRUMS, notes.pitch, moved)
    return replace(notes, pitch=_folded(pitch, notes.program))


def _played_by(notes: Notes, programs: Sequence[int]) -> Notes:
    """The notes shared out among other instruments by register, in their ranges; drums go on.

    As many parts as players, or more: whole parts go over, the lowest to the lowest. Fewer: at each
    onset the top note goes to the highest player, the bottom one to the lowest, and so on.
    """
    players = sorted((p for p in programs if p != DRUMS), key=lambda p: sum(range_of(p)))
    if not players:
        raise TextMusicError("drums can't play a melody; name another instrument.")
    tonal = notes.program != DRUMS
    program = notes.program.copy()
    parts = sorted(
        np.unique(notes.program[tonal]), key=lambda p: float(notes.pitch[notes.program == p].mean())
    )
    if len(parts) >= len(players):
        for rank, part in enumerate(parts):
            program[notes.program == part] = players[rank * len(players) // len(parts)]
    else:
        program[tonal] = _by_register(notes.start[tonal], notes.pitch[tonal], players)
    return replace(notes, program=program, pitch=_folded(notes.pitch, program))


def _by_register(start: NDArray[np.float64], pitch: Pitches, players: Sequence[int]) -> Pitches:
    """A player, lowest first in `players`, for each note: the top one of a chord to the highest."""
    program = np.empty(len(pitch), dtype=np.int64)
    for onset in np.unique(start):
        chord = np.flatnonzero(start == onset)
        chord = chord[np.argsort(-pitch[chord])]
        for rank, note in enumerate(chord):
            last = len(chord) - 1
            spread = rank * (len(players) - 1) / last if last else 0
            program[note] = players[len(players) - 1 - round(spread)]
    return program
