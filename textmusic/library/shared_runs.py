"""The runs that lines share: as long as they go, and how much each of them says.

Seeds of a few symbols that both have are found first, prolonged as far as both agree, and runs that
follow each other on nearly the same diagonal are chained, as in BLAST (Altschul et al. 1990): a
note that was put in or changed does not end what was copied. What a run says is the sum of its
symbols' bits; what a run repeats from itself (a broken chord over and over) says nothing new.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textmusic.library.symbols import END, Ints, Symbols
from textmusic.music.notes import Floats

BASE = 128  # above every symbol: a seed is a number to this base
BLOCK = 1 << 21  # symbols of a library that are looked at together
BUCKETS = 1 << 18
WORD = 3  # symbols; a word that a run had before says nothing new
FEWEST_BITS = 8.0  # of a run
GAP = 6  # symbols that a chain may leave out in either piece
GAP_BITS = 8.0  # what a gap costs
CHAINED = 40  # runs of a pair that are chained, the best ones


@dataclass(frozen=True, slots=True)
class Run:
    """What two pieces share: symbols [start, stop) of the asked lines, [other, other_stop) of the
    library's. bits: what it says. length: symbols that agree."""

    start: int
    stop: int
    other: int
    other_stop: int
    bits: float
    length: int


def codes(value: Ints, said: Floats, seed: int, least: float) -> Ints:
    """(N,) a number for the seed that begins at each symbol; -1 where there is none.

    None is where a line ends before, and where it says less than `least` bits.
    """
    n = len(value) - seed + 1
    if n <= 0:
        return np.full(len(value), -1, dtype=np.int64)
    code, whole = np.zeros(n, dtype=np.int64), np.ones(n, dtype=bool)
    for offset in range(seed):
        part = value[offset : offset + n]
        code = code * BASE + part
        whole &= part != END
    total = np.concatenate([[0.0], np.cumsum(said)])
    whole &= total[seed:] - total[:n] >= least
    return np.concatenate([np.where(whole, code, -1), np.full(seed - 1, -1)])


class Asked:
    """The symbols that runs are looked for in: their seeds, and what each symbol says.

    seed: symbols of one, at most 9. least: bits that a seed says at least.
    """

    def __init__(self, symbols: Symbols, said: Floats, seed: int, least: float) -> None:
        self.symbols, self.said, self.seed = symbols, said, seed
        code = codes(symbols.value, said, seed, least)
        self.places = np.flatnonzero(code >= 0)
        order = np.argsort(code[self.places], kind="stable")
        self.places = self.places[order]
        self.codes = code[self.places]
        self._table = np.zeros(BUCKETS, dtype=bool)
        self._table[_bucket(self.codes)] = True
        self._total = np.concatenate([[0.0], np.cumsum(said)])
        self._met = _met_before(symbols.value)

    def runs(self, value: Ints) -> tuple[Ints, Ints, Ints]:
        """(start here, start there, length) of every run shared with other symbols."""
        here, there = self._seeds(value)
        mine = self.symbols.value
        diagonal = there - here
        order = np.lexsort((there, diagonal))
        here, there, diagonal = here[order], there[order], diagonal[order]
        if not len(here):
            return here, there, here
        new = np.concatenate([[True], (np.diff(there) != 1) | (np.diff(diagonal) != 0)])
        first = np.flatnonzero(new)
        last = np.append(first[1:], len(here)) - 1
        start, other, stop = here[first], there[first], here[last] + self.seed
        # both ways as far as they agree: what says little is no seed, but part of a run
        begin, end = _prolonged(mine, value, start, other, stop)
        other = other - (start - begin)
        once = np.unique(np.stack([other - begin, begin, end]), axis=1)
        begin, end = once[1], once[2]
        keep = self._total[end] - self._total[begin] >= FEWEST_BITS
        return begin[keep], (begin + once[0])[keep], (end - begin)[keep]

    def _seeds(self, value: Ints) -> tuple[Ints, Ints]:
        """(place here, place there) of every seed that both have."""
        here, there = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for at in range(0, len(value) if len(self.codes) else 0, BLOCK):
            code = _codes_of_any(value[at : at + BLOCK + self.seed - 1], self.seed)
            places = np.flatnonzero(self._table[_bucket(code)] & (code >= 0))
            low = np.searchsorted(self.codes, code[places], "left")
            count = np.searchsorted(self.codes, code[places], "right") - low
            total = np.cumsum(count)
            within = np.arange(total[-1] if len(total) else 0) - np.repeat(total - count, count)
            here.append(self.places[np.repeat(low, count) + within])
            there.append(np.repeat(places, count) + at)
        return np.concatenate(here), np.concatenate(there)

    def plain(self, start: Ints, length: Ints) -> Floats:
        """What runs of symbols say, bits, with all that they repeat."""
        return np.asarray(self._total[start + length] - self._total[start])

    def news(self, start: int, stop: int) -> float:
        """What a run of symbols says, bits; what it has said before in itself does not count."""
        fresh = self._met[start:stop] < start + WORD - 1
        return float(self.said[start:stop][fresh].sum())


