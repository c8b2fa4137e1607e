"""Plans are completed: what is asked is kept, what is open gets any value of its field."""

from __future__ import annotations

import pytest
from hypothesis import given
from random_music import Dice, all_dice, asked_plans, many, the_layout, the_tokenizer, write

from textmusic.plan import DRUMS, FIELDS, MAX_PROGRAMS, NO_KEY, Plan
from textmusic.plan_grammar import OPEN_BARS, PlanGrammar, bars_for
from textmusic.tokenizer import SCORE, rounded


@many
@given(asked=asked_plans, dice=all_dice)
def test_a_plan_is_completed_and_keeps_all_that_was_asked(asked: Plan, dice: Dice) -> None:
    grammar = PlanGrammar(the_layout(), asked)
    ids = write(grammar, dice, limit=100)
    plan = grammar.plan
    assert the_tokenizer().vocabulary[ids[-1]] == SCORE
    assert all(getattr(plan, name) is not None for name in FIELDS), "every field is settled"
    assert asked.over(plan) == plan, "what was asked is kept exactly"
    assert the_tokenizer().decode_plan(ids[:-1]) == rounded(plan), "the ids spell the plan"
    assert plan.programs and plan.bars
    assert len(plan.programs) <= MAX_PROGRAMS
    assert list(plan.programs) == sorted(set(plan.programs))
    assert (plan.key == NO_KEY) == (plan.programs == (DRUMS,))
    assert asked.bars or OPEN_BARS[0] <= plan.bars <= OPEN_BARS[1]


@pytest.mark.parametrize("without", [(DRUMS,), tuple(range(8, DRUMS + 1)), (0, 40, 73)])
def test_what_must_not_play_is_never_planned(without: tuple[int, ...]) -> None:
    for seed in range(20):
        grammar = PlanGrammar(the_layout(), Plan(), without=without)
        write(grammar, Dice(seed, taste=4, noise=1, kinds={}))
        assert grammar.plan.programs and not set(without) & set(grammar.plan.programs)


def test_drums_alone_have_no_key() -> None:
    grammar = PlanGrammar(the_layout(), Plan(programs=(DRUMS,)))
    write(grammar, Dice(1, taste=1, noise=1, kinds={}))
    assert grammar.plan.key == NO_KEY


@pytest.mark.parametrize("seconds", [2.0, 20.0, 90.0, 300.0, 600.0])
@pytest.mark.parametrize("tempo", [None, 60.0, 200.0])
def test_bars_are_counted_from_seconds(seconds: float, tempo: float | None) -> None:
    """Lengths of more than 64 bars too, though their token says no more than "64 or more"."""
    asked = Plan(tempo=tempo, time_signature="3/4")
    grammar = PlanGrammar(the_layout(), asked, seconds=seconds)
    write(grammar, Dice(1, taste=1, noise=1, kinds={}))
    plan = grammar.plan
    assert plan.bars == bars_for(plan, seconds)
    assert plan.tempo and plan.bars
    lasts = plan.bars * 3 * 60 / plan.tempo
    assert abs(lasts - seconds) <= 3 * 60 / plan.tempo or plan.bars == 256
