"""Figures, intervals and differences, each against a case worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from textmusic.evaluation.bootstrap import (
    Mean,
    OfSet,
    bootstrap,
    collected,
    difference,
    figure,
    figures,
    holm,
)
from textmusic.result.figures import Figure


def test_the_bootstrap_interval_is_that_of_the_mean() -> None:
    values = [0.0, 1.0] * 200
    found = bootstrap(values)
    assert found.value == 0.5 and found.n == 400
    assert found.low == pytest.approx(0.5 - 1.96 * 0.5 / 20, abs=0.01)
    assert found.high == pytest.approx(0.5 + 1.96 * 0.5 / 20, abs=0.01)
    assert bootstrap([1.0, math.nan]).value == 1
    assert bootstrap([]).n == 0 and math.isnan(bootstrap([]).value)
    assert str(Figure(0.5, 0.25, 0.756, 8)) == " 50.0% [25.0%, 75.6%] n=8"


def test_answers_to_one_prompt_are_not_counted_as_independent() -> None:
    values, groups = [0.0] * 30 + [1.0] * 30, [n // 10 for n in range(60)]
    together, apart = bootstrap(values, groups), bootstrap(values)
    assert together.value == apart.value == 0.5
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_figures_are_means_over_the_answers_that_have_them() -> None:
    found = figures(collected([{"a": 1.0, "b": 0.0}, {"a": 0.0}]))
    assert found["a"].value == 0.5 and found["a"].n == 2
    assert found["b"].value == 0 and found["b"].n == 1


def test_a_weighted_mean_is_the_sum_over_the_sum_of_weights() -> None:
    sample = Mean([30.0, 10.0, math.nan], [1, 2, 3], [10.0, 2.0, 5.0])
    assert figure(sample).value == pytest.approx(40 / 12)
    assert figure(sample).low == pytest.approx(3) and figure(sample).high == pytest.approx(5)


def test_a_difference_is_paired_by_prompt() -> None:
    rng = np.random.default_rng(0)
    hard = rng.normal(0, 10, 40)  # prompts differ much, the models by 1 +- 0.1
    one = Mean(list(hard + 1 + rng.normal(0, 0.1, 40)))
    found = difference(one, Mean(list(hard)))
    assert found is not None and found.value == pytest.approx(1, abs=0.1)
    assert 0.9 < found.low < found.value < found.high < 1.1
    assert found.p == pytest.approx(2 / 2000), "as small as so many draws can tell"
    assert figure(one).high - figure(one).low > 4, "alone they would not be told apart"


def test_models_that_are_alike_do_not_differ() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, (2, 50))
    found = difference(Mean(list(values[0])), Mean(list(values[1])))
    assert found is not None and found.p > 0.05 and found.low < 0 < found.high
    same = difference(Mean(list(values[0])), Mean(list(values[0])))
    assert same is not None and (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)


def test_only_prompts_that_both_have_answered_count() -> None:
    found = difference(Mean([1.0, 1.0, 9.0], [1, 2, 3]), Mean([0.0, 0.0, 5.0], [1, 2, 4]))
    assert found is not None and (found.value, found.n) == (1, 2)
    assert difference(Mean([1.0], [1]), Mean([1.0], [2])) is None
    assert difference(Mean([1.0], [1]), Mean([], [])) is None


def test_a_figure_of_a_set_is_not_moved_by_drawing_with_repetition() -> None:
    things = {n: [float(n)] for n in range(20)}
    kinds = OfSet(things, lambda drawn: float(len(set(drawn))))  # a draw has 13 of 20 kinds
    found = figure(kinds, draws=200)
    assert found.value == 20 and found.low < 20 < found.high
    nothing = OfSet(things, lambda drawn: None)
    assert math.isnan(figure(nothing, draws=10).value)
    assert difference(nothing, kinds, draws=10) is None, "what has no value can't differ"


def test_holm_asks_more_of_the_smallest_p() -> None:
    # 0.01 * 3, 0.02 * 2, and 0.9, but never less than those before (Holm 1979)
    assert holm([0.9, 0.01, 0.02]) == pytest.approx([0.9, 0.03, 0.04])
    assert holm([0.04, 0.03]) == pytest.approx([0.06, 0.06])
    assert holm([0.7, 0.8]) == pytest.approx([1, 1]) and holm([]) == []


def test_a_few_prompts_prove_nothing_though_they_agree() -> None:
    for n, p in ((1, 1.0), (5, 0.0625)):
        better, worse = (Mean([value] * n, range(n)) for value in (1.0, 0.0))
        apart = difference(better, worse)
        assert apart is not None and apart.value == 1.0 and apart.p == p
