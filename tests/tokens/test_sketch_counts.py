"""Counts of real sketches: what they say comes next, and how a model is mixed with them."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_music import the_layout

from textmusic.errors import TextMusicError
from textmusic.music.chords import Chord
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row, Sketch, encode_sketch
from textmusic.tokens.sketch_counts import (
    FILE,
    LEAST,
    MOST_BYTES,
    SketchCounts,
    choice,
    contexts,
    counts_file,
    sketch_counts,
)
from textmusic.tokens.sketch_grammar import SketchGrammar

C, F, G = Chord(0, "maj"), Chord(5, "maj"), Chord(7, "maj")
PLAN = Plan(programs=(0,), key="C major", time_signature="4/4", bars=4)
SONG = Sketch(
    (
        Row(chords=((0, C),)),
        Row(chords=((0, F), (2, G))),
        Row(like=0, chords=((0, C),)),
        Row(vary=1, chords=((0, G),)),
    )
)


def ids_of(sketch: Sketch, key: str = "C major") -> list[int]:
    return [the_layout().index[token] for token in encode_sketch(sketch, key)]


def counted(times: int = LEAST) -> SketchCounts:
    return SketchCounts.of([(PLAN, ids_of(SONG))] * times, the_layout().vocabulary)


def begun(plan: Plan, *tokens: str) -> SketchGrammar:
    grammar = SketchGrammar(the_layout(), plan)
    for token in tokens:
        grammar.advance(the_layout().index[token])
    return grammar


def likely(counts: SketchCounts, grammar: SketchGrammar) -> dict[str, float]:
    ids = np.flatnonzero(grammar.allowed())
    found = counts.likely(grammar, ids)
    assert found.sum() == pytest.approx(1)
    return {the_layout().vocabulary[i]: float(p) for i, p in zip(ids, found, strict=True)}


def test_what_has_been_seen_is_expected() -> None:
    counts = counted()
    first = likely(counts, begun(PLAN, "Bar_4", "New"))
    assert first["Chord_0-maj"] > 0.9
    after = likely(counts, begun(PLAN, "Bar_4", "New", "Chord_0-maj", "Bar_3", "New"))
    assert max(after, key=lambda token: after[token]) == "Chord_5-maj"
    assert all(p > 0 for p in after.values()), "what has not been seen is possible still"


def test_bars_come_back_from_as_far_as_they_did() -> None:
    """Two bars back, wherever that is: in a piece of 12 bars that is another token."""
    plan = Plan(programs=(0,), key="G major", time_signature="4/4", bars=12)
    rows = ("Bar_12", "New", "Chord_0-maj", "Bar_11", "New", "Chord_5-maj", "Beat_2", "Chord_7-maj")
    found = likely(counted(), begun(plan, *rows, "Bar_10"))
    assert max(found, key=lambda token: found[token]) == "Like_12"


def test_chords_are_counted_from_the_tonic() -> None:
    here = begun(PLAN, "Bar_4", "New", "Chord_0-maj", "Bar_3", "New")
    there = begun(
        Plan(programs=(0,), key="A major", time_signature="4/4", bars=4),
        "Bar_4", "New", "Chord_0-maj", "Bar_3", "New",
    )  # fmt: skip
    assert contexts(here) == contexts(there)


def test_what_is_implied_is_not_counted() -> None:
    """The chords of a bar that repeats another one are no choice."""
    counts = counted()
    chords = {c: n for c, n in counts.counts.items() if json.loads(c)[0] == "chord"}
    assert sum(chords['["chord"]'].values()) == 3 * LEAST


def test_a_chord_may_stay_to_the_end() -> None:
    """As the song's last one does; nothing stands behind it in its ids."""
    rows = ("Bar_4", "New", "Chord_0-maj", "Bar_3", "New", "Chord_5-maj", "Beat_2", "Chord_7-maj")
    found = likely(
        counted(), begun(PLAN, *rows, "Bar_2", "Like_4", "Bar_1", "Vary_3", "Chord_7-maj")
    )
    assert found["<|score|>"] > 0.9


def test_rare_contexts_are_dropped() -> None:
    assert len(counted(LEAST - 1)) < len(counted(LEAST))
    assert len(counted(1)) == 0


def test_somebodys_own_music_outweighs_what_was_known() -> None:
    """A base that has seen much of one thing, and a few pieces that do another."""
    own = Sketch(tuple(Row(chords=((0, G),)) for _ in range(4)))
    few = SketchCounts.of([(PLAN, ids_of(own))] * 12, the_layout().vocabulary, least=1)
    first = begun(PLAN, "Bar_4", "New")
    adapted = counted(1000).adapted(few)
    found, before = likely(adapted, first), likely(counted(1000), first)
    assert before["Chord_0-maj"] > 0.95 and before["Chord_7-maj"] < 0.02
    assert found["Chord_7-maj"] > 0.3 and found["Chord_0-maj"] > 0.3, "12 of ours, 20 of theirs"
    later = ("Bar_4", "New", "Chord_0-maj", "Bar_3", "New", "Chord_5-maj")
    changes = likely(adapted, begun(PLAN, *later))["Beat_2"]
    assert 0.2 < changes < likely(counted(1000), begun(PLAN, *later))["Beat_2"], "ours never do"
    known = likely(adapted, begun(PLAN, *later, "Beat_2"))["Chord_7-maj"]
    assert known > 0.9, "what ours have never come to is as it was"


