"""Going on from pieces that are there already."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from broken_midi import END, NOTE, chunk, header
from interleaving import with_rows, without_rows
from symusic import Note, Score, TimeSignature, Track

from textmusic.errors import TextMusicError
from textmusic.language.reading.form import parse_form
from textmusic.language.reading.progression import parse_chords
from textmusic.music.chords import Chord
from textmusic.music.material import material_of
from textmusic.music.measure import measure
from textmusic.music.measure_sketch import measure_sketch, sketch_adherence
from textmusic.music.midi_changes import is_chord_track
from textmusic.music.midi_events import (
    MARKER,
    META,
    NOTE_ON,
    TEMPO,
    Event,
    MidiEvents,
    parse,
)
from textmusic.music.midi_files import read_scores
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import Notes, joined, notes_of, sliced
from textmusic.music.plan import Plan
from textmusic.music.sketch import Sketch
from textmusic.result.change import without_recipe
from textmusic.result.recipe import read_recipe, same_piece
from textmusic.tokens.vocabulary import SCORE, SKETCH
from textmusic.writing.brief import Brief
from textmusic.writing.continuation import Continuation
from textmusic.writing.decoding import read_ahead
from textmusic.writing.repeating import again, source_of
from textmusic.writing.scheduler import Scheduler
from textmusic.writing.text_to_music import TextToMusic

DATA = Path(__file__).parents[1] / "data" / "midi"


def bare(metre: str = "4/4", *, notes: int = 16, program: int = 0, pitch: int = 60) -> Score:
    score = Score(480)
    top, bottom = map(int, metre.split("/"))
    score.time_signatures.append(TimeSignature(0, top, bottom))
    track = Track(program=program)
    for n in range(notes):
        track.notes.append(Note(480 * n, 480, pitch + n % 7, 80))
    score.tracks.append(track)
    return score


def test_old_bars_are_kept_and_new_ones_follow(tiny: TextToMusic) -> None:
    source = bare()
    made = tiny.continue_from(source, 3, seed=1)
    old, new = notes_of(source), notes_of(made.score)
    assert measure(made.score).bars == 7 == made.plan.bars
    same = sliced(new, 0.0, 16.0)
    assert np.array_equal(same.pitch, old.pitch) and np.array_equal(same.start, old.start)
    behind = new.start[new.start >= 16]
    assert len(behind) and behind.max() < 28
    assert set(made.plan.programs or ()) == {0}
    assert made.report.planned.key == measure(source).key


def test_the_same_seed_goes_on_in_the_same_way_and_words_count(tiny: TextToMusic) -> None:
    source = bare()
    one, two, other = (
        tiny.continue_from(source, 2, seed=seed).score.dumps_midi() for seed in (1, 1, 2)
    )
    assert one == two != other
    more = tiny.continue_from(source, 4, seed=1, text="with flute, very sad")
    assert set(more.plan.programs or ()) == {0, 73}
    assert (more.plan.valence or 9) <= 2


def test_the_rest_can_be_written_anew(tiny: TextToMusic) -> None:
    source = bare()
    made = tiny.continue_from(source, 0, keep=1, seed=5)
    assert made.plan.bars == 4
    same = sliced(notes_of(made.score), 0.0, 4.0)
    assert np.array_equal(same.pitch, notes_of(source).pitch[:4])
    with pytest.raises(TextMusicError, match="keep 9 is out of range; choose 1 to 4"):
        tiny.continue_from(source, 1, keep=9)


def test_what_the_model_reads_is_what_it_would_have_written(tiny: TextToMusic) -> None:
    """The given bars stand behind plan and sketch as if they had been chosen one by one."""
    piece = tiny.generate("piano in 4/4, 4 bars, C major", seed=3)
    take = Continuation(tiny, piece.score, 2, Brief(seed=3, controls=Plan(key="C major"))).take
    logits = tiny.engine.prefill(range(1), np.array(take.text))
    while not take.sketched:
        chosen = take.step(logits)
        assert chosen or take.reread
        logits = tiny.engine.step(np.array([read_ahead(tiny.engine, 0, take, chosen)]))[0]
    names = [tiny.tokenizer.vocabulary[i - tiny.tokenizer.offset] for i in take.ids if i >= 300]
    sketch, score = names.index(SKETCH), names.index(SCORE)
    for part in (names[sketch:score], names[score:]):
        bars = [token for token in part if token.startswith("Bar_")]
        assert bars == [f"Bar_{n}" for n in range(6, 6 - len(bars), -1)], "counted down to the end"
    assert len([t for t in names[sketch:score] if t.startswith("Bar_")]) == 6
    written = [
        tiny.tokenizer.vocabulary[i] for i in tiny.tokenizer.encode_score(piece.score, piece.plan)
    ]
    notes = [t for t in written if not t.startswith(("Bar_", "<|"))]
    rows, shown = names[sketch + 1 : score], names[score + 1 :]
    assert shown == with_rows(without_rows(shown), rows), "each bar's row behind its line"
    given = [t for t in without_rows(shown) if not t.startswith("Bar_")]
    assert given == notes, "and the notes are spelt as ever"
    old = measure_sketch(notes_of(piece.score), "4/4", 4, "C major").rows
    assert take.sketch.rows[:4] == old, "the old bars have the harmony and form that is heard"


def test_chords_and_form_of_the_new_bars_can_be_asked(tiny: TextToMusic) -> None:
    made = tiny.continue_from(bare(), 4, seed=2, outline=parse_chords("F | G"))
    rows = made.sketch.rows
    assert len(rows) == 8
    assert [row.chords for row in rows[4:]] == [((0, Chord(root, "maj")),) for root in (5, 7, 5, 7)]
    made = tiny.continue_from(bare(), 8, seed=2, outline=parse_form("A A"))
    assert [row.like for row in made.sketch.rows[8:]] == [4, 5, 6, 7]


def test_the_new_bars_number_wins_over_the_words(tiny: TextToMusic) -> None:
    """So it is what chords and form have to fit into, in the metre of the piece."""
    made = tiny.continue_from(bare(), 4, text="2 bars of piano, AABA, ends on V", seed=2)
    assert made.plan.bars == 8
    assert made.sections == [(4, "A"), (5, "A"), (6, "B"), (7, "A")]
    assert made.report.unused == ("'2': the control for bars is used instead",)
    assert made.report.asked.bars is None, "the account is of the whole piece"
    with pytest.raises(TextMusicError, match="4 sections does not fit into 2 bars"):
        tiny.continue_from(bare(), 2, text="8 bars of piano, AABA")
    made = tiny.continue_from(bare("6/8", notes=12), 1, outline=parse_chords("| C F G Am C |"))
    assert [beat for beat, _ in made.sketch.rows[-1].chords] == [0, 1, 2, 3, 4]


def test_the_report_shows_the_new_bars_chords(tiny: TextToMusic) -> None:
    made = tiny.continue_from(bare(), 4, seed=2, outline=parse_chords("F#m | B7"))
    (row,) = [row for row in made.report.rows if row.field == "chords"]
    assert row.asked == row.planned.replace(" | ", " ")[: len(row.asked)] == "F#m B7"
    assert row.planned == "F#m | B7 | F#m | B7"
    notes = sliced(notes_of(made.score), 16.0, 32.0)
    alone = sketch_adherence(notes, made.plan, Sketch(made.sketch.rows[4:]))
    assert made.report.kept.chords == alone.chords, "the old bars are as they were heard"


@pytest.mark.parametrize("context", [300, 500])
def test_a_small_context_goes_on_as_well(tiny_model: Path, context: int) -> None:
    music = TextToMusic.from_pretrained(tiny_model, threads=1)
    music.engine.context = context
    music.engine.reserve(1)
    made = music.continue_from(bare(notes=400), 40, seed=4)
    assert made.plan.bars == made.report.measured.bars == 140
    old = notes_of(made.score).pitch[:400]
    assert np.array_equal(old, notes_of(bare(notes=400)).pitch)
    assert len(made.sketch.rows) == 140


def test_a_metre_that_is_said_again_changes_nothing() -> None:
    score = bare(notes=64)
    once = material_of(score)
    score.time_signatures.append(TimeSignature(score.ticks_per_quarter * 32, 4, 4))
    again = material_of(score)
    assert (again.begin, again.before, again.plan.bars) == (0, 0, once.plan.bars)
    score.time_signatures.append(TimeSignature(score.ticks_per_quarter * 42, 4, 4))
    assert material_of(score).begin == 42, "in the middle of a bar it begins another"


def test_real_pieces_go_on(tiny: TextToMusic, pieces: list[Path]) -> None:
    for path, score in read_scores(pieces[:12]):
        assert not isinstance(score, str)
        material = material_of(score)
        made = tiny.continue_from(score, 2, seed=1)
        old, new = notes_of(score), notes_of(made.score)
        before = new.start < material.end - 1e-6
        assert np.array_equal(new.pitch[before], old.pitch), path
        assert new.start.max() < material.end + 2 * material.bar
        assert (new.start >= material.end - 1e-6).any()


def test_a_long_piece_is_looked_back_on_as_far_as_the_context_goes(tiny: TextToMusic) -> None:
    made = tiny.continue_from(bare(notes=1200), 2, seed=1)
    assert made.plan.bars == 302 and made.report.measured.bars == 302


@pytest.mark.parametrize(
    ("score", "sentence"),
    [
        (Score(480), "has no note"),
        (bare("17/8"), "ends in 17/8"),
        (bare(pitch=0), "has no note"),
    ],
)
def test_what_can_t_be_gone_on_from_is_said(tiny: TextToMusic, score: Score, sentence: str) -> None:
    with pytest.raises(TextMusicError, match=sentence):
        tiny.continue_from(score, 2)


def test_another_metre_can_t_be_asked_for(tiny: TextToMusic) -> None:
    with pytest.raises(TextMusicError, match="the piece is in 4/4"):
        tiny.continue_from(bare(), 2, text="a waltz in 3/4")
    with pytest.raises(TextMusicError, match="bars 256 is out of range"):
        tiny.continue_from(bare(), 256)


def test_the_scheduler_goes_on_too(tiny_model: Path) -> None:
    music = TextToMusic.from_pretrained(tiny_model, threads=1)
    alone = music.continue_from(bare(), 3, seed=4)
    made = Continuation(music, bare(), 3, Brief(seed=4))
    bars = list(Scheduler(music).write(made.take))
    assert [(bar.index, bar.total) for bar in bars] == [(0, 3), (1, 3), (2, 3)]
    assert made.generation().score.dumps_midi() == alone.score.dumps_midi()


def test_joined_notes_are_in_order() -> None:
    one, two = notes_of(bare(notes=2)), notes_of(bare(notes=3))
    both = joined(one, two, 1.0)
    assert both.start.tolist() == [0, 1, 1, 2, 3]
    assert both.pitch.tolist() == [60, 60, 61, 61, 62]


# A person's file ---------------------------------------------------------------------------------


def read(path: Path) -> MidiEvents:
    """A file that can be trusted."""
    return parse(path.read_bytes())


def written(midi: MidiEvents) -> Counter[tuple[int, Event]]:
    """What is in a file, but for recipes and the chords' own track."""
    return Counter(
        (number, event)
        for number, track in enumerate(without_recipe(midi).tracks)
        for event in track.events
        if not is_chord_track(track)
    )


