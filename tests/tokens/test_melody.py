"""Melodies move by step, keep to their direction, and stay clear of what sounds beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from random_music import the_layout

from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS
from textmusic.tokens.folding import Struck
from textmusic.tokens.melody import (
    AGAIN_NATS,
    CLASH_NATS,
    ONWARD_NATS,
    STEP_NATS,
    VOICE_NATS,
    Melody,
)
from textmusic.tokens.score_grammar import ScoreGrammar

FLUTE, PIANO = 73, 0
PLAN = Plan(
    programs=(PIANO, FLUTE, DRUMS), key="C major", tempo=100.0, time_signature="4/4", bars=4
)


def note(
    position: int, pitch: int, program: int = FLUTE, *, bar: int = 0, steps: int = 3
) -> Struck:
    return Struck(bar, position, program, pitch, 79, f"0.{steps}.12")


def standing(position: int, *, bar: int = 0, program: int = FLUTE) -> ScoreGrammar:
    """A grammar that is about to strike a note of a part at a position."""
    grammar, index = ScoreGrammar(the_layout(), PLAN, bars=(bar, 4), late=True), the_layout().index
    said = (f"Bar_{4 - bar}", f"Position_{position}", f"Program_{program}")
    for token in (*said, "Velocity_79", "Duration_0.3.12"):
        grammar.advance(index[token])
    return grammar


def gains(
    grammar: ScoreGrammar, notes: Sequence[Struck], strength: float = 1.0
) -> dict[int, float]:
    """By written pitch, what it gains on one far away from all others; 0 is left out."""
    bars: dict[int, list[Struck]] = {}
    for one in notes:
        bars.setdefault(one.bar, []).append(one)
    layout, allowed = the_layout(), grammar.allowed()
    flat = np.zeros(layout.size, dtype=np.float32)
    guided = Melody(layout, bars).guided(flat, allowed, grammar, strength)
    found = {p: float(guided[layout.tone_base + p]) for p in range(128)
             if layout.tone_base + p < layout.size and allowed[layout.tone_base + p]}  # fmt: skip
    idle = found[max(found)]
    return {p: round(value - idle, 3) for p, value in found.items() if abs(value - idle) > 1e-4}


@pytest.mark.parametrize("strength", [1.0, 0.3])
def test_steps_are_favoured_and_the_pitch_itself_is_not(strength: float) -> None:
    step, again = pytest.approx(STEP_NATS * strength), pytest.approx(-AGAIN_NATS * strength)
    found = gains(standing(6), [note(0, 69), note(3, 76)], strength)
    assert found == {74: step, 75: step, 76: again, 77: step, 78: step}


def test_a_step_goes_on_in_its_direction() -> None:
    up = gains(standing(6), [note(0, 76), note(3, 77)])
    assert up[78] == up[79] == ONWARD_NATS and up[76] == up[75] == STEP_NATS
    down = gains(standing(6), [note(0, 77), note(3, 76)])
    assert down[75] == down[74] == ONWARD_NATS and down[77] == STEP_NATS
    leap = gains(standing(6), [note(0, 69), note(3, 76)])
    assert leap[77] == leap[75] == STEP_NATS


def test_chords_move_voice_by_voice() -> None:
    found = gains(standing(6, program=PIANO), [note(3, 60, PIANO), note(3, 67, PIANO)])
    moved = {p for p, value in found.items() if value == pytest.approx(VOICE_NATS)}
    assert moved == {58, 59, 61, 62, 65, 66, 68, 69}


def test_each_part_moves_from_its_own_notes() -> None:
    assert gains(standing(6), [note(3, 60, PIANO), note(3, 38, DRUMS)]) == {}


def test_a_part_that_repeats_its_pitch_may_go_on_so() -> None:
    assert 76 not in gains(standing(6), [note(0, 76), note(3, 76)])
    assert 76 not in gains(standing(6), [note(3, 76)]), "its first note may be one of several"


def test_notes_are_remembered_from_the_bar_before_and_no_longer() -> None:
    assert gains(standing(0, bar=1), [note(30, 76)])[77] == STEP_NATS
    assert gains(standing(0, bar=2), [note(30, 76)]) == {}


def test_what_is_struck_at_the_same_place_is_not_past() -> None:
    found = gains(standing(6), [note(6, 60, PIANO, steps=1)])
    assert set(found.values()) == {-nats for nats in CLASH_NATS.values()}


def test_pitches_next_to_one_that_sounds_are_avoided() -> None:
    lost = {apart: -nats for apart, nats in CLASH_NATS.items()}
    found = gains(standing(9), [note(6, 64, PIANO, steps=6), note(0, 48, PIANO)])
    assert found[63] == found[65] == lost[1] and found[62] == found[66] == lost[2]
    assert found[77] == lost[13]
    assert set(found) == {62, 63, 65, 66, 77}, "the other one is over"


def test_drums_and_places_without_a_part_are_left_alone() -> None:
    grammar, index = ScoreGrammar(the_layout(), PLAN), the_layout().index
    logits = np.random.default_rng(1).normal(size=the_layout().size).astype(np.float32)
    bars: Mapping[int, Sequence[Struck]] = {0: [note(0, 76)]}
    for token in ("Bar_4", "Position_6", f"Program_{DRUMS}", "Velocity_79", "Duration_0.3.12"):
        guided = Melody(the_layout(), bars).guided(logits, grammar.allowed(), grammar, 1.0)
        assert np.array_equal(guided, logits)
        grammar.advance(index[token])


def test_pitches_together_stay_as_likely() -> None:
    grammar = standing(6)
    logits = np.random.default_rng(1).normal(0, 2, the_layout().size).astype(np.float32)
    allowed = grammar.allowed()
    guided = Melody(the_layout(), {0: [note(3, 76)]}).guided(logits, allowed, grammar, 1.0)
    first, last = the_layout().spans["Pitch"]
    pitches = np.zeros_like(allowed)
    pitches[first:last] = allowed[first:last]
    totals = [float(np.exp(x[pitches].astype(np.float64)).sum()) for x in (logits, guided)]
    assert totals[1] == pytest.approx(totals[0], rel=1e-5)
    assert np.array_equal(logits[~pitches], guided[~pitches])
