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
TWICE = "piece dropped: nearly the same as an earlier one"
SAME = "piece dropped: the same notes as an earlier one"


def grouped(pieces: Sequence[PieceOutcome]) -> tuple[list[str], dict[int, str]]:
    """The group of every piece, and why some are left out, by place.

    Pieces share a group if they share a tune or an opening melody. Of a corpus, a piece with the
    opening melody, the instruments and about the length of one met before is a near-duplicate and
    left out, unless both are arrangements of one tune, made to differ. Of a person's files only
    what has the same notes is left out.
    """
    parent: dict[str, str] = {}
    twice: dict[int, str] = {}
    met: dict[tuple[str, tuple[int, ...]], list[int]] = defaultdict(list)
    first_with: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for place, piece in enumerate(pieces):
        if not piece.notes:  # it could not be read
            continue
        for mark in filter(None, (piece.tune, piece.melody, piece.same)):
            parent[root(mark)] = root(piece.own)
        if piece.same:
            if piece.same in first_with:
                twice[place] = f"{SAME} ({first_with[piece.same]})"
            first_with.setdefault(piece.same, piece.name)
            continue
        twins = met[piece.melody, piece.programs]
        if piece.melody and not piece.tune:
            if any(abs(piece.notes - other) < 0.1 * other for other in twins):
                twice[place] = TWICE
                continue
            twins.append(piece.notes)
    return [root(piece.own) for piece in pieces], twice


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
