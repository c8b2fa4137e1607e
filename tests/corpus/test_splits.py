"""Tunes stay together, copies are found, and somebody is always held out."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from textmusic.corpus.cutting import CUT_SHORT
from textmusic.corpus.pieces import FILLED, MENDED, PieceOutcome
from textmusic.corpus.splits import SAME, SHARES, TWICE, grouped, split_all, split_of
from textmusic.music.notes import OUTSIDE, STRUCK_TWICE, STUCK


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
    assert twice == {0: f"{TWICE} (b)"}, "the one with more notes stays"
    assert groups[0] == groups[2] and groups[3] == groups[4]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({}, {"done": {FILLED: 1}, "notes": 105}),
        ({}, {"done": {f"{MENDED}data bytes over 127 set to 127": 3}}),
        ({}, {"done": {OUTSIDE: 2}, "notes": 101}),
        ({"done": {STUCK: 1}}, {"done": {STUCK: 2, CUT_SHORT: 1}, "notes": 104}),
        ({}, {"problem": "no usable stretch: over 4 bars of silence", "notes": 105}),
        ({"notes": 100}, {"notes": 98}),
        # notes that are there twice are no more music
        ({"notes": 100}, {"notes": 105, "done": {STRUCK_TWICE: 20}}),
    ],
)
@pytest.mark.parametrize("same", ["", "n"])
def test_of_copies_the_better_one_is_kept_whichever_comes_first(
    good: dict[str, Any], bad: dict[str, Any], same: str
) -> None:
    """Of a corpus (no mark of its notes) and of a person's files (the same mark)."""
    one, other = (replace(piece(n, "m", same), **more) for n, more in (("a", good), ("b", bad)))
    why = f"{SAME if same else TWICE} (a)"
    assert grouped([one, other])[1] == {1: why}
    assert grouped([other, one])[1] == {0: why}
    assert grouped([one, other])[0] == ["s/b"] * 2, "groups and splits stay what they were"


def test_a_described_copy_is_kept_and_of_equal_ones_the_first() -> None:
    pieces = [piece("a", "", "n"), piece("b", "", "n"), piece("c", "", "n")]
    assert grouped(pieces)[1] == {1: f"{SAME} (a)", 2: f"{SAME} (a)"}
    pieces[1] = replace(pieces[1], described=True, done={STUCK: 1})
    assert grouped(pieces)[1] == {0: f"{SAME} (b)", 2: f"{SAME} (b)"}, "its words are of use"


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
