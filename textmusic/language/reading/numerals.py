"""Roman numerals, scale degrees and progressions with a name -> chords above the tonic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from textmusic.music.chords import Chord
from textmusic.music.sketch import Outline
from textmusic.music.theory import MAJOR_SCALE

_FIGURES = r"VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i"
_SUFFIX = (
    r"°7?|o7?|ø7?|dim7?|\+7?|aug|(?:maj|M)(?:6|7|9|11|13)?|[Δ△]7?|m7b5|7b5|7sus4|sus[24]?|dom7"
    r"|(?:m|min)(?:6|7|9|11)?|add9|5|69?|7|9|11|13"
)
NUMERAL = rf"[b#]?(?:{_FIGURES})(?:{_SUFFIX})?(?:/[b#]?(?:{_FIGURES}))?"
_PARTS = re.compile(
    rf"(?P<acc>[b#]?)(?P<figure>{_FIGURES})(?P<suffix>(?:{_SUFFIX})?)"
    rf"(?:/(?P<of_acc>[b#]?)(?P<of>{_FIGURES}))?"
)
_DEGREES = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7}
_MAJOR = dict(enumerate(MAJOR_SCALE, start=1))
_FLAT_IN_MINOR = {3: 3, 6: 8, 7: 10}
_DIATONIC = {1: "maj", 2: "min", 3: "min", 4: "maj", 5: "maj", 6: "min", 7: "dim"}
# What a suffix makes of a numeral in capitals and in small letters, where both make the same.
_QUALITIES = {
    "°": "dim", "o": "dim", "dim": "dim", "°7": "dim7", "o7": "dim7", "dim7": "dim7",
    "ø": "hdim7", "ø7": "hdim7", "m7b5": "hdim7", "+": "aug", "aug": "aug", "+7": "7",
    "sus": "sus4", "sus4": "sus4", "7sus4": "sus4", "sus2": "sus2", "dom7": "7",
    **dict.fromkeys(("M", "maj", "M6", "maj6"), "maj"),
    **dict.fromkeys(("m", "min", "m6", "min6"), "min"),
    **dict.fromkeys(("m7", "min7", "m9", "min9", "m11", "min11"), "min7"),
}  # fmt: skip
_TRIADS = ("", "5", "6", "69", "add9")
# Suffixes of which something is lost.
LOSSY = re.compile(r"[IVivmMj](?:add|5|6|9|11|13)|7sus|\+7")


class _Numeral(NamedTuple):
    """acc, of_acc: "b", "#" or "". degree, of: 1 to 7; of 0 is none."""

    acc: str
    degree: int
    upper: bool
    suffix: str
    of_acc: str
    of: int


def _numeral(said: str) -> _Numeral:
    match = _PARTS.fullmatch(said)
    assert match is not None
    figure = match["figure"]
    of = _DEGREES[match["of"].upper()] if match["of"] else 0
    return _Numeral(
        match["acc"], _DEGREES[figure.upper()], figure.isupper(), match["suffix"],
        match["of_acc"] or "", of,
    )  # fmt: skip


def chords_of(bars: Sequence[Sequence[str]]) -> tuple[tuple[tuple[Chord, ...], ...], bool]:
    """Bars of numerals (`NUMERAL`) -> (bars of chords above the tonic, whether it is minor).

    Capitals are major and small letters minor, with what the mode makes of them: "ii" is minor in
    major and diminished in minor, "vii" is diminished. In minor, III, VI and VII stand on the
    degrees of natural minor; b and # count from the major scale in both modes, and a plain VII in
    major is on the flat seventh, as rock songs have it. All in capitals ("I-VI-IV-V") they are the
    chords of the major scale.
    """
    numerals = [[_numeral(said) for said in bar] for bar in bars]
    every = [numeral for bar in numerals for numeral in bar]
    plain = [n for n in every if not n.acc and not n.of]
    capitals = all(n.upper for n in every) and not any(
        n.suffix for n in plain if n.degree in (2, 3, 6)
    )
    minor = _is_minor(plain)
    chords = tuple(tuple(_chord(n, minor, capitals) for n in bar) for bar in numerals)
    return chords, minor


def degrees(digits: str) -> tuple[tuple[Chord, ...], ...]:
    """Degrees of the major scale as digits ("6415"), a bar each."""
    return tuple((Chord(_MAJOR[int(d)], _DIATONIC[int(d)]),) for d in digits)


def _is_minor(plain: list[_Numeral]) -> bool:
    tonics = {n.upper for n in plain if n.degree == 1}
    if tonics:
        return tonics == {False}
    if any(n.degree == 2 and n.suffix[:1] in ("ø", "°", "o") for n in plain):
        return True
    small = {n.degree for n in plain if not n.upper}
    on_flats = any(n.upper and n.degree in _FLAT_IN_MINOR and not n.suffix for n in plain)
    return on_flats and bool(small) and not small & {2, 3, 6}


def _root(acc: str, degree: int, upper: bool, minor: bool) -> int:
    step = _MAJOR[degree]
    if acc:
        return (step + (1 if acc == "#" else -1)) % 12
    if degree == 7:
        return 10 if upper else 11
    if minor and degree in _FLAT_IN_MINOR and (upper or degree == 3):
        return _FLAT_IN_MINOR[degree]
    return step


def _chord(n: _Numeral, minor: bool, capitals: bool) -> Chord:
    if n.of:
        target = _root(n.of_acc, n.of, True, minor)
        root = (target + _root(n.acc, n.degree, False, False)) % 12
    else:
        root = _root(n.acc, n.degree, n.upper, minor)
    upper = n.upper and not (capitals and not n.acc and not n.of and n.degree in (2, 3, 6))
    if n.suffix in _QUALITIES:
        return Chord(root, _QUALITIES[n.suffix])
    if n.suffix == "7b5":
        return Chord(root, "7" if upper else "hdim7")
    lower_dim = not upper and not n.acc and not n.of
    diminished = lower_dim and (n.degree == 7 or (n.degree == 2 and minor))
    if n.suffix in _TRIADS:
        return Chord(root, "maj" if upper else "dim" if diminished else "min")
    if n.suffix.startswith(("maj", "M", "Δ", "△")):
        return Chord(root, "maj7" if upper else "min7")
    return Chord(root, "7" if upper else "hdim7" if diminished else "min7")


# How roots above the tonic are written, in major and in minor.
_WRITTEN = {
    False: "I bII II bIII III IV #IV V bVI VI bVII VII".split(),
    True: "I bII II III #III IV #IV V VI VI VII VII".split(),
}
_SUFFIXES = {
    "maj": "", "min": "", "7": "7", "maj7": "maj7", "min7": "7", "dim": "°", "aug": "+",
    "sus4": "sus4", "sus2": "sus2", "dim7": "°7", "hdim7": "ø7",
}  # fmt: skip


def numeral_name(chord: Chord, minor: bool = False) -> str:
    """A chord above the tonic as a numeral: "vi", "V7", "bVII", in minor "VII"."""
    figure = _WRITTEN[minor][chord.root]
    if chord.quality.startswith(("min", "dim", "hdim")):
        acc = figure[:1] if figure[0] in "b#" else ""
        figure = acc + figure[len(acc) :].lower()
    return figure + _SUFFIXES[chord.quality]


# Progressions with a name -------------------------------------------------------------------------

_NOUN = r"(?:(?:chord )?(?:progressions?|changes|sequence)|chords?)"
_WALK = "(?:和弦进行|和弦走向|和弦|进行|走向)"


class Named(NamedTuple):
    """A progression with a name. pattern: in prepared text, whatever the case. bars: numerals, a
    bar line between bars that hold several; minor: None for either mode. shared: whether the words
    say something else too, so that they are left to other readers and to the model."""

    pattern: str
    bars: str
    minor: bool | None = False
    shared: bool = False
    form: tuple[str, ...] = ()


_BLUES = "I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7"
_MINOR_BLUES = "i7 i7 i7 i7 iv7 iv7 i7 i7 VI7 V7 i7 V7"
_CANON = "I V vi iii IV I IV V"
_RHYTHM_A = "I vi | ii7 V7 | I vi | ii7 V7 | I I7 | IV iv | I V7 | I"
_RHYTHM_B = "III7 | III7 | VI7 | VI7 | II7 | II7 | V7 | V7"
_TWELVE = r"(?:12|twelve)[\s-]*bars?[\s-]+"
NAMED = (
    Named(
        rf"{_TWELVE}minor[\s-]blues|minor {_TWELVE}blues"
        r"|(?-i:(?<![A-Gb-g] ))(?<![a-g][#b] )(?<!flat )(?<!sharp )\bminor[\s-]blues"
        rf"(?: {_NOUN})?|小调(?:布鲁斯|蓝调)(?:{_WALK})?",
        _MINOR_BLUES, True, True,
    ),
    Named(
        rf"{_TWELVE}blues(?: {_NOUN})?|\bblues (?:chord )?(?:progression|changes|form)"
        rf"|(?:12|十二)小节(?:的)?(?:布鲁斯|蓝调)(?:{_WALK})?|(?:布鲁斯|蓝调)(?:和弦)?(?:进行|走向)",
        _BLUES, None, True,
    ),
    Named(
        r"(?:over|on|with|to|using|jazz|classic)\s+(?:the )?rhythm changes\b"
        r"|(?:^|(?<=[,;:] ))rhythm changes(?=$|[,;.]| in [A-Ga-g][#b]?\b| at | for )",
        " | ".join((_RHYTHM_A, _RHYTHM_A, _RHYTHM_B, _RHYTHM_A)), False, False,
        ("A", "A", "B", "A"),
    ),
    Named(
        rf"\bdoo[\s-]?wop(?: {_NOUN})?|(?:'50s|\b50'?s|\b1950'?s|\bfifties)"
        rf" (?:{_NOUN}|doo[\s-]?wop {_NOUN})|\bice[\s-]cream (?:changes|progression)"
        rf"|(?:五十年代|50年代){_WALK}|嘟[·・]?喔普(?:{_WALK})?",
        "I vi IV V", False, True,
    ),
    Named(
        rf"\b(?:pachelbel(?:'s)?(?: canon)?|canon(?: in d)?) {_NOUN}"
        rf"|(?:帕赫贝尔)?卡[农農](?:的)?{_WALK}",
        _CANON,
    ),
    Named(
        r"\bpachelbel's canon\b|\bcanon in d\b(?! minor| flat|[b#])|帕赫贝尔(?:的)?卡[农農]",
        _CANON, False, True,
    ),
    Named(
        rf"\bandalusian (?:cadence|{_NOUN})|\bflamenco cadence"
        rf"|安达卢西亚(?:终止式?|終止式?|{_WALK})",
        "i VII VI V", True,
    ),
    Named(
        rf"\baxis (?:of awesome )?{_NOUN}|\b(?:four|4)[\s-]chords? (?:song|progression|pop song)"
        rf"|万能(?:{_WALK})|[四4](?:个)?和弦(?:流行)?(?:歌|进行)",
        "I V vi IV",
    ),
    Named(
        rf"\broyal road(?: {_NOUN})?|王道(?:{_WALK})",
        "IV V iii vi",
    ),
    Named(
        rf"\bcircle[\s-]of[\s-]fifths {_NOUN}|五度圈(?:{_WALK})",
        "I IV vii° iii vi ii V I",
    ),
)  # fmt: skip


def outline_of(named: Named) -> Outline:
    """The chords of a progression with a name; its form too, if it has one."""
    lined = "|" in named.bars
    bars = [bar.split() for bar in (named.bars.split("|") if lined else named.bars.split())]
    chords, _ = chords_of(bars)
    return Outline(chords=chords, relative=True, minor=named.minor, form=named.form)


def in_mode(outline: Outline, minor: bool) -> Outline:
    """The same for a key's mode: a blues in a minor key is a minor blues."""
    minor_blues, blues = map(outline_of, NAMED[:2])
    return minor_blues if minor and outline == blues else outline
