"""Broken and hostile MIDI files: a sentence for each, and this process lives on."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from symusic import Note, Score, Tempo, Track

from textmusic.errors import TextMusicError
from textmusic.music import midi_files
from textmusic.music.measure import measure
from textmusic.music.midi_files import MOST_NOTES, read_score, read_scores


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


def tempo_of(qpm: float) -> bytes:
    score = Score(480)
    score.tempos.append(Tempo(0, qpm))
    track = Track()
    track.notes.append(Note(0, 10, 60, 60))
    score.tracks.append(track)
    return bytes(score.dumps_midi())


BROKEN = {
    "empty": (b"", "is not a MIDI file"),
    "a PNG renamed": (b"\x89PNG\r\n\x1a\n" + bytes(200), "is not a MIDI file"),
    "truncated": ((header(0, 1) + chunk(NOTE * 9 + END))[:-30], "is cut short"),
    "wrong header": (b"MThd" + bytes(40), "is not a MIDI file"),
    "no notes": (header(0, 1) + chunk(END), "holds no notes"),
    "type 2": (header(2, 1) + chunk(NOTE + END), "type 2"),
    "frames": (header(0, 1, 0xE728) + chunk(NOTE + END), "can't be parsed|counts time"),
    "10,000 empty tracks": (header(1, 10_000) + chunk(END) * 10_000, "holds no notes"),
    "a million notes": (header(0, 1) + chunk(NOTE * 1_000_000 + END), "has 8.0 MB"),
    "too many notes": (crowd(MOST_NOTES + 1), f"holds {MOST_NOTES + 1:,} notes"),
    "endless": (header(0, 1) + chunk(b"\xff\xff\xff\x7f" + NOTE[1:] + END), "is longer than"),
    "tempo 0": (header(0, 1) + chunk(b"\0\xff\x51\3\0\0\0" + NOTE + END), "tempo|parsed"),
    "running status garbage": (header(0, 1) + chunk(b"\0\x3c\x50" * 50 + END), "parsed|no notes"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_said_in_a_sentence(name: str, tmp_path: Path) -> None:
    data, sentence = BROKEN[name]
    path = tmp_path / "upload.mid"
    path.write_bytes(data)
    with pytest.raises(TextMusicError, match=sentence) as problem:
        read_score(path)
    assert str(problem.value).startswith("'upload.mid' ")
    assert str(problem.value).endswith("; choose another MIDI file.")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(TextMusicError, match="can't be read"):
        read_score(tmp_path / "none.mid")


def test_sane_files_come_as_they_are(pieces: list[Path]) -> None:
    for path, score in read_scores(pieces):
        assert not isinstance(score, str), (path, score)
        assert measure(score) == measure(Score(path))
        assert score.note_num() == Score(path).note_num()


def test_garbled_files_harm_nobody(pieces: list[Path], tmp_path: Path) -> None:
    rng = random.Random(3)
    good = [path.read_bytes() for path in pieces]
    paths = []
    for number in range(300):
        data = bytearray(rng.choice(good))
        for _ in range(rng.choice((1, 10, 100))):
            place = rng.randrange(len(data) - 1)
            match rng.randrange(3):
                case 0:
                    data[place] = rng.randrange(256)
                case 1:
                    del data[place : place + rng.randrange(1, 50)]
                case _:
                    data[place:place] = rng.randbytes(9)
        paths.append(tmp_path / f"{number}.mid")
        paths[-1].write_bytes(data)
    found = dict(read_scores(paths))
    assert list(found) == paths, "each has its answer"
    assert {type(score) is str for score in found.values()} == {True, False}
    for score in found.values():
        if not isinstance(score, str):
            measure(score)


def test_a_file_that_hangs_or_kills_the_reader_is_passed_over(
    pieces: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "reader" / "symusic.py"  # a parser that hangs on one file, dies of another
    module.parent.mkdir()
    module.write_text(
        "import os, time\n"
        "class Score:\n"
        "    def from_midi(data):\n"
        "        if b'hang' in data: time.sleep(60)\n"
        "        os._exit(11)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(module.parent), prepend=":")
    monkeypatch.setattr(midi_files, "SECONDS", 0.5)
    hang, die = tmp_path / "hang.mid", tmp_path / "die.mid"
    hang.write_bytes(header(0, 1) + b"hang")
    die.write_bytes(header(0, 1) + b"die")
    none = tmp_path / "none.mid"
    none.write_bytes(b"")
    found = dict(read_scores([hang, none, die, none]))
    assert found[hang] == found[die] == "can't be parsed"
    assert found[none] == "is not a MIDI file"
