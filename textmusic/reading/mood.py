"""The mood: "sad", "full of dread" -> about how sad or happy, and how calm or excited.

A mood word is no exact number, so it is not forced as one: the plan's levels stay within one of the
word's, and the model chooses. Words that it was not tuned on (held_out) are left to it altogether.
"""

from __future__ import annotations

import re
from functools import cache

from textmusic.caption import load_data
from textmusic.reading.text import Reading, Span, negated, overlaps

Levels = tuple[int | None, int | None]


@cache
def _moods() -> tuple[re.Pattern[str], dict[str, tuple[int, int]]]:
    """A pattern over the mood words, longest first, and their levels."""
    levels = {
        entry["text"].lower(): (int(entry["valence"]), int(entry["arousal"]))
        for entry in load_data("words.jsonl")
        if entry["kind"] == "mood" and not entry["held_out"]
    }
    words = "|".join(re.escape(word) for word in sorted(levels, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE), levels


def read_mood(text: str, taken: tuple[Span, ...] = ()) -> Reading[Levels]:
    """(valence, arousal), 1 to 5, that the mood words agree on; None where they do not.

    taken: places that were read as something else ("heavy" in "heavy metal").
    """
    pattern, known = _moods()
    matches = [
        match
        for match in pattern.finditer(text)
        if not overlaps(match.span(), taken) and not negated(text, match.start())
    ]
    if not matches:
        return Reading()
    said = [known[match[0].lower()] for match in matches]
    value = (_agreed([v for v, _ in said]), _agreed([a for _, a in said]))
    return Reading(value, (), tuple(match.span() for match in matches))


def _agreed(levels: list[int]) -> int | None:
    """The middle of levels that are at most one apart."""
    return None if max(levels) - min(levels) > 1 else sorted(levels)[len(levels) // 2]
