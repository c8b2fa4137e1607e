"""The mood: "sad", "full of dread" -> about how sad or happy, and how calm or excited.

A mood word is no exact number, so it is not forced as one: the plan's levels stay within one of the
word's, and the model chooses. Words that it was not tuned on (held_out) are left to it altogether.
Words that are two levels apart are met by the level between them. Of those further apart the ones
that are about this half decide ("calm, sad" is sad: calm is about arousal); where these exclude
each other, that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from textmusic.caption import load_data
from textmusic.reading.text import Reading, Span, negated, overlaps

Levels = tuple[int | None, int | None]

# Colours, eras and textures as often as moods ("a bright blue sky", "godforsaken, light texture"):
# they count where no other mood is named.
_WEAK = frozenset(
    "blue down grave romantic busy spacious airy light heavy rich dense full minimal".split()
)


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


def read_mood(
    text: str,
    taken: tuple[Span, ...] = (),
    *,
    fixed: Levels = (None, None),
    typed: Mapping[str, str] | None = None,
) -> Reading[Levels]:
    """(valence, arousal), 1 to 5, that the mood words agree on; None where they do not.

    taken: places that were read as something else ("heavy" in "heavy metal"). fixed: levels that
    a control sets; words that are more than one off are reported. typed: what a person wrote for a
    word of the text, if that is a translation.
    """
    pattern, known = _moods()
    matches = [
        match
        for match in pattern.finditer(text)
        if not overlaps(match.span(), taken) and not negated(text, match.start())
    ]
    matches = [m for m in matches if m[0].lower() not in _WEAK] or matches
    if not matches:
        return Reading()
    words = [match[0].lower() for match in matches]
    levels = [known[word] for word in words]
    pairs = [_opposites(words, levels, half) if fixed[half] is None else () for half in (0, 1)]
    decide = _nearly_said if any(pairs) else _said
    value = (decide(levels, 0), decide(levels, 1))

    def quoted(some: Iterable[str]) -> str:
        return ", ".join(f"'{(typed or {}).get(word, word)}'" for word in some)

    notes = [
        f"{quoted(pair)}: these moods exclude each other; name one, or the model decides"
        for pair in pairs
        if pair
    ]
    notes += [
        f"{quoted((word,))}: the control for mood is used instead"
        for half, level in enumerate(fixed)
        for word, said in zip(words, levels, strict=True)
        if level is not None and abs(said[half] - level) > 1
    ]
    spans = tuple(match.span() for match in matches)
    return Reading(value, tuple(dict.fromkeys(notes)), spans)


def _is_about(said: tuple[int, int], half: int) -> bool:
    """Whether a word says as much about this half as about the other: "calm" is about arousal."""
    return abs(said[half] - 3) >= abs(said[1 - half] - 3)


def _opposites(words: list[str], levels: list[tuple[int, int]], half: int) -> tuple[str, ...]:
    """The two words about valence (0) or arousal (1) that are furthest apart, if they are far."""
    about = [
        (said[half], word)
        for word, said in zip(words, levels, strict=True)
        if _is_about(said, half)
    ]
    if not about or max(about)[0] - min(about)[0] <= 2:
        return ()
    return tuple(sorted((min(about)[1], max(about)[1]), key=words.index))


def _said(levels: list[tuple[int, int]], half: int) -> int | None:
    """The level of one half that suits all words, or at least those that are about it."""
    about = [said[half] for said in levels if _is_about(said, half)]
    return _middle([said[half] for said in levels], 2) or _middle(about, 2)


def _nearly_said(levels: list[tuple[int, int]], half: int) -> int | None:
    """The level of one half that words which exclude each other share all the same."""
    return _middle([said[half] for said in levels], 1)


def _middle(levels: list[int], apart: int) -> int | None:
    """The middle of levels that are no further apart than this; None of none."""
    if not levels or (spread := max(levels) - min(levels)) > apart:
        return None
    return min(levels) + 1 if spread == 2 else sorted(levels)[len(levels) // 2]
