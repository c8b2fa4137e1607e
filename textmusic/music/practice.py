"""A practice piece: what is asked of it, and the facts, phrases and chords that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from textmusic.errors import TextMusicError
from textmusic.music.chords import Chord
from textmusic.music.grades import BARS_RANGE, USUAL_BARS, Grade, grade_of
from textmusic.music.outline import AskedRow
from textmusic.music.plan import Plan
from textmusic.music.theory import degrees_of, is_minor, tonic

PHRASE = 4  # bars
WHITE_KEYS = (0, 2, 4, 5, 7, 9, 11)
# Chords of a phrase as semitones above the tonic: those that ask (a half cadence), those that end,
# and those between. Grades 1 and 2 have the three main chords alone.
_ASKING = ((0, 0, 5, 7), (0, 5, 0, 7), (0, 7, 0, 7))
_ENDING = ((5, 7, 7, 0), (5, 0, 7, 0), (0, 5, 7, 0))
_BETWEEN = ((5, 0, 5, 7), (7, 0, 7, 7), (5, 5, 0, 7))
_LATER_BETWEEN = ((9, 5, 0, 7), (5, 9, 2, 7), (9, 2, 5, 7))  # with vi and ii, from Grade 3


@dataclass(frozen=True, slots=True)
class Practice:
    """What is asked of a practice piece.

    five_finger: each hand of a piano stays over five keys, whatever the grade. only: the pitch
    classes that it may have, ascending; () for those of the key. left_whole: the left hand plays
    notes of a whole bar.
    """

    instrument: str = "piano"
    grade: int = 1
    five_finger: bool = False
    only: tuple[int, ...] = ()
    left_whole: bool = False

    @property
    def limits(self) -> Grade:
        """The grade's, with what is asked beside it. Raises TextMusicError for an unknown grade."""
        grade = grade_of(self.instrument, self.grade)
        if self.five_finger and len(grade.hands) == 2:
            grade = replace(grade, five_finger=True, leap=min(grade.leap, 7))
        if self.left_whole and len(grade.hands) == 2:
            grade = replace(grade, together=True)
        return grade

    @property
    def keys(self) -> tuple[str, ...]:
        """The grade's keys in which there are enough notes."""
        keys = self.limits.keys
        return tuple(key for key in keys if self._suits(key)) if self.only else keys

    def _suits(self, key: str) -> bool:
        scale = {(tonic(key) + step) % 12 for step in degrees_of(key)}
        home = _chord(key, 0).tones
        return home <= set(self.only) and len(set(self.only) - scale) <= 1

    def to_dict(self) -> dict[str, Any]:
        """Plain types; `from_dict` reads it back."""
        return {**asdict(self), "only": list(self.only)}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Practice:
        """Inverse of `to_dict`. Raises TypeError, ValueError or TextMusicError for what is none."""
        made = Practice(**{**data, "only": tuple(data.get("only", ()))})
        if not all(isinstance(pitch, int) and 0 <= pitch < 12 for pitch in made.only):
            raise ValueError("pitch classes")
        if {type(made.five_finger), type(made.left_whole)} != {bool} or type(made.grade) is not int:
            raise ValueError("practice")
        if not made.keys:
            raise ValueError("no key")
        return made


def check(practice: Practice, asked: Plan) -> None:
    """Raise TextMusicError unless a piece of this grade can have the asked facts."""
    grade = practice.limits
    name = f"grade {practice.grade} {practice.instrument}"
    if not practice.keys:
        raise TextMusicError(
            f"no key of {name} has its main notes among those allowed; allow more notes."
        )
    if asked.key is not None and asked.key not in practice.keys:
        listed = ", ".join(practice.keys)
        raise TextMusicError(f"{name} has no {asked.key}; choose {listed}.")
    if asked.time_signature is not None and asked.time_signature not in grade.metres:
        listed = ", ".join(grade.metres)
        raise TextMusicError(f"{name} has no {asked.time_signature}; choose {listed}.")
    if asked.bars is not None and not BARS_RANGE[0] <= asked.bars <= BARS_RANGE[1]:
        raise TextMusicError(
            f"a practice piece of {asked.bars:,} bars is out of range; choose {BARS_RANGE[0]} to"
            f" {BARS_RANGE[1]}."
        )
    if asked.programs not in (None, (grade.program,)):
        raise TextMusicError(
            f"a practice piece is for one instrument, here {practice.instrument}; name no other."
        )


