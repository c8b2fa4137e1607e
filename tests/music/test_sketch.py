"""Sketches: rows of harmony and form, as tokens and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from decoded import decode_sketch, sketch_of_ids
from hypothesis import given, settings
from hypothesis import strategies as st
from random_music import the_layout, the_tokenizer

from textmusic.music.chords import ALL_CHORDS, Chord
from textmusic.music.sketch import (
    Outline,
    Row,
    Sketch,
    beats_per_bar,
    chord_token,
    decode_chord,
    encode_sketch,
    form_token,
    quarters_per_beat,
    read_outline,
    read_sketch,
    sketch_vocabulary,
)
from textmusic.music.theory import KEYS, NO_KEY, TIME_SIGNATURES

D, A7, G, BM = Chord(2, "maj"), Chord(9, "7"), Chord(7, "maj"), Chord(11, "min")
SKETCH = Sketch(
    (
        Row(chords=((0, D), (2, A7))),
        Row(chords=((0, G), (3, None))),
        Row(like=0, chords=((0, D), (2, A7))),
        Row(vary=1, chords=((0, BM),)),
    )
)
TOKENS = [
    "Bar_4", "New", "Chord_0-maj", "Beat_2", "Chord_7-7",
    "Bar_3", "New", "Chord_5-maj", "Beat_3", "Chord_none",
    "Bar_2", "Like_4", "Chord_0-maj", "Beat_2", "Chord_7-7",
    "Bar_1", "Vary_3", "Chord_9-min",
]  # fmt: skip

chords = st.none() | st.sampled_from(ALL_CHORDS)


@st.composite
def sketches(draw: st.DrawFn, most: int = 64) -> Sketch:
    """Any sketch that can be said, of rows in 12/8."""
    rows = []
    harmony = draw(st.booleans())
    for bar in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(["new", "like", "vary"])) if bar else "new"
        target = draw(st.integers(0, bar - 1)) if kind != "new" else None
        beats = sorted(draw(st.sets(st.integers(1, 11), max_size=2))) if harmony else []
        changes = tuple((beat, draw(chords)) for beat in ([0, *beats] if harmony else []))
        rows.append(
            Row(target if kind == "like" else None, target if kind == "vary" else None, changes)
        )
    return Sketch(tuple(rows))


def test_rows_are_said_as_the_score_says_its_bars_with_chords_above_the_tonic() -> None:
    """In D major: D is 0, A is 7; bar 0 of four is called 4."""
    assert encode_sketch(SKETCH, "D major") == TOKENS
    assert decode_sketch(TOKENS, "D major") == SKETCH


@settings(deadline=None, max_examples=60, derandomize=True)
@given(sketch=sketches(), key=st.none() | st.sampled_from([*KEYS, NO_KEY]))
def test_what_is_said_is_understood(sketch: Sketch, key: str | None) -> None:
    tokens = encode_sketch(sketch, key)
    assert decode_sketch(tokens, key) == sketch
    ids = the_tokenizer().encode_sketch(sketch, key)
    assert sketch_of_ids(the_tokenizer(), ids, key) == sketch
    assert [the_layout().vocabulary[i] for i in ids] == tokens


@pytest.mark.parametrize("key", [*KEYS, NO_KEY, None])
def test_a_sketch_in_another_key_has_the_same_tokens(key: str | None) -> None:
    """Chords move with the tonic: what is learnt in one key is known in all."""
    tonics = {"Db": 1, "C#": 1, "D": 2, "Eb": 3, "E": 4, "F": 5, "F#": 6, "G": 7, "Ab": 8, "A": 9}
    tonics |= {"Bb": 10, "B": 11, "C": 0}
    up = 0 if key in (NO_KEY, None) else tonics[str(key).split()[0]]
    assert encode_sketch(SKETCH.moved(up - 2), key) == TOKENS
    assert decode_sketch(TOKENS, key) == SKETCH.moved(up - 2)


def test_the_vocabulary_has_every_form_beat_and_chord_once() -> None:
    words = sketch_vocabulary()
    assert len(words) == len(set(words)) == 1 + 2 * 64 + 11 + 1 + 12 * 11
    assert words[0] == "New"
    assert {"Like_64", "Vary_1", "Beat_11", "Chord_none", "Chord_11-hdim7"} <= set(words)


@pytest.mark.parametrize("chord", [None, Chord(0, "maj"), Chord(11, "hdim7"), Chord(6, "sus4")])
def test_chords_are_tokens_and_back_however_far_the_tonic_is(chord: Chord | None) -> None:
    for shift in range(-6, 7):
        assert decode_chord(chord_token(chord, shift), shift) == chord
    assert chord_token(Chord(2, "min7"), 5) == "Chord_9-min7", "D minor seventh in F"
    assert chord_token(Chord(11, "dim"), -1) == "Chord_0-dim"


def test_forms_name_the_bar_they_repeat_by_its_own_number() -> None:
    assert form_token(Row(), 8) == "New"
    assert form_token(Row(like=0), 8) == "Like_8"
    assert form_token(Row(vary=6), 8) == "Vary_2"


def test_the_chord_that_sounds_is_the_last_change_before() -> None:
    assert SKETCH.chord_at(0, 0) == D
    assert SKETCH.chord_at(0, 1.99) == D
    assert SKETCH.chord_at(0, 2) == SKETCH.chord_at(0, 3.5) == A7
    assert SKETCH.chord_at(1, 3) is None
    assert Sketch((Row(),)).chord_at(0, 0) is None


def test_cut_counts_from_its_first_bar_and_finds_new_first_bars() -> None:
    """Bars 2 to 5 of A B A A' A' B: the first A among them is new, the others repeat that."""
    a, b = ((0, D),), ((0, G),)
    whole = Sketch(
        (
            Row(chords=a), Row(chords=b), Row(like=0, chords=a), Row(like=0, chords=a),
            Row(vary=1, chords=b), Row(vary=1, chords=b), Row(like=4, chords=b),
        )
    )  # fmt: skip
    assert whole.cut(2, 7).rows == (
        Row(chords=a), Row(like=0, chords=a), Row(chords=b), Row(vary=2, chords=b),
        Row(like=2, chords=b),
    )  # fmt: skip
    assert whole.cut(0, 7) == whole
    assert whole.cut(3, 3) == Sketch()


def test_behind_counts_from_an_earlier_bar() -> None:
    moved = SKETCH.behind(3)
    assert [(row.like, row.vary) for row in moved.rows] == [
        (None, None), (None, None), (3, None), (None, 4),
    ]  # fmt: skip
    assert [row.chords for row in moved.rows] == [row.chords for row in SKETCH.rows]


@settings(deadline=None, max_examples=60, derandomize=True)
@given(sketch=sketches(20), data=st.data())
def test_a_cut_is_a_whole_sketch_with_the_same_chords(sketch: Sketch, data: st.DataObject) -> None:
    end = data.draw(st.integers(1, len(sketch.rows)))
    begin = data.draw(st.integers(0, end))
    cut = sketch.cut(begin, end)
    assert [row.chords for row in cut.rows] == [row.chords for row in sketch.rows[begin:end]]
    for bar, (row, old) in enumerate(zip(cut.rows, sketch.rows[begin:end], strict=True)):
        for target, was in ((row.like, old.like), (row.vary, old.vary)):
            assert target is None or 0 <= target < bar, "a bar of its own, before it"
            assert was is not None or target is None
            if was is not None and was >= begin:
                assert target == was - begin
    back = cut.behind(begin)
    assert decode_sketch(encode_sketch(cut, "C major"), "C major") == cut
    assert len(back.rows) == len(cut.rows)


def test_sketches_and_outlines_come_back_from_json() -> None:
    assert read_sketch(json.loads(json.dumps(asdict(SKETCH)))) == SKETCH
    assert read_sketch({}) == Sketch()
    outline = Outline(
        chords=((D, A7), (G,)), relative=True, minor=False, form=("A", "A", "B", "A"),
        names=("verse", "verse", "chorus", "verse"), last=Chord(0, "maj"),
    )  # fmt: skip
    assert read_outline(json.loads(json.dumps(asdict(outline)))) == outline
    assert read_outline(json.loads(json.dumps(asdict(Outline())))) == Outline()
    assert read_outline({}) == Outline()


def test_an_outline_sounds_in_its_key() -> None:
    relative = Outline(chords=((Chord(0, "maj"), Chord(9, "min")),), relative=True)
    assert relative.sounding("D major") == ((D, BM),)
    assert relative.sounding(None) == relative.sounding(NO_KEY) == relative.chords
    assert Outline(chords=((D,),)).sounding("G major") == ((D,),), "as it sounds already"
    assert relative.known and Outline(last=D).known and Outline(form=("A",)).known
    assert not Outline(minor=True).known


@pytest.mark.parametrize(
    ("metre", "beats"), [("4/4", 4), ("3/4", 3), ("6/8", 6), ("12/8", 12), ("2/2", 4), ("4/2", 8)]
)
def test_chords_begin_on_quarters_or_on_eighths_of_metres_of_eighths(
    metre: str, beats: int
) -> None:
    assert beats_per_bar(metre) == beats
    assert quarters_per_beat(metre) == (0.5 if metre.endswith("/8") else 1.0)


def test_every_beat_of_every_metre_has_a_token() -> None:
    for metre in TIME_SIGNATURES:
        assert f"Beat_{beats_per_bar(metre) - 1}" in the_layout().index
