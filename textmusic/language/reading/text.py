"""Text made ready for reading: one form of every character, word boundaries, spelled numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Span = tuple[int, int]

CJK = "\u3400-\u4dbf\u4e00-\u9fff"
# Word boundaries that also hold between Latin and Chinese: "一首D minor的曲子". In ASCII, which is
# what `prepare` leaves of Latin letters: large character sets make patterns slow to compile.
LEFT = "(?<![0-9A-Za-z_])"
RIGHT = "(?![0-9A-Za-z_])"
_PUNCTUATION = str.maketrans(
    {"‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "’": "'", "‘": "'", "“": '"',
     "”": '"', "，": ",", "。": ".", "、": ",", "；": ";", "：": ":", "♭": "b", "♯": "#", "⁄": "/",
     "ı": "i"}  # which patterns that ignore case take for an i
)  # fmt: skip

LONGEST_QUOTE = 40  # characters
LONGEST_LIGATURE = 6  # characters that one may stand for; some stand for whole phrases
REACH = 200  # characters before or behind a place that can say something about it
LARGEST = 1e9  # numbers beyond are all out of range, and floats end at 308 digits


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """One fact read from a text: its value, the notes for `Prompt.unused`, and where it stood."""

    value: T | None = None
    unused: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()


def prepare(text: str) -> str:
    """Text as the readers want it: one form of every width, dash, quote, accent and space.

    Line ends become " ; ", so that what stands alone on a line is seen to stand alone.
    """
    text = re.sub(r"\s*[\r\n\v\f\u2028\u2029]+\s*", " ; ", text)
    text = "".join(c for c in text if len(unicodedata.normalize("NFKC", c)) <= LONGEST_LIGATURE)
    text = unicodedata.normalize("NFKC", text).translate(_PUNCTUATION)
    bare = (c for c in unicodedata.normalize("NFKD", text) if not "\u0300" <= c <= "\u036f")
    text = unicodedata.normalize("NFC", "".join(bare))
    # Marks that join emoji and order scripts stand between letters without being seen.
    shown = (c for c in text if unicodedata.category(c) not in ("Cf", "Cs"))
    text = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in shown)).strip()
    return _simplifier().convert(text) if re.search(f"[{CJK}]", text) else text


@cache
def _simplifier() -> Any:
    """Makes traditional characters simplified ones; loaded when there are such, in 50 ms."""
    from opencc import OpenCC

    return OpenCC("t2s")


def visible_text(text: str) -> str:
    """The text without control characters and lone surrogates, its white space made single spaces.

    The joiners inside emoji and some scripts are kept between what they join.
    """
    kept = (
        c if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") else " "
        for c in text
        if c in "\u200c\u200d" or unicodedata.category(c) not in ("Cf", "Cs")
    )  # fmt: skip
    return " ".join("".join(kept).split()).strip("\u200c\u200d ")


def around(text: str, start: int, end: int) -> tuple[str, str]:
    """What stands before and behind a place, as far as it matters: reading stays linear."""
    return text[max(start - REACH, 0) : start], text[end : end + REACH]


def alone(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] is all there is between two marks of punctuation."""
    before, after = around(text, start, end)
    return bool(
        re.search(r"(?:^|[,;:.()/|!?+]|\s-)\s*$", before)
        and re.match(r"\s*(?:$|[,;:.()/|!?+]|-\s)", after)
    )


def negated(text: str, start: int) -> bool:
    """Whether what begins at `start` is said not to be: "not a waltz"."""
    before, _ = around(text, start, start)
    cue = (
        r"\b(?:not|no|never|without|isn't|anything but|instead of|rather than|other than"
        r"|(?:do not|don't|not) (?:use|want|like|choose)|not using)"
    )
    return bool(
        re.search(rf"{cue}(?: (?:an?|the|any|in|at|really|too|very|so|much))*\s*$", before, re.I)
        or re.search(r"(?:不要|不是|不用|别|非|没有|无)\s*$", before)
    )


def settle(
    text: str,
    found: Iterable[tuple[Span, T]],
    thing: str,
    used: Callable[[T], str],
    *,
    refusal: Callable[[T], str] = lambda _: "",
    changing: Collection[Span] = (),
    otherwise: T | None = None,
) -> Reading[T]:
    """The one value for the whole piece among those that a text names, and notes on the others.

    The first one counts. Reported are others, those that can't be had, and those that are only
    named to be ruled out ("not in C major").

    found: where values are named, and the values, in the order of the text. thing: what they are,
    as notes call it: "key". used: says which one is used. refusal: why a value can't be had, "" if
    it can. changing: places that name a second value too. otherwise: what counts where none is
    named. The spans of the reading are the places that name a value to be used.
    """
    value: T | None = None
    notes: list[str] = []
    denied: list[tuple[str, T]] = []
    spans: list[Span] = []
    for span, one in found:
        said = text[slice(*span)].strip()
        if why := refusal(one):
            notes.append(f"'{said}': {why}")
        elif negated(text, span[0]):
            denied.append((said, one))
        else:
            spans.append(span)
            other = one != value if value is not None else span in changing
            value = one if value is None else value
            if other:
                notes.append(f"'{said}': one {thing} for the whole piece; {used(value)}")
    value = otherwise if value is None else value
    notes += [
        f"'{said}': a {thing} cannot be excluded; name the one to use"
        for said, no in denied
        if value in (None, no)
    ]
    return Reading(value, tuple(dict.fromkeys(notes)), tuple(spans))


