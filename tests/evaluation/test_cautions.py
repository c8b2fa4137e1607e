"""A report that rests on too little says so."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from textmusic.evaluation.bootstrap import Mean, difference
from textmusic.evaluation.cautions import FEW, cautions
from textmusic.evaluation.comparison import Comparison
from textmusic.evaluation.entries import Entry, FigureDifference
from textmusic.evaluation.report_page import markdown
from textmusic.result.figures import SECTIONS, Figure


def entry(name: str, answered: int, n: int = FEW) -> Entry:
    answers: Any = tuple(SimpleNamespace(number=k, mended=()) for k in range(1, answered + 1))
    figures = {"asked": {"valid": Figure(1.0, 1.0, 1.0, n)}}
    return Entry(name, answers, (), (), {}, figures)


def compared(prompts: int, *entries: Entry, **more: Any) -> Comparison:
    about = {
        "date": "", "textmusic": "", "python": "", "packages": {}, "machine": "", "seeds": 1,
        "prompts": {"file": "", "sha256": ""}, "first seed": 1, "same plan": False,
    }  # fmt: skip
    return Comparison(("calm piano",) * prompts, entries, **{"real": None, "rows": ()} | more,
                      about=about)  # fmt: skip


def rows(prompts: int, figures: int) -> tuple[FigureDifference, ...]:
    """Differences of figures in which one model wins at each prompt."""
    apart = difference(Mean([1.0] * prompts), Mean([0.0] * prompts))
    assert apart is not None
    return (FigureDifference("asked", "CK", "one", "two", apart, apart.p),) * figures


def test_few_prompts_are_said() -> None:
    assert cautions(compared(FEW, entry("one", FEW))) == []
    (said,) = cautions(compared(4, entry("one", 4)))
    assert said.startswith("Only 4 prompts: ") and said.endswith(f"Use at least {FEW}.")
    assert "Only 1 prompt:" in cautions(compared(1, entry("one", 1)))[0]


def test_few_answers_and_few_real_pieces_are_said() -> None:
    few, many = entry("few", FEW - 1), entry("many", FEW)
    (said,) = cautions(compared(FEW, few, many))
    assert said.startswith(f"few has answers to only {FEW - 1} prompts: ")
    (said,) = cautions(compared(FEW, many, real=entry("real", 5)))
    assert said.startswith("Only 5 real pieces: ")


@pytest.mark.parametrize(
    ("prompts", "figures", "possible"),
    # a sign test's smallest p is 2 / 2^n; Holm multiplies it by the number of figures
    [(5, 1, False), (6, 1, True), (6, 2, False), (7, 2, True), (9, 20, False), (10, 20, True)],
)
def test_it_is_said_where_no_difference_can_be_significant(
    prompts: int, figures: int, possible: bool
) -> None:
    found = cautions(compared(prompts, entry("one", prompts), rows=rows(prompts, figures)))
    assert any("no difference can be significant" in said for said in found) == (not possible)


def test_the_reports_say_it_and_mark_figures_of_few_values() -> None:
    text = markdown(compared(4, entry("one", 4, n=4)))
    assert f"\n\n**{cautions(compared(4, entry('one', 4)))[0]}**\n\n" in text
    assert "| valid | 100.0 % (n = 4) |" in text
    assert "(n =" not in markdown(compared(FEW, entry("one", FEW)))


def test_the_judge_of_keys_is_named() -> None:
    asked = SECTIONS["asked"]
    assert "music21" in asked.about
    assert "music21" in (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
