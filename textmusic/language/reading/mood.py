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

from textmusic.language.reading.tempo import tempo_words
from textmusic.language.reading.text import Reading, Span, by_first_letter, negated, overlaps
from textmusic.music.data_files import load_data

Levels = tuple[int | None, int | None]

# Colours, eras, textures and praise as often as moods ("a bright blue sky", "godforsaken, light
# texture", "sad yet beautiful"): they count where no other mood is named.
_WEAK = frozenset(
    "blue down alive grave romantic busy spacious airy light heavy rich dense full minimal"
    " beautiful lovely pretty gorgeous nice sweet elegant graceful great good wonderful".split()
)


@cache
def _moods() -> tuple[re.Pattern[str], dict[str, tuple[int, int]]]:
    """A pattern over the mood words, longest first, and their levels."""
    levels = {
        entry["text"].lower(): (int(entry["valence"]), int(entry["arousal"]))
        for entry in load_data("words.jsonl")
        if entry["kind"] == "mood" and not entry["held_out"]
    }
    longest_first = sorted(levels, key=len, reverse=True)
    words = by_first_letter(re.escape(word) for word in longest_first)
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE), levels


def mood_levels() -> dict[str, tuple[int, int]]:
    """The mood words that are read, with their levels of valence and arousal."""
    return _moods()[1]


def read_mood(
    text: str,
    taken: tuple[Span, ...] = (),
    *,
    fixed: Levels = (None, None),
    typed: Mapping[str, str] | None = None,
    stated: bool = False,
) -> Reading[Levels]:
    """(valence, arousal), 1 to 5, that the mood words agree on; None where they do not.

    Two that "but" joins both hold, and are met between them, nearer the first: "happy but wistful".

    taken: places that were read as something else ("heavy" in "heavy metal"). fixed: levels that
    a control sets; words that are more than one off are reported. typed: what a person wrote for a
    word of the text, if that is a translation. stated: leave the valence open where no word is
    about it and none is sad: calm music is rated as rather pleasant, but "calm" says no "happy".
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
    pairs = [_opposites(words, half) if fixed[half] is None else () for half in (0, 1)]
    if any(pairs) and _but(text, matches):
        pairs, decide = [(), ()], _between
    else:
        decide = _nearly_said if any(pairs) else _said
    value = (decide(words, 0), decide(words, 1))
    if stated and value[0] == 4 and not _about(words, 0):
        value = None, value[1]

    def quoted(some: Iterable[str]) -> str:
        return ", ".join(f"'{(typed or {}).get(word, word)}'" for word in some)

    notes = [
        f"{quoted(pair)}: these moods contradict each other, so the model decides; name only one"
        for pair in pairs
        if pair
    ]
    notes += [
        f"{quoted((word,))}: the control for mood is used instead"
        for half, level in enumerate(fixed)
        for word in _about(words, half)
        if level is not None and abs(known[word][half] - level) > 1
    ]
    spans = tuple(match.span() for match in matches)
    return Reading(value, tuple(dict.fromkeys(notes)), spans)


def _but(text: str, matches: list[re.Match[str]]) -> bool:
    """Whether there are two moods and "but" joins them."""
    if len(matches) != 2:
        return False
    between = text[matches[0].end() : matches[1].start()]
    return re.fullmatch(r",? (?:but|yet|though|although)(?: \w+){0,4} ", between, re.I) is not None


def _between(words: list[str], half: int) -> int | None:
    """The level between two words, nearer the first."""
    first, second = _levels(words, half)
    return int((first + second) / 2 + (0.5 if first > second else 0))


def _about(words: list[str], half: int) -> list[str]:
    """The words that say as much about valence (half 0) or arousal (1) as about the other.

    "calm" is about arousal, and so is what is a tempo as well, as "lively".
    """
    known = _moods()[1]

    def is_about(word: str) -> bool:
        if word in tempo_words():
            return half == 1
        return abs(known[word][half] - 3) >= abs(known[word][1 - half] - 3)

    return [word for word in words if is_about(word)]


def _levels(words: list[str], half: int) -> list[int]:
    return [_moods()[1][word][half] for word in words]


def _opposites(words: list[str], half: int) -> tuple[str, ...]:
    """The two words about one half that are furthest apart, if they are far."""
    about = _about(words, half)
    levels = sorted(zip(_levels(about, half), about, strict=True))
    if not levels or levels[-1][0] - levels[0][0] <= 2:
        return ()
    return tuple(sorted((levels[0][1], levels[-1][1]), key=words.index))


def _said(words: list[str], half: int) -> int | None:
    """The level of one half that suits all words, or at least those that are about it."""
    return _middle(_levels(words, half), 2) or _middle(_levels(_about(words, half), half), 2)


def _nearly_said(words: list[str], half: int) -> int | None:
    """The level of one half that words which exclude each other share all the same."""
    return _middle(_levels(words, half), 1)


def _middle(levels: list[int], apart: int) -> int | None:
    """The middle of levels that are no further apart than this; None of none."""
    if not levels or (spread := max(levels) - min(levels)) > apart:
        return None
    return min(levels) + 1 if spread == 2 else sorted(levels)[len(levels) // 2]
