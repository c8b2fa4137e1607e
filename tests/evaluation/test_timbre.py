"""How audio sounds, and how far sets of pieces sound apart, each against a case worked out by hand.

What needs librosa (`describe`) is skipped without it; the distances need numpy alone.
"""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from textmusic.errors import TextMusicError
from textmusic.evaluation.timbre import (
    COEFFICIENTS,
    FEWEST_SOUNDS,
    RATE,
    Sound,
    describe,
    floor,
    frechet_distance,
    gaussian_distance,
    mfcc_distance,
    zero_crossing_distance,
    zero_crossing_rate,
)
from textmusic.music.notes import Notes, to_score
from textmusic.sound.render import render


def sound(first: float = 0.0, second: float = 0.0, crossings: float = 0.0) -> Sound:
    """A piece whose first two MFCC means are given, and the others 0."""
    mean = np.zeros(COEFFICIENTS)
    mean[:2] = first, second
    return Sound(mean, np.zeros((COEFFICIENTS, COEFFICIENTS)), crossings)


def a_set(seed: int, n: int, shift: float = 0.0) -> list[Sound]:
    rng = np.random.default_rng(seed)
    spread = np.ones((n, COEFFICIENTS)) + rng.random((n, COEFFICIENTS))
    means = rng.normal(shift, 3.0, (n, COEFFICIENTS))
    return [
        Sound(mean, np.diag(width**2), float(rng.random()))
        for mean, width in zip(means, spread, strict=True)
    ]


def square(hertz: float, sample_rate: int, seconds: float = 1.0) -> np.ndarray:
    half_periods = np.arange(round(seconds * sample_rate)) * 2 * hertz // sample_rate
    return np.where(half_periods % 2 == 0, 0.5, -0.5).astype(np.float32)


def played(program: int, tonic: int) -> np.ndarray:
    """Two seconds of an arpeggio on one instrument, 44,100 samples a second."""
    ones = np.ones(8, dtype=np.int64)
    pitch = tonic + np.array([0, 4, 7, 12, 7, 4, 0, 12])
    notes = Notes(np.arange(8) / 2, 0.5 * ones, pitch, 80 * ones, program * ones)
    return render(to_score(notes, "4/4", 120.0))


def test_a_square_wave_crosses_zero_twice_a_period() -> None:
    wave = square(100, 4000)  # 40 samples a period, 100 periods
    assert zero_crossing_rate(wave) == 199 / 3999, "the end is no crossing"
    assert zero_crossing_rate(np.array([1.0, -1.0, 1.0, -1.0])) == 1
    assert zero_crossing_rate(np.array([0.3, 0.2, 0.1])) == 0
    assert zero_crossing_rate(1e-6 * wave) == 0, "silence has no sign"
    assert zero_crossing_rate(wave[:1]) == 0


def test_the_mfcc_distance_of_a_shifted_set_is_the_length_of_the_shift() -> None:
    real = [sound(0, 0), sound(1, 5), sound(7, 2)]
    shifted = [sound(s.mean[0] + 3, s.mean[1] + 4) for s in real]
    assert mfcc_distance(shifted, real) == pytest.approx(5)
    assert mfcc_distance(real, shifted) == pytest.approx(5)
    assert mfcc_distance(real, real[::-1]) == 0
    assert mfcc_distance([], real) is None


def test_the_distance_of_sets_of_unequal_size_is_the_least_work_of_moving_one_to_the_other() -> (
    None
):
    # half of the weight at 2 goes to 0, half to 6: 1/2 * 2 + 1/2 * 4
    assert mfcc_distance([sound(2)], [sound(0), sound(6)]) == pytest.approx(3)
    # thirds at 0, 0 and 3 against halves at 0 and 3: a sixth moves by 3
    assert mfcc_distance([sound(0), sound(0), sound(3)], [sound(0), sound(3)]) == pytest.approx(0.5)
    ours = [sound(crossings=0.1), sound(crossings=0.3)]
    real = [sound(crossings=0.2), sound(crossings=0.6)]
    assert zero_crossing_distance(ours, real) == pytest.approx((0.1 + 0.3) / 2)
    assert zero_crossing_distance(real, ours) == pytest.approx(0.2)
    assert zero_crossing_distance(real, real) == 0
    assert zero_crossing_distance(real, []) is None


def test_the_frechet_distance_of_known_gaussians() -> None:
    zero, one = np.zeros(2), np.eye(2)
    assert gaussian_distance(zero, one, np.array([3.0, 4.0]), one) == pytest.approx(25)
    # covariances that commute: the sum of (s1 - s2)^2 over the axes, (1 - 2)^2 + (1 - 3)^2
    assert gaussian_distance(zero, one, zero, np.diag([4.0, 9.0])) == pytest.approx(5)
    # ones that don't: Tr A = Tr B = 4; (A B)^(1/2) of a 2 x 2 matrix has the trace
    # sqrt(Tr(A B) + 2 sqrt(det(A B))) = sqrt(8 + 2 * 3)
    a, b = np.array([[2.0, 1.0], [1.0, 2.0]]), np.diag([1.0, 3.0])
    hand = 1 + 4 + 4 - 2 * math.sqrt(14)
    assert gaussian_distance(zero, a, np.array([0.0, 1.0]), b) == pytest.approx(hand)
    assert gaussian_distance(np.array([0.0, 1.0]), b, zero, a) == pytest.approx(hand)
    flat = np.diag([1.0, 0.0])
    assert gaussian_distance(zero, flat, zero, flat) == pytest.approx(0), "a singular covariance"


