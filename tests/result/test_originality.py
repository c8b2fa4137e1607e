"""A report says what run of notes a training piece has, too."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from library_pieces import melody

from textmusic.engines.adapter_files import weights_hash
from textmusic.music.known_runs import FEWEST_NOTES, FILE, KnownRun, KnownRuns
from textmusic.music.plan import Plan
from textmusic.music.runs import moves
from textmusic.result.report import Report
from textmusic.writing.text_to_music import TextToMusic

PLAN = Plan("jazz", 3, 3, (0, 24), "C major", 120.0, "3/4", 8, 3, True, True)
NOTHING = "nothing unusual is shared with the training pieces: no run"
MADE = Report("", "", 1, "m", "0", Plan(), None, PLAN, PLAN, 16.0, 9, ())


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (None, ""),
        (
            KnownRun(0, 0, 0, "", 1.0),
            f"{NOTHING} of about {FEWEST_NOTES} notes",
        ),
        (
            KnownRun(FEWEST_NOTES - 1, 3.0, 11.5, "Sally, nottingham", 0.11),
            f"{NOTHING} of about {FEWEST_NOTES} notes",
        ),
        (
            KnownRun(FEWEST_NOTES, 3.0, 11.5, "Sally, nottingham", 0.09),
            f"{FEWEST_NOTES} notes in a row are also in a training piece (Sally, nottingham), bars"
            " 2-4; 9% of real pieces share as many",
        ),
        (
            KnownRun(40, 0.0, 1.0, "x", 0.001),
            "40 notes in a row are also in a training piece (x), bar 1; < 1% of real pieces share"
            " as many",
        ),
    ],
)
def test_a_run_in_words(known: KnownRun | None, said: str) -> None:
    made = replace(MADE, known=known)
    assert made.originality() == said
    assert bool(made.originality("zh")) == bool(said)
    assert Report.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_bars_are_not_named_of_a_piece_that_stood() -> None:
    run = KnownRun(20, 3.0, 11.5, "Sally", 0.06)
    said = replace(MADE, known=run, new_bars=(4, 8)).originality()
    assert "Sally" in said and "bar" not in said


def test_a_model_with_fingerprints_says_what_it_knows(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    before = weights_hash(folder)
    plain = TextToMusic.from_pretrained(folder, threads=1).generate("piano", seed=1)
    assert plain.report.known is None
    first = moves(plain.columns)
    KnownRuns.of([(0, first), (1, moves(melody(1)))], ["its own", "another"], [1.0, 0.5]).save(
        tmp_path / FILE
    )
    again = TextToMusic.from_pretrained(folder, threads=1)
    assert again.known is None, "the folder was looked at once"
    other = tmp_path / "other"
    shutil.copytree(tiny_model, other)
    shutil.copy(tmp_path / FILE, other / FILE)
    piece = TextToMusic.from_pretrained(other, threads=1).generate("piano", seed=1)
    assert piece.columns.pitch.tolist() == plain.columns.pitch.tolist(), "the music is the same"
    assert piece.report.known is not None and piece.report.known.tune in ("its own", "")
    assert weights_hash(other) == before, "adapters still belong to it"
