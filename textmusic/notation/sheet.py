"""A written piece between its file and its score: parts, measures, and the notes as written.

Times are exact fractions of a quarter note. What each format's reader makes, `bars` puts together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symusic import Score

USUAL_VELOCITY = 80  # where a score states no dynamics
# Velocities of the dynamic marks.
DYNAMICS = {
    "pppp": 13, "ppp": 19, "pp": 32, "p": 44, "mp": 57, "mf": 70, "f": 89, "ff": 108, "fff": 114,
    "ffff": 121, "sf": 108, "sfp": 95, "fp": 95, "sfz": 89, "sffz": 108, "fz": 89,
}  # fmt: skip
Metre = tuple[int, int]


LONGEST_METRE = 255  # beats in it, as a score can hold them


class UnreadableError(ValueError):
    """A file that no piece can be read from; says why, behind its name: "is cut short"."""


@dataclass(slots=True)
class WrittenNote:
    """A note head that sounds.

    start: from the beginning of its measure. pitch: as it sounds, a MIDI number; of a drum, its key
    in General MIDI. program: 0-127, or DRUMS. tied: to the one before; ties: to the one after.
    """

    start: Fraction
    length: Fraction
    pitch: int
    program: int
    velocity: int = USUAL_VELOCITY
    tied: bool = False
    ties: bool = False


@dataclass(slots=True)
class Measure:
    """What stands between two bar lines of a part.

    metre: the one in force, None where the piece has none. stated: whether it is written here.
    length: as long as what is written in it. resting: it holds one rest for the whole measure and
    no more. short: it is marked as one that may be short, such as a pickup. tempi: (from the
    beginning of the measure, quarter notes a minute). chords: (the same, symbol as it sounds).
    """

    metre: Metre | None = None
    stated: bool = False
    length: Fraction = Fraction(0)
    resting: bool = False
    short: bool = False
    notes: list[WrittenNote] = field(default_factory=list)
    tempi: list[tuple[Fraction, float]] = field(default_factory=list)
    chords: list[tuple[Fraction, str]] = field(default_factory=list)


@dataclass(slots=True)
class Sheet:
    """A piece as written. parts: measures of each, in the order of the page.

    key: "D minor", where the file says so with its mode. written: how many sounding note heads the
    text of the file has, counted apart from reading it.
    """

    parts: list[list[Measure]]
    title: str = ""
    key: str | None = None
    written: int = 0


@dataclass(frozen=True, slots=True)
class ParsedPiece:
    """A piece as its file gives it. key: "D minor", where the file says so with its mode.

    tempo: whether it states one. filled: measures that were filled up with silence. warning: what
    the score lacks of the file, behind its name: "was not read whole (7 of 8 notes)"; or "".
    mended: what in the file breaks its format and was put right, and how often.
    chords: (quarter notes from tick 0, symbol) of the chord symbols over it.
    """

    score: Score
    title: str = ""
    key: str | None = None
    tempo: bool = True
    filled: int = 0
    warning: str = ""
    mended: Mapping[str, int] = field(default_factory=dict)
    chords: tuple[tuple[float, str], ...] = ()


def metre(top: int, bottom: int) -> Metre | None:
    """A time signature, or None for one that no score can hold, such as 4/3."""
    sound = 0 < top <= LONGEST_METRE and bottom in (1, 2, 4, 8, 16, 32, 64, 128)
    return (top, bottom) if sound else None


FINEST = 5040 * 64  # parts of a quarter note, where exact fractions would grow without end


def tidy(time: Fraction) -> Fraction:
    """A time that is exact for all that music has, and no fraction of a thousand digits."""
    return time if time.denominator <= FINEST else Fraction(round(time * FINEST), FINEST)
