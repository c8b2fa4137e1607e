"""MIDI files as players read them: broken ones, too; and what is written is never invalid."""

from __future__ import annotations

import random
import struct
from io import BytesIO
from pathlib import Path

import mido
import pytest
from broken_midi import END, NOTE, chunk, header

from textmusic.music.midi_events import (
    CHUNKS,
    CLIPPED,
    SKIPPED,
    MidiError,
    MidiEvents,
    parse,
)
from textmusic.music.midi_files import read_events, read_score
from textmusic.music.midi_parts import parts_of
from textmusic.music.midi_sounding import drum_channels, to_score
from textmusic.music.notes import Notes, notes_of
from textmusic.music.theory import DRUMS

DATA = Path(__file__).parents[1] / "data" / "midi"
SCALE = [60, 62, 64, 65, 67, 69, 71, 72] * 4  # a quarter note each
WHOLE = [
    "plain", "clean", "marker-late", "meta-between", "sysex-between", "text-between",
    "alien-chunk", "count-too-high", "count-too-low", "empty-track", "length-too-long-by-4",
    "longer-header", "no-end-of-track", "trailing-1a", "trailing-crlf", "trailing-zeros",
    "all-160", "sysex-ff", "volume-255",
]  # fmt: skip
TEMPO = b"\0\xff\x51\3\x07\xa1\x20"


def heard(data: bytes | Path) -> Notes:
    return notes_of(to_score(parse(data if isinstance(data, bytes) else data.read_bytes())))


def programs(notes: Notes) -> set[int]:
    return set(notes.program.tolist())


@pytest.mark.parametrize("name", [*(f"{name}.mid" for name in WHOLE), "song.rmi"])
def test_every_note_is_read(name: str) -> None:
    notes = notes_of(read_score(DATA / name))
    assert notes.pitch.tolist() == SCALE
    assert notes.start.tolist() == list(range(32)) and set(notes.duration.tolist()) == {1}
    assert notes.velocity.max() <= 127


def test_data_bytes_over_127_are_clipped_and_counted() -> None:
    for name, count in (("all-160", 32), ("pitch-188", 2), ("velocity-200", 1), ("volume-255", 1)):
        midi = read_events(DATA / f"{name}.mid")
        assert midi.mended[CLIPPED] == count
        for track in mido.MidiFile(file=BytesIO(midi.dumps())).tracks:
            assert len(track) > 60
    assert heard(DATA / "all-160.mid").velocity.tolist() == [127] * 32
    program = header(0, 1) + chunk(b"\0\xc0\xc8" + NOTE + END)
    assert programs(heard(program)) == {127}
    sysex = header(0, 1) + chunk(b"\0\xf0\x03\x7e\xff\xf7" + NOTE + END)
    assert parse(sysex).tracks[0].events[0].message == b"\xf0\x7e\x7f\xf7"
    escape = header(0, 1) + chunk(b"\0\xf7\x02\xfa\xff" + NOTE + END)
    assert parse(escape).tracks[0].events[0].message == b"\xf7\xfa\xff", "any bytes are allowed"


def wrapped(midi: bytes, *, before: bytes = b"") -> bytes:
    data = before + b"data" + struct.pack("<I", len(midi)) + midi + b"\0" * (len(midi) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(data)) + b"RMID" + data


def test_wrappers_are_taken_off() -> None:
    midi = (DATA / "plain.mid").read_bytes()
    info = b"LIST" + struct.pack("<I", 13) + b"INFOINAM\1\0\0\0a\0"
    for data in (
        wrapped(midi),
        wrapped(midi, before=info),
        wrapped(midi) + info,  # a list behind the music
        wrapped(midi)[:4] + b"\0\0\0\0" + wrapped(midi)[8:],  # a RIFF length that is not set
        b"\0" * 128 + midi,  # MacBinary
    ):
        assert heard(data).pitch.tolist() == SCALE
    with pytest.raises(MidiError, match="is not a MIDI file"):
        parse(b"RIFF\0\0\0\0WAVEfmt ")
    with pytest.raises(MidiError, match="is not a MIDI file"):
        parse(b"<html>" * 200 + midi)


