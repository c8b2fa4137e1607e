"""How often windows are drawn: worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from textmusic.corpus.windows import Window
from textmusic.learning.weighing import (
    AS_A_BAND,
    BEGINS,
    ENDS,
    OF_THAT_LENGTH,
    WHEN_SHORT,
    factor,
    weights,
)
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS

PLAN = Plan(programs=(0,), bars=8, begin=False, end=False)
WINDOW = Window("x", "s", "g", "CC0", ("folk",), PLAN, (3,), (1, 2))


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({}, 1.0),
        ({"bars": 16}, OF_THAT_LENGTH),
        ({"bars": 33}, 1.0),
        ({"bars": 4}, WHEN_SHORT),
        ({"begin": True}, BEGINS),
        ({"begin": True, "end": True, "bars": 32}, BEGINS * ENDS * OF_THAT_LENGTH),
    ],
)
def test_what_is_asked_for_is_drawn_more_often(changes: dict[str, object], times: float) -> None:
    window = replace(WINDOW, plan=replace(PLAN, **changes))  # type: ignore[arg-type]
    assert factor(window) == pytest.approx(times)


def test_pop_is_heard_as_a_band_plays_it() -> None:
    piano = replace(WINDOW, genres=("pop",))
    band = replace(piano, plan=replace(PLAN, programs=(0, 33, DRUMS)))
    assert factor(piano) == 1.0
    assert factor(band) == AS_A_BAND
    assert factor(replace(band, genres=("jazz",))) == 1.0


def test_a_source_keeps_its_weight() -> None:
    long = replace(WINDOW, plan=replace(PLAN, bars=16))
    windows = [WINDOW, long, replace(WINDOW, source="other")]
    for favoured, expected in ((False, [1.5, 1.5, 1]), (True, [1, 2, 1])):
        found = weights(windows, {"s": 3.0}, favoured=favoured)
        assert np.allclose(found, expected)
    assert np.allclose(weights(windows, None, favoured=True), [2 / 3, 4 / 3, 1])
