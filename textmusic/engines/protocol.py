"""Ids in, logits out. An engine knows no music: no grammar, no plan, no sampling."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Floats32 = NDArray[np.float32]
SLOTS = 8  # sequences written side by side; more gain little on a CPU


class Engine(Protocol):
    """What the decode loop needs of a model: sequences side by side, each in a slot of its own."""

    context: int  # ids in its context at most
    music: int  # how many music ids there are: the width of its logits

    def reserve(self, slots: int) -> None:
        """Make room for this many sequences; clears all slots."""

    def prefill(self, slots: range, ids: Ids) -> Floats32:
        """Read one sequence (T,) into slots, which are cleared first; music logits (M,)."""

    def step(self, ids: Ids) -> Floats32:
        """Read one more id in each of the first B slots, (B,); music logits (B, M)."""

    def extend(self, slot: int, ids: Ids) -> None:
        """Read more ids (T,) into a slot, without computing logits."""

    def reread(self, slot: int, ids: Ids, kept: int) -> None:
        """Let a slot hold a sequence (T,) instead, whose first `kept` ids are those it holds."""

    def move(self, source: int, target: int) -> None:
        """Copy one slot's contents to another slot."""

    def length(self, slot: int) -> int:
        """How many ids a slot holds."""

    def logits(self, ids: Ids) -> Floats32:
        """Music logits (T, M) at every music place of ids (T,): for measuring a model."""
