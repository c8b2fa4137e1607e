"""Piano rolls: notes <-> patches of four bars, and what a GAN is told about each of them.

A roll is boolean, (2, CHANNELS, T, PITCHES): where notes begin, and where they sound. T counts
steps, four a quarter note: 96 % of the onsets of 400 validation windows lie on that grid (88 % on
one of six, which has triplets but no sixteenths). Pitches are spelt from the tonic, as music ids
are, so that a row is a degree of the scale; drums stand as they are.

A patch is (2 * CHANNELS, CELLS * CELL, PITCHES): four cells of up to 16 steps. A bar is one cell,
or two where it is longer than a bar of 4/4; cells of shorter bars are padded at their end. One
channel stands for a family of instruments (as in MuseGAN, Dong et al. 2018), so that every plan
has the same shape; instruments of one family share its notes by register.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textmusic.engines.protocol import Floats32
from textmusic.music.notes import Ints, Notes
from textmusic.music.plan import GENRES, LEVELS, Plan
from textmusic.music.theory import (
    DRUMS,
    MIDDLE_TEMPO,
    NO_KEY,
    TIME_SIGNATURES,
    is_minor,
    quarters_per_bar,
    range_of,
    shift_of,
)
from textmusic.tokens.score_grammar import MAX_VOICES

Bools = NDArray[np.bool_]

STEPS_PER_QUARTER = 4  # of a quarter note
CELLS, CELL = 4, 16  # cells of a patch, steps of a cell at most
LENGTH = CELLS * CELL
LOW, PITCHES = 24, 72  # rows are C1 to B6; 99.9 % of the corpora's notes, the rest moves by octaves
# Channel of each family of eight General MIDI programs: keys, guitars, bass, strings, winds.
FAMILIES = (0, 0, 0, 1, 2, 3, 3, 4, 4, 4, 4, 3, 3, 1, 0, 0)
DRUM_ROW, CHANNELS = 5, 6
PLANES = 2 * CHANNELS
SUMMARY = 12 + 12 + CELL + 3 * CHANNELS
# What stands in a condition, and how many numbers it takes.
CONDITION_PARTS = {
    "channels": CHANNELS, "registers": CHANNELS, "metre": len(TIME_SIGNATURES), "cells": CELLS,
    "genre": len(GENRES), "valence": len(LEVELS), "arousal": len(LEVELS), "density": len(LEVELS),
    "mode": 2, "tempo": 1, "place": 3, "follows": 1, "previous": SUMMARY,
}  # fmt: skip
CONDITION = sum(CONDITION_PARTS.values())


def part(name: str) -> slice:
    """Where a part stands in a condition."""
    begin = sum(list(CONDITION_PARTS.values())[: list(CONDITION_PARTS).index(name)])
    return slice(begin, begin + CONDITION_PARTS[name])


def channel_of(program: int) -> int:
    """The channel that plays a program: channel_of(40) == 3, the strings."""
    return DRUM_ROW if program == DRUMS else FAMILIES[program // 8]


def cells_of(time_signature: str) -> tuple[int, int]:
    """(steps of a cell, cells of a bar): "3/4" -> (12, 1), "12/8" -> (12, 2)."""
    steps = round(quarters_per_bar(time_signature) * STEPS_PER_QUARTER)
    cells = 1 if steps <= CELL else 2
    return steps // cells, cells


def total_cells(plan: Plan) -> int:
    """Cells of a piece. plan.bars and plan.time_signature must be known."""
    assert plan.bars is not None and plan.time_signature is not None
    return plan.bars * cells_of(plan.time_signature)[1]


def total_patches(plan: Plan) -> int:
    """Patches of a piece; the last may be partly empty."""
    return ceil(total_cells(plan) / CELLS)


def total_steps(plan: Plan) -> int:
    """Steps of a piece."""
    assert plan.time_signature is not None
    return total_cells(plan) * cells_of(plan.time_signature)[0]


# Notes <-> rolls <-> patches ----------------------------------------------------------------------


def roll_of(notes: Notes, plan: Plan) -> Bools:
    """(2, CHANNELS, T, PITCHES) of notes: onsets, and what sounds, onsets included.

    Times go to the nearest step, and every note lasts at least one. Pitches outside the rows move
    by octaves.
    """
    length = total_steps(plan)
    roll = np.zeros((2, CHANNELS, length, PITCHES), dtype=np.bool_)
    drums = notes.program == DRUMS
    rows = notes.pitch - LOW - np.where(drums, 0, shift_of(plan.key))
    rows = np.where(rows < 0, rows % 12, rows)
    rows = np.where(rows >= PITCHES, rows % 12 + PITCHES - 12, rows)
    begins = np.minimum(np.rint(notes.start * STEPS_PER_QUARTER).astype(int), length - 1)
    ends = np.maximum(np.rint(notes.end * STEPS_PER_QUARTER).astype(int), begins + 1)
    for program, row, begin, end in zip(notes.program, rows, begins, ends, strict=True):
        channel = channel_of(int(program))
        roll[0, channel, begin, row] = True
        roll[1, channel, begin:end, row] = True
    return roll


def notes_of_roll(roll: Bools, plan: Plan) -> Notes:
    """The notes of a roll, in onset order: no two of one instrument and pitch overlap.

    A note ends where it is struck again or no longer sounds; what sounds without an onset is left
    out. plan.programs must be known, and a channel without one of them be silent. Loudness is no
    part of a roll: a step from each level of arousal to the next, and an accent on quarter notes.
    """
    assert plan.programs is not None
    length = roll.shape[2]
    steps = np.arange(length)[:, None]
    columns: list[list[Ints]] = [[], [], [], []]
    for channel in range(CHANNELS):
        onset, sounds = roll[:, channel]
        stops = np.where(onset | ~sounds, steps, length)
        # the first step from each one on at which a note is over
        over = np.minimum.accumulate(stops[::-1])[::-1]
        over = np.vstack([over[1:], np.full((1, PITCHES), length)])
        begin, row = np.nonzero(onset)
        shift = 0 if channel == DRUM_ROW else shift_of(plan.key)
        players = [p for p in plan.programs if channel_of(p) == channel]
        assert players or not len(begin), "an instrument that is not planned plays"
        program = deal(row, players) if players else row
        for column, values in zip(
            columns, (begin, over[begin, row] - begin, row + LOW + shift, program), strict=True
        ):
            column.append(values)
    begin, lasts, pitch, program = (np.concatenate(column) for column in columns)
    order = np.lexsort((pitch, program, begin))
    base = 80 + 8 * ((plan.arousal or 3) - 3)
    velocity = np.where(begin % STEPS_PER_QUARTER == 0, base + 6, base - 4)
    return Notes(
        begin[order] / STEPS_PER_QUARTER,
        lasts[order] / STEPS_PER_QUARTER,
        pitch[order],
        velocity[order],
        program[order],
    )


def deal(rows: Ints, programs: Sequence[int]) -> Ints:
    """Who of one channel plays each note, (N,): the higher the instrument, the higher its rows.

    All have the same number of different rows, as far as there are enough.
    """
    upwards = sorted(programs, key=lambda p: (sum(range_of(p)), p))
    registers = np.array_split(np.unique(rows), len(upwards))
    lowest = [register[0] for register in registers if len(register)]
    return np.array(upwards, dtype=np.int64)[np.searchsorted(lowest, rows, side="right") - 1]


def patches_of(roll: NDArray[Any], plan: Plan) -> NDArray[Any]:
    """(N, PLANES, LENGTH, PITCHES) of a roll (2, CHANNELS, T, PITCHES), padded with zeros."""
    assert plan.time_signature is not None
    cell, cells, n = cells_of(plan.time_signature)[0], total_cells(plan), total_patches(plan)
    padded = np.zeros((PLANES, n * CELLS, CELL, PITCHES), dtype=roll.dtype)
    padded[:, :cells, :cell] = roll.reshape(PLANES, cells, cell, PITCHES)
    return padded.reshape(PLANES, n, LENGTH, PITCHES).swapaxes(0, 1)


def joined(patches: NDArray[Any], plan: Plan) -> NDArray[Any]:
    """Inverse of `patches_of`: the padding is cut off."""
    assert plan.time_signature is not None
    cell, cells = cells_of(plan.time_signature)[0], total_cells(plan)
    padded = patches.swapaxes(0, 1).reshape(PLANES, -1, CELL, PITCHES)[:, :cells, :cell]
    return padded.reshape(2, CHANNELS, cells * cell, PITCHES)


# What is told of a patch --------------------------------------------------------------------------


def condition(plan: Plan, index: int, previous: Floats32 | None = None) -> Floats32:
    """(CONDITION,) what the index-th patch of a piece is to be; open fields are zeros.

    previous: the `summary` of the patch before it, so that the two connect; None at the beginning.
    """
    assert plan.programs is not None and plan.tempo is not None
    last = total_patches(plan) - 1
    channels = {channel_of(program) for program in plan.programs}
    tonal = plan.key is not None and plan.key != NO_KEY
    parts = [
        _one_hot(range(CHANNELS), channels),
        _registers(plan),
        _one_hot(TIME_SIGNATURES, {plan.time_signature}),
        _one_hot(range(1, CELLS + 1), {min(total_cells(plan) - index * CELLS, CELLS)}),
        _one_hot(GENRES, {plan.genre}),
        _one_hot(LEVELS, {plan.valence}),
        _one_hot(LEVELS, {plan.arousal}),
        _one_hot(LEVELS, {plan.density}),
        _one_hot((False, True), {is_minor(plan.key)} if tonal and plan.key else set()),
        [log2(plan.tempo / MIDDLE_TEMPO)],
        [
            float(index == 0 and bool(plan.begin)),
            float(index == last and bool(plan.end)),
            index / max(last, 1),
        ],
        [float(previous is not None)],
        np.zeros(SUMMARY) if previous is None else previous,
    ]
    return np.concatenate(parts).astype(np.float32)


def _registers(plan: Plan) -> list[float]:
    """How high the instruments of each channel are, 0 to 1 of the rows: flutes are no tubas."""
    found: list[list[float]] = [[] for _ in range(CHANNELS)]
    for program in plan.programs or ():
        found[channel_of(program)].append((sum(range_of(program)) / 2 - LOW) / PITCHES)
    return [float(np.mean(heights)) if heights else 0.0 for heights in found]


def _one_hot(values: Sequence[Any], present: set[Any]) -> list[float]:
    return [float(value in present) for value in values]


def summary(patches: Bools) -> Floats32:
    """(N, SUMMARY) of patches (N, PLANES, LENGTH, PITCHES).

    Shares of the 12 degrees in the patch and in its last cell; how often something is struck at
    each step of a cell; notes a step, voices and height (0 to 1) of each channel.
    """
    onset, sounds = patches[:, :CHANNELS], patches[:, CHANNELS:]
    degrees = sounds[:, :DRUM_ROW].sum(axis=1, dtype=np.int32)
    degrees = degrees.reshape(len(patches), LENGTH, -1, 12).sum(axis=2)
    whole, ending = degrees.sum(axis=1), degrees[:, -CELL:].sum(axis=1)
    rhythm = onset.any(axis=(1, 3)).reshape(-1, CELLS, CELL).mean(axis=1)
    struck, voices = onset.sum(axis=(2, 3)) / LENGTH, sounds.sum(axis=(2, 3)) / LENGTH
    height = (sounds.sum(axis=2) @ (np.arange(PITCHES) / PITCHES)) / np.maximum(
        sounds.sum(axis=(2, 3)), 1
    )
    return np.concatenate(
        [
            whole / np.maximum(whole.sum(axis=1, keepdims=True), 1),
            ending / np.maximum(ending.sum(axis=1, keepdims=True), 1),
            rhythm,
            np.log1p(struck),
            np.log1p(voices),
            height,
        ],
        axis=1,
    ).astype(np.float32)


# What a generator wrote ---------------------------------------------------------------------------


def binarised(logits: Floats32) -> Bools:
    """Patches (N, PLANES, LENGTH, PITCHES) of logits: what is likelier than not.

    Of notes struck together by one channel the likeliest `MAX_VOICES` are kept: a generator that
    has learnt little would else strike whole clusters.
    """
    limit = np.partition(logits, -MAX_VOICES, axis=-1)[..., -MAX_VOICES, None]
    kept = (logits > 0) & (logits >= limit)
    kept[:, CHANNELS:] |= kept[:, :CHANNELS]  # what is struck sounds
    return kept


def playable(plan: Plan) -> Bools:
    """(CHANNELS, PITCHES) True at the rows that the plan's instruments may play."""
    assert plan.programs is not None
    rows = np.zeros((CHANNELS, PITCHES), dtype=np.bool_)
    for program in plan.programs:
        low, high = range_of(program)
        sounding = np.arange(LOW, LOW + PITCHES) + (0 if program == DRUMS else shift_of(plan.key))
        rows[channel_of(program)] |= (low <= sounding) & (sounding <= high)
    return rows


