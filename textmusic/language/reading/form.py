"""The form: "AABA", "verse chorus verse chorus", "rondo", "主歌副歌", and how a piece ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from textmusic.errors import TextMusicError
from textmusic.language.reading.progression import FoundOutline
from textmusic.language.reading.text import RIGHT, Reading, Span, negated, overlaps, prepare
from textmusic.music.chords import Chord, parse_symbol
from textmusic.music.sketch import Outline

MAX_SECTIONS = 32
# What the sections are called in `Outline.names`, and how they are written.
SECTIONS = {
    "intro": r"intros?|introduction|前奏|引子",
    "pre-chorus": r"pre[\s-]?chorus|导歌|预副歌",
    "verse": r"verses?|主歌",
    "chorus": r"chorus(?:es)?|refrains?|副歌",
    "bridge": r"bridge|middle eight|middle 8|桥段|桥",
    "interlude": r"interlude|间奏",
    "solo": r"solo(?! \w)",
    "breakdown": r"break-?down",
    "outro": r"outro|coda|ending|尾奏|尾声|结尾",
}
CHINESE_SECTIONS = {
    "intro": "前奏", "pre-chorus": "导歌", "verse": "主歌", "chorus": "副歌", "bridge": "桥段",
    "interlude": "间奏", "solo": "独奏", "breakdown": "间歇", "outro": "尾奏",
}  # fmt: skip
_SECTION = "|".join(rf"(?P<{name.replace('-', '_')}>{words})" for name, words in SECTIONS.items())
_ONE = re.compile(
    rf"(?<![A-Za-z0-9_])(?:{_SECTION})(?:\s?[1-4](?![0-9/.-]|\s*bars?))?(?![A-Za-z0-9_])",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"(?:\s|->|=>|[-,、>→/+&|]|\b(?:and|then|an?|the|another|final|last|to)\b"
    r"|接|和|与|加|到|再|然后|最后|、)*",
    re.IGNORECASE,
)
_NOUN = r"(?:(?:song[\s-])?(?:form|structure|layout)|arrangement|曲式|结构|形式|段式)"
_CUE_AFTER = re.compile(rf"[\s-]*(?:的)?{_NOUN}(?![A-Za-z])", re.IGNORECASE)
_CUE_BEFORE = re.compile(
    r"(?:\b(?:(?:song[\s-])?(?:form|structure)|sections?)|曲式|结构|段落)"
    r"(?:\s*(?:[:=,-]|;|\b(?:is|of|as)\b|[为是]))*\s*$",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:\b(?:in|with|using|has|having|and|as|of|following)\s+)?"
    r"(?:\b(?:the|an?|its|simple|classic|standard|typical|clear)\s+)*$",
    re.IGNORECASE,
)
_HAN_LEAD = re.compile(r"(?:使用|采用|用|以|按|按照)\s*$")
_LETTERS = re.compile(
    r"(?<![A-Za-z0-9_#'])(?:(?:[A-E]'?){3,}|[A-E]'?(?:(?:\s?[-,/|]\s?|\s)[A-E]'?){1,}|[A-E]{2})"
    r"(?![A-Za-z0-9_#'])"
)
_SMALL = re.compile(r"(?<![A-Za-z0-9_#'])[a-e]{3,12}(?![A-Za-z0-9_#'])")
_TIMES = re.compile(rf"\s*(?:[x×*]\s?(?P<n>[2-4])|(?P<twice>twice)){RIGHT}", re.IGNORECASE)
# Forms with a name; `True`: the words name a genre or a length too, and are left to their readers.
_NAMED = (
    (r"\b(?:32|thirty[\s-]two)[\s-]bars? (?:song )?form", "AABA", True),
    (r"\brondos?\b(?: form)?|[回迴]旋曲式?", "ABACA", True),
    (r"\b(?:simple )?binary[\s-](?:form|structure)|[二两]段(?:曲)?式|[二两]部曲式|[二两]段体", "AB",
     False),
    (r"\b(?:simple )?ternary[\s-](?:form|structure)|三段(?:曲)?式|三部曲式|三段体", "ABA", False),
)  # fmt: skip
_CHOIR = re.compile(
    r"(?:\bmale|women's|\bmen's|children's|\bmixed|boys'?|choir)\s+$", re.IGNORECASE
)
_FINAL = r"(?:ends?|ending|ended|finish(?:es|ing)?|clos(?:es?|ing)|concludes?|concluding|stops?)"
_HALF = (
    rf"\b{_FINAL} (?:it )?(?:up(?:on)?|on|with|in|at) (?:an? |the )?(?:open |unresolved )?"
    r"(?:dominant(?P<seven>[\s-](?:seventh|7th|7))?(?: chord)?|(?-i:V)(?P<seven2>7)?(?: chord)?"
    r"|half[\s-](?:cadence|close)|imperfect cadence)(?![A-Za-z0-9])(?! key)",
    r"\b(?:an? |final )?half[\s-](?:cadence|close)(?: at the end)?(?![A-Za-z])",
    r"(?:(?:最后|结尾)?(?:停|结束|终止|收束|落)在?属(?P<seven>七)?和弦(?:上)?|以属七?和弦(?:结束|收尾"
    r"|结尾|终止)|以V(?P<seven2>7)?(?:和弦)?(?:结束|收尾|结尾|终止)|半终止)",
)
# A chord by its symbol. A letter alone may be a note, a section or an article: see `read_last`.
_SYMBOL = r"(?P<chord>(?-i:[A-G][A-Za-z0-9#+°øΔ△]*))"
_LAST = (
    rf"\b{_FINAL} (?:it )?(?P<on>up(?:on)?|on|with) (?:an? |the )?{_SYMBOL}(?P<word>[\s-]chord)?"
    r"(?![A-Za-z0-9#+/-])(?! (?:major|minor|flat|sharp|dim|aug|dominant|seventh|7th))",
    rf"(?:最后|结尾)?(?:(?:停|结束|终止|收束|落)[在于]|(?P<with>以)){_SYMBOL}(?P<word>和弦)?上?"
    r"(?(with)(?:结束|收尾|结尾|终止))",
)


def read_form(text: str) -> Reading[FoundOutline]:
    """The form of a prepared text, and the last chord where it is said to end on the dominant.

    Letters are a form where they come back ("ABA", "A A B A", not "A B C") or where they are called
    one; names of sections where at least two follow each other. The first form is taken.
    """
    found = list(_forms(text))
    ending = _ending(text)
    if not found and ending is None:
        return Reading()
    found.sort(key=lambda item: item[0])
    spans = [span for span, _ in found]
    outline, said, shared = Outline(), "", tuple(s for _, one in found for s in one.shared)
    notes: list[str] = []
    if found:
        # What is named rather than implied by a genre comes first: "a rondo, ABACABA".
        first = min(found, key=lambda item: bool(item[1].shared))[1]
        outline, said = first.outline, first.said
        notes += [
            f"'{one.said}': one form for the whole piece; '{said}' is used"
            for _, one in found
            if one.outline.form != outline.form and not one.shared
        ]
    if ending is not None:
        span, last = ending
        spans.append(span)
        outline = Outline(form=outline.form, names=outline.names, last=last)
    return Reading(FoundOutline(outline, said, shared), tuple(dict.fromkeys(notes)), tuple(spans))


def read_last(text: str) -> Reading[Chord]:
    """The chord, as it sounds, that a prepared text lets the piece end on: "ends on G7".

    A letter alone is one where it is called a chord or ends the clause: not "ends with A bang".
    """
    for pattern in _LAST:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            symbol = parse_symbol(match["chord"])
            alone = len(match["chord"]) == 1 and not match["word"]
            ends = re.match(r"\s*(?:$|[,;.!?)])", text[match.end() :])
            if symbol is None or (alone and (match.groupdict().get("on") == "with" or not ends)):
                continue
            if not negated(text, match.start()):
                return Reading(symbol[0], (), (_led_to(text, *match.span()),))
    return Reading()


def parse_form(said: str) -> Outline:
    """A form in any spelling ("AABA", "verse chorus verse", "rondo", "主歌副歌") -> an outline.

    Raises TextMusicError for what is none.
    """
    text = prepare(said)
    letters = re.sub(r"[\s,'/|-]", "", text).upper()
    inside = re.fullmatch(r"[A-H]{1,64}", letters) is not None
    if inside and (not re.search("[a-z]", text) or _relettered(letters) == tuple(letters)):
        form = _relettered(letters)
    else:
        reading = read_form(f"form: {text}" if _SMALL.fullmatch(text) else text)
        place = reading.spans[0] if len(reading.spans) == 1 else (0, 0)
        rest = re.sub(_NOUN + r"|[\s.,:;]|\b(?:an?|the)\b", "", text[: place[0]] + text[place[1] :])
        if reading.value is None or rest:
            names = ", ".join(SECTIONS)
            raise TextMusicError(
                f"'{text[:40]}' is not a known form; write letters such as AABA, sections such as"
                f" 'verse chorus' (at most {MAX_SECTIONS}, from {names}), 'rondo', 'binary form' or"
                " 'ternary form'."
            )
        return reading.value.outline
    if len(form) > MAX_SECTIONS:
        raise TextMusicError(
            f"a form of {len(form)} sections is too long; use at most {MAX_SECTIONS}."
        )
    return Outline(form=form)


def _relettered(letters: str) -> tuple[str, ...]:
    """The same form with its letters in the order of the alphabet: "BABA" is "ABAB"."""
    order = "".join(dict.fromkeys(letters))
    return tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[order.index(letter)] for letter in letters)


def _forms(text: str) -> Iterator[tuple[Span, FoundOutline]]:
    taken: list[Span] = []
    for pattern, letters, is_shared in _NAMED:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            if not negated(text, match.start()) and not overlaps(match.span(), taken):
                taken.append(match.span())
                span = match.span() if is_shared else _widened(text, *match.span())
                shared = (span,) if is_shared else ()
                yield span, FoundOutline(Outline(form=tuple(letters)), match[0], shared)
    for match in (*_LETTERS.finditer(text), *_SMALL.finditer(text)):
        letters = re.sub("[^A-E]", "", match[0].upper())
        cue = bool(_CUE_BEFORE.search(text[: match.start()]) or _CUE_AFTER.match(text, match.end()))
        if not _is_form(letters, match[0], cue) or overlaps(match.span(), taken):
            continue
        if not negated(text, _widened(text, *match.span())[0]) and len(letters) <= MAX_SECTIONS:
            taken.append(match.span())
            yield (
                _widened(text, *match.span()),
                FoundOutline(Outline(form=tuple(letters)), match[0]),
            )
    yield from _sections(text)


def _is_form(letters: str, said: str, cue: bool) -> bool:
    """Whether letters are a form: a first, then b, ...; they come back, or are called a form."""
    if _relettered(letters) != tuple(letters) or len(set(letters)) < 2:
        return False
    if cue:
        return True
    band = letters == "ABBA" and len(said) == 4
    return said[0].isupper() and len(letters) > len(set(letters)) and not band


def _sections(text: str) -> Iterator[tuple[Span, FoundOutline]]:
    run: list[tuple[Span, str]] = []
    for match in (*_ONE.finditer(text), None):
        if match is not None and (
            not run or _BETWEEN.fullmatch(text, run[-1][0][1], match.start())
        ):
            run.append((match.span(), _name(match)))
            continue
        if found := _section_form(text, run):
            yield found
        run = [] if match is None else [(match.span(), _name(match))]


def _name(match: re.Match[str]) -> str:
    assert match.lastgroup is not None
    return match.lastgroup.replace("_", "-")


def _section_form(text: str, run: list[tuple[Span, str]]) -> tuple[Span, FoundOutline] | None:
    """Sections that follow each other, as a form; None if they are only spoken of."""
    while run and run[0][1] in ("solo", "breakdown", "interlude"):
        run = run[1:]
    if run and run[0][1] == "chorus" and _CHOIR.search(text[: run[0][0][0]]):
        run = run[1:]
    while run and run[-1][1] == "solo":
        run = run[:-1]
    names = [name for _, name in run]
    if len(set(names)) < 2 or not {"verse", "chorus"} & set(names):
        return None
    start, end = run[0][0][0], run[-1][0][1]
    if negated(text, start) or re.match(r"[\s-]+(?:pedal|effects?|sections?)\b", text[end:]):
        return None
    said = text[start:end]
    if times := _TIMES.match(text, end):
        names, end = names * int(times["n"] or 2), times.end()
    if len(names) > MAX_SECTIONS:
        return None
    letters = _relettered("".join("ABCDEFGHI"[list(SECTIONS).index(name)] for name in names))
    return _widened(text, start, end), FoundOutline(Outline(form=letters, names=tuple(names)), said)


def _ending(text: str) -> tuple[Span, Chord] | None:
    for pattern in _HALF:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            if negated(text, match.start()):
                continue
            groups = match.groupdict()
            seventh = groups.get("seven") or groups.get("seven2") or "属七" in match[0]
            return _led_to(text, *match.span()), Chord(7, "7" if seventh else "maj")
    return None


def _led_to(text: str, start: int, end: int) -> Span:
    """The place of an ending with the words that only lead to it: "and that ends on ..."."""
    before = re.search(r"(?:\b(?:and|that|which|it|to|with)\s+){1,2}$", text[:start])
    return (before.start() if before else start), end


def _widened(text: str, start: int, end: int) -> Span:
    """The place of a form with the words that only introduce it: "in AABA form"."""
    if after := _CUE_AFTER.match(text, end):
        end = after.end()
    if cue := _CUE_BEFORE.search(text[:start]):
        start = cue.start()
    for lead in (_LEAD, _HAN_LEAD):
        if match := lead.search(text[:start]):
            start = match.start()
    return start, end
