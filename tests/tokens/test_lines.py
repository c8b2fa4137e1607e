"""A part goes on as it has begun: without holes, and one note after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from random_music import the_layout

from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS
from textmusic.tokens.folding import Struck
from textmusic.tokens.lines import (
    CHORD_NATS,
    FULL_NATS,
    HOLE_NATS,
    OFF_BEAT_NATS,
    OVERLAP_NATS,
    SELDOM_HOLE_NATS,
    Lines,
)
from textmusic.tokens.score_grammar import ScoreGrammar

FIRST_OVERLAP = OVERLAP_NATS * (1 - 0.8)  # of a part whose habits are not known yet
QUARTER = "Duration_1.0.12"  # twelve steps


def plan(*programs: int) -> Plan:
    return Plan(programs=programs, key="C major", tempo=100.0, time_signature="4/4", bars=4)


def note(position: int, pitch: int, *, program: int = 40, length: str = QUARTER) -> list[str]:
    said = [f"Position_{position}", f"Program_{program}", "Velocity_79", length]
    return [*said, f"Pitch_{pitch}"]


def losses(
    grammar: ScoreGrammar, tokens: Sequence[str], bars: Mapping[int, Sequence[Struck]] = {}
) -> dict[str, float]:
    """What each id loses behind some tokens, by its name; tokens that are not allowed are left out.

    So velocities and durations can be said where a note may or may not need them.
    """
    index = the_layout().index
    for token in ("Bar_4", *tokens):
        if grammar.allowed()[index[token]]:
            grammar.advance(index[token])
    logits = np.zeros(the_layout().size, dtype=np.float32)
    guided = Lines(the_layout(), bars).guided(logits, grammar, 1.0)
    return {
        token: round(float(-guided[at]), 4) for token, at in index.items() if grammar.allowed()[at]
    }


def test_the_next_note_begins_where_the_last_one_ends() -> None:
    lost = losses(ScoreGrammar(the_layout(), plan(40)), note(0, 60))
    assert lost["Position_12"] == 0
    assert lost["Position_6"] == lost["Position_11"] == pytest.approx(FIRST_OVERLAP)
    assert lost["Position_13"] == lost["Position_36"] == lost["Bar_3"] == SELDOM_HOLE_NATS


@pytest.mark.parametrize(
    ("length", "end", "more"), [("Duration_0.6.12", 6, OFF_BEAT_NATS), ("Duration_0.10.12", 10, 0),
                                (QUARTER, 12, 0)],
    ids=["between beats", "a quarter played short", "on a beat"],
)  # fmt: skip
def test_silence_seldom_begins_between_beats(length: str, end: int, more: float) -> None:
    lost = losses(ScoreGrammar(the_layout(), plan(40)), note(0, 60, length=length))
    assert lost[f"Position_{end}"] == 0
    assert lost["Position_24"] == pytest.approx(SELDOM_HOLE_NATS + more)


def test_a_note_to_the_end_of_the_bar_leaves_no_hole_in_it() -> None:
    lost = losses(ScoreGrammar(the_layout(), plan(40)), note(36, 60))
    assert lost["Bar_3"] == 0 and lost["Position_47"] == pytest.approx(FIRST_OVERLAP)


def test_a_part_that_rests_at_times_may_rest_again() -> None:
    lost = losses(ScoreGrammar(the_layout(), plan(40)), [*note(0, 60), *note(24, 62)])
    assert lost["Position_36"] == 0
    assert lost["Position_40"] == pytest.approx(HOLE_NATS)


def test_a_part_with_several_voices_may_overlap_itself() -> None:
    held = [*note(0, 60, length="Duration_3.0.12"), *note(12, 64)]
    lost = losses(ScoreGrammar(the_layout(), plan(40)), held)
    assert lost["Position_18"] == 0
    lost = losses(ScoreGrammar(the_layout(), plan(40)), [*note(0, 60), *note(12, 62)])
    assert lost["Position_18"] == pytest.approx(OVERLAP_NATS * (1 - 0.05 * 8))


def test_notes_struck_together_are_no_overlap() -> None:
    lost = losses(ScoreGrammar(the_layout(), plan(40)), [*note(0, 60), "Pitch_64"])
    assert lost["Pitch_67"] == 0 and lost["Position_12"] == 0


def test_winds_and_voices_strike_none_from_the_beginning() -> None:
    for program, more in ((53, CHORD_NATS), (73, CHORD_NATS), (40, 0.0), (0, 0.0)):
        lost = losses(ScoreGrammar(the_layout(), plan(program)), note(0, 60, program=program))
        assert lost["Pitch_64"] == pytest.approx(more), program


def test_full_chords_are_full() -> None:
    chord = note(0, 48, program=0)
    for pitch in (52, 55, 60, 64):
        chord.append(f"Pitch_{pitch}")
    for pitch, more in ((67, 0.0), (72, FULL_NATS), (76, FULL_NATS)):
        lost = losses(ScoreGrammar(the_layout(), plan(0)), chord)
        assert lost[f"Pitch_{pitch}"] == pytest.approx(more), pitch
        chord.append(f"Pitch_{pitch}")


def test_a_part_of_single_notes_strikes_no_chords() -> None:
    singles = [token for n in range(4) for token in note(12 * n, 60 + n)]
    four = ScoreGrammar(the_layout(), plan(40))
    assert losses(four, singles)["Pitch_67"] == 0, "that may be its way"
    five = ScoreGrammar(the_layout(), plan(40))
    lost = losses(five, [*singles, "Bar_3", *note(0, 60)])
    assert lost["Pitch_67"] == lost["Velocity_95"] == CHORD_NATS
    assert lost["Position_12"] == 0
    chordal = ScoreGrammar(the_layout(), plan(40))
    lost = losses(chordal, [*note(0, 60), "Pitch_64", *singles[3:], "Bar_3", *note(0, 60)])
    assert lost["Pitch_67"] == 0, "it has had chords before"


def test_a_piece_may_end_before_its_last_bar_does() -> None:
    last = ScoreGrammar(the_layout(), plan(40), bars=(3, 4))
    index = the_layout().index
    for token in ("Bar_1", *note(0, 60)):
        if last.allowed()[index[token]]:
            last.advance(index[token])
    logits = np.zeros(the_layout().size, dtype=np.float32)
    guided = Lines(the_layout(), {}).guided(logits, last, 1.0)
    assert guided[last.closing] == 0 and guided[index["Position_36"]] < 0


def test_a_part_that_is_due_is_not_passed_over() -> None:
    """The violin's note ends where the flute begins one."""
    two = ScoreGrammar(the_layout(), plan(40, 73))
    lost = losses(two, [*note(0, 60), *note(6, 72, program=73), "Position_12"])
    assert lost["Program_40"] == 0
    # the flute is named already, so that its note would come next, and it still sounds
    assert lost["Pitch_74"] == pytest.approx(SELDOM_HOLE_NATS + FIRST_OVERLAP)


