"""textmusic harmonise: what can't be done is one sentence, exit code 2, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from documented import DATA
from symusic import Note, Score, TimeSignature, Track

from textmusic.cli.main import main

TUNE = DATA / "own" / "tune.abc"


def written(path: Path, bars: int, *, drums: bool = False) -> Path:
    score = Score(96)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    track = Track(program=0, is_drum=drums)
    for n in range(bars):
        track.notes.append(Note(n * 384, 384, 60 if not drums else 36, 80))
    score.tracks.append(track)
    score.dump_midi(path)
    return path


@pytest.mark.parametrize(
    ("what", "more", "said"),
    [
        ("drums", [], "drums alone"),
        ("long", [], "at most 256 bars"),
        ("short", ["--chords", "C F G"], "the chords fill 3 bars and the melody 2"),
        ("short", ["--chords", "Am H7x C"], "is not a known chord"),
        ("short", ["--pick", "10"], "choose 1 to 9"),
        ("short", ["--pick", "1", "--chords", "C"], "nothing to pick"),
        ("short", ["--style", "fugue"], "is not a style"),
        ("short", ["--style", "chorale", "--instrument", "drums"], "four voices"),
        ("short", ["--style", "chorale", "--variations", "2"], "no variations"),
        ("short", ["slow", "--style", "chorale"], "leave out the description"),
        ("short", ["--style", "chorale", "--seed", "3"], "leave out"),
        ("short", ["--style", "chorale", "--temperature", "0.5"], "sampling options"),
        ("short", ["--variations", "17"], "variations"),
        ("missing", [], "missing.mid"),
        ("text", [], "not a music file"),
        ("broken", [], "is not MusicXML"),
    ],
)
def test_a_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, more: list[str], said: str
) -> None:
    file = tmp_path / f"{what}.mid"
    if what == "drums":
        written(file, 4, drums=True)
    elif what == "long":
        written(file, 300)
    elif what == "short":
        written(file, 2)
    elif what == "text":
        file = tmp_path / "tune.txt"
        file.write_text("C D E")
    elif what == "broken":
        file = tmp_path / "tune.musicxml"
        file.write_text("<html/>")
    out = tmp_path / "out"
    assert main(["harmonise", str(file), "-o", str(out), "--format", "mid", *more]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and told.startswith("textmusic: ")
    assert not out.exists()


def test_proposals_alone_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["harmonise", str(TUNE), "--propose"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "tune.abc: 12 bars of 4/4 in C major"
    assert [line.split()[0] for line in lines[1:5]] == ["own", "1", "2", "3"]
    assert not list(tmp_path.iterdir())
