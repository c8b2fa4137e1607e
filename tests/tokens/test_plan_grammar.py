"""Plans are completed: what is asked is kept, what is open is as real pieces have it."""

from __future__ import annotations

import pytest
from decoded import plan_of_ids
from hypothesis import given
from random_music import Dice, all_dice, asked_plans, many, the_layout, the_tokenizer, write

from textmusic.music import usual
from textmusic.music.plan import (
    FIELDS,
    GENRES,
    MAX_PROGRAMS,
    TEMPO_MARKS,
    Plan,
    rounded,
    tempo_mark,
)
from textmusic.music.theory import DRUMS, NO_KEY, is_minor, tempo_bin
from textmusic.tokens.plan_grammar import OPEN_BARS, PlanGrammar, bars_for
from textmusic.tokens.vocabulary import SKETCH


def planned(asked: Plan = Plan(), seed: int = 1, **options: object) -> Plan:
    """A plan by dice that know nothing of music."""
    grammar = PlanGrammar(the_layout(), asked, **options)  # type: ignore[arg-type]
    write(grammar, Dice(seed, taste=3, noise=1, kinds={}), limit=100)
    return grammar.plan


def allowed_first(asked: Plan, **options: object) -> set[str]:
    """What a plan may begin with: genres, where they are open."""
    grammar = PlanGrammar(the_layout(), asked, **options)  # type: ignore[arg-type]
    mask = grammar.allowed()
    return {
        t.partition("_")[2] for t, may in zip(the_layout().vocabulary, mask, strict=True) if may
    }


@many
@given(asked=asked_plans, dice=all_dice)
def test_a_plan_is_completed_and_keeps_all_that_was_asked(asked: Plan, dice: Dice) -> None:
    grammar = PlanGrammar(the_layout(), asked)
    ids = write(grammar, dice, limit=100)
    plan = grammar.plan
    assert the_tokenizer().vocabulary[ids[-1]] == SKETCH
    assert all(getattr(plan, name) is not None for name in FIELDS), "every field is settled"
    assert asked.over(plan) == plan, "what was asked is kept exactly"
    assert plan_of_ids(the_tokenizer(), ids[:-1]) == rounded(plan), "the ids spell the plan"
    assert plan.programs and plan.bars
    assert len(plan.programs) <= MAX_PROGRAMS
    assert list(plan.programs) == sorted(set(plan.programs))
    assert (plan.key == NO_KEY) == (plan.programs == (DRUMS,))
    assert asked.bars or OPEN_BARS[0] <= plan.bars <= OPEN_BARS[1]


@many
@given(asked=asked_plans, dice=all_dice)
def test_what_is_open_is_usual_in_the_genre(asked: Plan, dice: Dice) -> None:
    grammar = PlanGrammar(the_layout(), asked)
    write(grammar, dice, limit=100)
    plan = grammar.plan
    known = usual.of(plan.genre)
    assert plan.tempo and plan.programs
    if asked.tempo is None:
        assert tempo_bin(plan.tempo) in known.tempo_bins
        assert known.tempi[0] <= plan.tempo <= known.tempi[1]
    if asked.time_signature is None:
        assert plan.time_signature in known.metres
    if asked.programs is None and not (plan.genre == "drums" and asked.key):
        assert plan.programs in known.programs


@pytest.mark.parametrize("genre", GENRES)
def test_every_usual_set_can_be_chosen_and_nothing_else(genre: str) -> None:
    """Walks the whole tree of the instruments that the grammar offers."""
    complete: set[tuple[int, ...]] = set()
    layout = the_layout()

    def walk(chosen: tuple[int, ...]) -> None:
        grammar = PlanGrammar(layout, Plan(genre=genre, valence=3, arousal=3))
        for token in (
            f"Genre_{genre}",
            "Valence_3",
            "Arousal_3",
            *(f"Program_{p}" for p in chosen),
        ):
            assert grammar.allowed()[layout.index[token]], token
            grammar.advance(layout.index[token])
        tokens = [layout.vocabulary[i] for i in grammar.allowed().nonzero()[0]]
        if any(token.startswith("Key_") for token in tokens):
            complete.add(chosen)
        for token in tokens:
            if token.startswith("Program_"):
                walk((*chosen, int(token.partition("_")[2])))

    walk(())
    assert complete == set(usual.of(genre).programs)


@pytest.mark.parametrize("seed", range(10))
def test_a_pop_song_has_a_bass_and_drums_unless_it_says_piano(seed: int) -> None:
    plan = planned(Plan(genre="pop"), seed)
    assert plan.programs and DRUMS in plan.programs
    assert usual.BASSES & set(plan.programs)
    assert planned(Plan(genre="pop", programs=(0,)), seed).programs == (0,)


def test_pop_without_drums_is_what_there_is_of_it_without_drums() -> None:
    for seed in range(10):
        assert planned(Plan(genre="pop"), seed, without=(DRUMS,)).programs == (0,), "POP909's piano"


def test_usual_sets_that_hold_what_must_not_play_are_played_without_it() -> None:
    """All of metal has drums; without them its guitars are left."""
    cut = {tuple(p for p in s if p != DRUMS) for s in usual.of("metal").programs}
    for seed in range(10):
        assert planned(Plan(genre="metal"), seed, without=(DRUMS,)).programs in cut


def test_where_no_usual_set_is_left_any_instruments_may_play() -> None:
    sets = usual.of("string-quartet").programs
    denied = {p for s in sets for p in s}
    found = {
        planned(Plan(genre="string-quartet"), seed, without=denied).programs for seed in range(9)
    }
    assert len(found) > 1
    assert all(found) and not any(denied.intersection(s or ()) for s in found)


