"""Rhythms of practice pieces: every bar comes out even, and every beat is seen."""

from __future__ import annotations

import pytest

from textmusic.music.grades import HIGHEST, grade_of
from textmusic.music.practice_rhythm import bar_ticks, rhythm, ticks_of


@pytest.mark.parametrize("grade", range(1, HIGHEST + 1))
@pytest.mark.parametrize("ends", [0, 36, 48])
def test_every_place_that_is_reached_can_be_left(grade: int, ends: int) -> None:
    limits = grade_of("piano", grade)
    for metre in limits.metres:
        options = rhythm(
            metre, ticks_of(limits.durations), syncopation=limits.syncopation, ends=ends
        )
        reached, bar = {0}, bar_ticks(metre)
        while reached:
            place = reached.pop()
            assert options[place]
            after = {place + length for length in options[place]}
            assert max(after) <= bar
            if bar in after:
                last = [length for length in options[place] if place + length == bar]
                assert min(last) >= min(ends, bar)
            reached |= after - {bar}


def test_beats_are_seen() -> None:
    plain = rhythm("4/4", ticks_of([0.5, 1, 1.5, 2, 3, 4]))
    assert plain[12] == (12,), "off the beat a note ends with the beat"
    assert 48 not in plain[24], "no half note lies over the middle of the bar"
    assert 36 in plain[0] and 36 not in plain[24]
    assert 24 in rhythm("4/4", ticks_of([0.5, 1]), syncopation=True)[12]
    assert rhythm("6/8", ticks_of([0.5, 1, 1.5, 3]))[0] == (12, 24, 36, 72)


def test_a_long_note_may_be_asked_for_at_the_end_or_all_through() -> None:
    lengths = ticks_of([0.5, 1, 2])
    assert rhythm("3/4", lengths, ends=72) == {0: (72,)}
    closing = rhythm("4/4", lengths, ends=48)
    assert 60 not in closing and closing[48] == (48,)


def test_lengths_that_fill_no_bar_give_a_whole_one() -> None:
    assert rhythm("3/8", (24, 48)) == {0: (36,)}
