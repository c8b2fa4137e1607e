"""How parts move and sound together: figures of small pieces counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from textmusic.music.notes import Notes
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS
from textmusic.music.voices import clashing_onsets, silence_within, stepwise_moves

PLAN = Plan(time_signature="4/4", key="C major", bars=2, tempo=120.0, programs=(0,))


def notes(*rows: tuple[float, float, int, int]) -> Notes:
    """(start, duration, pitch, program) rows."""
    start, duration, pitch, program = (np.array(column) for column in zip(*rows, strict=True))
    return Notes(start / 1.0, duration / 1.0, pitch, np.full(len(rows), 80), program).sorted()


def test_moves_by_step_are_counted_part_by_part() -> None:
    # C D F F: one step of three moves
    flute = [(0, 1, 60, 73), (1, 1, 62, 73), (2, 1, 65, 73), (3, 1, 65, 73)]
    assert stepwise_moves(notes(*flute), PLAN) == pytest.approx(1 / 3)
    # the piano's top notes E E flat: one of one; its lower ones, and the drums, don't count
    piano = [(0, 1, 48, 0), (0, 1, 64, 0), (1, 1, 40, 0), (1, 1, 63, 0)]
    drums = [(0, 1, 36, DRUMS), (1, 1, 38, DRUMS)]
    assert stepwise_moves(notes(*flute, *piano, *drums), PLAN) == pytest.approx(2 / 4)
    assert math.isnan(stepwise_moves(notes((0, 1, 60, 0), *drums), PLAN))


def test_a_spread_chord_of_a_performance_is_no_melody() -> None:
    spread = [(0.0, 1, 60, 0), (0.01, 1, 62, 0), (0.02, 1, 64, 0), (1.0, 1, 72, 0)]
    assert stepwise_moves(notes(*spread), PLAN) == 0


def test_semitones_and_minor_ninths_clash() -> None:
    held = [(0, 4, 60, 40)]
    assert clashing_onsets(notes(*held, (1, 1, 61, 41), (2, 1, 62, 41)), PLAN) == 1 / 2
    assert clashing_onsets(notes(*held, (1, 1, 73, 41), (2, 1, 71, 41)), PLAN) == 1 / 2
    after = notes((0, 1, 60, 40), (1, 1, 61, 40), (1, 1, 36, DRUMS))
    assert math.isnan(clashing_onsets(after, PLAN)), "one after the other"


def test_silence_is_counted_between_a_parts_own_notes() -> None:
    # one of three quarters; the other part's four are full, whatever it overlaps
    gaps = [(0, 1, 60, 40), (2, 1, 62, 40)]
    assert silence_within(notes(*gaps), PLAN) == pytest.approx(1 / 3)
    full = [(0, 3, 48, 42), (1, 1, 50, 42), (3, 1, 52, 42)]
    assert silence_within(notes(*gaps, *full, (7, 1, 36, DRUMS)), PLAN) == pytest.approx(1 / 7)
    assert math.isnan(silence_within(notes((0, 1, 36, DRUMS)), PLAN))
