"""What a piece is to be (or is): the one type that is asked for, trained on, and measured.

A `Plan` field that is None is left open. The same type says what the person fixed (`asked`), what
the model writes as plan tokens (complete), and what `measure` finds in a score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import Any

from textmusic.music.theory import DRUMS, KEYS, NO_KEY, TIME_SIGNATURES, quarters_per_bar

# Closed vocabulary, the corpora's own.
GENRES = tuple(
    "classical baroque romantic renaissance chorale hymn folk celtic march waltz mazurka polonaise"
    " dance ragtime jazz blues swing bossa-nova latin tango pop rock country ballad funk reggae"
    " electronic game ambient cinematic children sacred lied string-quartet orchestral piano-solo"
    " drums lead-sheet metal christmas other".split()
)
LEVELS = (1, 2, 3, 4, 5)
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
        for name in FIELDS:
            value = getattr(self, name)
            if value is not None:
                yield name, value


FIELDS = tuple(field.name for field in fields(Plan))  # also the order of the plan tokens


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
        case "bars", Integral():
            return [f"Bars_{min(int(value), COUNTED_BARS)}"]
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


def rounded(plan: Plan) -> Plan:
    """The plan as its tokens can say it: the tempo on its nearest mark, bars up to 64."""
    tempo = None if plan.tempo is None else TEMPO_MARKS[tempo_mark(plan.tempo)]
    bars = None if plan.bars is None else min(plan.bars, COUNTED_BARS)
    return replace(plan, tempo=tempo, bars=bars)


def seconds_of(plan: Plan) -> float:
    """Length of a complete plan in seconds."""
    assert plan.bars is not None and plan.tempo is not None and plan.time_signature is not None
    return plan.bars * quarters_per_bar(plan.time_signature) * 60 / plan.tempo