def test_drums_have_no_lines() -> None:
    beat = ["Position_0", f"Program_{DRUMS}", "Velocity_79", QUARTER, "PitchDrum_36"]
    lost = losses(ScoreGrammar(the_layout(), plan(DRUMS)), beat)
    assert not any(lost.values())
    lost = losses(ScoreGrammar(the_layout(), plan(40, DRUMS)), note(0, 60))
    assert lost["Position_6"] == 0, "the drums can play there"
    assert lost["Position_13"] == SELDOM_HOLE_NATS


def test_what_was_there_before_counts() -> None:
    """A piece that is continued: the bass has rested after each of its notes."""
    before = [Struck(0, 24 * n, 40, 60, 79, "1.0.12") for n in range(2)]
    before += [Struck(1, 24 * n, 40, 60, 79, "1.0.12") for n in range(2)]
    grammar = ScoreGrammar(the_layout(), plan(40), bars=(2, 4), standing=before)
    index = the_layout().index
    grammar.advance(index["Bar_2"])
    bars = {0: before[:2], 1: before[2:]}
    for token in note(0, 62):
        if grammar.allowed()[index[token]]:
            grammar.advance(index[token])
    logits = np.zeros(the_layout().size, dtype=np.float32)
    guided = Lines(the_layout(), bars).guided(logits, grammar, 0.5)
    assert -guided[index["Position_24"]] == pytest.approx(0.5 * HOLE_NATS)
    assert not Lines(the_layout(), bars).guided(logits, grammar, 0.0).any()
