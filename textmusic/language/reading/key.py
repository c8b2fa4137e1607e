"""The key, in every common spelling: "D-minor", "Es-Dur", "re minore", "降B大调", "in G"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from textmusic.language.reading.text import (
    LEFT,
    RIGHT,
    Reading,
    Span,
    alone,
    around,
    blank,
    negated,
    settle,
)
from textmusic.music.theory import is_minor, key_name

_NATURALS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}
_SOLFEGE = {"do": 0, "ut": 0, "re": 2, "mi": 4, "fa": 5, "sol": 7, "la": 9, "si": 11}
_ACCIDENTAL = r"(?P<acc>\s?#|b|[\s-]?(?:sharp|flat))?"
_FULL_KEY = re.compile(
    rf"{LEFT}(?P<tonic>[a-g]){_ACCIDENTAL}[\s-]*(?:(?:natural|harmonic|melodic)[\s-]+)?"
    rf"(?P<mode>major|minor|maj|min|aeolian|ionian){RIGHT}"
    # not the chords "D minor 7" and "D minor third"; but "D minor 7/8" and "D minor 9 bars"
    r"(?!\s*-?(?:(?:7|9|11|13)(?:th)?\b(?!\s*(?:/|bars?|measures?|bpm|sec|min))"
    r"|seventh|ninth|sixth|third|triad|chord\b))",
    re.IGNORECASE,
)
_GERMAN_KEY = re.compile(
    rf"{LEFT}(?P<tonic>[a-h])(?P<acc>is|es|s|#|b)?[\s-]?(?P<mode>dur|moll){RIGHT}", re.IGNORECASE
)
_ROMANCE_KEY = re.compile(
    rf"{LEFT}(?P<tonic>do|ut|re|mi|fa|sol|la|si)\s*"
    rf"(?P<acc>#|b|diesis|diese|sostenido|bemolle|bemol)?\s*"
    rf"(?P<mode>maggiore|minore|majeur|mineur|mayor|menor){RIGHT}",
    re.IGNORECASE,
)
_CHINESE_KEY = re.compile(
    r"(?<![A-Za-z])(?P<pre>升|降|#|b)?\s*(?P<tonic>[A-Ga-g])(?P<acc>#|b)?\s*(?:自然|和声|旋律)?"
    r"(?P<mode>大调|小调|调(?![性式子整]))"
)
# "A minor setback", "A major hit": after a capital A that opens a sentence only music may follow.
_MUSIC_NOUN = (
    r"(?:piano|guitar|violin|cello|flute|organ|string|orchestra|waltz|tango|blues|jazz|folk|pop|rock"
    r"|ballad|sonata|prelude|etude|nocturne|fugue|march|mazurka|hymn|scale|piece|song|tune|melody"
    r"|pentatonic|lullaby|theme|track|beat|groove|riff|loop|jam|chorale|invention|minuet|polonaise|rag|reel|jig|symphony|concerto|suite)"
)
_AFTER_KEY = (
    r"(?=\s*(?:$|[,;:!?()|/]|\+(?!\+)|\.(?:\s|$)|-\s|\d"
    r"|(?i:with|at|for|on|and|by|played|featuring|using|tempo"
    r"|about|around|slow|fast|piano|solo|key|in|lasting|evoking)\b(?!-)|[^\x00-\x7f]))"
)
_AFTER_LOWER_A = (
    r"(?=\s*(?:$|[,;:!?)|/]|\+(?!\+)|\.(?:\s|$)|-\s|\d|(?i:with|at|for|using|tempo)\b))"
)
# "clarinet in A and piano": the key of the instrument, not of the piece.
_TRANSPOSING = re.compile(
    r"\b(?:clarinet|trumpet|cornet|horn|sax(?:ophone)?|flugelhorn)s?\s*$", re.I
)
_THEN_ANOTHER = re.compile(
    r"\s*(?:,|and|&|\+|with)\s*(?:an? |the |two |three )?"
    r"(?:piano|strings?|orchestra|violins?|violas?|cellos?|bass\w*|flutes?|oboes?|clarinets?"
    r"|trumpets?|trombones?|horns?|tubas?|guitars?|harps?|drums|organ|continuo)\b",
    re.IGNORECASE,
)
_LETTER_BLUES = re.compile(rf"{LEFT}(?P<tonic>[B-G])(?P<acc>#|b)?(?= blues\b)")
# What may follow a tonic without a mode: "country ballad in G with harmonica", "slow blues in E".
_BARE_KEY = re.compile(
    rf"{LEFT}(?:(?:in|In|IN)(?: the key of)?|(?:[Kk]ey|KEY)(?: of| is|:| =|=| -)?)\s+"
    rf"(?P<tonic>[A-G])(?P<acc>\s?#|b|[\s-]?(?:sharp|flat|Sharp|Flat|SHARP|FLAT))?{RIGHT}{_AFTER_KEY}"
)
_KEY_OF = re.compile(
    rf"{LEFT}(?:(?P<mode>major|minor) )?key(?: of| is|:|\s?=)\s*"
    rf"(?P<tonic>[a-g]){_ACCIDENTAL}{RIGHT}"
    r"(?![\s-]*(?:major|minor|maj|min|dur|moll|dorian|phrygian|lydian|mixolydian|locrian|sharp|flat"
    r"|natural|harmonic|melodic)\b)(?!['#])",
    re.IGNORECASE,
)
_IN_FLAT = re.compile(
    rf"{LEFT}in (?P<tonic>[b-g])[\s-]?(?P<acc>sharp|flat|b|#){RIGHT}{_AFTER_KEY}", re.IGNORECASE
)
_SIGNED = re.compile(rf"{LEFT}(?P<tonic>[A-G])(?P<acc>#|b|[ -](?:sharp|flat)){RIGHT}")
# "a sea shanty, 6/8, G"; A and B are parts of a form more often than keys.
_LONE_LETTER = re.compile(r"(?<=[,;] )(?P<tonic>[C-G])(?P<acc>(?!))?(?=\s*(?:$|[,;]))")
_SHORT_KEY = re.compile(rf"{LEFT}(?P<tonic>[A-G])(?P<acc>#|b)?(?P<mode>m){RIGHT}")
# "a chill beat in am", and not "in am radio style"
_SHORT_LOWER = re.compile(
    rf"{LEFT}in (?P<tonic>[a-g])(?P<acc>#|b)?(?P<mode>m)(?=\s*(?:$|[,;.!?)]|(?:at \d|with)\b))"
)
_CHORD = r"[A-G](?:#|b)?(?:maj7|min7|m7|m|dim|aug|sus[24]|7)?"
_CHORDS = re.compile(rf"{LEFT}{_CHORD}(?:(?:\s*[-,>|/]+\s*|\s+){_CHORD}){{2,}}{RIGHT}")
_CHURCH_MODE = re.compile(
    rf"{LEFT}(?:(?P<tonic>[A-Ga-g])(?P<acc>[#b]|[\s-](?:sharp|flat))?[\s-])?"
    rf"(?P<mode>dorian|phrygian|lydian|mixolydian|locrian){RIGHT}(?! (?:gray|grey))",
    re.IGNORECASE,
)
_NO_TONIC = re.compile(
    rf"{LEFT}(?P<said>(?P<t>[H-Z]|[hjkqvwxz])(?:[\s-]?(?:#|b|sharp|flat))?[\s-]?"
    rf"(?P<mode>major|minor|maj|min|Major|Minor|大调|小调)){RIGHT}"
)
_NO_TONIC_BARE = re.compile(
    rf"{LEFT}(?:[Ii]n|[Kk]ey of|[Kk]ey:) (?P<said>(?P<t>H))(?=\s*(?:$|[,.;!?)]|with\b|at\b|for\b))"
)
_NO_TONIC_HAN = re.compile(r"(?<![A-Za-z])(?P<said>(?P<t>[H-Zh-z])\s?(?P<mode>大调|小调))")
_MODE_ONLY = re.compile(
    rf"{LEFT}(?:an? )?(?P<mode>major|minor)[\s-]key{RIGHT}"
    r"(?! (?:of|change|moment|figure|player|part|role))",
    re.IGNORECASE,
)


def _pitch(tonic: str, accidental: str | None) -> int:
    tonic, accidental = tonic.lower(), (accidental or "").lower().strip(" -")
    base = _SOLFEGE[tonic] if tonic in _SOLFEGE else _NATURALS[tonic]
    if accidental in ("#", "sharp", "is", "升", "diesis", "diese", "sostenido"):
        return (base + 1) % 12
    if accidental in ("b", "flat", "es", "s", "降", "bemolle", "bemol"):
        return (base - 1) % 12
    return base


def _named(match: re.Match[str]) -> str:
    groups = match.groupdict()
    mode = (groups.get("mode") or "major").lower()
    minor = mode in ("m", "moll", "minor", "min", "aeolian", "小调", "minore", "mineur", "menor")
    pitch = _pitch(groups["tonic"], groups.get("acc") or groups.get("pre"))
    if mode in ("dur", "moll") and groups["tonic"].lower() == "b" and not groups["acc"]:
        pitch = 10  # German B is B flat
    return key_name(pitch, minor)


def _says_a_minor_thing(text: str, match: re.Match[str]) -> bool:
    """Whether "a minor" / "a major" is an article and an adjective rather than a key."""
    if match["tonic"] not in "aA" or match["acc"] or "-" in match[0]:
        return False
    before, after = around(text, *match.span())
    named = re.search(r"\b(?:in|key|of|key is|key:)\s*$", before, re.IGNORECASE) is not None
    followed = re.match(_AFTER_KEY, after) is not None
    sentence = re.search(r"(?:^|[.!?]|\")\s*$", before) is not None
    a_key = re.match(r"[\s-]+key\b", after, re.IGNORECASE) is not None  # "in a minor key"
    if match["tonic"] == "a" or text.isupper():
        return a_key or not ((named and followed) or re.match(_AFTER_LOWER_A, after))
    noun = re.match(rf"[\s,]*{_MUSIC_NOUN}", after, re.IGNORECASE) is not None
    return sentence and (a_key or not (followed or noun))


def _of_the_instrument(text: str, match: re.Match[str]) -> bool:
    before, after = around(text, *match.span())
    return bool(_TRANSPOSING.search(before) and _THEN_ANOTHER.match(after))


def _key_matches(text: str) -> Iterator[re.Match[str]]:
    for pattern in (_GERMAN_KEY, _ROMANCE_KEY, _CHINESE_KEY):
        yield from pattern.finditer(text)
    for match in _KEY_OF.finditer(text):
        if match["tonic"] != "a" or match["acc"] or re.match(_AFTER_LOWER_A, text[match.end() :]):
            yield match
    for match in _FULL_KEY.finditer(text):
        if not _says_a_minor_thing(text, match):
            yield match
    for match in _BARE_KEY.finditer(text):
        shouted = text.isupper() and match["tonic"] == "A" and match["acc"]  # "IN A FLAT"
        if not shouted and not _of_the_instrument(text, match):
            yield match
    for match in _IN_FLAT.finditer(text):
        if not _of_the_instrument(text, match):
            yield match
    yield from _LETTER_BLUES.finditer(text)
    for match in _SIGNED.finditer(text):
        genre = re.match(r"\s+(?:blues|ballad|waltz|tune|piece|jam)\b", text[match.end() :])
        if alone(text, *match.span()) or genre:
            yield match
    letters = [m for m in _LONE_LETTER.finditer(text) if alone(text, *m.span())]
    if len(letters) == 1:
        yield letters[0]
    yield from _SHORT_LOWER.finditer(text)
    for match in _SHORT_KEY.finditer(text):
        named = re.search(r"(?:^|[,;:(/]|\b(?:in|key|of|is))\s*$", text[: match.start()])
        after = re.match(_AFTER_KEY, text[match.end() :])
        if re.match(rf" (?:\w+ )?{_MUSIC_NOUN}\b", text[match.end() :]) and not re.search(
            r"\bI $", text[: match.start()]
        ):  # "a chill Am beat"
            after = named = re.match("", "")
        if match["tonic"] == "A":  # "Am I dreaming?"
            plain = bool(after and named)
        else:
            plain = bool(after) or match["acc"] is not None
        if plain:
            yield match


def read_key(text: str) -> Reading[str]:
    """The key in `theory.KEYS`: "Es-Dur" and "E flat major" are "Eb major".

    The first of several keys is taken; one that is ruled out ("not in C") is none. Modes and
    letters that name no tonic are reported.
    """
    notes: list[str] = []
    spans: list[Span] = []
    letters = tuple(m.span() for m in _CHORDS.finditer(text))  # notes, strings, sections
    for match in _CHURCH_MODE.finditer(text):
        near = "minor" if match["mode"].lower() in ("dorian", "phrygian", "locrian") else "major"
        tonic = (
            key_name(_pitch(match["tonic"], match["acc"]), near == "minor")
            if match["tonic"]
            else ""
        )
        remedy = f"'{tonic}'" if tonic else f"a key such as 'D {near}'"
        notes.append(f"'{match[0]}': only major and minor keys can be set; the nearest is {remedy}")
        spans.append(match.span())
    text = blank(text, (*letters, *spans))
    found = sorted(_key_matches(text), key=lambda m: (m.start(), -m.end()))
    spans += [m.span() for m in found]
    named = settle(text, _apart(text, found), "key", "{} is used".format)
    first = named.value
    notes += named.unused
    for pattern in (_NO_TONIC, _NO_TONIC_HAN, _NO_TONIC_BARE):
        for match in pattern.finditer(text):
            if match["t"] == "I":  # "I major in biology"
                continue
            spans.append(match.span())
            notes.append(f"'{match['said']}': not a key ({_key_remedy(match['said'])})")
    if mode := _MODE_ONLY.search(text):
        if first is None:
            remedy = f"name the tonic too to set the key, e.g. 'A {mode['mode'].lower()}'"
            notes.append(f"'{mode[0]}': {remedy}")
        elif is_minor(first) != (mode["mode"].lower() == "minor"):
            notes.append(f"'{mode[0]}': one key for the whole piece; {first} is used")
    return Reading(first, tuple(dict.fromkeys(notes)), tuple(spans))


def _apart(text: str, found: list[re.Match[str]]) -> list[tuple[Span, str]]:
    """Where keys are named: each key once, and nothing that lies within the first."""
    keys: dict[tuple[str, bool], Span] = {}
    asked: Span | None = None
    for match in found:
        no = negated(text, match.start())
        if no or asked is None or match.start() >= asked[1]:
            keys.setdefault((_named(match), no), match.span())
            asked = asked if no or asked else match.span()
    return sorted((span, key) for (key, _), span in keys.items())


def _key_remedy(said: str) -> str:
    mode = "minor" if re.search("min|moll|小", said.lower()) else "major"
    letter = "B" if said[:1] in "Hh" else "C" if mode == "major" else "D"
    return f"write e.g. '{letter} {mode}'"
