"""How long notes are held of what is written, by instrument: a table of rules."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from textmusic.music.notes import Floats, Ints
from textmusic.performing.features import PHRASE, Metre

PEDALLED = frozenset((*range(6), 46))
"""Pianos, electric ones too, and the harp: what the pedal holds."""
KEYBOARDS = frozenset(range(8))
_DETACHED = frozenset(("march", "ragtime", "dance", "polonaise", "baroque", "funk", "children"))
_DETACHED_SHARE = 0.82
_SHORTEST = 0.06  # of a quarter note


class Held(NamedTuple):
    """Shares of the written length: of notes of a beat and more, of shorter ones, of a note whose
    key is struck again at its end, and of the last one of a phrase."""

    long: float
    short: float
    repeated: float
    last: float = 1.0


# First and last program.
_BY_FAMILY: tuple[tuple[int, int, Held], ...] = (
    (0, 7, Held(0.98, 0.94, 0.90)), (8, 15, Held(1.0, 1.0, 1.0)),
    (16, 23, Held(1.0, 0.97, 0.88, 0.92)), (24, 31, Held(0.98, 0.95, 0.93)),
    (32, 39, Held(0.95, 0.90, 0.88)), (40, 44, Held(1.0, 0.94, 0.88, 0.90)),
    (45, 47, Held(1.0, 1.0, 1.0)), (48, 55, Held(1.0, 0.98, 0.92, 0.92)),
    (56, 63, Held(0.96, 0.88, 0.85, 0.86)), (64, 79, Held(0.99, 0.94, 0.87, 0.86)),
    (80, 95, Held(1.0, 0.96, 0.92)), (96, 127, Held(1.0, 1.0, 1.0)),
)  # fmt: skip


def held(
    program: int, genre: str | None, start: Floats, duration: Floats, pitch: Ints, metre: Metre,
    bar: int,
) -> Floats:  # fmt: skip
    """What of each note's written length is held, 0 to 1, of one part's notes of a bar.

    start: quarter notes from the beginning of the bar. bar: from 0.
    """
    family = next(row for first, last, row in _BY_FAMILY if first <= program <= last)
    short = duration < metre.beat - 1e-6
    share = np.where(short, family.short, family.long)
    if genre in _DETACHED and family.short < 1:
        share = np.where(short, np.minimum(share, _DETACHED_SHARE), share)
    end = start + duration
    again = (pitch[:, None] == pitch[None, :]) & (np.abs(end[:, None] - start[None, :]) < 1e-6)
    share = np.where(again.any(axis=1), np.minimum(share, family.repeated), share)
    if bar % PHRASE == PHRASE - 1:
        closing = (end > metre.length - 1e-6) & ~short
        share = np.where(closing, np.minimum(share, family.last), share)
    return np.maximum(share, np.minimum(_SHORTEST / duration, 1.0))
