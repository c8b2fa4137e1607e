"""Words for practice pieces."""

from __future__ import annotations

import re

import pytest

from textmusic.language.notes import note_text
from textmusic.language.prompt import read_prompt
from textmusic.music.practice import WHITE_KEYS, Practice

FIVE_NOTES = (0, 2, 4, 5, 7)


@pytest.mark.parametrize(
    ("text", "practice"),
    [
        ("a piano piece for beginners", Practice("piano", 1)),
        ("violin, grade 2, in D major", Practice("violin", 2)),
        ("sight-reading for flute, grade three", Practice("flute", 3)),
        ("a piece in five-finger position", Practice("piano", 1, five_finger=True)),
        ("for beginners, only C to G", Practice("piano", 1, only=FIVE_NOTES)),
        ("for absolute beginners, no black keys", Practice("piano", 1, only=WHITE_KEYS)),
        ("grade 1, left hand whole notes", Practice("piano", 1, left_whole=True)),
        ("给初学者的钢琴曲", Practice("piano", 1)),
        ("钢琴二级视奏", Practice("piano", 2)),
        ("小提琴三级", Practice("violin", 3)),
        ("五指位置,没有黑键", Practice("piano", 1, five_finger=True, only=WHITE_KEYS)),
        ("初学者,只用C到G,左手全音符", Practice("piano", 1, only=FIVE_NOTES, left_whole=True)),
        ("a calm piano piece in D minor", None),
        ("not for beginners", None),
        ("high-grade ragtime", None),
    ],
)
def test_limits_are_read(text: str, practice: Practice | None) -> None:
    assert read_prompt(text).practice == practice


def test_other_facts_are_read_beside_them() -> None:
    prompt = read_prompt("grade 2 violin piece in D major, 3/4, 12 bars, only D to A")
    assert prompt.asked.key == "D major" and prompt.asked.bars == 12
    assert prompt.asked.time_signature == "3/4" and prompt.asked.programs == (40,)
    assert prompt.practice is not None
    assert prompt.practice.only == (2, 4, 6, 7, 9), "F is sharp in D major"


def test_what_a_grade_does_not_have_is_said_and_left_open() -> None:
    prompt = read_prompt("grade 1 piano piece in E major, in 6/8")
    assert prompt.asked.key is None and prompt.asked.time_signature is None
    assert any("E major" in note and "C major" in note for note in prompt.unused)
    assert any("6/8" in note for note in prompt.unused)


def test_grades_and_instruments_without_limits_are_said() -> None:
    assert read_prompt("grade 8 piano").practice is None
    assert any("grades 1 to 5" in note for note in read_prompt("grade 8 piano").unused)
    prompt = read_prompt("tuba for beginners")
    assert prompt.practice is None and any("one of them" in note for note in prompt.unused)


def test_notes_are_in_chinese_too() -> None:
    for text in ("grade 1 piano in E major", "tuba for beginners", "grade 8 piano"):
        for note in read_prompt(text).unused:
            chinese = note_text(note, "zh")
            assert not re.search("[A-Za-z]{4,}", re.sub("'.*'", "", chinese)), chinese
