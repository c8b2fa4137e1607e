"""The tempo: "96 bpm", "♩ = 72", "每分钟140拍"; andante, very slow, 慢板."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

from textmusic.language.reading.text import (
    DIGITS,
    LEFT,
    RANGE,
    RIGHT,
    Reading,
    Span,
    alone,
    around,
    by_first_letter,
    in_range,
    negated,
    number,
    overlaps,
    settle,
    shown,
)
from textmusic.music.data_files import load_data
from textmusic.music.plan import TEMPO_RANGE

_RANGE = RANGE.replace("to|", "to|and|")  # "between 90 and 100 bpm"
_PER_MINUTE = (
    r"(?:bpm|b\.p\.m\.?|(?:beats?|quarters|quarter[\s-]notes|crotchets)\s*(?:per|a|/)\s*min(?:ute)?"
    r"|拍\s*/\s*分钟?|拍每分钟(?!\s*大?约?\s*[0-9一二两三四五六七八九]))"
)
_ABOUT = r"(?:of )?(?:about |around |circa |ca?\. |roughly |approximately |between )?"
_TEMPO_PATTERNS = (
    rf"{_RANGE}[\s-]*{_PER_MINUTE}{RIGHT}",
    rf"{LEFT}bpm\s*(?::|=|is|of|为|是)?\s*{_ABOUT}{_RANGE}(?!\s*[/:])",
    rf"{LEFT}tempo\s*(?::|=|is|of|marking)?\s*{_ABOUT}{_RANGE}(?!\s*[/:]|[\s-]*(?:bars?|measures?))",
    rf"每分钟\s*(?:大?约)?\s*{_RANGE}\s*(?:拍|下)?",
    rf"一分钟\s*(?:大?约)?\s*{_RANGE}\s*[拍下]",
    rf"速度\s*(?::|=|为|是|大约|约)?\s*{_RANGE}(?!\s*[/:])",
    r"(?<![0-9/.])(?P<n>[1-9][0-9]{1,2})\s*拍(?!子)(?P<n2>(?!))?",
    # 一百二十拍 and 九十拍, but not the metres 四三拍 and 八分之十二拍
    r"(?<![之零〇一二两三四五六七八九十百])(?P<n>[一二两]?百零?[一二三四五六七八九]?十?[一二三四五六七八九]?"
    r"|[二三四五六七八九]十[一二三四五六七八九]?)\s*拍(?!子)(?P<n2>(?!))?",
)
# What is counted, and how many quarter notes it lasts; the dotted quarter before the quarter.
_NOTE_VALUES = (
    (r"♩\s?\.|dotted[\s-](?:quarter|crotchet)(?:[\s-]note)?", 1.5),
    (r"half(?:[\s-]note)?|minim", 2.0),
    (r"♪|eighth(?:[\s-]note)?|quaver", 0.5),
    (r"♩|quarter(?:[\s-]note)?|crotchet|q|m\.?\s?m\.?", 1.0),
)
# "techno at 128": three digits, and nothing after them that could be counted.
_AT_NUMBER = re.compile(
    r"\bat (?P<n>1[0-9]{2}|2[0-4][0-9])(?=\s*(?:$|[,;!?)]|\.(?:\s|$)))", re.IGNORECASE
)


def read_tempo_number(text: str) -> Reading[float]:
    """Quarter notes per minute from "96 bpm", "♩. = 60" (90), "每分钟140拍"."""
    found: list[tuple[Span, float]] = []
    two: set[Span] = set()  # places that name two tempi: "from 60 to 120 bpm"

    def add(span: Span, value: float) -> None:
        if not overlaps(span, [other for other, _ in found]):
            found.append((span, value))

    for values, factor in _NOTE_VALUES:
        pattern = rf"(?:{LEFT}|(?<=[♩♪]))(?:{values})\s*=\s*(?:c(?:a|irca)?\.?\s*)?(?P<n>{DIGITS})"
        for match in re.finditer(pattern, text, re.IGNORECASE):
            add(match.span(), number(match["n"]) * factor)
    for pattern in _TEMPO_PATTERNS:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            both = _two_tempi(text, match)
            add(match.span(), number(match["n"]) if both == "and" else in_range(match))
            two |= {match.span()} if both else set()
    if not found and (match_at := _AT_NUMBER.search(text)):
        found.append((match_at.span(), number(match_at["n"])))
    said = settle(
        text,
        sorted(found),
        "tempo",
        lambda value: f"{shown(value)} bpm is used",
        refusal=lambda tempo: "" if TEMPO_RANGE[0] <= tempo <= TEMPO_RANGE[1] else tempo_remedy(),
        changing=two,
    )
    return replace(said, spans=tuple(span for span, _ in found))


def _two_tempi(text: str, match: re.Match[str]) -> str:
    """ "and" in "90 and 120 bpm", "to" in "from 60 to 120 bpm"; "" for one tempo or a range."""
    if not match["n2"]:
        return ""
    said, before = match["sep"].lower(), text[: match.start("n")]
    if said == "and":
        return "" if re.search(r"\bbetween\s*$", before, re.IGNORECASE) else said
    slower, faster = sorted((abs(number(match["n"])), abs(number(match["n2"]))))
    change = re.search(r"(?:\bfrom|从)\s*$", before, re.IGNORECASE) and faster > 1.2 * slower
    return "to" if change else ""


def _one_tempo(said: str, used: str) -> str:
    return f"'{said}': one tempo for the whole piece; {used} is used"


def tempo_remedy() -> str:
    """What to do about a tempo that no piece can have."""
    low, high = TEMPO_RANGE
    return f"outside the range of tempos; choose {low:g} to {high:g} bpm"


# Words that may describe a mood or a moment as well: they give way to plainer ones.
_MOODS_TOO = {"lively", "leisurely", "brisk", "轻快", "舒缓"}
_WEAK = {*_MOODS_TOO, "unhurried", "moderate", "从容"}
# A number this many times off a word is not even half or double time: "largo at 200 bpm".
_BELIED = 2.5
# Words for other things as well ("moderately happy", "at the grave") unless they stand alone.
_ONLY_ALONE = {"grave", "moderately", "slowly", "quickly", "briskly"}
_WITH_TEMPO = {"moderate"}  # "a moderate tempo", "the tempo is moderate", or alone
# "slow strings" is a tempo; "slow build", "fast food" and "fast arpeggios" are not the piece's.
_OTHER_NOUNS = re.compile(
    r"[\s-]+(?:food|cars?|lane|asleep|forward|track|break|cooker|motion|burn|burning|build(?:[\s-]?up)?"
    r"|fade\w*|intro\w*|ending|outro|bridge|middle|beginning|start|section|movement|passages?"
    r"|arpeggios?|arpeggiated|runs?|notes|scales|fingerwork|attack|release|decay|vibrato|tremolo"
    r"|harmonic rhythm|moving|changing|building|growing|rising|fading|evolving|unfolding|eighth"
    r"|sixteenth|triplets|riffs?|fingers|train|boat|river|internet|wifi|learner|days?"
    r"|morning|afternoon|evening|sundays?|life)\b",
    re.IGNORECASE,
)
_QUICK_BUT_SHORT = re.compile(
    r"\s+(?:little|short|idea|sketch|demo|test|piece|song|tune|melody|jingle|loop|example|and easy"
    r"|\d)",
    re.IGNORECASE,
)
_NOT_TEMPI = re.compile(
    r"key largo|hey presto|(?:hold|stand) fast|slow down|fast and furious", re.I
)
_HAN_ALONE = re.compile(
    r"(?<![\u3400-\u9fff])(?P<w>[快慢])(?=一?点?的|歌|曲|节奏|\s*(?:$|[,.;!?]))"
)


@cache
def tempo_words() -> dict[str, dict[str, Any]]:
    """Every tempo word, English (lower case, single spaces) and Chinese -> its entry."""
    return {
        word.replace("-", " "): entry
        for entry in load_data("tempo.json")
        for word in (entry["word"], *entry.get("also", ()), *entry["zh"])
    }


@cache
def _pattern() -> re.Pattern[str]:
    words = sorted(tempo_words(), key=len, reverse=True)
    latin = by_first_letter(re.escape(w).replace(r"\ ", r"[\s-]") for w in words if w.isascii())
    han = "|".join(w for w in words if not w.isascii())
    return re.compile(rf"{LEFT}(?:{latin}){RIGHT}|{han}", re.IGNORECASE)


def read_tempo_word(text: str, bpm: float | None = None) -> Reading[float]:
    """The typical tempo of a tempo word; two words that exclude each other leave it open.

    bpm: the tempo that a number in the text sets. It says exactly what a word says roughly, so
    there is no value then, and only words that it belies are reported.
    """
    found: list[tuple[Span, str, dict[str, Any]]] = []
    skip = [m.span() for m in _NOT_TEMPI.finditer(text)]
    for match in _pattern().finditer(text):
        word = re.sub(r"[\s-]", " ", match[0].lower())
        if _means_tempo(text, match, word) and not overlaps(match.span(), skip):
            found.append((match.span(), word, tempo_words()[word]))
    if not found and (single := _HAN_ALONE.search(text)):
        entry = tempo_words()["fast" if single["w"] == "快" else "slow"]
        found.append((single.span("w"), single["w"], entry))
    strong = [item for item in found if item[1] not in _WEAK] or found
    if not strong:
        return Reading()
    spans = tuple(span for span, _, _ in found)
    if bpm is not None:
        belied = dict.fromkeys(
            _one_tempo(word, f"{shown(bpm)} bpm")
            for _, word, entry in found
            if word not in _WEAK and not entry["low"] / _BELIED <= bpm <= entry["high"] * _BELIED
        )
        return Reading(None, tuple(belied), spans)
    slowest = min((entry for _, _, entry in strong), key=lambda e: e["typical"])
    fastest = max((entry for _, _, entry in strong), key=lambda e: e["typical"])
    if fastest["low"] > slowest["high"] and slowest["typical"] < 100 < fastest["typical"]:
        said = ", ".join(dict.fromkeys(f"'{word}'" for _, word, _ in strong))
        return Reading(None, (f"{said}: one tempo for the whole piece; give it in bpm",), spans)
    _, used, best = min(strong, key=lambda item: item[2]["high"] / item[2]["low"])
    apart = dict.fromkeys(
        _one_tempo(word, f"'{used}'")
        for _, word, entry in found
        if word not in _MOODS_TOO and (entry["low"] > best["high"] or entry["high"] < best["low"])
    )
    # "adagio, andante" is met where the two overlap.
    agreeing = [e for _, _, e in strong if e["low"] <= best["high"] and e["high"] >= best["low"]]
    low, high = max(e["low"] for e in agreeing), min(e["high"] for e in agreeing)
    value = float(best["typical"])
    value = float(min(max(value, low), high)) if low <= high else value
    return Reading(value, tuple(apart), spans)


def _means_tempo(text: str, match: re.Match[str], word: str) -> bool:
    before, after = around(text, *match.span())
    if not word.isascii():
        return not negated(text, match.start())
    tempo_follows = re.match(r"[\s-]+(?:tempo|speed|pace|paced|beat)\b", after, re.IGNORECASE)
    is_tempo = re.search(
        r"\b(?:tempo|pace|speed)(?: (?:is|of|should be))?(?: an?)?[:\s]*$", before, re.IGNORECASE
    )
    if word in _ONLY_ALONE or word in _WITH_TEMPO:
        played = re.search(r"\b(?:play\w*|sung|moving|moves)(?: it)?\s*$", before, re.IGNORECASE)
        adverb = played if word in _ONLY_ALONE else None
        by_itself = alone(text, *match.span()) and match[0] != "grave"  # a mood, too
        return bool(by_itself or tempo_follows or is_tempo or adverb)
    if tempo_follows or is_tempo:
        return not negated(text, match.start())
    if word == "quick" and _QUICK_BUT_SHORT.match(after):
        return False
    if re.search(
        r"\b(?:not|isn't|never|neither|nor|too|as|how|so|stay|without being|get\w*)\s*$",
        before,
        re.I,
    ):
        return False
    return not (_OTHER_NOUNS.match(after) or negated(text, match.start()))
