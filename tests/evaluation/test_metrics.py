"""Metrics, each against a case worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from symusic import Score

from textmusic.evaluation.metrics import (
    NGram,
    heard_key,
    hits,
    instrument_hits,
    is_valid,
    mood_hits,
    plan_hits,
    same_key,
    same_or_relative_key,
    tempo_distance,
)
from textmusic.music.notes import Notes, to_score
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS, tempo_bin


def cadence(tonic: int = 60, *, tempo: float = 100.0) -> Score:
    """Two bars in a major key: the chords I, IV, V7 and I, two quarter notes each."""
    chords = ((0, 4, 7, 12), (5, 9, 12, 17), (7, 11, 14, 17), (0, 4, 7, 12))
    pitch = np.array(chords).ravel() + tonic
    start = np.repeat(np.arange(4) * 2.0, 4)
    whole = np.ones(16, dtype=np.int64)
    return to_score(Notes(start, 2.0 * whole, pitch, 80 * whole, 0 * whole), "4/4", tempo)


@pytest.mark.parametrize(
    ("tempo", "number"), [(40, 0), (40.1, 1), (60, 1), (61, 2), (110, 4), (111, 5), (211, 8)]
)
def test_a_tempo_bin_counts_the_marks_strictly_below(tempo: float, number: int) -> None:
    assert tempo_bin(tempo) == number


def test_tempo_distance_is_zero_inside_the_asked_range() -> None:
    assert tempo_distance(80, 120, 100) == 0
    assert tempo_distance(80, 80, 100) == 1
    assert tempo_distance(80, 80, 150) == 3
    assert tempo_distance(150, 160, 65) == 4


def test_keys_are_compared_by_sound_and_relatives_lie_a_third_apart() -> None:
    assert same_key("C# minor", "Db minor") and not same_key("C major", "C minor")
    assert same_or_relative_key("C major", "A minor") and same_or_relative_key("A minor", "C major")
    assert same_or_relative_key("D minor", "F major")
    assert not same_or_relative_key("C major", "Eb minor"), "the reversed sign"
    assert not same_or_relative_key("C major", "G major")


def test_instruments_are_matched_by_group() -> None:
    expected = {"programs": [[0, 1], [32, 33]], "drums": True}
    assert instrument_hits(expected, Plan(programs=(1, 33, DRUMS))) == (3, 0, 0)
    assert instrument_hits(expected, Plan(programs=(1, 40))) == (1, 1, 2)


def test_plan_hits_say_what_of_an_expectation_is_fulfilled() -> None:
    expected = {"tempo_bpm": [100, 100], "time_signature": "3/4", "programs": [[0]], "bars": 8}
    plan = Plan(programs=(0, 40), tempo=115.0, time_signature="3/4", bars=9)
    found = plan_hits(expected, plan)
    assert found == {
        "TB": False, "TBT": True, "tempo in range": False, "CTS": True,
        "instruments F1": pytest.approx(2 / 3), "bars": False,
    }  # fmt: skip
    assert plan_hits({}, plan) == {}


def test_mood_counts_within_one_level_of_an_accepted_one() -> None:
    expected = {"valence": [1, 2], "arousal": [5]}
    assert mood_hits(expected, Plan(valence=3, arousal=3), "x") == {
        "x valence": True, "x arousal": False
    }  # fmt: skip
    assert mood_hits(expected, Plan(), "x") == {}


def test_music21_hears_the_key_of_a_cadence_in_every_transposition() -> None:
    pytest.importorskip("music21")
    for tonic, name in ((60, "C major"), (62, "D major"), (58, "Bb major"), (66, "F# major")):
        assert same_key(name, str(heard_key(cadence(tonic))))
    assert heard_key(Score(12)) is None


def test_an_answer_is_judged_by_what_was_expected_of_it() -> None:
    pytest.importorskip("music21")
    expected = {"key": "A minor", "tempo_bpm": [98, 102], "seconds": [4, 6], "arousal": [1]}
    found = hits(expected, cadence(), Plan(valence=4, arousal=2))
    assert found["valid"] == found["TB"] == found["CKD"] == found["length"] == 1
    assert found["CK"] == 0, "C major is the relative"
    assert found["planned arousal"] == 1
    assert {"heard arousal", "heard as planned: valence", "heard as planned: arousal"} <= set(found)
    assert not {"CTS", "bars", "planned valence"} & set(found)


def test_files_with_cut_or_overlapping_notes_are_not_valid() -> None:
    assert is_valid(cadence())
    whole = np.ones(2, dtype=np.int64)
    over = Notes(np.array([0.0, 0.5]), np.array([1.0, 1.0]), 60 * whole, 80 * whole, 0 * whole)
    assert not is_valid(to_score(over, "4/4", 100.0))
    assert not is_valid(Score(12))


def test_a_bigram_learns_what_follows_and_a_unigram_how_often() -> None:
    ids = np.array([0, 1] * 50)
    unigram, bigram = NGram(4, 1), NGram(4, 2)
    for gram in (unigram, bigram):
        gram.count(ids)
    # 99 predictions; each of the two ids stands 51 times among 104 counts (one was given to each)
    assert unigram.nats(ids) == pytest.approx(
        50 * math.log(104 / 51) + 49 * math.log(104 / 50), abs=2
    )
    assert bigram.nats(ids) < 0.1 * unigram.nats(ids)
    total = sum(math.exp(-bigram.nats(np.array([0, k]))) for k in range(4))
    assert total == pytest.approx(1), "probabilities add up"
