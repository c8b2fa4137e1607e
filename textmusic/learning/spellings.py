"""Other spellings of the sequence, for training/ablate.py: what each part of the format is worth.

Besides its examples a spelling needs a writer, to hear what was learnt. The library's grammar knows
one format; here a rule that every spelling can have stands in for it: a kind of token may follow
another if it does so in the examples, and bars are counted down.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from textmusic.corpus.windows import Window
from textmusic.engines.protocol import Engine
from textmusic.learning.examples import Example, Examples
from textmusic.music.notes import Note
from textmusic.music.plan import Plan
from textmusic.tokens.folding import END, struck
from textmusic.tokens.interleaving import Rows, rows_of
from textmusic.tokens.layout import layout_of
from textmusic.tokens.sampling import Sampling, choose
from textmusic.tokens.vocabulary import SCORE, SKETCH

LONGEST_PIECE = 1800  # tokens of a piece at most; one that is cut counts as far as it goes


class Spelling(Examples):
    """Examples whose sequence lacks a part of the format.

    running: velocity and duration where they change only. sketch: the sketch before the score.
    """

    running, sketch = True, True

    def join(
        self,
        caption: str,
        plan: Plan,
        sketch: Sequence[int] | None = None,
        score: Sequence[int] | None = None,
    ) -> Example:
        """Caption, plan and what the spelling has of the rest."""
        vocabulary = self.tokenizer.vocabulary
        if score is None:
            return super().join(caption, plan, sketch)
        tokens = [vocabulary[i] for i in score]
        if not self.running:
            tokens = said_in_full(tokens)
        ids = self.tokenizer.music_ids(tokens)
        return super().join(caption, plan, sketch if self.sketch else [], ids)


def said_in_full(tokens: Sequence[str]) -> list[str]:
    """A score in which every note says its velocity and its duration, behind its pitch."""
    full: list[str] = []
    running: dict[str, dict[str, str]] = {}
    program = ""
    for token in tokens:
        kind = token.partition("_")[0]
        if kind in ("Velocity", "Duration"):
            running.setdefault(program, {})[kind] = token
            continue
        if kind == "Program":
            program = token
        full.append(token)
        if kind in ("Pitch", "PitchDrum"):
            full += (running[program]["Velocity"], running[program]["Duration"])
    return full


def said_before(tokens: Sequence[str]) -> list[str]:
    """The inverse: velocity and duration of every note before its pitch, as `struck` reads them."""
    turned: list[str] = []
    pitch = -1
    for token in tokens:
        kind = token.partition("_")[0]
        if kind in ("Velocity", "Duration") and pitch >= 0:
            turned.insert(pitch, token)
            pitch += 1
            continue
        pitch = len(turned) if kind.startswith("Pitch") else -1
        turned.append(token)
    return turned


class Successors:
    """Which kinds of token follow each kind, in examples of a spelling."""

    def __init__(self, examples: Spelling, seen: int = 200) -> None:
        """seen: how many examples are looked at."""
        self.examples = examples
        self.vocabulary = examples.tokenizer.vocabulary
        kinds = [_kind(token) for token in self.vocabulary]
        self._places = {kind: np.array([k == kind for k in kinds]) for kind in set(kinds)}
        offset = examples.tokenizer.offset
        pairs: set[tuple[bool, str, str]] = set()  # whether in the score, and two kinds
        rng = random.Random(0)
        for _ in range(seen):
            window = examples.draw(rng)
            ids = examples.join("", window.plan, window.sketch, window.ids).ids - offset
            told = [kinds[i] for i in ids]
            score = told.index(SCORE)
            for place, (one, two) in enumerate(pairwise(told)):
                if place >= told.index(SKETCH):
                    pairs.add((place >= score, one, two))
        self._behind = {
            (part, kind): self._mask(b for where, a, b in pairs if (where, a) == (part, kind))
            for part in (False, True)
            for kind in set(kinds)
        }

    def _mask(self, kinds: Iterator[str]) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.vocabulary), dtype=np.bool_)
        for kind in kinds:
            mask |= self._places[kind]
        return mask

    def allowed(self, piece: PieceDraft) -> NDArray[np.bool_]:
        """(M,) True where an id may come next; in a row of the sketch beats go forward."""
        left, beat = piece.left, piece.beat
        mask = self._behind[piece.in_score, _kind(piece.tokens[-1])].copy()
        bars = mask & self._places["Bar"]
        mask &= ~self._places["Bar"]
        mask[[self.vocabulary.index(f"Beat_{n + 1}") for n in range(beat)]] = False
        for mark in (SCORE, END):
            mask[self.vocabulary.index(mark)] &= not left
        if left and bars.any():
            mask[self.vocabulary.index(f"Bar_{left}")] = True
        return mask


def _kind(token: str) -> str:
    return token.partition("_")[0]


@dataclass(slots=True)
class PieceDraft:
    """A piece that is being written: its tokens, and those that will be said unasked."""

    plan: Plan
    rng: np.random.Generator
    tokens: list[str] = field(default_factory=lambda: [SKETCH])
    pending: list[str] = field(default_factory=list)
    left: int = 0  # bars to come
    beat: int = 0  # the last one in a sketch's row
    rows: Rows = field(default_factory=dict)
    longest: int = LONGEST_PIECE  # tokens that it may have

    def __post_init__(self) -> None:
        self.left = self.plan.bars or 1

    @property
    def in_score(self) -> bool:
        """Whether the sketch is behind it."""
        return SCORE in self.tokens

    @property
    def done(self) -> bool:
        """Whether it has come to its end, or is too long."""
        return self.tokens[-1] == END or len(self.tokens) >= self.longest

    def say(self, token: str, spelling: Spelling) -> None:
        """Take a token; at its bar line, a row of the sketch is due where the spelling says so."""
        self.tokens.append(token)
        if token.startswith("Bar_"):
            self.left, self.beat = self.left - 1, 0
            row = self.rows.get(spelling.tokenizer.index[token], ())
            self.pending = [spelling.tokenizer.vocabulary[i] for i in row]
        elif token.startswith("Beat_"):
            self.beat = int(token.removeprefix("Beat_"))
        elif token == SCORE:
            if spelling.tokenizer.interleaved:
                sketch = spelling.tokenizer.music_ids(self.tokens[1:-1])
                self.rows = rows_of(sketch, layout_of(spelling.tokenizer.vocabulary))
            self.left = self.plan.bars or 1

    def notes(self, spelling: Spelling) -> list[Note]:
        """What sounds."""
        score = self.tokens[self.tokens.index(SCORE) + 1 :] if self.in_score else []
        if not spelling.running:
            score = said_before(score)
        return [note.sounding(self.plan) for note in struck(score)]


def write(
    engine: Engine, spelling: Spelling, windows: Sequence[Window], bars: int, slots: int = 12
) -> Iterator[PieceDraft]:
    """A piece to the caption and plan of each window, `bars` long, without guides.

    Deterministic: the n-th piece is drawn with seed n. They come in no certain order.
    """
    successors, sampling = Successors(spelling), Sampling()
    tokenizer = spelling.tokenizer
    waiting = list(enumerate(windows))[::-1]
    writing: list[PieceDraft] = []
    engine.reserve(slots)

    def chosen(piece: PieceDraft, logits: NDArray[np.float32]) -> str:
        if piece.pending:
            return piece.pending.pop(0)
        allowed = successors.allowed(piece)
        return tokenizer.vocabulary[choose(logits, allowed, sampling, piece.rng)]

    logits = np.zeros((0, len(tokenizer.vocabulary)), dtype=np.float32)
    while waiting or writing:
        while waiting and len(writing) < slots:
            number, window = waiting.pop()
            plan = replace(window.plan, bars=bars)
            text = spelling.caption(window, random.Random(number))
            piece = PieceDraft(plan, np.random.default_rng(number))
            if not spelling.sketch:
                piece.tokens.append(SCORE)
            read = tokenizer.sequence(text, plan, [])[0]
            read += [i + tokenizer.offset for i in tokenizer.music_ids(piece.tokens[1:])]
            piece.longest = min(LONGEST_PIECE, engine.context - len(read))
            slot = len(writing)
            first = engine.prefill(range(slot, slot + 1), np.array(read, dtype=np.int64))
            logits = np.concatenate([logits[:slot], first[None]])
            writing.append(piece)
        new = [chosen(piece, row) for piece, row in zip(writing, logits, strict=True)]
        for piece, token in zip(writing, new, strict=True):
            piece.say(token, spelling)
        ids = np.array(tokenizer.music_ids(new), dtype=np.int64) + tokenizer.offset
        logits = engine.step(ids)
        for slot in reversed(range(len(writing))):
            if writing[slot].done:
                yield writing[slot]
                last = len(writing) - 1
                if slot != last:
                    engine.move(last, slot)
                    writing[slot], logits[slot] = writing[last], logits[last]
                writing.pop()
                logits = logits[:last]
