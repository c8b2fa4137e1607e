"""`textmusic practise`: files, a worksheet, and what can't be had."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documented import TINY

from textmusic.cli.main import main


def test_pieces_and_a_worksheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for library in ("music21", "verovio", "typst"):
        pytest.importorskip(library)
    code = main([
        "practise", "--grade", "1", "--key", "G", "--bars", "4", "--pieces", "2", "--worksheet",
        "--seed", "1", "--format", "mid,musicxml", "-o", str(tmp_path), "--model", str(TINY),
    ])  # fmt: skip
    assert code == 0
    said = capsys.readouterr().out
    assert said.count("grade 1 piano: kept") == 2
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "01-piano-grade-1-g-major-1.mid", "01-piano-grade-1-g-major-1.musicxml",
        "02-piano-grade-1-g-major-2.mid", "02-piano-grade-1-g-major-2.musicxml",
        "worksheet-piano-1.pdf",
    ]  # fmt: skip
    assert (tmp_path / "worksheet-piano-1.pdf").read_bytes().startswith(b"%PDF")
    xml = (tmp_path / "01-piano-grade-1-g-major-1.musicxml").read_text(encoding="utf-8")
    assert re.search("<fingering[^>]*>[1-5]<", xml) and "Piano, grade 1: G major" in xml


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--instrument", "tuba"], "no practice pieces for 'tuba'; choose piano, violin"),
        (["--grade", "7"], "grade 7 is out of range; choose 1 to 5."),
        (["--key", "E"], "grade 1 piano has no E major; choose C major, G major"),
        (["--time-signature", "6/8"], "grade 1 piano has no 6/8; choose 4/4, 2/4, 3/4."),
        (["--bars", "3"], "3 bars is out of range; choose 4 to 32."),
        (["--pieces", "30"], "number of pieces 30 is out of range; choose 1 to 24."),
    ],
)
def test_what_can_not_be_had_is_said_before_a_model_is_loaded(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["practise", *arguments, "--model", "no/model", "-o", str(tmp_path)])
    problem = capsys.readouterr().err
    assert code == 2 and said in problem and len(problem.splitlines()) == 1
    assert not list(tmp_path.iterdir())
