"""The decode loop: sequences side by side, one id a sequence and step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Any

import numpy as np

from textmusic.engine import Engine, Floats
from textmusic.grammar import Grammar, ScoreGrammar, key_bias, layout_of
from textmusic.plan import TEMPO_RANGE, Plan, quarters_per_bar
from textmusic.plan_grammar import OPEN_BARS, PlanGrammar
from textmusic.prompt import Prompt
from textmusic.sampling import Sampling, choose, surprise
from textmusic.tokenizer import END, PLAN, Note, Tokenizer, notes_of_bar


@dataclass(frozen=True, slots=True)
class Bar:
    """A finished bar. index: from 0. total: bars to be written. notes: those that start in it.

    plan: of these bars, complete.
    """

    index: int
    total: int
    notes: tuple[Note, ...]
    plan: Plan

    @property
    def last(self) -> bool:
        """Whether the piece ends with it."""
        return self.index + 1 == self.total


def in_turn(takes: Iterable[Take]) -> Callable[[int], list[Take]]:
    """What `decode` asks for more: the takes in their order."""
    waiting = iter(takes)
    return lambda n: list(islice(waiting, n))


def decode(
    engine: Engine, more: Callable[[int], Sequence[Take]], slots: int
) -> Iterator[tuple[Take, Bar]]:
    """Write takes, at most `slots` of them side by side; yields bars as they are complete.

    Continuous batching (Yu et al., "Orca", OSDI 2022): a take that is done leaves its slot to the
    next one at once. Takes that come one after the other with the same text share its reading. A
    take that fills the context goes on from its text, its plan and its latest ids.

    more: called before each step with the number of free slots, for so many takes at most. It is
    over when none is being written and there are no more.
    """
    engine.reserve(slots)
    active: list[Take] = []  # active[i] is what slot i holds
    logits: list[Floats] = []  # (M,) of each
    while True:
        for _, group in groupby(more(slots - len(active)), lambda take: take.text):
            same = list(group)
            places = range(len(active), len(active) + len(same))
            first = engine.prefill(places, np.array(same[0].text, dtype=np.int64))
            active += same
            logits += [first] * len(same)
        if not active:
            return
        ids = [take.take(row) for take, row in zip(active, logits, strict=True)]
        for take in active:
            yield from ((take, bar) for bar in take.completed())
        for slot in reversed(range(len(active))):
            if (
                active[slot].done or active[slot].left
            ):  # the last slot's take moves into the free one
                last_take, last_id = active.pop(), ids.pop()
                if slot < len(active):
                    engine.move(len(active), slot)
                    active[slot], ids[slot] = last_take, last_id
            elif active[slot].reread or engine.length(slot) == engine.context:
                active[slot].reread = False
                recent = active[slot].recent(engine.context // 2)
                engine.prefill(range(slot, slot + 1), np.array(recent, dtype=np.int64))
        logits = list(engine.step(np.array(ids, dtype=np.int64))) if active else []


class Take:
    """One sequence being written: its grammar, its dice, and what it has so far."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        prompt: Prompt,
        text: list[int],
        seed: int,
        sampling: Sampling,
        lengths: tuple[int, int] = OPEN_BARS,
        given: Sequence[int] = (),
    ) -> None:
        """text: ids of the caption. lengths: bars (from, to) that an open choice may have.

        given: score ids that are written already: whole bars, and the line of the next one.
        """
        self.prompt, self.seed, self.sampling = prompt, seed, sampling
        self._offset = tokenizer.offset
        self.text = [*text, *(i + self._offset for i in tokenizer.music_ids([PLAN]))]
        self._layout, self._vocabulary = layout_of(tokenizer.vocabulary), tokenizer.vocabulary
        self._rng = np.random.default_rng(seed)
        # generated pieces begin and end: windows cut out of the middle are for training only
        begin = prompt.asked.begin is not False
        asked = replace(prompt.asked, begin=begin, end=True)
        self._seconds = prompt.seconds
        self._plan_grammar = PlanGrammar(
            self._layout,
            asked,
            seconds=prompt.seconds,
            without=prompt.without,
            near=prompt.near,
            lengths=lengths,
        )
        self._grammar: Grammar = self._plan_grammar
        self._bias: Any = 0.0
        self._last_bias: Any = 0.0
        self._plan_ids: list[int] = []
        self.score_ids: list[int] = []
        self.nats = 0.0  # of the score ids together
        self._given = list(given)
        self.reread = False  # whether ids came from elsewhere, that the engine has not read
        self.left = False  # set where nobody waits for it any more: it gives its slot away
        self.plan = asked
        self._open_bar = 0  # where in score_ids the bar being written begins
        self._bars = 0  # bars that are complete
        self._given_bars = sum(tokenizer.vocabulary[i].startswith("Bar_") for i in given[:-1])
        self._program = 0  # the last that played in them

    @property
    def done(self) -> bool:
        """Whether the piece has ended."""
        return self._grammar.done

    @property
    def likelihood(self) -> float:
        """Mean -log p of the ids that were chosen for the score, nats."""
        return self.nats / max(len(self.score_ids) - len(self._given), 1)

    @property
    def planned(self) -> bool:
        """Whether the plan is complete."""
        return self._plan_grammar.done

    def take(self, logits: Floats) -> int:
        """Choose the next id of the LLM's id space from music logits (M,)."""
        return self._choose(logits) + self._offset

    def _choose(self, logits: Floats) -> int:
        sampling = self.sampling
        if self._grammar is self._plan_grammar:
            sampling = replace(sampling, temperature=sampling.plan_temperature)
        last = isinstance(self._grammar, ScoreGrammar) and self._grammar.bars_left == 0
        bias = self._last_bias if last else self._bias
        music_id = choose(logits + bias, self._grammar.allowed(), sampling, self._rng)
        self._grammar.advance(music_id)
        if self._grammar is not self._plan_grammar:
            self.score_ids.append(music_id)
            self.nats += surprise(logits, music_id)
            return music_id
        self._plan_ids.append(music_id)
        if self._plan_grammar.done:
            self.plan = _settled(self._plan_grammar.plan, self._plan_grammar.asked, self._seconds)
            strength = self.sampling.key_strength
            self._grammar = ScoreGrammar(self._layout, self.plan, scale_only=strength >= 1)
            self._bias = key_bias(self._layout, self.plan.key, strength)
            self._last_bias = key_bias(self._layout, self.plan.key, min(3 * strength, 1.0))
            if self._given:
                return self._go_on()
        return music_id

    def _go_on(self) -> int:
        """Take over what is given; the last id of it."""
        for music_id in self._given:
            self._grammar.advance(music_id)
        self.score_ids = list(self._given)
        tokens = [self._vocabulary[i] for i in self._given]
        programs = [token for token in tokens if token.startswith("Program_")]
        self._program = int(programs[-1].partition("_")[2]) if programs else 0
        self._bars, self._open_bar = self._given_bars, len(self._given) - 1
        self.reread = True
        return self._given[-1]

    def completed(self) -> Iterator[Bar]:
        """The bar that the last id closed, if it did."""
        assert self.plan.bars is not None or not self.score_ids
        if not self.score_ids or self._bars == self.plan.bars:
            return
        last = self._vocabulary[self.score_ids[-1]]
        if self.done or (last.startswith("Bar_") and len(self.score_ids) - 1 > self._open_bar):
            tokens = [self._vocabulary[i] for i in self.score_ids[self._open_bar : -1]]
            self._open_bar = len(self.score_ids) - 1
            assert self.plan.bars is not None
            index, total = self._bars - self._given_bars, self.plan.bars - self._given_bars
            plan = replace(self.plan, bars=total)
            notes = notes_of_bar(tokens, plan, index, self._program)
            self._program = notes[-1].program if notes else self._program
            yield Bar(index, total, notes, plan)
            self._bars += 1

    def settled(self) -> tuple[list[int], Plan]:
        """The ids of the bars that are complete so far, and a plan that ends with them."""
        ids = list(self.score_ids)  # another thread may be adding to them
        if self.done:
            return ids, self.plan
        lines = [k for k, i in enumerate(ids) if self._vocabulary[i].startswith("Bar_")]
        ids = [*ids[: lines[-1]], self._layout.index[END]]
        return ids, replace(self.plan, bars=len(lines) - 1)

    def recent(self, length: int) -> list[int]:
        """Text, plan and the latest score ids but the very last: together at most `length` ids."""
        head = [*self.text, *(i + self._offset for i in self._plan_ids)]
        tail = self.score_ids[:-1][len(head) - length :]
        return head + [i + self._offset for i in tail]


def _settled(plan: Plan, asked: Plan, seconds: float | None) -> Plan:
    """The plan, its tempo nudged so that whole bars last the asked seconds, where it is open."""
    if seconds is None or asked.tempo is not None:
        return plan
    assert plan.bars is not None and plan.time_signature is not None
    tempo = plan.bars * quarters_per_bar(plan.time_signature) * 60 / seconds
    return replace(plan, tempo=round(min(max(tempo, TEMPO_RANGE[0]), TEMPO_RANGE[1]), 2))
