"""What a server of LLMs is asked, and its answer as a piece."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from random_music import Dice, all_dice, many, score_plans, the_layout, the_tokenizer, write

from textmusic.errors import TextMusicError
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS
from textmusic.tokens.folding import END
from textmusic.tokens.score_grammar import FOLLOWERS, ScoreGrammar, allowed_ids
from textmusic.tokens.vocabulary import SCORE
from textmusic.writing.remote import Request, make_request, read_answer
from textmusic.writing.text_to_music import TextToMusic

TEXT = "calm piano and drums in D minor, 3/4, 4 bars"


@pytest.fixture(scope="module")
def asking(tiny: TextToMusic) -> Request:
    return make_request(tiny, TEXT, seed=2)


def answer(tiny: TextToMusic, request: Request, length: int, seed: int = 0) -> list[int]:
    """What a server without any sense writes: of the allowed kinds of tokens, any."""
    rng, tokenizer, kinds = np.random.default_rng(seed), tiny.tokenizer, defaultdict(list)
    for i in request.allowed:
        kinds[tokenizer.vocabulary[i - tokenizer.offset].partition("_")[0]].append(i)
    drawn = rng.choice(sorted(kinds), length)
    return [int(rng.choice(kinds[kind])) for kind in drawn]


@pytest.mark.slow
@many
@given(plan=score_plans, dice=all_dice)
def test_what_the_grammar_lets_through_is_allowed_and_follows(plan: Plan, dice: Dice) -> None:
    layout, offset = the_layout(), the_tokenizer().offset
    ids = write(ScoreGrammar(layout, plan), dice)
    assert {i + offset for i in ids} <= set(allowed_ids(the_tokenizer(), plan))
    kinds = [SCORE, *(layout.vocabulary[i].partition("_")[0] for i in ids)]
    assert all(after in FOLLOWERS[before] for before, after in pairwise(kinds))


def test_nothing_follows_that_never_does() -> None:
    """Every pair of kinds is one that real grammars have allowed."""
    layout, met = the_layout(), set()
    plan = Plan(programs=(0, DRUMS), key="C major", tempo=90.0, time_signature="4/4", bars=3)
    for seed in range(6):
        rng, grammar = np.random.default_rng(seed), ScoreGrammar(layout, plan)
        kind = SCORE
        while not grammar.done:
            options = np.flatnonzero(grammar.allowed())
            kinds = {layout.vocabulary[i].partition("_")[0]: int(i) for i in options}
            met |= {(kind, after) for after in kinds}
            kind = str(rng.choice(sorted(kinds)))
            of_kind = [i for i in options if layout.vocabulary[i].partition("_")[0] == kind]
            grammar.advance(int(rng.choice(of_kind)))
    assert met == {(before, after) for before, those in FOLLOWERS.items() for after in those}


def test_a_plan_allows_its_own_instruments_bars_and_positions_only(asking: Request) -> None:
    tokenizer = the_tokenizer()
    tokens = {tokenizer.vocabulary[i - tokenizer.offset] for i in asking.allowed}
    assert {t for t in tokens if t.startswith("Program")} == {"Program_0", f"Program_{DRUMS}"}
    assert {t for t in tokens if t.startswith("Bar")} == {f"Bar_{n}" for n in range(1, 5)}
    assert "Position_35" in tokens and "Position_36" not in tokens
    assert not any(t.startswith(("Key", "Tempo", "<|plan", "<|score")) for t in tokens)
    for programs, pitches, drums in (((0,), True, False), ((DRUMS,), False, True)):
        plan = Plan(programs=programs, key="N", tempo=90.0, time_signature="4/4", bars=3)
        ids = allowed_ids(tokenizer, plan)
        kinds = {tokenizer.vocabulary[i - tokenizer.offset].partition("_")[0] for i in ids}
        assert ("Pitch" in kinds, "PitchDrum" in kinds) == (pitches, drums)


def test_a_askinggoes_on_where_a_piece_of_its_own_would(tiny: TextToMusic, asking: Request) -> None:
    assert asking.plan == tiny.generate(TEXT, seed=2).plan
    assert asking.plan.key == "D minor" and asking.plan.bars == 4
    tokenizer = tiny.tokenizer
    spelt = [tokenizer.vocabulary[i - tokenizer.offset] for i in asking.ids if i >= 300]
    assert spelt[0] == "<|plan|>" and spelt[-1] == SCORE and "Bars_4" in spelt
    assert asking.room + len(asking.ids) == tiny.engine.context


def test_a_valid_answer_is_the_piece_as_it_would_have_been(tiny: TextToMusic) -> None:
    piece = tiny.generate(TEXT, seed=5)
    request = make_request(tiny, TEXT, seed=5)
    offset = tiny.tokenizer.offset
    ids = [i + offset for i in tiny.tokenizer.encode_score(piece.score, piece.plan)]
    read = read_answer(tiny, request, ids)
    assert read.score.dumps_midi() == piece.score.dumps_midi()
    assert read.ids == len(ids) == piece.ids
    assert read.report.rows == piece.report.rows


@pytest.mark.parametrize("seed", range(8))
def test_an_answer_without_sense_gives_a_valid_piece_still(
    tiny: TextToMusic, asking: Request, seed: int
) -> None:
    piece = read_answer(tiny, asking, answer(tiny, asking, 900, seed))
    assert piece.report.measured.bars <= 4
    assert set(piece.report.measured.programs) <= {0, DRUMS}
    assert piece.report.measured.time_signature == "3/4"
    assert 0 < piece.ids < 900


def test_an_answer_that_is_cut_short_gives_what_it_has(tiny: TextToMusic) -> None:
    piece = tiny.generate(TEXT, seed=5)
    request = make_request(tiny, TEXT, seed=5)
    offset = tiny.tokenizer.offset
    ids = [i + offset for i in tiny.tokenizer.encode_score(piece.score, piece.plan)]
    half = read_answer(tiny, request, ids[: len(ids) // 2])
    assert 0 < half.report.notes < piece.report.notes


def test_an_instrument_that_never_enters_costs_no_bar(tiny: TextToMusic, asking: Request) -> None:
    note = ["Velocity_63", "Duration_1.0.12", "Pitch_60"]
    tokens = ["Bar_4", "Position_0", "Program_0", *note]
    tokens += [token for n in (3, 2, 1) for token in (f"Bar_{n}", "Position_0", "Pitch_60")]
    ids = [i + tiny.tokenizer.offset for i in tiny.tokenizer.music_ids([*tokens, END])]
    piece = read_answer(tiny, asking, ids)
    assert piece.ids == len(ids) and piece.report.measured.bars == 4
    (row,) = (row for row in piece.report.rows if row.field == "instruments")
    assert row.ok is False


@pytest.mark.parametrize("ids", [[], [3, 4, 5], [10**9, -1]])
def test_an_answer_without_a_note_is_said(
    tiny: TextToMusic, asking: Request, ids: list[int]
) -> None:
    with pytest.raises(TextMusicError, match="has no notes; set the server"):
        read_answer(tiny, asking, ids)
