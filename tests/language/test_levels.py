"""Levels in numbers, in words."""

from __future__ import annotations

import pytest

from textmusic.language.prompt import read_prompt
from textmusic.music.plan import Plan


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("mood 2 out of 5", Plan(valence=2)),
        ("mood 2/5", Plan(valence=2)),
        ("mood: 2, 4", Plan(valence=2, arousal=4)),
        ("valence 5 and arousal 1", Plan(valence=5, arousal=1)),
        ("valence = 3, energy four out of five", Plan(valence=3, arousal=4)),
        ("density 3", Plan(density=3)),
        ("a density of 4", Plan(density=4)),
        ("low density", Plan(density=2)),
        ("happiness 8 out of 10", Plan(valence=4)),
        ("快乐度2", Plan(valence=2)),
        ("密度3", Plan(density=3)),
        ("快乐度为2，激烈度4，密度5", Plan(valence=2, arousal=4, density=5)),
        ("密度很高", Plan(density=5)),
        ("情绪2", Plan(valence=2)),
    ],
)
def test_levels_are_read(text: str, asked: Plan) -> None:
    prompt = read_prompt(text)
    assert prompt.asked == asked and prompt.near == Plan() and not prompt.unused


def test_other_facts_stay() -> None:
    asked = read_prompt("piano, mood 2/5, 3/4, 8 bars, 90 bpm").asked
    assert asked == Plan(valence=2, programs=(0,), time_signature="3/4", bars=8, tempo=90)
    assert read_prompt("moody, 2 violins").asked == Plan(programs=(40,))
    assert read_prompt("energy, 3 minutes").seconds == 180


def test_levels_out_of_range_are_said() -> None:
    for text in ("density 9", "mood 0", "快乐度7"):
        (note,) = read_prompt(text).unused
        assert note == f"'{text}': levels go from 1 to 5; choose one of them"
    prompt = read_prompt("density 2", controls=Plan(density=4))
    assert prompt.unused == ("'2': the control for density is used instead",)
