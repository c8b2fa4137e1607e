"""A set of written pieces beside real ones: distributions, endings, loops, originality, genre."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from textmusic.features import (
    chromatic_share,
    empty_bars,
    ends_on_tonic,
    features,
    longest_loop,
    overlap,
)
from textmusic.learning.corpus import Window
from textmusic.learning.dataset import read_windows
from textmusic.measure import Notes, notes_of
from textmusic.metrics import Figure, bootstrap
from textmusic.plan import DRUMS, GENRES, TIME_SIGNATURES, Plan, is_minor, quarters_per_bar
from textmusic.similarity import Repertoire, moves
from textmusic.tokenizer import Tokenizer

Floats = NDArray[np.float64]
Piece = tuple[Notes, Plan]
BARS = 8  # of every piece that are looked at, so that long and short ones compare
TOP = 3  # a genre is recognised if the classifier has it among so many likeliest of 41
CLASSIFIED = 6000  # training windows that the classifier learns from


@dataclass(frozen=True, slots=True)
class Comparison:
    """Real pieces of the test split, the training set's lines, and a classifier of genres.

    genres: those of each real piece.
    """

    real: tuple[Piece, ...]
    genres: tuple[tuple[str, ...], ...]
    repertoire: Repertoire
    classifier: GenreClassifier

    @classmethod
    def prepare(cls, data: Path, tokenizer: Tokenizer, *, seed: int = 0) -> Comparison:
        """Read the splits that training/prepare.py wrote; one test piece a tune."""
        rng = random.Random(seed)
        tunes = _one_a_tune(data / "test.parquet", rng)
        train = read_windows(data / "train.parquet")

        def notes(window: Window) -> Piece:
            return _piece(window, tokenizer)

        known = (moves(notes(w)[0]) for w in track(train, "reading the training set"))
        sample = rng.sample(train, min(CLASSIFIED, len(train)))
        classifier = GenreClassifier.fit(
            [notes(w) for w in track(sample, "learning genres")], [w.genres for w in sample], rng
        )
        real = [notes(w) for w in tunes]
        genres = tuple(w.genres for w in tunes)
        return cls(tuple(real), genres, Repertoire(known), classifier)

    def figures(self, pieces: Sequence[Piece]) -> dict[str, dict[str, float]]:
        """Rows of figures, each for the written pieces, the real ones, and real against real."""
        rows = distributions(pieces, self.real)
        rows["longest shared run, steps"] = {
            "written": self._shared(pieces),
            "real": self._shared(self.real),
        }
        return rows

    def _shared(self, pieces: Sequence[Piece]) -> float:
        """Mean over pieces of the longest run of moves that also stands in a training piece."""
        lines = [moves(notes) for notes, _ in map(_opening, pieces)]
        return float(np.mean([self.repertoire.longest_run(line) for line in lines if len(line)]))

    def recognised(self, pieces: Sequence[Piece], asked: Sequence[Sequence[str]]) -> Figure:
        """Share of pieces that have an asked genre among the classifier's `TOP` likeliest."""
        rows = [(piece, names) for piece, names in zip(pieces, asked, strict=True) if names]
        return bootstrap([
            bool(set(self.classifier.likeliest(piece, TOP)) & set(names)) for piece, names in rows
        ])  # fmt: skip


def real_pieces(split: Path, tokenizer: Tokenizer, *, seed: int = 0) -> list[Piece]:
    """The pieces of a split that training/prepare.py wrote, one a tune."""
    return [_piece(window, tokenizer) for window in _one_a_tune(split, random.Random(seed))]


def _one_a_tune(split: Path, rng: random.Random) -> list[Window]:
    tunes: dict[str, Window] = {}
    for window in rng.sample(windows := read_windows(split), len(windows)):
        tunes.setdefault(window.group, window)
    return list(tunes.values())


def _piece(window: Window, tokenizer: Tokenizer) -> Piece:
    return notes_of(tokenizer.decode_score(list(window.ids), window.plan)), window.plan


