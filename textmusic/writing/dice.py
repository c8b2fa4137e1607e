"""Logits -> ids of one piece: each part of it is drawn as freely as suits it."""

from __future__ import annotations

import numpy as np

from textmusic.engines.protocol import Floats32
from textmusic.tokens.layout import Layout, Mask
from textmusic.tokens.sampling import Sampling, choose
from textmusic.tokens.sketch_counts import SketchCounts
from textmusic.tokens.sketch_grammar import SketchGrammar


class Dice:
    """The random numbers of a piece, and how freely they choose.

    Rhythm is drawn more freely than pitches and lengths, and harmony more freely still: cutting off
    unlikely ids makes every bar move like the one before it, and stay on its chord.
    """

    def __init__(
        self, sampling: Sampling, seed: int, layout: Layout, counts: SketchCounts | None
    ) -> None:
        """counts: of real sketches, which are mixed into what the model says of them."""
        self.rng = np.random.default_rng(seed)
        self._counts = counts
        self._notes, self._plan = sampling, sampling.of_plan()
        self._sketch, self._rhythm = sampling.of_sketch(), sampling.of_rhythm()
        self._which = [slice(*layout.spans[kind]) for kind in ("Pitch", "PitchDrum", "Duration")]

    def plan(self, logits: Floats32, allowed: Mask) -> int:
        """An id of the plan. logits, allowed: (M,)."""
        return choose(logits, allowed, self._plan, self.rng)

    def counted(self, logits: Floats32, allowed: Mask, grammar: SketchGrammar) -> Floats32:
        """Logits (M,) of a sketch's next id, with what is counted of real sketches."""
        if self._counts is None:
            return logits
        return self._counts.mixed(logits, allowed, grammar, self._sketch.sketch_counts)

    def sketch(self, logits: Floats32, allowed: Mask) -> int:
        """An id of the sketch. logits, allowed: (M,)."""
        return choose(logits, allowed, self._sketch, self.rng)

    def score(self, logits: Floats32, allowed: Mask) -> int:
        """An id of the score. logits, allowed: (M,).

        Pitches and lengths are drawn in two steps: first whether one comes, as freely as rhythm,
        then which one.
        """
        music_id = choose(logits, allowed, self._rhythm, self.rng)
        for span in () if self._rhythm == self._notes else self._which:
            if span.start <= music_id < span.stop:
                only = np.zeros_like(allowed)
                only[span] = allowed[span]
                return choose(logits, only, self._notes, self.rng)
        return music_id
