"""examples/: short scripts that run, and that differ from the simplest one where they say so."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from documented import DATA, ROOT, TINY, run
from symusic import Score

import textmusic
from textmusic.music.midi_files import read_score

EXAMPLES = {file.stem: file.read_text("utf-8") for file in (ROOT / "examples").glob("*.py")}
NEW = "  # new"
TEXT = "calm flute, 2 bars"


def code(script: str) -> list[str]:
    """The lines of a script behind its docstring."""
    docstring = ast.parse(script).body[0]
    assert docstring.end_lineno is not None
    return script.splitlines()[docstring.end_lineno :]


def programs(file: Path) -> set[int]:
    """General MIDI programs in a MIDI file; -1 is the drums."""
    return {-1 if track.is_drum else track.program for track in Score(file).tracks if track.notes}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_is_the_simplest_one_and_marked_lines(name: str) -> None:
    plain = [line for line in code(EXAMPLES["piece"]) if line]
    own = [line for line in code(EXAMPLES[name]) if line]
    assert [line for line in own if NEW not in line] == plain
    assert (own == plain) == (name == "piece")


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_uses_the_public_names_alone(name: str) -> None:
    for node in ast.walk(ast.parse(EXAMPLES[name])):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textmusic"):
            assert node.module == "textmusic"
            assert {alias.name for alias in node.names} <= set(textmusic.__all__)


def test_a_piece(tmp_path: Path) -> None:
    said = run(f"python examples/piece.py '{TEXT}' --model {TINY} -o out", tmp_path)
    assert "instruments: flute (asked: flute, planned: flute)" in said
    assert {file.suffix for file in (tmp_path / "out").iterdir()} == {
        ".mid", ".wav", ".json", ".svg",
    }  # fmt: skip


def test_a_band_is_added_and_the_melody_stays(tmp_path: Path) -> None:
    run(f"python examples/band.py '{TEXT}' --model {TINY} -o out", tmp_path)
    assert programs(tmp_path / "out" / "melody.mid") == {73}
    assert programs(tmp_path / "out" / "band-1.mid") == {73, 33, -1}
    melody, band = (
        next(t for t in read_score(tmp_path / "out" / name).tracks if t.program == 73)
        for name in ("melody.mid", "band-1.mid")
    )
    assert sorted((n.start, n.pitch) for n in melody.notes) == sorted(
        (n.start, n.pitch) for n in band.notes
    )


def test_a_model_beside_its_base(tmp_path: Path) -> None:
    models = f"--model {TINY} --base {DATA / 'tiny_model'}"
    said = run(f"python examples/compare.py '{TEXT}' {models} -o out", tmp_path)
    assert "instruments: flute before, flute now" in said
    names = {file.name for file in (tmp_path / "out").glob("*.mid")}
    assert names == {"before.mid", "calm-flute-2-bars-1.mid"}
