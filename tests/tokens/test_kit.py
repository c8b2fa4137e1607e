"""A drummer keeps to the drums of the first bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from random_music import the_layout

from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS
from textmusic.tokens.folding import Struck
from textmusic.tokens.kit import FIRST_BARS, JOINING_NATS, NEW_NATS, Kit
from textmusic.tokens.score_grammar import ScoreGrammar

PLAN = Plan(programs=(32, DRUMS), key="C major", tempo=100.0, time_signature="4/4", bars=8)
KICK, SNARE, HAT, COWBELL = 36, 38, 42, 56


def losses(bars: int, drums: Sequence[int], *, program: int = DRUMS) -> dict[int, float]:
    """What each drum loses at the beginning of a bar behind so many that have some drums."""
    grammar, index = ScoreGrammar(the_layout(), PLAN, late=True), the_layout().index
    for bar in range(bars + 1):
        grammar.advance(index[f"Bar_{8 - bar}"])
    for token in ("Position_0", f"Program_{program}"):
        assert grammar.allowed()[index[token]], token
        grammar.advance(index[token])
    written = {
        bar: [Struck(bar, 0, DRUMS, drum, 79, "1.0.12") for drum in drums] for bar in range(bars)
    }
    logits = np.zeros(the_layout().size, dtype=np.float32)
    guided = Kit(the_layout(), written).guided(logits, grammar, 1.0)
    assert not np.delete(guided, np.arange(*the_layout().spans["PitchDrum"])).any()
    return {
        drum: float(-guided[index[f"PitchDrum_{drum}"]]) for drum in (KICK, SNARE, HAT, COWBELL)
    }


def test_new_drums_lose_by_how_many_there_are() -> None:
    found = losses(FIRST_BARS, [KICK, SNARE, HAT])
    assert found == {KICK: 0, SNARE: 0, HAT: 0, COWBELL: pytest.approx(3 * NEW_NATS)}
    assert losses(FIRST_BARS, [KICK])[COWBELL] == pytest.approx(NEW_NATS)


def test_nor_does_a_new_one_come_by_way_of_its_velocity() -> None:
    """Above the kit's highest drum there are only new ones, whatever is said before them."""
    grammar, index = ScoreGrammar(the_layout(), PLAN, late=True), the_layout().index
    for token in ("Bar_8", "Position_0", f"Program_{DRUMS}", "Velocity_79", "Duration_1.0.12",
                  f"PitchDrum_{KICK}"):  # fmt: skip
        grammar.advance(index[token])
    bars = {0: list(grammar.notes)}
    flat = np.zeros(the_layout().size, dtype=np.float32)
    found = Kit(the_layout(), bars).guided(flat, grammar, 1.0)
    lost = pytest.approx(-JOINING_NATS)
    assert found[index["Velocity_95"]] == found[index["Duration_0.6.12"]] == lost
    bars[0].append(Struck(0, 24, DRUMS, SNARE, 79, "1.0.12"))
    found = Kit(the_layout(), bars).guided(flat, grammar, 1.0)
    assert found[index["Velocity_95"]] == 0, "the snare may come"


def test_a_kit_that_comes_later_is_one() -> None:
    """A hole is filled at the beginning of a piece."""
    later = [Struck(bar, 0, DRUMS, KICK, 79, "1.0.12") for bar in range(2, 8)]
    grammar, index = ScoreGrammar(the_layout(), PLAN, late=True), the_layout().index
    for token in ("Bar_8", "Position_0", f"Program_{DRUMS}"):
        grammar.advance(index[token])
    flat = np.zeros(the_layout().size, dtype=np.float32)
    bars = {note.bar: [note] for note in later}
    found = Kit(the_layout(), bars).guided(flat, grammar, 1.0)
    assert found[index[f"PitchDrum_{COWBELL}"]] == pytest.approx(-NEW_NATS)


def test_they_join_more_easily_at_first() -> None:
    assert losses(FIRST_BARS - 1, [KICK, SNARE])[COWBELL] == pytest.approx(2 * JOINING_NATS)
    assert not any(losses(FIRST_BARS + 2, []).values()), "no bar has had drums"


def test_other_instruments_are_left_alone() -> None:
    assert not any(losses(FIRST_BARS, [KICK], program=32).values())


def test_drums_of_somebody_s_own_outside_the_vocabulary_do_no_harm() -> None:
    assert losses(FIRST_BARS, [KICK, 3])[COWBELL] == pytest.approx(2 * NEW_NATS)
