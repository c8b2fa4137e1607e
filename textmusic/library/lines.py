"""A piece -> its lines: the top line of the whole, and that of each instrument.

A melody that is hidden in a texture is seldom the top of everything, but it is the top of what its
own instrument plays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textmusic.music.notes import Floats, Notes
from textmusic.music.theory import DRUMS

WHOLE = 255  # stands for all instruments together among the programs of lines
MOST_LINES = 6  # of a piece: the whole, and the instruments with the most notes
FEWEST_NOTES = 8  # of an instrument's line
TICKS = 24  # per quarter note
ONE_ONSET = 1e-6  # quarter notes; what is nearer begins together
HELD = 0.1  # quarter notes; what overlaps by less is played legato


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines one after the other, of one piece or of many.

    pitch: (N,) MIDI note numbers. onset: (N,) ticks of 1/24 quarter note since the piece began.
    begin: (L + 1,) places at which lines begin, and N. program: (L,) General MIDI program of each
    line, or `WHOLE`. piece: (L,) number of the piece that each line is of.
    """

    pitch: NDArray[np.uint8]
    onset: NDArray[np.uint32]
    begin: NDArray[np.int64]
    program: NDArray[np.uint8]
    piece: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.pitch)

    def of_piece(self, number: int) -> Lines:
        """The lines of one piece, which is number 0 there."""
        return self.of_pieces(number, number + 1)

    def of_pieces(self, first: int, stop: int) -> Lines:
        """The lines of pieces [first, stop), which are numbered from 0 there."""
        low, high = np.searchsorted(self.piece, [first, stop])
        begin = self.begin[low : high + 1]
        here = slice(int(begin[0]), int(begin[-1]))
        return Lines(
            self.pitch[here], self.onset[here], begin - begin[0], self.program[low:high],
            (self.piece[low:high] - first).astype(np.int32),
        )  # fmt: skip

    def piece_of(self, place: NDArray[np.int64]) -> NDArray[np.int64]:
        """The piece that each note is of."""
        line = np.searchsorted(self.begin, place, side="right") - 1
        return self.piece[line].astype(np.int64)

    def sizes(self) -> NDArray[np.int64]:
        """Notes of each piece, in all of its lines."""
        count = np.diff(self.begin).astype(np.float64)
        return np.bincount(self.piece, weights=count).astype(np.int64)

    def first_note(self, piece: int) -> int:
        """The place of a piece's first note."""
        return int(self.begin[np.searchsorted(self.piece, piece)])


def lines_of(notes: Notes) -> Lines:
    """The lines of a piece; none of drums alone."""
    tonal = notes.chosen(notes.program != DRUMS)
    programs, counts = np.unique(tonal.program, return_counts=True)
    found = [(WHOLE, upper_line(tonal))]
    if len(programs) > 1:
        order = np.argsort(-counts, kind="stable")[: MOST_LINES - 1]
        parts = [(int(p), upper_line(tonal.chosen(tonal.program == p))) for p in programs[order]]
        found += [(p, line) for p, line in parts if len(line) >= FEWEST_NOTES]
    found = [(program, line) for program, line in found if len(line)]
    rows = np.concatenate([np.zeros((0, 2)), *(line for _, line in found)])
    sizes = [len(line) for _, line in found]
    return Lines(
        rows[:, 1].astype(np.uint8),
        np.rint(rows[:, 0].clip(0) * TICKS).astype(np.uint32),
        np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64),
        np.array([program for program, _ in found], dtype=np.uint8),
        np.zeros(len(found), dtype=np.int32),
    )


def upper_line(notes: Notes) -> Floats:
    """(N, 2) onset in quarter notes and MIDI pitch of what is heard as the highest voice.

    The highest note of each onset, unless a higher one is still sounding: what accompanies a long
    note is no part of the melody (the skyline of Uitdenbogerd & Zobel 1999).
    """
    order = np.lexsort((-notes.pitch, notes.start))
    start, pitch, end = notes.start[order], notes.pitch[order], notes.end[order]
    first = np.diff(start, prepend=-1.0) > ONE_ONSET
    kept: list[tuple[float, int]] = []
    above: list[tuple[int, float]] = []  # (pitch, end) of what sounds, the lowest last
    for onset, height, stop in zip(
        start[first].tolist(), pitch[first].tolist(), end[first].tolist(), strict=True
    ):
        while above and (above[-1][0] <= height or above[-1][1] <= onset + HELD):
            above.pop()
        if any(until > onset + HELD for _, until in above):
            continue
        kept.append((onset, height))
        above.append((height, stop))
    return np.array(kept, dtype=np.float64).reshape(-1, 2)


def joined(pieces: Sequence[Lines]) -> Lines:
    """The lines of many pieces, in their order; each is one piece."""
    if not pieces:
        return Lines(
            np.zeros(0, np.uint8), np.zeros(0, np.uint32), np.zeros(1, np.int64),
            np.zeros(0, np.uint8), np.zeros(0, np.int32),
        )  # fmt: skip
    offsets = np.cumsum([0, *(len(piece) for piece in pieces[:-1])])
    begins = [piece.begin[:-1] + offset for piece, offset in zip(pieces, offsets, strict=True)]
    return Lines(
        np.concatenate([piece.pitch for piece in pieces]),
        np.concatenate([piece.onset for piece in pieces]),
        np.concatenate([*begins, [sum(map(len, pieces))]]).astype(np.int64),
        np.concatenate([piece.program for piece in pieces]),
        np.repeat(np.arange(len(pieces)), [len(p.program) for p in pieces]).astype(np.int32),
    )
