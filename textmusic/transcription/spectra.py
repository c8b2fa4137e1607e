"""Sound <-> its spectra, a stretch at a time; the spectral gate; strokes of drums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from textmusic.transcription.activations import RATE
from textmusic.transcription.recordings import Wave

Floats = NDArray[np.float32]
SIZE, HOP = 2048, 512  # samples of a spectrum, and from one to the next

_STRETCH = 40 * RATE // HOP * HOP  # samples that are worked on at a time
_FLOOR_QUANTILE = 0.2  # of a bin's magnitudes over time: what sounds when nothing plays
_OVER = 2.0  # a bin counts as noise up to so many times its floor
_LEAST = 0.1  # gain of what is noise


def gated(audio: Wave) -> Wave:
    """Audio without its steady noise: what hardly rises over a bin's floor is turned down.

    The floor is measured in the recording itself, a stretch at a time; the rule is the spectral
    subtraction of Boll (1979), smoothed as Sainburg's noisereduce does.
    """
    parts = [_gated(audio[at : at + _STRETCH]) for at in range(0, len(audio), _STRETCH)]
    return np.concatenate(parts)


def _gated(audio: Wave) -> Wave:
    spectra = _spectra(audio)
    size = np.abs(spectra)
    floor = np.quantile(size, _FLOOR_QUANTILE, axis=0) * _OVER
    gain = np.clip(1 - (floor / np.maximum(size, 1e-9)) ** 2, _LEAST, 1)
    smooth = np.pad(gain, ((2, 2), (0, 0)), mode="edge")
    gain = np.mean([smooth[k : k + len(gain)] for k in range(5)], axis=0)
    return _sound(spectra * gain, len(audio))


def _window() -> Floats:
    return np.hanning(SIZE + 1)[:-1].astype(np.float32)


def _spectra(audio: Wave) -> NDArray[np.complex64]:
    """(frames, bins) of audio, which is padded by half a frame at either end."""
    padded = np.pad(audio, (SIZE // 2, SIZE // 2 + HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP]
    return np.fft.rfft(frames * _window(), axis=1).astype(np.complex64)


def _sound(spectra: NDArray[np.complex64], length: int) -> Wave:
    """Inverse of `_spectra`."""
    frames = np.fft.irfft(spectra, SIZE, axis=1) * _window()
    total = np.zeros((len(frames) - 1) * HOP + SIZE)
    weight = np.full(len(total), 1e-9)
    squared = _window() ** 2
    for n, frame in enumerate(frames):
        total[n * HOP : n * HOP + SIZE] += frame
        weight[n * HOP : n * HOP + SIZE] += squared
    sound: Wave = (total / weight)[SIZE // 2 : SIZE // 2 + length].astype(np.float32)
    return sound


def powers(audio: Wave, most: float = 40.0) -> Floats:
    """(frames, bins) power of at most so many seconds from the middle."""
    room = max(0, len(audio) - int(most * RATE)) // 2
    power: Floats = np.abs(_spectra(audio[room : room + int(most * RATE)])) ** 2
    return power


def strokes(power: Floats, above: float) -> tuple[float, float]:
    """How much of the sound bursts out above so many Hz, and how flat its spectrum is there.

    (share of the whole energy, spectral flatness: 0 a tone, some 0.2 a hi-hat). Steady noise does
    not count, for it does not burst. power: (frames, bins), see `powers`.
    """
    high = power[:, int(above * SIZE / RATE) :]
    total = high.sum(axis=1)
    bursts = total > 2 * np.median(total)
    over = np.maximum(total - 2 * np.median(total), 0).sum()
    share = float(over / max(float(power[:, 3:].sum()), 1e-12))
    if not bursts.any():
        return share, 0.0
    burst = high[bursts] + 1e-12
    flat = np.exp(np.log(burst).mean(axis=1)) / burst.mean(axis=1)
    return share, float(np.average(flat, weights=total[bursts]))
