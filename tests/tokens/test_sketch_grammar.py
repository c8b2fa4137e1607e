"""Whatever a model's logits are, what it sketches is a sketch, and has what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from decoded import decode_sketch
from hypothesis import given
from hypothesis import strategies as st
from random_music import Dice, many, the_layout, tokens_of, write

from textmusic.music.chords import Chord
from textmusic.music.outline import AskedRow, laid, seen_from
from textmusic.music.plan import Plan
from textmusic.music.sketch import BeatChord, Outline, Row, Sketch, beats_per_bar
from textmusic.music.theory import DRUMS, KEYS, TIME_SIGNATURES
from textmusic.tokens.sketch_grammar import SketchGrammar
from textmusic.tokens.vocabulary import SCORE

C, F, G7, AM = Chord(0, "maj"), Chord(5, "maj"), Chord(7, "7"), Chord(9, "min")
PLAN = Plan(programs=(0,), key="C major", time_signature="4/4", bars=4)

dice = st.builds(
    Dice,
    st.integers(0, 2**32 - 1),
    taste=st.sampled_from([0.0, 1.0, 4.0]),
    noise=st.sampled_from([0.0, 0.5, 3.0]),
    kinds=st.fixed_dictionaries(
        {},
        optional={
            kind: st.sampled_from([-20.0, 3.0, 20.0])
            for kind in ("Bar", "New", "Like", "Vary", "Chord", "Beat", SCORE)
        },
    ),
)
plans = st.builds(
    Plan,
    programs=st.sampled_from([(0,), (0, 33, DRUMS), (DRUMS,)]),
    key=st.sampled_from(KEYS),
    time_signature=st.sampled_from(TIME_SIGNATURES),
    bars=st.sampled_from([1, 2, 5, 8, 16, 64]),
)


def changes(beats: int) -> st.SearchStrategy[tuple[BeatChord, ...]]:
    """Chords of a bar of so many beats."""
    chord = st.sampled_from([C, F, G7, AM])
    later = st.sets(st.integers(1, beats - 1), max_size=2)
    return st.builds(
        lambda first, at, other: ((0, first), *((beat, other) for beat in sorted(at)[:1])),
        chord, later, chord,
    )  # fmt: skip


@st.composite
def asked_rows(draw: st.DrawFn, plan: Plan) -> list[AskedRow]:
    """What a person may ask of bars, or of the first of them."""
    assert plan.bars and plan.time_signature
    rows: list[AskedRow] = []
    chord = st.none() | changes(beats_per_bar(plan.time_signature))
    for bar in range(draw(st.integers(0, plan.bars))):
        like = draw(st.none() | st.integers(0, bar - 1)) if bar else None
        rows.append(AskedRow(like, like is None and draw(st.booleans()), draw(chord)))
    return rows


def check(ids: Sequence[int], grammar: SketchGrammar, plan: Plan, given: Sequence[Row]) -> None:
    """A valid sketch, said as the rows are that the grammar holds."""
    assert plan.time_signature
    rows, tokens = grammar.sketch.rows, tokens_of(ids)
    assert tokens[-1] == SCORE and tokens.count(SCORE) == 1
    assert len(rows) == plan.bars
    assert tuple(rows[: len(given)]) == tuple(given)
    if not given:
        assert decode_sketch(tokens[:-1], plan.key) == Sketch(rows)
        assert sum(token.startswith("Bar_") for token in tokens) == plan.bars
    for bar, row in enumerate(rows):
        assert row.like is None or row.vary is None
        for target in (row.like, row.vary):
            assert target is None or 0 <= target < bar
        beats = [beat for beat, _ in row.chords]
        assert beats == sorted(set(beats)) and beats[:1] in ([], [0])
        assert all(beat < beats_per_bar(plan.time_signature) for beat in beats)
        if row.like is not None:
            assert row.chords == rows[row.like].chords, "a bar that repeats another has its chords"
    if plan.programs == (DRUMS,):
        assert not any(row.chords for row in rows[len(given) :])


@many
@given(plan=plans, dice=dice, most=st.sampled_from([200, 272, 384, 2000]), data=st.data())
def test_whatever_is_chosen_is_a_sketch_with_what_was_asked(
    plan: Plan, dice: Dice, most: int, data: st.DataObject
) -> None:
    asked = data.draw(asked_rows(plan))
    grammar = SketchGrammar(the_layout(), plan, asked=asked, most=most)
    ids = write(grammar, dice, limit=2000)
    check(ids, grammar, plan, ())
    rows = grammar.sketch.rows
    for row, wish in zip(rows, asked, strict=False):
        if wish.new:
            assert row.like is None and row.vary is None
        if plan.programs == (DRUMS,):
            assert row.like == wish.like or wish.like is None
            continue
        if wish.chords is not None:
            assert row.chords == wish.chords
        if wish.like is not None:
            same = wish.chords is None or wish.chords == rows[wish.like].chords
            assert (row.like, row.vary) == ((wish.like, None) if same else (None, wish.like))


@many
@given(plan=plans, dice=dice, data=st.data())
def test_the_sketch_takes_no_more_ids_than_it_may(
    plan: Plan, dice: Dice, data: st.DataObject
) -> None:
    """Also where a form is asked for, whose bars take their chords over again and again."""
    assert plan.bars
    form = data.draw(st.sampled_from([(), ("A",), ("A", "A", "B", "A"), ("A", "A", "A", "A")]))
    asked = [] if len(form) > plan.bars else laid(Outline(form=form), plan.key, plan.bars, "4/4")
    most = 3 * plan.bars + data.draw(st.integers(0, 40))
    grammar = SketchGrammar(the_layout(), plan, asked=asked, most=most)
    ids = write(grammar, dice, limit=2000)
    check(ids, grammar, plan, ())
    assert len(ids) - 1 <= most


def test_there_is_room_for_more_chords_until_the_budget_is_spent() -> None:
    """A writer that changes chords wherever it may: every beat, then bar lines only."""
    greedy = Dice(1, taste=0, noise=0, kinds={"Beat": 300, "Like": -20, "Vary": -20})
    first, last = the_layout().spans["Beat"]
    greedy.fixed[first:last] -= np.arange(last - first) * 20  # the next beat, not a later one
    long = Plan(programs=(0,), key="C major", time_signature="4/4", bars=10)
    grammar = SketchGrammar(the_layout(), long, most=42)
    ids = write(grammar, greedy, limit=100)
    assert [len(row.chords) for row in grammar.sketch.rows] == [4, 4, 1, 1, 1, 1, 1, 1, 1, 1]
    assert len(ids) - 1 == 42


@many
@given(dice=dice, key=st.sampled_from(KEYS), count=st.integers(1, 3))
def test_rows_that_are_given_are_gone_on_from(dice: Dice, key: str, count: int) -> None:
    chords: tuple[BeatChord, ...] = ((0, C), (2, F))
    given = (Row(chords=chords), Row(like=0, chords=chords), Row(vary=0, chords=chords))[:count]
    plan = Plan(programs=(0,), key=key, time_signature="4/4", bars=6)
    grammar = SketchGrammar(the_layout(), plan, given=given)
    ids = write(grammar, dice, limit=500)
    check(ids, grammar, plan, given)
    assert tokens_of(ids)[0] == f"Bar_{6 - count}"


def run(grammar: SketchGrammar, *tokens: str) -> set[str]:
    """Choose these; returns what may come then."""
    for token in tokens:
        music_id = the_layout().index[token]
        assert grammar.allowed()[music_id], token
        grammar.advance(music_id)
    return set(tokens_of(np.flatnonzero(grammar.allowed())))


def test_what_is_asked_is_the_only_way() -> None:
    asked = [AskedRow(new=True, chords=((0, C), (2, G7))), AskedRow(like=0)]
    grammar = SketchGrammar(the_layout(), PLAN, asked=asked)
    for token in ("Bar_4", "New", "Chord_0-maj", "Beat_2", "Chord_7-7", "Bar_3", "Like_4",
                  "Chord_0-maj", "Beat_2", "Chord_7-7", "Bar_2"):  # fmt: skip
        assert run(grammar) == {token}
        run(grammar, token)
    assert run(grammar) == {f"{kind}_{n}" for kind in ("Like", "Vary") for n in (3, 4)} | {"New"}


def test_asked_chords_that_differ_from_those_of_the_bar_make_it_vary() -> None:
    asked = [AskedRow(chords=((0, C),)), AskedRow(like=0, chords=((0, F),)),
             AskedRow(like=0, chords=((0, C),))]  # fmt: skip
    grammar = SketchGrammar(the_layout(), PLAN, asked=asked)
    run(grammar, "Bar_4", "New", "Chord_0-maj", "Bar_3")
    assert run(grammar) == {"Vary_4"}
    run(grammar, "Vary_4", "Chord_5-maj", "Bar_2")
    assert run(grammar) == {"Like_4"}


def test_asked_chords_leave_only_bars_that_have_them_to_be_repeated() -> None:
    asked = [AskedRow(chords=((0, C),)), AskedRow(chords=((0, F),)), AskedRow(chords=((0, C),))]
    grammar = SketchGrammar(the_layout(), PLAN, asked=asked)
    after = run(grammar, "Bar_4", "New", "Chord_0-maj", "Bar_3", "New", "Chord_5-maj", "Bar_2")
    assert after == {"New", "Like_4", "Vary_4", "Vary_3"}


def test_the_first_bar_may_be_without_a_chord_and_one_that_repeats_it_is_too() -> None:
    """An upbeat, or drums that begin: real pieces have that, and a model that may stays with it."""
    grammar = SketchGrammar(the_layout(), PLAN)
    after = run(grammar, "Bar_4", "New")
    assert "Bar_3" in after and "Chord_none" in after
    after = run(grammar, "Bar_3", "New")
    assert "Bar_2" not in after and "Chord_0-maj" in after
    assert run(grammar, "Chord_0-maj", "Bar_2", "Like_4") == {"Bar_1"}
    asked = SketchGrammar(the_layout(), PLAN, asked=[AskedRow(chords=())])
    assert run(asked, "Bar_4", "New") == {"Bar_3"}, "no chord is what was asked"


def test_drums_alone_have_no_chords_whatever_is_asked() -> None:
    plan = Plan(programs=(DRUMS,), key="none", time_signature="4/4", bars=2)
    asked = [AskedRow(chords=((0, C),)), AskedRow(like=0, chords=((0, C),))]
    grammar = SketchGrammar(the_layout(), plan, asked=asked)
    assert run(grammar, "Bar_2", "New") == {"Bar_1"}
    assert run(grammar, "Bar_1") == {"Like_2"}, "there are no chords that could differ"


def test_chords_that_are_asked_are_had_behind_rows_that_have_none() -> None:
    """A piano with chords is added behind bars of drums."""
    asked = [AskedRow(), AskedRow(chords=((0, F),))]
    grammar = SketchGrammar(the_layout(), PLAN, asked=asked, given=[Row()])
    assert run(grammar, "Bar_3", "New") == {"Chord_5-maj"}


def test_a_change_is_to_another_chord_on_a_later_beat_of_the_bar() -> None:
    grammar = SketchGrammar(the_layout(), PLAN)
    after = run(grammar, "Bar_4", "New", "Chord_0-maj")
    assert after == {"Beat_1", "Beat_2", "Beat_3", "Bar_3"}
    after = run(grammar, "Beat_2")
    assert "Chord_0-maj" not in after and "Chord_7-7" in after and "Chord_none" in after
    assert run(grammar, "Chord_7-7") == {"Beat_3", "Bar_3"}
    assert run(grammar, "Beat_3", "Chord_0-maj") == {"Bar_3"}


@pytest.mark.parametrize("key", ["C major", "Eb minor", "A major"])
def test_a_last_bar_has_the_chord_that_is_asked(key: str) -> None:
    plan = Plan(programs=(0,), key=key, time_signature="2/4", bars=2)
    forced = SketchGrammar(the_layout(), plan, asked=[AskedRow(), AskedRow(chords=((0, C),))])
    write(forced, Dice(0, taste=0, noise=0, kinds={}))
    assert forced.sketch.rows[1].chords == ((0, C),)


def test_sixty_four_bars_are_sketched_within_a_quarter_of_the_context() -> None:
    plan = Plan(programs=(0,), key="C major", time_signature="4/4", bars=64)
    for seed in range(5):
        loud = Dice(seed, taste=0, noise=1, kinds={"Beat": 3, "Like": 3})
        grammar = SketchGrammar(the_layout(), plan, most=1088 // 4)
        ids = write(grammar, loud, limit=600)
        check(ids, grammar, plan, ())
        assert len(ids) - 1 <= 272


@pytest.mark.parametrize("source", [Row(chords=((0, AM),)), Row()])
def test_a_bar_repeats_the_same_chords_or_none_wherever_its_source_lies(source: Row) -> None:
    """Inside the window, or before it, where the window can't name it."""
    rows = [source, Row(chords=((0, F),))]
    asked = AskedRow(like=0)
    last = []
    for begin in (0, 1):
        plan = replace(PLAN, bars=3 - begin)
        said = [*[AskedRow()] * (2 - begin), seen_from(asked, rows, begin)]
        grammar = SketchGrammar(the_layout(), plan, asked=said, given=rows[begin:], bare=True)
        while not grammar.done:
            grammar.advance(int(np.flatnonzero(grammar.allowed())[-1]))
        last.append(grammar.sketch.rows[-1].chords)
    assert last[0] == last[1] == source.chords


@many
@given(dice=dice, plan=plans, longest=st.integers(1, 6))
def test_no_chord_outstays(dice: Dice, plan: Plan, longest: int) -> None:
    grammar = SketchGrammar(the_layout(), plan, longest=longest)
    write(grammar, dice)
    rows = grammar.rows
    for bar in range(longest, len(rows)):
        stretch = rows[bar - longest : bar + 1]
        chords = {chord for row in stretch for _, chord in row.chords}
        assert len(chords) != 1 or not all(row.chords for row in stretch), bar


def test_a_chord_that_is_asked_may_stay() -> None:
    asked = [AskedRow(chords=((0, C),))] * 4
    grammar = SketchGrammar(the_layout(), PLAN, asked=asked, longest=1)
    write(grammar, Dice(1, taste=1.0, noise=1.0, kinds={}))
    assert [row.chords for row in grammar.rows] == [((0, C),)] * 4
