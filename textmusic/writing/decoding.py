"""The decode loop: sequences side by side, one id a sequence and step."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from itertools import count, groupby, islice
from typing import TypeVar

import numpy as np

from textmusic.engines.protocol import Engine, Floats32
from textmusic.writing.take import Take
from textmusic.writing.written import Bar

Failed = Callable[[Take, Exception], None]
Result = TypeVar("Result")


def in_turn(takes: Iterable[Take]) -> Callable[[int], list[Take]]:
    """What `decode` asks for more: the takes in their order."""
    waiting = iter(takes)
    return lambda n: list(islice(waiting, n))


def _done(take: Take) -> bool:
    return take.done


def decode(
    engine: Engine,
    more: Callable[[int], Sequence[Take]],
    slots: int,
    *,
    until: Callable[[Take], bool] = _done,
    failed: Failed | None = None,
) -> Iterator[tuple[Take, Bar]]:
    """Write takes, at most `slots` of them side by side; yields bars as they are complete.

    Continuous batching (Yu et al., "Orca", OSDI 2022): a take that is done leaves its slot to the
    next one at once. Takes that come one after the other with the same text share its reading. What
    can't be otherwise, such as rows of a sketch that were asked for, is read in one pass.

    more: called before each step with the number of free slots, for so many takes at most. It is
    over when none is being written and there are no more.
    until: whether enough of a take has been written; by default the whole piece.
    failed: called with a take that can't be written on, and why; it leaves, and the others go on.
    By default that is raised, as is in any case what fails for all takes at once.
    """
    engine.reserve(slots)
    table = _Table(engine, failed)
    while True:
        table.admit(more(slots - len(table.active)))
        if not table.active:
            return
        table.choose()
        for take in table.active:
            yield from table.completed(take)
        table.dismiss(lambda take: take.left or until(take))
        table.read()


def decode_rounds(
    engine: Engine,
    rounds: Generator[Sequence[Take], None, Result],
    total: int,
    on_bar: Callable[[int, int], None] | None = None,
) -> Result:
    """Write takes that depend on each other: round by round, those of a round side by side.

    rounds: yields the takes of each round, and goes on when they are written. total: bars in all
    rounds together. on_bar: called with (bars written, total) after each bar. Returns what `rounds`
    does.
    """
    bars = count(1)
    while True:
        try:
            takes = next(rounds)
        except StopIteration as end:
            result: Result = end.value
            return result
        for _ in decode(engine, in_turn(takes), len(takes)):
            if on_bar:
                on_bar(next(bars), total)


class _Table:
    """The takes that are being written: active[i] is what slot i of the engine holds."""

    def __init__(self, engine: Engine, failed: Failed | None) -> None:
        self._engine, self._failed = engine, failed
        self.active: list[Take] = []
        self._logits: list[Floats32] = []  # (M,) of each
        self._unread: list[list[int]] = []  # ids of each that were chosen last
        self._broken: set[Take] = set()

    def admit(self, takes: Sequence[Take]) -> None:
        """Let takes have the next free slots."""
        for _, group in groupby(takes, lambda take: take.text):
            same = list(group)
            places = range(len(self.active), len(self.active) + len(same))
            ids = np.array(same[0].text, dtype=np.int64)
            try:
                first = self._engine.prefill(places, ids)
            except Exception as problem:
                for take in same:
                    self._fail(take, problem)
                continue
            self.active += same
            self._logits += [first] * len(same)

    def choose(self) -> None:
        """Choose the next ids of every take."""
        pairs = zip(self.active, self._logits, strict=True)
        self._unread = [self._alone(take, partial(take.step, row)) or [] for take, row in pairs]

    def completed(self, take: Take) -> Iterator[tuple[Take, Bar]]:
        """The bars that a take has closed since the last call."""
        if take in self._broken:
            return
        try:
            yield from ((take, bar) for bar in take.completed())
        except Exception as problem:
            self._fail(take, problem)

    def read(self) -> None:
        """Let the engine read what was chosen; what it then expects is chosen from next."""
        for slot, take in enumerate(self.active):
            ids = self._unread[slot]
            last = self._alone(take, partial(read_ahead, self._engine, slot, take, ids))
            self._unread[slot] = [] if last is None else [last]
        self.dismiss(lambda take: False)
        last_ids = np.array([ids[-1] for ids in self._unread], dtype=np.int64)
        self._logits = list(self._engine.step(last_ids)) if self.active else []

    def dismiss(self, over: Callable[[Take], bool]) -> None:
        """Free the slots of takes that are over, or that failed."""
        for slot in reversed(range(len(self.active))):
            if self.active[slot] in self._broken or over(self.active[slot]):
                # the last slot's take moves into the free one
                last_take, last_ids = self.active.pop(), self._unread.pop()
                if slot < len(self.active):
                    self._engine.move(len(self.active), slot)
                    self.active[slot], self._unread[slot] = last_take, last_ids
        self._broken.clear()

    def _alone(self, take: Take, work: Callable[[], Result]) -> Result | None:
        """What a take does by itself; None if it fails, which costs no other take."""
        try:
            return work()
        except Exception as problem:
            self._fail(take, problem)
            return None

    def _fail(self, take: Take, problem: Exception) -> None:
        if self._failed is None:
            raise problem
        self._broken.add(take)
        self._failed(take, problem)


def read_ahead(engine: Engine, slot: int, take: Take, chosen: list[int]) -> int:
    """Let a slot read all that was chosen but the last id, which is returned."""
    if take.reread:
        take.reread = False
        chosen = take.ids
        kept = min(take.kept, len(chosen) - 2)  # at least one id is read
        engine.reread(slot, np.array(chosen[:-1], dtype=np.int64), kept)
    elif len(chosen) > 1:
        engine.extend(slot, np.array(chosen[:-1], dtype=np.int64))
    if engine.length(slot) >= engine.context:
        raise ValueError(f"a slot holds {engine.context:,} ids, and more do not fit")
    return chosen[-1]