def blank(text: str, spans: tuple[Span, ...]) -> str:
    """The text with these places overwritten, so that nobody reads them twice."""
    for start, end in spans:
        text = text[:start] + "\x00" * (end - start) + text[end:]
    return text


def by_first_letter(patterns: Iterable[str]) -> str:
    """The first of these patterns that fits, as "|" between them, where case is ignored.

    Each begins with a character that stands for itself, or with an escaped one. Of hundreds of
    names only those with the right first letter are tried, which is many times faster.
    """
    groups: dict[str, list[str]] = {}
    for pattern in patterns:
        cut = 2 if pattern.startswith("\\") else 1
        groups.setdefault(pattern[:cut].lower(), []).append(pattern[cut:])
    return "|".join(f"{head}(?:{'|'.join(tails)})" for head, tails in groups.items())


def overlaps(span: Span, others: tuple[Span, ...] | list[Span]) -> bool:
    """Whether a span shares a character with any of the others."""
    return any(span[0] < end and start < span[1] for start, end in others)


UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {w: n for n, w in enumerate(UNITS)} | {w: 20 + 10 * n for n, w in enumerate(_TENS)}
# Not the 4 of "3/4" or the 5 of "2.5"; but a number may follow a Chinese character.
DIGITS = (
    r"(?<![.0-9A-Za-z_])(?<![0-9]/)(?<![0-9]/\s)-?"
    r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+(?:\.[0-9]+)?)(?![0-9])"
)
# Loose, since it is compiled into many patterns: "one hundred and twenty", "thirty-two", "a dozen".
_WORD = rf"(?:{'|'.join((*_TENS, *reversed(UNITS)))}|hundred|dozen)"
WORD_NUMBER = (
    rf"(?:{LEFT}(?:an? (?=hundred|dozen))?{_WORD}(?:(?:-| (?:and )?){_WORD}){{0,3}}{RIGHT})"
)
HAN_NUMBER = "[零〇一二两三四五六七八九十百]{1,7}"
NUMBER = rf"(?:{DIGITS}|{WORD_NUMBER}|{HAN_NUMBER})"
RANGE = rf"(?P<n>{NUMBER})(?:\s*(?P<sep>-|~|to|or|至|到|或)\s*(?P<n2>{NUMBER}))?"


def number(text: str) -> float:
    """The value of what `NUMBER` matched: "120", "one hundred and twenty", "一百二十"."""
    text = text.strip().lower()
    if re.fullmatch(HAN_NUMBER, text):
        return float(han_number(text))
    if re.search("[a-z]", text):
        total = 0
        for word in re.split(r"[\s-]+", re.sub(r"^an?\b", "one", text)):
            factor = {"hundred": 100, "dozen": 12}.get(word, 0)
            total = (total or 1) * factor if factor else total + _VALUES.get(word, 0)
        return float(total)
    return min(float(text.replace(",", "")), LARGEST)


def in_range(match: re.Match[str]) -> float:
    """The number that a `RANGE` stands for: the middle of "8 to 16", the first of "8 or 16"."""
    first = number(match["n"])
    if not match["n2"] or match["sep"].lower() in ("or", "或"):
        return first
    return (first + abs(number(match["n2"]))) / 2


def han_number(text: str) -> int:
    """The value of a Chinese numeral: "一百二十" and the spoken "一百二" are 120."""
    # cn2an reads the same numerals, but no "百二十", and takes half a second to import.
    digits = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
    if not set(text) & set("十百"):
        return int("".join(str(digits[c]) for c in text[:9]))
    total, digit = 0, 0
    for c in text:
        if c in "十百":
            total += (digit or 1) * (10 if c == "十" else 100)
            digit = 0
        else:
            digit = digits[c]
    return total + digit * (10 if re.search("百[^零〇十百]$", text) else 1)


def shown(value: float) -> str:
    """A number as people write it: "96", "112.5"."""
    return f"{value:g}"


def quote(text: str) -> str:
    """A text as messages quote it, cut where it is long."""
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"
