"""docs/composing.md: the commands of its section on practice pieces."""

from __future__ import annotations

from pathlib import Path

import pytest
from documented import ROOT, TINY, commands, walk

PAGE = (ROOT / "docs" / "composing.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("## Practice pieces") :].split("\n## ")[0]
TO_TINY = f" --model {TINY}"
ROAD = {
    "textmusic practise --instrument piano --grade 1 --key G --bars 8 --seed 1 --format mid,pdf": (
        TO_TINY
    ),
    'textmusic practise "five-finger position, only C to G, left hand whole notes" --seed 2'
    " --format mid,musicxml": TO_TINY,
    "textmusic practise --pieces 5 --progression --worksheet --seed 3 --format mid": TO_TINY,
    "textmusic replay out/piano-grade-1-g-major-1.mid -o again": " --format mid" + TO_TINY,
}


@pytest.mark.slow
def test_every_command_of_the_section_works_as_it_stands(tmp_path: Path) -> None:
    for library in ("music21", "verovio", "typst"):
        pytest.importorskip(library)
    assert commands(SECTION) == list(ROAD), "in this order"
    said = walk(ROAD, tmp_path)
    assert "grade 1 piano: kept" in said[0] and "grade 1 piano: kept" in said[1]
    assert "grade 3 piano: kept" in said[2] and "identical to" in said[3]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"piano-grade-1-g-major-1.pdf", "worksheet-piano-3.pdf"} <= written
