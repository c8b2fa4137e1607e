"""Loudness and peaks, against a meter that is not ours; the limiter."""

from __future__ import annotations

import numpy as np
import pytest

from textmusic.sound.loudness import PEAK, TARGET, levelling, limiting, loudness, true_peak

RATES = (44100, 48000)


def noise(seconds: float, rate: int, seed: int = 0) -> np.ndarray:
    """Coloured noise that swells and fades."""
    dice = np.random.default_rng(seed)
    size = round(seconds * rate)
    white = dice.normal(size=(2, size))
    spectrum = np.fft.rfft(white) / np.sqrt(np.arange(size // 2 + 1) + 1)
    swell = 0.05 + np.sin(np.linspace(0, 5, size)) ** 2
    audio = np.fft.irfft(spectrum, size) * swell
    return (0.3 * audio / np.abs(audio).max()).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seconds", [0.5, 3.0, 11.37])
def test_loudness_is_that_of_another_meter(rate: int, seconds: float) -> None:
    meters = pytest.importorskip("pyloudnorm")
    audio = noise(seconds, rate)
    wanted = meters.Meter(rate).integrated_loudness(audio.T.astype(np.float64))
    assert loudness(audio, rate) == pytest.approx(wanted, abs=0.15)


@pytest.mark.parametrize("rate", RATES)
def test_loudness_of_the_standards_own_signal(rate: int) -> None:
    """A sine of 997 Hz at full scale on one side is -3.01 LUFS (BS.1770-4, annex 1)."""
    sine = np.sin(2 * np.pi * 997 * np.arange(5 * rate) / rate).astype(np.float32)
    one_side = np.stack([sine, np.zeros_like(sine)])
    assert loudness(one_side, rate) == pytest.approx(-3.01, abs=0.05)
    assert loudness(np.zeros((2, rate), dtype=np.float32), rate) == -np.inf


def test_a_true_peak_lies_between_the_samples() -> None:
    """A quarter of the sample rate, at an eighth of a turn: the samples are 3 dB too low."""
    sine = np.sin(np.pi / 2 * np.arange(4000) + np.pi / 4).astype(np.float32)
    fade = np.clip(np.minimum(np.arange(4000), np.arange(4000)[::-1]) / 500, 0, 1)
    audio = np.stack([sine * fade, 0 * sine]).astype(np.float32)
    assert np.abs(audio).max() == pytest.approx(np.sqrt(0.5), abs=0.01)
    assert true_peak(audio) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("rate", RATES)
def test_levelling_reaches_the_target_and_keeps_peaks_below(rate: int) -> None:
    audio = noise(6, rate)
    audio[:, rate : rate + 40] = 0.9  # strokes
    audio[:, 3 * rate : 3 * rate + 5] = -0.9
    out = audio * levelling(audio, rate)
    assert loudness(out, rate) == pytest.approx(TARGET, abs=0.1)
    assert true_peak(out) <= PEAK


def test_the_limiter_does_not_step() -> None:
    rate = RATES[0]
    audio = noise(2, rate)
    audio[:, rate : rate + 3] = 0.9
    factors = limiting(audio, 3.0, rate)
    assert isinstance(factors, np.ndarray)
    assert factors.max() == pytest.approx(3.0, rel=1e-3)
    assert factors.min() == pytest.approx(10 ** (-1.2 / 20) / 0.9, rel=0.15)
    assert np.abs(np.diff(factors)).max() < 0.01 * 3
    assert limiting(0.1 * audio, 1.0, rate) == 1.0


def test_what_lies_below_the_gate_is_brought_up_and_silence_is_not() -> None:
    audio = noise(3, 44100)
    for faint in (1e-4, 1e-6):
        out = audio * np.float32(faint)
        assert loudness(out, 44100) == -np.inf
        assert loudness(out * levelling(out, 44100), 44100) == pytest.approx(TARGET, abs=0.1)
    for silent in (0 * audio, audio * np.float32(1e-9), np.full_like(audio, 0.2)):
        assert np.isfinite(levelling(silent, 44100)).all()
        assert np.abs(silent * levelling(silent, 44100)).max() <= PEAK
