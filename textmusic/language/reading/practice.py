"""Words for practice pieces: "for beginners", "grade 2", "five-finger position", "视奏"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from textmusic.language.reading.text import UNITS, Span, negated
from textmusic.music.grades import HIGHEST, LOWEST, instrument_of, instruments
from textmusic.music.plan import Plan
from textmusic.music.practice import WHITE_KEYS, Practice
from textmusic.music.theory import NATURAL_PITCH_CLASSES, NO_KEY, sharps, signature

_WORD = {word: n for n, word in enumerate(UNITS)}
_HAN = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8}
_GRADE = re.compile(
    r"(?<![\w-])(?:abrsm |trinity )?grade[\s-]?(?P<n>[1-9]|one|two|three|four|five|six|seven|eight)"
    r"(?![\w/.]*\d)\b|(?:考级|难度)?(?P<han>[一二三四五六七八1-8])级",
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
    """What a text says of practice, of whatever instrument. spans: where it stands.

    letters: the notes that it may have, as letters, which sound as the key has them.
    """

    practice: Practice | None = None
    letters: str = ""
    said: str = ""  # the first words of it
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
        match = found["grade"]
        word = str(match["n"] or match["han"]).lower()
        grade = int(word) if word.isdigit() else _WORD.get(word) or _HAN[word]
        if not LOWEST <= grade <= HIGHEST:
            quoted = match[0].strip()
            notes.append(f"'{quoted}': practice pieces have grades {LOWEST} to {HIGHEST}; name one")
            return PracticeRead(None, spans=tuple(spans), unused=tuple(notes))
    only: tuple[int, ...] = WHITE_KEYS if "black" in found else ()
    letters = _letters(found["notes"]) if "notes" in found else ""
    practice = Practice("piano", grade, "five" in found, only, "whole" in found)
    said = next(iter(found.values()))[0].strip()
    return PracticeRead(practice, letters, said, tuple(spans))


def _letters(match: re.Match[str]) -> str:
    """The letters from one up to another: "C to G" -> "CDEFG"."""
    first, last = (letter for letter in match.groups() if letter)
    names = list(NATURAL_PITCH_CLASSES)
    start = names.index(first)
    count = (names.index(last) - start) % 7 + 1
    return "".join(names[(start + n) % 7] for n in range(count))


def _sounding(letters: str, key: str | None) -> tuple[int, ...]:
    """The pitch classes of letters in a key: D to A in D major has an F sharp."""
    fifths = 0 if key is None or key == NO_KEY else sharps(key)
    changed = signature(fifths)
    return tuple(sorted((NATURAL_PITCH_CLASSES[c] + changed.get(c, 0)) % 12 for c in letters))


def settled(read: PracticeRead, asked: Plan) -> tuple[Practice | None, Plan, tuple[str, ...]]:
    """A practice piece of the asked instrument, the facts that it can have, and notes on others."""
    practice = read.practice
    if practice is None:
        return None, asked, ()
    programs = asked.programs or (0,)
    instrument = instrument_of(programs[0]) if len(programs) == 1 else None
    if instrument is None:
        names = ", ".join(instruments())
        note = f"'{read.said}': practice pieces are for one of {names}; name one of them"
        return None, asked, (note,)
    practice = replace(practice, instrument=instrument)
    if read.letters:
        practice = replace(practice, only=_sounding(read.letters, asked.key))
    said = f"grade {practice.grade} {instrument}"
    if not practice.keys:
        note = f"'{read.said}': no key of this grade has these notes; allow more of them"
        return None, asked, (note,)
    left, notes = set(), []
    for name, known in (("key", practice.keys), ("time_signature", practice.limits.metres)):
        value = getattr(asked, name)
        if value is not None and value not in known:
            notes.append(f"'{value}': {said} does not have it; choose {', '.join(known)}")
            left.add(name)
    kept = replace(asked, **dict.fromkeys(left))
    return practice, kept, tuple(notes)
