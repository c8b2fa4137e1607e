"""How a piece is played: what a MIDI file says of that beside its notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textmusic.music.theory import DRUMS

if TYPE_CHECKING:
    from textmusic.music.plan import Plan


@dataclass(frozen=True, slots=True)
class Playing:
    """amount: 0 (as it is written) to 1. seed: of what is left to chance. genre: None if open.

    steady: whether the tempo is kept, whatever the genre does: with drums, and in loops.
    """

    amount: float
    seed: int
    genre: str | None = None
    steady: bool = False

    @staticmethod
    def of(plan: Plan, seed: int, amount: float, *, loop: bool = False) -> Playing:
        """How a piece of this plan is played."""
        return Playing(amount, seed, plan.genre, loop or DRUMS in (plan.programs or ()))
