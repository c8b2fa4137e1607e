"""docs/transcribing.md: its commands and its example, on a hum; and where else recordings go."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from documented import ROOT, commands, run_python, walk
from recordings import TUNE, hummed, plucked, saved

from textmusic.cli.main import main
from textmusic.corpus.files import find
from textmusic.corpus.readers import read
from textmusic.corpus.survey import survey
from textmusic.errors import TextMusicError
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import notes_of
from textmusic.notation.sheet import UnreadableError
from textmusic.writing.sources import as_score, read_piece
from textmusic.writing.tunes import read_tune

pytest.importorskip("swift_f0", reason="needs the audio-in extra (swift-f0)")
PAGE = (ROOT / "docs" / "transcribing.md").read_text(encoding="utf-8")
ROAD = {
    "textmusic transcribe hum.wav -o out/": "",
    "textmusic transcribe hum.wav --tempo 120 --time-signature 4/4 --format mid -o a/": "",
    "textmusic harmonise hum.wav --propose": "",
    'textmusic adjust hum.wav --transpose-to "D major" --format mid -o out/': "",
}


@pytest.mark.slow
def test_every_command_of_the_page_works_as_it_stands(tmp_path: Path) -> None:
    assert commands(PAGE) == list(ROAD), "in this order"
    saved(hummed(), tmp_path / "hum.wav")
    said = walk(ROAD, tmp_path)
    assert "C major" in said[0] and "heard as one voice: 16 notes" in said[0]
    assert "of 4/4 in C major" in said[2]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "hum-transcribed.mid", "hum-transcribed.wav", "hum-transcribed.svg",
        "hum-transcribed.json", "hum-adjusted.mid",
    }  # fmt: skip
    report = json.loads((tmp_path / "out" / "hum-transcribed.json").read_text("utf-8"))
    assert "certain" in json.dumps(report)
    (shown,) = run_python(PAGE, tmp_path)
    assert shown.startswith("C major")


def test_one_door_reads_recordings_for_all(tmp_path: Path) -> None:
    path = saved(plucked(), tmp_path / "tune.wav")
    events = read_piece(path)
    assert events.name == "tune.wav" and len(events.sha256) == 64
    for score in (to_score(events), as_score(path), read_tune(path).score):
        assert notes_of(score).pitch.tolist() == list(TUNE)


def test_prepare_keeps_recordings_apart(tmp_path: Path) -> None:
    saved(plucked(), tmp_path / "band" / "tune.wav")
    shutil.copy(ROOT / "tests" / "data" / "own" / "tune.abc", tmp_path / "band" / "tune2.abc")
    found = survey(tmp_path)
    assert {job.name: job.source for job in found.jobs}["band/tune.wav"] == "band-transcribed"
    assert all(job.source == "band" for job in found.jobs if "abc" in job.name)
    assert found.formats["recording"] == 1
    (file,) = [file for file in find(tmp_path).files if file.suffix == ".wav"]
    assert notes_of(read(file.read(), ".wav").score).pitch.tolist() == list(TUNE)


def test_prepare_drops_recordings_that_are_too_uncertain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(plucked(), tmp_path / "tune.wav")
    monkeypatch.setattr("textmusic.corpus.readers.SURE", 1.01)
    with pytest.raises(UnreadableError, match="is too uncertain to be transcribed"):
        read(path.read_bytes(), ".wav")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.wav", b"", "'a.wav' is empty; choose another recording."),
        ("a.mp4", b"\0\0\0 ftyp", "'a.mp4' is .mp4, which can't be read; save the sound as WAV"),
        ("a.mp3", b"no sound", "'a.mp3' is not a sound file, or is broken; choose another"),
    ],
)
def test_what_can_t_be_heard_is_said_in_a_sentence_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, data: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert main(["transcribe", str(path), "-o", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    with pytest.raises(TextMusicError, match=re.escape(said)):
        read_piece(path)
