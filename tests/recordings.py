"""Small recordings for tests: tones, hums and noise, written as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 22050
TUNE = (60, 62, 64, 65, 67, 65, 64, 62, 60, 64, 67, 64, 60, 67, 64, 60)  # quarter notes in C major
Wave = NDArray[np.float64]


def plucked(
    pitches: Sequence[int | Sequence[int]] = TUNE, seconds: float = 0.5, cents: float = 0.0
) -> Wave:
    """Notes or chords one after another, as of a string: they fade, and have overtones."""
    audio = np.zeros(round((len(pitches) * seconds + 0.8) * RATE))
    time = np.arange(round(seconds * RATE)) / RATE
    for number, struck in enumerate(pitches):
        first = round((0.2 + number * seconds) * RATE)
        for pitch in [struck] if isinstance(struck, int) else struck:
            hertz = 440 * 2 ** ((pitch - 69 + cents / 100) / 12)
            tone = sum(np.sin(2 * np.pi * k * hertz * time) / k**1.5 for k in range(1, 7))
            audio[first : first + len(time)] += (
                tone * np.exp(-4 * time) * np.minimum(time / 5e-3, 1)
            )
    return audio / np.abs(audio).max() * 0.7


def hummed(pitches: Sequence[int] = TUNE, seconds: float = 0.5) -> Wave:
    """One voice with vibrato, which slides from note to note and takes a breath between them."""
    each = round(seconds * RATE)
    time = np.arange(each) / RATE
    pitch, level = [], []
    for before, now in zip((pitches[0], *pitches), pitches, strict=False):
        slide = (before - now) * np.exp(-time / 0.02)
        pitch.append(now + slide + 0.3 * np.minimum(time / 0.2, 1) * np.sin(2 * np.pi * 5.5 * time))
        level.append(np.minimum(time / 0.03, 1) * np.minimum((time[::-1] + 1e-3) / 0.06, 1))
    hertz = 440 * 2 ** ((np.concatenate(pitch) - 69) / 12)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    voice = (np.sin(phase) + 0.4 * np.sin(2 * phase)) * np.concatenate(level)
    quiet = np.zeros(RATE // 4)
    breath = np.random.default_rng(0).normal(size=len(voice) + 2 * len(quiet)) * 0.004
    return np.concatenate([quiet, voice * 0.5, quiet]) + breath


def cymbals(seconds: float = 8.0) -> Wave:
    """Bursts of noise four times a second."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(1).normal(size=len(time))
    return noise * np.exp(-30 * (time % 0.25)) * 0.4


def saved(audio: Wave, path: Path, rate: int = RATE, **how: str) -> Path:
    """A recording's file; how: of soundfile, such as subtype="PCM_U8"."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, rate, **how)
    return path
