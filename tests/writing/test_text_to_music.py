"""Words to piece, with a tiny random model: whatever it believes, what was asked is what comes."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contents import notes_in
from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.language.reading.form import parse_form
from textmusic.language.reading.progression import parse_chords
from textmusic.music.measure import seconds as seconds_of_score
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS, NO_KEY, quarters_per_bar
from textmusic.result.generation import Generation
from textmusic.result.report import Report
from textmusic.system.streams import Stream
from textmusic.tokens.sampling import Sampling
from textmusic.writing.text_to_music import TextToMusic
from textmusic.writing.written import Bar

CALM = "calm piano in D minor, 3/4, 80 bpm, 6 bars"
SHORT = Plan(bars=2)


def streamed(music: TextToMusic, text: str, **options: Any) -> tuple[list[Bar], Generation]:
    """The bars of a stream and what it returns."""
    stream = Stream(music.stream(text, **options))
    return list(stream), stream.result


@pytest.fixture
def narrow(tiny_model: Path) -> TextToMusic:
    """A model that looks back on 160 ids only, so that a piece is longer than its context."""
    music = TextToMusic.from_pretrained(tiny_model, threads=1)
    music.engine.context = 160
    return music


# What was asked -----------------------------------------------------------------------------------


def test_facts_in_the_words_are_kept(tiny: TextToMusic) -> None:
    made = tiny.generate(CALM, seed=1)
    assert made.prompt.asked.over(made.plan) == made.plan
    facts = ("key", "tempo", "time_signature", "programs", "bars")
    asked = ("D minor", 80.0, "3/4", (0,), 6)
    assert tuple(getattr(made.prompt.asked, f) for f in facts) == asked
    assert tuple(getattr(made.plan, f) for f in facts) == asked
    measured = made.report.measured
    assert tuple(getattr(measured, f) for f in facts[1:]) == asked[1:]
    assert {row.field: row.ok for row in made.report.rows}["instruments"] is True


def test_a_piece_always_begins_and_ends(tiny: TextToMusic) -> None:
    made = tiny.generate("", controls=SHORT, seed=1)
    assert made.plan.begin is True and made.plan.end is True


def test_controls_win_over_words(tiny: TextToMusic) -> None:
    controls = Plan(
        key="Ab major", tempo=200.0, time_signature="7/8", programs=(40, 71), bars=3,
        valence=5, arousal=5, density=4, genre="folk",
    )  # fmt: skip
    made = tiny.generate(CALM, controls=controls, seed=2)
    assert controls.over(made.plan) == made.plan
    assert made.report.measured.programs == (40, 71)
    assert made.report.measured.bars == 3
    assert len(made.prompt.unused) >= 4, "what the controls overrule is said"


def test_an_empty_prompt_leaves_everything_to_the_model(tiny: TextToMusic) -> None:
    made = tiny.generate("", seed=3)
    assert made.prompt.asked == Plan()
    assert all(value is not None for value in made.report.to_dict()["planned"].values())
    assert made.report.notes > 0


def test_the_text_that_the_model_reads_changes_the_music(tiny: TextToMusic) -> None:
    one, other = (tiny.generate(t, seed=4, controls=SHORT) for t in ("peaceful", "furious"))
    assert notes_in(one) != notes_in(other)


@pytest.mark.parametrize("seconds", [5.0, 20.0, 61.0])
def test_an_open_tempo_is_set_so_that_the_seconds_come_out(
    tiny: TextToMusic, seconds: float
) -> None:
    made = tiny.generate("piano", seconds=seconds, seed=5)
    assert made.plan.bars and made.plan.tempo and made.plan.time_signature
    planned = made.plan.bars * quarters_per_bar(made.plan.time_signature) * 60 / made.plan.tempo
    assert planned == pytest.approx(seconds, rel=0.01)
    bar = planned / made.plan.bars
    assert planned - bar < seconds_of_score(made.score) <= planned + 0.01


def test_an_asked_tempo_is_kept_and_the_seconds_are_met_to_a_bar(tiny: TextToMusic) -> None:
    made = tiny.generate("piano in 3/4 at 120 bpm", seconds=20.0, seed=6)
    assert (made.plan.tempo, made.plan.bars) == (120.0, 13)
    row = {row.field: row for row in made.report.rows}["length"]
    assert row.asked == "20.0 s" and row.ok


def test_seconds_can_mean_more_than_64_bars(tiny: TextToMusic) -> None:
    made = tiny.generate("flute in 2/4 at 200 bpm", seconds=60.0, seed=6)
    assert made.plan.bars == made.report.measured.bars == 100


def test_drums_alone_take_no_key(tiny: TextToMusic) -> None:
    made = tiny.generate("drums only in D minor, 4 bars", seed=7)
    assert made.plan.key == NO_KEY
    assert made.plan.programs == made.report.measured.programs == (DRUMS,)
    assert any("no key" in note for note in made.prompt.unused)
    assert len(made.score.key_signatures) == 0


def test_what_must_not_play_does_not(tiny: TextToMusic) -> None:
    for seed in range(5):
        made = tiny.generate("no drums and no piano", controls=SHORT, seed=seed)
        assert made.plan.programs and not {0, DRUMS} & set(made.plan.programs)


def test_harmony_strength_1_gives_tones_of_the_asked_chords(tiny: TextToMusic) -> None:
    chords = parse_chords("C | F | G | Am")
    tones = [{0, 4, 7}, {5, 9, 0}, {7, 11, 2}, {9, 0, 4}]

    def share(strength: float) -> float:
        made = tiny.generate(
            "piano in C major, 4/4, 16 bars", outline=chords, seed=4,
            sampling=Sampling(harmony_strength=strength),
        )  # fmt: skip
        notes = notes_of(made.score)
        within = [
            int(pitch) % 12 in tones[int(start // 4) % 4]
            for start, pitch in zip(notes.start, notes.pitch, strict=True)
        ]
        return sum(within) / len(within)

    assert share(0.0) < 0.5 < 0.75 < share(1.0)


def test_form_strength_1_brings_a_section_back(tiny: TextToMusic) -> None:
    def alike(strength: float) -> float:
        made = tiny.generate(
            "piano in C major, 4/4, 8 bars", outline=parse_form("A A"), seed=4,
            sampling=Sampling(form_strength=strength),
        )  # fmt: skip
        assert [row.like for row in made.sketch.rows[4:]] == [0, 1, 2, 3]
        notes = notes_of(made.score)
        places = set(zip(notes.start.round(4).tolist(), notes.pitch.tolist(), strict=True))
        first = {place for place in places if place[0] < 16}
        return sum((start + 16, pitch) in places for start, pitch in first) / len(first)

    assert alike(0.0) < 0.2 < 0.5 < alike(1.0)


# Seeds and variations -----------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_piece(tiny: TextToMusic) -> None:
    one, two, other = (tiny.generate(CALM, seed=seed) for seed in (11, 11, 12))
    assert notes_in(one) == notes_in(two)
    assert one.score.dumps_midi() == two.score.dumps_midi()
    assert one.report == two.report
    assert notes_in(one) != notes_in(other)


def test_a_drawn_seed_is_told_and_gives_the_piece_again(tiny: TextToMusic) -> None:
    made = tiny.generate(CALM)
    assert notes_in(tiny.generate(CALM, seed=made.seed)) == notes_in(made)
    assert tiny.generate(CALM, controls=SHORT).seed != made.seed


def test_variations_differ_and_each_is_the_piece_of_its_own_seed(tiny: TextToMusic) -> None:
    many = tiny.generate_many("a tune for harp and flute", 4, seed=20)
    assert [made.seed for made in many] == [20, 21, 22, 23]
    assert len({str(notes_in(made)) for made in many}) == 4
    for made in many:
        alone = tiny.generate("a tune for harp and flute", seed=made.seed)
        assert alone.plan == made.plan
        assert notes_in(alone) == notes_in(made)


# Long pieces --------------------------------------------------------------------------------------


def test_a_piece_of_120_bars(tiny: TextToMusic) -> None:
    made = tiny.generate("cello and piano, 120 bars", seed=30)
    assert made.plan.bars == made.report.measured.bars == 120
    assert made.ids > tiny.engine.context, "longer than the model looks back"


def test_a_piece_longer_than_the_context_is_still_what_was_asked(narrow: TextToMusic) -> None:
    made = narrow.generate(CALM, seed=31, controls=Plan(bars=45))
    assert made.ids > 2 * narrow.engine.context
    assert (made.plan.key, made.plan.bars, made.report.measured.bars) == ("D minor", 45, 45)


def test_variations_of_different_length_outgrow_the_context_together(narrow: TextToMusic) -> None:
    """One piece ends long before another slides its window: their rows must still fit a batch."""
    narrow.engine.context = 300
    many = narrow.generate_many("a tune for harp, violin", 8, seed=80)
    assert max(made.ids for made in many) > 300
    assert min(made.ids for made in many) < 200, "too few ids to fill a context"
    for made in many:
        assert made.report.measured.bars == made.plan.bars
        assert notes_in(narrow.generate("a tune for harp, violin", seed=made.seed)) == notes_in(
            made
        )


@pytest.mark.parametrize("text", ["word " * 400, "☃é" * 1000, "aé" * 999, "x" * 2000])
def test_the_longest_prompts_leave_room_for_music(tiny: TextToMusic, text: str) -> None:
    made = tiny.generate(text, controls=SHORT, seed=50)
    assert made.report.measured.bars == 2
    if tiny.tokenizer.encode_text(text) != tiny.tokenizer.encode_text(made.prompt.caption):
        assert made.prompt.unused, "a cut is said"


def test_facts_at_the_end_of_a_long_prompt_are_still_read(tiny: TextToMusic) -> None:
    made = tiny.generate("very " * 380 + "calm, in E major, 2 bars", seed=51)
    assert (made.plan.key, made.plan.bars) == ("E major", 2)


def test_a_prompt_of_10000_characters_is_refused(tiny: TextToMusic) -> None:
    with pytest.raises(TextMusicError, match="10,000 characters; use at most 2,000"):
        tiny.generate("a" * 10_000)


# While it is being written ------------------------------------------------------------------------


def test_a_stream_gives_every_bar_and_its_notes_are_the_score_s(tiny: TextToMusic) -> None:
    text = "piano, violin and drums in 6/8, 9 bars"
    bars, made = streamed(tiny, text, seed=60)
    assert [bar.index for bar in bars] == list(range(9))
    assert {bar.total for bar in bars} == {9}
    shown = sorted(
        (round(n.start, 6), n.program, n.pitch, round(n.duration, 6), n.velocity)
        for bar in bars
        for n in bar.notes
    )
    assert shown == notes_in(made)
    for bar in bars:
        assert all(bar.index * 3 <= note.start < (bar.index + 1) * 3 for note in bar.notes)
    assert notes_in(tiny.generate(text, seed=60)) == notes_in(made)


def test_streamed_audio_comes_with_its_bar_and_can_be_played_as_it_is(tiny: TextToMusic) -> None:
    stream = Stream(tiny.stream_audio("piano and drums, 5 bars", seed=60))
    heard, made = list(stream), stream.result
    bars, same = streamed(tiny, "piano and drums, 5 bars", seed=60)
    assert [bar for bar, _ in heard] == bars
    assert notes_in(made) == notes_in(same)
    for _, audio in heard:
        assert (audio.dtype, audio.shape[0]) == (np.float32, 2)
        assert np.abs(audio).max(initial=0) < 1
    together = np.concatenate([audio for _, audio in heard], axis=1)
    assert together.shape == made.audio().shape


def test_streamed_audio_asks_for_its_soundfont_at_once(tiny: TextToMusic, tmp_path: Path) -> None:
    with pytest.raises(TextMusicError, match="no soundfont at"):
        next(tiny.stream_audio("piano", soundfont=tmp_path / "none.sf2"))


def test_a_stream_can_be_left_and_the_next_piece_is_not_disturbed(tiny: TextToMusic) -> None:
    expected = notes_in(tiny.generate(CALM, seed=61))
    left = list(itertools.islice(tiny.stream("loud drums, 40 bars", seed=3), 2))
    assert len(left) == 2
    assert notes_in(tiny.generate(CALM, seed=61)) == expected


def test_progress_counts_bars_to_the_end(tiny: TextToMusic) -> None:
    seen: list[tuple[int, int]] = []
    tiny.generate(CALM, seed=62, on_bar=lambda *bar: seen.append(bar))
    assert seen == [(n, 6) for n in range(1, 7)]
    seen.clear()
    tiny.generate_many(CALM, 3, seed=62, on_bar=lambda *bar: seen.append(bar))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (18, 18)


# The report ---------------------------------------------------------------------------------------


def test_a_report_comes_back_from_its_dict(tiny: TextToMusic) -> None:
    import json

    for text in (CALM, "", "drums", "kazoo in H minor, 20 seconds", "欢快的钢琴曲"):
        report = tiny.generate(text, seed=70).report
        as_text = json.dumps(report.to_dict(), ensure_ascii=False)
        again = Report.from_dict(json.loads(as_text))
        assert again == report
        assert again.rows == report.rows


def test_a_report_is_the_truth_about_the_score(tiny: TextToMusic) -> None:
    made = tiny.generate(CALM, seed=71)
    assert made.report.notes == len(notes_of(made.score))
    assert made.report.measured_seconds == pytest.approx(seconds_of_score(made.score), abs=1e-3)
    assert (made.report.text, made.report.seed, made.report.model) == (CALM, 71, "tiny_model")
    assert [row.field for row in made.report.rows] == [
        "key", "tempo", "time signature", "instruments", "bars", "length", "mood", "genre",
        "density", "chords", "form",
    ]  # fmt: skip
    row = made.report.rows[0]
    assert row.asked == row.planned == "D minor"
    assert row.ok == (row.measured == "D minor")


# The model ----------------------------------------------------------------------------------------


def test_threads_do_not_change_the_piece(tiny: TextToMusic, tiny_model: Path) -> None:
    two = TextToMusic.from_pretrained(tiny_model, threads=2)
    assert notes_in(two.generate(CALM, seed=80)) == notes_in(tiny.generate(CALM, seed=80))


def test_a_quantised_model_keeps_what_was_asked_too(tiny_model: Path) -> None:
    music = TextToMusic.from_pretrained(tiny_model.parent / "tiny_model_int8", threads=1)
    many = music.generate_many(CALM, 2, seed=81)
    for made in many:
        assert (made.plan.key, made.report.measured.bars) == ("D minor", 6)
        assert notes_in(music.generate(CALM, seed=made.seed)) == notes_in(made)


@pytest.mark.slow
@pytest.mark.bundled
def test_the_bundled_model_writes_what_was_asked() -> None:
    music = TextToMusic.from_pretrained()
    made = music.generate("calm piano in D minor, 3/4, 4 bars", seed=1)
    assert made.model == "textmusic-default"
    assert made.report.measured.bars == 4
    assert made.report.measured.programs == (0,)
    assert np.all(notes_of(made.score).pitch >= 21)
    assert notes_in(music.generate("calm piano in D minor, 3/4, 4 bars", seed=1)) == notes_in(made)


def test_the_best_of_several_fails_in_fewest_rows_and_is_then_the_likeliest(
    tiny: TextToMusic,
) -> None:
    text = "piano in C major, 2 bars"
    several = tiny.generate_many(text, 4, seed=5)
    best = tiny.generate(text, seed=5, best_of=4)
    assert best.seed in {made.seed for made in several}
    assert best.rank == min(made.rank for made in several)
    assert all(made.nats > 0 for made in several)
    assert len({made.nats for made in several}) == 4


def test_nats_are_those_of_the_unmasked_model(tiny: TextToMusic) -> None:
    """Near uniform over the music ids: about the logarithm of their number, or a little less."""
    made = tiny.generate("piano, 2 bars", seed=1)
    assert 0.5 * np.log(len(tiny.tokenizer.vocabulary)) < made.nats < 1.2 * np.log(830)


# Values of Python ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "1", [1]])
def test_a_seed_that_is_none_is_refused_in_a_sentence(tiny: TextToMusic, seed: Any) -> None:
    with pytest.raises(TextMusicError, match=r"seed .*(out of range; choose 0|wrong type)"):
        tiny.generate("piano, 1 bar", seed=seed)
    with pytest.raises(TextMusicError, match="seed"):
        next(tiny.stream("piano, 1 bar", seed=seed))


@pytest.mark.parametrize(
    "given",
    [{"controls": Plan(bars=1.5)}, {"controls": Plan(bars=True)}, {"controls": "x"},
     {"seconds": "x"}, {"seconds": 1e9}, {"text": 5}, {"text": None}, {"best_of": 0},
     {"best_of": 1.5}],
    ids=str,
)  # fmt: skip
def test_wrong_types_are_refused_in_a_sentence(tiny: TextToMusic, given: dict[str, Any]) -> None:
    with pytest.raises(TextMusicError, match=r"out of range|wrong type"):
        tiny.generate(**given)


@pytest.mark.parametrize(
    "given",
    [{"temperature": "x"}, {"top_p": True}, {"form_strength": None}, {"harmony_strength": [1]},
     {"temperature": float("nan")}],
)  # fmt: skip
def test_sampling_of_wrong_types_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(TextMusicError, match=r"out of range|wrong type"):
        Sampling(**given)


def test_a_piece_to_go_on_from_may_be_a_path(tiny: TextToMusic, pieces: list[Path]) -> None:
    source = pieces[0]
    made = tiny.continue_from(str(source), 2, seed=1)
    same = tiny.continue_from(source, 2, seed=1)
    assert made.midi() == same.midi()
    score = tiny.continue_from(Score(source), 2, seed=1)
    assert made.sketch == score.sketch and made.report.measured == score.report.measured


@pytest.mark.parametrize("source", [5, None, b"MThd", ["a.mid"]])
def test_what_is_no_music_is_refused(tiny: TextToMusic, source: Any) -> None:
    with pytest.raises(TextMusicError, match=r"is not music; give a MIDI file or a symusic\.Score"):
        tiny.continue_from(source, 4)
    with pytest.raises(TextMusicError, match="is not music"):
        tiny.fill(source)


def test_a_missing_file_is_named(tiny: TextToMusic) -> None:
    with pytest.raises(TextMusicError, match=r"'a\.mid' can't be read"):
        tiny.continue_from("a.mid", 4)


@pytest.mark.parametrize("bars", [0, 1.5, True, "4", 10**310])
def test_new_bars_of_a_wrong_kind_are_refused(
    tiny: TextToMusic, pieces: list[Path], bars: Any
) -> None:
    with pytest.raises(TextMusicError, match=r"bars .*(out of range|wrong type)"):
        tiny.continue_from(pieces[0], bars)
