"""What may come next in a plan: what was asked is forced, the rest is open. See `grammar`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from textmusic.grammar import Layout, Mask
from textmusic.plan import (
    DRUMS,
    FIELDS,
    MAX_BARS,
    MAX_PROGRAMS,
    NO_KEY,
    Plan,
    decode_plan,
    field_tokens,
    field_vocabulary,
    quarters_per_bar,
)
from textmusic.tokenizer import SCORE

OPEN_BARS = (12, 32)  # lengths the model may choose among when none is asked for


class PlanGrammar:
    """From `<|plan|>` to `<|score|>`: asked fields are forced, open ones take any value."""

    def __init__(
        self,
        layout: Layout,
        asked: Plan,
        *,
        seconds: float | None = None,
        without: Collection[int] = (),
        near: Plan = Plan(),
        lengths: tuple[int, int] = OPEN_BARS,
    ) -> None:
        """asked: what is fixed. seconds: a length that bars are counted from, once known.

        without: programs that an open choice of instruments must leave out. near: levels that an
        open choice of valence or arousal must be at most one off. lengths: bars (from, to) that an
        open choice may have.
        """
        self.lengths = lengths
        self.layout, self.asked, self.seconds, self.without = layout, asked, seconds, without
        self.near = near
        self.done = False
        self.tokens: list[str] = []
        self._field = 0  # which of FIELDS is being written
        self._forced: list[str] = []  # what of an asked field is still to be written

    @property
    def plan(self) -> Plan:
        """The plan so far; asked values exactly as asked, not rounded to their tokens."""
        return self.asked.over(decode_plan(self.tokens))

    def allowed(self) -> Mask:
        """(M,) True where an id may come next."""
        mask = np.zeros(self.layout.size, dtype=np.bool_)
        for token in self._next_tokens():
            mask[self.layout.index[token]] = True
        return mask

    def advance(self, music_id: int) -> None:
        """Take the id that was chosen."""
        token = self.layout.vocabulary[music_id]
        if token == SCORE:
            self.done = True
            return
        if FIELDS[self._field] == "programs" and not token.startswith("Program_"):
            self._field += 1  # the open list of instruments was closed by the next field
        self.tokens.append(token)
        if self._forced:
            self._forced.pop(0)
        if not self._forced and not (
            FIELDS[self._field] == "programs" and self.asked.programs is None
        ):
            self._field += 1

    def _next_tokens(self) -> list[str]:
        if self._field == len(FIELDS):
            return [SCORE]
        name = FIELDS[self._field]
        if self._forced:
            return self._forced[:1]
        if name == "programs" and self.asked.programs is None:
            return self._programs()
        return self._options(name)

    def _options(self, name: str) -> list[str]:
        asked = getattr(self.asked, name)
        if name == "bars" and self.seconds is not None and asked is None:
            asked = bars_for(self.plan, self.seconds)
            self.asked = replace(self.asked, bars=asked)  # the token says at most "64 or more"
        if asked is not None:
            self._forced = field_tokens(name, asked)
            return self._forced[:1]
        options = field_vocabulary()[name]
        if name == "key":
            drums_only = self.plan.programs == (DRUMS,)
            return [t for t in options if (t == f"Key_{NO_KEY}") == drums_only]
        middle = getattr(self.near, name)
        if middle is not None:
            return [t for t in options if abs(int(t.split("_")[1]) - middle) <= 1]
        if name == "bars":
            low, high = self.lengths
            return [t for t in options if low <= int(t.split("_")[1]) <= high]
        return options

    def _programs(self) -> list[str]:
        chosen = self.plan.programs or ()
        last = DRUMS if self.asked.key is None or chosen else DRUMS - 1
        rest = range(max(chosen, default=-1) + 1, last + 1)
        more = [f"Program_{p}" for p in rest if p not in self.without]
        if not chosen:
            return more
        return (more if len(chosen) < MAX_PROGRAMS else []) + self._options("key")


def bars_for(plan: Plan, seconds: float) -> int:
    """How many bars (1-256) of the plan's tempo and metre come nearest to a length in seconds."""
    assert plan.tempo is not None and plan.time_signature is not None
    bar = quarters_per_bar(plan.time_signature) * 60 / plan.tempo
    return min(max(1, round(seconds / bar)), MAX_BARS)
