"""similar and originality as a person types them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from library_pieces import chords, melody, together, written

from textmusic.cli.main import main
from textmusic.music.theory import DRUMS


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of four pieces and a broken file."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache" / "hub"))
    for n in range(4):
        notes = together(melody(n, program=73), chords(16))
        written(notes, tmp_path / "music" / f"tune-{n}.mid")
    (tmp_path / "music" / "broken.mid").write_bytes(b"nothing")
    return tmp_path / "music"


def copied(music: Path) -> Path:
    """Tune 2, higher and by others, between other notes."""
    tune = melody(2, program=40)
    tune = replace(tune, pitch=tune.pitch + 3, start=tune.start + 32)
    return written(together(melody(50, 12, program=40), tune), music.parent / "mine.mid")


def test_similar_lists_the_nearest_with_reasons(
    music: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["similar", str(copied(music)), "--library", str(music), "--top", "2"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "skipped 1 file: broken.mid is not a MIDI file"
    assert said[1].startswith(" 1. tune-2.mid") and said[3].startswith(" 2. tune-")
    assert "notes of the melody in a row (bars 1-" in said[2] and "3 semitones lower" in said[2]
    assert len(said) == 5


def test_a_piece_of_the_folder_is_not_its_own_neighbour(
    music: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["similar", str(music / "tune-1.mid"), "--library", str(music)]) == 0
    said = capsys.readouterr().out
    assert "tune-1.mid" not in said and said.count(". tune-") == 3


def test_similar_takes_words(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["similar", "tune with flute and piano", "--library", str(music)]) == 0
    said = capsys.readouterr().out
    assert said.count("piano, flute") == 4 or said.count("flute, piano") == 4


def test_originality_shows_the_bars_of_both(
    music: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["originality", str(copied(music)), "--against", str(music)]) == 0
    said = capsys.readouterr().out
    assert "mine.mid, compared with 4 pieces" in said
    first = said.partition("2. ")[0]
    assert "1. tune-2.mid" in first and "3 semitones higher, in the same rhythm" in first
    assert "unrelated pairs do" in first and "rhythm: " in first
    assert "bar" in first and "there" in first


@pytest.mark.parametrize("command", ["similar", "originality"])
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("folder", "is not a folder; give the one that your music is in."),
        ("empty", "has no music to compare with; give a folder with MIDI, MusicXML, ABC or kern"),
        ("gone", "can't be read (No such file or directory); give the path of a music file."),
        ("top", "top 0 is out of range; choose 1 to 100."),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    command: str, what: str, said: str, music: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (music.parent / "empty").mkdir()
    folder = {"folder": music.parent / "none", "empty": music.parent / "empty"}.get(what, music)
    piece = music.parent / "gone.mid" if what == "gone" else copied(music)
    option = {"similar": "--library", "originality": "--against"}[command]
    top = ["--top", "0"] if what == "top" else []
    assert main([command, str(piece), option, str(folder), *top]) == 2
    told = capsys.readouterr().err
    assert told.startswith("textmusic: ") and said in told and told.count("\n") == 1


def test_drums_alone_and_two_notes(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drums = written(replace(melody(1), program=np.full(48, DRUMS)), music.parent / "drums.mid")
    assert main(["originality", str(drums), "--against", str(music)]) == 2
    assert "'drums.mid' has drums alone and no melody to compare" in capsys.readouterr().err
    assert main(["similar", str(drums), "--library", str(music)]) == 0
    two = written(melody(1, 2), music.parent / "two.mid")
    capsys.readouterr()
    assert main(["originality", str(two), "--against", str(music)]) == 0
    assert "no run of notes is shared that says anything" in capsys.readouterr().out
    assert main(["similar", str(two), "--library", str(music)]) == 0
