"""Harmony and form where they are needed: each row of a sketch again behind its bar's line.

    <|sketch|> Bar_2 New Chord_0-maj Bar_1 Like_2 Chord_7-maj <|score|>
    Bar_2 New Chord_0-maj Position_0 ... Bar_1 Like_2 Chord_7-maj Position_0 ... <|end|>

A model that reads a bar's chord right before its notes makes use of it soon; from the sketch alone
it has to find the bar there first, which takes far more training. The rows are known by then: no
model writes them, and no loss falls on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from textmusic.tokens.layout import Layout, Mask

ROW_KINDS = ("New", "Like", "Vary", "Beat", "Chord")  # of tokens, without their bar
Rows = Mapping[int, Sequence[int]]


def rows_of(sketch: Sequence[int], layout: Layout) -> Rows:
    """The music ids of each row of a sketch, by the id of its bar."""
    first, last = layout.spans["Bar"]
    rows: dict[int, list[int]] = {}
    row: list[int] = []
    for music_id in sketch:
        if first <= music_id < last:
            row = rows[music_id] = []
        else:
            row.append(music_id)
    return rows


def longest_row(rows: Rows) -> int:
    """How many ids the longest row has, without its bar; 0 where there are none."""
    return max(map(len, rows.values()), default=0)


def interleaved(score: Sequence[int], rows: Rows) -> list[int]:
    """Music ids of a score, or of some bars of one, with each bar's row behind its line."""
    return [i for one in score for i in (one, *rows.get(one, ()))]


def restated(score: NDArray[np.int64], layout: Layout) -> Mask:
    """(N,) True where an id of a score (N,) is said again from the sketch. score: music ids."""
    mask = np.zeros(len(score), dtype=np.bool_)
    for kind in ROW_KINDS:
        first, last = layout.spans[kind]
        mask |= (score >= first) & (score < last)
    return mask
