"""docs/composing.md, up to "Harmonise": its commands, on a file of three parts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from documented import DATA, ROOT, TINY, commands, run_python, walk

PAGE = (ROOT / "docs" / "composing.md").read_text(encoding="utf-8").partition("\n## Harmonise")[0]
TO_TINY = f" --format mid --model {TINY}"
ROAD = {
    "textmusic rewrite song.mid --bars 3-4 --seed 1": TO_TINY,
    'textmusic rewrite song.mid --bars 3-4 --instrument viola "calm" --seed 1 --variations 2': (
        TO_TINY
    ),
    'textmusic rewrite song.mid --bars 5-8 --chords "Am F C G" --seed 1': TO_TINY,
    "textmusic replay out/song-rewritten.mid": f" --format mid -o again --model {TINY}",
    "textmusic add song.mid --instrument bass --instrument drums --seed 1": TO_TINY,
    'textmusic add song.mid "a soft flute" --bars 5-8 --seed 1': TO_TINY,
    'textmusic vary song.mid "waltz, minor, for strings" --seed 1': TO_TINY,
    "textmusic vary song.mid --variations 3 --seed 1": TO_TINY,
    "textmusic vary song.mid --variations 3 --with-theme --seed 1": TO_TINY,
}


def test_every_command_of_the_page_works_as_it_stands(tmp_path: Path) -> None:
    assert commands(PAGE) == list(ROAD), "in this order"
    shutil.copy(DATA / "midi" / "trio.mid", tmp_path / "song.mid")
    said = walk(ROAD, tmp_path)
    assert "version 2 of 2, seed 2" in said[1]
    assert "identical to out/song-rewritten.mid" in said[3]
    assert "the other mode: C minor" in said[-2]
    assert "bars 9 to 16: variation 1, another texture" in said[-1]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"song-rewritten-4.mid", "song-with-more-2.mid", "song-variation-4.mid"} <= written
    assert "song-variations.mid" in written


@pytest.mark.slow
@pytest.mark.bundled
def test_the_python_of_the_page_works(tmp_path: Path) -> None:
    run_python(PAGE, tmp_path)
    assert list((tmp_path / "out").iterdir())
