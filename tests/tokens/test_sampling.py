"""Masked logits -> id."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textmusic.errors import TextMusicError
from textmusic.tokens.sampling import Sampling, choose, read_sampling, surprise


def draws(logits: list[float], allowed: list[bool], sampling: Sampling, n: int = 4000) -> Any:
    """Share of each id among n draws."""
    rng = np.random.default_rng(0)
    arrays = np.array(logits, dtype=np.float32), np.array(allowed)
    chosen = [choose(*arrays, sampling, rng) for _ in range(n)]
    return np.bincount(chosen, minlength=len(logits)) / n


@settings(deadline=None)
@given(
    logits=st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=30),
    temperature=st.just(0.0) | st.floats(0.01, 2),
    top_p=st.floats(0.001, 1),
    data=st.data(),
)
def test_only_allowed_ids_are_chosen(
    logits: list[float], temperature: float, top_p: float, data: st.DataObject
) -> None:
    n = len(logits)
    allowed = data.draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(any))
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    sampling = Sampling(temperature, top_p)
    chosen = choose(np.array(logits, dtype=np.float32), np.array(allowed), sampling, rng)
    assert allowed[chosen]


def test_temperature_1_draws_as_the_model_believes() -> None:
    wanted = np.array([0.5, 0.3, 0.2])
    shares = draws(np.log(wanted).tolist(), [True] * 3, Sampling(1.0, 1.0))
    assert np.allclose(shares, wanted, atol=0.03)


def test_what_is_not_allowed_is_shared_out_among_the_rest() -> None:
    logits = np.log([0.5, 0.3, 0.2]).tolist()
    shares = draws(logits, [False, True, True], Sampling(1.0, 1.0))
    assert np.allclose(shares, [0, 0.6, 0.4], atol=0.03)


def test_top_p_leaves_out_the_tail() -> None:
    logits = np.log([0.5, 0.3, 0.15, 0.05]).tolist()
    shares = draws(logits, [True] * 4, Sampling(1.0, 0.75))
    assert np.allclose(shares, [0.625, 0.375, 0, 0], atol=0.03)


def test_a_tiny_top_p_always_takes_the_likeliest() -> None:
    assert draws([0.0, 1.0, 0.5], [True] * 3, Sampling(1.0, 0.001))[1] == 1


def test_temperature_0_always_takes_the_likeliest_allowed() -> None:
    assert draws([9.0, 1.0, 2.0], [False, True, True], Sampling(0.0))[2] == 1


def test_low_temperatures_sharpen_and_high_ones_flatten() -> None:
    logits, allowed = [1.0, 0.0], [True, True]
    cold, plain, hot = (draws(logits, allowed, Sampling(t, 1.0))[0] for t in (0.3, 1.0, 2.0))
    assert cold > plain > hot > 0.5


def test_huge_and_very_unequal_logits_are_no_trouble() -> None:
    assert draws([1e4, -1e4], [True, True], Sampling(0.05, 1.0), n=50)[0] == 1
    assert draws([-1e4, -1e4], [True, True], Sampling(2.0, 1.0), n=200).min() > 0.3


def test_ids_of_minus_infinity_are_never_drawn_beside_others() -> None:
    shares = draws([0.0, -np.inf, 0.0], [True] * 3, Sampling(1.0, 1.0))
    assert shares[1] == 0


def test_the_same_dice_give_the_same_ids() -> None:
    logits, allowed = np.zeros(50, dtype=np.float32), np.ones(50, dtype=bool)
    one, two = np.random.default_rng(5), np.random.default_rng(5)
    first = [choose(logits, allowed, Sampling(), one) for _ in range(20)]
    assert first == [choose(logits, allowed, Sampling(), two) for _ in range(20)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", -0.1), ("temperature", 2.1), ("temperature", float("nan")), ("top_p", 0),
     ("top_p", 1.1), ("top_p", float("nan")), ("harmony_strength", -1), ("harmony_strength", 1.5),
     ("form_strength", -0.1), ("form_strength", float("nan")), ("plan_temperature", 2.5),
     ("melody_strength", 1.1), ("sketch_temperature", -1), ("sketch_top_p", 0),
     ("rhythm_temperature", 2.1), ("rhythm_top_p", 0)],
)  # fmt: skip
def test_settings_out_of_range_are_refused_with_the_range(name: str, value: float) -> None:
    with pytest.raises(TextMusicError, match=r"out of range; choose (0 to|a number above 0)"):
        Sampling(**{name: value})


def test_the_ends_of_the_ranges_are_allowed() -> None:
    low = Sampling(temperature=0, top_p=1, harmony_strength=0, form_strength=0, plan_temperature=0)
    high = Sampling(
        temperature=2, top_p=0.01, harmony_strength=1, form_strength=1, plan_temperature=2
    )
    assert (low.temperature, low.harmony_strength, low.form_strength) == (0, 0, 0)
    assert (high.temperature, high.harmony_strength, high.form_strength) == (2, 1, 1)
    assert (low.top_p, high.top_p) == (1, 0.01)
    assert (low.plan_temperature, high.plan_temperature) == (0, 2)


def test_surprise_is_what_the_model_alone_would_pay() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.2], dtype=np.float32)) + 7
    assert surprise(logits, 1) == pytest.approx(-np.log(0.3), abs=1e-5)
    assert surprise(np.array([1e4, 0], dtype=np.float32), 1) == pytest.approx(1e4)


def test_the_sketch_is_drawn_more_freely_than_the_notes_unless_told_otherwise() -> None:
    drawn = Sampling(temperature=0.8, top_p=0.9).of_sketch()
    assert (drawn.temperature, drawn.top_p) == (pytest.approx(0.84), pytest.approx(0.96))
    assert Sampling(temperature=0).of_sketch().temperature == 0
    assert Sampling(temperature=2).of_sketch().temperature == 2, "no more than is allowed"
    told = Sampling(sketch_temperature=0.5, sketch_top_p=0.7).of_sketch()
    assert (told.temperature, told.top_p) == (0.5, 0.7)


def test_so_is_rhythm() -> None:
    drawn = Sampling(temperature=0.8, top_p=0.9).of_rhythm()
    assert (drawn.temperature, drawn.top_p) == (pytest.approx(0.84), pytest.approx(0.98))
    assert Sampling(temperature=0).of_rhythm().temperature == 0
    told = Sampling(rhythm_temperature=0.5, rhythm_top_p=0.7).of_rhythm()
    assert (told.temperature, told.top_p) == (0.5, 0.7)


def test_the_plan_has_a_temperature_of_its_own() -> None:
    assert Sampling(temperature=1.5, plan_temperature=0.2).of_plan().temperature == 0.2


def test_what_was_written_before_the_melody_had_a_guide_can_be_written_again() -> None:
    older = {"temperature": 0.9, "top_p": 0.8, "harmony_strength": 0.7, "form_strength": 0.4,
             "plan_temperature": 0.7}  # fmt: skip
    read = read_sampling(older)
    assert read.melody_strength == 0
    assert read.sketch_counts == 0, "sketches were the model's own"
    assert (read.of_sketch().temperature, read.of_sketch().top_p) == (0.9, 0.8)
    assert (read.of_rhythm().temperature, read.of_rhythm().top_p) == (0.9, 0.8)
    assert read_sampling(asdict(Sampling(0.9))) == Sampling(0.9)
