"""Plans and sketches read back from what a tokenizer wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textmusic.music.plan import Plan, decode_plan
from textmusic.music.sketch import Row, Sketch, decode_chord
from textmusic.music.theory import shift_of
from textmusic.tokens.tokenizer import Tokenizer


def plan_of_ids(tokenizer: Tokenizer, ids: Sequence[int]) -> Plan:
    """The plan that music ids spell."""
    return decode_plan([tokenizer.vocabulary[i] for i in ids])


def sketch_of_ids(tokenizer: Tokenizer, ids: Sequence[int], key: str | None) -> Sketch:
    """The sketch that music ids spell."""
    return decode_sketch([tokenizer.vocabulary[i] for i in ids], key)


def decode_sketch(tokens: Sequence[str], key: str | None) -> Sketch:
    """Inverse of `encode_sketch`."""
    count, shift = sum(token.startswith("Bar_") for token in tokens), shift_of(key)
    rows: list[Row] = []
    beat = 0
    for token in tokens:
        kind, _, value = token.partition("_")
        if kind == "Bar":
            rows.append(Row())
            beat = 0
        elif kind == "Like":
            rows[-1] = replace(rows[-1], like=count - int(value))
        elif kind == "Vary":
            rows[-1] = replace(rows[-1], vary=count - int(value))
        elif kind == "Beat":
            beat = int(value)
        elif kind == "Chord":
            change = (beat, decode_chord(token, shift))
            rows[-1] = replace(rows[-1], chords=(*rows[-1].chords, change))
    return Sketch(tuple(rows))
