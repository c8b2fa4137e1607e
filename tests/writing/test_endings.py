"""A piece that ends comes to an end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from random_music import the_layout

from textmusic.music.chords import Chord
from textmusic.music.plan import Plan
from textmusic.music.sketch import BeatChord, Row, Sketch
from textmusic.music.theory import DRUMS, NO_KEY
from textmusic.tokens.folding import Struck
from textmusic.tokens.score_grammar import ScoreGrammar
from textmusic.tokens.sketch_grammar import SketchGrammar
from textmusic.writing.endings import (
    FULL,
    HOME_NATS,
    LASTING_NATS,
    LOW,
    STOPPING_NATS,
    homeward,
    settling,
)

PLAN = Plan(
    programs=(0,), key="A minor", tempo=100.0, time_signature="4/4", bars=1, begin=True, end=True
)


def grammar(plan: Plan, *tokens: str) -> ScoreGrammar:
    """The grammar of a score behind these tokens."""
    made = ScoreGrammar(the_layout(), plan)
    for token in tokens:
        made.advance(the_layout().index[token])
    return made


def changes(after: np.ndarray) -> dict[str, float]:
    """What has changed of logits that were 0, by token."""
    return {the_layout().vocabulary[i]: float(after[i]) for i in np.flatnonzero(after)}


def flat() -> np.ndarray:
    return np.zeros(the_layout().size, dtype=np.float32)


def settled(grammar: ScoreGrammar, *chords: BeatChord, standing: int = -1) -> dict[str, float]:
    """What the last bar's leanings change, where these are its chords.

    standing: a pitch of another instrument that is struck at its beginning already.
    """
    sketch = Sketch((Row(chords=chords),))
    there = [Struck(0, 0, 42, standing, 79, "1.0.12")] if standing >= 0 else []
    return changes(settling(flat(), grammar.allowed(), grammar, sketch, there))


def raised(changed: dict[str, float]) -> set[int]:
    """The pitches that have gained."""
    return {int(t.removeprefix("Pitch_")) for t, v in changed.items() if "Pitch_" in t and v > 0}


def sketched(plan: Plan, *tokens: str) -> SketchGrammar:
    """The grammar of a sketch behind these tokens."""
    made = SketchGrammar(the_layout(), plan)
    for token in tokens:
        made.advance(the_layout().index[token])
    return made


@pytest.mark.parametrize(("key", "chord"), [("E minor", "0-min"), ("D major", "0-maj")])
def test_the_last_chord_leans_home(key: str, chord: str) -> None:
    """Roots are counted from the tonic."""
    plan = replace(PLAN, key=key, bars=2)
    first = "Bar_2", "New", "Chord_5-maj"
    last = sketched(plan, *first, "Bar_1", "New")
    assert changes(homeward(flat(), last)) == {f"Chord_{chord}": HOME_NATS}
    assert changes(homeward(flat(), sketched(plan, "Bar_2", "New"))) == {}, "another bar"
    free = sketched(replace(plan, end=False), *first, "Bar_1", "New")
    assert changes(homeward(flat(), free)) == {}


def test_the_tonic_is_not_left_again() -> None:
    plan = replace(PLAN, key="E minor")
    there = changes(homeward(flat(), sketched(plan, "Bar_1", "New", "Chord_0-min")))
    assert {token.split("_")[0] for token in there} == {"Beat"}
    assert set(there.values()) == {-HOME_NATS}
    assert changes(homeward(flat(), sketched(plan, "Bar_1", "New", "Chord_5-min"))) == {}


def test_the_last_bar_repeats_one_that_ends_on_the_tonic() -> None:
    plan = replace(PLAN, key="E minor", bars=3)
    rows = "Bar_3", "New", "Chord_0-min", "Bar_2", "New", "Chord_7-maj", "Bar_1"
    assert changes(homeward(flat(), sketched(plan, *rows))) == {"Like_2": -HOME_NATS}


def test_the_last_bar_of_a_piece_that_ends_stops_sooner_and_sounds_on() -> None:
    changed = settled(grammar(PLAN, "Bar_1", "Position_24", "Program_0", "Velocity_79"))
    places = {token for token in changed if token.startswith("Position")}
    assert {changed.pop(token) for token in places} == {-STOPPING_NATS}
    assert "Duration_2.0.12" in changed, "to the end of the bar"
    assert "Duration_1.0.12" not in changed
    assert set(changed.values()) == {LASTING_NATS}
    assert all(token.startswith("Duration_1.") for token in changed.keys() - {"Duration_2.0.12"})


LONG = "Bar_1", "Position_0", "Program_0", "Velocity_79", "Duration_3.6.12"


@pytest.mark.parametrize(
    "tokens",
    [LONG, (*LONG[:4], "Duration_1.0.12", "Pitch_60"),
     ("Bar_1", "Position_0", "Program_128", "Velocity_79", "Duration_0.3.12")],
    ids=["long already", "further tones", "drums"],
)  # fmt: skip
def test_lengths_are_left_alone(tokens: tuple[str, ...]) -> None:
    plan = replace(PLAN, programs=(0, DRUMS))
    changed = settled(grammar(plan, *tokens))
    assert {token.split("_")[0] for token in changed} == {"Position"}


def test_the_last_chord_does_not_pile_up() -> None:
    tokens = [*LONG[:4], "Duration_1.0.12", *(f"Pitch_{pitch}" for pitch in (60, 64, 67))]
    changed = settled(grammar(PLAN, *tokens))
    further = [v for token, v in changed.items() if not token.startswith("Position")]
    assert {"Pitch_72", "Velocity_63"} <= changed.keys() and set(further) == {-STOPPING_NATS}
    fewer = settled(grammar(PLAN, *tokens[: 4 + FULL]))
    assert {token.split("_")[0] for token in fewer} == {"Position"}


def test_nothing_has_to_stop_before_something_is_struck() -> None:
    assert settled(grammar(PLAN, "Bar_1")) == {}


@pytest.mark.parametrize("other", [{"end": False}, {"bars": 2}], ids=["open", "another bar"])
def test_other_bars_go_on(other: dict[str, object]) -> None:
    plan = replace(PLAN, **other)  # type: ignore[arg-type]
    struck = grammar(plan, f"Bar_{plan.bars}", "Position_0", "Program_0")
    assert settled(struck) == {}


A_MINOR, D_MINOR = Chord(9, "min"), Chord(2, "min")


def test_the_tonic_is_below_its_chord() -> None:
    """Written as C, and of an instrument that plays alone at any height."""
    assert raised(settled(grammar(PLAN, *LONG), (0, A_MINOR))) >= {36, 48, 60, 72}
    assert raised(settled(grammar(PLAN, *LONG), (0, D_MINOR))) == set()
    assert raised(settled(grammar(PLAN, *LONG, "Pitch_48"), (0, A_MINOR))) == set(), "what is above"
    nowhere = replace(PLAN, key=NO_KEY)
    assert raised(settled(grammar(nowhere, *LONG), (0, A_MINOR))) == set()


def test_the_chord_is_the_one_that_sounds_there() -> None:
    chords = (0, D_MINOR), (2, A_MINOR)
    later = "Bar_1", "Position_24", "Program_0", "Velocity_79", "Duration_1.6.12"
    assert raised(settled(grammar(PLAN, *LONG), *chords)) == set()
    assert raised(settled(grammar(PLAN, *later), *chords)) >= {36, 48}


def test_of_several_instruments_only_low_tones_are_the_lowest() -> None:
    plan = replace(PLAN, programs=(0, 42))
    low = raised(settled(grammar(plan, *LONG), (0, A_MINOR)))
    assert low >= {36, 48} and max(low) < LOW
    below = raised(settled(grammar(plan, *LONG), (0, A_MINOR), standing=43))
    assert below and max(below) < 43, "lower than what stands there"
