"""A drummer keeps to a kit: what has not been struck in the first bars is seldom struck later.

Where drums join a band, real pieces begin with four different ones and come to five. A model that
has seen little music begins with seven and comes to ten: it strikes one new drum after the other,
and the more it has struck, the more it thinks of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from textmusic.music.theory import DRUMS
from textmusic.tokens.folding import Struck
from textmusic.tokens.layout import Floats32, Layout
from textmusic.tokens.score_grammar import ScoreGrammar

FIRST_BARS = 2  # bars with drums in which the kit is found
# What another drum loses at strength 1, for each that the kit has: in these bars, and behind them.
JOINING_NATS, NEW_NATS = 0.2, 0.6


class Kit:
    """The drums of a piece."""

    def __init__(self, layout: Layout, bars: Mapping[int, Sequence[Struck]]) -> None:
        """bars: the notes of each bar that is written; it grows as they come."""
        self._layout, self._bars = layout, bars
        self._heard: dict[int, tuple[int, frozenset[int]]] = {}  # of a bar: its notes, its drums

    def guided(self, logits: Floats32, grammar: ScoreGrammar, strength: float) -> Floats32:
        """Logits (M,) in which drums that have not been struck are less likely.

        strength: 0 leaves the logits as they are.
        """
        if grammar.program != DRUMS or grammar.position < 0:
            return logits
        played = {bar: drums for bar in self._bars if (drums := self._drums(bar))}
        if not played:
            return logits
        nats = JOINING_NATS if len(played.keys() - {grammar.bar}) < FIRST_BARS else NEW_NATS
        kit = frozenset[int]().union(*played.values())
        ids = np.arange(*self._layout.spans["PitchDrum"])
        new = np.zeros(self._layout.size, dtype=np.bool_)
        new[ids[~np.isin(ids - self._layout.drum_base, list(kit))]] = True
        if grammar.expects == "inside" and grammar.pitch >= max(kit):
            for kind in ("Velocity", "Duration"):  # only a new drum can come behind them here
                new[slice(*self._layout.spans[kind])] = True
        return logits - strength * nats * len(kit) * new

    def _drums(self, bar: int) -> frozenset[int]:
        """The drums of a bar; those of bars that have not grown are kept, for there may be 256."""
        notes = self._bars[bar]
        count, drums = self._heard.get(bar, (-1, frozenset()))
        if count != len(notes):
            drums = frozenset(note.pitch for note in notes if note.program == DRUMS)
            self._heard[bar] = len(notes), drums
        return drums
