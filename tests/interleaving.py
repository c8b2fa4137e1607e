"""What interleaved sequences look like, said once more and otherwise than the library does."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from shutil import copytree
from typing import TypeVar

from textmusic.engines.folder import OLDEST
from textmusic.tokens.tokenizer import SEQUENCE, Tokenizer

ROWS = ("New", "Like_", "Vary_", "Beat_", "Chord_")
Ids = TypeVar("Ids")


def with_rows(score: list[str], sketch: list[str]) -> list[str]:
    """Tokens of a score with what the sketch says of each bar behind its line."""
    told: list[str] = []
    for token in score:
        told.append(token)
        if token.startswith("Bar_"):
            rest = sketch[sketch.index(token) + 1 :]
            lines = [i for i, t in enumerate(rest) if t.startswith("Bar_")]
            told += rest[: lines[0] if lines else len(rest)]
    return told


def without_rows(score: list[str]) -> list[str]:
    """The inverse."""
    return [token for token in score if not token.startswith(ROWS)]


def plain(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer, of sequences that are not interleaved."""
    made = copy.copy(tokenizer)
    made.interleaved = False
    return made


def plain_copy(folder: Path, place: Path) -> Path:
    """A copy of an exported model's folder whose sequences are not interleaved: format 3."""
    copytree(folder, place)
    (place / SEQUENCE).unlink()
    config = json.loads((place / "textmusic.json").read_text())
    (place / "textmusic.json").write_text(json.dumps(config | {"format": OLDEST}))
    return place
