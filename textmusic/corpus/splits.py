"""Which pieces share a tune, which are duplicates, and which are held out."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from textmusic.corpus.pieces import PieceOutcome

SHARES = {"valid": 2, "test": 4}  # percent of the tunes, by default
SPLITS = ("train", "valid", "test")
# A percentage of few tunes would round to none. So at least a twentieth of the tunes is held out,
# up to this many, and at least one if there are three.
ENOUGH = 5
TWICE = "piece dropped: nearly the same as another one"
SAME = "piece dropped: the same notes as another one"


def grouped(pieces: Sequence[PieceOutcome]) -> tuple[list[str], dict[int, str]]:
    """The group of every piece, and why some are left out, by place.

    Pieces share a group if they share a tune or an opening melody. Of the pieces of a corpus with
    one opening melody, the same instruments and about the same length, the best is kept
    (`PieceOutcome.merit`; the first of equal ones), unless both are arrangements of one tune, made
    to differ. Of a person's files only what has the same notes is left out, the best of them kept.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    readable = [place for place, piece in enumerate(pieces) if piece.notes]
    for piece in (pieces[place] for place in readable):
        for mark in filter(None, (piece.tune, piece.melody, piece.same)):
            parent[root(mark)] = root(piece.own)
    best_first = sorted(readable, key=lambda place: pieces[place].merit, reverse=True)
    return [root(piece.own) for piece in pieces], _copies(pieces, best_first)


def _copies(pieces: Sequence[PieceOutcome], order: Sequence[int]) -> dict[int, str]:
    """The places of the pieces that one before them in the order makes superfluous, and why."""
    twice: dict[int, str] = {}
    kept: dict[tuple[str, tuple[int, ...]], list[PieceOutcome]] = defaultdict(list)
    first_with: dict[str, str] = {}
    for place in order:
        piece = pieces[place]
        if piece.same:
            if piece.same in first_with:
                twice[place] = f"{SAME} ({first_with[piece.same]})"
            first_with.setdefault(piece.same, piece.name)
        elif piece.melody and not piece.tune:
            twins = kept[piece.melody, piece.programs]
            twin = next((t for t in twins if abs(piece.notes - t.notes) < 0.1 * t.notes), None)
            if twin is not None:
                twice[place] = f"{TWICE} ({twin.name})"
            else:
                twins.append(piece)
    return twice


def split_of(group: str, shares: Mapping[str, int]) -> str:
    """A tune's split, the same on every machine and in every run. shares: percent for each."""
    number = _number(group) % 100
    if number < shares["valid"]:
        return "valid"
    return "test" if number < shares["valid"] + shares["test"] else "train"


def _number(group: str) -> int:
    return int(hashlib.sha1(group.encode()).hexdigest(), 16)


def split_all(groups: Iterable[str], shares: Mapping[str, int]) -> dict[str, str]:
    """The split of every group; where tunes are few, enough of them are held out.

    A split that was given no share stays empty. The tunes that are moved are those with the largest
    hashes, so the order of the files does not matter.
    """
    split = {group: split_of(group, shares) for group in sorted(set(groups), key=_number)}
    held: dict[str, list[str]] = {name: [] for name in SPLITS}
    for group, name in split.items():
        held[name].append(group)
    for name in ("valid", "test"):
        least = min(ENOUGH, max(1, len(split) // 20)) if shares[name] else 0
        while len(held[name]) < least:
            largest = max(SPLITS, key=lambda other: len(held[other]))
            if len(held[largest]) < 2:
                break
            group = held[largest].pop()
            held[name].append(group)
            split[group] = name
    return split
