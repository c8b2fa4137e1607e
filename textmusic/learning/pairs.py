"""Preferences as pairs of training examples, and their batches."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from textmusic.feedback.preferences import Liked, Preferences
from textmusic.learning.examples import Example, collate, joined
from textmusic.tokens.tokenizer import Tokenizer

HELD_OUT = 8  # one pair in so many is held out
TOO_LONG = "with a piece that is longer than the model looks back on"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two examples of one caption. prompt: what both answer, the same for the same."""

    chosen: Example
    rejected: Example
    prompt: int

    @property
    def length(self) -> int:
        """Ids of the longer one."""
        return max(len(self.chosen.ids), len(self.rejected.ids))


def encoded(
    found: Preferences, tokenizer: Tokenizer, longest: int
) -> tuple[list[Pair], Preferences]:
    """Preferences as ids, and those of them that are so: of up to `longest` ids."""
    prompts: dict[Any, int] = {}
    pairs, kept, left_out = [], [], Counter(found.left_out)
    for one in found.pairs:
        try:
            chosen, rejected = (_example(piece, tokenizer) for piece in (one.chosen, one.rejected))
        except (KeyError, AssertionError):  # an instrument or metre that no model writes, 65 bars
            left_out[TOO_LONG] += 1
            continue
        pair = Pair(chosen, rejected, prompts.setdefault(one.chosen.group, len(prompts)))
        if pair.length > longest:
            left_out[TOO_LONG] += 1
        else:
            pairs.append(pair)
            kept.append(one)
    return pairs, Preferences(tuple(kept), left_out)


def _example(piece: Liked, tokenizer: Tokenizer) -> Example:
    """A piece as it was written, id for id: caption, plan, sketch and score."""
    report, plan = piece.report, piece.report.planned
    sketch = tokenizer.encode_sketch(report.sketch, plan.key)
    score = tokenizer.encode_score(piece.score, plan)
    return joined(tokenizer, report.caption, plan, sketch, score)


def split(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Pairs to learn from, and about an eighth to measure on: of other prompts, if there are."""
    by_prompt: dict[int, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_prompt[pair.prompt].append(pair)
    groups = list(by_prompt.values()) if len(by_prompt) > 1 else [[pair] for pair in pairs]
    random.Random(0).shuffle(groups)
    held_out: list[Pair] = []
    while len(held_out) < len(pairs) / HELD_OUT and len(groups) > 1:
        held_out += groups.pop()
    return [pair for group in groups for pair in group], held_out


def grouped(pairs: Sequence[Pair], tokens: int) -> list[list[int]]:
    """Places of pairs of like length, so many in a group that its ids are about `tokens`."""
    groups: list[list[int]] = [[]]
    for place in sorted(range(len(pairs)), key=lambda place: pairs[place].length):
        if groups[-1] and 2 * (len(groups[-1]) + 1) * pairs[place].length > tokens:
            groups.append([])
        groups[-1].append(place)
    return groups


def batch(pairs: Sequence[Pair], margins: Sequence[float]) -> dict[str, Any]:
    """A batch as the trainer takes it, see `Preferring.forward`."""
    rows = [example for pair in pairs for example in (pair.chosen, pair.rejected)]
    made = collate(rows) | {"notes": 0, "pairs": len(pairs)}
    return made | {"margins": np.array(margins, dtype=np.float32)}


def batches(
    pairs: Sequence[Pair], margins: Sequence[float], tokens: int, *, seed: int, skip: int = 0
) -> Iterator[dict[str, Any]]:
    """Endless batches, all pairs in each pass; `skip` of them are passed over, for resuming."""
    groups, index = grouped(pairs, tokens), 0
    for passed in count():
        order = list(groups)
        random.Random(f"{seed}/{passed}").shuffle(order)
        for group in order:
            index += 1
            if index > skip:
                yield batch([pairs[i] for i in group], [margins[i] for i in group])


def hash_of(pairs: Sequence[Pair]) -> str:
    """SHA-256 of all ids."""
    digest = hashlib.sha256()
    for pair in pairs:
        for example in (pair.chosen, pair.rejected):
            digest.update(example.ids.astype("<i8").tobytes())
    return digest.hexdigest()
