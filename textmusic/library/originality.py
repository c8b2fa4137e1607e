"""What a piece shares with the pieces of a library, and how usual that is.

Of each pair the longest melodic and the longest rhythmic run is found, in any key, at any speed and
in any of the lines. How unusual it is, is said by how many pairs of unrelated real pieces share a
run that says as much: an observation, never a verdict. Two long pieces share more than two short
ones by chance, by the logarithm of the product of their lengths (Karlin & Altschul 1990), which is
taken off before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from textmusic.library import symbols
from textmusic.library.index import Index
from textmusic.library.lines import Lines
from textmusic.library.portrait import Portrait
from textmusic.library.shared_runs import Asked, Run, best_chain
from textmusic.library.symbols import Ints, Symbols
from textmusic.music.data_files import load_data
from textmusic.music.notes import Floats
from textmusic.system.progress import OnStep

BLOCK = 1 << 20  # notes of a library that are looked at together
LEAST_SAID = 14.0  # bits of a run, below which a piece is not looked at any closer
CLOSER = 500  # pieces that are looked at closer, those with the best single runs
SAME_RHYTHM = 0.8  # share of the steps of a run that have to keep their proportions


@dataclass(frozen=True, slots=True)
class Kind:
    """How runs of a kind are looked for. seed: symbols of a seed. seed_bits: what it says."""

    name: str
    seed: int
    seed_bits: float
    symbols: Callable[[Lines], Symbols]
    said: Callable[[Symbols], Floats]


def _melodic(found: Symbols) -> Floats:
    table = symbols.tables().melody
    return symbols.bits(found.value, symbols.kind_of(found.value), table)


def _rhythmic(found: Symbols) -> Floats:
    return symbols.bits(found.value, found.value, symbols.tables().rhythm)


MELODY = Kind("melody", 4, 8.0, symbols.melody, _melodic)
RHYTHM = Kind("rhythm", 7, 12.0, symbols.rhythm, _rhythmic)


@dataclass(frozen=True, slots=True)
class Passage:
    """A run that two pieces share; places are of notes in the lines of each.

    bits: what it says, less what chance gives two pieces of such lengths. notes: that agree.
    usual: the share (0 to 1) of unrelated pairs of real pieces that share as much. mine, theirs:
    (first note, last note).
    """

    bits: float
    notes: int
    usual: float
    mine: tuple[int, int]
    theirs: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shared:
    """What a piece shares with one of a library: with that at this place of the index."""

    piece: int
    melody: Passage | None
    rhythm: Passage | None

    @property
    def usual(self) -> float:
        """The share of unrelated pairs that share as long a melodic run, 1 without one."""
        return 1.0 if self.melody is None else self.melody.usual


def shared_with(mine: Portrait, index: Index, on_step: OnStep | None = None) -> list[Shared]:
    """What a piece shares with each piece of a library, the most unusual melody first.

    Pieces of which nothing is shared that says anything are left out. on_step: called with pieces
    that were compared and all.
    """
    found: dict[str, dict[int, Passage]] = {"melody": {}, "rhythm": {}}
    asked = {kind.name: _asked(mine.lines, kind) for kind in (MELODY, RHYTHM)}
    for first, stop, lines in _blocks(index.lines, len(index)):
        for kind in (MELODY, RHYTHM):
            passages = _passages(asked[kind.name], mine.lines, lines, kind)
            found[kind.name] |= {first + piece: passage for piece, passage in passages.items()}
        if on_step is not None:
            on_step(stop, len(index))
    melody, rhythm = found["melody"], found["rhythm"]
    shared = [Shared(piece, melody.get(piece), rhythm.get(piece)) for piece in {*melody, *rhythm}]
    return sorted(shared, key=lambda s: (-(s.melody.bits if s.melody else -99.0), s.piece))


def melodic(mine: Lines, others: Lines, closer: int = CLOSER) -> dict[int, Passage]:
    """By piece, the melodic run that says most, of the pieces that share one.

    closer: how many pieces are looked at closer, those with the best single runs.
    """
    return _passages(_asked(mine, MELODY), mine, others, MELODY, closer)


def rhythmic(mine: Lines, others: Lines) -> dict[int, Passage]:
    """By piece, the rhythmic run that says most, of the pieces that share one."""
    return _passages(_asked(mine, RHYTHM), mine, others, RHYTHM)


def _asked(lines: Lines, kind: Kind) -> Asked:
    found = kind.symbols(lines)
    return Asked(found, kind.said(found), kind.seed, kind.seed_bits)


def _blocks(lines: Lines, pieces: int) -> Iterator[tuple[int, int, Lines]]:
    """(first piece, the one behind the last, their lines), so many notes at a time."""
    ends = lines.begin[np.searchsorted(lines.piece, np.arange(pieces), side="right")]
    first = 0
    while first < pieces:
        done = int(ends[first - 1]) if first else 0
        stop = max(int(np.searchsorted(ends, done + BLOCK, side="right")), first + 1)
        yield first, stop, lines.of_pieces(first, stop)
        first = stop


def _passages(
    asked: Asked, mine: Lines, others: Lines, kind: Kind, most: int = CLOSER
) -> dict[int, Passage]:
    there = kind.symbols(others)
    start, other, length = asked.runs(there.value)
    if not len(start):
        return {}
    piece = others.piece_of(there.place[other])
    said = asked.plain(start, length)
    best = np.zeros(int(piece.max()) + 1)
    np.maximum.at(best, piece, said)
    closer = np.argsort(-best, kind="stable")[:most]
    closer = closer[best[closer] >= LEAST_SAID]
    order = np.argsort(piece, kind="stable")
    first, last = (np.searchsorted(piece[order], closer, side) for side in ("left", "right"))
    sizes = others.sizes()
    passages = {}
    for number, low, high in zip(closer.tolist(), first, last, strict=True):
        here = order[low:high]
        run = best_chain(asked, start[here], other[here], length[here])
        if run is not None:
            chance = float(np.log2(max(len(mine), 1) * max(int(sizes[number]), 1)))
            base = int(others.first_note(number))
            passages[number] = _passage(run, asked.symbols, there, kind, chance, base)
    return passages


def _passage(
    run: Run, here: Symbols, there: Symbols, kind: Kind, chance: float, base: int
) -> Passage:
    bits = run.bits - chance
    more = 1 if kind is MELODY else 2  # notes that lead into the first symbol
    return Passage(
        bits, run.length + more, usual(bits, kind.name),
        (int(here.start[run.start]), int(here.place[run.stop - 1])),
        (int(there.start[run.other]) - base, int(there.place[run.other_stop - 1]) - base),
    )  # fmt: skip


@cache
def _measured(kind: str) -> tuple[Floats, Floats]:
    """(bits, share of unrelated pairs that share so many at least), bits rising."""
    rows = np.array(load_data("shared_runs.json")["usual"][kind])
    return rows[:, 0], rows[:, 1]


def forget() -> None:
    """Read what was counted anew, the next time it is needed."""
    load_data.cache_clear()
    _measured.cache_clear()


def usual(bits: float, kind: str = "melody") -> float:
    """The share of unrelated pairs of real pieces that share a run of so many bits or more.

    As it was counted on pairs of training pieces by training/judge_runs.py; beyond the largest of
    them it is that one's.
    """
    known, share = _measured(kind)
    return float(np.interp(bits, known, share))


def transposition(passage: Passage, mine: Lines, theirs: Lines) -> int:
    """Semitones by which mine lies above theirs, as most notes of a passage do."""
    a, b = _places(passage.mine, mine), _places(passage.theirs, theirs)
    n = min(len(a), len(b))
    gaps = mine.pitch[a[:n]].astype(int) - theirs.pitch[b[:n]].astype(int)
    kinds, counts = np.unique(gaps, return_counts=True)
    return int(kinds[np.argmax(counts)])


def speed(passage: Passage, mine: Lines, theirs: Lines) -> float | None:
    """How many times as long mine takes as theirs, in beats; None where the rhythm is another."""
    a, b = _places(passage.mine, mine), _places(passage.theirs, theirs)
    if len(a) != len(b) or len(a) < 3:
        return None
    ratio = np.diff(mine.onset[a].astype(float)) / np.maximum(np.diff(theirs.onset[b]), 1)
    middle = float(np.median(ratio))
    alike = np.abs(ratio / middle - 1) < 0.05 if middle else np.zeros(1)
    return middle if alike.mean() >= SAME_RHYTHM else None


def _places(span: tuple[int, int], lines: Lines) -> Ints:
    """The notes of a span, repeated ones counted once."""
    places = np.arange(span[0], span[1] + 1)
    pitch = lines.pitch[places].astype(int)
    return np.asarray(places[np.concatenate([[True], np.diff(pitch) != 0])])
