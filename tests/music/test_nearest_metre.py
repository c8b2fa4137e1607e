"""Metres that the vocabulary lacks, read in longer bars."""

from __future__ import annotations

import numpy as np
import pytest

from textmusic.music.bars import end_of_bars
from textmusic.music.nearest_metre import lengthened, longer_metre, shortened
from textmusic.music.notes import Note, columns_of


@pytest.mark.parametrize(
    ("metre", "read"),
    [("11/8", "12/8"), ("13/16", "7/8"), ("7/4", "4/2"), ("10/8", "5/4"), ("17/8", None)],
)
def test_the_next_longer_metre(metre: str, read: str | None) -> None:
    assert longer_metre(metre) == read


def test_bar_lines_stay_where_they_are() -> None:
    notes = columns_of([
        Note(0.0, 1.0, 60, 80, 0), Note(5.0, 0.5, 62, 80, 0), Note(5.5, 5.5, 64, 80, 0),
        Note(11.25, 0.25, 65, 80, 0),
    ])  # fmt: skip
    longer = lengthened(notes, 0.0, 5.5, 6.0)
    assert longer.start.tolist() == [0, 5, 6, 12.25]
    back = shortened(longer, 5.5, 6.0)
    assert np.allclose(back.start, notes.start) and np.allclose(back.end, notes.end)
    before = lengthened(notes, 5.5, 5.5, 6.0)
    assert before.start.tolist() == [0, 5, 5.5, 11.75], "only from the change on"


def test_what_has_no_place_is_left_out() -> None:
    notes = columns_of([Note(5.5, 0.5, 60, 80, 0), Note(5.0, 1.0, 62, 80, 0)])
    short = shortened(notes, 5.5, 6.0)
    assert short.pitch.tolist() == [62] and short.end.tolist() == [5.5]


def test_where_bars_end() -> None:
    metres = [(0.0, "3/4"), (12.0, "4/4"), (21.0, "2/4")]
    ends = [end_of_bars(bars, metres) for bars in (1, 4, 5, 6, 7, 8, 9)]
    assert ends == [3, 12, 16, 20, 21, 23, 25]
    assert end_of_bars(2, []) == 8