def test_lengths_and_counts_are_not_relied_upon() -> None:
    one, two = TEMPO + NOTE * 3 + END, NOTE * 2 + END

    def file(first: int, second: int, *, ends: bool = True) -> bytes:
        parts = [one, two] if ends else [one[:-4], two[:-4]]
        lengths = (len(parts[0]) + first, len(parts[1]) + second)
        chunks = [b"MTrk" + struct.pack(">I", n) + p for n, p in zip(lengths, parts, strict=True)]
        return header(1, 2) + b"".join(chunks)

    for first, second in ((0, 0), (4, 0), (-4, 0), (9, 1), (-9, -9), (0, 300), (400, 0)):
        assert len(heard(file(first, second))) == 5, (first, second)
        assert bool(parse(file(first, second)).mended[CHUNKS]) == ((first, second) != (0, 0))
    assert len(heard(file(0, 0, ends=False))) == 5
    assert len(heard(file(0, 4, ends=False))) == 5, "counts the end that it does not write"
    assert len(heard(file(0, 0) + b"\x1a" * 50)) == 5
    assert len(heard(header(0, 1) + chunk(two + NOTE))) == 2, "behind its end nothing is played"
    with pytest.raises(MidiError, match="truncated"):
        parse(file(0, 300, ends=False))


def test_running_status_lasts_through_what_is_not_of_a_channel() -> None:
    for between in (
        b"\0\xf0\5\x7e\x7f\x09\1\xf7", b"\0\xff\5\2la", b"\0\xf7\1\xf3", b"\0\xf8", b"\0\xf2\1\2"
    ):  # fmt: skip
        data = header(0, 1) + chunk(b"\0\x90\x3c\x50" + between + b"\x60\x3c\0" + END)
        notes = heard(data)
        assert notes.pitch.tolist() == [60] and notes.duration.tolist() == [0.2], between
    assert parse(data).mended[SKIPPED] == 1, "a song position is no event of a file"
    with pytest.raises(MidiError, match="can't be parsed"):
        parse(header(0, 1) + chunk(b"\0\x3c\x50" + END))


def test_events_that_can_t_be_are_left_out() -> None:
    for event in (
        b"\0\xff\x51\2\7\xa1", b"\0\xff\x58\1\4", b"\0\xff\x59\2\x09\0", b"\0\xff\x59\2\0\2",
        b"\0\xff\x58\4\4\x20\x18\x08",
    ):  # fmt: skip
        midi = parse(header(0, 1) + chunk(event + NOTE + END))
        assert midi.mended[SKIPPED] == 1 and len(midi.tracks[0].events) == 2, event
        assert len(heard(midi.dumps())) == 1
    short = parse(header(0, 1) + chunk(b"\0\xff\x58\2\6\3" + NOTE + END))
    assert short.tracks[0].events[0].message == b"\xff\x58\6\3\x18\x08"


def test_what_is_read_is_written_again(pieces: list[Path]) -> None:
    for path in (*pieces, *sorted(DATA.glob("*.mid"))):
        midi = parse(path.read_bytes())
        again = parse(midi.dumps())
        assert again.tracks == midi.tracks and again.division == midi.division
        assert not again.mended


def test_what_is_written_is_never_invalid(pieces: list[Path]) -> None:
    rng = random.Random(7)
    good = [path.read_bytes() for path in (*pieces[:6], *sorted(DATA.glob("*.mid")))]
    read = 0
    for _ in range(400):
        data = bytearray(rng.choice(good))
        for _ in range(rng.choice((1, 4, 40))):
            place = rng.randrange(len(data) - 1)
            match rng.randrange(3):
                case 0:
                    data[place] = rng.randrange(256)
                case 1:
                    del data[place : place + rng.randrange(1, 20)]
                case _:
                    data[place:place] = rng.randbytes(5)
        try:
            midi = parse(bytes(data))
        except MidiError:
            continue
        read += 1
        again = parse(midi.dumps())
        assert again.tracks == midi.tracks and not again.mended
        for track in mido.MidiFile(file=BytesIO(midi.dumps())).tracks:
            assert all(0 <= byte <= 127 for m in track if not m.is_meta for byte in m.bytes()[1:-1])
    assert read > 100


# What a player makes of the events --------------------------------------------------------------


