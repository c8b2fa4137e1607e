"""What decides how loud a note is played: its place in the bar, in its chord, in its line.

Only the bar itself and those before it count, so that a piece can be performed while it is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from textmusic.music.notes import Floats, Ints

PHRASE = 4
"""Bars of a phrase, counted from the first bar of the piece."""

DRUM_SOUNDS: dict[str, tuple[int, ...]] = {
    "kick": (35, 36), "snare": (38, 40), "stick": (31, 37, 39), "closed hi-hat": (42,),
    "pedal hi-hat": (44,), "open hi-hat": (46,), "low tom": (41, 43), "middle tom": (45, 47),
    "high tom": (48, 50), "crash": (49, 52, 55, 57), "ride": (51, 59), "bell": (53, 56),
}  # fmt: skip
"""The drum sounds that are told apart, by their keys; all others are "other"."""

_SOUND_OF = np.full(128, len(DRUM_SOUNDS))
for _place, _keys in enumerate(DRUM_SOUNDS.values()):
    _SOUND_OF[list(_keys)] = _place
_SOUNDS = len(DRUM_SOUNDS) + 1
_KICK, _SNARE, _HATS = 0, 1, (3, 4, 5)
_TWELFTHS = 12  # of a beat
_SLOW = 0.1  # of what a part's usual pitch and density are, so much is the latest bar's
_AT_ONCE = 1e-6


@dataclass(frozen=True, slots=True)
class Metre:
    """A bar. length, beat: in quarter notes; a beat of 6/8 is a dotted quarter."""

    length: float
    beat: float

    @staticmethod
    def of(time_signature: str) -> Metre:
        """The metre that a time signature means."""
        top, bottom = map(int, time_signature.split("/"))
        compound = bottom >= 8 and top % 3 == 0
        return Metre(top * 4 / bottom, 1.5 if compound else max(4 / bottom, 1.0))

    def weight(self, place: Floats) -> Floats:
        """How heavy places in a bar are: 1 on its beginning, 0.75 in its middle, 0.5 on beats."""
        halves = self.length / 2
        weight = np.where(_whole(place / (self.beat / 2)), 0.25, 0.0)
        weight = np.where(_whole(place / self.beat), 0.5, weight)
        if _whole(np.array([halves / self.beat]))[0]:
            weight = np.where(_whole(place / halves), 0.75, weight)
        return np.where(place < _AT_ONCE, 1.0, weight)


def _whole(numbers: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.abs(numbers - np.rint(numbers)) < 1e-4)


@dataclass(slots=True)
class Past:
    """What is remembered of a part's bars."""

    pitch: float | None = None  # usual, and the same of the highest notes alone
    top: float | None = None
    density: float | None = None  # notes in a bar
    last_top: float | None = None
    last_start: float = -np.inf  # quarter notes from the beginning of the piece
    struck: dict[int, float] = field(default_factory=dict)  # the last time, by drum sound


