"""Windows of a MIDI file's bytes, as preparation cuts them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from symusic import Score

from textmusic.corpus.cutting import windows_of_score
from textmusic.corpus.windows import Window
from textmusic.tokens.tokenizer import Tokenizer


def windows_of(
    row: dict[str, Any], data: bytes, source: str, group: str, tokenizer: Tokenizer, longest: int
) -> tuple[list[Window], Counter[str]]:
    """`windows_of_score` of a MIDI file's bytes."""
    return windows_of_score(row, Score.from_midi(data), source, group, tokenizer, longest)
