"""One piece being written: windows, what each of them spells, and what of it can be heard."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from interleaving import plain_copy, with_rows, without_rows

from textmusic.engines.onnx import OnnxEngine
from textmusic.language.reading.form import parse_form
from textmusic.language.reading.progression import parse_chords
from textmusic.music.chords import Chord
from textmusic.music.notes import Note
from textmusic.music.outline import laid
from textmusic.music.plan import Plan, encode_plan
from textmusic.music.sketch import Outline, Sketch, encode_sketch
from textmusic.music.theory import quarters_per_bar
from textmusic.tokens.folding import spelt
from textmusic.tokens.vocabulary import PLAN, SCORE, SKETCH
from textmusic.writing.decoding import decode, in_turn
from textmusic.writing.take import SLACK, Take
from textmusic.writing.text_to_music import TextToMusic
from textmusic.writing.windows import WINDOW_OVERLAP_BARS
from textmusic.writing.written import Bar

DENSE = Plan(programs=(0, 24, 40, 48, 73, 128), time_signature="4/4", key="Eb major")


@pytest.fixture
def narrow(tiny_model: Path) -> TextToMusic:
    """A model that looks back on 400 ids only."""
    return narrowed(tiny_model, 400)


def narrowed(folder: Path, context: int) -> TextToMusic:
    music = TextToMusic.from_pretrained(folder, threads=1)
    music.engine.context = context  # the cache is made for it by `reserve`
    return music


def take_of(
    music: TextToMusic,
    text: str = "",
    controls: Plan = Plan(),
    seed: int = 1,
    outline: Outline = Outline(),
) -> Take:
    return music.take(music.understand(text, controls=controls, outline=outline), seed)


def written(music: TextToMusic, *takes: Take, slots: int = 1) -> list[tuple[Take, Bar]]:
    return list(decode(music.engine, in_turn(takes), slots))


def sounding(take: Take) -> list[Note]:
    return [note.sounding(take.plan) for note in take.settled().notes]


class Watched(Take):
    """A take that keeps its windows: the ids of each, as they stood when the next one began."""

    windows: list[list[int]]

    def _open(self, base: int) -> None:
        if self.sketched:
            self.windows.append(self.ids)
        super()._open(base)


def check_window(take: Take, tokens: list[str], interleaved: bool) -> tuple[int, int]:
    """A window of tokens is what the final notes and rows of these bars spell; (first, stop)."""
    sketch, score = tokens.index(SKETCH), tokens.index(SCORE)
    assert tokens[0] == PLAN and sketch < score
    count = sum(token.startswith("Bar_") for token in tokens[sketch:score])
    ends = "End_1" in tokens[:sketch]
    total, notes, rows = take.plan.bars or 0, take.settled().notes, take.sketch.rows
    head = {name: t for t in tokens[:sketch] for name in [t.partition("_")[0]] if name != "Program"}
    assert head["Bars"] == f"Bars_{count}"
    bases = [total - count] if ends else range(total - count)
    for base in bases:
        stop = base + count
        plan = replace(take.plan, bars=count, begin=base == 0, end=stop == total)
        cut = Sketch(rows).cut(base, stop)
        shown = [n for n in notes if base <= n.bar < stop]
        body, sketched = spelt(shown, base, stop, stop), encode_sketch(cut, plan.key)
        if interleaved:
            body = with_rows(body, sketched)
        expected = [PLAN, *encode_plan(plan), SKETCH, *sketched, SCORE, *body]
        written = [t for t in tokens if t != "<|end|>"]
        if expected[: len(written)] == written:
            return base, base + sum(t.startswith("Bar_") for t in tokens[score:])
    raise AssertionError(f"no window of the piece spells {tokens}")


@pytest.mark.parametrize("interleaved", [True, False])
@pytest.mark.parametrize(
    ("context", "bars", "controls"),
    [
        (1088, 70, Plan(programs=(0,), time_signature="2/4", key="D minor")),
        (300, 40, Plan(programs=(0, 40), time_signature="3/4", key="F# major")),
        (400, 24, DENSE),
        (500, 70, Plan(programs=(128,), time_signature="4/4")),
    ],
)
def test_every_window_is_what_the_tokenizer_would_spell(
    tiny_model: Path, tmp_path: Path, context: int, bars: int, controls: Plan, interleaved: bool
) -> None:
    folder = tiny_model if interleaved else plain_copy(tiny_model, tmp_path / "plain")
    music = narrowed(folder, context)
    assert music.tokenizer.interleaved == interleaved
    take = take_of(music, "calm", replace(controls, bars=bars), seed=3)
    take.__class__, take.windows = Watched, []  # type: ignore[attr-defined]
    heard = [bar for _, bar in written(music, take)]
    windows = [*take.windows, take.ids]  # type: ignore[attr-defined]
    assert [bar.index for bar in heard] == list(range(bars))
    assert take.plan.bars == len(take.sketch.rows) == bars
    assert {note.bar for note in take.settled().notes} <= set(range(bars))
    assert len(windows) > 1, "the piece is longer than a window"
    begun, offset, text = 0, music.tokenizer.offset, music.tokenizer.encode_text("calm")
    for ids in windows:
        assert len(ids) <= context and ids[: len(text)] == text
        tokens = [music.tokenizer.vocabulary[i - offset] for i in ids[len(text) :]]
        base, stop = check_window(take, tokens, interleaved)
        assert base <= begun <= base + WINDOW_OVERLAP_BARS, "it goes on where the last one ended"
        begun = stop - 1
    assert begun == bars - 1


def test_a_piece_that_fits_is_one_sequence_of_the_tokenizer(tiny: TextToMusic) -> None:
    take = take_of(tiny, "calm piano in D minor, 3/4, 6 bars", seed=5)
    written(tiny, take)
    assert not take.reread
    score = tiny.finished(take).score
    rows = tiny.tokenizer.encode_sketch(take.sketch, take.plan.key)
    ids = tiny.tokenizer.encode_score(score, take.plan)
    whole, _ = tiny.tokenizer.sequence(take.prompt.caption, take.plan, rows, ids)
    assert take.ids == whole


@pytest.mark.parametrize("bars", [1, 64, 65, 130])
def test_as_many_bars_as_planned(tiny: TextToMusic, bars: int) -> None:
    take = take_of(tiny, "flute", Plan(bars=bars, time_signature="2/4"), seed=7)
    heard = [bar for _, bar in written(tiny, take)]
    assert [(bar.index, bar.total) for bar in heard] == [(n, bars) for n in range(bars)]
    assert heard[-1].last and not any(bar.last for bar in heard[:-1])
    end = max(note.start + note.duration for note in sounding(take))
    assert 2 * (bars - 1) < end <= 2 * bars, "the last bar sounds"


@pytest.mark.parametrize("context", [300, 1088])
def test_the_bars_of_a_stream_are_the_piece(tiny_model: Path, context: int) -> None:
    music = narrowed(tiny_model, context)
    take = take_of(music, "piano and drums", Plan(bars=30), seed=9)
    heard = [bar for _, bar in written(music, take)]
    assert [note for bar in heard for note in bar.notes] == sounding(take)
    assert [bar.row for bar in heard] == list(take.sketch.rows)
    assert {bar.plan for bar in heard} == {take.plan}
    length = quarters_per_bar(take.plan.time_signature or "")
    assert all(bar.index <= n.start / length < bar.index + 1 for bar in heard for n in bar.notes)


@pytest.mark.slow
@pytest.mark.parametrize("context", [300, 400, 1088])
def test_a_piece_beside_others_is_the_piece_alone(tiny_model: Path, context: int) -> None:
    music = narrowed(tiny_model, context)
    asked = [("piano", 20), ("piano", 90), ("violin and drums", 5), ("piano", 2), ("flute", 33)]

    def takes() -> list[Take]:
        return [take_of(music, t, Plan(bars=n), seed) for seed, (t, n) in enumerate(asked)]

    beside, alone = takes(), takes()
    written(music, *beside, slots=3)
    for one, other in zip(beside, alone, strict=True):
        written(music, other)
        assert one.done and one.settled() == other.settled()
        assert one.likelihood == pytest.approx(other.likelihood, rel=1e-4)


def test_a_bar_too_dense_for_the_context_is_closed(tiny_model: Path) -> None:
    """Where bars never end by themselves, as many notes are written as there is room for."""
    music = narrowed(tiny_model, 300)
    take = take_of(music, "", replace(DENSE, bars=3, end=False), seed=2)
    bars = [i for i, t in enumerate(music.tokenizer.vocabulary) if t.startswith(("Bar_", "<|end"))]
    step, prefill = OnnxEngine.step, OnnxEngine.prefill
    engine = music.engine
    assert isinstance(engine, OnnxEngine)

    def unending(logits: np.ndarray) -> np.ndarray:
        logits = logits.copy()
        logits[..., bars] -= 50.0
        return logits

    engine.step = lambda ids: unending(step(engine, ids))  # type: ignore[method-assign]
    engine.prefill = lambda slots, ids: unending(prefill(engine, slots, ids))  # type: ignore[method-assign]
    heard = [bar for _, bar in written(music, take)]
    assert [bar.index for bar in heard] == [0, 1, 2]
    assert all(len(bar.notes) > 10 for bar in heard)
    assert len(take.ids) <= 300


# The sketch ---------------------------------------------------------------------------------------


def test_asked_chords_and_form_are_the_sketch(tiny: TextToMusic) -> None:
    outline = replace(parse_chords("C Am | F | G7 | C"), form=parse_form("AABA").form)
    controls = Plan(bars=16, key="C major", time_signature="4/4", programs=(0,))
    take = take_of(tiny, "", controls, seed=4, outline=outline)
    written(tiny, take)
    c, am, f, g7 = Chord(0, "maj"), Chord(9, "min"), Chord(5, "maj"), Chord(7, "7")
    played = [((0, c), (2, am)), ((0, f),), ((0, g7),), ((0, c),)]
    assert [row.chords for row in take.sketch.rows] == played * 4
    likes = [row.like for row in take.sketch.rows]
    assert likes[4:8] == likes[12:16] == [0, 1, 2, 3]
    assert likes[8:10] == [None, None], "the first half of B is new"


@pytest.mark.parametrize("context", [400, 1088])
def test_a_form_is_laid_over_the_windows(tiny_model: Path, context: int) -> None:
    """Section A comes back after 64 bars, where no window can name its first bar."""
    music = narrowed(tiny_model, context)
    outline = replace(parse_chords("Dm | Gm | A7 | Dm"), form=parse_form("A B A").form)
    controls = Plan(bars=96, key="D minor", time_signature="2/4", programs=(0,))
    take = take_of(music, "", controls, seed=4, outline=outline)
    written(music, take)
    rows = take.sketch.rows
    asked = laid(outline, "D minor", 96, "2/4")
    assert [row.chords for row in rows] == [row.chords for row in asked]
    assert [row.like for row in rows[64:]] == list(range(32))


def test_open_rows_are_named_within_the_piece(tiny_model: Path) -> None:
    take = take_of(music := narrowed(tiny_model, 300), "piano", Plan(bars=60), seed=8)
    written(music, take)
    for bar, row in enumerate(take.sketch.rows):
        assert row.like is None or row.vary is None
        for source in (row.like, row.vary):
            assert source is None or 0 <= source < bar
        if row.like is not None:
            assert row.chords == take.sketch.rows[row.like].chords


def test_drums_alone_have_no_chords(tiny: TextToMusic) -> None:
    take = take_of(tiny, "drums only", Plan(bars=8), seed=1)
    written(tiny, take)
    assert not any(row.chords for row in take.sketch.rows)


# Before the end -----------------------------------------------------------------------------------


def test_what_of_a_stopped_take_is_settled(tiny: TextToMusic) -> None:
    whole, stopped = (take_of(tiny, "piano and violin", Plan(bars=12), seed=6) for _ in range(2))
    written(tiny, whole)
    stream = decode(tiny.engine, in_turn([stopped]), 1)
    heard = [next(stream)[1] for _ in range(5)]
    stopped.left = True
    assert not stopped.done
    settled, full = stopped.settled(), whole.settled()
    assert settled.plan == replace(full.plan, bars=5)
    assert len(settled.sketch.rows) == 5 and settled.sketch.rows == full.sketch.rows[:5]
    assert settled.notes == tuple(note for note in full.notes if note.bar < 5)
    assert [n for bar in heard for n in bar.notes] == [n.sounding(full.plan) for n in settled.notes]
    piece = tiny.finished(stopped)
    assert piece.plan.bars == 5 and piece.report.planned.bars == 12
    assert piece.report.notes == len(settled.notes)


def test_nothing_is_settled_before_the_first_bar(tiny: TextToMusic) -> None:
    take = take_of(tiny, "piano", seed=6)
    assert list(take.completed()) == []
    assert (take.settled().notes, take.settled().sketch, take.settled().plan.bars) == (
        (),
        Sketch(),
        0,
    )
    assert not take.planned and not take.sketched and not take.done


def test_seconds_come_out_whatever_the_windows(narrow: TextToMusic) -> None:
    take = narrow.take(narrow.understand("piano in 4/4", seconds=90.0), 3)
    written(narrow, take)
    assert take.plan.bars and take.plan.tempo
    assert take.plan.bars * 4 * 60 / take.plan.tempo == pytest.approx(90.0, rel=0.01)


def test_the_likelihood_counts_what_was_chosen(tiny: TextToMusic) -> None:
    take = take_of(tiny, "piano", Plan(bars=4), seed=1)
    assert take.likelihood == 0.0
    written(tiny, take)
    music = len(tiny.tokenizer.vocabulary)
    assert 0.5 * math.log(music) < take.likelihood < 1.3 * math.log(music)
    begun = take.ids.index(tiny.tokenizer.index[SCORE] + tiny.tokenizer.offset) + 1
    score = [tiny.tokenizer.vocabulary[i - tiny.tokenizer.offset] for i in take.ids[begun:]]
    assert take.count == len(without_rows(score)) < len(score), "rows said again are not counted"
    assert len(take.ids) < tiny.engine.context - SLACK
