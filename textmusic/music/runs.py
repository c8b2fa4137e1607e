"""How much of a piece occurs in other pieces: the longest run of notes that it shares with them.

Runs are sequences of (interval, ratio of inter-onset intervals) in the top line, so a copy in
another key or tempo is found too.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from textmusic.music.notes import Notes, top_line

LONGEST_SHARED_RUN = 64  # notes; longer runs are not told apart
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def moves(notes: Notes) -> NDArray[np.int64]:
    """(N,) the steps of the top line as numbers: interval in semitones and rhythm ratio together.

    The ratio of each inter-onset interval to the one before, on a logarithmic scale of 24 steps an
    octave (a doubling), times 256; plus the interval, plus 128. The first step has no ratio and is
    left out. Interval and ratio as one symbol: Doraisamy & Rüger 2003.
    """
    line = top_line(notes)
    if len(line) < 3:
        return np.zeros(0, dtype=np.int64)
    gaps = np.diff(line[:, 0])
    ratio = np.rint(24 * np.log2(gaps[1:] / gaps[:-1])).astype(np.int64)
    interval = np.diff(line[:, 1]).astype(np.int64)[1:]
    return np.asarray(ratio * 256 + interval + 128)


class Repertoire:
    """The top lines of many pieces, and the longest run that another piece shares with them."""

    def __init__(self, lines: Iterable[NDArray[np.int64]]) -> None:
        self._lines = [line for line in lines if len(line)]
        self._known: dict[int, NDArray[np.uint64]] = {}

    def longest_run(self, line: NDArray[np.int64]) -> int:
        """The most steps in a row that also stand in one of the pieces: 0 to `LONGEST_SHARED_RUN`.

        line: what `moves` makes of a piece, as the pieces' lines are. The longest common substring,
        by 64-bit hashes; it serves what the originality report of Yin et al. 2022 serves.
        """
        low, high = 0, min(len(line), LONGEST_SHARED_RUN)
        while low < high:  # a run of n steps holds one of n - 1
            middle = (low + high + 1) // 2
            if self._holds(line, middle):
                low = middle
            else:
                high = middle - 1
        return low

    def _holds(self, line: NDArray[np.int64], length: int) -> bool:
        if length not in self._known:
            runs = [run_hashes(known, length) for known in self._lines if len(known) >= length]
            self._known[length] = np.unique(np.concatenate([np.zeros(0, np.uint64), *runs]))
        known, asked = self._known[length], run_hashes(line, length)
        places = np.searchsorted(known, asked)
        return bool(len(known) and (known[np.minimum(places, len(known) - 1)] == asked).any())


def run_hashes(line: NDArray[np.int64], length: int) -> NDArray[np.uint64]:
    """(N - length + 1,) a 64-bit hash of every run of `length` steps; N at least `length`."""
    values = (line + 1).astype(np.uint64) * _FACTOR
    values ^= values >> np.uint64(29)
    total = np.zeros(len(line) - length + 1, dtype=np.uint64)
    for offset in range(length):
        total = total * np.uint64(1_000_003) + values[offset : offset + len(total)]
    return total
