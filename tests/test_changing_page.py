"""docs/changing.md: its commands, on a file of three parts."""

from __future__ import annotations

import shutil
from pathlib import Path

from documented import DATA, ROOT, TINY, commands, walk

PAGE = (ROOT / "docs" / "changing.md").read_text(encoding="utf-8")
ROAD = {
    "textmusic adjust song.mid --transpose -2 --tempo 90": " --format mid",
    'textmusic adjust song.mid --transpose-to "A minor"': " --format mid",
    'textmusic adjust song.mid --snap "A minor"': " --format mid",
    "textmusic adjust song.mid --instrument 2=flute --instrument viola=cello": " --format mid",
    "textmusic adjust song.mid": "",
    'textmusic continue song.mid "now in A minor" --bars 4 --tempo 100 --mood sad': (
        f" --format mid --model {TINY}"
    ),
    "textmusic replay out/song-adjusted.mid": " --format mid -o again",
}


def test_every_command_of_the_page_works_as_it_stands(tmp_path: Path) -> None:
    assert commands(PAGE) == list(ROAD), "in this order"
    shutil.copy(DATA / "midi" / "trio.mid", tmp_path / "song.mid")
    said = walk(ROAD, tmp_path)
    assert "transposing makes A major of it, not A minor" in said[1]
    assert "transposed by -3 first" in said[2]
    assert "1  Violin I" in said[4]
    assert "identical to out/song-adjusted.mid" in said[-1]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {f"song-adjusted{n}.mid" for n in ("", "-2", "-3", "-4")} < written
    assert "song-continued.mid" in written
