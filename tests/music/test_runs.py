"""A copy is found, in whatever key and tempo; what is new is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from textmusic.music.notes import Notes
from textmusic.music.runs import LONGEST_SHARED_RUN, Repertoire, moves


def tune(seed: int, n: int = 40) -> Notes:
    rng = np.random.default_rng(seed)
    length = rng.choice([0.5, 1.0, 1.5], n)
    ones = np.ones(n, dtype=np.int64)
    start = np.concatenate([[0.0], np.cumsum(length)[:-1]])
    return Notes(start, length, rng.integers(55, 80, n), 80 * ones, 0 * ones)


def test_moves_are_the_same_in_another_key_and_tempo() -> None:
    one = tune(1)
    other = replace(one, pitch=one.pitch + 5, start=one.start * 2, duration=one.duration * 2)
    assert np.array_equal(moves(one), moves(other))
    assert len(moves(one)) == 38, "the first step has no ratio"
    turned = replace(one, pitch=140 - one.pitch)
    assert not np.array_equal(moves(one), moves(turned))


def test_the_longest_run_is_as_long_as_what_was_copied() -> None:
    known = moves(tune(1))
    repertoire = Repertoire([moves(tune(2)), known, moves(tune(3))])
    own = moves(tune(9))
    assert repertoire.longest_run(known) == 38
    for copied in (5, 12, 30):
        mixed = np.concatenate([own[:7], known[4 : 4 + copied], own[7:20]])
        assert copied <= repertoire.longest_run(mixed) <= copied + 2
    assert repertoire.longest_run(own) <= 3
    assert repertoire.longest_run(own[:0]) == 0


def test_runs_are_counted_up_to_a_limit() -> None:
    known = np.concatenate([moves(tune(seed)) for seed in range(5)])
    assert Repertoire([known]).longest_run(known) == LONGEST_SHARED_RUN


@pytest.mark.parametrize("pitches", [(), (60,), (60, 62)])
def test_too_few_notes_have_no_moves(pitches: tuple[int, ...]) -> None:
    n = len(pitches)
    whole = np.ones(n, dtype=np.int64)
    few = Notes(np.arange(n) / 1.0, np.ones(n), np.array(pitches, dtype=np.int64), whole, 0 * whole)
    assert len(moves(few)) == 0
