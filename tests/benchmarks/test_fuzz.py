"""Broken inputs are read or refused in a sentence; benchmarks/fuzz.py tries more of them."""

from __future__ import annotations

import random
from inspect import signature
from pathlib import Path

import fuzz
import pytest
from mutations import CALLS, mutated_bytes, mutated_text

from textmusic.errors import TextMusicError
from textmusic.page.endpoints import functions_of
from textmusic.page.service import Service


@pytest.mark.parametrize(
    ("section", "number"), [("midi", 120), ("zip", 12), ("prompts", 150), ("models", 24)]
)
def test_what_is_broken_is_read_or_refused(section: str, number: int, tmp_path: Path) -> None:
    counts = fuzz.tried(section, number, seed=1, keep=tmp_path)
    assert counts.others == []
    assert counts.read + counts.refused == number
    assert counts.read and counts.refused, "some of both, or the faults are too small or too large"


def test_the_same_seed_makes_the_same_inputs() -> None:
    data = bytes(range(256)) * 4
    made = [mutated_bytes(data, random.Random(5)) for _ in range(2)]
    assert made[0] == made[1] != data
    texts = [mutated_text("calm piano", "sad waltz", random.Random(5)) for _ in range(2)]
    assert texts[0] == texts[1] != "calm piano"


def raises(problem: Exception) -> None:
    raise problem


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (TextMusicError("bars 300 is out of range; choose 1 to 256."), fuzz.REFUSED),
        (TextMusicError("KeyError: 'Bars_1.5'"), fuzz.OTHER),
        (TextMusicError("'x' (AttributeError: no such thing); try again."), fuzz.OTHER),
        (KeyError("Bars_1.5"), fuzz.OTHER),
    ],
)
def test_what_counts_as_refused(problem: Exception, kind: str) -> None:
    assert fuzz.judged(lambda: raises(problem)).kind == kind


def test_calls_have_all_fields_of_all_endpoints() -> None:
    defined = {
        name: [
            field for field in signature(function).parameters if field not in ("self", "request")
        ]
        for name, function in functions_of(Service({}, Path())).items()
    }
    assert {name: list(fields) for name, fields in CALLS.items()} == defined
