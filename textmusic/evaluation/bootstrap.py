"""Bootstrap over prompts: samples -> figures with intervals, and differences between two models.

Answers to one prompt are not independent, so whole prompts are drawn (Efron 1979; for models on the
same test items Koehn 2004, Berg-Kirkpatrick et al. 2012).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from textmusic.music.notes import Floats, Ints
from textmusic.result.figures import Figure

DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of one model minus that of another, on the prompts that both have answered.

    low, high: 95 % interval. p: two-sided bootstrap p-value, at least 2 / draws and at least
    `surest(n)`. n: prompts.
    """

    value: float
    low: float
    high: float
    p: float
    n: int


class Sample(Protocol):
    """The values that a figure is computed from, each belonging to a prompt."""

    prompts: Ints  # (P,) their numbers, ascending
    n: int  # how many values
    biased: bool  # whether drawing with repetition shifts the figure, as it does a distance

    def over(self, drawn: Ints) -> Floats:
        """The figure of each draw, (D,). drawn: (D, N) prompt numbers, which may repeat."""


class Mean:
    """Weighted mean: the sum of values over the sum of weights. A value that is NaN is left out."""

    biased = False

    def __init__(
        self,
        values: Sequence[float],
        groups: Sequence[int] | None = None,
        weights: Sequence[float] | None = None,
    ) -> None:
        """groups: each value's prompt; by default each has its own. weights: by default 1."""
        data = np.asarray(values, dtype=np.float64)
        self.values: Floats = data  # (N,) as they were given, NaNs too
        kept = ~np.isnan(data)
        members = np.arange(len(data)) if groups is None else np.asarray(groups, dtype=np.int64)
        weight = np.ones(len(data)) if weights is None else np.asarray(weights, dtype=np.float64)
        self.n = int(kept.sum())
        self.prompts, index = np.unique(members[kept], return_inverse=True)
        self._sums = np.bincount(index, weights=data[kept])
        self._weights = np.bincount(index, weights=weight[kept])

    def over(self, drawn: Ints) -> Floats:
        """The mean of each draw, (D,); see `Sample`."""
        index = np.searchsorted(self.prompts, drawn)
        total: Floats = self._sums[index].sum(axis=1) / self._weights[index].sum(axis=1)
        return total


class OfSet:
    """A figure of a whole set, such as a distance: `measure`, applied to the things drawn.

    NaN where `measure` gives None. Slow: it is called once a draw.
    """

    biased = True

    def __init__(
        self,
        things: Mapping[int, Sequence[Any]],
        measure: Callable[[Sequence[Any]], float | None],
    ) -> None:
        """things: by prompt number."""
        self._things, self._measure = things, measure
        self.prompts = np.array(sorted(things), dtype=np.int64)
        self.n = sum(map(len, things.values()))

    def over(self, drawn: Ints) -> Floats:
        """The figure of each draw, (D,); see `Sample`."""
        found = [self._measure([x for p in row for x in self._things[int(p)]]) for row in drawn]
        return np.array([math.nan if value is None else value for value in found])


def figure(sample: Sample, *, draws: int = DRAWS, seed: int = 0) -> Figure:
    """The figure of all prompts, with a 95 % percentile interval; NaN if there is nothing.

    The interval of a biased sample is shifted by the difference between the draws' mean and the
    figure.
    """
    if not sample.n:
        return Figure(math.nan, math.nan, math.nan, 0)
    value = float(sample.over(sample.prompts[None])[0])
    found = sample.over(_drawn(sample.prompts, draws, seed))
    low, high = _interval(value, found, sample.biased)
    return Figure(value, low, high, sample.n)


def difference(
    one: Sample, other: Sample, *, draws: int = DRAWS, seed: int = 0
) -> Difference | None:
    """The paired bootstrap: both figures of the same drawn prompts; None if they can't be compared.

    They can't if they share no prompt, or if one has no figure for the prompts that they share.
    """
    both = np.intersect1d(one.prompts, other.prompts)
    if not (len(both) and one.n and other.n):
        return None
    value = float((one.over(both[None]) - other.over(both[None]))[0])
    if math.isnan(value):
        return None
    drawn = _drawn(both, draws, seed)
    found = one.over(drawn) - other.over(drawn)
    found = found[~np.isnan(found)]
    if one.biased or other.biased:
        found = found - (found.mean() - value)
    low, high = _interval(value, found, biased=False)
    tail = min((found <= 0).mean(), (found >= 0).mean())
    p = min(max(2 * float(tail), 2 / draws, surest(len(both))), 1.0)
    return Difference(value, low, high, p, len(both))


def surest(prompts: int) -> float:
    """The smallest p-value possible with this many prompts, reached if all agree: 2 / 2^n.

    It is that of a sign test. A bootstrap alone would give 0, since all draws would agree.
    """
    return 2.0 ** (1 - prompts)


def _interval(value: float, found: Floats, biased: bool) -> tuple[float, float]:
    """The middle 95 % of the draws' values; a draw with too little data is NaN and is left out."""
    found = found[~np.isnan(found)]
    if not len(found):
        return math.nan, math.nan
    low, high = np.percentile(found, (2.5, 97.5)) - (found.mean() - value if biased else 0.0)
    return float(low), float(high)


def _drawn(prompts: Ints, draws: int, seed: int) -> Ints:
    places = np.random.default_rng(seed).integers(0, len(prompts), (draws, len(prompts)))
    return np.asarray(prompts[places])


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted for multiple comparisons (Holm 1979); each can be compared with 0.05."""
    order = np.argsort(p)
    adjusted = [0.0] * len(p)
    worst = 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(p[place] * (len(p) - rank), 1.0))
        adjusted[place] = worst
    return adjusted


def bootstrap(values: Sequence[float], groups: Sequence[int] | None = None) -> Figure:
    """Mean of values with its interval (see `figure`); NaNs are left out.

    groups: which values belong together (answers to one prompt with several seeds).
    """
    return figure(Mean(values, groups))


def collected(
    found: Iterable[Mapping[str, float]], groups: Sequence[int] | None = None
) -> dict[str, Mean]:
    """A sample for each name that occurs; its value is NaN for answers that do not have it.

    groups: answers with the same number belong to one prompt; by default each has its own.
    """
    rows = list(found)
    names = dict.fromkeys(name for one in rows for name in one)
    return {name: Mean([one.get(name, math.nan) for one in rows], groups) for name in names}


def figures(samples: Mapping[str, Sample]) -> dict[str, Figure]:
    """The figure of each sample."""
    return {name: figure(sample) for name, sample in samples.items()}