def completed(roll: Bools, logits: Floats32, plan: Plan) -> Bools:
    """The roll (2, CHANNELS, T, PITCHES), and where the plan asks for more, its likeliest notes.

    Every channel gets as many different rows as it has instruments, so that each of them plays;
    and something sounds in the last bar, so that the piece is as long as planned.
    logits: like the roll.
    """
    assert plan.programs is not None and plan.bars is not None
    allowed = playable(plan)
    roll = roll & allowed[:, None]
    onsets = np.where(allowed[:, None], logits[0], -np.inf)  # (CHANNELS, T, PITCHES)
    last = total_steps(plan) // plan.bars * (plan.bars - 1)
    if not _connected(roll)[:, last:].any():
        place = np.unravel_index(np.argmax(onsets[:, last:]), onsets[:, last:].shape)
        channel, step, row = map(int, place)
        roll[:, channel, last + step, row] = True
    for channel in {channel_of(program) for program in plan.programs}:
        players = sum(channel_of(program) == channel for program in plan.programs)
        used = roll[0, channel].any(axis=0)
        missing = max(players - int(used.sum()), 0)
        best = np.where(used, -np.inf, onsets[channel].max(axis=0))
        for row in np.argsort(-best, kind="stable")[:missing]:
            roll[:, channel, onsets[channel, :, row].argmax(), row] = True
    return roll


def _connected(roll: Bools) -> Bools:
    """(CHANNELS, T, PITCHES) True where a note sounds that has an onset."""
    onset, sounds = roll
    steps = np.arange(roll.shape[2])[:, None]
    struck = np.maximum.accumulate(np.where(onset, steps, -1), axis=1)
    silent = np.maximum.accumulate(np.where(onset | sounds, -1, steps), axis=1)
    return np.asarray(struck > silent)


# Batches ------------------------------------------------------------------------------------------
