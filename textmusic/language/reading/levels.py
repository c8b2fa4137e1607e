"""Levels in numbers: "mood 2 out of 5", "valence 5 and arousal 1", "density 3", 快乐度2, 密度3."""

from __future__ import annotations

import re
from collections.abc import Iterator

from textmusic.language.reading.level_names import DENSITY_NAMES
from textmusic.language.reading.text import LEFT, RIGHT, Reading, Span, number, overlaps
from textmusic.music.plan import LEVELS, Plan

_WORDS = "zero|one|two|three|four|five|six|seven|eight|nine|ten"
_N = rf"(?P<n>-?\d{{1,3}}(?:\.\d)?|{_WORDS})"
_OF = rf"(?P<of>\s*(?:/|out of|of|on a scale of(?: 1 to)?)\s*(?P<most>5|10|five|ten){RIGHT})?"
_IS = r"\s*(?:level)?\s*(?:is|of|at|:|=|to)?\s*(?:level\s*)?"
# A number that counts something else: "mood, 2 violins", "energy 3 minutes".
_ALONE = r"(?=\s*(?:$|[,.;:!?)&+]|(?:and|with|in|at|but|on|for|valence|arousal|density|energy)\b))"
_HAN_N = r"(?P<n>\d{1,3}|[一二两三四五六七八九十])"
_HAN_OF = (
    r"(?:\s*[级分档])?"
    r"(?P<of>\s*[/(]?\s*(?:满分|最高)?\s*(?P<most>5|10|五|十)\s*分?(?:制|满分)?\)?)?"
)
_FIELDS = {
    "valence": (
        "valence|happiness|positivity|pleasantness",
        "快乐度|愉悦度|开心度|幸福度|效价|情感值",
    ),
    "arousal": (
        "arousal|energy|excitement|intensity",
        "激动度|兴奋度|唤醒度|激烈度|激情度|活力度?|能量|强度",
    ),
    "density": ("density|note density", "(?:音符)?密度"),
    "mood": ("mood", "情绪(?:值|度)?|心情"),
}  # fmt: skip
_MOODS = re.compile(
    rf"{LEFT}mood{_IS}(?P<n>[1-5])\s*(?:,|and)\s*(?P<arousal>[1-5])(?!\s*(?:\d|violins?|bars?)){_ALONE}",
    re.IGNORECASE,
)
_HAN_MOODS = re.compile(r"情绪\s*[:为是=]?\s*(?P<n>[1-5])\s*[,/和]\s*(?P<arousal>[1-5])(?!\d)")
_DENSITY_WORDS = {
    "very low": 1, "low": 2, "medium": 3, "moderate": 3, "high": 4, "very high": 5,
    **{word: level for level, word in enumerate(DENSITY_NAMES, 1)},
}  # fmt: skip
_WORDED = "|".join(sorted(_DENSITY_WORDS, key=len, reverse=True))
_DENSITY = re.compile(
    rf"{LEFT}(?:(?P<before>{_WORDED})[\s-](?:note )?density"
    rf"|density{_IS}(?P<behind>{_WORDED})){RIGHT}",
    re.IGNORECASE,
)
_HAN_DENSITY = re.compile(r"密度\s*(?P<much>很|非常)?\s*(?P<way>[低高小大])|(?P<way2>[低高])密度")


def read_levels(text: str) -> Reading[Plan]:
    """Valence, arousal and density that a text gives as levels from 1 to 5 ("2 out of 5", "2/5").

    "mood 2" alone is a level of valence; out of ten they are halved. Of two for one field the first
    one counts. What is out of range is said.
    """
    plan: dict[str, int] = {}
    notes: list[str] = []
    spans: list[Span] = []
    for span, levels in _found(text):
        if overlaps(span, spans):
            continue
        spans.append(span)
        said = text[slice(*span)].strip()
        for field, level in levels:
            if not LEVELS[0] <= level <= LEVELS[-1]:
                notes.append(f"'{said}': levels go from 1 to 5; choose one of them")
            elif plan.setdefault(field, level) != level:
                notes.append(f"'{said}': one {field} for the whole piece; {plan[field]} is used")
    return Reading(Plan(**plan), tuple(notes), tuple(spans))  # type: ignore[arg-type]


def _found(text: str) -> Iterator[tuple[Span, list[tuple[str, int]]]]:
    for pattern in (_MOODS, _HAN_MOODS):
        for match in pattern.finditer(text):
            levels = [("valence", int(match["n"])), ("arousal", int(match["arousal"]))]
            yield match.span(), levels
    for field, (english, chinese) in _FIELDS.items():
        name = "valence" if field == "mood" else field
        patterns = (
            rf"{LEFT}(?:{english}){_IS}{_N}(?:{_OF.removesuffix('?')}|{_ALONE})",
            rf"(?:{chinese})\s*(?:[:=为是到]|等级为?)?\s*{_HAN_N}{_HAN_OF}(?![\d.])",
        )
        for said in patterns:
            for match in re.finditer(said, text, re.IGNORECASE):
                yield match.span(), [(name, _level(match))]
    for match in _DENSITY.finditer(text):
        word = (match["before"] or match["behind"]).lower()
        yield match.span(), [("density", _DENSITY_WORDS[word])]
    for match in _HAN_DENSITY.finditer(text):
        high = (match["way"] or match["way2"]) in "高大"
        yield (
            match.span(),
            [("density", (4 if high else 2) + (match["much"] is not None) * (1 if high else -1))],
        )


def _level(match: re.Match[str]) -> int:
    """The level of five; 0 for what is none."""
    value = number(match["n"])
    if match["of"] and number(match["most"]) == 10:
        value = -(-value // 2)
    return int(value) if value == int(value) else 0
