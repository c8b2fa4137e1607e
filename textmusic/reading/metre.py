"""The time signature: "6/8", "three-four time", "cut time", "四三拍", or what a waltz implies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from textmusic.plan import TIME_SIGNATURES
from textmusic.reading.text import CJK, LEFT, RIGHT, UNITS, Reading, Span, han_number, negated

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
    (r"common[\s-]time", "4/4"), (r"cut[\s-](?:common[\s-])?time|alla breve", "2/2"),
    (r"triple (?:time|met(?:re|er))", "3/4"), (r"duple (?:time|met(?:re|er))", "2/4"),
    (r"four[\s-](?:on|to)[\s-]the[\s-]floor", "4/4"),
    (r"waltz(?:es)?(?:[\s-]time)?|valses?|minuets?|menuets?|menuetto|mazurkas?|polonaises?"
     r"|landlers?|scherzo and trio", "3/4"),
    (r"slip[\s-]jigs?", "9/8"), (r"(?:double[\s-])?jigs?|tarantellas?|barcarolles?", "6/8"),
)  # fmt: skip
_HAN_METRES = (
    ("圆舞曲|华尔兹|华尔滋|小步舞曲|玛祖卡|马祖卡|波罗奈兹|波洛奈兹|三拍子", "3/4"),
    ("四拍子", "4/4"), ("二拍子|两拍子", "2/4"), ("六拍子", "6/8"), ("五拍子", "5/4"),
    ("吉格舞曲|塔兰泰拉|船歌", "6/8"),
)  # fmt: skip
_HAN_FRACTION = re.compile(
    r"(?P<bottom>[二四八]|十六)分之(?P<top>[一二两三四五六七九八十]{1,2})拍?"
)
_HAN_PAIR = re.compile(r"(?P<a>[二四八三六])(?P<b>十[一二]|[二三四五六七八九])拍")
_NOT_METRES = {(24, 7), (9, 11), (50, 50), (10, 10), (100, 100), (365, 24), (7, 24)}


def _metre_candidates(text: str) -> Iterator[tuple[Span, str, bool]]:
    """Span, "top/bottom", and whether it surely means a metre."""
    for match in (*_SLASHED.finditer(text), *_SLASHED_HAN.finditer(text)):
        top, bottom = int(match["top"]), int(match["bottom"])
        before, after = text[: match.start()], text[match.end() :]
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
            yield match.span(), f"{top}/{bottom}", sure
    for match in (*_SPELLED.finditer(text), *_SPELLED_IN.finditer(text)):
        top_word, bottom_word = match["top"].lower(), match["bottom"].lower()
        top = int(top_word) if top_word.isdigit() else _TOPS[top_word]
        bottom = int(bottom_word) if bottom_word.isdigit() else _BOTTOMS[bottom_word]
        yield match.span(), f"{top}/{bottom}", True
    for match in _HAN_FRACTION.finditer(text):
        yield match.span(), f"{han_number(match['top'])}/{han_number(match['bottom'])}", True
    for match in _HAN_PAIR.finditer(text):
        bottom, top = han_number(match["a"]), han_number(match["b"])
        if bottom not in (2, 4, 8) or (bottom, top) == (2, 4):  # said the other way round: 六八拍
            bottom, top = top, bottom
        yield match.span(), f"{top}/{bottom}", True


def read_time_signature(text: str) -> Reading[str]:
    """The metre in `plan.TIME_SIGNATURES`; a waltz is in 3/4 unless another metre is named."""
    known: list[tuple[Span, str]] = []
    notes: list[str] = []
    spans: list[Span] = []
    for span, metre, _sure in sorted(_metre_candidates(text)):
        spans.append(span)
        if metre in TIME_SIGNATURES:
            known.append((span, metre))
        else:
            notes.append(f"'{text[span[0] : span[1]].strip()}': {_metre_remedy()}")
    for _span, metre in known[1:]:
        if metre != known[0][1]:
            notes.append(
                f"'{metre}': one time signature for the whole piece; {known[0][1]} is used"
            )
    if known:
        return Reading(known[0][1], tuple(dict.fromkeys(notes)), tuple(spans))
    for pattern, metre in _NAMED_METRES:
        for match in re.finditer(rf"{LEFT}(?:{pattern}){RIGHT}", text, re.IGNORECASE):
            if not negated(text, match.start()):
                return Reading(metre, tuple(notes), (*spans, match.span()))
    for pattern, metre in _HAN_METRES:
        if match_han := re.search(pattern, text):
            return Reading(metre, tuple(notes), (*spans, match_han.span()))
    if match_in := _IN_NUMBER.search(text):
        top = {"3": "3/4", "4": "4/4", "5": "5/4", "7": "7/8"}
        words = {"three": "3", "four": "4", "five": "5", "seven": "7"}
        digit = words.get(match_in["n"].lower(), match_in["n"])
        return Reading(top[digit], tuple(notes), (*spans, match_in.span()))
    return Reading(None, tuple(dict.fromkeys(notes)), tuple(spans))


def _metre_remedy() -> str:
    return f"not a time signature known here; choose one of {', '.join(TIME_SIGNATURES)}"
