"""Notes as they are heard, in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NotesHeard:
    """Notes by onset. start, end: seconds. pitch: MIDI numbers. sure: 0 to 1, how sure each is."""

    start: Floats
    end: Floats
    pitch: NDArray[np.int64]
    sure: Floats

    def __len__(self) -> int:
        return len(self.start)

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> NotesHeard:
        """Those at these places, or where a mask is true."""
        return NotesHeard(self.start[which], self.end[which], self.pitch[which], self.sure[which])


def notes_heard(rows: Sequence[tuple[float, float, int, float]]) -> NotesHeard:
    """(start, end, pitch, sure) of each note, put in order."""
    table = np.array(sorted(rows, key=lambda row: (row[0], row[2])), dtype=np.float64)
    table = table.reshape(-1, 4)
    return NotesHeard(table[:, 0], table[:, 1], table[:, 2].astype(np.int64), table[:, 3])
