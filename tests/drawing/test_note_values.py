"""Bars, and spans of time as note values: against what a musician would write."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmusic.drawing.note_values import Value, write
from textmusic.music.bars import TICKS, BarSpan, bars_until
from textmusic.music.theory import TIME_SIGNATURES

# What one symbol can last: powers of two of a 32nd, dotted or not.
PLAIN = {3 * 2**n for n in range(7)} | {9 * 2**n for n in range(5)}
TRIPLET = {1, 2, 4, 8, 16, 3, 6, 12}


def a_bar(time_signature: str) -> BarSpan:
    top, bottom = map(int, time_signature.split("/"))
    return BarSpan(0, 96 * top // bottom, top, bottom)


def lengths(time_signature: str, *spans: int, rest: bool = False) -> list[list[int]]:
    """Lengths of the symbols of spans that follow each other, each given by its length."""
    bar, edges = a_bar(time_signature), [0]
    for span in spans:
        edges.append(edges[-1] + span)
    assert edges[-1] == bar.length
    written = write(bar, [(a, b, rest) for a, b in pairwise(edges)])
    return [[value.length for value in values] for values in written]


def test_bars_follow_the_metre_and_are_cut_short_by_a_new_one() -> None:
    bars = bars_until(250, [(0, 3, 4), (100, 6, 8)])
    assert [(bar.start, bar.length) for bar in bars] == [
        (0, 72),
        (72, 28),
        (100, 72),
        (172, 72),
        (244, 72),
    ]
    assert [bar.numerator for bar in bars] == [3, 3, 6, 6, 6]
    assert [bar.end for bar in bars][:-1] == [bar.start for bar in bars][1:]


def test_there_is_always_a_bar_and_it_is_in_four_four_where_nothing_is_said() -> None:
    assert bars_until(0, []) == [BarSpan(0, 96, 4, 4)]
    assert bars_until(0, [(0, 3, 4), (500, 2, 4)]) == [BarSpan(0, 72, 3, 4)]


@pytest.mark.parametrize(
    ("time_signature", "beats"),
    [("3/4", (0, 24, 48, 72)), ("6/8", (0, 36, 72)), ("5/8", (0, 24, 60)), ("7/8", (0, 24, 48, 84)),
     ("3/2", (0, 48, 96, 144)), ("3/8", (0, 36)), ("4/8", (0, 24, 48))],
)  # fmt: skip
def test_beats(time_signature: str, beats: tuple[int, ...]) -> None:
    assert a_bar(time_signature).beats == beats


@pytest.mark.parametrize(
    ("time_signature", "spans", "written"),
    [
        ("4/4", (96,), [[96]]),
        ("4/4", (12, 24, 12, 48), [[12], [24], [12], [48]]),  # a syncopation inside the half bar
        ("4/4", (36, 24, 36), [[36], [12, 12], [36]]),  # the middle is seen
        ("4/4", (24, 48, 24), [[24], [48], [24]]),
        ("4/4", (6, 12, 6, 72), [[6], [12], [6], [72]]),
        ("4/4", (72, 24), [[72], [24]]),
        ("3/4", (36, 36), [[36], [36]]),
        ("3/4", (12, 48, 12), [[12], [36, 12], [12]]),
        ("6/8", (48, 24), [[36, 12], [24]]),  # two beats, not three
        ("6/8", (24, 12, 12, 24), [[24], [12], [12], [24]]),
        ("6/8", (72,), [[72]]),
        ("5/8", (60,), [[24, 36]]),
        ("3/2", (144,), [[144]]),
        ("5/4", (120,), [[48, 72]]),
        ("6/4", (96, 48), [[72, 24], [48]]),
        ("4/2", (144, 48), [[144], [48]]),
        ("2/4", (8, 8, 8, 24), [[8], [8], [8], [24]]),
        ("2/4", (40, 8), [[24, 16], [8]]),
    ],
)
def test_notes(time_signature: str, spans: tuple[int, ...], written: list[list[int]]) -> None:
    assert lengths(time_signature, *spans) == written


@pytest.mark.parametrize(
    ("time_signature", "spans", "written"),
    [
        ("4/4", (48, 48), [[48], [48]]),
        ("4/4", (24, 72), [[24], [24, 48]]),
        ("4/4", (72, 24), [[48, 24], [24]]),
        ("3/4", (24, 48), [[24], [24, 24]]),
        ("3/4", (6, 66), [[6], [6, 12, 24, 24]]),
        ("6/8", (36, 36), [[36], [36]]),
        ("6/8", (12, 60), [[12], [12, 12, 36]]),
        ("6/8", (24, 48), [[24], [12, 36]]),
    ],
)
def test_rests_show_the_beats(
    time_signature: str, spans: tuple[int, ...], written: list[list[int]]
) -> None:
    assert lengths(time_signature, *spans, rest=True) == written


def test_triplets_are_marked_from_their_beginning_to_their_end() -> None:
    (one,), (two,), (three,) = write(
        a_bar("2/4"), [(0, 24, False), (24, 40, False), (40, 48, True)]
    )
    assert (one, two) == (Value(0, 24), Value(24, 16, "start"))
    assert three == Value(40, 8, "stop")


def test_triplets_of_sixteenths_take_half_a_beat() -> None:
    spans = [(0, 4, False), (4, 8, False), (8, 12, False), (12, 24, False), (24, 48, False)]
    marks = [value.triplet for values in write(a_bar("2/4"), spans) for value in values]
    assert marks == ["start", "inside", "stop", "", ""]


@given(
    time_signature=st.sampled_from(TIME_SIGNATURES),
    cuts=st.sets(st.integers(1, 191)),
    rests=st.sets(st.integers(0, 40)),
)
def test_whatever_the_spans_symbols_fill_them_and_can_be_written(
    time_signature: str, cuts: set[int], rests: set[int]
) -> None:
    bar = a_bar(time_signature)
    edges = [0, *sorted(cut for cut in cuts if cut < bar.length), bar.length]
    pairs = list(pairwise(edges))
    spans = [(a, b, place in rests) for place, (a, b) in enumerate(pairs)]
    written = write(bar, spans)
    now, open_since = 0, None
    for (_, end, _), values in zip(spans, written, strict=True):
        for value in values:
            assert value.start == now
            assert value.length in (TRIPLET if value.triplet else PLAIN)
            now += value.length
            if value.triplet == "start":
                assert open_since is None
                open_since = value.start
            assert (value.triplet != "") == (open_since is not None)
            if value.triplet == "stop":
                assert open_since is not None and now - open_since in (TICKS, TICKS / 2, TICKS / 4)
                open_since = None
        assert now == end
    assert open_since is None
