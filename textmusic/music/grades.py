"""What a practice piece of each grade may hold, by instrument: `grades.json` as typed values.

The piano's limits are those of ABRSM's Qualification Specification "Practical Music: Piano, 2025 &
2026" (sight-reading parameters, page 16): keys, metres, hands apart (Grade 1) or together, in
five-finger positions (Grades 1 and 2), dotted rhythms, semiquavers and two notes in a hand (from
Grade 3), simple syncopation (Grade 5). It sets no compass outside those positions, no leaps and no
tempi; those here are our own, as is what `Grade.ours` lists for the other instruments.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

from textmusic.errors import TextMusicError
from textmusic.music.data_files import load_data

LOWEST, HIGHEST = 1, 5
BARS_RANGE = (4, 32)
USUAL_BARS = 8


@dataclass(frozen=True, slots=True)
class Hand:
    """One line of a part: a pianist's hand, or all that another instrument plays.

    low, high: its compass, MIDI note numbers as they sound; hands don't share a pitch. shortest:
    quarter notes. at_once: notes that it may strike together.
    """

    name: str
    low: int
    high: int
    shortest: float
    at_once: int


@dataclass(frozen=True, slots=True)
class Grade:
    """The limits of one instrument and grade.

    durations: quarter notes, ascending. leap: semitones between two notes in a row of a hand, at
    most. hands: the lowest first. five_finger: each hand stays over five neighbouring white keys or
    their sharps and flats. together: the hands play at the same time. syncopation: notes may begin
    between the beats and last over the next one. tempo: quarter notes a minute, from and to.
    source: the syllabus, "" for none; ours: what is not from it.
    """

    instrument: str
    program: int
    number: int
    keys: tuple[str, ...]
    metres: tuple[str, ...]
    durations: tuple[float, ...]
    leap: int
    hands: tuple[Hand, ...]
    five_finger: bool
    together: bool
    syncopation: bool
    tempo: tuple[int, int]
    source: str
    ours: tuple[str, ...]


def instruments() -> tuple[str, ...]:
    """Those that there are grades for."""
    return tuple(load_data("grades.json")["instruments"])


def instrument_of(program: int) -> str | None:
    """The instrument of a General MIDI program, if there are grades for it."""
    found = load_data("grades.json")["instruments"]
    return next((name for name, said in found.items() if said["program"] == program), None)


@cache
def grade_of(instrument: str, number: int) -> Grade:
    """The limits of a grade. Raises TextMusicError where there are none."""
    data: dict[str, Any] = load_data("grades.json")
    if instrument not in data["instruments"]:
        raise TextMusicError(
            f"there are no practice pieces for '{instrument}'; choose {', '.join(instruments())}."
        )
    if not LOWEST <= number <= HIGHEST:
        raise TextMusicError(f"grade {number:,} is out of range; choose {LOWEST} to {HIGHEST}.")
    at = number - 1
    mine, upto = data["instruments"][instrument], data["grades"][:number]
    low_tempo, high_tempo = upto[-1]["tempo"]
    return Grade(
        instrument,
        mine["program"],
        number,
        keys=tuple(chain.from_iterable(mine["keys"][:number])),
        metres=tuple(chain.from_iterable(said["metres"] for said in upto)),
        durations=tuple(sorted(chain.from_iterable(said["durations"] for said in upto))),
        leap=mine["leaps"][at] if "leaps" in mine else upto[-1]["leap"],
        hands=tuple(_hand(said, at) for said in mine["hands"]),
        five_finger=mine.get("five_finger", [False] * 5)[at],
        together=mine.get("together", [True] * 5)[at],
        syncopation=upto[-1].get("syncopation", False),
        tempo=(low_tempo, high_tempo),
        source=mine["source"],
        ours=tuple(mine["ours"]),
    )


def _hand(said: dict[str, Any], at: int) -> Hand:
    low, high = said["compass"][at]
    shortest = said.get("shortest", [0] * HIGHEST)[at]
    return Hand(said["name"], low, high, shortest, said["at_once"][at])
