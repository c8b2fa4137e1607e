"""The ranges of music ids that each kind of token has in a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from textmusic.music.theory import DRUMS
from textmusic.tokens.folding import steps_of

Mask = NDArray[np.bool_]  # (M,) over the music ids
Floats32 = NDArray[np.float32]  # (M,) logits of them


@dataclass(frozen=True, slots=True)
class Layout:
    """The ranges of music ids that each kind of token has in a vocabulary."""

    vocabulary: tuple[str, ...]
    index: dict[str, int]
    spans: dict[str, tuple[int, int]]  # kind -> (first id, behind the last)
    durations: NDArray[np.int64]  # steps (a twelfth of a beat) of each Duration id, in id order
    tone_base: int  # id that the written pitch 0 would have
    drum_base: int  # the same for drums

    @property
    def size(self) -> int:
        """How many music ids there are."""
        return len(self.vocabulary)

    def first(self, kind: str) -> int:
        """The first id of a kind of tokens."""
        return self.spans[kind][0]

    def pitch_base(self, program: int) -> int:
        """What is added to a written pitch to make its id."""
        return self.drum_base if program == DRUMS else self.tone_base


@cache
def layout_of(vocabulary: tuple[str, ...]) -> Layout:
    """The layout of a vocabulary in which each kind of token stands together."""
    spans: dict[str, tuple[int, int]] = {}
    for i, token in enumerate(vocabulary):
        kind = token.partition("_")[0]
        spans[kind] = (spans.get(kind, (i, i))[0], i + 1)
    steps = [steps_of(token.partition("_")[2]) for token in vocabulary[slice(*spans["Duration"])]]
    index = {token: i for i, token in enumerate(vocabulary)}
    bases = (
        spans[kind][0] - int(vocabulary[spans[kind][0]].partition("_")[2])
        for kind in ("Pitch", "PitchDrum")
    )
    return Layout(vocabulary, index, spans, np.array(steps), *bases)
