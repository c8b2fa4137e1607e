"""What the words say of the use of a piece: "only a piano", "a loop"."""

from __future__ import annotations

import re

from textmusic.language.reading.text import LEFT, RIGHT, Reading, Span, around, negated

_ONLY_BEFORE = re.compile(
    r"(?:(?<!not )\b(?:only|just|solely|exclusively|nothing but|no one but|nothing except)\s+"
    r"(?:for |with |on |use |have |using |by )?(?:an? |the |one |some |solo |my )?(?:[a-z]+ )?"
    r"|(?:只要|只有|只用|只留|只剩|只由|只让|仅用|仅有|仅|单独|只)\s*(?:一?[把支架只台个])?)$",
    re.IGNORECASE,
)
_ONLY_AFTER = re.compile(
    r"\s*(?:\b(?:only|alone|and nothing else|by itself|by themselves|unaccompanied)\b"
    r"|独奏|单独|清奏)",
    re.IGNORECASE,
)
_SOLO_BEFORE = re.compile(r"(?:^|\bfor |[,;:(] ?)(?:solo |unaccompanied )$", re.IGNORECASE)
_BEGINS = re.compile(r"(?:^|\bfor |[,;:(] ?)$", re.IGNORECASE)  # "with a violin solo" has others
_SOLO_AFTER = re.compile(r"\s+solo\b(?!\s+(?:over|with|and|for the|in)\b)", re.IGNORECASE)
_LOOP = re.compile(
    rf"{LEFT}(?:(?:seamless(?:ly)?|endless(?:ly)?|perfect(?:ly)?|infinite(?:ly)?)[\s-]+)?"
    rf"(?:loops?|looped|looping|loopable){RIGHT}|(?:无缝|无限|可)?循环(?:播放|音乐|乐段|片段)?",
    re.IGNORECASE,
)
_NO_LOOP_BEFORE = re.compile(
    r"\b(?:time|feedback|in a|in the|causal|thought|infinite time|for|fruity|froot|hula)\s+$"
    r"|-the-$|\b(?:not|no|without|never|don't|isn't)\s+(?:an?\s+|to\s+)?$|(?:不要|不|非)$",
    re.IGNORECASE,
)
_NO_LOOP_AFTER = re.compile(
    r"-the-loop"
    r"|\s*(?:pedals?|stations?|hero|hole|quantum|diuretic|of (?:time|despair|thoughts?|fate)"
    r"|around|back|小数|往复)",
    re.IGNORECASE,
)


def read_only(text: str, players: tuple[Span, ...]) -> bool:
    """Whether the instruments that are named at these places are all that may play."""
    for start, end in players:
        before, after = around(text, start, end)
        solo = _BEGINS.search(before) and _SOLO_AFTER.match(after)
        if _ONLY_BEFORE.search(before) or _ONLY_AFTER.match(after):
            return True
        if solo or _SOLO_BEFORE.search(before):
            return True
    return False


def read_loop(text: str) -> Reading[bool]:
    """Whether a text asks for a loop: "a 4-bar loop of lo-fi drums", "loopable", 循环音乐."""
    spans = []
    for match in _LOOP.finditer(text):
        before, after = around(text, *match.span())
        denied = negated(text, match.start()) or _NO_LOOP_BEFORE.search(before)
        if not (denied or _NO_LOOP_AFTER.match(after)):
            spans.append(match.span())
    return Reading(bool(spans) or None, (), tuple(spans))