@pytest.mark.parametrize(
    "name",
    ["pedal", "trio", "8-8", "6-16", "4-8", "1-4-end", "ramp", "late-tempo", "a0-c8",
     "setup-track", "never-off", "sysex-ff"],
)  # fmt: skip
def test_a_person_s_bars_stay_event_by_event(tiny: TextToMusic, name: str) -> None:
    before = read(DATA / f"{name}.mid")
    made = tiny.continue_from(before, 2, seed=1)
    after = parse(made.midi())
    assert not written(before) - written(after), "nothing of it is gone"
    stop = material_of(to_score(before)).stop * before.division
    assert all(event.tick >= stop for _, event in written(after) - written(before)), "behind it"
    notes, old = notes_of(made.score), notes_of(to_score(before))
    assert (notes.start >= stop / before.division - 1e-6).any()
    assert programs(notes) >= programs(old)
    assert {row.field: row.ok for row in made.report.rows}["bars"]


def programs(notes: Notes) -> set[int]:
    return set(notes.program.tolist())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("8-8", "8/8 is 4/4"), ("6-16", "6/16 is 3/8"), ("4-8", "4/8 is 2/4"),
        ("1-4-end", "the end in 1/4 is left out"),
        ("pedal", "times are rounded to 1/12 of a quarter note, controllers, pedal and pitch bends"
         " are left out"),
    ],
)  # fmt: skip
def test_what_is_simplified_for_the_model_is_said(tiny: TextToMusic, name: str, said: str) -> None:
    made = tiny.continue_from(read(DATA / f"{name}.mid"), 2, seed=1)
    (line,) = made.report.remarks
    assert line.startswith("the model reads a simpler copy of your piece") and said in line
    filled = tiny.fill(to_score(read(DATA / f"{name}.mid")), bars=(2, 2), seed=1)
    assert filled.report.remarks == made.report.remarks
    assert tiny.continue_from(read(DATA / "plain.mid"), 1, seed=1).report.remarks == ()


