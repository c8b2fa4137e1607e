"""docs/library.md: its commands, on a small folder."""

from __future__ import annotations

from pathlib import Path

from documented import ROOT, commands, walk
from library_pieces import chords, melody, together, written

PAGE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
ROAD = {
    "textmusic similar song.mid --library music": "",
    'textmusic similar "slow waltz in D minor" --library music --top 3': "",
    "textmusic originality song.mid --against music": "",
    "textmusic originality song.mid --against music --top 1": "",
}


def test_every_command_of_the_page_works_as_it_stands(tmp_path: Path) -> None:
    assert commands(PAGE) == list(ROAD), "in this order"
    for n in range(4):
        written(together(melody(n, program=73), chords(16)), tmp_path / "music" / f"{n}.mid")
    waltz = together(melody(9, program=0), chords(16, (50, 57)))
    written(waltz, tmp_path / "music" / "a slow waltz.mid", tempo=60, metre="3/4")
    written(melody(2, program=40, low=62), tmp_path / "song.mid")
    said = walk(ROAD, tmp_path, {"HF_HOME": str(tmp_path / "cache")})
    assert said[0].startswith(" 1. 2.mid") and "a slow waltz.mid" in said[1]
    assert "1. 2.mid" in said[2] and "2 semitones higher, in the same rhythm" in said[3]
    assert len(list((tmp_path / "cache" / "textmusic-libraries").iterdir())) == 1
