"""When notes are struck: swing where it swings, and the small differences between players."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textmusic.music.notes import Floats
from textmusic.performing.features import Metre

SWINGING = frozenset(("jazz", "swing", "blues"))
_FASTEST, _SLOWEST = 280.0, 100.0  # quarter notes a minute with straight and with triplet eighths
_TWELFTHS = 12
_BETWEEN = (3, 9)  # sixteenths of a beat: with them a beat is straight
_TRIPLETS = (2, 4, 8, 10)
LIMIT = 0.4
"""Steps of the vocabulary's grid that a note is early or late at most: under half, so that rounding
brings it back."""


def swing_of(genre: str | None, tempo: float, metre: Metre) -> float:
    """Where in a beat its second half begins: 0.5 straight, 2/3 as triplets.

    Triplets in medium tempi, straighter the faster it goes (Friberg & Sundstrom 2002).
    """
    if genre not in SWINGING or metre.beat != 1:
        return 0.5
    share = (_FASTEST - tempo) / (_FASTEST - _SLOWEST)
    return 0.5 + min(max(share, 0.0), 1.0) / 6


@dataclass(frozen=True, slots=True)
class Swing:
    """A bar's swing. halves: where the second half of each beat begins, as a share of it."""

    halves: Floats

    @staticmethod
    def of(start: Floats, metre: Metre, half: float) -> Swing:
        """Of the notes' starts in a bar. Beats with sixteenths or triplets stay as they are."""
        beats = int(np.ceil(metre.length / metre.beat - 1e-6))
        halves = np.full(beats, half)
        if half == 0.5:
            return Swing(halves)
        steps = np.rint(start / metre.beat * _TWELFTHS).astype(np.int64)
        beat, place = steps // _TWELFTHS, steps % _TWELFTHS
        straight = np.isin(place, (*_BETWEEN, *_TRIPLETS)) | (place % 2 == 1)
        halves[np.unique(beat[straight & (beat < beats)])] = 0.5
        return Swing(halves)

    def __call__(self, place: Floats) -> Floats:
        """Places in the bar, in beats, as they are played; those outside it stay."""
        beat = np.floor(place + 1e-9).astype(np.int64)
        inside = (beat >= 0) & (beat < len(self.halves))
        half = self.halves[np.where(inside, beat, 0)]
        rest = place - beat
        warped = np.where(rest < 0.5, rest * 2 * half, half + (rest - 0.5) * 2 * (1 - half))
        return np.where(inside & (half != 0.5), beat + warped, place)


_STEADY, _FREE = 4.0, 9.0  # milliseconds: how far a player is from the beat
_NOTE, _DRUM = 2.5, 1.5  # milliseconds: how far single notes are from their player's place
_UNDER = 8.0  # milliseconds that the other notes of a chord on a keyboard come after its top one
_KEEPS = 0.8  # of a player's place from bar to bar


@dataclass(slots=True)
class Player:
    """A player's place beside the beat, in milliseconds, which wanders from bar to bar."""

    place: float = 0.0

    def offsets(
        self, under: Floats, *, drums: bool, free: bool, dice: np.random.Generator
    ) -> Floats:  # fmt: skip
        """Milliseconds by which a bar's notes are late. under: 1 for notes below the top one."""
        away = _DRUM if drums else _FREE if free else _STEADY
        step = away * (1 - _KEEPS**2) ** 0.5 * dice.standard_normal()
        self.place = 0.0 if drums else _KEEPS * self.place + step
        each = (_DRUM if drums else _NOTE) * dice.standard_normal(len(under))
        return np.asarray(self.place + each + _UNDER * under)
