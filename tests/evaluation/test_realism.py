"""training/judge_realism.py: what can be told from real music, and what cannot."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the audio extra")
SCRIPT = Path(__file__).parents[2] / "training" / "judge_realism.py"


@pytest.fixture(scope="module")
def judge() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def excerpts(judge: dict[str, Any], mean: float, seed: int) -> Any:
    """Two excerpts of each of 40 prompts, of three numbers and one that is never known."""
    numbers = np.random.default_rng(seed).normal(mean, 1, (80, 4))
    numbers[:, 3] = np.nan
    return judge["Excerpts"](("a", "b", "c", "d"), numbers, np.repeat(np.arange(40), 2))


def test_an_area_of_one_is_always_right(judge: dict[str, Any]) -> None:
    assert judge["area"]([0, 0, 1, 1], np.array([0.1, 0.2, 0.8, 0.9])) == 1
    assert judge["area"]([1, 1, 0, 0], np.array([0.1, 0.2, 0.8, 0.9])) == 0


@pytest.mark.parametrize(("mean", "low", "high"), [(0, 0.3, 0.65), (3, 0.95, 1)])
def test_what_differs_is_told(judge: dict[str, Any], mean: float, low: float, high: float) -> None:
    found, real, prompts = judge["told"](excerpts(judge, 0, 1), excerpts(judge, mean, 2))
    assert real.tolist() == [0] * 80 + [1] * 80 and len(prompts) == len(found) == 160
    assert low <= judge["area"](real, found) <= high
    ends = judge["interval"](found, real, prompts)
    assert ends[0] <= judge["area"](real, found) <= ends[1]


def test_the_most_telling_number_comes_first(judge: dict[str, Any]) -> None:
    ours, theirs = excerpts(judge, 0, 1), excerpts(judge, 0, 2)
    theirs.numbers[:, 1] += 3
    first, *others = judge["tells"](ours, theirs)
    assert first.startswith("| b | ") and len(others) == 2, "d is never known"
