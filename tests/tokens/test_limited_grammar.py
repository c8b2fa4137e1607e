"""Whatever a model's logits are, a practice piece keeps to the limits of its grade."""

from __future__ import annotations

import numpy as np
import pytest
from practice_pieces import diced, plan_of
from random_music import the_layout

from textmusic.music.grade_check import judge
from textmusic.music.grades import HIGHEST, LOWEST, grade_of, instruments
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice, rows
from textmusic.music.practice_limits import Limits
from textmusic.music.practice_rhythm import bar_ticks
from textmusic.tokens.limited_grammar import LimitedGrammar

SEEDS = 12  # pieces that a share is the mean of
GRADES = range(LOWEST, HIGHEST + 1)


@pytest.mark.parametrize("instrument", instruments())
@pytest.mark.parametrize("grade", GRADES)
def test_pieces_drawn_by_dice_keep_every_limit(instrument: str, grade: int) -> None:
    practice = Practice(instrument, grade)
    for seed, bars in enumerate((4, 5, 8, 16)):  # a hundred pieces in all
        notes, plan = diced(practice, 10 * grade + seed, Plan(bars=bars))
        broken = [v for v in judge(notes, plan, practice) if not v.kept]
        assert not broken, (plan, broken)


@pytest.mark.parametrize("grade", GRADES)
def test_every_key_and_metre_of_a_grade_can_be_written(grade: int) -> None:
    practice = Practice("piano", grade)
    limits = grade_of("piano", grade)
    for at, key in enumerate(limits.keys):
        metre = limits.metres[at % len(limits.metres)]
        notes, plan = diced(practice, at, Plan(key=key, time_signature=metre, bars=6))
        assert all(v.kept for v in judge(notes, plan, practice)), plan


@pytest.mark.parametrize(
    "practice",
    [
        Practice("piano", 4, five_finger=True),
        Practice("piano", 3, only=(0, 2, 4, 5, 7)),
        Practice("piano", 1, left_whole=True),
        Practice("violin", 3, only=(0, 2, 4, 5, 7, 9, 11)),
    ],
)
def test_what_is_asked_beside_the_grade_is_kept(practice: Practice) -> None:
    for seed in range(4):
        notes, plan = diced(practice, seed)
        assert all(v.kept for v in judge(notes, plan, practice)), plan
        if practice.only:
            assert {int(p) % 12 for p in notes.pitch} <= set(practice.only)
        if practice.left_whole:
            low = notes.chosen(notes.pitch < 60)
            assert set(low.duration) == {bar_ticks(str(plan.time_signature)) / 24}


def test_bars_are_filled_without_gaps() -> None:
    for seed in range(8):
        notes, plan = diced(Practice("piano", 1), seed, Plan(bars=8))
        assert np.allclose(notes.start[1:], notes.end[:-1]), "one hand after the other"
        whole = bar_ticks(str(plan.time_signature)) / 24
        assert notes.duration[-1] == whole, "the last note is a long one"


def test_the_grammar_only_takes_away() -> None:
    practice = Practice("piano", 3)
    plan = plan_of(practice, 1)
    grammar = LimitedGrammar(the_layout(), plan, Limits(practice, plan, rows(practice, plan, 1), 1))
    dice = np.random.default_rng(1)
    while not grammar.done:
        whole = super(LimitedGrammar, grammar).allowed()
        allowed = grammar.allowed()
        assert not (allowed & ~whole).any()
        grammar.advance(int(dice.choice(np.flatnonzero(allowed))))


def test_steps_are_favoured_over_leaps() -> None:
    practice = Practice("violin", 2)
    plan = plan_of(practice, 3)
    grammar = LimitedGrammar(the_layout(), plan, Limits(practice, plan, rows(practice, plan, 3), 3))
    layout, flat = the_layout(), np.zeros(the_layout().size, dtype=np.float32)
    dice = np.random.default_rng(3)
    first, last = layout.spans["Pitch"]
    seen = 0
    while not grammar.done:
        allowed = grammar.allowed()
        pitches = np.flatnonzero(allowed[first:last]) + first
        if len(pitches) > 2 and grammar.notes and grammar.expects == "inside":
            leaned = grammar.leaning(flat, allowed)
            distance = np.abs(pitches - layout.tone_base - grammar.notes[-1].pitch)
            if (distance <= 2).any() and (distance > 4).any():
                steps = (distance > 0) & (distance <= 2)
                if steps.any():
                    seen += 1
                    assert leaned[pitches[steps]].mean() > leaned[pitches[distance > 4]].max()
        grammar.advance(int(dice.choice(np.flatnonzero(allowed))))
    assert seen


def test_an_accompanying_hand_seldom_leaps() -> None:
    leaps = 0.0
    for seed in range(SEEDS):
        notes, _ = diced(Practice("piano", 3), seed, Plan(bars=8), leaning=True)
        left = notes.chosen(notes.pitch < 60)
        tops = [left.pitch[left.start == at].max() for at in np.unique(left.start)]
        leaps += float((np.abs(np.diff(tops)) > 4).mean()) / SEEDS
    assert leaps < 0.22, "a quarter of its notes once did"