def _bucket(code: Ints) -> Ints:
    mixed = code.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(46)).astype(np.int64)


def _codes_of_any(value: Ints, seed: int) -> Ints:
    return codes(value, np.zeros(len(value)), seed, 0.0)


def _met_before(value: Ints) -> Ints:
    """For each symbol where the word that ends with it ended last before; -1 for nowhere."""
    word = codes(value, np.zeros(len(value)), WORD, 0.0)
    met = np.full(len(value), -1, dtype=np.int64)
    order = np.argsort(word, kind="stable")
    same = np.flatnonzero((np.diff(word[order]) == 0) & (word[order][1:] >= 0))
    met[order[same + 1] + WORD - 1] = order[same] + WORD - 1
    return met


def _prolonged(one: Ints, two: Ints, start: Ints, other: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Runs (start in one, in two, stop in one) with what agrees before and behind them."""
    shift = other - start
    begin, end = start.copy(), stop.copy()
    going = np.arange(len(begin))
    while len(going):
        at = begin[going] - 1
        there = at + shift[going]
        inside = (at >= 0) & (there >= 0)
        same = inside & (one[at] == two[there]) & (one[at] != END)
        going = going[same]
        begin[going] -= 1
    going = np.arange(len(begin))
    while len(going):
        at = end[going]
        there = at + shift[going]
        inside = (at < len(one)) & (there < len(two))
        at, there = np.minimum(at, len(one) - 1), np.minimum(there, len(two) - 1)
        same = inside & (one[at] == two[there]) & (one[at] != END)
        going = going[same]
        end[going] += 1
    return begin, end


def best_chain(asked: Asked, start: Ints, other: Ints, length: Ints) -> Run | None:
    """The chain of runs that says most, of runs shared with one piece; None where there is none."""
    if not len(start):
        return None
    top = np.argsort(-asked.plain(start, length), kind="stable")[:CHAINED]
    top = top[np.argsort(start[top] + length[top], kind="stable")]
    runs = [
        (int(s), int(s + n), int(o), int(n), asked.news(int(s), int(s + n)))
        for s, o, n in zip(start[top], other[top], length[top], strict=True)
    ]
    best: list[Run] = []
    for s, e, o, n, bits in runs:
        mine = Run(s, e, o, o + n, bits, n)
        for before in best:
            gap, far = s - before.stop, o - before.other_stop
            lap = max(-gap, -far, 0)  # symbols that both claim
            if before.start >= s or lap >= min(n, 4) or gap > GAP or far > GAP:
                continue
            if before.other >= o:
                continue
            total = before.bits + asked.news(s + lap, e) - GAP_BITS
            if total > mine.bits:
                mine = Run(before.start, e, before.other, o + n, total, before.length + n - lap)
        best.append(mine)
    return max(best, key=lambda run: run.bits)
