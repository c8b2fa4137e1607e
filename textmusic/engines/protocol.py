"""Ids in, logits out. An engine knows no music: no grammar, no plan, no sampling."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Floats32 = NDArray[np.float32]
SLOTS = 8  # sequences side by side where many are to be written; more gain little on a CPU


class Engine(Protocol):
    """What the decode loop needs of a model: sequences side by side, each in a slot of its own."""

    context: int  # ids it can look back on at most
    music: int  # how many music ids there are: the width of its logits

    def reserve(self, slots: int) -> None:
        """Make room for so many sequences; forgets everything."""

    def prefill(self, slots: range, ids: Ids) -> Floats32:
        """Read one sequence (T,) into slots that forget what they held; music logits (M,)."""

    def step(self, ids: Ids) -> Floats32:
        """Read one more id in each of the first B slots, (B,); music logits (B, M)."""

    def extend(self, slot: int, ids: Ids) -> None:
        """Read more ids (T,) into a slot, whose logits nobody asks for."""

    def move(self, source: int, target: int) -> None:
        """Let a slot hold what another one holds."""

    def length(self, slot: int) -> int:
        """How many ids a slot holds."""

    def logits(self, ids: Ids) -> Floats32:
        """Music logits (T, M) at every music place of ids (T,): for measuring a model."""
