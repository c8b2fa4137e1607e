"""Activations -> what may be notes, and what of each tells notes from overtones and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textmusic.transcription.activations import KEYS, Activations

Matrix = NDArray[np.float32]
Ints = NDArray[np.int64]
BEGINNING = 0.25  # least height of a peak of "beginning"
SOUNDING = 0.2  # least of "sounding", from a note's beginning to its end
GAP = 4  # frames; shorter ones do not end a note
OVERTONES = (12, 19, 24, 28, 31)  # semitones from a note to its second to sixth partial
FEATURES = 25

_PAD = 6  # frames before the first and behind the last
_KEYS_PAD = 36
_CLOSE = 5  # frames from where a note sounds to its peak of "beginning"


@dataclass(frozen=True, slots=True)
class Candidates:
    """Places where a note may begin, by key and time.

    first, next: frames where it begins, and where the next one of its key does or it ends. stop:
    where the sounding ends altogether. key: 0 to 87. features: (N, `FEATURES`).
    """

    first: Ints
    next: Ints
    stop: Ints
    key: Ints
    features: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)


def candidates_of(heard: Activations) -> Candidates:
    """All places where a note may begin."""
    rows: list[tuple[int, int, int, int, bool]] = []
    for key in range(KEYS):
        peaks = _peaks(heard.beginning[:, key])
        for first, stop in _runs(heard.sounding[:, key] >= SOUNDING):
            inside = peaks[(peaks >= first - 2) & (peaks < stop)]
            begun = [int(p) for p in inside]
            if not begun or begun[0] - first >= _CLOSE:
                begun = [first, *begun]
            known = set(inside.tolist())
            rows += [
                (at, until, stop, key, at in known)
                for at, until in zip(begun, [*begun[1:], stop], strict=True)
            ]
    table = np.array(rows, dtype=np.int64).reshape(-1, 5)
    features = _features(heard, table) if len(table) else np.zeros((0, FEATURES))
    return Candidates(table[:, 0], table[:, 1], table[:, 2], table[:, 3], features)


def _features(heard: Activations, table: Ints) -> NDArray[np.float64]:
    """What is heard around each place: on its key, on the keys beside it and a partial away."""
    margins = ((_PAD, _PAD), (_KEYS_PAD, _KEYS_PAD))
    sounding, beginning = (np.pad(a, margins) for a in (heard.sounding, heard.beginning))
    made = np.zeros((len(table), FEATURES))
    for row, (first, until, stop, key, begun) in zip(made, table.tolist(), strict=True):
        t, k = first + _PAD, key + _KEYS_PAD
        struck = beginning[t - 1 : t + 2].max(axis=0)
        after = sounding[t : t + 6].mean(axis=0)
        before = float(sounding[max(t - 5, 0) : t - 1, k].mean())
        lasting = sounding[t : t + max(until - first, 2)].mean(axis=0)
        under = max(lasting[k - off] for off in OVERTONES)
        beside = max(lasting[k - 1], lasting[k + 1])
        elsewhere = max(struck[:k].max(), struck[k + 1 :].max())
        row[:] = (
            struck[k], after[k], before, after[k] - before, lasting[k],
            np.log(max(until - first, 1)), np.log(max(stop - first, 1)), begun,
            beside, max(struck[k - 1], struck[k + 1]),
            under, max(struck[k - off] for off in OVERTONES),
            lasting[k - 12], struck[k - 12], lasting[k + 12], struck[k + 12],
            lasting[k - 19], struck[k - 19], lasting[k - 24],
            lasting[k] - under, lasting[k] - beside,
            elsewhere, float((after > 0.3).sum()), key / KEYS, struck.max() - struck[k],
        )  # fmt: skip
    return made


def _peaks(values: Matrix) -> NDArray[np.intp]:
    """Where values have a peak that is high enough."""
    before = np.concatenate([[-np.inf], values[:-1]])
    after = np.concatenate([values[1:], [-np.inf]])
    return np.flatnonzero((values >= BEGINNING) & (values > before) & (values >= after))


def _runs(on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, behind the last) of the stretches that are on, across short gaps."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for first, stop in edges.reshape(-1, 2).tolist():
        if runs and first - runs[-1][1] < GAP:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((first, stop))
    return runs