def melodic(
    start: Floats, duration: Floats, pitch: Ints, metre: Metre, bar: int, past: Past
) -> Floats:
    """(N, F) features of the notes of one bar of a part with pitches, sorted by time and pitch.

    start: quarter notes from the beginning of the bar. bar: from 0. past: brought up to date.
    """
    high = pitch.astype(np.float64)
    usual = _usual(past.pitch, float(high.mean()))
    _, chord, size = np.unique(np.rint(start * 48), return_inverse=True, return_counts=True)
    top, low = np.full(len(size), -np.inf), np.full(len(size), np.inf)
    np.maximum.at(top, chord, high)
    np.minimum.at(low, chord, high)
    first = np.full(len(size), np.inf)
    np.minimum.at(first, chord, start)
    usual_top = _usual(past.top, float(top.mean()))
    onset = bar * metre.length + first
    since = np.diff(onset, prepend=past.last_start)
    ahead = np.diff(np.append(first, metre.length))
    leap = np.diff(top, prepend=top[0] if past.last_top is None else past.last_top)
    sounding = (start[None, :] < start[:, None] - _AT_ONCE) & (
        (start + duration)[None, :] > start[:, None] + _AT_ONCE
    )
    above = np.where(sounding, high[None, :], -np.inf).max(axis=1, initial=-np.inf)
    below = np.where(sounding, high[None, :], np.inf).min(axis=1, initial=np.inf)
    is_top, is_low = high >= top[chord], high <= low[chord]
    weight = metre.weight(start)
    in_beat = start / metre.beat % 1
    density = _usual(past.density, float(len(start)))
    rows = (
        weight, weight == 1, weight >= 0.5, weight == 0, start / metre.length,
        np.sin(2 * np.pi * in_beat), np.cos(2 * np.pi * in_beat),
        (high - 60) / 24, (high - usual) / 12, (top[chord] - usual_top) / 12,
        is_top, is_low, is_top & (high > above), is_low & (high < below),
        (top[chord] - high) / 12, (high - low[chord]) / 12, np.log2(size[chord]),
        np.log2(np.clip(duration, 1 / 12, 16)),
        np.log2(np.clip(since, 1 / 12, 8))[chord], np.log2(np.clip(ahead, 1 / 12, 8))[chord],
        np.clip(leap, -24, 24)[chord] / 12, np.abs(np.clip(leap, -24, 24))[chord] / 12,
        (leap == 0)[chord], sounding.sum(axis=1) / 4,
        np.full(len(start), np.log2(len(start) / metre.length)),
        np.full(len(start), np.log2(len(start) / density)),
        np.full(len(start), (top.max() - usual_top) / 12),
        *_phrase(bar, len(start)),
    )  # fmt: skip
    past.pitch = _moved(usual, float(high.mean()))
    past.top = _moved(usual_top, float(top.mean()))
    past.density = _moved(density, float(len(start)))
    past.last_top, past.last_start = float(top[-1]), float(onset[-1])
    return np.stack([np.asarray(row, dtype=np.float64) for row in rows], axis=1)


def drums(start: Floats, pitch: Ints, metre: Metre, bar: int, past: Past) -> Floats:
    """(N, F) features of the drum strokes of one bar, sorted by time and pitch; as `melodic`."""
    sound = _SOUND_OF[pitch]
    n = len(start)
    step = np.rint(start / metre.beat * _TWELFTHS).astype(np.int64)
    place, beat = step % _TWELFTHS, step // _TWELFTHS
    begun = bar * metre.length
    since, ahead = np.full(n, 8.0), np.full(n, metre.length)
    for which in np.unique(sound):
        mine = np.flatnonzero(sound == which)
        at = start[mine]
        since[mine] = np.diff(begun + at, prepend=past.struck.get(int(which), -np.inf))
        ahead[mine] = np.diff(np.append(at, metre.length))
        past.struck[int(which)] = float(begun + at[-1])
    together = np.abs(start[:, None] - start[None, :]) < _AT_ONCE
    with_it = [together[:, sound == which].any(axis=1) for which in (_KICK, _SNARE)]
    hats = together[:, np.isin(sound, _HATS)].any(axis=1)
    density = _usual(past.density, float(n))
    toms = np.isin(sound, (6, 7, 8)).mean()
    weight = metre.weight(start)
    rows = (
        *np.eye(_SOUNDS)[sound].T, *np.eye(_TWELFTHS)[place].T,
        *(beat == which for which in range(4)), weight, weight == 1,
        *with_it, hats, together.sum(axis=1) / 4,
        np.log2(np.clip(since, 1 / 12, 8)), np.log2(np.clip(ahead, 1 / 12, 8)),
        np.full(n, np.log2(n / metre.length)), np.full(n, np.log2(n / density)),
        np.full(n, toms),
        np.full(n, (sound == _SNARE).sum() / metre.length),
        *_phrase(bar, n),
    )  # fmt: skip
    past.density = _moved(density, float(n))
    return np.stack([np.asarray(row, dtype=np.float64) for row in rows], axis=1)


def _phrase(bar: int, n: int) -> list[Floats]:
    """The bar's place in its phrase, and in the double phrase; whether it is the very first."""
    rows = [bar % PHRASE == at for at in range(PHRASE)]
    return [np.full(n, float(row)) for row in (*rows, bar % (2 * PHRASE) >= PHRASE, bar == 0)]


def _usual(past: float | None, now: float) -> float:
    return now if past is None else past


def _moved(past: float, now: float) -> float:
    return past + _SLOW * (now - past)
