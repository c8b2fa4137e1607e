"""docs/composing.md, "Harmonise": its commands and its example, on a public-domain tune."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from documented import DATA, ROOT, TINY, commands, run_python, walk

PAGE = (ROOT / "docs" / "composing.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("## Harmonise") :].partition("\n## ")[0]
PAGE_ROAD = {
    "textmusic harmonise tune.abc --propose": "",
    'textmusic harmonise tune.abc --pick 2 --instrument "acoustic guitar"': (
        f" --format mid --model {TINY}"
    ),
    'textmusic harmonise tune.abc --chords "| C | F C | G7 C | G7 C |" --variations 2 --seed 1': (
        f" --format mid --model {TINY}"
    ),
    "textmusic harmonise tune.abc --style chorale": " --format mid",
    'textmusic harmonise tune.abc --style chorale --instrument "string quartet"'
    " --format lead.musicxml": "",
    "textmusic harmonise out/tune-chorale.lead.musicxml --propose": "",
}


@pytest.mark.slow
def test_every_command_of_the_section_works_as_it_stands(tmp_path: Path) -> None:
    pytest.importorskip("music21", reason="needs the score extra (music21)")
    assert commands(SECTION) == list(PAGE_ROAD), "in this order"
    shutil.copy(DATA / "own" / "tune.abc", tmp_path / "tune.abc")
    said = walk(PAGE_ROAD, tmp_path)
    assert "12 bars of 4/4 in C major" in said[0] and "100 %  | C | F C | F C | G7 C |" in said[0]
    assert "voice leading: no faults" in said[3]
    own = next(line for line in said[0].splitlines() if line.startswith("own"))
    assert own in said[5], "the chords come out and go in again"
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {
        "tune-harmonised.mid", "tune-harmonised-2.mid", "tune-harmonised-3.mid",
        "tune-chorale.mid", "tune-chorale.lead.musicxml",
    }  # fmt: skip


@pytest.mark.bundled
@pytest.mark.slow
def test_the_example_of_the_section_runs(tmp_path: Path) -> None:
    shutil.copy(DATA / "own" / "tune.abc", tmp_path / "tune.abc")
    (said,) = run_python(SECTION, tmp_path)
    assert "| C | F C | F C | G7 C |" in said
