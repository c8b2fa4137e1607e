"""Chords: their tones, their names, and how a chord symbol is read."""

from __future__ import annotations

import re
from typing import NamedTuple

from textmusic.music.theory import MINOR_TONICS, NATURAL_PITCH_CLASSES, NO_KEY, is_minor, tonic

# Semitones above the root, and how the quality is written behind a root. The names are those of
# Harte et al. 2005 ("Symbolic representation of musical chords"), as mir_eval reads them.
QUALITIES = {
    "maj": ((0, 4, 7), ""),
    "min": ((0, 3, 7), "m"),
    "7": ((0, 4, 7, 10), "7"),
    "maj7": ((0, 4, 7, 11), "maj7"),
    "min7": ((0, 3, 7, 10), "m7"),
    "dim": ((0, 3, 6), "dim"),
    "aug": ((0, 4, 8), "aug"),
    "sus4": ((0, 5, 7), "sus4"),
    "sus2": ((0, 2, 7), "sus2"),
    "dim7": ((0, 3, 6, 9), "dim7"),
    "hdim7": ((0, 3, 6, 10), "m7b5"),
}
SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLATS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
# What may follow a root in a chord symbol, and the quality that stands for it, since the vocabulary
# has no sixths, ninths or altered fifths. Longer spellings come before their beginnings.
_WRITTEN = (
    ("min", r"(?:m|mi|min|-)(?:6(?:/9)?|69|add\s?(?:9|11)|\(add9\))?"),
    ("min7", r"(?:m|mi|min|-)(?:7|9|11|13)"),
    ("hdim7", r"(?:m|mi|min|-)7\s?\(?(?:b5|-5|♭5)\)?|ø7?|half-?dim7?|hdim7?"),
    ("min", r"(?:m|mi|min|-)\s?\(?(?:maj|Maj)\s?7\)?|mM7"),
    ("dim7", r"(?:dim|o|°)7"),
    ("dim", r"dim|o|°|mb5|m\(b5\)"),
    ("aug", r"aug|\+|\(?#5\)?"),
    ("7", r"(?:aug|\+)7|7\s?\(?(?:[b#♭♯+-](?:5|9|11|13))*\)?|9|11|13|7alt|7\+|7aug|dom7?"),
    ("7", r"(?:9|11|13)\s?\(?(?:[b#](?:5|9|11|13))+\)?"),
    ("maj7", r"(?:major|maj|Maj|ma|M|Δ|△|j)\s?(?:7|9|11|13)(?:\(?#11\)?)?|Δ|△"),
    ("sus2", r"sus2|sus9|2"),
    ("sus4", r"(?:7|9|13)?sus(?:4|4add7)?|7?sus4\(?b7\)?|4|11sus"),
    ("maj", r"|maj|Maj|ma|M|major|6(?:/9)?|69|add\s?(?:9|2|11|4)|\(add9\)|maj6"),
    ("min", r"minor"),
)
_ROOT = r"([A-G])([#♯b♭]?)"


class Chord(NamedTuple):
    """root: pitch class 0-11, as it sounds or, where that is said, above the tonic. quality: one
    of `QUALITIES`."""

    root: int
    quality: str

    @property
    def tones(self) -> frozenset[int]:
        """Its pitch classes, counted as the root is."""
        return frozenset((self.root + step) % 12 for step in QUALITIES[self.quality][0])

    def moved(self, semitones: int) -> Chord:
        """The chord some semitones up."""
        return Chord((self.root + semitones) % 12, self.quality)

    @property
    def label(self) -> str:
        """As mir_eval reads it: "C:min7"."""
        return f"{SHARPS[self.root]}:{self.quality}"


ALL_CHORDS = tuple(Chord(root, quality) for root in range(12) for quality in QUALITIES)


def chord_name(chord: Chord | None, key: str | None = None) -> str:
    """A chord's name, spelt to suit the key: "Bbm7"; "N.C." for None."""
    if chord is None:
        return "N.C."
    return _names(key)[chord.root] + QUALITIES[chord.quality][1]


def _names(key: str | None) -> tuple[str, ...]:
    """Pitch class names: flats in keys with flats, the usual mixture in C major and A minor."""
    if key is None or key == NO_KEY:
        return MINOR_TONICS
    fifths = (tonic(key) + (3 if is_minor(key) else 0)) * 7 % 12
    if fifths == 0:
        return MINOR_TONICS
    return SHARPS if fifths < 7 and not _flat(key) else FLATS


def _flat(key: str) -> bool:
    return "b" in key.split()[0]


def parse_symbol(text: str) -> tuple[Chord, int | None] | None:
    """A chord symbol -> (chord, pitch class of the bass after a slash or None).

    "Dm7", "C/E", "F#m7b5", "Bb9" (read as Bb7). None if it is not a chord symbol.
    """
    whole = text.strip()
    match = re.fullmatch(rf"{_ROOT}(.*)", whole)
    if match is None:
        return None
    bass = None
    rest = match[3]
    if slash := re.fullmatch(rf"(.*)/{_ROOT}", rest):
        rest, bass = slash[1], _pitch_class(slash[2], slash[3])
    quality = _quality(rest.strip())
    return None if quality is None else (Chord(_pitch_class(match[1], match[2]), quality), bass)


def _quality(written: str) -> str | None:
    for quality, pattern in _WRITTEN:
        if re.fullmatch(pattern, written):
            return quality
    return None


def _pitch_class(letter: str, accidental: str) -> int:
    alteration = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}[accidental]
    return (NATURAL_PITCH_CLASSES[letter] + alteration) % 12
