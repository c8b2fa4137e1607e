"""Grades and what follows from them: keys, phrases, chords, positions."""

from __future__ import annotations

import pytest

from textmusic.errors import TextMusicError
from textmusic.music.grades import HIGHEST, grade_of, instruments
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice, check, filled, phrase_ends, rows
from textmusic.music.practice_limits import Limits, positions_of
from textmusic.music.theory import KEYS, TIME_SIGNATURES, range_of


@pytest.mark.parametrize("instrument", instruments())
def test_grades_grow(instrument: str) -> None:
    before = None
    for number in range(1, HIGHEST + 1):
        grade = grade_of(instrument, number)
        assert set(grade.keys) <= set(KEYS) and set(grade.metres) <= set(TIME_SIGNATURES)
        assert len(set(grade.keys)) == len(grade.keys)
        low, high = range_of(grade.program)
        assert all(low <= hand.low < hand.high <= high for hand in grade.hands)
        if before is not None:
            assert set(before.keys) <= set(grade.keys) and set(before.metres) <= set(grade.metres)
            assert set(before.durations) <= set(grade.durations)
            assert before.leap <= grade.leap
        before = grade


def test_the_pianos_grades_are_the_syllabus() -> None:
    one, two, three = (grade_of("piano", n) for n in (1, 2, 3))
    assert set(one.keys) == {"C major", "G major", "F major", "D minor", "A minor"}
    assert one.five_finger and not one.together and two.five_finger and two.together
    assert not three.five_finger and three.hands[0].at_once == 2 and "3/8" in three.metres
    assert "6/8" in grade_of("piano", 4).metres and "F# minor" in grade_of("piano", 5).keys
    assert "2025 & 2026" in one.source


@pytest.mark.parametrize(
    ("practice", "asked", "said"),
    [
        (Practice("tuba"), Plan(), "there are no practice pieces for 'tuba'; choose piano"),
        (Practice("piano", 9), Plan(), "grade 9 is out of range; choose 1 to 5."),
        (Practice(), Plan(key="E major"), "grade 1 piano has no E major; choose C major, G major"),
        (Practice(), Plan(time_signature="6/8"), "grade 1 piano has no 6/8; choose 4/4, 2/4, 3/4."),
        (Practice(), Plan(bars=3), "a practice piece of 3 bars is out of range; choose 4 to 32."),
        (Practice(only=(1, 2)), Plan(), "no key of grade 1 piano has its main notes"),
        (Practice(), Plan(programs=(40,)), "a practice piece is for one instrument, here piano"),
    ],
)
def test_what_a_grade_does_not_have_is_said(practice: Practice, asked: Plan, said: str) -> None:
    with pytest.raises(TextMusicError) as problem:
        check(practice, asked)
    assert said in str(problem.value)


def test_open_facts_are_drawn_and_asked_ones_stay() -> None:
    practice = Practice("violin", 2)
    plans = [filled(practice, Plan(), seed) for seed in range(40)]
    assert {plan.key for plan in plans} == set(practice.keys)
    assert all(plan.programs == (40,) and plan.bars == 8 for plan in plans)
    kept = filled(practice, Plan(key="G major", bars=12), 1)
    assert (kept.key, kept.bars) == ("G major", 12)
    assert filled(practice, Plan(), 5) == filled(practice, Plan(), 5)


@pytest.mark.parametrize("bars", range(4, 33))
def test_phrases_cover_all_bars(bars: int) -> None:
    plan = filled(Practice("piano", 3), Plan(bars=bars, key="A minor"), bars)
    laid = rows(Practice("piano", 3), plan, bars)
    assert len(laid) == bars and max(phrase_ends(bars)) == bars - 1
    last, before = laid[-1].chords, laid[-2].chords
    assert last and last[0][1] and last[0][1].root == 9 and last[0][1].quality == "min"
    assert before and before[0][1] and before[0][1].root == 4, "the dominant comes before"
    for number, row in enumerate(laid):
        if row.like is not None:
            assert row.like < number and row.chords == laid[row.like].chords


def test_hands_take_turns_in_grade_1_and_repeats_keep_their_hand() -> None:
    plan = filled(Practice(), Plan(bars=8), 1)
    laid = rows(Practice(), plan, 1)
    limits = Limits(Practice(), plan, laid, 1)
    hands = [limits.playing(bar) for bar in range(8)]
    assert hands == [(1,), (1,), (0,), (0,)] * 2
    assert all(hands[n] == hands[row.like] for n, row in enumerate(laid) if row.like is not None)


def test_five_finger_positions() -> None:
    white = [p for p in range(60, 80) if p % 12 in (0, 2, 4, 5, 7, 9, 11)]
    found = positions_of("C major", white)
    assert [five[0] for five in found] == [60, 72, 67], "on the tonic, then on the dominant"
    assert found[0] == [60, 62, 64, 65, 67]


def test_a_practice_can_be_kept_as_json() -> None:
    practice = Practice("piano", 2, True, (0, 2, 4, 5, 7), True)
    assert Practice.from_dict(practice.to_dict()) == practice
    for forged in ({"grade": "1"}, {"only": [20]}, {"five_finger": 1}, {"more": 1}):
        with pytest.raises((TypeError, ValueError, TextMusicError)):
            Practice.from_dict({**practice.to_dict(), **forged})
