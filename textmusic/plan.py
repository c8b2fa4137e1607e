"""What a piece is to be (or is): the one type that is asked for, trained on, and measured.

A `Plan` field that is None is left open. The same type says what the person fixed (`asked`), what
the model writes as plan tokens (complete), and what `measure` finds in a score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

# Closed vocabulary, the corpora's own.
GENRES = tuple(
    "classical baroque romantic renaissance chorale hymn folk celtic march waltz mazurka polonaise"
    " dance ragtime jazz blues swing bossa-nova latin tango pop rock country ballad funk reggae"
    " electronic game ambient cinematic children sacred lied string-quartet orchestral piano-solo"
    " drums lead-sheet metal christmas other".split()
)
MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
KEYS = tuple(f"{t} major" for t in MAJOR_TONICS) + tuple(f"{t} minor" for t in MINOR_TONICS)
NO_KEY = "none"  # drums alone have no key
TIME_SIGNATURES = (
    "2/4", "3/4", "4/4", "5/4", "6/4", "3/8", "5/8", "6/8", "7/8", "9/8", "12/8",
    "2/2", "3/2", "4/2",
)  # fmt: skip
LEVELS = (1, 2, 3, 4, 5)
DRUMS = 128  # stands for the drum kit among the General MIDI programs 0-127
MAX_PROGRAMS = 15  # a MIDI file has 15 melodic channels and one for drums
MAX_BARS = 256
COUNTED_BARS = 64  # longer pieces say "64 or more" and count down once they get there
TEMPO_RANGE = (30.0, 250.0)
# Log-spaced marks: neighbours differ by 4.6 %, a difference few people hear.
_STEP = (TEMPO_RANGE[1] / TEMPO_RANGE[0]) ** (1 / 47)
TEMPO_MARKS = tuple(round(TEMPO_RANGE[0] * _STEP**i, 1) for i in range(48))


@dataclass(frozen=True, slots=True)
class Plan:
    """A piece in ten facts; None is "left open".

    genre: one of `GENRES`. valence: 1 (sad) to 5 (happy). arousal: 1 (calm) to 5 (excited).
    programs: sorted General MIDI programs, 128 for drums. key: one of `KEYS`, or "none".
    tempo: QUARTER notes per minute in every metre, as in MIDI files. time_signature: one of
    `TIME_SIGNATURES`. bars: 1 to 256. density: 1 (sparse) to 5 (dense).
    begin, end: whether the piece's real beginning and ending are inside.
    """

    genre: str | None = None
    valence: int | None = None
    arousal: int | None = None
    programs: tuple[int, ...] | None = None
    key: str | None = None
    tempo: float | None = None
    time_signature: str | None = None
    bars: int | None = None
    density: int | None = None
    begin: bool | None = None
    end: bool | None = None

    def over(self, other: Plan) -> Plan:
        """This plan, its open fields filled from `other`."""
        return replace(other, **dict(self.known()))

    def known(self) -> Iterator[tuple[str, Any]]:
        """Names and values of the fields that are not left open."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                yield field.name, value


FIELDS = tuple(field.name for field in fields(Plan))  # also the order of the plan tokens


def tonic(key: str) -> int:
    """Pitch class 0-11 of a key's tonic: tonic("Eb major") == 3."""
    name = key.split()[0]
    natural = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[name[0]]
    return (natural + name.count("#") - name.count("b")) % 12


def is_minor(key: str) -> bool:
    """True for the 12 minor keys."""
    return key.endswith("minor")


def degrees_of(key: str) -> tuple[int, ...]:
    """Semitones of a key's scale above its tonic; in minor both the natural and the raised 7th."""
    return (0, 2, 3, 5, 7, 8, 10, 11) if is_minor(key) else (0, 2, 4, 5, 7, 9, 11)


def key_name(pitch_class: int, minor: bool) -> str:
    """The canonical spelling in `KEYS`: key_name(3, False) == "Eb major"."""
    return KEYS[pitch_class % 12 + (12 if minor else 0)]


def transposed(key: str, semitones: int) -> str:
    """The key some semitones up; "none" stays "none"."""
    return key if key == NO_KEY else key_name(tonic(key) + semitones, is_minor(key))


def shift_of(key: str | None) -> int:
    """Semitones from C to a key's tonic, the short way (-5 to 6); 0 without a key.

    Music ids spell pitches as if the tonic were C, so that what is learnt in one key is known in
    all twelve; this is how far a written pitch lies below the one that sounds.
    """
    return 0 if key is None or key == NO_KEY else (tonic(key) + 5) % 12 - 5


