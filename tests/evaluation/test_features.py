"""Features of music, each against a case worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from textmusic.evaluation.features import (
    chromatic_share,
    empty_bars,
    ends_on_tonic,
    features,
    groove_consistency,
    longest_loop,
    pitch_class_entropy,
    polyphony,
    scale_consistency,
)
from textmusic.music.notes import Notes, top_line
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS

FOUR = Plan(time_signature="4/4", key="C major", tempo=120.0, bars=2)


def notes(*rows: tuple[float, float, int], program: int = 0) -> Notes:
    """(start, duration, pitch) rows as notes of one instrument."""
    start, duration, pitch = (np.array(column) for column in zip(*rows, strict=True))
    ones = np.ones(len(rows), dtype=np.int64)
    return Notes(start / 1.0, duration / 1.0, pitch, 80 * ones, program * ones)


def test_entropy_of_four_tones_alike_is_two_bits() -> None:
    assert pitch_class_entropy(np.array([60, 74, 64, 65])) == pytest.approx(2)
    assert pitch_class_entropy(np.array([60, 72])) == pytest.approx(0), "octaves are one class"
    assert pitch_class_entropy(np.arange(12)) == pytest.approx(math.log2(12))


def test_scale_consistency_takes_the_best_scale() -> None:
    g_major = np.array([67, 69, 71, 72, 74, 76, 78])
    assert scale_consistency(g_major) == pytest.approx(1)
    assert scale_consistency(np.array([60, 62, 64, 65, 67, 69, 71, 61])) == pytest.approx(7 / 8)
    assert scale_consistency(np.arange(12)) == pytest.approx(7 / 12)


def test_polyphony_counts_sounding_notes_while_any_sounds() -> None:
    assert polyphony(notes((0, 2, 60), (0, 1, 64))) == pytest.approx(1.5)
    assert polyphony(notes((0, 1, 60), (5, 1, 64))) == pytest.approx(1), "silence does not count"


def test_groove_consistency_compares_neighbouring_bars() -> None:
    same = notes((0, 1, 60), (1, 1, 62), (4, 1, 60), (5, 1, 62))
    assert groove_consistency(same, 4.0) == 1
    moved = notes((0, 1, 60), (1, 1, 62), (4, 1, 60), (5.5, 1, 62))
    assert groove_consistency(moved, 4.0) == pytest.approx(1 - 2 / 16)
    assert math.isnan(groove_consistency(notes((0, 1, 60)), 4.0))


def test_chromatic_share_counts_notes_off_the_scale() -> None:
    tune = notes((0, 1, 60), (1, 1, 61), (2, 1, 62), (3, 1, 64))
    assert chromatic_share(tune, "C major") == pytest.approx(1 / 4)
    assert chromatic_share(notes((0, 1, 68), (1, 1, 67)), "A minor") == 0, "raised seventh"
    assert math.isnan(chromatic_share(tune, "none"))


def test_the_top_line_is_the_highest_pitch_at_each_onset() -> None:
    tune = notes((0, 1, 60), (0, 1, 67), (1, 1, 64), (1, 1, 48))
    assert top_line(tune).tolist() == [[0, 67], [1, 64]]
    assert len(top_line(notes((0, 1, 40), program=DRUMS))) == 0


@pytest.mark.parametrize(
    ("last", "tonic"), [((60, 67), True), ((55, 72), True), ((55, 64), False), ((62, 65), False)]
)
def test_a_piece_ends_on_the_tonic_if_its_bass_or_top_does(
    last: tuple[int, int], tonic: bool
) -> None:
    tune = notes((0, 1, 62), (1, 2, last[0]), (1, 2, last[1]))
    assert ends_on_tonic(tune, "C major") is tonic
    assert ends_on_tonic(tune, "none") is None


def test_empty_bars_are_those_in_which_nothing_sounds() -> None:
    assert empty_bars(notes((0, 1, 60), (8, 1, 60), (12, 4, 60)), FOUR) == pytest.approx(1 / 4)
    assert empty_bars(notes((0, 8, 60)), FOUR) == 0, "a note that is held sounds"


def test_the_longest_loop_counts_bars_that_repeat_the_one_before() -> None:
    bar = ((0, 1, 60), (1, 1, 64))
    rows = [(start + 4 * n, length, pitch) for n in (0, 1, 2) for start, length, pitch in bar]
    assert longest_loop(notes(*rows), FOUR) == 2
    assert longest_loop(notes(*rows, (12, 1, 65)), FOUR) == 2
    assert longest_loop(notes(*bar, (4, 1, 61)), FOUR) == 0


def test_every_feature_of_a_small_tune() -> None:
    found = features(notes((0, 1, 60), (1, 1, 64), (2, 2, 67), (4, 4, 72)), FOUR)
    assert found["notes per bar"] == 2
    assert found["note length"] == 2
    assert found["interval"] == pytest.approx((4 + 3 + 5) / 3)
    assert found["inter-onset interval"] == pytest.approx(4 / 3)
    assert found["polyphony"] == 1
    assert found["scale consistency"] == pytest.approx(1)
    drums = features(notes((0, 1, 36), (1, 1, 38), program=DRUMS), FOUR)
    assert math.isnan(drums["interval"]) and drums["notes per bar"] == 2
