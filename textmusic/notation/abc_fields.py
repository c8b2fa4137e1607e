"""The fields of ABC: key, metre, unit length, tempo, and what a voice has."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from textmusic.music.theory import LINE_OF_FIFTHS, NATURAL_PITCH_CLASSES, key_name, signature
from textmusic.notation.sheet import Metre, metre

# Fifths that a mode's signature lies above that of the major key on its tonic.
_MODES = {
    "maj": 0, "ion": 0, "m": -3, "min": -3, "aeo": -3, "mix": -1, "dor": -2, "phr": -4, "lyd": 1,
    "loc": -5,
}  # fmt: skip
_KEY = re.compile(
    r"([A-G])([#b♯♭]?)\s*(?:(maj|ion|min|aeo|mix|dor|phr|lyd|loc)[a-z]*|(m)(?![a-z]))?(?![a-z=])",
    re.IGNORECASE,
)
_ALTER = {"^": 1, "^^": 2, "=": 0, "_": -1, "__": -2}
_CLEF = r"(?:treble|bass|alto|tenor|perc|none|mezzo\w*|soprano|baritone|[GCF][1-5]?)"


@dataclass(slots=True)
class AbcKey:
    """A key: semitones by letter, and its name where it is major or minor."""

    alters: dict[str, int] = field(default_factory=dict)
    name: str | None = None


def read_key(text: str) -> AbcKey | None:
    """The key of a K: field; None where the field only sets a clef, or such."""
    said = re.sub(r"""\b(?:\w{2,}|[tm])=("[^"]*"|\S+)""", "", text).strip()
    if said.split(" ")[0] in ("HP", "Hp"):  # the Highland pipes, in whose key C and F are sharp
        return AbcKey({"F": 1, "C": 1})
    if not said:
        return AbcKey() if not text.strip() else None
    if said.lower().startswith("none"):
        key = AbcKey()
        rest = said[4:]
    elif (tonic := _KEY.match(said)) and tonic[1].isupper():
        key, rest = _named(tonic), said[tonic.end() :]
        if re.match(r"\s*exp\b", rest):
            key = AbcKey()
    elif re.match(r"\^|_|=|exp\b", said):
        key, rest = AbcKey(), said
    else:
        return None
    for sign, letter in re.findall(r"(\^\^?|__?|=)([A-Ga-g])", rest):
        key.alters[letter.upper()] = _ALTER[sign]
        key.name = None
    return key


def _named(said: re.Match[str]) -> AbcKey:
    mode = (said[3] or said[4] or "maj").lower()
    sign = {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(said[2], 0)
    fifths = LINE_OF_FIFTHS.index(said[1]) - 1 + 7 * sign + _MODES[mode]
    tonic = NATURAL_PITCH_CLASSES[said[1]] + sign
    names = {"maj": False, "ion": False, "m": True, "min": True, "aeo": True}
    name = key_name(tonic, names[mode]) if mode in names else None
    return AbcKey(signature(fifths), name)


def read_metre(text: str) -> Metre | None:
    """The metre of an M: field; "2+3/8" is 5/8; None for none."""
    if text.startswith("C"):
        return (2, 2) if text.startswith("C|") else (4, 4)
    said = re.match(r"\(?\s*(\d{1,3}(?:\s*\+\s*\d{1,3})*)\s*\)?\s*/\s*(\d{1,3})", text)
    if said is None:
        return None
    return metre(sum(int(part) for part in said[1].split("+")), int(said[2]))


def read_unit(text: str) -> Fraction | None:
    """The unit length of an L: field, in quarter notes."""
    said = re.match(r"(\d{1,3})(?:\s*/\s*(\d{1,4}))?", text)
    if said is None or int(said[1]) == 0 or said[2] == "0" * len(said[2] or ""):
        return None
    return Fraction(4 * int(said[1]), int(said[2] or 1))


def usual_unit(metre: Metre | None) -> Fraction:
    """The unit length, in quarter notes, where no L: field states it."""
    small = metre is not None and Fraction(*metre) < Fraction(3, 4)
    return Fraction(1, 4) if small else Fraction(1, 2)


def read_tempo(text: str, unit: Fraction) -> float | None:
    """Quarter notes a minute of a Q: field. unit: the unit length, in quarter notes.

    "1/4=120", '"Allegro" 1/4=120-132', "1/4 3/8=40" (of both together), "120" and "C3=40" (of unit
    lengths).
    """
    said = re.sub(r'"[^"]*"', "", text)
    beats, equals, number = said.rpartition("=")
    values = [float(v) for v in re.findall(r"\d{1,5}(?:\.\d+)?", number if equals else said)[:2]]
    if not values or (not equals and re.search(r"\d/\d", said)):
        return None
    tempo = sum(values) / len(values)
    if lengths := re.findall(r"(\d{1,3})/(\d{1,3})", beats):
        beat = sum((Fraction(4 * int(a), int(b)) for a, b in lengths if int(b)), Fraction(0))
    else:
        counted = re.search(r"\d{1,3}", beats)
        beat = unit * (int(counted[0]) if counted else 1)
    return tempo * float(beat) if tempo * beat > 0 else None


def read_octaves(text: str) -> tuple[int, int]:
    """Semitones up that a K: or V: field says its notes sound: by its clef, and otherwise."""
    octaves = 0
    if clef := re.search(rf"""(?:^|[\s="])({_CLEF})([+-])(8|15)\b""", text):
        octaves = (1 if clef[2] == "+" else -1) * (1 if clef[3] == "8" else 2)
    semitones = 0
    for name, number in re.findall(r"\b(octave|transpose|t)\s*=\s*([+-]?\d{1,2})", text):
        semitones += int(number) * (12 if name == "octave" else 1)
    return 12 * octaves, semitones


def read_name(text: str) -> str:
    """What a V: field calls its voice."""
    said = re.search(r"""\b(?:name|nm)\s*=\s*(?:"([^"]*)"|(\S+))""", text)
    return (said[1] or said[2] or "").replace("\\n", " ") if said else ""