def test_volume_and_pan_are_no_part_of_the_notes(tiny: TextToMusic) -> None:
    score = tiny.generate("piano and cello, 4 bars", seed=1).score
    assert any(len(track.controls) for track in score.tracks)
    assert tiny.continue_from(score, 2, seed=1).report.remarks == ()


def test_new_bars_are_in_the_metre_that_they_are_written_in(tiny: TextToMusic) -> None:
    made = tiny.continue_from(read(DATA / "1-4-end.mid"), 2, seed=1)
    marks = [(m.time, m.numerator, m.denominator) for m in made.score.time_signatures]
    assert marks == [(0, 4, 4), (15360, 1, 4), (15840, 4, 4)]
    assert made.report.measured.bars == made.plan.bars == 11
    assert made.report.new_bars == (9, 11)
    made = tiny.continue_from(read(DATA / "8-8.mid"), 2, seed=1)
    assert [(m.numerator, m.denominator) for m in made.score.time_signatures] == [(8, 8)]


def test_the_new_bars_are_as_they_were_asked(tiny: TextToMusic) -> None:
    """At their beginning the file says so; over the person's bars nothing new stands."""
    before = read(DATA / "pedal.mid")
    text = "now in A minor at 150 bpm with piano"
    for asked in ({"text": text}, {"controls": Plan(key="A minor", tempo=150)}):
        made = tiny.continue_from(before, 2, seed=1, **asked)  # type: ignore[arg-type]
        new = written(parse(made.midi())) - written(before)
        said = sorted(e for _, e in new if e.kind == META and not e.is_meta(MARKER))
        assert said == [
            Event(15360, b"\xff\x51\x06\x1a\x80"), Event(15360, b"\xff\x59\0\1"),
        ]  # fmt: skip
        assert made.report.asked.tempo == made.report.measured.tempo == made.plan.tempo == 150
        assert made.report.planned.key == "A minor" and not made.report.unused
        assert made.report.measured_seconds == pytest.approx(16 + 2 * 4 * 60 / 150, abs=1.7)
    made = tiny.continue_from(before, 2, seed=1, controls=Plan(valence=1, arousal=1))
    assert (made.plan.valence, made.plan.arousal) == (1, 1)
    same = tiny.continue_from(before, 2, seed=1, text="at 120 bpm")
    assert not any(e.is_meta(TEMPO) for _, e in written(parse(same.midi())) - written(before))


