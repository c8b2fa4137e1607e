"""Sets of pieces beside real ones."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from symusic import Score

from textmusic.evaluation.bootstrap import figure
from textmusic.evaluation.distributions import (
    MeanOver,
    NotesAndPlan,
    Overlap,
    beside,
    ceiling,
    opening,
    table,
)
from textmusic.evaluation.features import bandwidth, grid_over, kernels
from textmusic.music.measure import measure
from textmusic.music.notes import Floats, notes_of
from textmusic.music.theory import quarters_per_bar


@pytest.fixture(scope="module")
def music(pieces: list[Path]) -> list[NotesAndPlan]:
    scores = [Score(path) for path in pieces[:12]]
    return [(notes_of(score), measure(score)) for score in scores]


def overlap(one: Floats, two: Floats) -> float:
    """Overlapping area of two samples' densities, 0 (apart) to 1 (alike); NaNs are left out.

    Gaussian kernel density estimates with Scott's bandwidth, on one grid (Yang & Lerch 2020, of
    distances between pieces; here of the features themselves). No unit. NaN if a sample has fewer
    than two numbers.
    """
    one, two = one[~np.isnan(one)], two[~np.isnan(two)]
    if len(one) < 2 or len(two) < 2:
        return float("nan")
    grid = grid_over(one, two)
    densities = [kernels(s, grid, bandwidth(s)).mean(axis=1) for s in (one, two)]
    return float(min(np.minimum(*densities).sum() * (grid[1] - grid[0]), 1.0))


def test_the_overlap_of_all_prompts_is_that_of_the_two_samples() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(0, 1, 60), rng.normal(1, 1, 40)
    ours[3] = math.nan
    sample = Overlap(ours, theirs, [n // 2 for n in range(60)])
    whole = sample.over(sample.prompts[None])[0]
    assert whole == pytest.approx(overlap(ours, theirs), abs=1e-5)
    assert sample.n == 59 and len(sample.prompts) == 30
    some = np.repeat(np.arange(10), 3)[None]  # the first ten prompts, three times each
    kept = ours[:20][~np.isnan(ours[:20])]
    assert abs(sample.over(some)[0] - overlap(kept, theirs)) < 0.1, "but for the bandwidth"


def test_samples_overlap_with_themselves_and_not_with_what_is_far_away() -> None:
    rng = np.random.default_rng(1)
    one = rng.normal(0, 1, 400)

    def with_one(two: Floats) -> float:
        return float(Overlap(two, one, range(400)).over(np.arange(400)[None])[0])

    assert with_one(one) == pytest.approx(1, abs=0.02)
    assert with_one(one + 40) < 0.01
    # two normals one deviation apart share 2 * Phi(-1/2) = 61.7 %
    assert with_one(rng.normal(1, 1, 400)) == pytest.approx(0.617, abs=0.07)


def test_an_overlap_without_two_numbers_has_no_value_and_is_left_out_of_the_mean() -> None:
    numbers = np.array([1.0, 2.0, 3.0])
    known = Overlap(numbers, numbers, range(3))
    unknown = Overlap(np.array([1.0, math.nan, math.nan]), numbers, range(3))
    assert unknown.n == 0 and math.isnan(figure(unknown).value)
    mean = MeanOver([known, unknown])
    assert figure(mean).value == pytest.approx(figure(known).value)


def test_real_music_is_like_itself_and_half_of_it_less(music: list[NotesAndPlan]) -> None:
    same = beside(music, music, range(len(music)))
    assert figure(same["overlap, mean"]).value == pytest.approx(1, abs=0.01)
    top = ceiling(music)
    assert 0.3 < figure(top["overlap, mean"]).value < 1
    assert figure(top["empty bars"]).n == len(music), "single figures are those of all"
    assert "overlap, mean" not in ceiling(music[:1]) and figure(ceiling(music[:1])["empty bars"]).n
    other = beside([music[0]] * 5, music, range(5))
    assert figure(other["overlap, mean"]).value < 0.7


def test_only_the_opening_of_a_piece_is_looked_at(music: list[NotesAndPlan]) -> None:
    for notes, plan in map(opening, music):
        assert (plan.bars or 0) <= 8
        stop = 8 * quarters_per_bar(plan.time_signature or "")
        assert (notes.start + notes.duration).max() <= stop + 1e-6
    assert {len(column) for column in table(music).values()} == {len(music)}
