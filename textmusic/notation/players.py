"""Who plays a part: General MIDI programs by the names that scores give their parts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from textmusic.language.reading.terms import squash, terms
from textmusic.music.data_files import load_data
from textmusic.music.percussion import drum_named
from textmusic.music.theory import DRUMS

# The families of MusicXML's list of standard sounds, for what the names do not know.
_FAMILIES = {
    "strings": 48, "brass": 61, "wind": 73, "voice": 53, "keyboard": 0, "pluck": 24, "synth": 80,
    "drum": DRUMS, "metal": DRUMS, "rattle": DRUMS, "wood": DRUMS, "effect": DRUMS,
    "pitched-percussion": 11,
}  # fmt: skip
VOICE = 53
# What stands beside a name: numbers, desks, the key that a part is written in.
_BESIDE = re.compile(
    r"\(.*?\)|\[.*?\]|\b(?:solo|tutti|div|i{1,3}|iv|vi{0,3}|\d+(?:st|nd|rd|th)?|[1-9]\.|primo"
    r"|secondo|first|second|third|no|nr|part|erste|zweite|in|en|[a-g](?:[♭♯#b]|-?flat|-?sharp)?"
    r"|es|as|si|la|sol|fa|mi|re|ut|do|bemol)(?![\w'-])\.?"
)


@cache
def _names() -> dict[str, int]:
    known: dict[str, int] = {}
    for program, words in load_data("part_names.json").items():
        for word in words:
            known.setdefault(_plain(word), int(program))
    return known


def _plain(name: str) -> str:
    """Without case, accents, marks and spaces."""
    bare = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss").replace("œ", "oe"))
    return re.sub(r"[\W_]+", "", "".join(c for c in bare if not unicodedata.combining(c)))


def program_named(name: str) -> int | None:
    """The program of a part's name in any of a score's languages: "Flöte" is 73, "Corni in F" 60.

    None where the name says nothing, as "Part 1" does.
    """
    known = _names()
    if bass_beside(name, ()):
        return None
    if name.strip().rstrip(".").upper() in ("S", "A", "T"):
        return VOICE
    whole = name.lower().replace("\n", " ").strip()
    bare = _BESIDE.sub(" ", whole)
    words = bare.split()
    tries = [whole, bare, *(" ".join(words[:n]) for n in range(len(words) - 1, 0, -1)), *words]
    for said in tries:
        plain = _plain(said)
        for spelling in (plain, plain.removesuffix("s"), plain.removesuffix("en")):
            if spelling and spelling in known:
                return known[spelling]
        if said and (term := terms().get(squash(said))) and len(term.programs) == 1:
            return term.programs[0]
    return DRUMS if any(drum_named(said) is not None for said in (whole, bare)) else None


def program_of_sound(sound: str) -> int | None:
    """The program of one of MusicXML's standard sounds: "strings.cello" is 42."""
    family, _, rest = sound.strip().lower().partition(".")
    if family not in _FAMILIES:
        return None
    if _FAMILIES[family] == DRUMS:
        return DRUMS
    words = [part.replace("-", " ") for part in reversed(rest.split(".")) if part]
    found = (program_named(word) for word in words)
    return next((program for program in found if program is not None), _FAMILIES[family])


def bass_beside(name: str, others: Sequence[int | None]) -> int | None:
    """Who a part called "Bass" is, beside the programs of other parts: a voice, or which bass."""
    if _plain(name).rstrip("0123456789i") not in ("bass", "basso", "basse", "bassi", "b"):
        return None
    if {VOICE, 52} & set(others):  # a singer or a choir
        return VOICE
    return 43 if {40, 41, 42} & set(others) else 33
