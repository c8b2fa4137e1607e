"""Chords: "chords Am F C G", "| Dm7 G7 | Cmaj7 |", "ii-V-I", "1645和弦", "12-bar blues"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from textmusic.errors import TextMusicError
from textmusic.language.reading.chord_key import key_of_chords
from textmusic.language.reading.numerals import (
    LOSSY,
    NAMED,
    NUMERAL,
    chords_of,
    degrees,
    numeral_name,
    outline_of,
)
from textmusic.language.reading.text import RIGHT, Reading, Span, negated, overlaps, prepare
from textmusic.music.chords import QUALITIES, Chord, chord_name, parse_symbol
from textmusic.music.sketch import Outline


@dataclass(frozen=True, slots=True)
class FoundOutline:
    """What was read. said: its words. shared: places that are left to other readers too."""

    outline: Outline
    said: str
    shared: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    """A chord or what stands for one.

    kind: "chord", "numeral", "odd" (no chord), "again" (%) or "rest" (N.C.).
    """

    start: int
    end: int
    kind: str
    said: str
    spelled: bool = False  # "A minor" rather than "Am"


_SPELLED = (
    r"[A-G](?:#|b|[ -](?:sharp|flat))?[ -](?:major|minor|diminished|augmented|dominant)"
    r"(?:[ -]?(?:7th|seventh|7))?"
)
_BODY = r"(?:[A-Za-z0-9#+°øΔ△]|\([a-z0-9#+-]{1,6}\)|-(?=(?:6|7|9|11|13)(?![0-9./])))*"
_TOKEN = re.compile(
    r"(?<=[\s|])(?P<rest>N\.C\.)(?=[\s|]|$)"
    rf"|(?<![A-Za-z0-9_#'.])(?:(?P<spelled>{_SPELLED})|(?P<numeral>{NUMERAL})"
    rf"|(?P<symbol>[A-Z]{_BODY}(?:/9)?(?:/[A-G][#b]?)?))(?![A-Za-z0-9_#'])"
    r"|(?<=[\s|])(?P<again>%)(?=[\s|])"
)
_GAP = re.compile(r"(?:\s;\s|\s|=>|->|[-,、>→&/]|:?\|+:?|\band\b|和|然后|到)++")
_CUE_BEFORE = re.compile(
    r"(?:\b(?:(?:chord|harmonic)[\s-](?:progressions?|changes|sequences?|loops?|patterns?|cycle)"
    r"|chords?|(?:the|these|with|over) changes|progressions?|harmony|harmonies|turnaround|vamp)"
    r"|和弦(?:进行|走向|序列|循环)?|和声(?:进行)?|(?:和弦)?走向|进行)"
    r"(?P<mark>(?:\s*(?:[:=,;-]|\b(?:is|are|of|as|like|being|go|goes)\b|[为是用走]))*)\s*\|?\s*$",
    re.IGNORECASE,
)
_CUE_AFTER = re.compile(
    r"[\s|-]*(?:(?:chord[\s-])?(?:progressions?|changes|sequence|loop|turnaround|vamp|cadence)"
    rf"|chords?){RIGHT}|\s*(?:的)?(?:和弦(?:进行|走向|循环)?|和声进行|走向|进行)",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:\b(?:with|over|on|in|using|to|following|around|based on|built on|of|has|uses?|and|plus"
    r"|repeating|looping)\s+)?"
    r"(?:\b(?:the|an?|these|this|its|following|simple|repeating|repeated|classic|famous|basic|pop"
    r"|standard|four[\s-]chord|looping|loop of)\s+)*$",
    re.IGNORECASE,
)
_HAN_LEAD = re.compile(r"(?:使用|采用|用|以|按|按照|基于)\s*$")
# Letters that are no chords: the notes C E G, strings tuned to D A D G A D, pieces in Am and Em.
_OTHER_LETTERS = re.compile(
    r"\b(?:notes?|scales?|pitch(?:es)?|tun(?:ing|ed to)|strings?|keys?(?: of)?|letters?|in|motif)"
    r"[\s:]*$",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:acts?|movements?|parts?|chapters?|vol(?:ume)?s?|books?|war|scenes?|type|phase)\.?\s*$",
    re.IGNORECASE,
)
# After a chord named A or a numeral I that ends a sequence; another word makes it an article.
_GOES_ON = re.compile(
    r"(?! [A-Za-z'])|\s(?:in|with|at|for|and|on|over|played|by|as|to|then|chords?|progression"
    r"|loop\w*|repeat\w*|throughout|please|piano|guitar)\b",
    re.IGNORECASE,
)
_LOWER = re.compile(
    r"[a-g][#b]?(?:m|min|maj7?|m7|min7|7|dim|sus[24])?"
    r"(?:[\s,-]+[a-g][#b]?(?:m|min|maj7?|m7|min7|7|dim|sus[24])?){2,}(?![A-Za-z0-9#'])"
)
_DIGITS = re.compile(r"(?<![0-9A-Za-z./])[1-7](?:[\s,-]*[1-7]){2,}(?![0-9./]|\s*(?:bars?|bpm|/))")
_POWER = re.compile(r"[A-G][#b]?5")
# Symbols of which the nearest quality leaves something out that one would hear.
_LOSSY = re.compile(r"add|6|9|11|13|alt|mM|[m-]\s?\(?maj|[b#+-]5|7[+]|\+7|aug7|7sus")
_WHOLE = ("dim", "hdim7", "dim7", "aug")  # of which nothing is left out, a flat fifth included
_WITH_NUMERALS = {"numeral", "again", "rest"}
_WORDS = {
    "major": "", "minor": "m", "diminished": "dim", "augmented": "aug", "dominant": "",
}  # fmt: skip


def read_progression(text: str) -> Reading[FoundOutline]:
    """The chords of a prepared text, as an `Outline` without a form (rhythm changes have one).

    The first progression is taken, others are reported. Several chords between two bar lines share
    a bar; else each chord has its own. Slash basses and tones beyond the seventh are reported, and
    so is what is no chord among chords ("Am H7x C").
    """
    found: list[tuple[Span, FoundOutline, tuple[str, ...]]] = []
    for named in NAMED:
        for match in re.finditer(named.pattern, text, re.IGNORECASE):
            if negated(text, match.start()) or overlaps(match.span(), [f[0] for f in found]):
                continue
            span = match.span() if named.shared else _widened(text, *match.span())
            shared = (span,) if named.shared else ()
            found.append((span, FoundOutline(outline_of(named), match[0].strip(), shared), ()))
    for span, one, notes in _sequences(text):
        if not overlaps(span, [f[0] for f in found]):
            found.append((span, one, notes))
    if not found:
        return Reading()
    found.sort(key=lambda item: (bool(item[1].shared), item[0]))  # chords before a form's name
    _, first, notes = found[0]
    notes += tuple(
        f"'{other.said}': one progression for the whole piece; '{first.said}' is used"
        for _, other, _ in found[1:]
        if other.outline.chords != first.outline.chords and not other.shared
    )
    return Reading(first, tuple(dict.fromkeys(notes)), tuple(span for span, _, _ in found))


def parse_chords(said: str) -> Outline:
    """Chords in any spelling ("Am F C G", "ii-V-I", "| Dm7 G7 | C |", "卡农和弦") -> an outline.

    Raises TextMusicError, with the nearest, for what is no chord.
    """
    text = prepare(said)
    for named in NAMED:
        if re.fullmatch(rf"(?:the )?(?:{named.pattern})(?: progression)?", text, re.IGNORECASE):
            return outline_of(named)
    reading = read_progression(f"chords: {text}")
    odd = next((note for note in reading.unused if " is not a known chord" in note), None)
    if odd:
        raise TextMusicError(odd)
    rest = f"chords: {text}"
    for start, end in reading.spans:
        rest = rest[:start] + " " * (end - start) + rest[end:]
    if reading.value and len(reading.spans) == 1:
        left = re.sub(r"\b(?:chords?|progression|loop)\b|[\s,;:|.-]", "", rest)
        if not left:
            return reading.value.outline
        raise TextMusicError(_no_chord(re.split(r"[\s,|-]+", rest.strip(" ,|-"))[0]))
    words = [word for word in re.split(r"[\s,|-]+", text) if word]
    if 1 <= len(words) <= 12 and any(parse_symbol(w[:1].upper() + w[1:]) for w in words):
        wrong = next((w for w in words if not parse_symbol(w[:1].upper() + w[1:])), None)
        if wrong:
            raise TextMusicError(_no_chord(wrong))
        return parse_chords(" ".join(w[:1].upper() + w[1:] for w in words))
    raise TextMusicError(
        f"'{text[:40]}' is not a known chord progression; write e.g. 'Am F C G', '| Dm7 G7 | Cmaj7"
        " |' or 'I-V-vi-IV'."
    )


# Finding sequences --------------------------------------------------------------------------------


def _sequences(text: str) -> Iterator[tuple[Span, FoundOutline, tuple[str, ...]]]:
    """Sequences of chords: their place with the words around them, and notes on them."""
    taken: list[Span] = []
    for run in _runs(text):
        run = _trimmed(text, run)
        if run and _is_progression(text, run):
            taken.append((run[0].start, run[-1].end))
            outline, notes = _outline(text, run)
            said = text[run[0].start : run[-1].end]
            yield _widened(text, *taken[-1]), FoundOutline(outline, said), notes
    for match in _DIGITS.finditer(text):
        if _cued(text, *match.span()) and not overlaps(match.span(), taken):
            digits = re.sub(r"\D", "", match[0])
            outline = Outline(chords=degrees(digits), relative=True, minor=False)
            yield _widened(text, *match.span()), FoundOutline(outline, match[0]), ()
    for match in _LOWER.finditer(text):
        if _CUE_BEFORE.search(text[: match.start()]) and not overlaps(match.span(), taken):
            words = [w[0].upper() + w[1:] for w in re.split(r"[\s,-]+", match[0])]
            symbols = [parse_symbol(word) for word in words]
            chords = tuple((symbol[0],) for symbol in symbols if symbol)
            yield _widened(text, *match.span()), FoundOutline(Outline(chords=chords), match[0]), ()


def _runs(text: str) -> Iterator[list[_Token]]:
    """Tokens that follow each other with nothing but separators between them."""
    run: list[_Token] = []
    for match in _TOKEN.finditer(text):
        token = _token(match)
        if token is None:
            continue
        if run and not (_GAP.fullmatch(text[run[-1].end : token.start]) and _goes_with(run, token)):
            yield run
            run = []
        run.append(token)
    if run:
        yield run


def _token(match: re.Match[str]) -> _Token | None:
    start, end = match.span()
    said = match[0]
    if match["again"]:
        return _Token(start, end, "again", said)
    if match["rest"]:
        return _Token(start, end, "rest", said)
    if match["spelled"]:
        return _Token(start, end, "chord", _symbol(said), spelled=True)
    if match["numeral"]:
        return _Token(start, end, "numeral", said)
    said = re.sub("major", "maj", re.sub("minor", "m", said))
    if parse_symbol(said) or _POWER.fullmatch(said):
        return _Token(start, end, "chord", said)
    if re.fullmatch(r"[A-Z][#b]?(?:[a-z]{0,4}\d\w{0,4}|m|)", said):
        return _Token(start, end, "odd", said)
    return None


def _symbol(spelled: str) -> str:
    """ "A flat minor seventh" -> "Abm7"."""
    letter, *words = re.split(r"[ -]", spelled)
    seventh = re.search(r"7|seventh", spelled) is not None
    accidental = "".join({"sharp": "#", "flat": "b"}.get(word, "") for word in words)
    quality = next((_WORDS[word] for word in words if word in _WORDS), "")
    if seventh:
        quality += "maj7" if "major" in words else "7"
    return letter + accidental + quality


def _goes_with(run: list[_Token], token: _Token) -> bool:
    kinds = {t.kind for t in run}
    if token.kind == "numeral" or "numeral" in kinds:
        return token.kind in _WITH_NUMERALS and kinds <= _WITH_NUMERALS
    return True


def _trimmed(text: str, run: list[_Token]) -> list[_Token]:
    """Without what only stands beside the chords: the key, an article, letters of other things."""
    if not all(token.spelled for token in run if token.kind == "chord"):
        while run and run[0].spelled:
            run = run[1:]
        while run and run[-1].spelled:
            run = run[:-1]
    while run and run[0].kind in ("odd", "again") and not _CUE_BEFORE.search(text[: run[0].start]):
        run = run[1:]
    while run and run[-1].kind == "odd" and not re.search(r"\d", run[-1].said):
        run = run[:-1]
    if len(run) > 1 and run[-1].said in ("A", "I"):
        spaced = text[run[-2].end : run[-1].start].isspace()
        if spaced and not _GOES_ON.match(text, run[-1].end):
            run = run[:-1]
    return run


def _cued(text: str, start: int, end: int) -> bool:
    return bool(_CUE_BEFORE.search(text[:start]) or _CUE_AFTER.match(text, end))


def _is_progression(text: str, run: list[_Token]) -> bool:
    start, end = run[0].start, run[-1].end
    before = text[:start]
    if negated(text, _widened(text, start, end)[0]):
        return False
    chords = [token for token in run if token.kind in ("chord", "numeral")]
    if not chords:
        return False
    cue = _CUE_BEFORE.search(before)
    if len(chords) == 1:
        said = cue is not None and re.search("[:=]", cue["mark"]) is not None
        return said and not chords[0].spelled and len(run) <= 2
    if cue or _CUE_AFTER.match(text, end) or "|" in text[max(start - 2, 0) : end + 2]:
        return True
    gaps = [text[a.end : b.start] for a, b in pairwise(run)]
    if any(token.kind == "numeral" for token in run):
        return _are_harmonies(before, [t.said for t in chords], gaps)
    listed = any(gap.strip() == "/" for gap in gaps) and len(chords) == 2  # "Am/F/C/G"
    if (
        (len(chords) < 3 and not listed)
        or any(token.spelled for token in run)
        or _OTHER_LETTERS.search(before)
    ):
        return False
    if all(re.fullmatch(r"[A-G][#b]?\d", token.said) for token in run):  # C4 E4 G4 are pitches
        return all(token.said.endswith("7") for token in run)
    return any(re.fullmatch(r"[A-G][#b]?", token.said) is None for token in chords)


def _are_harmonies(before: str, said: list[str], gaps: list[str]) -> bool:
    """Whether numerals without a word for chords are chords: not "movements I-III"."""
    dashes = all("-" in gap or ">" in gap or "→" in gap for gap in gaps)
    if len(said) == 2:
        return dashes and said[0].startswith(("ii", "iv")) and said[1].startswith(("V", "I", "i"))
    if _COUNTED.search(before) or len(set(said)) < 2:
        return False
    order = ["I", "II", "III", "IV", "V", "VI", "VII"]
    if [one.upper() for one in said] == order[: len(said)]:
        return False
    mixed = any(one != one.upper() or one[-1] == "7" for one in said)
    return mixed or dashes or said[0] == "I"


def _outline(text: str, run: list[_Token]) -> tuple[Outline, tuple[str, ...]]:
    """The chords of a sequence, bar by bar, and notes on what of them is left out."""
    start, end = run[0].start, run[-1].end
    gaps = [text[a.end : b.start] for a, b in pairwise(run)]
    lined = "|" in text[start:end] or "|" in text[max(start - 2, 0) : start]
    listed = any(gap.strip() == "/" for gap in gaps)  # "Am/F/C/G" are four chords
    bars: list[list[str]] = [[]]
    odd: list[str] = []
    for token, gap in zip(run, ["", *gaps], strict=True):
        if bars[-1] and (not lined or "|" in gap):
            bars.append([])
        if token.kind == "again":
            bars[-1] = list(bars[-2]) if len(bars) > 1 else []
        elif token.kind == "odd":
            odd.append(token.said)
        else:
            bars[-1] += re.split(r"/(?=[A-G])", token.said) if listed else [token.said]
    rests = tuple(dict.fromkeys(token.said for token in run if token.kind == "rest"))
    bars = _through_rests([bar for bar in bars if bar], rests)
    if not lined:
        bars = [[one] for bar in bars for one in bar]
    notes = tuple(_no_chord(said) for said in odd)
    notes += tuple(f"'{said}': the chord before it goes on" for said in rests)
    if any(token.kind == "numeral" for token in run):
        chords, minor = chords_of(bars)
        said = [one for bar in bars for one in bar if LOSSY.search(one)]
        notes += _nearest(said, [numeral_name(chords_of([[one]])[0][0][0], minor) for one in said])
        return Outline(chords=chords, relative=True, minor=minor), notes
    symbols = [[_read_symbol(one) for one in bar] for bar in bars]
    every = [one for bar in bars for one in bar]
    lossy = [one for one in every if _is_lossy(one)]
    notes += _nearest(lossy, [chord_name(_read_symbol(one)[0], "C major") for one in lossy])
    basses = list(dict.fromkeys(one for one in every if _read_symbol(one)[1] is not None))
    if basses:
        quoted = ", ".join(f"'{one}'" for one in basses)
        notes += (
            f"{quoted}: the chord is used without the bass after the slash, which is not supported",
        )
    return Outline(chords=tuple(tuple(c for c, _ in bar) for bar in symbols)), notes


def _through_rests(bars: list[list[str]], rests: tuple[str, ...]) -> list[list[str]]:
    """The chords of bars; one that only rests takes the last before it, or the first after it."""
    sounding = [[one for one in bar if one not in rests] for bar in bars]
    before = next(bar[0] for bar in sounding if bar)
    for index, bar in enumerate(sounding):
        sounding[index] = bar or [before]
        before = sounding[index][-1]
    return sounding


def _read_symbol(said: str) -> tuple[Chord, int | None]:
    symbol = parse_symbol(said) or parse_symbol(said[:-1])  # E5 has no third; E is nearest
    assert symbol is not None
    return symbol


def _is_lossy(said: str) -> bool:
    whole = _read_symbol(said)[0].quality in _WHOLE
    return not whole and bool(_LOSSY.search(said.split("/")[0]) or _POWER.fullmatch(said))


def _nearest(said: Sequence[str], used: Sequence[str]) -> tuple[str, ...]:
    pairs = dict(zip(said, used, strict=True))
    if not pairs:
        return ()
    quoted = ", ".join(f"'{one}'" for one in pairs)
    which = "the nearest known chords" if len(pairs) > 1 else "the nearest known chord"
    return (f"{quoted}: read as {', '.join(pairs.values())}, {which}",)


def _no_chord(said: str) -> str:
    """What is no chord, with the nearest that is one."""
    likely = f"B{said[1:]}" if said[:1] in "Hh" else said[:1].upper() + said[1:]
    for end in range(len(likely), 0, -1):
        if parse_symbol(likely[:end]) and likely[end - 1] not in "o-":
            return f"'{said[:40]}' is not a known chord; did you mean '{likely[:end]}'?"
    known = ", ".join(f"'C{written}'" for _, written in QUALITIES.values())
    return f"'{said[:40]}' is not a known chord; did you mean one like {known}?"


def _widened(text: str, start: int, end: int) -> Span:
    """The place of chords with the words that only introduce them: "with the chords ..."."""
    if after := _CUE_AFTER.match(text, end):
        end = after.end()
    if bar := re.match(r"\s*:?\|+", text[end:]):
        end += bar.end()
    if cue := _CUE_BEFORE.search(text[:start]):
        start = cue.start()
    elif bar := re.search(r"\|+:?\s*$", text[:start]):
        start = bar.start()
    for lead in (_LEAD, _HAN_LEAD):
        if match := lead.search(text[:start]):
            start = match.start()
    return start, end


__all__ = ["FoundOutline", "key_of_chords", "parse_chords", "read_progression"]
