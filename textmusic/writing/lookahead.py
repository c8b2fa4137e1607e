"""The harmony of a hole, chosen with an ear for the bar behind it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np

from textmusic.engines.protocol import Floats32
from textmusic.music.outline import AskedRow
from textmusic.tokens.sampling import surprise
from textmusic.tokens.sketch_grammar import SketchGrammar

TRIES = 4


class Lookahead:
    """Several sketches of a hole, of which one is kept.

    A sketch is written from left to right, so that the model can't see what stands behind a hole:
    the chord there comes as it may. Rows are drawn several times, each is weighed by how likely the
    model then finds the chord behind the hole, and one is drawn by these weights: sampling
    importance resampling (Rubin 1987), whose draws tend to those of p(rows | before, behind).
    """

    def __init__(self, bar: int, asked: Sequence[AskedRow], first: int) -> None:
        """bar: the first that stands behind the hole. asked: of all bars. first: of the hole."""
        self._bar = bar
        hole, behind = asked[first:bar], asked[bar : bar + 1]
        is_open = any(row.chords is None for row in hole)
        self._wanted = bool(behind and behind[0].chords) and is_open
        self._begun: tuple[SketchGrammar, int] | None = None
        self._found: list[tuple[float, SketchGrammar, list[int]]] = []
        self._nats: float | None = None

    def listens(self, grammar: SketchGrammar) -> bool:
        """Whether what comes next is the chord behind the hole, to be weighed."""
        return self._wanted and grammar.comes_to == self._bar

    def choosing(self, grammar: SketchGrammar, ids: Sequence[int]) -> None:
        """Something open is chosen: the first time, where all tries begin."""
        if self._wanted and self._begun is None:
            self._begun = (copy(grammar), len(ids))

    def weigh(self, logits: Floats32, chord: int, chords: slice) -> None:
        """How likely the chord behind the hole is among all chords. chord: its id."""
        self._nats = surprise(logits[chords], chord - chords.start)

    def turn(
        self, grammar: SketchGrammar, ids: list[int], rng: np.random.Generator
    ) -> tuple[SketchGrammar, list[int]] | None:
        """What is written goes on from, where that is not what there is: another try, or the one
        that is kept."""
        if self._nats is None or self._begun is None:
            return None
        self._found.append((self._nats, grammar, list(ids)))
        self._nats = None
        if len(self._found) < TRIES:
            begun, length = self._begun
            return copy(begun), ids[:length]
        self._wanted = False
        weights = np.exp(-np.array([nats for nats, _, _ in self._found]))
        kept = int(rng.choice(len(self._found), p=weights / weights.sum()))
        return self._found[kept][1:]