def test_pedals_bends_and_fades_do_not_reach_into_the_new_bars(tiny: TextToMusic) -> None:
    state = b"\0\xb0\7\x64\0\xb0\x0b\x7f" + NOTE * 16
    end = b"\0\xb0\x40\x7f\0\xb0\7\0\0\xe0\0\x20\0\xb0\x5b\x30"
    file = parse(header(0, 1, 96) + chunk(state + end + END))
    new = written(parse(tiny.continue_from(file, 1, seed=1).midi())) - written(file)
    messages = {event.message for _, event in new}
    assert {b"\xb0\x40\0", b"\xb0\7\x64", b"\xe0\0\x40"} <= messages
    assert not any(m[:2] in (b"\xb0\x0b", b"\xb0\x5b") for m in messages), "what is as it was"


def test_another_instrument_gets_a_track_and_a_channel(tiny: TextToMusic) -> None:
    made = tiny.continue_from(read(DATA / "trio.mid"), 4, seed=3, text="with flute and drums")
    assert made.events is not None
    more = made.events.tracks[4:]
    assert [track.name for track in more][:2] == ["Flute", "Drums"][: len(more)]
    for track in more:
        channels = {e.channel for e in track.events if e.kind == NOTE_ON}
        assert channels <= {9} if track.name == "Drums" else not channels & {0, 1, 2, 9}
    assert made.events.tracks[1].name == "Violin I"