def test_how_fast_chords_change_is_known_by_genre_and_metre() -> None:
    """Rock that changes in each bar, a waltz that never does; hymns in three do, not in four."""
    slow = Sketch(tuple(Row(chords=((0, chord),)) for chord in (C, F, C, G)))
    fast = Sketch(tuple(Row(chords=((0, one), (2, two))) for one, two in ((C, F), (G, F)) * 2))
    plans = {
        ("rock", "4/4"): fast, ("waltz", "3/4"): slow, ("sacred", "3/4"): fast,
        ("sacred", "4/4"): slow,
    }  # fmt: skip
    kinds = {kind: replace(PLAN, genre=kind[0], time_signature=kind[1]) for kind in plans}
    seen = [(kinds[kind], ids_of(sketch)) for kind, sketch in plans.items()] * LEAST
    counts = SketchCounts.of(seen, the_layout().vocabulary)
    for kind, sketch in plans.items():
        found = likely(counts, begun(kinds[kind], "Bar_4", "New", "Chord_0-maj"))
        assert (found["Beat_2"] > 0.8) == (sketch is fast), kind
        assert (found["Bar_3"] > 0.8) == (sketch is slow), kind


def test_a_share_of_what_is_expected_is_the_counts() -> None:
    counts, grammar = counted(), begun(PLAN, "Bar_4", "New")
    allowed = grammar.allowed()
    ids = np.flatnonzero(allowed)
    logits = np.random.default_rng(1).normal(0, 2, the_layout().size).astype(np.float32)
    own = np.exp(logits[ids]) / np.exp(logits[ids]).sum()
    before = logits.copy()
    for share in (0.25, 0.5, 1.0):
        mixed = np.exp(counts.mixed(logits, allowed, grammar, share)[ids])
        wanted = (1 - share) * own + share * counts.likely(grammar, ids)
        np.testing.assert_allclose(mixed, wanted, rtol=1e-4)
    assert np.array_equal(logits, before)
    assert counts.mixed(logits, allowed, grammar, 0) is logits


def test_what_is_asked_is_left_alone() -> None:
    grammar = begun(PLAN, "Bar_4", "New", "Chord_0-maj", "Bar_3", "Like_4")
    logits = np.zeros(the_layout().size, dtype=np.float32)
    assert not grammar.is_open
    assert counted().mixed(logits, grammar.allowed(), grammar, 0.5) is logits


def test_choices_are_spelt_by_distance() -> None:
    grammar = begun(PLAN, "Bar_4", "New", "Chord_0-maj", "Bar_3", "New", "Chord_5-maj", "Bar_2")
    assert [choice(token, grammar) for token in ("New", "Like_4", "Vary_3")] == [
        "New", "Like 2", "Vary 1",
    ]  # fmt: skip
    assert choice("Bar_1", grammar) == choice("<|score|>", grammar) == "|"


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    counts = counted()
    counts.save(tmp_path / FILE)
    first = (tmp_path / FILE).read_bytes()
    assert SketchCounts.load(tmp_path / FILE).counts == counts.counts
    counts.save(tmp_path / FILE)
    assert (tmp_path / FILE).read_bytes() == first, "the same bytes at any time"


def test_a_model_below_another_shares_its_counts(tmp_path: Path) -> None:
    (tmp_path / "lstm").mkdir()
    assert sketch_counts(tmp_path / "lstm") is None
    counted().save(tmp_path / FILE)
    assert counts_file(tmp_path / "lstm") == tmp_path / FILE
    sketch_counts.cache_clear()
    assert sketch_counts(tmp_path / "lstm") is not None


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"\x1f\x8b", gzip.compress(b"[]"), gzip.compress(b"{"),
        gzip.compress(b'{"format": 9, "counts": {}}'),
        gzip.compress(b'{"format": 1, "counts": {"a": {"b": -1}}}'),
        gzip.compress(b'{"format": 1, "counts": {"a": {"b": true}}}'),
        gzip.compress(b'{"format": 1, "counts": {"a": 1}}'),
        gzip.compress(b'{"format": 1, "counts": []}'),
        gzip.compress(b'{"format": 1, "counts": {"a": {"b": 1}}}')[:-9],
        gzip.compress(b" " * (MOST_BYTES + 1)),
    ],
    ids=range(12),
)  # fmt: skip
def test_a_file_that_is_none_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(TextMusicError, match="does not hold counts of sketches; get the model"):
        SketchCounts.load(tmp_path / FILE)