def test_all_notes_off_ends_notes() -> None:
    notes = heard(DATA / "all-notes-off.mid")
    chord = notes.start == 0
    assert notes.pitch[chord].tolist() == [48, 52, 55]
    assert notes.duration[chord].tolist() == [4, 4, 4]
    assert len(notes) == 35
    for controller in (120, 123, 127):
        own = b"\0\x90\x3c\x50\x83\x60\xb0" + bytes([controller]) + b"\0"
        assert heard(header(0, 1) + chunk(own + END)).duration.tolist() == [1.0], controller
        other = b"\x83\x60\xb0" + bytes([controller]) + b"\0"
        both = header(1, 2) + chunk(b"\0\x90\x3c\x50\x87\x40\x80\x3c\0" + END) + chunk(other + END)
        assert heard(both).duration.tolist() == [1.0], "of the channel, whatever track it is in"
    another = b"\0\x90\x3c\x50\x83\x60\xb1\x7b\0\x83\x60\x80\x3c\0"
    assert heard(header(0, 1) + chunk(another + END)).duration.tolist() == [2.0]
    at_once = b"\0\xb0\x7b\0" + END  # a track that clears up before all begins
    both = header(1, 2) + chunk(b"\0\x90\x3c\x50\x83\x60\x80\x3c\0" + END) + chunk(at_once)
    assert heard(both).duration.tolist() == [1.0]
    again = b"\0\x90\x3c\x50\x83\x60\xb0\x7b\0\0\x90\x3c\x50\x83\x60\x80\x3c\0"
    assert heard(header(0, 1) + chunk(again + END)).duration.tolist() == [1.0, 1.0]


def test_what_is_never_ended_lasts_until_the_end() -> None:
    notes = heard(DATA / "never-off.mid")
    assert len(notes) == 33
    assert notes.duration[notes.pitch == 48].tolist() == [32.0]
    # of a note that is struck again while it sounds, and ended once
    twice = b"\0\x90\x3c\x50\x83\x60\x90\x3c\x50\x83\x60\x80\x3c\0"
    after = b"\x83\x60\x90\x40\x50\x83\x60\x80\x40\0"
    assert heard(header(0, 1) + chunk(twice + after + END)).duration.tolist() == [1.0, 1.0, 1.0]


def test_programs_of_a_setup_track_hold_for_their_channels() -> None:
    notes = heard(DATA / "setup-track.mid")
    assert programs(notes) == {48, 71} and len(notes) == 64
    setup, player = b"\0\xc0\x30", b"\0\x90\x3c\x50\x83\x60\x80\x3c\0" * 2

    def both(first: bytes, second: bytes) -> list[int]:
        return heard(header(1, 2) + chunk(first + END) + chunk(second + END)).program.tolist()

    assert both(setup, player) == [48, 48]
    assert both(player, setup) == [48, 48], "whichever comes first in the file"
    assert both(setup, b"\0\xc0\x28" + player) == [40, 40], "its own wins"
    assert both(b"\x83\x60\xc0\x30", player) == [0, 48], "from when on it is set"
    assert both(b"\0\xc1\x30", player) == [0, 0], "of another channel"
    assert both(b"\0\xff\x21\1\1" + setup, player) == [0, 0], "of another port"
    assert both(setup + player, b"\0\xc0\x28" + player) == [40, 48, 40, 48], "two that both say"
    assert both(setup + player, player) == [48] * 4, "one for both hands"


def test_drums_of_other_channels_are_drums() -> None:
    xg = b"\0\xf0\x08\x43\x10\x4c\0\0\x7e\0\xf7\0\xba\0\x7f\0\xca\0\0\x9a\x24\x50\x60\x8a\x24\0"
    gs = b"\0\xf0\x0a\x41\x10\x42\x12\x40\x1a\x15\1\x10\xf7\0\x9a\x24\x50\x60\x8a\x24\0"
    plain = b"\0\xba\0\x7f\0\xca\0\0\x9a\x24\x50\x60\x8a\x24\0"
    assert programs(heard(header(0, 1) + chunk(xg + END))) == {DRUMS}
    assert programs(heard(header(0, 1) + chunk(gs + END))) == {DRUMS}
    assert programs(heard(header(0, 1) + chunk(plain + END))) == {0}
    assert (0, 9) in drum_channels(
        parse(header(0, 1) + chunk(b"\0\x99\x24\x50\x60\x89\x24\0" + END))
    )


def test_parts_are_what_a_track_plays_on_a_channel() -> None:
    trio = parts_of(parse((DATA / "trio.mid").read_bytes()))
    assert [(p.name, p.program) for p in trio] == [
        ("Violin I", 40), ("Violin II", 40), ("Viola", 41),
    ]  # fmt: skip
    setup: MidiEvents = parse((DATA / "setup-track.mid").read_bytes())
    assert [(p.track, p.program) for p in parts_of(setup)] == [(1, 48), (2, 71)]
    one = header(0, 1) + chunk(b"\0\xc1\x28" + NOTE + NOTE.replace(b"\x90", b"\x91") + END)
    assert [(p.channel[1], p.program) for p in parts_of(parse(one))] == [(0, 0), (1, 40)]
