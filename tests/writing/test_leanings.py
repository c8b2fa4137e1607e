"""What accompanies a melody alone has chords and a bass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from random_music import the_layout

from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS
from textmusic.tokens.folding import Struck
from textmusic.tokens.layout import Mask
from textmusic.tokens.score_grammar import ScoreGrammar
from textmusic.writing.leanings import BASS, _at_least, accompanied
from textmusic.writing.text_to_music import TextToMusic


def shares(logits: np.ndarray, allowed: Mask) -> np.ndarray:
    likely = np.where(allowed, np.exp(logits), 0.0)
    return np.asarray(likely / likely.sum())


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_least_share(share: float) -> None:
    logits = np.array([0.0, 1.0, 2.0, 9.0], np.float32)
    allowed = np.array([True, True, True, False])
    before, after = (
        shares(logits, allowed),
        shares(_at_least(logits, allowed, np.array([0]), share), allowed),
    )
    assert after[0] == pytest.approx(max(share, before[0]), abs=1e-4)
    assert after[1] / after[2] == pytest.approx(before[1] / before[2], abs=1e-4)
    everything = np.array([0, 1, 2])
    assert (_at_least(logits, allowed, everything, share) == logits).all()


def test_an_accompaniment_is_no_second_melody(tiny: TextToMusic) -> None:
    tune = Path(__file__).parents[1] / "data" / "own" / "tune.abc"
    low = high = onsets = notes = 0
    for seed in range(1, 9):
        made = notes_of(tiny.harmonise(tune, instruments=["acoustic guitar"], seed=seed).score)
        guitar, melody = (made.chosen(made.program == program) for program in (25, 0))
        low += int((guitar.pitch < BASS).sum())
        high += int((guitar.pitch > melody.pitch.max()).sum())
        onsets, notes = onsets + len(np.unique(guitar.start)), notes + len(guitar)
    assert notes / onsets > 1.4, "chords"
    assert low / notes > 0.05, "a bass"
    assert high / notes < 0.35, "below the melody"


def test_a_drum_is_no_bass() -> None:
    """Neither the lowest tone nor the highest is a drum's."""
    layout = the_layout()
    grammar = ScoreGrammar(layout, Plan(programs=(25, DRUMS), key="C major", tempo=100.0,
                                        time_signature="4/4", bars=2))  # fmt: skip
    for token in ("Bar_2", "Position_0", "Program_25", "Velocity_79", "Duration_0.6.12"):
        grammar.advance(layout.index[token])
    flat, allowed = np.zeros(layout.size, dtype=np.float32), grammar.allowed()
    melody = Struck(0, 0, 0, 72, 79, "0.6.12")
    drums = [Struck(0, 0, DRUMS, pitch, 79, "0.6.12") for pitch in (36, 81)]
    alone = accompanied(flat, allowed, grammar, [melody])
    assert (alone != flat).any()
    assert np.array_equal(accompanied(flat, allowed, grammar, [melody, *drums]), alone)
