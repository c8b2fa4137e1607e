"""Who sits where, how much of the room is heard around whom, and how loud instruments are.

Places are as an audience has them: an orchestra's seating where strings, winds and brass play
without drums, a band's otherwise. A controller in the file has the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textmusic.music.theory import DRUMS


@dataclass(frozen=True, slots=True)
class Place:
    """pan: -1 (left) to 1. reverb: amplitude that goes to the room."""

    pan: float
    reverb: float


# First and last program, the place in an orchestra, the place in a band, dB of the reverb's send.
_SECTIONS: tuple[tuple[int, int, float, float, float], ...] = (
    (0, 7, 0.0, -0.20, -13), (8, 8, 0.15, 0.15, -11), (9, 10, 0.25, 0.25, -11),
    (11, 11, -0.20, 0.25, -11), (12, 13, 0.25, 0.25, -12), (14, 15, 0.25, 0.25, -10),
    (16, 18, 0.0, -0.30, -16), (19, 20, 0.0, -0.25, -9), (21, 23, 0.10, 0.25, -14),
    (24, 25, -0.15, 0.30, -14), (26, 28, 0.20, 0.30, -15), (29, 31, 0.20, 0.35, -17),
    (32, 32, 0.35, 0.0, -20), (33, 39, 0.35, 0.0, -26),
    (40, 40, -0.40, -0.25, -11), (41, 41, 0.15, 0.15, -11), (42, 42, 0.35, 0.20, -11),
    (43, 43, 0.45, 0.0, -14), (44, 45, -0.20, -0.20, -11), (46, 46, -0.45, -0.30, -11),
    (47, 47, 0.10, 0.0, -12), (48, 51, -0.10, -0.10, -11), (52, 54, 0.0, 0.10, -9),
    (55, 55, 0.0, 0.0, -12), (56, 56, 0.20, 0.15, -12), (57, 57, 0.35, 0.25, -12),
    (58, 58, 0.40, 0.10, -14), (59, 59, 0.20, 0.15, -12), (60, 60, -0.30, -0.20, -10),
    (61, 63, 0.25, 0.20, -12), (64, 64, -0.10, -0.10, -12), (65, 65, 0.10, 0.10, -12),
    (66, 66, 0.20, 0.20, -12), (67, 67, 0.30, 0.30, -12), (68, 68, 0.10, 0.10, -11),
    (69, 69, 0.18, 0.18, -11), (70, 70, 0.20, 0.20, -11), (71, 71, -0.18, 0.10, -11),
    (72, 79, -0.12, 0.20, -11), (80, 87, 0.0, 0.0, -16), (88, 95, -0.15, -0.15, -12),
    (96, 103, 0.15, 0.15, -12), (104, 107, 0.25, 0.25, -13), (108, 111, -0.15, -0.15, -13),
    (112, 119, 0.25, 0.25, -14), (120, 127, 0.0, 0.0, -14), (DRUMS, DRUMS, 0.0, 0.0, -19),
)  # fmt: skip
_ORCHESTRAL = frozenset((*range(40, 49), *range(56, 62), *range(68, 74)))

STANDARD, BRUSHES = 0, 40
"""Drum kits of General MIDI 2."""
_BRUSHED, _SLOW = frozenset(("jazz", "swing", "bossa-nova", "ballad")), 100.0

# Programs of the bundled soundfont that are more than 3 LU louder or softer than its median are
# brought nearer to it, by at most 6 dB. Four quarter notes at velocity 80, 29 November 2026.
_TRIMS: dict[int, int] = {
    program: decibels
    for decibels, programs in (
        (-6, (78, 84)), (-5, (39, 51, 57, 80, 81)), (-4, (93, 95)), (-3, (50,)),
        (-2, (79, 96, 109)), (2, (25, 98)), (4, (28,)), (5, (13, 15, 106)), (6, (89, 101)),
    )
    for program in programs
}  # fmt: skip


def place_of(program: int, drums: bool, playing: Sequence[int]) -> Place:
    """Where an instrument sits. playing: the programs of the piece, 128 for drums.

    One that plays alone sits in the middle.
    """
    number = DRUMS if drums else program
    section = next(row for row in _SECTIONS if row[0] <= number <= row[1])
    orchestra = is_orchestra(playing)
    pan = section[2] if orchestra else section[3]
    return Place(pan if len(set(playing)) > 1 else 0.0, float(10 ** (section[4] / 20)))


def kit_of(genre: str | None, tempo: float | None) -> int:
    """The drum kit of a piece by its number: brushes for ballads and slow jazz, else sticks.

    Slow is less than 100 quarter notes a minute: a ballad, not a swing.
    """
    return BRUSHES if genre in _BRUSHED and tempo is not None and tempo < _SLOW else STANDARD


def is_orchestra(playing: Sequence[int]) -> bool:
    """Whether the seats are an orchestra's: no drums, and at least half are of one."""
    own = [program for program in playing if program in _ORCHESTRAL]
    return DRUMS not in playing and 2 * len(own) >= len(set(playing))


def trim_of(number: int) -> float:
    """A factor that brings an instrument of the bundled soundfont nearer to the others."""
    return float(10 ** (_TRIMS.get(number, 0) / 20))
