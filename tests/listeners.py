"""What tests of the listening test share: two models, and a pair of their answers."""

from __future__ import annotations

from pathlib import Path

from textmusic.listening.pairs import Pair, Side

MODELS = ("zebramodel", "yakmodel")


def pair(key: str = "p1", prompt: str = "calm piano", models: tuple[str, str] = MODELS) -> Pair:
    """A pair whose files need not exist."""
    first, second = (Side(model, Path(model) / "0001.mid") for model in models)
    return Pair(key, prompt, first, second)
