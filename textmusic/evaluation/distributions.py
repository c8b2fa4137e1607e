"""How similar the distributions of features are in written and in real pieces."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from textmusic.evaluation.bootstrap import Mean, Sample
from textmusic.evaluation.features import (
    bandwidth,
    chromatic_share,
    empty_bars,
    ends_on_tonic,
    features,
    grid_over,
    kernels,
    longest_loop,
)
from textmusic.music.notes import Floats, Ints, Notes, sliced
from textmusic.music.plan import Plan
from textmusic.music.repetition import longest_repetition
from textmusic.music.structure import FIGURES, LOOKED_AT, apart_alike, bass_comes_home
from textmusic.music.theory import quarters_per_bar

NotesAndPlan = tuple[Notes, Plan]
BARS = 8  # looked at in every piece, so that long and short pieces can be compared


def opening(piece: NotesAndPlan, bars: int = BARS) -> NotesAndPlan:
    """The first bars."""
    notes, plan = piece
    stop = bars * quarters_per_bar(plan.time_signature or "4/4")
    cut = sliced(notes, 0.0, stop)
    if not len(cut):
        return piece
    return cut, replace(plan, bars=min(plan.bars or bars, bars))


def table(pieces: Sequence[NotesAndPlan]) -> dict[str, Floats]:
    """The features of each piece's opening, (N,) each."""
    rows = [features(*opening(piece)) for piece in pieces]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


class Overlap:
    """Overlapping area of a feature's densities: ours, of any drawn prompts, and theirs; 0 to 1.

    Gaussian kernel density estimates with Scott's bandwidth (Yang & Lerch 2020, of distances
    between pieces; here of the features themselves). Bandwidth and grid stay those of all pieces,
    so that a draw costs a product of matrices.
    """

    biased = True

    def __init__(self, ours: Floats, theirs: Floats, prompts: Sequence[int]) -> None:
        """ours: (N,) of the written pieces, whose prompts are given; theirs: of the real ones."""
        groups = np.asarray(prompts, dtype=np.int64)
        kept = ~np.isnan(ours)
        ours, theirs = ours[kept], theirs[~np.isnan(theirs)]
        self.prompts = np.unique(groups)
        self.n = int(kept.sum()) if min(len(ours), len(theirs)) > 1 else 0
        if not self.n:
            return
        index = np.searchsorted(self.prompts, groups[kept])
        grid = grid_over(ours, theirs)
        self._step = float(grid[1] - grid[0])
        self._real: NDArray[np.float32] = kernels(theirs, grid, bandwidth(theirs)).mean(axis=1)
        self._bumps = np.zeros((len(self.prompts), len(grid)), dtype=np.float32)
        np.add.at(self._bumps, index, kernels(ours, grid, bandwidth(ours)).T)
        self._sizes = np.bincount(index, minlength=len(self.prompts)).astype(np.float32)

    def over(self, drawn: Ints) -> Floats:
        """The overlap of each draw, (D,), 0 to 1; see `bootstrap.Sample`."""
        if not self.n:
            return np.full(len(drawn), math.nan)
        places = np.searchsorted(self.prompts, drawn)
        counts = np.zeros((len(drawn), len(self.prompts)), dtype=np.float32)
        np.add.at(counts, (np.arange(len(drawn))[:, None], places), 1)
        density = counts @ self._bumps / np.maximum(counts @ self._sizes, 1)[:, None]
        shared: Floats = np.minimum(density, self._real).sum(axis=1, dtype=np.float64) * self._step
        return np.minimum(shared, 1.0)


class MeanOver:
    """The mean of several samples of the same pieces; those without a value are left out."""

    biased = True

    def __init__(self, parts: Sequence[Sample]) -> None:
        self._parts = [part for part in parts if part.n]
        self.prompts = parts[0].prompts
        self.n = max(part.n for part in parts)

    def over(self, drawn: Ints) -> Floats:
        """The mean of each draw, (D,); see `bootstrap.Sample`."""
        return np.asarray(np.mean([part.over(drawn) for part in self._parts], axis=0))


def beside(
    pieces: Sequence[NotesAndPlan], real: Sequence[NotesAndPlan], prompts: Sequence[int]
) -> dict[str, Sample]:
    """Overlap with the real pieces by feature, its mean, and the single figures of `figures_of`.

    prompts: which prompt each written piece answers.
    """
    ours, theirs = table(pieces), table(real)
    overlaps = {f"overlap, {n}": Overlap(ours[n], theirs[n], prompts) for n in ours}
    mean: dict[str, Sample] = {"overlap, mean": MeanOver(list(overlaps.values()))}
    return mean | overlaps | figures_of(pieces, prompts)


def ceiling(real: Sequence[NotesAndPlan]) -> dict[str, Sample]:
    """The figures of one half of the real pieces compared with the other half: the best possible.

    A single piece cannot be halved, so it has no overlap.
    """
    alone = figures_of(real, range(len(real)))
    if len(real) < 2:
        return alone
    order = np.random.default_rng(0).permutation(len(real))
    one, two = ([real[i] for i in half] for half in np.array_split(order, 2))
    return beside(one, two, range(len(one))) | alone


def figures_of(pieces: Sequence[NotesAndPlan], prompts: Sequence[int]) -> dict[str, Sample]:
    """Means of single figures of the pieces: see `SINGLE`."""
    return {
        name: Mean([_number(figure(piece)) for piece in pieces], prompts)
        for name, figure in SINGLE.items()
    }


def _first(figure: Callable[[Notes, Plan], float]) -> Callable[[NotesAndPlan], float]:
    """A figure of a piece's first bars (`LOOKED_AT`), enough to show its structure."""
    return lambda piece: figure(*opening(piece, LOOKED_AT))


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


SINGLE: Mapping[str, Callable[[NotesAndPlan], float | None]] = {
    "ends on the tonic": lambda piece: (
        ends_on_tonic(piece[0], piece[1].key) if piece[1].end else None
    ),
    "notes outside the scale": lambda piece: chromatic_share(piece[0], piece[1].key),
    "empty bars": lambda piece: empty_bars(*opening(piece)),
    "longest repeated loop, bars": lambda piece: longest_loop(*opening(piece)),
    "bass comes to the tonic at the end": lambda piece: (
        bass_comes_home(*piece) if piece[1].end else None
    ),
    "bars sixteen apart alike": lambda piece: apart_alike(*opening(piece, 2 * LOOKED_AT), lag=16),
    "longest repetition, quarters": _first(longest_repetition),
    **{name: _first(figure) for name, figure in FIGURES.items()},
}
