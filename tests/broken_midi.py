"""MIDI files that nobody should have to read, and what is said of each."""

from __future__ import annotations

import struct

from symusic import Note, Score, Tempo, TimeSignature, Track

from textmusic.music.sanity import MOST_NOTES


def header(kind: int, tracks: int, division: int = 480) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, kind, tracks, division)


def chunk(events: bytes) -> bytes:
    return b"MTrk" + struct.pack(">I", len(events)) + events


END = b"\0\xff\x2f\0"
NOTE = b"\0\x90\x3c\x50\x60\x80\x3c\0"


def crowd(notes: int) -> bytes:
    score = Score(480)
    track = Track()
    track.notes = [Note(n % 40_000, 1, 60, 60) for n in range(notes)]  # type: ignore[assignment]
    score.tracks.append(track)
    return bytes(score.dumps_midi())


def short_bars(quarters: int) -> bytes:
    """Two notes far apart, in 1/8: few bytes, many bars."""
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 1, 8))
    track = Track()
    track.notes = [Note(at, 480, 60, 60) for at in (0, quarters * 480)]  # type: ignore[assignment]
    score.tracks.append(track)
    return bytes(score.dumps_midi())


def tempo_of(qpm: float) -> bytes:
    score = Score(480)
    score.tempos.append(Tempo(0, qpm))
    track = Track()
    track.notes.append(Note(0, 10, 60, 60))
    score.tracks.append(track)
    return bytes(score.dumps_midi())


DATA = "invalid pitch or velocity|can't be parsed"
BROKEN = {
    "empty": (b"", "is not a MIDI file"),
    "a PNG renamed": (b"\x89PNG\r\n\x1a\n" + bytes(200), "is not a MIDI file"),
    "truncated": ((header(0, 1) + chunk(NOTE * 9 + END))[:-30], "is truncated"),
    "wrong header": (b"MThd" + bytes(40), "is not a MIDI file"),
    "no notes": (header(0, 1) + chunk(END), "has no notes"),
    "type 2": (header(2, 1) + chunk(NOTE + END), "type 2"),
    "frames": (header(0, 1, 0xE728) + chunk(NOTE + END), "can't be parsed|measures time"),
    "10,000 empty tracks": (header(1, 10_000) + chunk(END) * 10_000, "has no notes"),
    "a million notes": (header(0, 1) + chunk(NOTE * 1_000_000 + END), "is 8.0 MB"),
    "too many notes": (crowd(MOST_NOTES + 1), f"has {MOST_NOTES + 1:,} notes"),
    "endless": (header(0, 1) + chunk(b"\xff\xff\xff\x7f" + NOTE[1:] + END), "is longer than"),
    "too many bars": (short_bars(30_000), r"has 60,002 bars, more than 10,000"),
    "tempo 0": (header(0, 1) + chunk(b"\0\xff\x51\3\0\0\0" + NOTE + END), "tempo|parsed"),
    "running status garbage": (header(0, 1) + chunk(b"\0\x3c\x50" * 50 + END), "parsed|no notes"),
}
CLIPPED = "data bytes over 127 set to 127"
# What players play all the same: the file, and what is said of it.
MENDED = {
    "a velocity over 127": (chunk(NOTE + b"\0\x90\x3c\xff\x60\x80\x3c\0" + END), CLIPPED),
    "a pitch over 127": (chunk(NOTE + b"\0\x90\xbc\x50\x60\x80\xbc\0" + END), CLIPPED),
    "a program over 127": (chunk(b"\0\xc0\x83" + NOTE + END), CLIPPED),
    "a controller over 127": (chunk(b"\0\xb0\x07\xff" + NOTE + END), CLIPPED),
    "a time signature of 128/0": (
        chunk(b"\0\xff\x58\4\x80\xff\x18\x08" + NOTE + END),
        "events that are not MIDI left out",
    ),
}
