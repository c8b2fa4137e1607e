"""Values from outside: the right type and in range, or a sentence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from textmusic.errors import TextMusicError
from textmusic.system import values


@pytest.mark.parametrize("value", [1, 256, np.int64(8)])
def test_whole_numbers_in_range_are_kept(value: Any) -> None:
    found = values.whole("bars", value, 1, 256)
    assert type(found) is int and found == value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "bars true has the wrong type; give a whole number."),
        (1.0, "bars 1.0 has the wrong type; give a whole number."),
        ("8", 'bars "8" has the wrong type; give a whole number.'),
        (None, "bars null has the wrong type; give a whole number."),
        ([8], "bars [8] has the wrong type; give a whole number."),
        (0, "bars 0 is out of range; choose 1 to 256."),
        (10**310, "bars with too many digits is out of range; choose 1 to 256."),
        (10**5000, "bars with too many digits is out of range; choose 1 to 256."),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "value",
)
def test_other_values_are_refused_in_a_sentence(value: Any, said: str) -> None:
    with pytest.raises(TextMusicError) as problem:
        values.whole("bars", value, 1, 256)
    assert str(problem.value) == said


@pytest.mark.parametrize("value", [math.nan, math.inf, -1, 2.5, True, "1", 1j, [1]])
def test_numbers(value: Any) -> None:
    assert values.real("top-p", 0.5, 0, 1) == 0.5 and values.real("top-p", 1, 0, 1) == 1.0
    with pytest.raises(TextMusicError, match=r"top-p .*(out of range|wrong type)"):
        values.real("top-p", value, 0, 1)


def test_texts_are_bounded() -> None:
    assert values.text("key", "D minor", 10) == "D minor"
    with pytest.raises(TextMusicError, match=r"the key has 3,000 characters; use at most 10\."):
        values.text("key", "a" * 3_000, 10)
    with pytest.raises(TextMusicError, match=r"key \{.a.: 1\} has the wrong type"):
        values.text("key", {"a": 1}, 10)


def test_a_wrong_value_is_quoted_shortly() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert len(values.quoted(["a" * 1_000])) == values.LONGEST_SHOWN
    assert values.quoted(deep) == "of type list" and values.quoted({1, 2}) == "of type set"
