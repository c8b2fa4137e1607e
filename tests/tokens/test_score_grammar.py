"""Whatever a model's logits are, what comes out is a valid piece that keeps the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_music import (
    AT_MOST,
    Dice,
    all_dice,
    asked_plans,
    many,
    real_windows,
    score_plans,
    the_layout,
    tokens_of,
    write,
    written_file,
)

from textmusic.evaluation.metrics import is_valid
from textmusic.music.notes import notes_of, positions_per_beat
from textmusic.music.plan import COUNTED_BARS, Plan
from textmusic.music.repetition import MOST_NOTES_AT_ONCE, SAME_NOTE, Repetition, runs
from textmusic.music.theory import DRUMS, RANGES, TIME_SIGNATURES, quarters_per_bar
from textmusic.tokens.folding import END, Struck, spelt, steps_of, struck
from textmusic.tokens.plan_grammar import PlanGrammar
from textmusic.tokens.sampling import Sampling, choose
from textmusic.tokens.score_grammar import MAX_NOTES_PER_BAR, MAX_VOICES, ScoreGrammar


def check_ids(ids: list[int], plan: Plan) -> None:
    """The rules that show in the ids alone."""
    assert plan.bars and plan.time_signature
    tokens = tokens_of(ids)
    lines = [t for t in tokens if t.startswith("Bar_")]
    assert lines == [f"Bar_{min(n, COUNTED_BARS)}" for n in range(plan.bars, 0, -1)]
    assert tokens[-1] == END and tokens.count(END) == 1
    steps, _ = positions_per_beat(plan.time_signature)
    notes = struck(tokens)
    assert all(0 <= note.position < steps for note in notes)
    places = [note.place for note in notes]
    assert places == sorted(set(places)), "instruments ascending, their pitches ascending"
    assert max(Counter(note.bar for note in notes).values()) <= MAX_NOTES_PER_BAR
    spelling = [*spelt(notes, 0, plan.bars, plan.bars), END]
    assert tokens == spelling, "velocity, duration, position and program where they change only"


def check_score(ids: list[int], plan: Plan, *, ranges: bool = True) -> None:
    """The rules that show in the file."""
    assert plan.bars and plan.time_signature and plan.programs and plan.tempo
    score = written_file(ids, plan)
    assert is_valid(score)
    notes = notes_of(score)
    assert len(notes) == sum(t.startswith("Pitch") for t in tokens_of(ids)), "notes were lost"
    top, bottom = map(int, plan.time_signature.split("/"))
    assert [(t.numerator, t.denominator) for t in score.time_signatures] == [(top, bottom)]
    assert [t.qpm for t in score.tempos] == [pytest.approx(plan.tempo, rel=1e-4)]
    assert tuple(np.unique(notes.program)) == plan.programs, "exactly the planned instruments"
    bar, end = quarters_per_bar(plan.time_signature), float(notes.end.max())
    assert end <= plan.bars * bar + 1e-9, "a note goes on after the end"
    heard = bars_heard(notes.start, notes.end, bar, plan.bars)
    assert heard == plan.bars, "a bar is silent"
    for program in plan.programs:
        mine = notes.program == program
        check_voices(notes.start[mine], notes.end[mine], notes.pitch[mine])
        pitches = notes.pitch[mine]
        low, high = (27, 88) if program == DRUMS else RANGES.get(program, (21, 108))
        assert not ranges or (pitches.min() >= low and pitches.max() <= high)
        heard = bars_heard(notes.start[mine], notes.end[mine], bar, plan.bars)
        assert heard >= ceil(2 * plan.bars / 5), "what was planned is heard"


def check_voices(start: Any, end: Any, pitch: Any) -> None:
    """No pitch is struck while it sounds, and no more sound at once than an instrument may."""
    assert np.all(end - start > 0)
    for one in np.unique(pitch):
        order = np.argsort(start[pitch == one])
        starts, ends = start[pitch == one][order], end[pitch == one][order]
        assert np.all(ends[:-1] <= starts[1:] + 1e-9)
    for moment in np.unique(start):
        assert np.sum((start <= moment + 1e-9) & (end > moment + 1e-9)) <= MAX_VOICES


def bars_heard(start: Any, end: Any, bar: float, bars: int) -> int:
    """In how many bars an instrument strikes something or sounds on."""
    line = np.arange(bars)[:, None] * bar
    return int(np.any((start < line + bar - 1e-6) & (end > line + 1e-6), axis=1).sum())


@many
@given(plan=score_plans, dice=all_dice)
@example(
    plan=Plan(programs=(47,), key="C major", tempo=90.0, time_signature="12/8", bars=2),
    dice=Dice(1, taste=0, noise=0, kinds={"Bar": -20, "Position": -20}),
)
def test_no_logits_can_make_an_invalid_piece(plan: Plan, dice: Dice) -> None:
    assert plan.bars
    ids = write(ScoreGrammar(the_layout(), plan), dice, limit=plan.bars * AT_MOST + 1)
    check_ids(ids, plan)
    check_score(ids, plan)


@pytest.mark.parametrize("metre", TIME_SIGNATURES)
def test_every_metre_gives_a_valid_piece_of_its_bars(metre: str) -> None:
    plan = Plan(programs=(0, 33, DRUMS), key="G minor", tempo=100.0, time_signature=metre, bars=5)
    dice = Dice(5, taste=1, noise=1, kinds={"Bar": 2.0})
    ids = write(ScoreGrammar(the_layout(), plan), dice)
    check_ids(ids, plan)
    check_score(ids, plan)


@pytest.mark.parametrize("bars", [64, 80, 256])
def test_long_pieces_have_exactly_their_bars(bars: int) -> None:
    plan = Plan(programs=(40, 42), key="D major", tempo=80.0, time_signature="3/4", bars=bars)
    dice = Dice(6, taste=0, noise=0, kinds={"Bar": 5.5})
    ids = write(ScoreGrammar(the_layout(), plan), dice)
    check_ids(ids, plan)
    check_score(ids, plan)


def test_fifteen_instruments_all_play_even_in_a_piece_of_one_bar() -> None:
    programs = (*range(24, 38), DRUMS)
    plan = Plan(programs=programs, key="D major", tempo=80.0, time_signature="2/4", bars=1)
    for seed in range(5):
        dice = Dice(seed, taste=0, noise=0, kinds={"Bar": 20, END: 20, "Program": -20})
        check_score(write(ScoreGrammar(the_layout(), plan), dice), plan)


def test_a_bar_that_is_full_still_had_room_for_every_instrument() -> None:
    programs = (*range(14), DRUMS)
    plan = Plan(programs=programs, key="D major", tempo=80.0, time_signature="4/2", bars=1)
    dice = Dice(1, taste=0, noise=0, kinds={"Program": -20, END: -500})
    first, last = the_layout().spans["Duration"]
    dice.fixed[first + 1 : last] = -50  # short notes: there is always a voice for another
    first, last = the_layout().spans["Position"]
    dice.fixed[first:last] = -np.linspace(0, 400, last - first)  # and none is passed over
    ids = write(ScoreGrammar(the_layout(), plan), dice)
    check_ids(ids, plan)
    check_score(ids, plan)
    assert len(notes_of(written_file(ids, plan))) == MAX_NOTES_PER_BAR


def test_every_instrument_enters_after_a_quarter_and_plays_in_two_of_five_bars() -> None:
    """However little it likes to: a player that ends every bar at once."""
    plan = Plan(programs=(0, 40, 73), key="D major", tempo=80.0, time_signature="2/4", bars=12)
    for seed in range(5):
        dice = Dice(seed, taste=0, noise=0, kinds={"Bar": 9, "Program": -20})
        notes = struck(tokens_of(write(ScoreGrammar(the_layout(), plan), dice)))
        for program in (0, 40, 73):
            bars = {note.bar for note in notes if note.program == program}
            assert min(bars) <= 3
            assert len(bars) >= 5


def test_an_instrument_that_is_due_is_not_dodged_by_going_on_with_another() -> None:
    """It played last, so that it need not be named: another at the last place is no way out."""
    plan = Plan(programs=(5, 10), key="C major", tempo=80.0, time_signature="4/4", bars=4)
    index, note = the_layout().index, ["Velocity_79", "Duration_0.3.12", "Pitch_60"]
    grammar = ScoreGrammar(the_layout(), plan)
    for token in ["Bar_4", "Position_0", "Program_10", *note, "Bar_3", "Position_0", "Program_5",
                  *note, "Position_12", "Program_10", "Pitch_60", "Position_24", "Program_5",
                  "Pitch_60", "Bar_2", "Position_47"]:  # fmt: skip
        assert grammar.allowed()[index[token]], token
        grammar.advance(index[token])
    allowed = {tokens_of([i])[0] for i in np.flatnonzero(grammar.allowed())}
    assert "Program_10" not in allowed, "5 has to play in two of three bars"
    assert "Duration_0.1.12" in allowed


@settings(deadline=None, max_examples=20, derandomize=True)
@given(asked=asked_plans, dice=all_dice)
def test_words_to_piece_through_both_grammars(asked: Plan, dice: Dice) -> None:
    """A plan as the first grammar leaves it is always one that the second can play."""
    grammar = PlanGrammar(the_layout(), Plan(bars=2).over(asked))
    write(grammar, dice, limit=100)
    ids = write(ScoreGrammar(the_layout(), grammar.plan), dice, limit=2 * AT_MOST + 1)
    check_ids(ids, grammar.plan)
    check_score(ids, grammar.plan)


# What is stuck ------------------------------------------------------------------------------------


def test_no_writer_strikes_one_note_for_ever() -> None:
    plan = Plan(programs=(73,), key="C major", tempo=80.0, time_signature="4/4", bars=4)
    dice = Dice(0, taste=0, noise=0, kinds={"Bar": -20, END: -20, "Pitch": -10})
    dice.fixed[the_layout().index["Pitch_72"]] = 60
    dice.fixed[the_layout().index["Duration_0.1.12"]] = 70
    ids = write(ScoreGrammar(the_layout(), plan), dice)
    check_ids(ids, plan)
    notes = notes_of(written_file(ids, plan))
    longest = max((run for run in runs(notes) if run.pitches == (72,)), key=lambda run: run.onsets)
    assert longest.onsets <= SAME_NOTE
    assert len(notes) > SAME_NOTE


@many
@given(seed=st.integers(0, 2**32 - 1), program=st.sampled_from([0, 33, 48, 105]))
def test_nobody_strikes_more_at_once_than_real_players(seed: int, program: int) -> None:
    plan = Plan(programs=(program,), key="C major", tempo=80.0, time_signature="3/4", bars=2)
    dice = Dice(seed, taste=0, noise=1, kinds={"Position": -20, "Bar": -20, END: -20})
    notes = struck(tokens_of(write(ScoreGrammar(the_layout(), plan), dice)))
    assert max(Counter((n.bar, n.position) for n in notes).values()) <= MOST_NOTES_AT_ONCE


# Holes --------------------------------------------------------------------------------------------


def piece(plan: Plan, seed: int) -> list[Struck]:
    """A piece by dice."""
    dice = Dice(seed, taste=1, noise=1, kinds={"Bar": 3.0})
    return struck(tokens_of(write(ScoreGrammar(the_layout(), plan), dice)))


def span(note: Struck, plan: Plan) -> tuple[int, int]:
    """Where it begins and ends, in steps from the beginning of the piece."""
    steps, _ = positions_per_beat(str(plan.time_signature))
    start = note.bar * steps + note.position
    return start, start + steps_of(note.duration)


def check_no_overlap(notes: Sequence[Struck], plan: Plan) -> None:
    """No two notes of one instrument and pitch at once."""
    parts: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for note in notes:
        parts.setdefault((note.program, note.pitch), []).append(span(note, plan))
    for spans in parts.values():
        spans.sort()
        for (_, end), (start, _) in pairwise(spans):
            assert end <= start, "a note runs into another one"


@many
@given(
    seed=st.integers(0, 2**32 - 1),
    dice=all_dice,
    metre=st.sampled_from(["2/4", "4/4", "7/8"]),
    data=st.data(),
)
def test_a_hole_is_filled_and_nothing_that_stands_is_run_into(
    seed: int, dice: Dice, metre: str, data: st.DataObject
) -> None:
    programs = data.draw(st.sampled_from([(0,), (0, 40), (40, 47, DRUMS)]))
    bars = data.draw(st.integers(1, 6))
    plan = Plan(programs=programs, key="E minor", tempo=90.0, time_signature=metre, bars=bars)
    first = data.draw(st.integers(0, bars - 1))
    last = data.draw(st.integers(first + 1, bars))
    chosen = data.draw(st.sets(st.sampled_from(programs), min_size=1))
    standing = [
        note
        for note in piece(plan, seed)
        if not (first <= note.bar < last and note.program in chosen)
    ]
    ranges = data.draw(st.booleans())
    grammar = ScoreGrammar(
        the_layout(), plan, ranges=ranges, bars=(first, last), programs=chosen, standing=standing
    )
    assert set(grammar.programs) == chosen
    stop = data.draw(st.sampled_from([last, bars]))
    grammar.window(stop, [])
    ids = write(grammar, dice, limit=(last - first) * AT_MOST + 1)
    tokens = tokens_of(ids)
    lines = [token for token in tokens if token.startswith("Bar_")]
    assert lines == [f"Bar_{stop - bar}" for bar in range(first, last)], "and not one bar more"
    assert tokens[-1] == END and tokens.count(END) == 1
    new = struck(tokens, first)
    assert new == grammar.notes
    assert {note.program for note in new} <= chosen
    assert [*spelt(new, first, last, stop), END] == tokens, "everything is said afresh"
    check_no_overlap([*standing, *new], plan)
    steps, _ = positions_per_beat(metre)
    assert all(span(note, plan)[1] <= bars * steps for note in new)
    for program in chosen:
        mine = [span(n, plan) for n in (*standing, *new) if n.program == program]
        heard = sum(
            any(s < (bar + 1) * steps and e > bar * steps for s, e in mine)
            for bar in range(first, last)
        )
        assert heard >= ceil(2 * (last - first) / 5)


def test_a_hole_between_held_notes_has_a_way_out() -> None:
    """Thirteen strings of one instrument sound on into the hole, some out of its range."""
    plan = Plan(programs=(47,), key="C major", tempo=90.0, time_signature="4/4", bars=3)
    held = [Struck(0, 0, 47, pitch, 79, "5.0.12") for pitch in range(24, 24 + 26, 2)]
    for seed in range(5):
        grammar = ScoreGrammar(the_layout(), plan, bars=(1, 2), programs=[47], standing=held)
        dice = Dice(seed, taste=0, noise=1, kinds={"Bar": -20, "Position": 20, END: -20})
        write(grammar, dice)
        assert grammar.notes
        assert min(note.position for note in grammar.notes) >= 12, "no voice is free before"
        check_no_overlap([*held, *grammar.notes], plan)


def test_a_note_before_and_one_behind_a_hole_leave_what_is_between_them() -> None:
    plan = Plan(programs=(0,), key="C major", tempo=90.0, time_signature="2/4", bars=3)
    standing = [Struck(0, 0, 0, 60, 79, "2.6.12"), Struck(2, 0, 0, 60, 79, "1.0.12")]
    grammar = ScoreGrammar(the_layout(), plan, bars=(1, 2), programs=[0], standing=standing)
    index = the_layout().index

    def take(*tokens: str) -> None:
        for token in tokens:
            assert grammar.allowed()[index[token]], token
            grammar.advance(index[token])

    take("Bar_1", "Position_0", "Program_0", "Velocity_79", "Duration_0.6.12")
    assert not grammar.allowed()[index["Pitch_60"]], "it sounds on to the middle of the first beat"
    take("Pitch_62", "Position_6", "Duration_2.0.12")
    assert not grammar.allowed()[index["Pitch_60"]], "its next one is a beat and a half away"
    take("Pitch_64", "Position_12", "Duration_1.0.12", "Pitch_60", END)
    assert grammar.done


# Windows ------------------------------------------------------------------------------------------


def until_end(grammar: ScoreGrammar, dice: Dice) -> list[str]:
    """Let dice play until the window ends."""
    ids: list[int] = []
    while not ids or tokens_of(ids[-1:]) != [END]:
        allowed = grammar.allowed()
        assert allowed.any()
        ids.append(choose(dice.logits(), allowed, Sampling(1.0, 1.0), dice.rng))
        grammar.advance(ids[-1])
    return tokens_of(ids)


@pytest.mark.parametrize("remembered", [True, False])
def test_a_piece_goes_on_window_by_window(remembered: bool) -> None:
    plan = Plan(programs=(0, 40), key="G major", tempo=90.0, time_signature="3/4", bars=20)
    for seed in range(10):
        dice = Dice(seed, taste=1, noise=1, kinds={"Bar": 4.0})
        grammar = ScoreGrammar(the_layout(), plan)
        notes: list[Struck] = []
        first = 0
        for stop in (8, 15, 20):
            shown = notes if remembered else []
            grammar.window(stop, shown)
            tokens = until_end(grammar, dice)
            lines = [token for token in tokens if token.startswith("Bar_")]
            assert lines == [f"Bar_{stop - bar}" for bar in range(first, stop)]
            assert grammar.done == (stop == 20), "<|end|> ends the window, and the piece at last"
            notes, first = list(grammar.notes), stop
            if not remembered:
                new = [note for note in notes if note.bar >= stop - len(lines)]
                assert struck(tokens, stop - len(lines)) == new, "all is said again"
        whole = [*spelt(notes, 0, 20, 20), END]
        ids = [the_layout().index[token] for token in whole]
        check_ids(ids, plan)
        check_score(ids, plan)


def test_a_window_that_shows_notes_goes_on_with_what_they_had() -> None:
    plan = Plan(programs=(0, 40), key="C major", tempo=90.0, time_signature="4/4", bars=9)
    grammar = ScoreGrammar(the_layout(), plan, bars=(4, 9))
    shown = [Struck(3, 0, 0, 60, 79, "1.0.12"), Struck(3, 0, 40, 67, 95, "2.0.12")]
    grammar.window(9, shown)
    index = the_layout().index
    assert grammar.running(0) == (index["Velocity_79"], index["Duration_1.0.12"])
    assert grammar.running(40) == (index["Velocity_95"], index["Duration_2.0.12"])
    for token in ("Bar_5", "Position_0", "Pitch_72"):  # the violin's, which came last
        assert grammar.allowed()[index[token]], token
        grammar.advance(index[token])
    assert grammar.notes == [Struck(4, 0, 40, 72, 95, "2.0.12")]
    grammar.window(9, [])
    assert grammar.running(40) == (None, None)


# Real music ---------------------------------------------------------------------------------------


def test_real_pieces_are_accepted() -> None:
    """Training music keeps the grammar's rules: else the model is taught what it may never say.

    The rules that it breaks now and then are of taste: ranges, late entries, repetition.
    """
    refused = [
        (name, why) for name, window in real_windows() if (why := refusal(window.ids, window.plan))
    ]
    assert not refused


def refusal(ids: Sequence[int], plan: Plan, **options: bool) -> str | None:
    """Why the grammar would not write these ids; None if it could."""
    grammar = ScoreGrammar(the_layout(), plan, **(options or {"ranges": False, "late": True}))
    for at, music_id in enumerate(ids):
        if not grammar.allowed()[music_id]:
            return f"{tokens_of([music_id])[0]} at {at}, bar {grammar.bar}"
        grammar.advance(music_id)
    return None if grammar.done else "not done"


def test_most_real_pieces_keep_the_rules_of_taste_too() -> None:
    kept = sum(refusal(w.ids, w.plan, ranges=False) is None for _, w in real_windows())
    print(f"{kept} of {len(real_windows())} windows would be written as they are")
    assert kept / len(real_windows()) > 0.8


def test_real_pieces_are_left_alone_by_the_limits_of_repetition() -> None:
    touched = [name for name, window in real_windows() if repeats(window.ids, window.plan)]
    assert not touched, f"of {len(real_windows())} windows"


def repeats(ids: Sequence[int], plan: Plan) -> bool:
    """Whether a limit of `Repetition` would have kept a note from being written."""
    assert plan.programs and plan.time_signature
    steps, per_quarter = positions_per_beat(plan.time_signature)
    repetition = Repetition(plan.programs, per_quarter)
    place, count = None, 0
    for note in struck(tokens_of(ids)):
        if (note.bar, note.position, note.program) != place:
            place, count = (note.bar, note.position, note.program), 0
            if repetition.banned_first(note.program) == note.pitch:
                return True
            repetition.onset(note.program, note.bar * steps + note.position)
        elif count >= repetition.most_at_once(note.program):
            return True
        repetition.note(note.program, note.pitch)
        count += 1
    return False
