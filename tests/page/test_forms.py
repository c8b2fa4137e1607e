"""What stands in the page's boxes, and what the page puts there."""

from __future__ import annotations

import random
import re
from types import SimpleNamespace
from typing import Any

import pytest

from textmusic.language.prompt import read_prompt
from textmusic.language.reading.text import CJK
from textmusic.page.forms import surprise
from textmusic.page.layout import CHINESE_EXAMPLES, EXAMPLES


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_surprise_is_read_as_what_it_says(language: str) -> None:
    random.seed(5)
    request: Any = SimpleNamespace(headers={"accept-language": language})
    for _ in range(40):
        said = surprise(request)
        asked = read_prompt(said).asked
        assert None not in (asked.key, asked.tempo, asked.programs, asked.genre), said
        assert bool(re.search(f"[{CJK}]", said)) == (language == "zh")


@pytest.mark.parametrize("text", [*EXAMPLES, *CHINESE_EXAMPLES])
def test_examples_are_understood(text: str) -> None:
    assert not read_prompt(text).unused