def distributions(pieces: Sequence[Piece], real: Sequence[Piece]) -> dict[str, dict[str, float]]:
    """Rows of figures, each for the written pieces and the real ones.

    Overlapping areas of each feature's distribution (real: one half of the pieces against the
    other, the ceiling), their mean, and means of single figures.
    """
    ours, theirs = _table(map(_opening, pieces)), _table(map(_opening, real))
    half = np.random.default_rng(0).permutation(len(real))
    one, two = half[: len(half) // 2], half[len(half) // 2 :]
    rows: dict[str, dict[str, float]] = {}
    for name in ours:
        rows[f"overlap, {name}"] = {
            "written": overlap(ours[name], theirs[name]),
            "real": overlap(theirs[name][one], theirs[name][two]),
        }
    rows["overlap, mean"] = {
        who: float(np.mean([row[who] for row in rows.values()])) for who in ("written", "real")
    }
    means = {name: {"written": mean(pieces), "real": mean(real)} for name, mean in MEANS.items()}
    return rows | means


def _table(pieces: Iterable[Piece]) -> dict[str, Floats]:
    rows = [features(notes, plan) for notes, plan in pieces]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _opening(piece: Piece) -> Piece:
    """The first `BARS` bars."""
    notes, plan = piece
    stop = BARS * quarters_per_bar(plan.time_signature or "4/4")
    inside = notes.start < stop - 1e-6
    if not inside.any():
        return piece
    cut = Notes(
        notes.start[inside],
        np.minimum(notes.duration[inside], stop - notes.start[inside]),
        notes.pitch[inside],
        notes.velocity[inside],
        notes.program[inside],
    )
    return cut, replace(plan, bars=min(plan.bars or BARS, BARS))


def _mean_of_known(values: Iterable[float | None]) -> float:
    known = [float(value) for value in values if value is not None and value == value]
    return float(np.mean(known)) if known else float("nan")


MEANS: dict[str, Callable[[Sequence[Piece]], float]] = {
    "ends on the tonic": lambda pieces: _mean_of_known(
        ends_on_tonic(notes, plan.key) for notes, plan in pieces if plan.end
    ),
    "notes outside the scale": lambda pieces: _mean_of_known(
        chromatic_share(notes, plan.key) for notes, plan in pieces
    ),
    "empty bars": lambda pieces: _mean_of_known(empty_bars(*_opening(piece)) for piece in pieces),
    "longest repeated loop, bars": lambda pieces: _mean_of_known(
        longest_loop(*_opening(piece)) for piece in pieces
    ),
}


@dataclass(frozen=True, slots=True)
class GenreClassifier:
    """Softmax regression over features, instruments, metre, tempo and mode."""

    weights: Floats  # (features + 1, genres)
    centre: Floats
    scale: Floats

    @staticmethod
    def fit(
        pieces: Sequence[Piece], genres: Sequence[Sequence[str]], rng: random.Random
    ) -> GenreClassifier:
        """Learn from labelled pieces; of several labels all count alike."""
        rows = np.array([_describe(piece) for piece in pieces])
        centre, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
        x = np.column_stack([(rows - centre) / scale, np.ones(len(rows))])
        y = np.zeros((len(rows), len(GENRES)))
        for row, names in zip(y, genres, strict=True):
            known = [GENRES.index(name) for name in names if name in GENRES] or [len(GENRES) - 1]
            row[known] = 1 / len(known)
        weights = np.zeros((x.shape[1], len(GENRES)))
        velocity = np.zeros_like(weights)
        for _ in range(400):  # full-batch gradient descent with momentum
            p = np.exp(x @ weights - (x @ weights).max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            velocity = 0.9 * velocity - 0.5 * (x.T @ (p - y) / len(x) + 1e-4 * weights)
            weights = weights + velocity
        return GenreClassifier(weights, centre, scale)

    def likeliest(self, piece: Piece, n: int) -> list[str]:
        """The n likeliest genres of a piece."""
        x = np.append((np.array(_describe(piece)) - self.centre) / self.scale, 1.0)
        return [GENRES[i] for i in np.argsort(-(x @ self.weights))[:n]]


def _describe(piece: Piece) -> list[float]:
    notes, plan = _opening(piece)
    row = [0.0 if value != value else value for value in features(notes, plan).values()]
    row += [float(np.log(plan.tempo or 120.0)), float(plan.key is not None and is_minor(plan.key))]
    row += [float(plan.time_signature == metre) for metre in TIME_SIGNATURES]
    families = {program // 8 for program in plan.programs or ()}
    row += [float(family in families) for family in range(DRUMS // 8 + 1)]
    row += [float(len(plan.programs or ()) == n) for n in range(1, 7)]
    row += [float(notes.velocity.mean()) / 127]
    return row
