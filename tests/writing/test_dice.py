"""Each part of a piece is drawn as freely as suits it."""

from __future__ import annotations

import numpy as np
import pytest
from random_music import the_layout

from textmusic.tokens.layout import Mask
from textmusic.tokens.sampling import Sampling, choose
from textmusic.writing.dice import Dice


def dice(sampling: Sampling) -> Dice:
    return Dice(sampling, 1, the_layout(), None)


def only(*tokens: str) -> Mask:
    mask = np.zeros(the_layout().size, dtype=bool)
    mask[[the_layout().index[token] for token in tokens]] = True
    return mask


def drawn(sampling: Sampling, *tokens: str, times: int = 300) -> dict[str, int]:
    """How often each of these tokens comes, when each is half as likely as the one before it."""
    logits = np.full(the_layout().size, -50, dtype=np.float32)
    for n, token in enumerate(tokens):
        logits[the_layout().index[token]] = -n * np.log(2)
    same = dice(sampling)
    found = [same.score(logits, only(*tokens)) for _ in range(times)]
    return {token: found.count(the_layout().index[token]) for token in tokens}


def test_places_are_drawn_more_freely_than_pitches_and_lengths() -> None:
    strict = Sampling(temperature=1, top_p=0.5, rhythm_top_p=1)
    places = drawn(strict, "Position_6", "Position_12", "Position_18")
    pitches = drawn(strict, "Pitch_60", "Pitch_64", "Pitch_67")
    lengths = drawn(strict, "Duration_1.0.12", "Duration_0.6.12")
    assert all(count > 20 for count in places.values())
    assert pitches["Pitch_60"] == lengths["Duration_1.0.12"] == 300


def test_whether_a_pitch_comes_is_rhythm() -> None:
    """A note may come or the next place: the pitch's own cut does not make it more likely."""
    found = drawn(
        Sampling(temperature=1, top_p=0.1, rhythm_top_p=1), "Pitch_60", "Position_12", times=3000
    )
    assert found["Pitch_60"] / 3000 == pytest.approx(2 / 3, abs=0.04)


@pytest.mark.parametrize("kind", ["Pitch", "PitchDrum"])
def test_the_likeliest_is_taken_at_temperature_0(kind: str) -> None:
    tokens = f"{kind}_40", f"{kind}_45", "Position_12"
    assert drawn(Sampling(temperature=0), *tokens, times=9)[tokens[0]] == 9


def test_a_sketch_is_the_model_s_own_without_counts() -> None:
    logits = np.arange(the_layout().size, dtype=np.float32)
    assert dice(Sampling()).counted(logits, only("New"), None) is logits  # type: ignore[arg-type]


def test_where_rhythm_is_drawn_as_pitches_there_is_one_draw() -> None:
    """As it was before they were told apart."""
    same = Sampling(rhythm_temperature=0.95, rhythm_top_p=0.95)
    logits = np.random.default_rng(3).normal(0, 1, the_layout().size).astype(np.float32)
    allowed, rng = np.ones(the_layout().size, dtype=bool), np.random.default_rng(1)
    thrown = dice(same)
    found = [thrown.score(logits, allowed) for _ in range(50)]
    assert found == [choose(logits, allowed, same, rng) for _ in range(50)]
