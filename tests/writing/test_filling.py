"""Bars and instruments written anew, or added: what is not filled stays as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from contents import events
from interleaving import plain_copy, with_rows
from symusic import (
    ControlChange,
    Note,
    Pedal,
    Score,
    Tempo,
    TextMeta,
    TimeSignature,
    Track,
)

from textmusic.engines.protocol import Floats32, Ids
from textmusic.errors import TextMusicError
from textmusic.language.reading.form import parse_form
from textmusic.language.reading.progression import parse_chords
from textmusic.music.chords import Chord
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row, Sketch, encode_sketch
from textmusic.music.theory import DRUMS, NO_KEY
from textmusic.result.generation import Generation
from textmusic.tokens.folding import END, spelt
from textmusic.tokens.sampling import Sampling
from textmusic.tokens.vocabulary import FILL, SCORE, SKETCH
from textmusic.writing.filling import Filling
from textmusic.writing.take import Take
from textmusic.writing.text_to_music import TextToMusic

Place = tuple[int, int, int, int, int]  # track's program, time, duration, pitch, velocity
QUARTER = 96


def piece(bars: int = 8, programs: tuple[int, ...] = (0, 32), *, quarters: int = 4) -> Score:
    """A file that a sequencer might have written: odd resolution, and more in it than notes."""
    score = Score(QUARTER)
    score.time_signatures.append(TimeSignature(0, quarters, 4))
    score.tempos.extend([Tempo(0, 100.0), Tempo(5 * QUARTER, 80.0), Tempo(9 * QUARTER, 100.0)])
    score.markers.append(TextMeta(2 * QUARTER, "verse"))
    for program in programs:
        drums = program == DRUMS
        track = Track(name=f"my {program}", program=0 if drums else program, is_drum=drums)
        for n in range(bars * quarters):
            pitch = 36 + n % 3 if drums else 48 + 5 * (program == 0) + (0, 4, 7, 12)[n % 4]
            # a little late, and never of the same length: as it is played
            track.notes.append(Note(n * QUARTER + n % 3, QUARTER - 7 - n % 2, pitch, 71 + n % 5))
        track.controls.append(ControlChange(QUARTER, 7, 101))
        track.pedals.append(Pedal(2 * QUARTER, QUARTER))
        track.lyrics.append(TextMeta(3 * QUARTER, "la"))
        score.tracks.append(track)
    return score


def placed(score: Score) -> list[Place]:
    return sorted(
        (DRUMS if t.is_drum else t.program, n.time, n.duration, n.pitch, n.velocity)
        for t in score.tracks
        for n in t.notes
    )


def outside(score: Score, bars: tuple[int, int], programs: set[int], bar: int) -> list[Place]:
    """The notes that do not begin in some bars (from 1, the last one too) of some instruments."""
    first, stop = (bars[0] - 1) * bar, bars[1] * bar
    return [n for n in placed(score) if not (first <= n[1] < stop and n[0] in programs)]


def inside(score: Score, bars: tuple[int, int], programs: set[int], bar: int) -> list[Place]:
    rest = outside(score, bars, programs, bar)
    return [n for n in placed(score) if n not in rest]


def check(
    score: Score,
    made: Generation,
    bars: tuple[int, int],
    programs: set[int],
    bar: int = 4 * QUARTER,
) -> list[Place]:
    """All but the hole is as it was; the new notes."""
    assert made.score.ticks_per_quarter == QUARTER
    assert outside(made.score, bars, programs, bar) == outside(score, bars, programs, bar)
    assert made.score.tempos == score.tempos and made.score.markers == score.markers
    assert made.score.time_signatures == score.time_signatures
    for old, new in zip(score.tracks, made.score.tracks, strict=False):
        assert (old.name, old.program, old.is_drum) == (new.name, new.program, new.is_drum)
        assert old.controls == new.controls and old.pedals == new.pedals
        assert old.lyrics == new.lyrics and old.pitch_bends == new.pitch_bends
    found = inside(made.score, bars, programs, bar)
    assert {n[0] for n in found} == programs, "every instrument that is filled plays"
    assert found != inside(score, bars, programs, bar)
    return found


@pytest.mark.parametrize("bars", [(3, 4), (1, 1), (8, 8), (1, 7), (2, 8)])
def test_bars_are_written_anew(tiny: TextToMusic, bars: tuple[int, int]) -> None:
    score = piece()
    before = placed(score)
    made = tiny.fill(score, bars=bars, seed=1)
    check(score, made, bars, {0, 32})
    assert placed(score) == before, "the score that was given is not touched"
    assert made.report.measured.bars == 8 or bars[1] == 8
    assert len(made.sketch.rows) == 8


def test_an_instrument_is_written_anew(tiny: TextToMusic) -> None:
    for name, program in (("piano", 0), ("acoustic bass", 32), (32, 32)):
        score = piece()
        check(score, tiny.fill(score, instruments=[name], seed=2), (1, 8), {program})


def test_an_instrument_in_some_bars(tiny: TextToMusic) -> None:
    score = piece(programs=(0, 32, DRUMS))
    check(score, tiny.fill(score, bars=(5, 6), instruments=["drums"], seed=2), (5, 6), {DRUMS})


def test_instruments_are_added(tiny: TextToMusic) -> None:
    score = piece()
    made = tiny.fill(score, add=["flute", "drums"], seed=3)
    check(score, made, (1, 8), {73, DRUMS})
    assert [t.name for t in made.score.tracks] == ["my 0", "my 32", "Flute", "Drums"]
    assert made.score.tracks[-1].is_drum
    assert made.plan.programs == (0, 32, 73, DRUMS)


def test_one_is_added_and_another_written_anew_in_some_bars(tiny: TextToMusic) -> None:
    score = piece()
    made = tiny.fill(score, bars=(3, 6), instruments=["piano"], add=["flute"], seed=3)
    check(score, made, (3, 6), {0, 73})


def test_new_notes_begin_in_the_hole_and_in_the_ranges(tiny: TextToMusic) -> None:
    score = piece(bars=16)
    made = tiny.fill(score, bars=(5, 12), instruments=["piano"], seed=4)
    for _, time, duration, pitch, velocity in check(score, made, (5, 12), {0}):
        assert 4 * 4 * QUARTER <= time < 12 * 4 * QUARTER
        assert duration > 0 and 21 <= pitch <= 108 and 0 < velocity < 128


def test_no_new_note_runs_into_one_that_stands(tiny: TextToMusic) -> None:
    for seed in range(4):
        made = tiny.fill(piece(), bars=(3, 6), seed=seed)
        for track in made.score.tracks:
            ends: dict[int, int] = {}
            for note in sorted(track.notes, key=lambda n: n.time):
                # the grid is a twelfth of a quarter, and what is played lies a little off it
                assert note.time >= ends.get(note.pitch, 0) - QUARTER // 12
                ends[note.pitch] = note.time + note.duration


def test_a_note_a_little_before_the_bar_line_belongs_to_the_bar_behind_it(
    tiny: TextToMusic,
) -> None:
    score = piece()
    early = [Note(t * 4 * QUARTER - 2, 40, 90, 99) for t in (2, 4)]
    score.tracks[0].notes.extend(early)
    made = tiny.fill(score, bars=(3, 4), seed=1)
    kept = [n.time for n in made.score.tracks[0].notes if (n.pitch, n.velocity) == (90, 99)]
    assert kept == [4 * 4 * QUARTER - 2], "that of bar 5 stays, that of bar 3 is written anew"


def test_the_same_seed_gives_the_same_fill(tiny: TextToMusic) -> None:
    one, two, other = (placed(tiny.fill(piece(), bars=(3, 6), seed=s).score) for s in (5, 5, 6))
    assert one == two != other


def test_progress_counts_the_bars_of_the_hole(tiny: TextToMusic) -> None:
    seen: list[tuple[int, int]] = []
    tiny.fill(piece(40), bars=(2, 39), seed=1, on_bar=lambda *bar: seen.append(bar))
    assert seen == [(n, 38) for n in range(1, 39)]


def test_a_long_hole_is_written_in_parts(tiny: TextToMusic) -> None:
    score = piece(100)
    made = tiny.fill(score, bars=(31, 70), seed=7)
    found = check(score, made, (31, 70), {0, 32})
    bars = {time // (4 * QUARTER) for _, time, *_ in found}
    assert min(bars) < 34 and max(bars) > 66 and len(bars) > 30
    assert len(made.sketch.rows) == 100


@pytest.mark.slow
@pytest.mark.parametrize("context", [300, 500])
def test_a_small_context_fills_too(tiny_model: Path, context: int) -> None:
    music = TextToMusic.from_pretrained(tiny_model, threads=1)
    music.engine.context = context
    score = piece(40, (0, 32, 48))
    made = music.fill(score, bars=(5, 30), instruments=["piano", 32], seed=2)
    check(score, made, (5, 30), {0, 32})
    check(score, music.fill(score, add=["violin"], seed=2), (1, 40), {40})


def test_all_but_a_few_bars_of_a_long_piece(tiny: TextToMusic) -> None:
    score = piece(70)
    check(score, tiny.fill(score, bars=(1, 66), seed=1), (1, 66), {0, 32})


def test_behind_a_change_of_time_signature(tiny: TextToMusic) -> None:
    score = piece(8)
    score.time_signatures.append(TimeSignature(2 * 4 * QUARTER, 3, 4))  # bars 1 and 2, then 8 of 3
    made = tiny.fill(score, bars=(4, 5), seed=1)
    assert made.score.time_signatures == score.time_signatures
    first, stop = (8 + 3) * QUARTER, (8 + 9) * QUARTER
    rest = [[n for n in placed(s) if not first <= n[1] < stop] for s in (score, made.score)]
    assert rest[0] == rest[1] and placed(made.score) != placed(score)
    assert len(made.sketch.rows) == 10 and made.sketch.rows[:2] == (Row(), Row())
    with pytest.raises(TextMusicError, match="bar 2 is before the last change of time signature"):
        tiny.fill(score, bars=(2, 4))


def test_real_pieces_are_filled(tiny: TextToMusic, pieces: list[Path]) -> None:
    for path in pieces[:8]:
        score = Score.from_midi(path.read_bytes())
        if len(score.time_signatures) > 1:
            continue
        metre = [*score.time_signatures, TimeSignature(0, 4, 4)][0]
        bar = metre.numerator * 4 * score.ticks_per_quarter // metre.denominator
        made = tiny.fill(score, bars=(2, 3), seed=1)
        grid, first, last = score.ticks_per_quarter / 12, bar, 3 * bar
        # a note that is played a little early belongs to the bar that it is heard in
        stay = [n for n in placed(score) if not first <= int(n[1] / grid + 0.5) * grid < last]
        new = Counter(placed(made.score)) - Counter(stay)
        assert not Counter(stay) - Counter(placed(made.score)), path.name
        assert all(first <= time < last for _, time, *_ in new), path.name
        assert placed(made.score) != placed(score)


# What is asked ------------------------------------------------------------------------------------


def test_asked_chords_are_the_sketch_of_the_hole(tiny: TextToMusic) -> None:
    made = tiny.fill(piece(16), bars=(5, 12), outline=parse_chords("F | G"), seed=1)
    assert [row.chords for row in made.sketch.rows[4:12]] == [
        ((0, Chord(root, "maj")),) for root in (5, 7) * 4
    ]


def test_an_asked_form_counts_from_the_first_bar_of_the_hole(tiny: TextToMusic) -> None:
    made = tiny.fill(piece(60), bars=(11, 50), outline=parse_form("A A"), seed=1)
    likes = [row.like for row in made.sketch.rows[10:50]]
    assert likes[20:] == list(range(10, 30)), "though they are written in parts"


def marks(made: Generation) -> list[tuple[int, str]]:
    """(bar, name) of the markers of a piece."""
    return [(mark.time // (4 * QUARTER), mark.text) for mark in made.score.markers]


def test_a_form_names_the_filled_bars_alone(tiny: TextToMusic) -> None:
    score = piece(16)
    score.markers.clear()
    made = tiny.fill(score, bars=(5, 12), outline=parse_form("A B"), seed=1)
    assert made.sections == marks(made) == [(4, "A"), (8, "B")]
    for name, bar in (("intro", 0), ("chorus", 5), ("verse", 7), ("outro", 14)):
        score.markers.append(TextMeta(bar * 4 * QUARTER, name))
    made = tiny.fill(score, bars=(5, 12), outline=parse_form("A B"), seed=1)
    named = [(0, "intro"), (4, "A"), (8, "B"), (12, "verse"), (14, "outro")]
    assert made.sections == marks(made) == named, "what stands behind the hole is the verse still"
    assert events(made.midi(), "marker") == [(4 * bar * QUARTER, name) for bar, name in named]
    (row,) = [row for row in made.report.rows if row.field == "form"]
    assert (row.asked, row.planned) == ("A B", "A B")
    made = tiny.fill(score, bars=(9, 16), outline=parse_form("A B"), seed=1)
    assert marks(made) == [(0, "intro"), (5, "chorus"), (7, "verse"), (8, "A"), (12, "B")]
    made = tiny.fill(score, add=["flute"], bars=(5, 12), outline=parse_form("A B"), seed=1)
    assert made.score.markers == score.markers, "others play on in the hole"
    assert made.sections == [(0, "intro"), (5, "chorus"), (7, "verse"), (14, "outro")]


def test_a_form_behind_a_change_of_metre_is_named_at_its_bars(tiny: TextToMusic) -> None:
    score = piece(8)
    score.markers.clear()
    score.time_signatures.append(TimeSignature(2 * 4 * QUARTER, 3, 4))  # bars 1 and 2, then 8 of 3
    made = tiny.fill(score, bars=(4, 7), outline=parse_form("A B"), seed=1)
    assert [mark.time for mark in made.score.markers] == [11 * QUARTER, 17 * QUARTER]
    assert made.sections == [(3, "A"), (5, "B")]


def test_the_words_number_of_bars_is_not_the_hole_s(tiny: TextToMusic) -> None:
    made = tiny.fill(piece(12), bars=(5, 8), text="2 bars, AABA", seed=1)
    assert [name for bar, name in made.sections if 4 <= bar < 8] == list("AABA")
    assert made.report.unused == ("'2': the piece keeps its own bars",)
    with pytest.raises(TextMusicError, match="4 sections does not fit into 2 bars"):
        tiny.fill(piece(12), bars=(5, 6), text="4 bars, AABA", seed=1)


def test_the_report_shows_the_filled_bars_chords(tiny: TextToMusic) -> None:
    made = tiny.fill(piece(16), bars=(9, 12), outline=parse_chords("Em | A7"), seed=1)
    (row,) = [row for row in made.report.rows if row.field == "chords"]
    assert (row.asked, row.planned) == ("Em A7", "Em | A7 | Em | A7")


def test_an_asked_sketch_is_kept(tiny: TextToMusic) -> None:
    c, f = ((0, Chord(0, "maj")),), ((0, Chord(5, "maj")), (2, Chord(7, "7")))
    sketch = Sketch((Row(chords=c), Row(chords=f), Row(like=0, chords=c), Row(vary=0, chords=f)))
    made = tiny.fill(piece(12), bars=(5, 8), sketch=sketch, seed=1)
    assert made.sketch.rows[4:8] == sketch.behind(4).rows


def test_the_harmony_that_stands_is_kept_to(tiny: TextToMusic) -> None:
    """Where pitched instruments stand in the hole their chords are not chosen again."""
    score = piece()
    one, other = (tiny.fill(score, add=["flute"], seed=s).sketch for s in (1, 2))
    assert one == other and any(row.chords for row in one.rows)
    chosen, others = (tiny.fill(score, bars=(3, 6), seed=s).sketch for s in (1, 2))
    assert chosen.rows[2:6] != others.rows[2:6]


def test_harmony_strength_brings_the_chords(tiny: TextToMusic) -> None:
    made = tiny.fill(
        piece(16), bars=(5, 12), outline=parse_chords("F"), seed=1,
        sampling=Sampling(harmony_strength=1),
    )  # fmt: skip
    notes = notes_of(made.score)
    new = (notes.start >= 16) & (notes.start < 48)
    assert sum(int(p) % 12 in (5, 9, 0) for p in notes.pitch[new]) > 0.7 * new.sum()


def test_words_are_read_and_what_the_piece_has_is_said(tiny: TextToMusic) -> None:
    made = tiny.fill(piece(), bars=(3, 4), text="sad, in F# major, 200 bpm", seed=1)
    said = " ".join(made.report.unused)
    assert "the piece keeps its own key" in said and "the piece keeps its own tempo" in said
    assert made.report.asked.key is None and made.report.asked.tempo is None


# What the model reads -----------------------------------------------------------------------------


@pytest.mark.parametrize("interleaved", [True, False])
@pytest.mark.parametrize(
    ("context", "bars", "options"),
    [
        (1088, 8, {"bars": (3, 4)}),
        (1088, 8, {"bars": (7, 8), "instruments": ["piano"]}),
        (1088, 8, {"add": ["flute", "drums"]}),
        (340, 24, {"bars": (3, 22)}),
        (340, 24, {"add": ["flute", "violin", "drums"]}),
    ],
)
def test_a_fill_is_read_as_training_wrote_them(
    tiny_model: Path,
    tmp_path: Path,
    context: int,
    bars: int,
    options: dict[str, Any],
    interleaved: bool,
) -> None:
    folder = tiny_model if interleaved else plain_copy(tiny_model, tmp_path / "plain")
    music = TextToMusic.from_pretrained(folder, threads=1)
    music.engine.context = context
    takes: list[Take] = []
    take = music.take
    music.take = lambda *given, **named: takes.append(take(*given, **named)) or takes[-1]  # type: ignore
    windows: list[tuple[Take, list[int]]] = []
    prefill = music.engine.prefill

    def read(slots: range, ids: Ids) -> Floats32:
        if takes[-1].sketched:
            windows.append((takes[-1], ids.tolist()))
        return prefill(slots, ids)

    music.engine.prefill = read  # type: ignore[method-assign]
    music.fill(piece(bars), seed=3, **options)
    assert len(takes) == 1 or context < 1088
    for each in takes:
        assert len(each.ids) <= context
        windows.append((each, each.ids))
    vocabulary, offset = music.tokenizer.vocabulary, music.tokenizer.offset
    for each, ids in windows:
        plan, notes = each.plan, [*each._given.notes, *each.settled().notes]
        first, last = each._given.bars or (0, 0)
        tokens = [vocabulary[i - offset] for i in ids if i >= offset]
        if FILL not in tokens:  # its sketch goes on first
            continue
        sketch, score, fill = (tokens.index(mark) for mark in (SKETCH, SCORE, FILL))
        count = sum(t.startswith("Bar_") for t in tokens[sketch:score])
        standing, filled = tokens[score + 1 : fill], tokens[fill + 1 :]
        programs = [f"Program_{p}" for p in each._given.programs or ()]
        assert filled[: len(programs)] == programs
        body = filled[len(programs) :]
        assert not body or not body[0].startswith("Program_")
        spelled = False
        for base in range(len(each.sketch.rows) - count + 1):  # as far as windows have reached
            stop = base + count
            rows = encode_sketch(Sketch(each.sketch.rows).cut(base, stop), plan.key)
            if rows != tokens[sketch + 1 : score]:
                continue
            begun = next((stop - int(t[4:]) for t in body if t.startswith("Bar_")), first)
            new = [
                n for n in notes
                if begun <= n.bar < last and n.program in (each._given.programs or ())
            ]  # fmt: skip
            here = sorted((n for n in notes if base <= n.bar < stop and n not in new),
                          key=lambda n: n.place)  # fmt: skip
            whole = [*spelt(new, begun, min(last, stop), stop), END]
            around = spelt(here, base, stop, stop)
            if interleaved:
                around, whole = with_rows(around, rows), with_rows(whole, rows)
            spelled |= standing == around and whole[: len(body)] == body
        assert spelled, tokens


# What can't be filled -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"bars": (7, 9)}, r"bars 7 to 9 do not exist; choose from bars 1 to 8"),
        ({"bars": (0, 2)}, r"bars 0 to 2 do not exist"),
        ({"bars": (4, 3)}, r"bars 4 to 3 do not exist"),
        ({}, r"this would rewrite the whole piece"),
        ({"bars": (1, 8)}, r"this would rewrite the whole piece"),
        ({"instruments": ["piano", 32]}, r"this would rewrite the whole piece"),
        ({"instruments": ["piano", 32], "add": ["flute"]}, r"this would rewrite the whole piece"),
        (
            {"instruments": ["violin"]},
            r"the piece has no violin, but .*; name it as an instrument to add",
        ),
        ({"add": ["piano"]}, r"the piano already plays; rewrite it"),
        ({"add": [*range(40, 55)]}, r"room for only 15 instruments and drums; add fewer"),
        ({"instruments": ["kazoophone"]}, r"kazoophone"),
        ({"bars": (3, 4), "sketch": Sketch((Row(),) * 3)}, r"the sketch has 3 rows for 2 bars"),
        ({"bars": (3, 4), "outline": parse_form("A B C")}, r"a form of 3 sections does not fit"),
    ],
)
def test_what_can_t_be_filled_is_said_in_a_sentence(
    tiny: TextToMusic, options: dict[str, Any], sentence: str
) -> None:
    score = piece()
    before = score.dumps_midi()
    with pytest.raises(TextMusicError, match=sentence) as said:
        tiny.fill(score, seed=1, **options)
    assert "\n" not in str(said.value)
    assert score.dumps_midi() == before


@pytest.mark.parametrize("empty", [lambda: Score(480), lambda: piece(0)])
def test_an_empty_score_is_said(tiny: TextToMusic, empty: Callable[[], Score]) -> None:
    with pytest.raises(TextMusicError, match="has no note"):
        tiny.fill(empty(), bars=(1, 1))


def test_a_bar_with_more_notes_than_can_be_read_is_said(tiny_model: Path) -> None:
    music = TextToMusic.from_pretrained(tiny_model, threads=1)
    music.engine.context = 300
    score = piece()
    for n in range(60):
        score.tracks[1].notes.append(Note(2 * 4 * QUARTER + 8 * (n % 45), 8, 30 + n, 90))
    with pytest.raises(TextMusicError, match="bar 3 has too many notes to add to"):
        music.fill(score, instruments=["piano"], controls=Plan(arousal=1))


@pytest.mark.parametrize("key", ["D minor", None])
def test_what_is_added_to_drums_has_one_key_and_chords(
    tiny: TextToMusic, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    keys: list[str | None] = []
    parts = Filling._written_rows

    def seen(self: Filling, take: Take, *rest: Any) -> Sequence[Row]:
        keys.append(take.plan.key)
        return parts(self, take, *rest)

    monkeypatch.setattr(Filling, "_written_rows", seen)
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    score.tracks.append(Track(is_drum=True))
    for n in range(4 * 24):
        score.tracks[0].notes.append(Note(480 * n, 240, 36, 80))
    made = tiny.fill(score, add=["bass"], text=f"in {key}" if key else "", seed=1)
    assert len(keys) > 1 and len(set(keys)) == 1 and keys[0] not in (None, NO_KEY)
    assert key in (None, keys[0]) and not made.report.unused
    assert any(row.chords for row in made.sketch.rows)


def test_a_piano_goes_on_from_drums_in_a_key(tiny: TextToMusic) -> None:
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    score.tracks.append(Track(is_drum=True))
    for n in range(16):
        score.tracks[0].notes.append(Note(480 * n, 240, 36, 80))
    made = tiny.continue_from(score, 4, text="add piano, in D minor", seed=1)
    assert 0 in (made.plan.programs or ()) and made.plan.key == "D minor"
