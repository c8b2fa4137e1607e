"""What came of a run is said as it is: little learnt, a loss that rose, few pieces held out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from textmusic.learning.outcome import FEW_PIECES, Learnt

pytestmark = pytest.mark.train


def learnt(folder: Path, *losses: float) -> Learnt:
    """As a log has it: the held-out loss at steps 0, 2, 4, ..."""
    rows = [{"step": 2 * k, "held_out": v, "seconds": k} for k, v in enumerate(losses)]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Learnt.read(folder)


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ((4.0, 3.0, 3.5), []),
        ((4.0, 3.99, 3.995), ["fell by less than 0.5%"]),
        ((4.0, 3.0, 4.5), ["rose to 4.500 by the last step, above where it began"]),
        ((4.0, 3.999, 4.1), ["fell by less than 0.5%", "so the model of step 2 was kept"]),
    ],
)
def test_little_learnt_and_a_loss_that_rose_are_said(
    losses: tuple[float, ...], said: list[str], tmp_path: Path
) -> None:
    found = learnt(tmp_path, *losses).cautions(FEW_PIECES)
    assert len(found) == len(said) and all(s in f for s, f in zip(said, found, strict=True))


def test_a_run_that_lowered_nothing_says_so_once(tmp_path: Path) -> None:
    run = learnt(tmp_path, 4.0, 4.1)
    assert "did not lower the held-out loss" in str(run) and not run.cautions(FEW_PIECES)


def test_few_held_out_pieces_are_said(tmp_path: Path) -> None:
    (said,) = learnt(tmp_path, 4.0, 3.0).cautions(FEW_PIECES - 1)
    assert said.startswith(f"the held-out loss rests on only {FEW_PIECES - 1} piece")
