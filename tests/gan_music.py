"""What the tests of the GAN share: real windows, a plan, and tiny random nets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cut_pieces import windows_of

from textmusic.corpus.windows import Window
from textmusic.music.plan import Plan
from textmusic.tokens.tokenizer import Tokenizer

SHAPE = {"width": 4, "noise": 8, "critic_steps": 3}
WALTZ = Plan(
    genre="waltz", valence=4, arousal=3, programs=(0, 40), key="A minor", tempo=150.0,
    time_signature="3/4", bars=6, density=3, begin=True, end=True,
)  # fmt: skip


def real_windows(
    tokenizer: Tokenizer, pieces: list[Path], piece_rows: list[dict[str, Any]]
) -> list[Window]:
    """Two windows at most of each real piece."""
    made = []
    for path, row in zip(pieces, piece_rows, strict=True):
        found, _ = windows_of(row, path.read_bytes(), row["source"], "", tokenizer, 600)
        made += found[:2]
    return made
