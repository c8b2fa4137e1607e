"""How loud audio is, and how it is brought to one loudness without clipping.

Loudness is that of ITU-R BS.1770-4 (LUFS), peaks are true peaks (of the curve between samples).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from textmusic.sound.soundfont import Wave

TARGET = -16.0
"""LUFS: what streaming services and podcasts play at."""
PEAK = 10 ** (-1 / 20)
"""-1 dBTP: room for the overshoot of lossy formats."""

LOOK = 0.012
"""Seconds before a peak in which the limiter turns down, and after it, up."""

_STEP, _STEPS = 0.1, 4  # seconds; a block of BS.1770 is four of them, and the next begins one later
_OFFSET, _GATE, _RELATIVE = -0.691, -70.0, -10.0
_FINER = 4  # points between two samples that are looked at for peaks
_TAPS = 12  # samples that each of them is made of
_CEILING = 10 ** (-1.2 / 20)  # aimed at: what is between the points looked at is a little higher
_STEEPEST = 8.0  # dB at most that the limiter takes
_CHUNK = 1 << 15
_FAINTEST = 1e-7  # peaks of what is no sound yet: below them is the noise of 24 bits


def loudness(audio: Wave, rate: int) -> float:
    """Integrated loudness of (2, samples) in LUFS; -inf for silence."""
    return _gated(_energies(audio, rate))


def _energies(audio: Wave, rate: int) -> NDArray[np.float64]:
    """K-weighted power of each tenth of a second, both sides added."""
    step = round(_STEP * rate)
    short = -audio.shape[1] % step if audio.shape[1] % step > step // 2 else 0
    if audio.shape[1] < step * _STEPS:
        short = step * _STEPS - audio.shape[1]
    whole = np.pad(audio, ((0, 0), (0, short))) if short else audio
    count = whole.shape[1] // step
    weights = _k_weights(rate, step)
    powers = [
        (np.abs(np.fft.rfft(whole[:, n * step : (n + 16) * step][:, : (count - n) * step]
                            .reshape(len(whole), -1, step))) ** 2 @ weights).sum(axis=0)
        for n in range(0, count, 16)
    ]  # fmt: skip
    return np.concatenate(powers) if powers else np.zeros(0)


def _gated(steps: NDArray[np.float64]) -> float:
    if len(steps) < _STEPS:
        return -np.inf
    blocks = np.convolve(steps, np.ones(_STEPS) / _STEPS, "valid")
    with np.errstate(divide="ignore"):
        levels = _OFFSET + 10 * np.log10(blocks)
        heard = levels > _GATE
        if not heard.any():
            return -np.inf
        gate = _OFFSET + 10 * np.log10(blocks[heard].mean()) + _RELATIVE
    return float(_OFFSET + 10 * np.log10(blocks[heard & (levels > gate)].mean()))


@lru_cache(maxsize=4)
def _k_weights(rate: int, step: int) -> NDArray[np.float64]:
    """What the squared spectrum of `step` samples is weighted with: a mean power."""
    z = np.exp(-2j * np.pi * np.arange(step // 2 + 1) / step)

    def squared(b: tuple[float, ...], a: tuple[float, ...]) -> NDArray[np.float64]:
        response = np.polyval(b[::-1], z) / np.polyval(a[::-1], z)
        return np.asarray(np.abs(response) ** 2, dtype=np.float64)

    # The standard's two filters, from their analogue design, for any rate: a shelf of 4 dB above
    # 1.7 kHz for the head, and a high pass at 38 Hz.
    k, high, quality = (
        np.tan(np.pi * 1681.974450955533 / rate),
        10 ** (3.999843853973347 / 20),
        (0.7071752369554196),
    )
    middle, norm = high**0.4996667741545416, 1 + k / quality + k * k
    shelf = squared(
        ((high + middle * k / quality + k * k) / norm, 2 * (k * k - high) / norm,
         (high - middle * k / quality + k * k) / norm),
        (1.0, 2 * (k * k - 1) / norm, (1 - k / quality + k * k) / norm),
    )  # fmt: skip
    k, quality = np.tan(np.pi * 38.13547087602444 / rate), 0.5003270373238773
    norm = 1 + k / quality + k * k
    cut = squared((1.0, -2.0, 1.0), (1.0, 2 * (k * k - 1) / norm, (1 - k / quality + k * k) / norm))
    twice = np.full(step // 2 + 1, 2.0)
    twice[0] = 1.0
    if step % 2 == 0:
        twice[-1] = 1.0
    weights: NDArray[np.float64] = shelf * cut * twice / step**2
    return weights


@lru_cache(maxsize=1)
def _phases() -> Wave:
    """(3, taps): windowed sincs for the points a quarter, a half, three quarters on."""
    taps = np.arange(_TAPS) - (_TAPS // 2 - 1)
    rows = []
    for part in range(1, _FINER):
        distance = taps - part / _FINER
        window = np.cos(np.pi * distance / (_TAPS + 1)) ** 2
        rows.append(np.sinc(distance) * window)
    return np.asarray(rows, dtype=np.float32)


def peaks(audio: Wave, above: float = 0.0) -> Wave:
    """(samples,): the true peak at each sample and up to the next one, of both sides.

    above: stretches that stay below it are only looked at sample by sample.
    """
    found: Wave = np.abs(audio).max(axis=0, initial=0.0)
    before, after = _TAPS // 2 - 1, _TAPS // 2
    for start in range(0, len(found), _CHUNK // 8):
        stop = min(start + _CHUNK // 8, len(found))
        if found[start:stop].max() <= above:
            continue
        piece = audio[:, max(start - before, 0) : stop + after]
        piece = np.pad(
            piece,
            ((0, 0), (max(before - start, 0), max(stop + after - audio.shape[1], 0))),
        )
        windows = np.lib.stride_tricks.sliding_window_view(piece, _TAPS, axis=1)
        between = np.abs(windows @ _phases().T).max(axis=(0, 2))
        found[start:stop] = np.maximum(found[start:stop], between[: stop - start])
    return np.asarray(found, dtype=np.float32)


def true_peak(audio: Wave) -> float:
    """The largest true peak of (2, samples)."""
    return float(peaks(audio).max(initial=0.0))


def limiting(audio: Wave, gain: float, rate: int) -> Wave | float:
    """Factors that bring `audio` to `gain` times itself with no true peak above `PEAK`.

    (samples,), or one number where nothing has to be held back. They fall and rise smoothly around
    each peak.
    """
    if gain <= 0:
        return gain
    found = peaks(audio, 0.7 * _CEILING / gain) * np.float32(gain)
    if found.max(initial=0.0) <= _CEILING:
        return gain
    need = np.minimum(1, _CEILING / np.maximum(found, 1e-9)).astype(np.float32)
    reach = max(round(LOOK * rate), 2)
    lowest = _sliding_least(need, reach)
    window = np.hanning(2 * reach + 1)[1:-1]
    padded = np.pad(lowest, reach - 1, mode="edge")
    smooth = _convolved(padded, (window / window.sum()).astype(np.float32))
    return np.asarray(smooth * np.float32(gain), dtype=np.float32)


def _sliding_least(values: Wave, reach: int) -> Wave:
    """The least of the values from `reach` before each up to `reach` after it."""
    least, width = np.pad(values, reach, constant_values=1.0), 1
    whole = 2 * reach + 1
    while 2 * width <= whole:
        least = np.minimum(least[: len(least) - width], least[width:])
        width *= 2
    rest = whole - width
    return np.minimum(least[: len(least) - rest], least[rest:]) if rest else least


def _convolved(values: Wave, window: Wave) -> Wave:
    """`np.convolve(values, window, "valid")`, by transforms where that is quicker."""
    out, size = [], _CHUNK
    spectrum = np.fft.rfft(window, size)
    step = size - len(window) + 1
    for start in range(0, len(values) - len(window) + 1, step):
        piece = np.fft.irfft(np.fft.rfft(values[start : start + size], size) * spectrum, size)
        out.append(piece[len(window) - 1 : len(window) - 1 + step])
    return np.concatenate(out)[: len(values) - len(window) + 1].astype(np.float32)


def levelling(audio: Wave, rate: int) -> Wave | float:
    """Factors that bring audio (2, samples) to `TARGET`, with no true peak above `PEAK`.

    What the limiter takes is given back once; it takes 8 dB at most, and a piece with sharper peaks
    than that stays below the target.
    """
    loudest = float(np.abs(audio).max(initial=0.0))
    if (
        loudest < _FAINTEST
    ):  # below this there is nothing to hear, and lifting it would lift rounding
        return 1.0
    # The gate of the standard is for music as loud as it is played, not for one soft note.
    now = _gated(_energies(audio, rate) / loudest**2) + 20 * math.log10(loudest)
    if now == -np.inf:
        return 1.0
    most = _CEILING * 10 ** (_STEEPEST / 20) / loudest
    gain = min(10 ** ((TARGET - now) / 20), most)
    factors = limiting(audio, gain, rate)
    for _ in range(2):
        if isinstance(factors, float):
            break
        short = TARGET - loudness(audio * factors, rate)
        if abs(short) < 0.05 or gain >= most:
            break
        gain = min(gain * 10 ** (short / 20), most)
        factors = limiting(audio, gain, rate)
    return factors
