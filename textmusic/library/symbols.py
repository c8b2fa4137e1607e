"""Lines -> symbols that stay the same in another key, tempo or rhythm, and how rare each one is.

Three alphabets:
    melody  intervals in semitones, repeated notes counted once: the same in any key and rhythm
    rhythm  ratios of neighbouring inter-onset intervals: the same at any tempo and on any pitches
How much a symbol says is -log2 of how often it follows the one before in real music, in bits: a
scale or a repeated rhythm says little, an unusual leap says much. The shares are counted on the
training pieces by training/judge_runs.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from textmusic.library.lines import Lines
from textmusic.music.data_files import load_data
from textmusic.music.notes import Floats

Ints = NDArray[np.int64]
WIDEST = 12  # semitones: wider intervals count as this in the table of bits
INTERVALS = 2 * WIDEST + 1
LEAP = 40  # semitones; wider ones are not told apart
# Classes of ratios, by log2 in sixths: to a sixteenth or less ... equal ... to sixteen times
RATIO_STEPS = 6
RATIOS = 2 * 4 * RATIO_STEPS + 1
END = -1  # between lines: it is in no run


@dataclass(frozen=True, slots=True)
class Symbols:
    """Symbols of lines in a row. value: (N,) small numbers from 0, or `END`.

    place: (N,) of the note (in the lines) that a symbol leads to; the one before it begins it.
    start: (N,) of the note it leads from.
    """

    value: Ints
    place: Ints
    start: Ints


def melody(lines: Lines) -> Symbols:
    """Intervals between notes of different pitch; value 0 to 80, 40 semitones down to 40 up."""
    pitch, n = lines.pitch.astype(np.int64), len(lines)
    if not n:
        return _none()
    first = np.zeros(n, dtype=bool)
    first[lines.begin[:-1][lines.begin[:-1] < n]] = True
    kept = np.flatnonzero(first | (np.diff(pitch, prepend=-1) != 0))
    interval = np.diff(pitch[kept], prepend=0)
    value = np.where(first[kept], END, interval.clip(-LEAP, LEAP) + LEAP)
    return Symbols(value, kept, np.maximum(kept - 1, 0))


def rhythm(lines: Lines) -> Symbols:
    """Ratios of each inter-onset interval to the one before; value 0 to 48, equal is 24."""
    n = len(lines)
    if n < 2:
        return _none()
    line = np.repeat(np.arange(len(lines.begin) - 1), np.diff(lines.begin))
    gap = np.maximum(np.diff(lines.onset.astype(np.int64)), 1)  # of note i to i + 1
    place = np.arange(2, n)
    ratio = np.rint(RATIO_STEPS * np.log2(gap[1:] / gap[:-1])).astype(np.int64)
    half = RATIOS // 2
    value = np.where(line[2:] == line[:-2], ratio.clip(-half, half) + half, END)
    return Symbols(value, place, place - 2)


def _none() -> Symbols:
    empty = np.zeros(0, dtype=np.int64)
    return Symbols(empty, empty, empty)


def kind_of(value: Ints) -> Ints:
    """The row of a melody symbol in its table: intervals wider than an octave together."""
    return np.asarray((value - LEAP).clip(-WIDEST, WIDEST) + WIDEST)


def bits(value: Ints, kind: Ints, table: Floats) -> Floats:
    """How much each symbol says where it stands, bits.

    kind: of each symbol, a row of the table, which has -log2 of (before, then) shares.
    """
    before = np.concatenate([kind[:1], kind[:-1]])
    return np.where(value == END, 0.0, table[before, kind])


@dataclass(frozen=True, slots=True)
class Tables:
    """Bits of symbols after others: melody (25, 25), rhythm (49, 49)."""

    melody: Floats
    rhythm: Floats


@cache
def tables() -> Tables:
    """The counted tables, read once."""
    data = load_data("shared_runs.json")
    return Tables(np.array(data["melody"]) / 10, np.array(data["rhythm"]) / 10)
