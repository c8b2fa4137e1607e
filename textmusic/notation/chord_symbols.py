"""The chord symbols of notation files, as text that `music.chords` reads: "Bbm7", "N.C."."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from textmusic.music.chords import QUALITIES, SHARPS, parse_symbol

NO_CHORD = "N.C."
# MusicXML's kinds of chords, and what is written behind a root for each.
KINDS = {
    "major": "", "minor": "m", "augmented": "aug", "diminished": "dim", "dominant": "7",
    "major-seventh": "maj7", "minor-seventh": "m7", "diminished-seventh": "dim7",
    "augmented-seventh": "aug7", "half-diminished": "m7b5", "major-minor": "m(maj7)",
    "major-sixth": "6", "minor-sixth": "m6", "dominant-ninth": "9", "major-ninth": "maj9",
    "minor-ninth": "m9", "dominant-11th": "11", "major-11th": "maj11", "minor-11th": "m11",
    "dominant-13th": "13", "major-13th": "maj13", "minor-13th": "m13",
    "suspended-second": "sus2", "suspended-fourth": "sus4", "power": "", "Neapolitan": "",
    "Italian": "7", "French": "7", "German": "7", "pedal": "", "Tristan": "m7b5", "other": "",
}  # fmt: skip
_ALTERED = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}


def symbol_of(harmony: Element, shift: int = 0) -> str | None:
    """The symbol of a MusicXML `<harmony>`; None for what names no root.

    shift: semitones up to what sounds, of a transposing part.
    """
    kind = (harmony.findtext("kind") or "").strip()
    if kind == "none":
        return NO_CHORD
    step = (harmony.findtext("root/root-step") or "").strip()
    if not re.fullmatch("[A-G]", step):
        return None
    behind = KINDS.get(kind, "")
    if behind == "" and kind in ("major", "other"):  # "C7sus4" is written so by some
        text = (element.get("text") or "") if (element := harmony.find("kind")) is not None else ""
        behind = text if parse_symbol(f"C{text}") else ""
    return sounding(step + _alteration(harmony.findtext("root/root-alter")) + behind, shift)


def symbol_said(text: str, shift: int = 0) -> str | None:
    """The symbol between the quotes of an ABC tune; None for annotations and other words.

    Of two chords ("G;Em", "G(Em)") it is the first.
    """
    said = re.split(r"[;(]|\s", text.strip().strip('"').strip("()"))[0]
    if said.upper().rstrip(".") in ("N.C", "NC"):
        return NO_CHORD
    return sounding(said, shift) if re.match(r"[A-G]", said) and _readable(said) else None


def sounding(symbol: str, shift: int) -> str:
    """A symbol so many semitones up, without its bass."""
    whole = symbol.partition("/")[0]
    if not shift % 12 or (read := parse_symbol(whole)) is None:
        return symbol
    chord = read[0].moved(shift)
    return SHARPS[chord.root] + QUALITIES[chord.quality][1]


def _readable(symbol: str) -> bool:
    """Whether a symbol is one, or one with something behind it: no word such as "Fine"."""
    root = re.match(r"[A-G][#b]?", symbol)
    return parse_symbol(symbol) is not None or (
        root is not None and re.match(r"(?:m|maj|min|dim|aug|sus|\d|/|$)", symbol[root.end() :])
        is not None
    )  # fmt: skip


def _alteration(text: str | None) -> str:
    try:
        return _ALTERED.get(round(float(text or 0)), "")
    except (ValueError, OverflowError):
        return ""
