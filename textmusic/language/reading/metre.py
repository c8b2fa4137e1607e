"""The time signature: "6/8", "three-four time", "cut time", "四三拍", or what a waltz implies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from textmusic.language.reading.text import (
    CJK,
    LEFT,
    RIGHT,
    UNITS,
    Reading,
    Span,
    around,
    han_number,
    negated,
    overlaps,
    settle,
)
from textmusic.music.theory import TIME_SIGNATURES

_TOPS = {w: n for n, w in enumerate(UNITS) if 2 <= n <= 12}
_BOTTOMS = {"two": 2, "four": 4, "quarter": 4, "eight": 8, "eighth": 8, "sixteen": 16}
_METRE_NOUN = r"(?:time|metre|meter|signature|beat|rhythm|feel|groove|pulse)"
_SLASHED = re.compile(r"(?<![\d/.\w-])(?P<top>\d{1,3})\s?/\s?(?P<bottom>\d{1,3})(?![\d/]|\.\d|%)")
_SLASHED_HAN = re.compile(rf"(?<=[{CJK}])(?P<top>\d{{1,3}})\s?/\s?(?P<bottom>\d{{1,3}})(?![\d/])")
_SPELLED = re.compile(
    rf"{LEFT}(?P<top>{'|'.join(_TOPS)}|\d\d?)[\s-](?P<bottom>{'|'.join(_BOTTOMS)}|[248])[\s-]"
    rf"{_METRE_NOUN}{RIGHT}",
    re.IGNORECASE,
)
_SPELLED_IN = re.compile(
    rf"{LEFT}in (?:a )?(?P<top>{'|'.join(_TOPS)})-(?P<bottom>four|eight|two)(?=\s*(?:$|[,.;:!?)]))",
    re.IGNORECASE,
)
_IN_NUMBER = re.compile(
    rf"(?<!\d )(?<!one )(?<!out of )\bin (?P<n>[3457]|three|four|five|seven)"
    rf"(?=\s*(?:$|[,.;:!?)](?!\d)|with\b|at \d|{_METRE_NOUN}\b))",
    re.IGNORECASE,
)
_NAMED_METRES = (
    (r"(?<!cut[\s-])common[\s-]time", "4/4"),
    (r"cut[\s-](?:common[\s-])?time|alla breve", "2/2"),
    (r"four[\s-](?:on|to)[\s-]the[\s-]floor", "4/4"),
)
# Beats in a bar, which leave open what is counted: 9/8 is a triple time as well.
_COUNTS = (
    (rf"{LEFT}triple (?:time|met(?:re|er)){RIGHT}|三拍子", 3),
    (rf"{LEFT}duple (?:time|met(?:re|er)){RIGHT}|二拍子|两拍子", 2),
    ("四拍子", 4), ("五拍子", 5), ("六拍子", 6),
)  # fmt: skip
_USUAL = {2: "2/4", 3: "3/4", 4: "4/4", 5: "5/4", 6: "6/8", 7: "7/8"}
# What dances are in, unless another metre is named.
_DANCES = (
    (r"waltz(?:es)?(?:[\s-]time)?|valses?|minuets?|menuets?|menuetto|mazurkas?|polonaises?"
     r"|landlers?|scherzo and trio", "3/4"),
    (r"slip[\s-]jigs?", "9/8"), (r"(?:double[\s-])?jigs?|tarantellas?|barcarolles?", "6/8"),
)  # fmt: skip
_HAN_DANCES = (
    ("圆舞曲|华尔兹|华尔滋|小步舞曲|玛祖卡|马祖卡|波罗奈兹|波洛奈兹", "3/4"),
    ("吉格舞曲|塔兰泰拉|船歌", "6/8"),
)
_HAN_FRACTION = re.compile(
    r"(?P<bottom>[二四八]|十六)分之(?P<top>[一二两三四五六七九八十]{1,2})拍?"
)
_HAN_PAIR = re.compile(r"(?P<a>[二四八三六])(?P<b>十[一二]|[二三四五六七八九])拍")
_NOT_METRES = {(24, 7), (9, 11), (50, 50), (10, 10), (100, 100), (365, 24), (7, 24)}


def _metre_candidates(text: str) -> Iterator[tuple[Span, str]]:
    """Span and "top/bottom" of every metre that is named."""
    for match in (*_SLASHED.finditer(text), *_SLASHED_HAN.finditer(text)):
        top, bottom = int(match["top"]), int(match["bottom"])
        before, after = around(text, *match.span())
        sure = bool(
            re.match(rf"[\s-]*(?:{_METRE_NOUN}\b|拍)", after, re.IGNORECASE)
            or re.search(r"\b(?:metre|meter|time|signature)(?: is| of|:| =)?\s*$", before, re.I)
        )
        dated = re.search(
            r"\b(?:on|since|until|dated|before|after|till|born|every)\s*$", before, re.I
        )
        part = re.match(
            r"\s*(?:of\b|cups?|full|empty|inch|miles?|size|hours?|speed|length|stars?|rating|notes?)",
            after, re.IGNORECASE,
        )  # fmt: skip
        if not sure and (dated or part or (top, bottom) in _NOT_METRES or top == 1):
            continue
        likely = bottom in (1, 2, 4, 8, 16, 32, 0) or re.search(r"\bin\s*$", before, re.I)
        if sure or f"{top}/{bottom}" in TIME_SIGNATURES or likely:
            yield match.span(), f"{top}/{bottom}"
    for match in (*_SPELLED.finditer(text), *_SPELLED_IN.finditer(text)):
        top_word, bottom_word = match["top"].lower(), match["bottom"].lower()
        top = int(top_word) if top_word.isdigit() else _TOPS[top_word]
        bottom = int(bottom_word) if bottom_word.isdigit() else _BOTTOMS[bottom_word]
        yield match.span(), f"{top}/{bottom}"
    for pattern, metre in _NAMED_METRES:
        for match in re.finditer(rf"{LEFT}(?:{pattern}){RIGHT}", text, re.IGNORECASE):
            yield match.span(), metre
    for match in _HAN_FRACTION.finditer(text):
        yield match.span(), f"{han_number(match['top'])}/{han_number(match['bottom'])}"
    for match in _HAN_PAIR.finditer(text):
        bottom, top = han_number(match["a"]), han_number(match["b"])
        if bottom not in (2, 4, 8) or (bottom, top) == (2, 4):  # said the other way round: 六八拍
            bottom, top = top, bottom
        yield match.span(), f"{top}/{bottom}"


def _counts(text: str) -> list[tuple[Span, int]]:
    """Where a number of beats is said ("triple time", "in five"), and how many, in order."""
    found = [
        (match.span(), beats)
        for pattern, beats in _COUNTS
        for match in re.finditer(pattern, text, re.IGNORECASE)
    ]
    words = {"three": 3, "four": 4, "five": 5, "seven": 7}
    found += [
        (match.span(), words.get(match["n"].lower()) or int(match["n"]))
        for match in _IN_NUMBER.finditer(text)
    ]
    return sorted(found)


def _dances(text: str) -> list[tuple[Span, str]]:
    """Where dances are named, and what they are in, in order."""
    found: list[tuple[Span, str]] = []
    for pattern, metre in _DANCES:
        for match in re.finditer(rf"{LEFT}(?:{pattern}){RIGHT}", text, re.IGNORECASE):
            taken = overlaps(match.span(), [span for span, _ in found])  # "slip jig" is no jig
            if not taken and not negated(text, match.start()):
                found.append((match.span(), metre))
    for pattern, metre in _HAN_DANCES:
        found += [(m.span(), metre) for m in re.finditer(pattern, text)]
    return sorted(found)


def read_time_signature(text: str) -> Reading[str]:
    """The metre in `theory.TIME_SIGNATURES`; a waltz is in 3/4 unless another metre is named.

    A metre that is named wins over beats that are counted ("in five"), and these over dances.
    """
    candidates, counts, dances = sorted(_metre_candidates(text)), _counts(text), _dances(text)
    beats = counts[0][1] if counts else None
    danced = [item for item in dances if beats is None or _has_beats(item[1], beats)]
    named = settle(
        text,
        candidates,
        "time signature",
        "{} is used".format,
        refusal=lambda metre: "" if metre in TIME_SIGNATURES else _metre_remedy(),
        otherwise=danced[0][1] if danced else _USUAL[beats] if beats else None,
    )
    value = named.value
    at_odds = [span for span, n in counts if value and not _has_beats(value, n)]
    if not named.spans and not counts:
        at_odds += [span for span, metre in dances if metre != value]
    notes = [
        f"'{text[slice(*span)].strip()}': one time signature for the whole piece; {value} is used"
        for span in at_odds
    ]
    spans = (span for found in (candidates, counts, dances) for span, _ in found)
    return Reading(value, tuple(dict.fromkeys((*named.unused, *notes))), tuple(spans))


def _has_beats(metre: str, beats: int) -> bool:
    return int(metre.split("/")[0]) % beats == 0


def _metre_remedy() -> str:
    return f"not a supported time signature; choose one of {', '.join(TIME_SIGNATURES)}"
