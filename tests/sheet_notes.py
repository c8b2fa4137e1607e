"""Music for the tests of readers, said in one line: "C4 E4+G4:2 r F#4:1/2"."""

from __future__ import annotations

import re
from fractions import Fraction

from textmusic.music.theory import NATURAL_PITCH_CLASSES
from textmusic.notation.bars import SCORE_TICKS
from textmusic.notation.sheet import ParsedPiece

Heard = tuple[float, float, int]  # quarter notes from the beginning, how long, MIDI pitch


def line(text: str, at: float = 0) -> list[Heard]:
    """The notes of a voice: names and lengths in quarter notes (1 if unsaid); "r" is a rest."""
    heard: list[Heard] = []
    here = Fraction(at)
    for word in text.replace("|", " ").split():
        names, _, said = word.partition(":")
        length = Fraction(said or 1)
        struck = names.split("+") if names != "r" else []
        heard += [(round(float(here), 4), round(float(length), 4), pitch(name)) for name in struck]
        here += length
    return heard


def pitch(name: str) -> int:
    """The MIDI number of "C#4"."""
    said = re.fullmatch(r"([A-G])([#b]*)(-?\d)", name)
    assert said, name
    sign = said[2].count("#") - said[2].count("b")
    return NATURAL_PITCH_CLASSES[said[1]] + sign + 12 * (int(said[3]) + 1)


def lines(*voices: str) -> list[Heard]:
    """The notes of several voices, in order."""
    return sorted(note for voice in voices for note in line(voice))


def heard(piece: ParsedPiece) -> list[Heard]:
    """All notes of a piece, in order."""
    return sorted(
        (round(n.time / SCORE_TICKS, 4), round(n.duration / SCORE_TICKS, 4), int(n.pitch))
        for track in piece.score.tracks
        for n in track.notes
    )


def tempi(piece: ParsedPiece) -> list[tuple[float, float]]:
    """(quarter notes from the beginning, quarter notes a minute)."""
    return [(mark.time / SCORE_TICKS, round(mark.qpm, 2)) for mark in piece.score.tempos]


def metres(piece: ParsedPiece) -> list[tuple[float, str]]:
    """(quarter notes from the beginning, "3/4")."""
    marks = piece.score.time_signatures
    return [(mark.time / SCORE_TICKS, f"{mark.numerator}/{mark.denominator}") for mark in marks]


def programs(piece: ParsedPiece) -> list[int]:
    """The program of each track; 128 is the drums."""
    return [128 if track.is_drum else track.program for track in piece.score.tracks]
