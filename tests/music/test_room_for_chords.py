"""Chords of a form in few bars: all come, or it is said which do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from textmusic.language.reading.form import parse_form
from textmusic.language.reading.progression import parse_chords
from textmusic.music.outline import bars_for_all, laid, left_out
from textmusic.writing.text_to_music import TextToMusic

SONG = replace(parse_chords("Am F C G"), form=parse_form("AABA").form)


def test_two_chords_a_bar_make_room_for_all() -> None:
    rows = laid(SONG, "A minor", 8, "4/4")
    assert [[beat for beat, _ in row.chords or ()] for row in rows] == [[0, 2]] * 8
    assert [chord.root for _, chord in (*(rows[0].chords or ()), *(rows[1].chords or ()))] == [
        9, 5, 0, 7,
    ]  # fmt: skip
    assert [row.like for row in rows] == [None, None, 0, 1, None, None, 0, 1]


def test_where_all_come_nothing_changes() -> None:
    rows = laid(SONG, "A minor", 16, "4/4")
    assert all(len(row.chords or ()) == 1 for row in rows)
    assert not left_out(SONG, "A minor", 12, "4/4"), "the last two come in the B section"


@pytest.mark.parametrize(("bars", "metre", "lost", "more"), [
    (4, "4/4", [5, 7], 8), (8, "3/4", [0, 7], 12),
])  # fmt: skip
def test_what_finds_no_room(bars: int, metre: str, lost: list[int], more: int) -> None:
    assert [chord.root for chord in left_out(SONG, "A minor", bars, metre)] == lost
    assert bars_for_all(SONG, "A minor", bars, metre) == more


def test_it_is_said(tiny: TextToMusic) -> None:
    prompt = tiny.understand("chords Am F C G, AABA, 4 bars of 4/4")
    assert prompt.unused == (
        "'F G': these chords find no room in 4 bars of A A B A; ask for 8 bars",
    )
    assert not tiny.understand("chords Am F C G, AABA, 8 bars of 4/4").unused
    (note,) = tiny.understand("chords | Am F | C | G |, 2 bars of 4/4").unused
    assert note == "'G': these chords find no room in 2 bars; ask for 3 bars"
    assert not tiny.understand("chords Am F C G, 8 bars").unused