def quarters_per_bar(time_signature: str) -> float:
    """Length of a bar in quarter notes: 6/8 -> 3.0."""
    top, bottom = map(int, time_signature.split("/"))
    return top * 4 / bottom


def tempo_mark(tempo: float) -> int:
    """Index into `TEMPO_MARKS` of the mark nearest to a tempo (by ratio)."""
    return min(range(len(TEMPO_MARKS)), key=lambda i: abs(TEMPO_MARKS[i] / tempo - 1))


def encode_plan(plan: Plan) -> list[str]:
    """Plan tokens, in the order of the sequence; open fields are left out.

    Genre and mood come first, since they are what the rest follows from when it is left open.
    """
    tokens: list[str] = []
    for name, value in plan.known():
        tokens += field_tokens(name, value)
    return tokens


def field_tokens(name: str, value: object) -> list[str]:
    """The tokens of one field: ("programs", (0, 32)) -> ["Program_0", "Program_32"]."""
    match name, value:
        case "genre", str():
            return [f"Genre_{value}"]
        case "programs", tuple():
            return [f"Program_{p}" for p in value]
        case "key", str():
            return ["Key_" + value.replace(" ", "-")]
        case "tempo", float() | int():
            return [f"Tempo_{TEMPO_MARKS[tempo_mark(float(value))]}"]
        case "time_signature", str():
            return [f"TimeSig_{value}"]
        case "bars", int():
            return [f"Bars_{min(value, COUNTED_BARS)}"]
        case (("begin" | "end"), bool()):
            return [f"{name.capitalize()}_{int(value)}"]
        case _:
            return [f"{name.capitalize()}_{value}"]


def decode_plan(tokens: list[str]) -> Plan:
    """Inverse of `encode_plan` (tempo comes back as its mark)."""
    values: dict[str, object] = {}
    programs: list[int] = []
    for token in tokens:
        kind, value = token.split("_", 1)
        if kind == "Program":
            programs.append(int(value))
        elif kind == "Key":
            values["key"] = value.replace("-", " ")
        elif kind == "Tempo":
            values["tempo"] = float(value)
        elif kind == "TimeSig":
            values["time_signature"] = value
        elif kind in ("Begin", "End"):
            values[kind.lower()] = value == "1"
        elif kind == "Genre":
            values["genre"] = value
        else:
            values[kind.lower()] = int(value)
    if programs:
        values["programs"] = tuple(sorted(programs))
    return Plan(**values)  # type: ignore[arg-type]


def field_vocabulary() -> dict[str, list[str]]:
    """Every token of every field, by field, in vocabulary order."""
    return {
        "genre": [f"Genre_{g}" for g in GENRES],
        "valence": [f"Valence_{n}" for n in LEVELS],
        "arousal": [f"Arousal_{n}" for n in LEVELS],
        "programs": [f"Program_{p}" for p in range(DRUMS + 1)],
        "key": ["Key_" + k.replace(" ", "-") for k in (*KEYS, NO_KEY)],
        "tempo": [f"Tempo_{t}" for t in TEMPO_MARKS],
        "time_signature": [f"TimeSig_{t}" for t in TIME_SIGNATURES],
        "bars": [f"Bars_{n}" for n in range(1, COUNTED_BARS + 1)],
        "density": [f"Density_{n}" for n in LEVELS],
        "begin": ["Begin_0", "Begin_1"],
        "end": ["End_0", "End_1"],
    }


# Comfortable written ranges (MIDI note numbers) by General MIDI program; others have the piano's.
RANGES = {
    **dict.fromkeys((40, 110), (55, 103)), 41: (48, 91), 42: (36, 81), 43: (28, 67),
    **dict.fromkeys(range(24, 32), (40, 88)), **dict.fromkeys(range(32, 40), (24, 67)),
    9: (60, 108), 10: (60, 108), 22: (55, 96), 46: (23, 103), 47: (36, 57), 52: (38, 86),
    53: (38, 86), 54: (38, 86), 56: (52, 86), 57: (36, 77), 58: (28, 65), 60: (34, 81),
    64: (56, 91), 65: (49, 85), 66: (44, 80), 67: (36, 73), 68: (58, 93), 69: (52, 84),
    70: (34, 77), 71: (50, 94), 72: (72, 108), 73: (59, 98), 74: (60, 98), 75: (60, 98),
    105: (48, 86),
}  # fmt: skip


def range_of(program: int) -> tuple[int, int]:
    """The lowest and the highest pitch that an instrument is written for."""
    return RANGES.get(program, (21, 108))
