"""Several of one instrument ("two violins"), and one of several ("flute or violin").

A piece has one part for each instrument: `Plan.programs` is a set, and an id of the score names the
instrument that plays and no player. So what is counted is reported.
"""

from __future__ import annotations

import re
from dataclasses import replace

from textmusic.language.reading.terms import Named, name
from textmusic.language.reading.text import CJK, Span
from textmusic.music.theory import DRUMS

_N = (
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[2-9]|1[0-6]|(?:a )?pair of"
    r"|both|duell?ing|several|multiple|many|(?:a )?few|(?:first|1st) and (?:second|2nd)"
    r"|(?:(?:duet|duo|trio|quartet|quintet|sextet|octet)s? (?:for|of)(?: only| just)?"
    r"(?: two| three| four)?))"
)
_BEFORE = re.compile(
    rf"(?<![A-Za-z0-9/.,-])(?P<n>{_N})(?P<kind>\s+(?!(?:and|or|with|for|of|in|at|bars?|minutes?"
    r"|seconds?|different)\b)[a-z-]+)?\s+$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s+(?P<n>duets?|duos?|trios?|quartets?|quintets?|sextets?|octets?)\b"
    r"|\s+(?P<number>II|2)(?=\s*(?:$|[,;]|and\b|with\b))|\s+(?:parts|lines|voices|players)\b",
    re.IGNORECASE,
)
_HAN_BEFORE = re.compile(r"(?P<n>[两二三四五六2-6])[把支只架台个位部根管名]$|(?P<pair>双)$")
_HAN_AFTER = re.compile("[二三四五六两][重对]?[奏唱]|[二两三四]人")
# These are many by nature: sections, choirs, pads, drums.
_SECTIONS = frozenset((*range(44, 56), 61, 62, 63, *range(88, 128), DRUMS))
_OR = re.compile(
    r"\s*,?\s*(?:\bor\b|或者?是?|还是|要么|要不)\s*(?:(?:maybe|perhaps|possibly|else|even|just|an?"
    r"|the|some|solo|one|two|three|a pair of)\s+)*"
    r"(?:用|是)?(?:[一两二三四几][把支只架台个位部根管名件面张对])?",
    re.IGNORECASE,
)
_COMMA = re.compile(r"\s*[,/]\s*(?:(?:an?|the|some|solo)\s+)*", re.IGNORECASE)
_WITH_OR_WITHOUT = re.compile(
    r"\bwith(?:out)? or with(?:out)?\s+(?:(?:an?|the|any|some)\s+)*$", re.IGNORECASE
)
_OR_WITHOUT = re.compile(r"\s+or without(?: (?:it|them|one))?\b(?! \w)", re.IGNORECASE)


def read_several(text: str, playing: list[Named]) -> tuple[list[str], list[Span]]:
    """Notes on instruments of which more than one is asked for, and where they are counted."""
    notes: list[str] = []
    spans: list[Span] = []
    for named in playing:
        if named.term.kind == "ensemble" or not _SECTIONS.isdisjoint(named.term.programs):
            continue
        if span := _counted(text, named):
            single = name(named.term.programs[0])
            notes.append(
                f"'{text[slice(*span)].strip()}': each instrument has one part, so there is one for"
                f" {single}; it may play several notes at once"
            )
            spans.append(span)
    return notes, spans


def _counted(text: str, named: Named) -> Span | None:
    """The place of an instrument with the words that count it; None if it is one."""
    start, end = named.span
    said = text[start:end]
    if said.isascii():
        before, after = _BEFORE.search(text[:start]), _AFTER.match(text, end)
        plural = said.lower().endswith("s") or after is not None
        if re.search(r"[\s-](?:duo|quartet)s?$", said.lower()):
            return named.span
        if before and plural:
            return before.start("n"), end
        if after and (after["n"] or after["number"]):
            return start, after.end()
        return None
    if before := _HAN_BEFORE.search(text[:start]):
        return before.start(), end
    after = _HAN_AFTER.match(text, end)
    return (start, after.end()) if after else None


def chosen(text: str, found: list[Named]) -> tuple[list[Named], list[str]]:
    """What is left of choices, and which was taken: of "flute or violin" the flute.

    Of "flute, oboe or violin" it is the first of three. "With or without drums" is left open.
    """
    found, notes = _left_open(text, found)
    runs: list[list[int]] = []
    for i in range(len(found) - 1):
        one, two = found[i], found[i + 1]
        gap = text[one.span[1] : two.span[0]]
        if one.negated or two.negated or one.left_out or not _OR.fullmatch(gap):
            continue
        if runs and runs[-1][-1] == i:
            runs[-1].append(i + 1)
        else:
            runs.append([*_listed(text, found, i), i, i + 1])
    for run in runs:
        first, last = found[run[0]], found[run[-1]]
        taken = text[slice(*first.span)]
        both = "和" if re.search(f"[{CJK}]", taken) else "and"
        notes.append(
            f"'{text[first.span[0] : last.span[1]]}': a choice, of which '{taken}' is taken; write"
            f" '{both}' to have all of them"
        )
        for i in run[1:]:
            found[i] = replace(found[i], left_out=True)
    return found, notes


def _listed(text: str, found: list[Named], last: int) -> list[int]:
    """The instruments before one in a list with commas: the flute before "oboe or violin"."""
    listed: list[int] = []
    for i in range(last - 1, -1, -1):
        if found[i].negated or not _COMMA.fullmatch(text[found[i].span[1] : found[i + 1].span[0]]):
            break
        listed.insert(0, i)
    return listed


def _left_open(text: str, found: list[Named]) -> tuple[list[Named], list[str]]:
    notes: list[str] = []
    opened = []
    for named in found:
        before = _WITH_OR_WITHOUT.search(text[: named.span[0]])
        after = _OR_WITHOUT.match(text, named.span[1])
        if before or after:
            start = before.start() if before else named.span[0]
            said = text[start : after.end() if after else named.span[1]]
            notes.append(f"'{said}': the model chooses; name it to have it")
            named = replace(named, negated=False, left_out=True)
        opened.append(named)
    return opened, notes
