"""Tunes stay together, copies are found, and somebody is always held out."""

from __future__ import annotations

import itertools
from collections import Counter

from textmusic.corpus.pieces import PieceOutcome
from textmusic.corpus.splits import SAME, SHARES, TWICE, grouped, split_all, split_of


def piece(
    name: str, melody: str = "", same: str = "", notes: int = 100, tune: str = ""
) -> PieceOutcome:
    return PieceOutcome(name, "s", f"s/{name}", tune, melody, same, (0,), notes)


def test_pieces_with_an_opening_melody_share_a_group_and_copies_are_dropped() -> None:
    groups, twice = grouped(
        [piece("a", "m1", "n1"), piece("b", "m2", "n2"), piece("c", "m1", "n3"),
         piece("d", "", "n2"), piece("e", "", "n4"), piece("f", "", "n5")]
    )  # fmt: skip
    assert groups[0] == groups[2] and groups[1] == groups[3]
    assert len(set(groups)) == 4, "pieces without a melody are not all one tune"
    assert twice == {3: f"{SAME} (b)"}


def test_near_duplicates_of_a_corpus_are_dropped_but_not_arrangements() -> None:
    groups, twice = grouped(
        [piece("a", "m"), piece("b", "m", notes=105), piece("c", "m", notes=200),
         piece("d", "x", tune="t"), piece("e", "x", tune="t")]
    )  # fmt: skip
    assert twice == {1: TWICE}
    assert groups[0] == groups[2] and groups[3] == groups[4]


def test_what_could_not_be_read_joins_nobody() -> None:
    groups, twice = grouped([piece("a", notes=0), piece("b", notes=0), piece("c", "m")])
    assert len(set(groups)) == 3 and not twice


def test_many_tunes_are_split_by_their_hash_alone() -> None:
    groups = [f"s/{n}" for n in range(5000)]
    split = split_all(groups, SHARES)
    assert split == {group: split_of(group, SHARES) for group in groups}
    count = Counter(split.values())
    assert 60 < count["valid"] < 140 and 140 < count["test"] < 260


def test_of_few_tunes_some_are_held_out_all_the_same() -> None:
    for n, word in itertools.product((3, 4, 10, 40, 130), "abcdefghij"):
        groups = [f"{word} {i}" for i in range(n)]
        split = split_all(groups, SHARES)
        assert split == split_all(reversed(groups), SHARES), "whatever the order"
        count = Counter(split.values())
        assert min(count["valid"], count["test"]) >= max(1, min(n // 20, 5)), n
        assert count["train"] >= n / 2 or n == 3, n


def test_two_tunes_cannot_be_three_splits_and_no_share_is_none() -> None:
    assert Counter(split_all(["a", "b"], SHARES).values())["train"] == 1
    assert split_all(["a"], SHARES) == {"a": "train"}
    none = split_all([str(n) for n in range(50)], {"valid": 10, "test": 0})
    assert "test" not in none.values()
