"""The decode loop: sequences side by side, one id a sequence and step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice

import numpy as np

from textmusic.engines.protocol import Engine, Floats32
from textmusic.writing.take import Take
from textmusic.writing.written import Bar


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
) -> Iterator[tuple[Take, Bar]]:
    """Write takes, at most `slots` of them side by side; yields bars as they are complete.

    Continuous batching (Yu et al., "Orca", OSDI 2022): a take that is done leaves its slot to the
    next one at once. Takes that come one after the other with the same text share its reading. What
    can't be otherwise, such as rows of a sketch that were asked for, is read in one pass.

    more: called before each step with the number of free slots, for so many takes at most. It is
    over when none is being written and there are no more.
    until: whether enough of a take has been written; by default the whole piece.
    """
    engine.reserve(slots)
    active: list[Take] = []  # active[i] is what slot i holds
    logits: list[Floats32] = []  # (M,) of each
    while True:
        for _, group in groupby(more(slots - len(active)), lambda take: take.text):
            same = list(group)
            places = range(len(active), len(active) + len(same))
            first = engine.prefill(places, np.array(same[0].text, dtype=np.int64))
            active += same
            logits += [first] * len(same)
        if not active:
            return
        chosen = [take.step(row) for take, row in zip(active, logits, strict=True)]
        for take in active:
            yield from ((take, bar) for bar in take.completed())
        for slot in reversed(range(len(active))):
            if until(active[slot]) or active[slot].left:
                # the last slot's take moves into the free one
                last_take, last_ids = active.pop(), chosen.pop()
                if slot < len(active):
                    engine.move(len(active), slot)
                    active[slot], chosen[slot] = last_take, last_ids
        last = [
            read_ahead(engine, slot, *pair)
            for slot, pair in enumerate(zip(active, chosen, strict=True))
        ]
        logits = list(engine.step(np.array(last, dtype=np.int64))) if active else []


def read_ahead(engine: Engine, slot: int, take: Take, chosen: list[int]) -> int:
    """Let a slot read all that was chosen but the last id, which is returned."""
    if take.reread:
        take.reread = False
        chosen = take.ids
        engine.prefill(range(slot, slot + 1), np.array(chosen[:-1], dtype=np.int64))
    elif len(chosen) > 1:
        engine.extend(slot, np.array(chosen[:-1], dtype=np.int64))
    return chosen[-1]
