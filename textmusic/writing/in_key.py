"""Harmony that keeps to a key: of several sketches, one whose chords speak for it."""

from __future__ import annotations

from copy import copy
from itertools import pairwise

import numpy as np

from textmusic.music.measure import key_scores
from textmusic.music.plan import Plan
from textmusic.music.sketch import Sketch, beats_per_bar
from textmusic.music.theory import is_minor, tonic
from textmusic.tokens.sketch_grammar import SketchGrammar

TRIES = 6
# Of pieces whose chords speak for their key so clearly 88 % are heard in it, of others 47 % (227
# pieces of the bundled model; docs/sampling.md has more).
CLEAR = 0.15


class KeyKept:
    """Several sketches of a window, of which the first is kept that is clearly in its key.

    Each chord of a sketch looks back on few others: now and then they settle in another key than
    was asked for, and the notes follow. Favouring the tonic would make all pieces alike; writing
    the sketch again leaves it as varied as music in that key is.
    """

    def __init__(self, plan: Plan, grammar: SketchGrammar, begun: int) -> None:
        """plan: with the key. grammar: before its first choice. begun: ids up to there."""
        self._plan, self._begun, self._ids = plan, copy(grammar), begun
        self._found: list[tuple[float, SketchGrammar, list[int]]] = []

    def turn(self, grammar: SketchGrammar, ids: list[int]) -> tuple[SketchGrammar, list[int]]:
        """A sketch is complete: the beginning of another one, or the sketch that is kept.

        ids: of the window up to its end.
        """
        self._found.append((clearness(grammar.sketch, self._plan), grammar, ids))
        clear, best, its_ids = max(self._found, key=lambda found: found[0])
        if clear < CLEAR and len(self._found) < TRIES:
            return copy(self._begun), ids[: self._ids]
        return best, its_ids


def clearness(sketch: Sketch, plan: Plan) -> float:
    """By how much the plan's key fits the chords better than any other key does, -2 to 2.

    It is the difference of correlations, see `key_scores`; each chord counts as long as it lasts.
    2 for a sketch without chords.
    """
    assert plan.time_signature is not None
    beats, weights = beats_per_bar(plan.time_signature), np.zeros(12)
    changes = [
        (bar * beats + beat, chord)
        for bar, row in enumerate(sketch.rows) for beat, chord in row.chords
    ]  # fmt: skip
    for (begin, chord), (end, _) in pairwise([*changes, (len(sketch.rows) * beats, None)]):
        weights[list(chord.tones) if chord else []] += end - begin
    if not weights.any():
        return 2.0
    scores = key_scores(weights)
    own = tonic(str(plan.key)) + 12 * is_minor(str(plan.key))
    return float(scores[own] - np.delete(scores, own).max())
