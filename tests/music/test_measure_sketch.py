"""The sketch that is heard in notes, and how far notes keep to the one they were meant to have."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from decoded import decode_sketch
from random_music import real_windows, the_layout, the_tokenizer

from textmusic.music.chords import QUALITIES, Chord
from textmusic.music.measure_sketch import SketchAdherence, measure_sketch, sketch_adherence
from textmusic.music.notes import Notes, notes_of
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row, Sketch, beats_per_bar, encode_sketch
from textmusic.music.theory import DRUMS
from textmusic.tokens.sketch_grammar import SketchGrammar
from textmusic.tokens.vocabulary import SCORE

C, F, G, AM = Chord(0, "maj"), Chord(5, "maj"), Chord(7, "maj"), Chord(9, "min")
# What is sung in a bar: (quarter, steps above the chord's root), of two rhythms.
VERSE = [(0.0, 0), (1.0, 7), (1.5, 4), (2.0, 7), (3.0, 12)]
CHORUS = [(0.0, 12), (0.5, 7), (1.0, 12), (2.5, 4), (3.5, 0)]
PLAN = Plan(programs=(0, 40), key="C major", tempo=100.0, time_signature="4/4", bars=8)


def played(bars: list[tuple[Chord, list[tuple[float, int]]]], up: int = 0) -> Notes:
    """Block chords by a piano, a melody by a violin."""
    rows = []
    for bar, (chord, melody) in enumerate(bars):
        root = chord.root + up
        rows += [(bar * 4.0, 4.0, 48 + root + step, 0) for step in QUALITIES[chord.quality][0]]
        for at, step in melody:
            third = step - 1 if step == 4 and chord.quality == "min" else step
            rows.append((bar * 4.0 + at, 0.5, 72 + root + third, 40))
    rows.sort(key=lambda row: (row[0], row[3], row[2]))
    start, duration, pitch, program = (np.array(column) for column in zip(*rows, strict=True))
    return Notes(start, duration, pitch, np.full(len(rows), 80), program)


SONG = [(C, VERSE), (AM, VERSE), (F, CHORUS), (G, CHORUS)] * 2


@pytest.mark.parametrize("up", [0, 2, 11])
def test_chords_and_bars_that_come_back_are_heard(up: int) -> None:
    sketch = measure_sketch(played(SONG, up), "4/4", 8)
    chords = [((0, chord.moved(up)),) for chord, _ in SONG]
    assert [row.chords for row in sketch.rows] == chords
    assert [row.like for row in sketch.rows] == [None] * 4 + [0, 1, 2, 3]


def test_a_bar_that_repeats_another_has_its_chords_whatever_a_label_says() -> None:
    labels = [
        (0, "C"),
        (4, "Am"),
        (8, "F"),
        (12, "G"),
        (16, "C7"),
        (20, "Am"),
        (24, "F"),
        (28, "G"),
    ]
    sketch = measure_sketch(played(SONG), "4/4", 8, labels=labels)
    assert sketch.rows[0].chords == sketch.rows[4].chords == ((0, C),)


def test_labels_are_taken_over_what_is_heard_and_begin_where_they_are_said_to() -> None:
    labels = [(0, "Dm7"), (8, "G7/B"), (10, "Eb"), (12, "C")]
    found = measure_sketch(played(SONG[:2]), "4/4", 2, labels=labels, begin=8.0)
    assert found.rows[0].chords == ((0, Chord(7, "7")), (2, Chord(3, "maj")))
    assert found.rows[1].chords == ((0, C),)


def test_drums_alone_have_rows_without_chords() -> None:
    start = np.arange(16) * 1.0
    drums = Notes(start, start * 0 + 0.5, np.full(16, 36), np.full(16, 100), np.full(16, DRUMS))
    sketch = measure_sketch(drums, "4/4", 4)
    assert len(sketch.rows) == 4
    assert all(row.chords == () for row in sketch.rows)
    assert [row.like for row in sketch.rows][1:] == [0, 0, 0]


def test_the_sketch_of_real_music_is_one_that_can_be_said() -> None:
    for name, window in real_windows()[::6]:
        plan = window.plan
        assert plan.bars and plan.time_signature
        notes = notes_of(the_tokenizer().decode_score(list(window.ids), plan))
        sketch = measure_sketch(notes, plan.time_signature, plan.bars, plan.key)
        assert decode_sketch(encode_sketch(sketch, plan.key), plan.key) == sketch, name
        for bar, row in enumerate(sketch.rows):
            assert all(t is None or 0 <= t < bar for t in (row.like, row.vary)), name
            assert row.like is None or row.chords == sketch.rows[row.like].chords
            beats = [beat for beat, _ in row.chords]
            assert beats == sorted(set(beats)) and beats[:1] in ([], [0])
            assert all(beat < beats_per_bar(plan.time_signature) for beat in beats)
            in_row = [chord for _, chord in row.chords]
            assert all(a != b for a, b in pairwise(in_row))


def test_windows_are_labelled_with_rows_that_keep_the_sketch_grammar() -> None:
    """What the model learns of a sketch has to be what it may say: all chosen, none refused."""
    for name, window in real_windows():
        grammar = SketchGrammar(the_layout(), window.plan, most=2000, bare=True)
        for music_id in [*window.sketch, the_layout().index[SCORE]]:
            assert grammar.allowed()[music_id], (name, the_layout().vocabulary[music_id])
            grammar.advance(music_id)
        assert grammar.done


def test_notes_keep_the_sketch_that_is_heard_in_them() -> None:
    notes = played(SONG)
    assert sketch_adherence(notes, PLAN, measure_sketch(notes, "4/4", 8)) == SketchAdherence(
        1.0, 1.0
    )


def test_a_quarter_of_other_chords_is_a_quarter_of_the_time() -> None:
    """Bars 1 and 5 were sketched as E flat, and A minor is heard in them."""
    rows = [
        Row(like=bar - 4 if bar >= 4 else None, chords=((0, chord),))
        for bar, (chord, _) in enumerate(SONG)
    ]
    for bar in (1, 5):
        rows[bar] = Row(rows[bar].like, None, ((0, Chord(3, "maj")),))
    found = sketch_adherence(played(SONG), PLAN, Sketch(tuple(rows)))
    assert found.chords == pytest.approx(0.75)
    assert found.form == 1.0


def test_bars_that_should_come_back_and_do_not_are_counted() -> None:
    """Of the four bars that should repeat the first ones, two do."""
    other = [*SONG[:6], (Chord(1, "maj"), VERSE), (Chord(11, "min"), VERSE)]
    meant = measure_sketch(played(SONG), "4/4", 8)
    assert sketch_adherence(played(other), PLAN, meant).form == 0.5


def test_what_there_is_nothing_to_keep_to_is_none() -> None:
    notes = played(SONG)
    assert sketch_adherence(notes, PLAN, Sketch()) == SketchAdherence()
    assert sketch_adherence(notes, PLAN, Sketch((Row(),) * 8)) == SketchAdherence(None, None)
    chords = Sketch(tuple(Row(chords=((0, chord),)) for chord, _ in SONG))
    assert sketch_adherence(notes, PLAN, chords) == SketchAdherence(1.0, None)
