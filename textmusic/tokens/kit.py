"""A drummer keeps to a kit: what has not been struck in the first bars is seldom struck later.

Where drums join a band, a model that has seen little music strikes one new drum after the other,
twice as many as real pieces have, and the more it has struck, the more it thinks of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from textmusic.music.theory import DRUMS
from textmusic.tokens.folding import Struck
from textmusic.tokens.layout import Floats32, Layout
from textmusic.tokens.score_grammar import ScoreGrammar

FREE_BARS = 2  # bars with drums in which any may join
# What another drum loses at strength 1, for each that the kit has.
NEW_NATS = 0.3


class Kit:
    """The drums of a piece."""

    def __init__(self, layout: Layout, bars: Mapping[int, Sequence[Struck]]) -> None:
        """bars: the notes of each bar that is written; it grows as they come."""
        self._layout, self._bars = layout, bars

    def guided(self, logits: Floats32, grammar: ScoreGrammar, strength: float) -> Floats32:
        """Logits (M,) in which drums that have not been struck are less likely.

        strength: 0 leaves the logits as they are.
        """
        if grammar.program != DRUMS or grammar.position < 0:
            return logits
        struck = [note for notes in self._bars.values() for note in notes if note.program == DRUMS]
        if sum(bar < grammar.bar for bar in {note.bar for note in struck}) < FREE_BARS:
            return logits
        kit = {note.pitch for note in struck}
        ids = np.arange(*self._layout.spans["PitchDrum"])
        new = ids[~np.isin(ids - self._layout.drum_base, list(kit))]
        guided = logits.copy()
        guided[new] -= strength * NEW_NATS * len(kit)
        return guided