def test_the_frechet_distance_of_sets_is_that_of_their_means_and_spreads() -> None:
    real, other = a_set(1, 60), a_set(2, 50, shift=4.0)
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-6)
    apart = frechet_distance(other, real)
    assert apart is not None and apart == pytest.approx(frechet_distance(real, other))
    # the same pieces, moved by 2 in one mean: the covariances are the same, and 2^2 remains
    moved = [Sound(s.mean + 2 * np.eye(COEFFICIENTS)[0], s.covariance, 0.0) for s in real]
    assert frechet_distance(moved, real) == pytest.approx(4)
    # 13 means that lie about 4 apart
    assert 0.7 * 13 * 4**2 < apart < 1.5 * 13 * 4**2


def test_too_few_pieces_have_no_frechet_distance() -> None:
    assert len(sound().statistics) == FEWEST_SOUNDS - 1
    assert frechet_distance(a_set(1, FEWEST_SOUNDS - 1), a_set(2, 60)) is None
    assert frechet_distance(a_set(1, FEWEST_SOUNDS), a_set(2, FEWEST_SOUNDS)) is not None
    assert floor(a_set(1, 2 * FEWEST_SOUNDS - 1), frechet_distance) is None
    assert floor([sound()], mfcc_distance) is None


def test_the_floor_is_the_distance_of_halves() -> None:
    # two pieces: each half is one of them
    assert floor([sound(0), sound(6)], mfcc_distance) == pytest.approx(6)
    assert floor([sound(2)] * 8, mfcc_distance) == 0
    real = a_set(1, 80)
    low = floor(real, frechet_distance)
    near, far = (frechet_distance(a_set(2, 40, shift), a_set(3, 40)) for shift in (0.0, 4.0))
    assert low is not None and near is not None and far is not None
    assert near == pytest.approx(low, rel=0.5), "two samples of one kind are as far apart as halves"
    assert far > 3 * low
    assert low == floor(real, frechet_distance), "the same every time"


def test_without_librosa_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(TextMusicError, match=r"librosa; run pip install 'textmusic\[audio\]'\.$"):
        describe(np.zeros((2, 44100), dtype=np.float32))


@pytest.mark.slow
def test_a_described_square_wave_has_its_zero_crossing_rate() -> None:
    pytest.importorskip("librosa")
    both = np.stack([square(441, 44100)] * 2)
    found = describe(both)
    # resampled: still 882 crossings a second, give or take one at each end
    assert found.zero_crossing_rate * RATE == pytest.approx(882, abs=2)
    assert found.mean.shape == (COEFFICIENTS,)
    assert found.covariance.shape == (COEFFICIENTS, COEFFICIENTS)
    assert np.allclose(describe(both[:1]).mean, found.mean, atol=1e-3), "mono is the same"


def test_silence_has_a_flat_spectrum_and_no_crossings() -> None:
    pytest.importorskip("librosa")
    found = describe(np.zeros((2, 44100), dtype=np.float32))
    assert np.allclose(found.statistics, 0, atol=1e-3)
    assert found.zero_crossing_rate == 0


def test_mfccs_are_librosas_and_do_not_hear_how_loud_it_is() -> None:
    librosa = pytest.importorskip("librosa")
    noise = np.random.default_rng(0).normal(0, 0.1, (1, RATE)).astype(np.float32)
    found = describe(noise, RATE)
    frames = librosa.feature.mfcc(y=noise[0], sr=RATE, n_mfcc=14)[1:]
    assert np.allclose(found.mean, frames.mean(axis=1), atol=1e-3)
    assert np.allclose(found.statistics[COEFFICIENTS:], frames.std(axis=1), atol=1e-3)
    assert np.allclose(describe(noise / 4, RATE).statistics, found.statistics, atol=1e-2)
    own = librosa.zero_crossings(noise[0], pad=False, threshold=1e-4).sum() / (RATE - 1)
    assert found.zero_crossing_rate == pytest.approx(own)
    assert found.zero_crossing_rate == pytest.approx(0.5, abs=0.02), "signs of noise are coins"


def test_two_pianos_sound_more_alike_than_a_piano_and_a_trumpet() -> None:
    pytest.importorskip("librosa")
    piano, other, trumpet = (
        [describe(played(program, tonic)) for tonic in tonics]
        for program, tonics in ((0, (60, 64)), (0, (62, 65)), (56, (62, 65)))
    )
    for distance, times in ((mfcc_distance, 2), (zero_crossing_distance, 1)):
        near, far = distance(piano, other), distance(piano, trumpet)
        assert near is not None and far is not None and times * near < far