def test_bars_that_are_written_anew_take_only_their_own_place(tiny: TextToMusic) -> None:
    before = read(DATA / "pedal.mid")
    made = tiny.continue_from(before, 0, keep=3, seed=5)
    after = written(parse(made.midi()))
    kept = Counter({one: n for one, n in written(before).items() if one[1].tick < 3 * 1920})
    assert not kept - after
    old = notes_of(to_score(before))
    now = notes_of(made.score)
    held = now.start < 12
    assert now.pitch[held].tolist() == old.pitch[old.start < 12].tolist()
    assert (now.end[held] <= 12 + 1e-6).all()


def test_markers_stand_at_the_new_bars_alone(tiny: TextToMusic) -> None:
    made = tiny.continue_from(read(DATA / "1-4-end.mid"), 4, seed=2, outline=parse_form("A A B A"))
    marks = [e.tick for _, e in written(parse(made.midi())) if e.is_meta(MARKER)]
    assert sorted(marks) == [15840 + n * 1920 for n in range(4)]


def test_a_recipe_makes_a_continuation_again(tiny: TextToMusic, tmp_path: Path) -> None:
    source = DATA / "pedal.mid"
    made = tiny.continue_from(
        source, 2, keep=4, seed=8, text="sad, in A minor", outline=parse_chords("Am E")
    )
    for file in made.save(tmp_path, formats=("mid", "json"), stem="made"):
        recipe = read_recipe(file)
        assert recipe.change is not None and recipe.change.how == "continue"
        same = again(recipe, source_of(recipe.change, None, [DATA]), tiny)
        assert same_piece(file, same) and same.midi() == made.midi()
    assert b"recipe" not in tiny.continue_from(bare(), 1, seed=1).midi(), "of no file"


def test_what_is_no_piece_is_said(tiny: TextToMusic) -> None:
    with pytest.raises(TextMusicError, match="can't be read"):
        tiny.continue_from("nowhere.mid", 1)
    with pytest.raises(TextMusicError, match="ends in 11/8"):
        tiny.fill(DATA / "11-8.mid", bars=(1, 1))


def test_c8_and_the_last_drum_sound_are_in_the_vocabulary(tiny: TextToMusic) -> None:
    high = material_of(to_score(read(DATA / "a0-c8.mid")))
    assert {21, 108} <= set(high.notes.pitch.tolist()) and not high.simplified
    score = bare(notes=4)
    kit = Track(is_drum=True)
    kit.notes.extend([Note(480 * n, 240, pitch, 80) for n, pitch in enumerate((27, 88, 36, 38))])
    score.tracks.append(kit)
    score.tracks[0].notes.append(Note(480, 480, 108, 80))
    material = material_of(score)
    assert not material.simplified
    again = tiny.tokenizer.decode_score(
        [int(i) for i in tiny.tokenizer.encode_score(score, material.plan)], material.plan
    )
    assert sorted(notes_of(again).pitch) == sorted(notes_of(score).pitch)
    kit.notes.append(Note(0, 240, 89, 80))
    assert material_of(score).simplified == ("1 note is dropped (too low or too high)",)
