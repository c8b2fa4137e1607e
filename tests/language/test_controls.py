"""Controls of every way in: a wrong type is told in a sentence, before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from textmusic.errors import TextMusicError
from textmusic.language.controls import Controls, check_plan
from textmusic.music.plan import Plan

WRONG: list[dict[str, Any]] = [
    {"bars": 1.5}, {"bars": True}, {"bars": "x"}, {"bars": ["a"]}, {"bars": {}},
    {"seconds": "x"}, {"seconds": True}, {"seconds": [5]}, {"seconds": 1j},
    {"key": ["a"]}, {"key": 5}, {"key": True}, {"tempo": {"a": 1}}, {"tempo": True},
    {"tempo": [90]}, {"time_signature": 4}, {"mood": 3}, {"genre": {}}, {"density": 1.5},
    {"density": True}, {"chords": ["Am"]}, {"form": 1}, {"instruments": "piano"},
    {"instruments": 5}, {"instruments": [["piano"]]}, {"instruments": [1.5]},
    {"instruments": [True]}, {"instruments": {"piano": 1}},
]  # fmt: skip


@pytest.mark.parametrize("fields", WRONG, ids=str)
def test_a_wrong_type_is_said(fields: dict[str, Any]) -> None:
    with pytest.raises(TextMusicError, match=r"has the wrong type; give .*\.$"):
        Controls(**fields)


@pytest.mark.parametrize(
    "fields",
    [{"key": "a" * 3_000}, {"chords": "Am " * 3_000}, {"tempo": "9" * 3_000},
     {"instruments": ["piano"] * 100}, {"instruments": ["x" * 3_000]}],
)  # fmt: skip
def test_what_is_too_long_is_said(fields: dict[str, Any]) -> None:
    with pytest.raises(TextMusicError, match="use at most"):
        Controls(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"bars": 10**310}, {"bars": 0}, {"bars": -1},
        {"seconds": float("nan")}, {"seconds": 1e400}, {"seconds": 10**310},
        {"tempo": 10**310}, {"tempo": float("nan")}, {"tempo": "9" * 310},
        {"density": 10**310}, {"density": 10**5000}, {"mood": "9" * 400 + ",1"},
        {"instruments": ["9" * 400]}, {"instruments": [10**310]}, {"instruments": [10**5000]},
        {"time_signature": "9" * 300 + "/4"}, {"key": "\0"}, {"genre": "\ud800"},
    ],
    ids=lambda fields: next(iter(fields)),
)  # fmt: skip
def test_numbers_of_any_length_are_refused_in_a_sentence(fields: dict[str, Any]) -> None:
    with pytest.raises(TextMusicError, match=r"\.$|\?$"):
        Controls(**fields).plan()


@pytest.mark.parametrize(
    "fields",
    [{"bars": 1.5}, {"bars": True}, {"bars": "8"}, {"tempo": "fast"}, {"tempo": True},
     {"programs": [0]}, {"programs": (1.5,)}, {"programs": 0}, {"key": ["C major"]}, {"begin": 1},
     {"valence": 2.5}, {"density": True}, {"genre": 5}],
    ids=str,
)  # fmt: skip
def test_a_plan_of_python_is_checked_too(fields: dict[str, Any]) -> None:
    with pytest.raises(TextMusicError):
        check_plan(Plan(**fields))
    with pytest.raises(TextMusicError, match=r"controls .* has the wrong type"):
        check_plan("D minor")  # type: ignore[arg-type]
