"""The room around the music: one reverb, and a chorus for those who ask for it.

The reverb is a convolution with an impulse response that is made here: a few early reflections,
then noise, different left and right, whose highs die away before its lows do. Convolution is
linear and knows no future, so that audio can be handed out piece by piece, and the parts of a
piece add up to the whole.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from textmusic.sound.soundfont import Wave

SECONDS = 1.5
"""Time after which the middle frequencies have fallen by 60 dB; a small hall."""
# Upper edge in hertz, and the time of decay as a share of `SECONDS`.
_BANDS = ((160, 0.9), (500, 1.1), (2000, 1.0), (5000, 0.75), (9000, 0.5), (30000, 0.28))
_LOW_CUT, _HIGH_CUT = 180.0, 9000.0  # hertz, 6 dB an octave: no rumble, no hiss
_PRE_DELAY, _RISE = 0.018, 0.025  # seconds before the first reflection; until the rest is there
# Early reflections: milliseconds and amplitude, left and right.
_EARLY = (
    ((19.0, 0.60), (26.3, -0.42), (34.1, 0.36), (43.7, 0.30), (57.1, -0.24), (71.9, 0.18)),
    ((21.7, 0.57), (29.9, 0.40), (37.3, -0.35), (47.9, 0.28), (61.3, 0.23), (68.2, -0.19)),
)
_EARLY_SHARE = 0.35  # of the energy
_SEED = 2026

_CHORUS_DELAY, _CHORUS_DEPTH, _CHORUS_RATE = 0.012, 0.0025, 0.4  # seconds, seconds, hertz


@lru_cache(maxsize=4)
def impulse_response(rate: int) -> Wave:
    """(2, samples), each side with an energy of 1."""
    length = round((SECONDS * 1.1 + _PRE_DELAY) * rate)
    # The generator's raw numbers are the same in all versions of numpy; its distributions are not.
    raw = np.random.PCG64(_SEED).random_raw(2 * length).astype(np.float64) / 2**64
    noise = (raw.reshape(2, length) - 0.5) * np.sqrt(12)
    spectrum, hertz = np.fft.rfft(noise), np.fft.rfftfreq(length, 1 / rate)
    time = np.maximum(np.arange(length) / rate - _PRE_DELAY, 0)
    diffuse = np.zeros((2, length))
    below = 0.0
    for edge, share in _BANDS:
        band = np.fft.irfft(spectrum * ((hertz >= below) & (hertz < edge)), length)
        diffuse += band * 10 ** (-3 * time / (SECONDS * share))
        below = edge
    diffuse *= np.clip(time / _RISE, 0, 1)
    early = np.zeros((2, length))
    for side, taps in enumerate(_EARLY):
        for milliseconds, amplitude in taps:
            early[side, round(milliseconds * rate / 1000)] = amplitude
    whole = np.sqrt(1 - _EARLY_SHARE) * _unit(diffuse) + np.sqrt(_EARLY_SHARE) * _unit(early)
    hertz[0] = 1e-3
    shelves = 1 / np.sqrt(1 + (_LOW_CUT / hertz) ** 2) / np.sqrt(1 + (hertz / _HIGH_CUT) ** 2)
    whole = np.fft.irfft(np.fft.rfft(whole) * shelves, length)
    fade = round(0.05 * rate)
    whole[:, -fade:] *= np.linspace(1, 0, fade)
    return _unit(whole).astype(np.float32)


def _unit(sides: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = sides / np.sqrt((sides**2).sum(axis=1, keepdims=True))
    return scaled


@lru_cache(maxsize=6)
def _response_spectrum(rate: int, size: int) -> NDArray[np.complex64]:
    return np.fft.rfft(impulse_response(rate), size).astype(np.complex64)


class Reverb:
    """The room's answer to what is sent to it, piece by piece."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._length = impulse_response(rate).shape[1]
        self._tail = np.zeros((2, self._length - 1), dtype=np.float32)

    def __call__(self, sent: Wave) -> Wave:
        """sent: (samples,). Returns (2, samples): of it, and of all that was sent before."""
        answer = np.zeros((2, len(sent)), dtype=np.float32)
        block = _block(self._length, len(sent))
        for start in range(0, len(sent), block):
            piece = sent[start : start + block]
            whole = self._convolved(piece)
            whole[:, : self._tail.shape[1]] += self._tail
            answer[:, start : start + len(piece)] = whole[:, : len(piece)]
            self._tail = whole[:, len(piece) : len(piece) + self._length - 1].copy()
        return answer

    def _convolved(self, piece: Wave) -> Wave:
        need = max(len(piece) + self._length - 1, 2 * (self._length - 1))
        size = 1 << (need - 1).bit_length()
        if not piece.any():
            return np.zeros((2, size), dtype=np.float32)
        spectrum = np.fft.rfft(piece, size).astype(np.complex64)
        return np.fft.irfft(_response_spectrum(self._rate, size) * spectrum, size).astype(
            np.float32
        )


def _block(response: int, length: int) -> int:
    """Samples to transform at a time."""
    size = 1 << (2 * response - 1).bit_length()
    if length > 2 * size:
        size *= 2
    return size - response + 1


def around(sent: Wave, rate: int) -> Wave:
    """The room's answer to what is repeated without end: (samples,) -> (2, samples)."""
    length = len(sent)
    response = impulse_response(rate)
    rounds = -(-response.shape[1] // length)
    folded = np.pad(response, ((0, 0), (0, rounds * length - response.shape[1])))
    folded = folded.reshape(2, rounds, length).sum(axis=1)
    return np.fft.irfft(np.fft.rfft(folded) * np.fft.rfft(sent), length).astype(np.float32)


class Chorus:
    """Two voices that drift a little around what is sent to it, piece by piece."""

    def __init__(self, rate: int, place: int = 0) -> None:
        """place: samples of the piece that are past."""
        self._rate, self._place = rate, place
        self._before = np.zeros(round((_CHORUS_DELAY + _CHORUS_DEPTH) * rate) + 2, np.float32)

    def __call__(self, sent: Wave) -> Wave:
        """sent: (samples,). Returns (2, samples)."""
        if not len(sent):
            return np.zeros((2, 0), dtype=np.float32)
        known = len(self._before)
        whole = np.concatenate([self._before, sent])
        time = (self._place + np.arange(len(sent))) / self._rate
        sides = []
        for shift in (0.0, np.pi / 2):
            drift = np.sin(2 * np.pi * _CHORUS_RATE * time + shift)
            delay = (_CHORUS_DELAY + _CHORUS_DEPTH * drift) * self._rate
            where = known + np.arange(len(sent)) - delay
            first = where.astype(np.intp)
            part = (where - first).astype(np.float32)
            sides.append(whole[first] * (1 - part) + whole[first + 1] * part)
        self._before = whole[len(whole) - known :].copy()
        self._place += len(sent)
        return np.stack(sides).astype(np.float32)
