"""Chords and form laid over bars."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from textmusic.errors import TextMusicError
from textmusic.language.prompt import read_prompt
from textmusic.language.reading.form import parse_form
from textmusic.language.reading.progression import parse_chords
from textmusic.music.chords import Chord
from textmusic.music.outline import (
    AskedRow,
    check,
    come_back,
    laid,
    multiple_of,
    section_lengths,
    seen_from,
)
from textmusic.music.sketch import Outline, Row

AM, F, C, G = (Chord(9, "min"), Chord(5, "maj"), Chord(0, "maj"), Chord(7, "maj"))
FOUR = parse_chords("Am F C G")


def chords(rows: list[AskedRow]) -> list[list[tuple[int, Chord | None]] | None]:
    return [None if row.chords is None else list(row.chords) for row in rows]


def test_nothing_asked() -> None:
    assert laid(Outline(), None, 3, "4/4") == [AskedRow()] * 3


def test_chords_are_played_over_and_over() -> None:
    rows = laid(FOUR, "A minor", 6, "4/4")
    assert chords(rows) == [[(0, c)] for c in (AM, F, C, G, AM, F)]
    assert all(row.like is None and not row.new for row in rows)


def test_bar_lines_put_several_into_a_bar() -> None:
    two = parse_chords("| Dm7 G7 | Cmaj7 |")
    rows = laid(two, "C major", 3, "4/4")
    dm7, g7, c7 = Chord(2, "min7"), Chord(7, "7"), Chord(0, "maj7")
    assert chords(rows) == [[(0, dm7), (2, g7)], [(0, c7)], [(0, dm7), (2, g7)]]
    assert chords(laid(two, None, 1, "3/4")) == [[(0, dm7), (1, g7)]]
    assert chords(laid(two, None, 1, "6/8")) == [[(0, dm7), (3, g7)]]


def test_more_chords_than_bars_are_spread_over_the_beats() -> None:
    assert chords(laid(FOUR, None, 2, "4/4")) == [[(0, AM), (2, F)], [(0, C), (2, G)]]
    assert chords(laid(FOUR, None, 1, "4/4")) == [[(0, AM), (1, F), (2, C), (3, G)]]
    # four chords on eight beats less two: every second of six, from the first
    assert chords(laid(FOUR, None, 2, "3/4")) == [[(0, AM), (1, F)], [(0, C), (1, G)]]
    # three bars of four: a chord every three beats, and the second bar begins with the first's last
    assert chords(laid(FOUR, None, 3, "4/4")) == [
        [(0, AM), (3, F)], [(0, F), (2, C)], [(0, C), (1, G)],
    ]  # fmt: skip


def test_numerals_sound_in_the_key() -> None:
    rows = laid(parse_chords("I-V-vi-IV"), "D major", 4, "4/4")
    assert chords(rows) == [
        [(0, Chord(2, "maj"))], [(0, Chord(9, "maj"))], [(0, Chord(11, "min"))],
        [(0, Chord(7, "maj"))],
    ]  # fmt: skip
    assert chords(laid(parse_chords("I"), None, 1, "4/4")) == [[(0, C)]]


def test_a_section_that_comes_back_repeats_its_bars() -> None:
    rows = laid(parse_form("AABA"), None, 16, "4/4")
    assert [row.like for row in rows] == [None] * 4 + [0, 1, 2, 3] + [None] * 4 + [0, 1, 2, 3]
    assert [bar for bar, row in enumerate(rows) if row.new] == [0, 8, 9]
    assert all(row.chords is None for row in rows)


def test_repeated_sections_have_the_chords_that_they_repeat() -> None:
    outline = Outline(chords=parse_chords("Am F C").chords, form=tuple("ABA"))
    rows = laid(outline, None, 12, "4/4")
    assert chords(rows) == [[(0, c)] for c in (AM, F, C, AM) * 3]
    assert [row.like for row in rows] == [None] * 8 + [0, 1, 2, 3]


def test_a_progression_longer_than_a_section_runs_through_the_form() -> None:
    outline = read_prompt("a jazz tune over rhythm changes").outline
    rows = laid(outline, None, 32, "4/4")
    assert chords(rows)[16:18] == [[(0, Chord(4, "7"))]] * 2
    assert chords(rows)[24] == chords(rows)[0] == [(0, C), (2, AM)]
    assert rows[24].like == 0


def test_the_last_chord_fills_the_last_bar() -> None:
    half = Outline(chords=FOUR.chords, last=Chord(7, "maj"))
    assert chords(laid(half, "A minor", 2, "4/4")) == [[(0, AM), (2, F)], [(0, Chord(4, "maj"))]]
    aba = Outline(form=tuple("ABA"), last=Chord(7, "7"))
    rows = laid(aba, "C major", 12, "4/4")
    assert [row.like for row in rows[8:]] == [0, 1, 2, None]
    assert rows[-1] == AskedRow(chords=((0, Chord(7, "7")),))


@pytest.mark.parametrize(
    ("sections", "bars", "expected"),
    [
        (4, 16, [4, 4, 4, 4]), (4, 32, [8, 8, 8, 8]), (4, 30, [8, 8, 8, 6]),
        (3, 12, [4, 4, 4]), (3, 20, [8, 8, 4]), (5, 24, [4, 4, 4, 4, 8]), (2, 6, [4, 2]),
        (4, 8, [2, 2, 2, 2]), (4, 4, [1, 1, 1, 1]), (5, 7, [2, 2, 1, 1, 1]), (1, 9, [9]),
        (0, 9, []), (3, 2, [1, 1, 0]),
    ],
)  # fmt: skip
def test_sections_share_the_bars(sections: int, bars: int, expected: list[int]) -> None:
    assert section_lengths(sections, bars) == expected


def test_sections_always_fill_the_piece() -> None:
    for sections in range(1, 12):
        for bars in range(sections, 130):
            lengths = section_lengths(sections, bars)
            assert sum(lengths) == bars and len(lengths) == sections and min(lengths) >= 1


def test_what_bars_cannot_hold() -> None:
    check(Outline(chords=FOUR.chords, form=tuple("AABA")), 4, "4/4")
    check(FOUR, 1, "4/4")
    with pytest.raises(
        TextMusicError, match=re.escape("a form of 5 sections does not fit into 4 ")
    ):
        check(Outline(form=tuple("ABACA")), 4, "4/4")
    with pytest.raises(TextMusicError, match=re.escape("200 chords do not fit into 4 bars of 4/4")):
        check(Outline(chords=((C,),) * 200), 4, "4/4")
    with pytest.raises(TextMusicError, match=re.escape("4 chords do not fit into 1 bar of 3/4")):
        check(FOUR, 1, "3/4")
    with pytest.raises(TextMusicError, match=re.escape("5 chords do not fit into a bar of 4/4")):
        check(Outline(chords=((C,) * 5,)), 8, "4/4")


def test_what_a_length_should_be_a_multiple_of() -> None:
    assert multiple_of(Outline()) is None
    assert multiple_of(Outline(last=G)) is None
    assert multiple_of(FOUR) == 4
    assert multiple_of(parse_chords("12-bar blues")) == 12
    assert multiple_of(parse_form("AABA")) == 16
    assert multiple_of(Outline(chords=FOUR.chords, form=tuple("AABA"))) == 16
    assert multiple_of(Outline(chords=((C,),) * 12, form=tuple("AABA"))) == 48
    assert multiple_of(read_prompt("jazz over rhythm changes").outline) == 32


def test_a_window_says_what_is_asked_by_its_own_bars() -> None:
    rows = [Row(chords=((0, AM),)), Row(), Row(chords=((0, F), (2, C)))]
    open_row, new = AskedRow(), AskedRow(new=True, chords=((0, G),))
    assert [seen_from(row, rows, 2) for row in (open_row, new)] == [open_row, new]
    assert seen_from(AskedRow(like=2), rows, 2) == AskedRow(like=0)
    assert seen_from(AskedRow(like=2, chords=((0, G),)), rows, 1) == AskedRow(1, chords=((0, G),))


def test_what_repeats_a_bar_before_the_window_has_the_chords_of_that_bar() -> None:
    rows = [Row(chords=((0, AM),)), Row(), Row(chords=((0, F), (2, C)))]
    for bar, row in enumerate(rows):
        assert seen_from(AskedRow(like=bar), rows, 3) == AskedRow(new=True, chords=row.chords)
        own = AskedRow(like=bar, chords=((0, G),))
        assert seen_from(own, rows, 3) == AskedRow(new=True, chords=((0, G),)), "they win"
    silent = AskedRow(like=0, chords=())
    assert seen_from(silent, rows, 3) == AskedRow(new=True, chords=()), "none is not open"


def test_a_bar_from_before_the_window_is_repeated_or_with_other_chords_varied() -> None:
    rows = [Row(chords=((0, AM),)), Row(chords=((0, F),))]
    assert come_back(rows[0], 0, rows) == replace(rows[0], like=0)
    assert come_back(rows[1], 0, rows) == replace(rows[1], vary=0)
