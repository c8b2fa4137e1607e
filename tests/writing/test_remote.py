"""What a server of LLMs is asked, and its answer as a piece."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from interleaving import plain_copy, with_rows
from random_music import Dice, all_dice, many, score_plans, the_layout, the_tokenizer, write

from textmusic.errors import TextMusicError
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS
from textmusic.tokens.folding import END
from textmusic.tokens.score_grammar import FOLLOWERS, ScoreGrammar, allowed_ids
from textmusic.tokens.vocabulary import SCORE, SKETCH
from textmusic.writing.remote import RemotePiece
from textmusic.writing.text_to_music import TextToMusic

TEXT = "calm piano and drums in D minor, 3/4, 4 bars"


@pytest.fixture(scope="module")
def asking(tiny: TextToMusic) -> RemotePiece:
    return RemotePiece(tiny, TEXT, seed=2)


def answer(tiny: TextToMusic, request: RemotePiece, length: int, seed: int = 0) -> list[int]:
    """What a server without any sense writes: of the allowed kinds of tokens, any."""
    rng, tokenizer, kinds = np.random.default_rng(seed), tiny.tokenizer, defaultdict(list)
    for i in {*request.allowed} - {*(request.stops if tiny.tokenizer.interleaved else ())}:
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
        rng, grammar = np.random.default_rng(seed), ScoreGrammar(layout, plan, late=seed % 2 == 1)
        kind = SCORE
        while not grammar.done:
            options = np.flatnonzero(grammar.allowed())
            kinds = {layout.vocabulary[i].partition("_")[0]: int(i) for i in options}
            met |= {(kind, after) for after in kinds}
            kind = str(rng.choice(sorted(kinds)))
            of_kind = [i for i in options if layout.vocabulary[i].partition("_")[0] == kind]
            grammar.advance(int(rng.choice(of_kind)))
    assert met == {(before, after) for before, those in FOLLOWERS.items() for after in those}


def test_a_plan_allows_its_own_instruments_bars_and_positions_only(asking: RemotePiece) -> None:
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


def test_it_goes_on_where_a_piece_of_its_own_would(tiny: TextToMusic, asking: RemotePiece) -> None:
    assert asking.plan == tiny.generate(TEXT, seed=2).plan
    assert asking.plan.key == "D minor" and asking.plan.bars == 4
    tokenizer = tiny.tokenizer
    spelt = [tokenizer.vocabulary[i - tokenizer.offset] for i in asking.ids if i >= 300]
    score = spelt.index(SCORE)
    assert spelt[0] == "<|plan|>" and "Bars_4" in spelt
    assert spelt[score + 1 :] == with_rows(["Bar_4"], spelt[spelt.index(SKETCH) + 1 : score])
    assert 0 < asking.room < tiny.engine.context - len(asking.ids)


@pytest.fixture(params=["interleaved", "plain"])
def music(request: pytest.FixtureRequest, tiny_model: Path, tmp_path: Path) -> TextToMusic:
    plain = request.param == "plain"
    folder = plain_copy(tiny_model, tmp_path / "tiny_model") if plain else tiny_model
    return TextToMusic.from_pretrained(folder, threads=1)


def bars_of(ids: list[int], music: TextToMusic) -> list[list[int]]:
    """The ids of each bar, without its line but with what ends it, as a server may give them."""
    stops = {i for i, t in enumerate(music.tokenizer.vocabulary) if t == END or t[:4] == "Bar_"}
    bars: list[list[int]] = []
    for one in ids[1:]:
        if not bars or (bars[-1][-1:] and bars[-1][-1] in stops):
            bars.append([])
        bars[-1].append(one)
    return bars


@pytest.mark.parametrize("told", [True, False], ids=["stop told", "stop left out"])
def test_valid_answers_are_the_piece_as_it_would_have_been(music: TextToMusic, told: bool) -> None:
    piece, asked = music.generate(TEXT, seed=5), RemotePiece(music, TEXT, seed=5)
    offset = music.tokenizer.offset
    ids = music.tokenizer.encode_score(piece.score, piece.plan)
    whole = music.tokenizer.sequence(
        piece.report.caption, piece.plan, music.tokenizer.encode_sketch(piece.sketch, "D minor"),
        ids,
    )[0]  # fmt: skip
    answers = bars_of(ids, music) if music.tokenizer.interleaved else [ids]
    for answer in answers:
        assert not asked.done and asked.ids == whole[: len(asked.ids)]
        asked.read([i + offset for i in (answer if told else answer[:-1])])
    assert asked.done or not told
    if told or music.tokenizer.interleaved:
        assert asked.ids == whole
        assert asked.generation().ids == len(ids) == piece.ids
    read = asked.generation()
    assert read.score.dumps_midi() == piece.score.dumps_midi()
    assert read.report.rows == piece.report.rows


@pytest.mark.parametrize("seed", range(8))
def test_answers_without_sense_give_a_valid_piece_still(music: TextToMusic, seed: int) -> None:
    asked, answers = RemotePiece(music, TEXT, seed=2), 0
    while not asked.done:
        asked.read(answer(music, asked, 900 if answers == 0 else 90, seed + 100 * answers))
        answers += 1
    assert answers <= (4 if music.tokenizer.interleaved else 1)
    piece = asked.generation()
    assert piece.report.measured.bars <= 4
    assert set(piece.report.measured.programs) <= {0, DRUMS}
    assert piece.report.measured.time_signature == "3/4"
    assert 0 < piece.ids < 900
    assert len(asked.ids) <= music.engine.context


def test_an_answer_that_is_cut_short_gives_what_it_has(music: TextToMusic) -> None:
    """Of a note that is begun but not struck, nothing."""
    piece, offset = music.generate(TEXT, seed=5), music.tokenizer.offset
    ids = [i + offset for i in music.tokenizer.encode_score(piece.score, piece.plan)]
    if not music.tokenizer.interleaved:
        asked = RemotePiece(music, TEXT, seed=5)
        asked.read(ids[: len(ids) // 2])
        assert asked.done and 0 < asked.generation().report.notes < piece.report.notes
        return
    first = bars_of([i - offset for i in ids], music)[0]
    heard = []
    for length in range(len(first)):
        asked = RemotePiece(music, TEXT, seed=5)
        asked.read([i + offset for i in first[:length]])
        assert not asked.done, "the next bar can be asked for"
        heard.append(len(asked._grammar.notes))
    assert heard == sorted(heard) and heard[0] == 0 < heard[-1] < piece.report.notes


def test_it_ends_where_the_context_is_full(tiny_model: Path) -> None:
    music = TextToMusic.from_pretrained(tiny_model, threads=1)
    asked, offset = RemotePiece(music, "piano, 10 bars, 2/4", seed=1), music.tokenizer.offset
    bar = music.tokenizer.music_ids(["Position_0", "Program_0", "Pitch_60"])
    note = music.tokenizer.music_ids(["Velocity_63", "Duration_1.0.12", "Pitch_60"])
    music.engine.context = full = len(asked.ids) + 60
    while not asked.done:
        assert asked.room > 0
        asked.read([i + offset for i in [*bar[:2], *note]])
    assert asked.generation().report.measured.bars < 10 and len(asked.ids) <= full


def test_an_instrument_that_never_enters_costs_no_bar(music: TextToMusic) -> None:
    note = ["Velocity_63", "Duration_1.0.12", "Pitch_60"]
    tokens = ["Bar_4", "Position_0", "Program_0", *note]
    tokens += [token for n in (3, 2, 1) for token in (f"Bar_{n}", "Position_0", "Pitch_60")]
    ids = music.tokenizer.music_ids([*tokens, END])
    asked = RemotePiece(music, TEXT, seed=2)
    for answer in bars_of(ids, music) if music.tokenizer.interleaved else [ids]:
        asked.read([i + music.tokenizer.offset for i in answer])
    piece = asked.generation()
    assert asked.done and piece.ids == len(ids) and piece.report.measured.bars == 4
    (row,) = (row for row in piece.report.rows if row.field == "instruments")
    assert row.ok is False


@pytest.mark.parametrize("ids", [[], [3, 4, 5], [10**9, -1]])
def test_answers_without_a_note_are_said(music: TextToMusic, ids: list[int]) -> None:
    asked = RemotePiece(music, TEXT, seed=2)
    while not asked.done:
        asked.read(ids)
    with pytest.raises(TextMusicError, match="has no notes; set the server"):
        asked.generation()
