"""Whether vocabulary.json and remi.json are those of this version: ids mean tokens by their place.

A list that lacks a token, or has two of them exchanged, would still load, and write other music.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from textmusic.music.plan import COUNTED_BARS, field_vocabulary
from textmusic.music.sketch import sketch_vocabulary
from textmusic.tokens.folding import END

PLAN, SKETCH, SCORE, FILL = "<|plan|>", "<|sketch|>", "<|score|>", "<|fill|>"
MARKS = (PLAN, SKETCH, SCORE, FILL, END)
NOTE_KINDS = ("Pitch", "Velocity", "Duration", "Position", "PitchDrum")
_NOTE = re.compile(rf"(?:{'|'.join(NOTE_KINDS)})_\d{{1,4}}(?:\.\d{{1,4}}\.\d{{1,4}})?")


def known_tokens() -> list[str]:
    """The tokens before those of notes: marks, plan, counted bars, sketch."""
    plan = [token for tokens in field_vocabulary().values() for token in tokens]
    bars = [f"Bar_{n}" for n in range(1, COUNTED_BARS + 1)]
    return [*MARKS, *plan, *bars, *sketch_vocabulary()]


def is_vocabulary(found: object) -> bool:
    """Whether what vocabulary.json holds is a whole list of music tokens, in its order."""
    if not isinstance(found, list) or not all(isinstance(token, str) for token in found):
        return False
    known = known_tokens()
    return found[: len(known)] == known and _are_notes(found[len(known) :])


def _are_notes(tokens: list[str]) -> bool:
    """Whether tokens are MidiTok's, each kind's values in ascending order."""
    if not all(map(_NOTE.fullmatch, tokens)):
        return False
    values: dict[str, list[Fraction]] = {kind: [] for kind in NOTE_KINDS}
    for token in tokens:
        values[token.split("_")[0]].append(_value(token))
    return all(found and found == sorted(set(found)) for found in values.values())


def _value(token: str) -> Fraction:
    """What a token stands for; durations are "beats.parts.parts a beat"."""
    whole, *part = map(int, token.split("_")[1].split("."))
    return Fraction(whole) + (Fraction(part[0], part[1] or 1) if part else 0)


def is_remi(found: Any, ours: Path) -> bool:
    """Whether a remi.json tells MidiTok the same as the one that came with this package."""
    wanted = json.loads(ours.read_text(encoding="utf-8"))
    return isinstance(found, dict) and all(
        found.get(name) == wanted[name] for name in ("config", "tokenization")
    )
