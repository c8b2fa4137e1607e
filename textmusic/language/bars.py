"""Bars as people name them."""

from __future__ import annotations

import re

from textmusic.errors import TextMusicError
from textmusic.language.reading.text import quote
from textmusic.system import values

_LONGEST = 32  # characters


def parse_bars(said: str | None) -> tuple[int, int] | None:
    """Bars, counted from 1: "5-8" -> (5, 8), "5" -> (5, 5); None and "" are None.

    Raises TextMusicError for what names no bars.
    """
    if said is None or not values.text("bars", said, _LONGEST).strip():
        return None
    match = re.fullmatch(r"(\d{1,6})(?:\s*[-–]\s*(\d{1,6}))?", said.strip())
    if match is None:
        raise TextMusicError(
            f"'{quote(said)}' does not name bars; give the first and the last, such as 5-8, or one,"
            " such as 5."
        )
    first = int(match[1])
    last = first if match[2] is None else int(match[2])
    if not 1 <= first <= last:
        raise TextMusicError(
            f"bars {first} to {last} do not exist; give the first and the last, counted from 1."
        )
    return first, last
