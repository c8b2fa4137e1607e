"""Chord and section names in MIDI files: at their ticks, for every reader, and no note changed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
from contents import events
from mido import MidiFile
from symusic import Note, Score, TextMeta, TimeSignature, Track

from textmusic.language.reading.progression import parse_chords
from textmusic.music.chords import Chord
from textmusic.music.markers import (
    ChordChange,
    as_lyrics,
    changes,
    markers_of,
    named_midi,
    read_markers,
    read_midi,
)
from textmusic.music.measure import measure
from textmusic.music.midi_files import read_score
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row, Sketch
from textmusic.writing.text_to_music import TextToMusic

C, F, G7 = Chord(0, "maj"), Chord(5, "maj"), Chord(7, "7")
GB, BBM = Chord(6, "maj"), Chord(10, "min")
SKETCH = Sketch(
    (
        Row(chords=((0, C), (2, F))),
        Row(chords=((0, F), (3, G7))),
        Row(like=0, chords=((0, C), (2, C))),
        Row(),
    )
)
SECTIONS = [(0, "A"), (2, "chorus")]


def tune(bars: int = 4, metre: tuple[int, int] = (4, 4), melodic: int = 1) -> Score:
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, *metre))
    length = 1920 * metre[0] // metre[1]
    for program in range(melodic):
        track = Track(f"Part {program}", 10 + program)
        for bar in range(bars):
            track.notes.append(Note(bar * length, length, 60 + bar, 80))
        score.tracks.append(track)
    return score


def test_what_a_file_says_is_read_by_its_plan() -> None:
    read = read_midi(named_midi(tune(), SKETCH, SECTIONS, None, "4/4"))
    plan = measure(read)
    assert markers_of(read, plan) == read_markers(read, 4, "4/4")
    assert markers_of(read, Plan()) == (Sketch(), [])
    read.time_signatures.append(TimeSignature(1920, 3, 4))
    assert markers_of(read, plan) == (Sketch(), []), "its bars can't be counted by one metre"


def test_a_chord_that_goes_on_is_no_change() -> None:
    assert changes(SKETCH) == [
        ChordChange(0, 0, C), ChordChange(0, 2, F), ChordChange(1, 3, G7),
        ChordChange(2, 0, C), ChordChange(3, 0, None),
    ]  # fmt: skip
    assert changes(Sketch((Row(), Row(chords=((0, None), (1, C)))))) == [ChordChange(1, 1, C)]
    assert changes(Sketch()) == []


def test_mido_reads_the_names_at_their_ticks() -> None:
    data = named_midi(tune(), SKETCH, SECTIONS, "C major", "4/4")
    assert events(data, "marker") == [(0, "A"), (3840, "chorus")]
    assert events(data, "text") == [
        (0, "C"), (960, "F"), (3360, "G7"), (3840, "C"), (5760, "N.C."),
    ]  # fmt: skip
    last = MidiFile(file=BytesIO(data)).tracks[-1]
    assert last.name == "Chords"
    assert not [message for message in last if message.type.startswith("note")]


def test_beats_are_eighths_in_metres_of_eighths() -> None:
    sketch = Sketch((Row(chords=((0, C), (3, F))), Row(chords=((0, F), (5, G7)))))
    data = named_midi(tune(2, (6, 8)), sketch, [(1, "B")], None, "6/8")
    assert events(data, "text") == [(0, "C"), (720, "F"), (1440 + 1200, "G7")]
    assert events(data, "marker") == [(1440, "B")]


@pytest.mark.parametrize(
    ("key", "names"), [("Db major", ["Gb", "Bbm"]), ("B major", ["F#", "A#m"])]
)
def test_names_are_spelt_in_the_key(key: str, names: list[str]) -> None:
    sketch = Sketch((Row(chords=((0, GB),)), Row(chords=((0, BBM),))))
    data = named_midi(tune(), sketch, [], key, "4/4")
    assert [name for _, name in events(data, "text")][:2] == names


def test_nothing_is_added_for_nothing_and_the_score_is_left_alone() -> None:
    score = tune()
    before = score.dumps_midi()
    rests = Sketch((Row(), Row(chords=((0, None),))))
    assert named_midi(score, rests, [], None, "4/4") == before
    named_midi(score, SKETCH, SECTIONS, None, "4/4")
    assert score.dumps_midi() == before


def test_a_piece_that_was_stopped_has_no_names_behind_its_end() -> None:
    data = named_midi(tune(2), SKETCH, SECTIONS, None, "4/4")
    assert events(data, "marker") == [(0, "A")]
    assert [tick for tick, _ in events(data, "text")] == [0, 960, 3360]
    assert (
        MidiFile(file=BytesIO(data)).length == MidiFile(file=BytesIO(tune(2).dumps_midi())).length
    )


def test_no_instrument_changes_in_a_file_that_has_no_channel_left() -> None:
    """symusic gives a sixteenth track a channel that is taken; its program must not be set anew."""
    score = tune(melodic=15)
    kit = Track("Drums", 25, is_drum=True)
    kit.notes.append(Note(0, 480, 36, 80))
    score.tracks.append(kit)
    programs: dict[int, set[int]] = {}
    data = named_midi(score, SKETCH, SECTIONS, None, "4/4")
    for track in MidiFile(file=BytesIO(data)).tracks:
        for message in track:
            if message.type == "program_change":
                programs.setdefault(message.channel, set()).add(message.program)
    assert len(programs) == 16
    assert all(len(found) == 1 for found in programs.values())


def test_real_pieces_keep_their_notes_in_every_reader(pieces: list[Path], tmp_path: Path) -> None:
    checked = 0
    for path in pieces[::6]:
        score = Score(path).resample(480, min_dur=1)
        plan = measure(score)
        assert plan.bars and plan.time_signature
        sketch = Sketch(tuple(Row(chords=((0, (C, F, G7)[bar % 3]),)) for bar in range(plan.bars)))
        sections = [(0, "verse"), (4, "副歌")]
        named = named_midi(score, sketch, sections, plan.key, plan.time_signature)
        file, plain = tmp_path / path.name, tmp_path / f"plain-{path.name}"
        file.write_bytes(named)
        score.dump_midi(plain)
        ours, theirs = notes_of(Score(file)), notes_of(Score(plain))
        for column in ("start", "duration", "pitch", "velocity", "program"):
            assert np.array_equal(getattr(ours, column), getattr(theirs, column))
        assert measure(Score(file)) == plan
        pretty, simple = (pretty_midi.PrettyMIDI(str(name)) for name in (file, plain))
        assert len(pretty.instruments) == len(simple.instruments)
        assert [len(i.notes) for i in pretty.instruments] == [
            len(i.notes) for i in simple.instruments
        ]
        assert not pretty.lyrics
        read = read_midi(file.read_bytes())
        assert read_markers(read, plan.bars, plan.time_signature) == (sketch, sections)
        checked += len(ours)
    assert checked > 1000


def test_music21_reads_the_same_notes(tmp_path: Path) -> None:
    music21 = pytest.importorskip("music21", reason="needs the score extra (music21)")
    score = tune(melodic=2)
    named = named_midi(score, SKETCH, SECTIONS, "C major", "4/4")
    (tmp_path / "named.mid").write_bytes(named)
    read = music21.converter.parse(tmp_path / "named.mid")
    found = [(float(n.getOffsetInHierarchy(read)), n.pitch.midi) for n in read.recurse().notes]
    assert sorted(found) == sorted((4.0 * bar, 60 + bar) for bar in range(4) for _ in range(2))


def test_what_is_written_is_read_again() -> None:
    score = read_midi(named_midi(tune(), SKETCH, SECTIONS, "C major", "4/4"))
    sketch, sections = read_markers(score, 4, "4/4")
    assert sections == SECTIONS
    assert changes(sketch) == changes(SKETCH)
    assert [row.chords[:1] for row in sketch.rows] == [
        ((0, C),),
        ((0, F),),
        ((0, C),),
        ((0, None),),
    ]
    assert read_markers(tune(), 2, "4/4") == (Sketch((Row(), Row())), [])


def test_a_file_s_chords_are_text_events_which_nobody_sings(
    tiny: TextToMusic, tmp_path: Path
) -> None:
    made = tiny.generate("piano in C major, 4/4, 4 bars", outline=parse_chords("F | G"), seed=1)
    data = made.midi()
    assert events(data, "lyrics") == []
    (track,) = [track for track in MidiFile(file=BytesIO(data)).tracks if track.name == "Chords"]
    assert [m.text for m in track if m.type == "text"] == ["F", "G", "F", "G"]
    ticks = [tick for tick, text in events(data, "text") if len(text) == 1]
    assert ticks == [0, 1920, 3840, 5760]
    path = tmp_path / "piece.mid"
    path.write_bytes(data)
    for score in (read_midi(data), read_score(path)):
        assert [row.chords for row in markers_of(score, made.plan)[0].rows] == [
            row.chords for row in made.sketch.rows
        ]


def test_older_files_say_their_chords_in_lyric_events(tmp_path: Path) -> None:
    newer = named_midi(tune(), SKETCH, SECTIONS, "C major", "4/4")
    score = tune()
    score.markers.extend(TextMeta(1920 * bar, name) for bar, name in SECTIONS)
    chords = Track("Chords", 0, is_drum=True)
    chords.lyrics.extend(TextMeta(tick, name) for tick, name in events(newer, "text"))
    score.tracks.append(chords)
    older = score.dumps_midi()
    assert events(newer, "text") == events(older, "lyrics") and len(events(newer, "text")) == 5
    assert as_lyrics(newer) == as_lyrics(older) == older
    path = tmp_path / "older.mid"
    path.write_bytes(older)
    expected = read_markers(read_midi(newer), 4, "4/4")
    assert changes(expected[0]) == changes(SKETCH)
    for score in (read_midi(older), read_score(path)):
        assert read_markers(score, 4, "4/4") == expected


def test_a_chord_track_that_is_there_is_replaced() -> None:
    """It is read as lyrics, as `read_midi` and `read_score` give it, and would be sung."""
    named = named_midi(tune(), SKETCH, SECTIONS, "C major", "4/4")
    other = Sketch((Row(chords=((0, GB),)),))
    again = named_midi(read_midi(named), other, [(1, "B")], "Db major", "4/4")
    assert events(again, "text") == [(0, "Gb")] and events(again, "lyrics") == []
    assert events(again, "marker") == events(named, "marker"), "markers are a person's own"
    assert events(named_midi(read_midi(named), Sketch(), [], None, "4/4"), "text") == []


def test_what_is_a_person_s_own_stays_byte_for_byte() -> None:
    score = tune()
    score.tracks[0].name = "Chords"  # that are played
    score.tracks[0].lyrics.append(TextMeta(0, "la"))
    score.tracks.append(Track("Choir", 52))
    score.tracks[1].lyrics.append(TextMeta(0, "lo"))
    data = score.dumps_midi()
    assert as_lyrics(data) == data
    ours = named_midi(tune(), SKETCH, [], None, "4/4")
    for end in range(0, len(ours), 7):  # cut short
        assert as_lyrics(ours[:end]) in (ours[:end], as_lyrics(ours)[:end])
    broken = ours.replace(b"\xff\x01\x01C", b"\xff\x01\x7fC")
    assert broken != ours and as_lyrics(broken) == broken
