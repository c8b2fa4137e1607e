"""Words for practice pieces: "for beginners", "grade 2", "five-finger position", "视奏"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from textmusic.language.reading.text import UNITS, Span, negated
from textmusic.music.grades import HIGHEST, LOWEST, instrument_of, instruments
from textmusic.music.plan import Plan
from textmusic.music.practice import WHITE_KEYS, Practice
from textmusic.music.theory import NATURAL_PITCH_CLASSES

_WORD = {word: n for n, word in enumerate(UNITS)}
_HAN = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8}
_GRADE = re.compile(
    r"(?<![\w-])(?:abrsm |trinity )?grade[\s-]?(?P<n>[1-9]|one|two|three|four|five|six|seven|eight)"
    r"(?![\w/.]*\d)\b|(?:钢琴|小提琴|长笛|吉他|声乐|考级|难度)?(?P<han>[一二三四五六七八1-8])级",
    re.IGNORECASE,
)
_MEANT = re.compile(
    r"\bfor (?:an? |the |(?:absolute|complete|total|young|adult|very|real) )*beginners?\b"
    r"|\b(?:absolute |complete )?beginner(?:'?s'?)? (?:level|piece|exercise|study|etude|practice)\b"
    r"|\bsight[\s-]?reading\b|\bpractice piece\b|初学者?|入门(?:练习|级)|视奏|练习曲?给初学者",
    re.IGNORECASE,
)
_FIVE = re.compile(
    r"\b(?:in (?:an? )?)?(?:five|5)[\s-]finger(?:ed)?(?: (?:hand )?(?:position|pattern)s?)?\b"
    r"|五指(?:位置|把位|手位)?",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\bleft[\s-]hand (?:(?:plays|has|with|in|only|just|of) )*(?:whole notes|semibreves)\b"
    r"(?: only)?|\b(?:whole notes|semibreves)(?: only)? (?:in|for) the left[\s-]hand\b"
    r"|左手(?:只?[弹用])?全音符",
    re.IGNORECASE,
)
_BLACK = re.compile(
    r"\b(?:no|without|avoid(?:ing)?) (?:any )?black keys\b|\b(?:only|just) (?:the )?white keys\b"
    r"|\bwhite keys only\b|(?:没有|不用|不要|无)黑键|只[用有弹]白键",
    re.IGNORECASE,
)
_NOTES = re.compile(
    r"\b(?:only|just)(?: the)?(?: notes)?(?: from)? (?P<a>[A-G]) ?(?:to|-|through) ?(?P<b>[A-G])\b"
    r"|\b(?:the )?notes? (?:from )?(?P<c>[A-G]) (?:to|through) (?P<d>[A-G]) only\b"
    r"|只?[用有]?从?(?P<e>[A-G])到(?P<f>[A-G])(?:的音)?",
)


@dataclass(frozen=True, slots=True)
class PracticeRead:
    """What a text says of practice. instrument: left open. spans: where it stands."""

    practice: Practice | None = None
    spans: tuple[Span, ...] = ()
    unused: tuple[str, ...] = ()


def read_practice(text: str) -> PracticeRead:
    """The limits that a text names. Grade 1 where it names a beginner and no grade."""
    spans: list[Span] = []
    notes: list[str] = []
    found: dict[str, re.Match[str]] = {}
    for name, pattern in (
        ("grade", _GRADE), ("meant", _MEANT), ("five", _FIVE), ("whole", _WHOLE),
        ("black", _BLACK), ("notes", _NOTES),
    ):  # fmt: skip
        match = pattern.search(text)
        if match and (name == "black" or not negated(text, match.start())):
            found[name] = match
            spans.append(match.span())
    if not found:
        return PracticeRead()
    grade = 1
    if "grade" in found:
        said = found["grade"]
        word = str(said["n"] or said["han"]).lower()
        grade = int(word) if word.isdigit() else _WORD.get(word) or _HAN[word]
        if not LOWEST <= grade <= HIGHEST:
            quoted = said[0].strip()
            notes.append(f"'{quoted}': practice pieces have grades {LOWEST} to {HIGHEST}; name one")
            return PracticeRead(None, tuple(spans), tuple(notes))
    only: tuple[int, ...] = WHITE_KEYS if "black" in found else ()
    if "notes" in found:
        only = _letters(found["notes"])
    practice = Practice("piano", grade, "five" in found, only, "whole" in found)
    return PracticeRead(practice, tuple(spans))


def _letters(match: re.Match[str]) -> tuple[int, ...]:
    """The white keys from one letter up to another: C to G -> C D E F G."""
    first, last = (letter for letter in match.groups() if letter)
    names = list(NATURAL_PITCH_CLASSES)
    start = names.index(first)
    count = (names.index(last) - start) % 7 + 1
    return tuple(sorted(NATURAL_PITCH_CLASSES[names[(start + n) % 7]] for n in range(count)))


def settled(
    practice: Practice | None, asked: Plan
) -> tuple[Practice | None, Plan, tuple[str, ...]]:
    """A practice piece of the asked instrument, the facts that it can have, and notes on others."""
    if practice is None:
        return None, asked, ()
    programs = asked.programs or (0,)
    instrument = instrument_of(programs[0]) if len(programs) == 1 else None
    if instrument is None:
        names = ", ".join(instruments())
        note = f"practice: its pieces are for one instrument ({names}); name one of them"
        return None, asked, (note,)
    practice = replace(practice, instrument=instrument)
    said = f"grade {practice.grade} {instrument}"
    if not practice.keys:
        return None, asked, (f"{said}: no key has enough of these notes; allow more of them",)
    left, notes = set(), []
    for name, known in (("key", practice.keys), ("time_signature", practice.limits.metres)):
        value = getattr(asked, name)
        if value is not None and value not in known:
            notes.append(f"'{value}': {said} does not have it; choose {', '.join(known)}")
            left.add(name)
    kept = replace(asked, **dict.fromkeys(left))
    return practice, kept, tuple(notes)
