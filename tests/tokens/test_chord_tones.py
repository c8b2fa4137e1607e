"""Notes make way for the next chord: lengths that reach into it, and pitches outside it, lose."""

from __future__ import annotations

import numpy as np
import pytest
from random_music import the_layout

from textmusic.music.chords import Chord
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row, Sketch
from textmusic.tokens.chord_tones import HELD_NATS, HELD_OUTSIDE_NATS, MISSING_NATS, ChordTones
from textmusic.tokens.folding import Struck
from textmusic.tokens.layout import Floats32, Mask
from textmusic.tokens.melody import Melody
from textmusic.tokens.score_grammar import ScoreGrammar

PLAN = Plan(programs=(0,), key="C major", tempo=100.0, time_signature="4/4", bars=2)
C, G = Chord(0, "maj"), Chord(7, "maj")
HALF, BAR = "Duration_2.0.12", "Duration_4.0.4"  # from the third beat: to the bar line; beyond it
TWO_CHORDS = (Row(chords=((0, C),)), Row(chords=((0, G),)))


def guided(
    length: str, rows: tuple[Row, ...] = TWO_CHORDS, strength: float = 1.0
) -> tuple[Floats32, Floats32, Mask]:
    """(logits, after the guide, allowed) on the third beat, a length being the part's last one."""
    grammar, index = ScoreGrammar(the_layout(), PLAN), the_layout().index
    for token in ("Bar_2", "Position_0", "Program_0", "Velocity_79", length, "Pitch_48",
                  "Position_24"):  # fmt: skip
        assert grammar.allowed()[index[token]], token
        grammar.advance(index[token])
    logits = np.random.default_rng(1).normal(0, 2, the_layout().size).astype(np.float32)
    bars = {0: list(grammar.notes)}
    guide = ChordTones(the_layout(), PLAN, Sketch(rows), bars, Melody(the_layout(), bars))
    allowed = grammar.allowed()
    return logits, guide.guided(logits, allowed, grammar, strength, 1.0), allowed


def moved(logits: Floats32, after: Floats32, token: str, other: str) -> float:
    """What a token has gained beside another one, in nats."""
    at, beside = the_layout().index[token], the_layout().index[other]
    return float((after[at] - after[beside]) - (logits[at] - logits[beside]))


def total(logits: Floats32, kinds: tuple[str, ...]) -> float:
    spans = [the_layout().spans[kind] for kind in kinds]
    return float(sum(np.exp(logits[slice(*span)], dtype=np.float64).sum() for span in spans))


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_a_length_that_reaches_into_the_next_chord_loses(strength: float) -> None:
    logits, after, _ = guided("Duration_1.0.12", strength=strength)
    lost = pytest.approx(-HELD_NATS * strength, abs=1e-3)
    assert moved(logits, after, BAR, HALF) == lost, "over the bar line, and up to it"
    assert moved(logits, after, HALF, "Duration_0.6.12") == pytest.approx(0, abs=1e-3)


def test_so_does_the_length_that_runs_on() -> None:
    logits, after, allowed = guided(BAR)
    pitches = slice(*the_layout().spans["Pitch"])
    kept = total(np.where(allowed, after, -np.inf), ("Pitch",))
    assert kept < 0.9 * total(np.where(allowed, logits, -np.inf), ("Pitch",))
    assert moved(logits, after, HALF, "Duration_1.0.12") == pytest.approx(0, abs=1e-3)
    assert np.isfinite(after[pitches]).all()


def test_what_is_held_belongs_to_the_next_chord() -> None:
    """Under C, D is outside; so is F. D belongs to G, the chord into which the note is held."""
    short, long = (moved(*guided(length)[:2], "Pitch_74", "Pitch_77") for length in (HALF, BAR))
    assert short == pytest.approx(0, abs=1e-3)
    assert long == pytest.approx(HELD_OUTSIDE_NATS, abs=1e-3)


def test_notes_and_lengths_stay_as_likely_together() -> None:
    logits, after, allowed = guided(BAR)
    sizing = ("Duration", "Pitch")
    found, was = (total(np.where(allowed, each, -np.inf), sizing) for each in (after, logits))
    assert found == pytest.approx(was, rel=1e-4)


def test_what_another_part_strikes_later_has_not_sounded() -> None:
    """C and E on the last beat, before which a part is written: E is wanted all the same."""
    index, rows = the_layout().index, (Row(chords=((0, Chord(0, "7")),)),) * 2
    grammar = ScoreGrammar(the_layout(), PLAN)
    for token in ("Bar_2", "Position_0", "Program_0", "Velocity_79", "Duration_1.0.12"):
        grammar.advance(index[token])
    gains = []
    for position in (0, 36):
        bars = {0: [Struck(0, position, 40, pitch, 79, "1.0.12") for pitch in (72, 76)]}
        guide = ChordTones(the_layout(), PLAN, Sketch(rows), bars, Melody(the_layout(), bars))
        flat = np.zeros(the_layout().size, dtype=np.float32)
        after = guide.guided(flat, grammar.allowed(), grammar, 1.0, 1.0)
        gains.append(float(after[index["Pitch_64"]] - after[index["Pitch_70"]]))
    assert gains == [pytest.approx(0, abs=1e-3), pytest.approx(MISSING_NATS, abs=1e-3)]


@pytest.mark.parametrize(
    "rows", [(Row(chords=((0, C),)), Row(chords=((0, C),))), (Row(chords=((0, C),)),),
             (Row(chords=((0, C),)), Row())],
    ids=["the chord goes on", "the last bar", "no chord comes"],
)  # fmt: skip
def test_without_a_change_lengths_are_left_alone(rows: tuple[Row, ...]) -> None:
    logits, after, _ = guided("Duration_1.0.12", rows)
    assert moved(logits, after, BAR, HALF) == pytest.approx(0, abs=1e-3)
