"""The length: "16 bars", "eight measures", "16小节"; "30 seconds", "a minute and a half"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from textmusic.language.reading.text import (
    LEFT,
    NUMBER,
    RANGE,
    RIGHT,
    Reading,
    Span,
    around,
    in_range,
    number,
    overlaps,
    settle,
    shown,
)
from textmusic.music.plan import MAX_BARS

SECONDS_RANGE = (2.0, 600.0)

# A form rather than a length, where a length is named too: "24 bars of 12-bar blues".
_FORM_AFTER = re.compile(r"\s+blues\b", re.IGNORECASE)
# "The piece should last 32 bars" is a length, "the last 32 bars" are a part.
_PART_BEFORE = re.compile(
    r"\b(?:every|each|first|(?<!and )(?<!should )(?<!to )(?<!must )last|final|next|after|another"
    r"|opening|closing|per|repeat\w*)(?: the)?\s*$|[每前后第隔]\s*$",
    re.IGNORECASE,
)
_PART_AFTER = re.compile(
    r"[\s-]+(?:phrases|patterns|sections|sentences|intro\w*|outro|coda|fills?|breaks?|rests?|bridge"
    r"|turnarounds?|solos?|ostinato\w*|motifs?|motives?|pause|of (?:silence|rest|intro\w*)|before"
    r"|later|apart|each|pickup|lead-in|call)\b",
    re.IGNORECASE,
)
_BARS = (
    rf"{RANGE}[\s-]*(?:full |whole |complete )?(?:bars?|measures?){RIGHT}",
    rf"{LEFT}(?:bars|measures)\s*[:=]\s*(?P<n>{NUMBER})(?P<n2>(?!))?",
    rf"{RANGE}\s*个?\s*小节",
    rf"小节数?\s*[:=为]\s*(?P<n>{NUMBER})(?P<n2>(?!))?",
)
_SINGLE_BAR = re.compile(
    rf"{LEFT}(?:a single|only one|just one) (?:bar|measure){RIGHT}", re.IGNORECASE
)


def read_bars(text: str) -> Reading[int]:
    """The number of bars, 1 to 256; "4-bar phrases" and "the first 8 bars" are parts of a piece."""
    found: list[tuple[Span, float]] = []
    for pattern in _BARS:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            if _is_part(text, match) or overlaps(match.span(), [span for span, _ in found]):
                continue
            count = in_range(match)
            found.append((match.span(), round(count) if match["n2"] else count))
    if not found and (single := _SINGLE_BAR.search(text)):
        found.append((single.span(), 1.0))
    lengths = [item for item in found if not _FORM_AFTER.match(text, item[0][1])] or found
    whole = f"ask for a whole number of bars from 1 to {MAX_BARS}"
    said = settle(
        text,
        sorted(lengths),
        "length",
        lambda value: f"{value:g} bars are used",
        refusal=lambda n: "" if n == int(n) and 1 <= n <= MAX_BARS else whole,
    )
    value = None if said.value is None else int(said.value)
    return Reading(value, said.unused, tuple(span for span, _ in found))


def _is_part(text: str, match: re.Match[str]) -> bool:
    before, after = around(text, *match.span())
    return bool(_PART_BEFORE.search(before) or _PART_AFTER.match(after))


# "a two-minute walk" is a scene, "in the last minute" a moment.
_SCENE_AFTER = re.compile(
    r"[\s-]+(?:walk|drive|ride|run|break|meeting|nap|later|ago|before|after|past|until|till"
    r"|to (?:go|midnight)"
    r"|meditation|workout|flight|trip|journey|train|rule|abs|silence|countdown|timer|delay|egg"
    r"|of (?:silence|fame|rest|intro\w*))\b",
    re.IGNORECASE,
)
_SECONDS = r"(?:seconds?|secs?\.?|s)"
_MINUTES = r"(?:minutes?|mins?\.?|m)"
_LONG = r"(?:long|in length|in duration|minutes|min)"
_CLOCK = re.compile(
    rf"(?P<about>\b(?:length|duration|lasting|lasts|long)(?: of| is)?(?: about)?\s*[:=]?\s*)?"
    rf"(?<![\d:.])(?P<m>\d{{1,2}}):(?P<s>[0-5]\d)(?![\d:])(?P<long>\s*{_LONG}{RIGHT})?",
    re.IGNORECASE,
)
_COMPOUND = re.compile(
    rf"(?P<m>{NUMBER})[\s-]*{_MINUTES}\s*(?:,|and)?\s*(?P<s>{NUMBER})[\s-]*{_SECONDS}{RIGHT}",
    re.IGNORECASE,
)
_AND_A_HALF = re.compile(
    rf"(?P<n>{NUMBER}|{LEFT}a)(?: and a half (?:minutes?|mins?)| minutes? and a half){RIGHT}",
    re.IGNORECASE,
)
_HALF_MINUTE = re.compile(
    rf"{LEFT}(?:half a minute|(?:a )?half[\s-]minute)(?: long)?{RIGHT}", re.IGNORECASE
)
_A_MINUTE = re.compile(
    rf"{LEFT}(?:(?:about|around|roughly|lasting) )?an? minute"
    rf"(?:'s worth of|[\s-]long|(?= of\b)){RIGHT}"
    rf"|{LEFT}(?:about|around|roughly|lasting|lasts) a minute(?=\s*(?:$|[,.;!?)]))",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    rf"{RANGE}(?P<gap>[\s-]*)(?P<unit>seconds?|secs?\.?|s|minutes?|mins?\.?|hours?){RIGHT}",
    re.IGNORECASE,
)
_HAN_COMPOUND = re.compile(rf"(?P<m>{NUMBER})\s*分钟?\s*(?P<s>{NUMBER})\s*秒钟?")
_HAN_HALF = re.compile(rf"(?P<n>{NUMBER})\s*分(?:钟)?半(?:钟)?|(?P<m>{NUMBER})\s*个半分钟|半分钟")
_HAN_PLAIN = re.compile(rf"(?P<n>{NUMBER})\s*(?P<unit>秒钟?|分钟|个?小时)(?![快慢])")


def _lengths(text: str) -> Iterator[tuple[Span, float]]:
    """Spans and seconds, the most specific wording first."""
    for match in _CLOCK.finditer(text):
        if match["about"] or match["long"]:
            yield match.span(), int(match["m"]) * 60 + int(match["s"])
    for match in (*_COMPOUND.finditer(text), *_HAN_COMPOUND.finditer(text)):
        yield match.span(), number(match["m"]) * 60 + number(match["s"])
    for match in _AND_A_HALF.finditer(text):
        whole = 1.0 if match["n"].lower() == "a" else number(match["n"])
        yield match.span(), (whole + 0.5) * 60
    for match in _HALF_MINUTE.finditer(text):
        yield match.span(), 30.0
    for match in _A_MINUTE.finditer(text):
        yield match.span(), 60.0
    for match in _HAN_HALF.finditer(text):
        said = match["n"] or match["m"]
        yield match.span(), (number(said) + 0.5) * 60 if said else 30.0
    for match in _HAN_PLAIN.finditer(text):
        factor = {"秒": 1, "分": 60}.get(match["unit"][0], 3600)
        if not re.search("每$", text[: match.start("n")]):
            yield match.span(), number(match["n"]) * factor
    for match in _PLAIN.finditer(text):
        if not _is_scene(text, match):
            factor = {"s": 1, "m": 60, "h": 3600}[match["unit"][0].lower()]
            yield match.span(), in_range(match) * factor


def _is_scene(text: str, match: re.Match[str]) -> bool:
    before, after = around(text, *match.span())
    unit, said = match["unit"].lower(), match["n"]
    if unit == "s":  # "80s" is a decade, "30 s" and "45s" are lengths
        decade = re.fullmatch(r"(?:1[89]|20)?[2-9]0", said) and not match["gap"]
        length = re.match(r"\s+(?:of|long|clip|loop|jingle|track|piece)\b", after)
        the = re.search(r"\b(?:the|in|from|early|late|mid)[\s-]*$", before, re.IGNORECASE)
        return bool(decade and (the or not length)) or not re.fullmatch(r"-?[\d.]+", said)
    if unit == "second" and not re.fullmatch(r"-?[\d.,]+", said) and match["gap"] != "-":
        return True  # "one second violin"
    if unit in ("hour", "hours") and not re.match(r"\s*(?:of|long|$|[,.;])", after):
        return True
    soon = unit.startswith("m") and re.search(r"\bin\s*$", before, re.IGNORECASE)
    return bool(soon or _PART_BEFORE.search(before) or _SCENE_AFTER.match(after))


def read_seconds(text: str) -> Reading[float]:
    """The length in seconds, 2 to 600."""
    found: list[tuple[Span, float]] = []
    for span, seconds in _lengths(text):
        if not overlaps(span, [other for other, _ in found]):
            found.append((span, seconds))
    low, high = SECONDS_RANGE
    out_of_range = f"ask for a length of {low:g} to {high:g} seconds"
    said = settle(
        text,
        sorted(found),
        "length",
        lambda value: f"{shown(value)} seconds are used",
        refusal=lambda seconds: "" if low <= seconds <= high else out_of_range,
    )
    return replace(said, spans=tuple(span for span, _ in found))
