"""When the sustaining pedal is down: a rule of bars and basses.

It is changed with every bar and wherever the lowest note of a beat has another name, and lifted
where it would blur: under quick steps, and in genres that are played without it.
"""

from __future__ import annotations

import numpy as np

from textmusic.music.notes import Floats, Ints
from textmusic.performing.features import Metre

_WITHOUT = frozenset((
    "baroque", "renaissance", "ragtime", "march", "funk", "reggae", "metal", "electronic",
    "chorale",
))  # fmt: skip
_LEAST = 0.25  # the amount of performance from which on there is a pedal
_CLEAR, _DEEP = 65, 60
"""Pitches from which on neighbouring tones may ring together, and below which none may."""


def pedalled(
    genre: str | None, amount: float, start: Floats, duration: Floats, pitch: Ints, metre: Metre
) -> list[tuple[float, float]]:
    """(from, to) of each pedal in a bar, in quarter notes from its beginning.

    start, duration, pitch: of the notes of the part that start in the bar.
    """
    if genre in _WITHOUT or amount < _LEAST or not len(start):
        return []
    beats = int(np.ceil(metre.length / metre.beat - 1e-6))
    edges = [0.0]
    bass: int | None = None
    for beat in range(beats):
        here = (start >= beat * metre.beat - 1e-6) & (start < (beat + 1) * metre.beat - 1e-6)
        if not here.any():
            continue
        first = start[here].min()
        lowest = int(pitch[here & (start < first + 1e-6)].min())
        if bass is not None and lowest < bass + 7 and lowest % 12 != bass % 12:
            if beat:
                edges.append(beat * metre.beat)
            bass = lowest
        elif bass is None:
            bass = lowest
    stretches = zip(edges, [*edges[1:], metre.length], strict=True)
    return [(a, b) for a, b in stretches if _rings(a, b, start, duration, pitch)]


def _rings(begin: float, stop: float, start: Floats, duration: Floats, pitch: Ints) -> bool:
    """Whether the pedal holds something here, and blurs nothing."""
    here = (start >= begin - 1e-6) & (start < stop - 1e-6)
    if not here.any() or not (start[here] + duration[here] < stop - 0.2).any():
        return False
    tones = np.unique(pitch[here & (pitch < _CLEAR)])
    steps = np.diff(tones)
    close = steps <= 2
    return int(close.sum()) <= 1 and not (close & (tones[:-1] < _DEEP)).any()