@pytest.mark.parametrize("without", [(DRUMS,), tuple(range(8, DRUMS + 1)), (0, 40, 73)])
def test_what_must_not_play_is_never_planned(without: tuple[int, ...]) -> None:
    for seed in range(20):
        programs = planned(Plan(), seed, without=without).programs
        assert programs and not set(without) & set(programs)


def test_an_open_genre_is_one_that_has_the_instruments() -> None:
    def having(programs: tuple[int, ...]) -> set[str]:
        return {g for g in GENRES if programs in (*usual.of(g).programs, *usual.of(g).heard)}

    assert allowed_first(Plan(programs=(6,))) == having((6,)) >= {"baroque"}
    assert allowed_first(Plan(programs=(40, 41, 42))) == having((40, 41, 42)) >= {"string-quartet"}
    assert "metal" not in allowed_first(Plan(programs=(0,)))
    assert allowed_first(Plan(programs=(*range(0, 120, 9),))), "nobody has these: any genre"


def test_an_open_genre_is_one_that_has_the_metre_and_the_tempo() -> None:
    in_nine = allowed_first(Plan(time_signature="9/8"))
    assert in_nine and all("9/8" in usual.of(g).metres for g in in_nine)
    assert "9/8" not in usual.of("pop").metres and "pop" not in in_nine
    fast = allowed_first(Plan(tempo=230.0))
    assert fast and all(8 in usual.of(g).tempo_bins for g in fast)
    assert "children" not in fast
    assert "5/8" not in usual.of(None).metres
    assert len(allowed_first(Plan(time_signature="5/8"))) > 20, "no genre has it: it has no say"


def test_a_tune_for_one_is_planned_only_where_its_genre_or_player_is_named() -> None:
    assert not allowed_first(Plan()) & {"folk", "celtic", "dance", "lead-sheet"}
    for seed in range(30):
        assert not usual.is_tune(planned(Plan(), seed).programs or ())
    assert planned(Plan(genre="celtic")).programs == (40,)
    assert "celtic" in allowed_first(Plan(programs=(40,)))


def test_a_key_rules_out_drums_alone() -> None:
    assert "drums" not in allowed_first(Plan(key="D minor"))
    assert "drums" not in allowed_first(Plan(), minor=True)
    assert "drums" in allowed_first(Plan())


def test_drums_alone_have_no_key() -> None:
    assert planned(Plan(programs=(DRUMS,))).key == NO_KEY
    assert planned(Plan(key=NO_KEY)).programs == (DRUMS,)


@pytest.mark.parametrize("minor", [True, False])
def test_an_open_key_is_of_the_mode_that_was_said(minor: bool) -> None:
    keys = {planned(Plan(genre="romantic"), seed, minor=minor).key for seed in range(20)}
    assert len(keys) > 3 and all(key and is_minor(key) == minor for key in keys)
    assert planned(Plan(key="C major"), minor=True).key == "C major", "what is asked stays"


@pytest.mark.parametrize(
    ("multiple", "lengths", "bars"),
    [(8, (12, 32), {16, 24, 32}), (12, (12, 32), {12, 24}), (40, (12, 32), {40}),
     (7, (9, 13), {7, 14}), (5, (1, 4), {5}), (96, (12, 32), {96})],
)  # fmt: skip
def test_open_bars_are_a_multiple(multiple: int, lengths: tuple[int, int], bars: set[int]) -> None:
    found = {planned(Plan(), seed, multiple=multiple, lengths=lengths).bars for seed in range(20)}
    assert found <= bars if multiple == 7 else found == bars


def test_bars_of_a_length_in_seconds_are_a_multiple_where_that_is_near() -> None:
    asked = Plan(tempo=120.0, time_signature="4/4")  # a bar lasts 2 s
    assert planned(asked, seconds=62.0).bars == 31
    assert planned(asked, seconds=62.0, multiple=8).bars == 32
    assert planned(asked, seconds=40.0, multiple=8).bars == 20, "16 and 24 are a fifth off"


def test_a_free_plan_may_have_anything() -> None:
    """To see what a model makes of a text, nothing may be put right."""
    assert allowed_first(Plan(), free=True) == set(GENRES)
    plans = [planned(Plan(genre="chorale"), seed, free=True) for seed in range(20)]
    assert {p.programs for p in plans} - set(usual.of("chorale").programs)
    assert {p.time_signature for p in plans} - set(usual.of("chorale").metres)
    assert any(p.tempo and p.tempo > 150 for p in plans)


def test_tempi_that_lie_between_two_marks_leave_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    narrow = usual.Usual(40, {(0,): 1.0}, {(0,): 1.0}, {"4/4": 1.0}, (101.5, 101.6), {4: 1.0})
    assert not any(narrow.has_tempo(mark) for mark in TEMPO_MARKS)
    monkeypatch.setattr(usual, "of", lambda genre: narrow)
    assert planned().tempo == TEMPO_MARKS[tempo_mark(101.55)]


@pytest.mark.parametrize("seconds", [2.0, 20.0, 90.0, 300.0, 600.0])
@pytest.mark.parametrize("tempo", [None, 60.0, 200.0])
def test_bars_are_counted_from_seconds(seconds: float, tempo: float | None) -> None:
    """Lengths of more than 64 bars too, though their token says no more than "64 or more"."""
    asked = Plan(tempo=tempo, time_signature="3/4")
    plan = planned(asked, seconds=seconds)
    assert plan.bars == bars_for(plan, seconds)
    assert plan.tempo and plan.bars
    lasts = plan.bars * 3 * 60 / plan.tempo
    assert abs(lasts - seconds) <= 3 * 60 / plan.tempo or plan.bars == 256