def filled(practice: Practice, asked: Plan, seed: int, *, seconds: bool = False) -> Plan:
    """The facts of a piece, those that are open drawn from what the grade has.

    seconds: whether its length is asked in seconds, so that the bars stay open.
    """
    grade, dice = practice.limits, dice_of(seed)
    key = str(dice.choice(practice.keys))
    metre = str(dice.choice(grade.metres))
    low, high = grade.tempo
    drawn = Plan(
        programs=(grade.program,),
        key=key,
        time_signature=metre,
        tempo=float(2 * round(dice.uniform(low, high) / 2)),
        bars=None if seconds else USUAL_BARS,
    )
    return asked.over(drawn)


def rows(practice: Practice, plan: Plan, seed: int) -> list[AskedRow]:
    """Phrases of four bars and their chords, a bar each: A A', A B A' or A A' B A'.

    A phrase that comes back begins as it was, and ends with a cadence: on the dominant inside the
    piece, on the tonic at its end.
    """
    assert plan.bars is not None and plan.key is not None
    dice = dice_of(seed, 1)
    begins = list(range(0, plan.bars - PHRASE // 2, PHRASE)) if plan.bars > PHRASE else [0]
    letters = _form(len(begins))
    laid: list[AskedRow] = []
    first = tuple(dice.permutation(3))
    for number, (begin, letter) in enumerate(zip(begins, letters, strict=True)):
        last = number + 1 == len(begins)
        length = (plan.bars if last else begins[number + 1]) - begin
        if letter == "A":
            roots = list(_ASKING[first[0]])
        else:
            roots = list((_LATER_BETWEEN if practice.grade >= 3 else _BETWEEN)[first[1]])
        if last:
            ending = _ENDING[first[2]]
            roots = [*roots[:2], *ending[2:]] if letters != "A" else [roots[0], 5, 7, 0]
        roots = [*roots[: PHRASE - 2], *[roots[1]] * (length - PHRASE), *roots[PHRASE - 2 :]]
        again = letter == "A" and number > 0
        for step, root in enumerate(roots[:length] if length >= PHRASE else roots[-length:]):
            like = step if again and step < PHRASE // 2 and length >= PHRASE else None
            chord = _chord(plan.key, root)
            laid.append(AskedRow(like, like is None, ((0, chord),)))
    return laid


def phrase_ends(bars: int) -> frozenset[int]:
    """The bars (from 0) that end a phrase."""
    begins = range(PHRASE, bars - PHRASE // 2, PHRASE) if bars > PHRASE else ()
    return frozenset((*(begin - 1 for begin in begins), bars - 1))


def _form(phrases: int) -> str:
    known = {1: "A", 2: "AA", 3: "ABA", 4: "AABA"}
    return known.get(phrases) or ("AABA" * 8)[: phrases - 1] + "A"


def _chord(key: str, root: int) -> Chord:
    """A triad of the key; the dominant of a minor key is major."""
    sounding = (tonic(key) + root) % 12
    if is_minor(key):
        minor = {0: "min", 5: "min", 7: "maj", 2: "dim", 9: "maj"}
        return Chord((sounding - 1) % 12 if root == 9 else sounding, minor[root])
    return Chord(sounding, "min" if root in (2, 9) else "maj")


def tones(row: Sequence[tuple[int, Chord | None]] | None) -> frozenset[int]:
    """Pitch classes of the chord that a bar begins with; none where it is open."""
    chord = row[0][1] if row else None
    return frozenset() if chord is None else chord.tones


def dice_of(seed: int, part: int = 0) -> np.random.Generator:
    """Dice of their own, so that the notes' are thrown as in any other piece."""
    return np.random.default_rng([seed, 19, part])
