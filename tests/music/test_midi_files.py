"""Broken and hostile MIDI files: a sentence for each, and this process lives on."""

from __future__ import annotations

import os
import random
from pathlib import Path
from shutil import copy

import pytest
from broken_midi import BROKEN, END, MENDED, NOTE, chunk, header
from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.music import midi_files
from textmusic.music.measure import measure
from textmusic.music.midi_files import read_events, read_score, read_scores


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_said_in_a_sentence(name: str, tmp_path: Path) -> None:
    data, sentence = BROKEN[name]
    path = tmp_path / "upload.mid"
    path.write_bytes(data)
    with pytest.raises(TextMusicError, match=sentence) as problem:
        read_score(path)
    assert str(problem.value).startswith("'upload.mid' ")
    assert str(problem.value).endswith("; choose another MIDI file.")


@pytest.mark.parametrize("name", MENDED)
def test_what_players_play_all_the_same_is_mended_and_said(name: str, tmp_path: Path) -> None:
    body, said = MENDED[name]
    path = tmp_path / "upload.mid"
    path.write_bytes(header(0, 1) + body)
    midi = read_events(path)
    assert set(midi.mended) == {said}
    assert all(byte < 128 for event in midi.tracks[0].events if event.message[0] < 0xF0
               for byte in event.message[1:])  # fmt: skip
    assert 1 <= len(read_score(path).tracks[0].notes) <= 2


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
    monkeypatch.setattr(midi_files, "PARSING_SECONDS", 0.5)
    hang, die = tmp_path / "hang.mid", tmp_path / "die.mid"
    for path, text in ((hang, b"hang"), (die, b"die")):
        event = b"\0\xff\1" + bytes([len(text)]) + text
        path.write_bytes(header(0, 1) + chunk(event + NOTE + END))
    none = tmp_path / "none.mid"
    none.write_bytes(b"")
    found = dict(read_scores([hang, none, die, none]))
    assert found[hang] == found[die] == "can't be parsed"
    assert found[none] == "is not a MIDI file"


def test_what_the_other_process_sends_is_not_believed() -> None:
    for state in ("", "AAAA", "/" * 400):
        assert midi_files._unpacked(state) == midi_files.BROKEN


def test_python_files_of_the_current_folder_are_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("symusic", "json", "numpy"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')")
    monkeypatch.chdir(tmp_path)
    trio = Path(__file__).parents[1] / "data" / "midi" / "trio.mid"
    assert len(read_score(trio).tracks) == 3
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.name != "posix", reason="names of any bytes")
def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    trio = Path(__file__).parents[1] / "data" / "midi" / "trio.mid"
    try:
        copy(trio, path := tmp_path / "caf\udce9.mid")
    except OSError:
        pytest.skip("this disk takes Unicode alone")
    assert read_events(path).name == "caf?.mid"
