"""Changes that need no model, on pieces small enough to check by hand."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from broken_midi import END, NOTE, chunk, header
from symusic import Note, Score, Tempo, TimeSignature, Track

from textmusic.errors import TextMusicError
from textmusic.music.midi_events import (
    CONTROL,
    NOTE_OFF,
    NOTE_ON,
    PROGRAM,
    TEMPO,
    Event,
    MidiEvents,
    parse,
)
from textmusic.music.midi_files import read_events
from textmusic.music.midi_sounding import all_placed, to_score
from textmusic.music.notes import notes_of
from textmusic.music.theory import DRUMS, KEYS, degrees_of, range_of, tonic
from textmusic.result.change import without_recipe
from textmusic.result.generation import Generation
from textmusic.result.recipe import Recipe, read_recipe, same_piece
from textmusic.writing.adjusting import Adjustment, adjust, read_instruments
from textmusic.writing.repeating import adjustment_of, source_of
from textmusic.writing.repeating import again as repeated

DATA = Path(__file__).parents[1] / "data" / "midi"
SAME = Adjustment(tempo=100)  # as it is
CHORDS = ((48, 64, 67, 72), (50, 65, 69, 74), (55, 62, 67, 71), (48, 64, 67, 73))


def piece(*, drums: bool = True) -> Score:
    """Four chords on the piano, one a quarter note, and a kick drum on each."""
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    score.tempos.extend([Tempo(0, 100.0), Tempo(960, 50.0)])
    piano, kit = Track(program=0), Track(is_drum=True)
    for n, chord in enumerate(CHORDS):
        piano.notes.extend([Note(480 * n, 480, pitch, 80) for pitch in chord])
        kit.notes.append(Note(480 * n, 120, 36, 90))
    score.tracks.extend([piano, kit] if drums else [piano])
    return score


def pitches(score: Score, program: int = 0) -> list[int]:
    notes = notes_of(score)
    return [int(p) for p in notes.pitch[notes.program == program]]


def read(path: Path) -> MidiEvents:
    """A file that can be trusted."""
    return parse(path.read_bytes())


def trio() -> MidiEvents:
    """Two violins and a viola, a track each."""
    return read(DATA / "trio.mid")


def players(made: Generation) -> dict[str, int]:
    return {track.name: track.program for track in made.score.tracks}


def test_what_is_not_asked_for_stays() -> None:
    with pytest.raises(TextMusicError, match="there is nothing to change"):
        adjust(piece(), Adjustment())
    made = adjust(piece(), SAME)
    one, two = notes_of(made.score), notes_of(piece())
    for column in ("start", "duration", "pitch", "velocity", "program"):
        assert np.array_equal(getattr(one, column), getattr(two, column))
    assert [round(t.qpm, 3) for t in made.score.tempos] == [100, 50]


def test_transposing_moves_all_but_the_drums_and_the_key() -> None:
    made = adjust(piece(), Adjustment(semitones=2))
    assert pitches(made.score) == [p + 2 for chord in CHORDS for p in chord]
    assert pitches(made.score, DRUMS) == [36] * 4
    before = adjust(piece(), SAME).plan.key
    assert tonic(made.plan.key or "") == (tonic(before or "") + 2) % 12
    high = pitches(adjust(piece(), Adjustment(semitones=24)).score)
    assert max(high) <= range_of(0)[1]
    with pytest.raises(TextMusicError, match="transpose 25 is out of range; choose -24 to 24"):
        adjust(piece(), Adjustment(semitones=25))


def test_a_tempo_keeps_the_ratio_of_later_ones() -> None:
    made = adjust(piece(), Adjustment(tempo=120))
    assert [round(t.qpm, 2) for t in made.score.tempos] == [120, 60]
    assert made.report.asked.tempo == 120
    with pytest.raises(TextMusicError, match="tempo 500 is out of range"):
        adjust(piece(), Adjustment(tempo=500))


def test_snapping_moves_each_note_to_the_nearest_tone() -> None:
    made = adjust(piece(), Adjustment(key="C major"))
    assert pitches(made.score)[-1] == 72, "C# lies between C and D, and goes down"
    assert pitches(made.score)[:-1] == [p for chord in CHORDS for p in chord][:-1]
    far = adjust(piece(), Adjustment(key="F# major"))
    scale = {(6 + d) % 12 for d in degrees_of("F# major")}
    assert {p % 12 for p in pitches(far.score)} <= scale
    assert far.plan.key == "F# major"


def test_parts_are_given_to_other_players_one_by_one() -> None:
    made = adjust(trio(), read_instruments(["2=flute"]))
    assert players(made) == {"Violin I": 40, "Violin II": 73, "Viola": 41}
    made = adjust(trio(), read_instruments(["Viola=cello", "Violin I=oboe"]))
    assert players(made) == {"Violin I": 68, "Violin II": 40, "Viola": 42}
    made = adjust(trio(), read_instruments(["violin=oboe"]))
    assert players(made) == {"Violin I": 68, "Violin II": 68, "Viola": 41}, "both of that name"
    for said, sentence in (
        ("9=flute", "no part '9', but 1 Violin I"),
        ("tuba=flute", "no part 'tuba', but 1 Violin I [(]violin[)], 2 Violin II"),
        ("2=drums", "drums can't play"),
        ("2=string quartet", "does not name one part and one instrument"),
        ("=flute", "does not name one part"),
    ):
        with pytest.raises(TextMusicError, match=sentence):
            adjust(trio(), read_instruments([said]))


def test_plain_names_go_to_the_parts_in_order() -> None:
    made = adjust(trio(), read_instruments(["cello", "flute"]))
    assert players(made) == {"Violin I": 42, "Violin II": 73, "Viola": 73}, "the last to the rest"
    assert len(made.score.tracks) == 3, "nothing is merged, nothing dealt out"
    made = adjust(piece(), Adjustment(programs=(40,)))
    assert pitches(made.score, 40) == [p for chord in CHORDS for p in chord]
    assert pitches(made.score, DRUMS) == [36] * 4
    with pytest.raises(TextMusicError, match="2 instruments are more than the piece has parts"):
        adjust(piece(), Adjustment(programs=(40, 41)))
    with pytest.raises(TextMusicError, match="drums can't play"):
        adjust(piece(), Adjustment(programs=(DRUMS,)))
    low = adjust(piece(), Adjustment(programs=(73,)))
    assert low.report.remarks == ("4 notes are outside the range of the flute",)


def test_a_part_that_shares_its_channel_gets_one_of_its_own() -> None:
    def both(*said: str) -> list[int]:
        note = b"\0\x90\x3c\x50\x83\x60\x80\x3c\0"
        tracks = chunk(b"\0\xc0\x30\0\xb0\7\x50" + END) + chunk(note + END) * 2
        made = adjust(parse(header(1, 3) + tracks), read_instruments(said))
        assert made.events is not None
        # a player that knows channels alone
        now, struck, loud = dict.fromkeys(range(16), 0), [], dict.fromkeys(range(16), 100)
        for one in all_placed(parse(made.midi())):
            if one.event.kind == PROGRAM:
                now[one.event.channel] = one.event.message[1]
            elif one.event.kind == CONTROL:
                loud[one.event.channel] = one.event.message[2]
            elif one.event.starts_note:
                struck.append(now[one.event.channel])
                assert loud[one.event.channel] == 80
        assert struck == [t.program for t in made.score.tracks]
        return struck

    assert both("1=flute") == [73, 48]
    assert both("2=flute") == [48, 73]
    assert both("flute") == [73, 73]
    assert both("flute", "oboe") == [73, 68]


def test_other_banks_are_left_for_the_first() -> None:
    events = b"\0\xb0\0\x08\0\xb0\x20\1\0\xc0\x28"
    made = adjust(parse(header(0, 1) + chunk(events + NOTE + END)), read_instruments(["flute"]))
    assert made.events is not None
    said = [event.message for event in made.events.tracks[0].events[:3]]
    assert said == [b"\xb0\0\0", b"\xb0\x20\0", b"\xc0\x49"]


# All else stays ----------------------------------------------------------------------------------


def events(midi: MidiEvents) -> Counter[tuple[int, Event]]:
    """What is in a file, but for the recipe."""
    clean = without_recipe(midi)
    return Counter((n, event) for n, track in enumerate(clean.tracks) for event in track.events)


def changed(name: str, adjustment: Adjustment) -> tuple[list[Event], list[Event]]:
    """The events that an adjustment takes out of a file, and those that it puts in."""
    before = read(DATA / name)
    after = parse(adjust(before, adjustment).midi())
    gone, new = events(before) - events(after), events(after) - events(before)
    assert [track.end for track in after.tracks] == [track.end for track in before.tracks]
    assert after.division == before.division
    return [event for _, event in sorted(gone)], [event for _, event in sorted(new)]


@pytest.mark.parametrize(
    "name",
    ["pedal", "trio", "1-4-end", "11-8", "8-8", "9-16", "6-16", "ramp", "late-tempo", "setup-track",
     "sysex-ff", "all-notes-off", "never-off"],
)  # fmt: skip
def test_transposing_transposes_and_nothing_else(name: str) -> None:
    before = read(DATA / f"{name}.mid")
    after = parse(adjust(before, Adjustment(semitones=3)).midi())
    expected = Counter(
        (
            number,
            Event(e.tick, bytes((e.message[0], e.message[1] + 3, e.message[2])))
            if e.kind in (NOTE_ON, NOTE_OFF)
            else e,
        )
        for number, e in events(before).elements()
    )
    assert events(after) == expected
    assert [track.end for track in after.tracks] == [track.end for track in before.tracks]


def test_the_ends_of_the_piano_and_all_drums_stay() -> None:
    before = read(DATA / "a0-c8.mid")
    made = adjust(before, Adjustment(tempo=90))
    assert sorted(pitches(made.score)) == sorted(pitches(to_score(before)))
    with pytest.raises(TextMusicError, match="out of the range of MIDI; choose -21 to 19"):
        adjust(before, Adjustment(semitones=20))
    ends = b"".join(bytes((0, 0x90, n, 80, 60, 0x80, n, 0)) for n in (0, 127))
    with pytest.raises(TextMusicError, match="out of the range of MIDI; leave it where it is"):
        adjust(parse(header(0, 1) + chunk(ends + END)), Adjustment(semitones=1))
    kit = b"".join(bytes((0, 0x99, n, 80, 60, 0x89, n, 0)) for n in (*range(128), 88))
    drums = parse(header(1, 2) + chunk(kit + END) + chunk(NOTE + END))
    made = adjust(drums, Adjustment(semitones=5))
    assert made.events is not None and made.events.tracks[0] == drums.tracks[0]


def test_key_signatures_and_our_own_chord_names_are_transposed_too() -> None:
    key = b"\0\xff\x59\2\xfd\1"  # C minor
    made = adjust(parse(header(0, 1) + chunk(key + NOTE + END)), Adjustment(semitones=2))
    assert made.events is not None
    assert made.events.tracks[0].events[0].message == b"\xff\x59\xff\1", "D minor: one flat"
    names = b"\0\xff\3\6Chords\0\xff\1\2Dm\x60\xff\1\3Bb7" + END
    made = adjust(parse(header(1, 2) + chunk(NOTE + END) + chunk(names)), Adjustment(semitones=2))
    assert made.events is not None
    assert [e.message[2:] for e in made.events.tracks[1].events[1:]] == [b"Em", b"C7"]


def test_a_tempo_scales_the_whole_map() -> None:
    gone, new = changed("ramp.mid", Adjustment(tempo=120))
    assert len(gone) == len(new) == 32 and all(event.is_meta(TEMPO) for event in gone + new)
    for before, after in zip(gone, new, strict=True):
        one, two = (int.from_bytes(event.message[2:], "big") for event in (before, after))
        assert before.tick == after.tick and one / two == pytest.approx(2, rel=1e-5)
    gone, new = changed("late-tempo.mid", Adjustment(tempo=60))
    assert [(e.tick, int.from_bytes(e.message[2:], "big")) for e in new] == [
        (0, 1_000_000), (3840, 2_000_000),
    ]  # fmt: skip
    made = adjust(read(DATA / "tempo-on-second-track.mid"), Adjustment(tempo=120))
    assert made.report.measured_seconds == 12
    assert made.report.measured.tempo == made.report.asked.tempo == 120, "as it begins"
    slow = header(0, 1) + chunk(b"\0\xff\x51\3\1\0\0" + NOTE + b"\0\xff\x51\3\xff\0\0" + NOTE + END)
    with pytest.raises(TextMusicError, match="more than a MIDI file can state"):
        adjust(parse(slow), Adjustment(tempo=40))


def test_transposing_to_a_key_moves_the_tonic() -> None:
    made = adjust(read(DATA / "plain.mid"), Adjustment(to_key="A major"))
    assert pitches(made.score)[:3] == [57, 59, 61] and made.report.rows[0].ok
    assert not made.report.remarks
    made = adjust(read(DATA / "plain.mid"), Adjustment(to_key="F# major"))
    assert pitches(made.score)[0] == 66, "the short way; a tritone up"
    made = adjust(read(DATA / "plain.mid"), Adjustment(to_key="A minor"))
    assert pitches(made.score)[:3] == [57, 59, 61]
    assert "transposing makes A major of it, not A minor" in made.report.remarks[0]
    assert made.report.rows[0].ok is False
    for more, sentence in (
        (Adjustment(to_key="A minor", semitones=1), "exclude each other"),
        (Adjustment(to_key="A minor", key="A minor"), "exclude each other"),
        (Adjustment(to_key="none"), "needs keys"),
        (Adjustment(key="none"), "snapping needs a key"),
    ):
        with pytest.raises(TextMusicError, match=sentence):
            adjust(read(DATA / "plain.mid"), more)


@pytest.mark.parametrize("key", KEYS)
def test_snapping_ends_in_the_key_that_it_names(key: str) -> None:
    made = adjust(read(DATA / "setup-track.mid"), Adjustment(key=key))
    assert made.report.measured.key == key
    scale = {(tonic(key) + degree) % 12 for degree in degrees_of(key)}
    assert {int(p) % 12 for p in notes_of(made.score).pitch} <= scale
    minor = adjust(read(DATA / "setup-track.mid"), Adjustment(key="C minor"))
    assert adjust(minor.score, Adjustment(key=key)).report.measured.key == key


def test_what_was_mended_is_said() -> None:
    made = adjust(read_events(DATA / "all-160.mid"), Adjustment(semitones=1))
    assert made.report.remarks == ("data bytes over 127 set to 127 (32)",)
    assert Score.from_midi(made.midi()).note_num() == 32


def test_a_recipe_tells_what_was_done_to_which_file(tmp_path: Path) -> None:
    source = DATA / "trio.mid"
    change = replace(read_instruments(["2=flute", "cello"]), semitones=-2, tempo=80)
    made = adjust(read_events(source), change)
    (path, report) = made.save(tmp_path, formats=("mid", "json"), stem="trio-adjusted")
    for file in (path, report):
        recipe = read_recipe(file)
        assert recipe.change is not None
        assert recipe.change.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
        assert adjustment_of(recipe.change.options) == change
        again = repeated(recipe, source_of(recipe.change, None, [DATA]), None)
        assert again.midi() == made.midi() and same_piece(file, again)
    assert b"/" not in json.dumps(asdict(recipe.change)).encode(), "no path of a person's"
    more = adjust(read_events(path), Adjustment(semitones=2))
    assert more.midi().count(b"textmusic recipe") == 1, "the one before makes another piece"
    with pytest.raises(TextMusicError, match="not beside it; name the file with --source"):
        source_of(recipe.change, None, [tmp_path])
    with pytest.raises(TextMusicError, match="SHA-256 differs"):
        source_of(recipe.change, DATA / "pedal.mid", [])
    assert adjust(piece(), SAME).midi().count(b"recipe") == 0, "of no file"


@pytest.mark.parametrize(
    "options", [{"semitones": "x"}, {"programs": [300]}, {"key": 5}, {"odd": 1}, {"parts": [1]}]
)
def test_forged_recipes_are_refused(options: dict[str, object]) -> None:
    made = adjust(read_events(DATA / "trio.mid"), SAME)
    assert made.report.change is not None
    recipe = Recipe.of(replace(made.report, change=replace(made.report.change, options=options)))
    assert recipe is not None
    with pytest.raises(TextMusicError, match=r"can't be followed|is not a key"):
        repeated(recipe, read_events(DATA / "trio.mid"), None)


def test_real_pieces_stay_whole(pieces: list[Path]) -> None:
    for path in pieces[:8]:
        before = read(path)
        made = adjust(before, Adjustment(semitones=-3, programs=(24,)))
        notes, old = notes_of(made.score), notes_of(to_score(before))
        assert set(notes.program.tolist()) <= {24, DRUMS}, path
        assert len(notes) == len(old)
        tonal = sorted(old.pitch[old.program != DRUMS] - 3)
        assert sorted(notes.pitch[notes.program != DRUMS]) == tonal
        assert made.report.measured_seconds == pytest.approx(
            adjust(before, Adjustment(semitones=1)).report.measured_seconds
        )
