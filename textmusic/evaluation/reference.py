"""Compare pieces with the training data: are they original, do they sound like their genre?"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from textmusic.corpus.windows import Window, read_windows
from textmusic.evaluation.bootstrap import Mean, Sample
from textmusic.evaluation.distributions import NotesAndPlan, opening
from textmusic.evaluation.features import features
from textmusic.music.notes import Floats, notes_of
from textmusic.music.plan import GENRES
from textmusic.music.runs import Repertoire, moves
from textmusic.music.theory import DEFAULT_TEMPO, DRUMS, TIME_SIGNATURES, is_minor
from textmusic.system.progress import tracked
from textmusic.tokens.tokenizer import Tokenizer

TOP = 3  # a genre is recognised if the classifier has it among so many likeliest of 41
CLASSIFIED = 6000  # training windows that the classifier learns from


@dataclass(frozen=True, slots=True)
class Reference:
    """The training set's lines, and a classifier of genres that has learnt from it."""

    repertoire: Repertoire
    classifier: GenreClassifier

    @classmethod
    def prepare(cls, data: Path, tokenizer: Tokenizer, *, seed: int = 0) -> Reference:
        """Read the training split that `textmusic prepare` wrote."""
        rng = random.Random(seed)
        train = read_windows(data / "train.parquet")

        def notes(window: Window) -> NotesAndPlan:
            return _piece(window, tokenizer)

        known = (moves(notes(w)[0]) for w in tracked(train, "reading the training set"))
        sample = rng.sample(train, min(CLASSIFIED, len(train)))
        classifier = GenreClassifier.fit(
            [notes(w) for w in tracked(sample, "learning genres")], [w.genres for w in sample], rng
        )
        return cls(Repertoire(known), classifier)

    def samples(
        self, pieces: Sequence[NotesAndPlan], asked: Sequence[Sequence[str]], prompts: Sequence[int]
    ) -> dict[str, Sample]:
        """How original pieces are, and whether they sound like an asked genre.

        longest shared run, steps: of moves from note to note that a training piece has too (see
        `music.runs`), 0 upwards; genre recognised: an asked genre is among the classifier's `TOP`
        likeliest, 0 or 1. asked: genres of each piece. prompts: which one each answers.
        """
        lines = [moves(opening(piece)[0]) for piece in tracked(pieces, "looking for quotations")]
        runs = [self.repertoire.longest_run(line) if len(line) else math.nan for line in lines]
        known = [
            float(bool(set(self.classifier.likeliest(piece, TOP)) & set(names)))
            if names else math.nan
            for piece, names in zip(pieces, asked, strict=True)
        ]  # fmt: skip
        return {
            "longest shared run, steps": Mean(runs, prompts),
            "genre recognised": Mean(known, prompts),
        }


def real_pieces(split: Path, tokenizer: Tokenizer, *, seed: int = 0) -> list[NotesAndPlan]:
    """The pieces of a split that `textmusic prepare` wrote, one a tune."""
    tunes: dict[str, Window] = {}
    windows = read_windows(split)
    for window in random.Random(seed).sample(windows, len(windows)):
        tunes.setdefault(window.group, window)
    return [_piece(window, tokenizer) for window in tunes.values()]


def _piece(window: Window, tokenizer: Tokenizer) -> NotesAndPlan:
    return notes_of(tokenizer.decode_score(list(window.ids), window.plan)), window.plan


@dataclass(frozen=True, slots=True)
class GenreClassifier:
    """Softmax regression over features, instruments, metre, tempo and mode."""

    weights: Floats  # (features + 1, genres)
    centre: Floats
    scale: Floats

    @staticmethod
    def fit(
        pieces: Sequence[NotesAndPlan], genres: Sequence[Sequence[str]], rng: random.Random
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

    def likeliest(self, piece: NotesAndPlan, n: int) -> list[str]:
        """The n likeliest genres of a piece."""
        x = np.append((np.array(_describe(piece)) - self.centre) / self.scale, 1.0)
        return [GENRES[i] for i in np.argsort(-(x @ self.weights))[:n]]


def _describe(piece: NotesAndPlan) -> list[float]:
    notes, plan = opening(piece)
    row = [0.0 if value != value else value for value in features(notes, plan).values()]
    row += [float(np.log(plan.tempo or DEFAULT_TEMPO))]
    row += [float(plan.key is not None and is_minor(plan.key))]
    row += [float(plan.time_signature == metre) for metre in TIME_SIGNATURES]
    families = {program // 8 for program in plan.programs or ()}
    row += [float(family in families) for family in range(DRUMS // 8 + 1)]
    row += [float(len(plan.programs or ()) == n) for n in range(1, 7)]
    row += [float(notes.velocity.mean()) / 127]
    return row
