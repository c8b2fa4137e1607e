"""Practice pieces written by dice alone, through the grammar: what a model can do at worst."""

from __future__ import annotations

import numpy as np
from random_music import the_layout

from textmusic.music.notes import Notes, columns_of
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice, filled, rows
from textmusic.music.practice_limits import Limits
from textmusic.tokens.limited_grammar import LimitedGrammar


def plan_of(practice: Practice, seed: int, asked: Plan = Plan()) -> Plan:
    """A complete plan."""
    return filled(practice, asked, seed)


def diced(
    practice: Practice, seed: int, asked: Plan = Plan(), *, leaning: bool = False
) -> tuple[Notes, Plan]:
    """The notes of a piece whose every id is drawn evenly from those that are allowed.

    leaning: drawn as a model without any opinion would, which favours steps.
    """
    plan, dice = plan_of(practice, seed, asked), np.random.default_rng(seed)
    limits = Limits(practice, plan, rows(practice, plan, seed), seed)
    grammar = LimitedGrammar(the_layout(), plan, limits)
    flat = np.zeros(the_layout().size, dtype=np.float32)
    while not grammar.done:
        allowed = grammar.allowed()
        ids = np.flatnonzero(allowed)
        chances = np.exp(grammar.leaning(flat, allowed)[ids].astype(float)) if leaning else None
        p = None if chances is None else chances / chances.sum()
        grammar.advance(int(dice.choice(ids, p=p)))
    return columns_of([note.sounding(plan) for note in grammar.notes]).sorted(), plan
