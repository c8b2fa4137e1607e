"""Reading takes time in proportion to the length of a text, whatever is repeated in it."""

from __future__ import annotations

import time

import pytest

from textmusic.language.prompt import read_prompt
from textmusic.music.plan import MAX_BARS

REPEATED = (
    "without drums ", "钢琴", "piano and ", "soprano, alto, ", "3/4 ", "8 bars ", "not a waltz ",
    "like a flute ", "没有鼓", "no ", "seven ",
)  # fmt: skip


def seconds(text: str) -> float:
    """Of the processor."""
    began = time.process_time()
    read_prompt(text)
    return time.process_time() - began


def longer(short: str, long: str) -> float:
    """How many times as long one text takes, the least of five times each, by turns."""
    took = [(seconds(short), seconds(long)) for _ in range(5)]
    few, many = map(min, zip(*took, strict=True))
    return many / few


@pytest.mark.parametrize("words", REPEATED)
def test_four_times_the_text_takes_four_times_as_long(words: str) -> None:
    read_prompt(words * 3)  # what is loaded once
    short, long = ((words * 1_000)[:length] for length in (500, 2_000))
    assert longer(short, long) < 10, "16 times would be quadratic"


@pytest.mark.parametrize("said", ["9" * 310 + " bars", "9" * 310 + " seconds", "9" * 310 + " bpm"])
def test_numbers_of_hundreds_of_digits_are_out_of_range(said: str) -> None:
    prompt = read_prompt(f"piano, {said}")
    assert (prompt.asked.bars, prompt.seconds, prompt.asked.tempo) == (None, None, None)
    assert any("999" in note for note in prompt.unused), MAX_BARS


def test_a_row_of_bar_lines_takes_no_longer_than_others() -> None:
    few, many = (f"key: Am {'|' * lines} => key=A minor" for lines in (12, 22))
    assert longer(few, many) < 10, "every way to part the lines would be tried: a thousand times"
