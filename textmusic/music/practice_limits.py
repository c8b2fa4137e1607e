"""What the next note of a practice piece may be: pitches and lengths, for each hand.

The grade's limits are kept without exception: compass or five-finger position, scale, note values,
leaps, notes at once, hands apart. What makes it music (chord tones where a bar begins, cadences, no
second or seventh between the hands) is kept wherever a pitch is left that does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from textmusic.music.grades import Grade, Hand
from textmusic.music.outline import AskedRow
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice, dice_of, phrase_ends, tones
from textmusic.music.practice_rhythm import (
    TICKS,
    Rhythm,
    bar_ticks,
    beat_ticks,
    rhythm,
    ticks_of,
)
from textmusic.music.theory import LEADING_TONE, MAJOR_SCALE, NATURAL_MINOR_SCALE, is_minor, tonic

FIVE_FINGERS = 5
UNIT_BARS = 2  # hands that play apart take turns after so many bars
MOST_ALIKE = 2  # times a line has the same pitch in a row
CHORD_SPAN = 9  # semitones between two notes of a hand
_CONSONANT = {0, 3, 4, 7, 8, 9}  # semitones between the hands, octaves aside
_CADENCE = {2, 7, 11}  # semitones above the tonic, of a phrase's last note inside a piece
_BEFORE_END = {2, 11}


@dataclass(frozen=True, slots=True)
class Line:
    """A hand of a piece. pitches: that it may have, as they sound, ascending."""

    hand: Hand
    pitches: tuple[int, ...]
    lengths: tuple[int, ...]  # ticks, ascending


@dataclass(frozen=True, slots=True)
class Place:
    """Where a note would stand. line: its hand. place, length: ticks in the bar.

    before: the hand's last pitches, the latest first. sounding: what the other hands hold.
    """

    line: int
    bar: int
    place: int
    length: int
    before: tuple[int, ...] = ()
    sounding: tuple[int, ...] = ()


class Limits:
    """The limits of one piece."""

    def __init__(
        self, practice: Practice, plan: Plan, rows: Sequence[AskedRow], seed: int = 0
    ) -> None:
        """plan: complete. rows: of all bars, for their chords. seed: draws the hands' positions."""
        assert plan.bars and plan.key and plan.time_signature
        self.practice, self.grade = practice, practice.limits
        self.key, self.metre, self.bars = plan.key, plan.time_signature, plan.bars
        self.bar_ticks = bar_ticks(self.metre)
        self._ends = phrase_ends(self.bars)
        self._tones = [tones(row.chords) for row in rows]
        positions = dice_of(seed, 2).random()
        self.lines = tuple(self._line(hand, positions) for hand in self.grade.hands)

    def _line(self, hand: Hand, drawn: float) -> Line:
        low, high = hand.low, hand.high
        scale = scale_of(self.key)
        allowed = scale & set(self.practice.only) if self.practice.only else scale
        whole = [
            p for p in range(low, high + 1) if (p - tonic(self.key)) % 12 in _degrees(self.key)
        ]
        if self.grade.five_finger:
            places = positions_of(self.key, whole)
            whole = places[int(drawn * len(places)) % len(places)]
        kept = tuple(p for p in whole if p % 12 in allowed)
        lengths = ticks_of(d for d in self.grade.durations if d >= hand.shortest)
        return Line(hand, kept, lengths)

    def playing(self, bar: int) -> tuple[int, ...]:
        """The hands (by number, the lowest first) that play in a bar."""
        if self.grade.together or len(self.lines) == 1:
            return tuple(range(len(self.lines)))
        units = max(self.bars // UNIT_BARS, 1)
        return (1 - min(bar // UNIT_BARS, units - 1) % 2,)

    def rhythm(self, line: int, bar: int) -> Rhythm:
        """What may begin where in a bar."""
        melody = line == self.playing(bar)[-1]
        whole = bar == self.bars - 1 or (self.practice.left_whole and not melody)
        long = 2 * TICKS if beat_ticks(self.metre) == TICKS else beat_ticks(self.metre)
        ends = self.bar_ticks if whole else min(long, self.bar_ticks) if bar in self._ends else 0
        return rhythm(
            self.metre, self.lines[line].lengths, syncopation=self.grade.syncopation, ends=ends
        )

    def pitches(self, at: Place) -> list[int]:
        """The pitches of a hand's next note, ascending: at least one."""
        kept = [p for p in self.lines[at.line].pitches if self._within(at, p)]
        for rule in self._shape(at):
            kept = [p for p in kept if rule(p)] or kept
        return kept

    def above(self, at: Place, first: int, struck: Sequence[int]) -> list[int]:
        """The pitches that may be struck together with a hand's note; none where it is one line."""
        line = self.lines[at.line]
        if len(struck) >= line.hand.at_once or at.bar == self.bars - 1 or at.length < TICKS:
            return []
        # the top note of a part is what is heard as its line
        top = at.line == len(self.lines) - 1 and at.before
        highest = at.before[0] + self.grade.leap if top else line.hand.high
        return [
            p
            for p in line.pitches
            if struck[-1] + 3 <= p <= min(first + CHORD_SPAN, highest)
            and all(abs(p - other) % 12 in _CONSONANT for other in (*struck, *at.sounding))
            and (not self._chord(at.bar) or p % 12 in self._chord(at.bar))
        ]

    def _within(self, at: Place, pitch: int) -> bool:
        """Whether a pitch keeps the grade's limits on leaps, and on steps no beginner reads."""
        if not at.before:
            return True
        step = abs(pitch - at.before[0])
        return step <= self.grade.leap and not self._augmented(at.before[0], pitch)

    def _augmented(self, one: int, two: int) -> bool:
        """Whether two notes are the sixth and the raised seventh of a minor key."""
        degrees = {(p - tonic(self.key)) % 12 for p in (one, two)}
        return is_minor(self.key) and degrees == {8, LEADING_TONE}

    def _shape(self, at: Place) -> Iterator[Callable[[int], bool]]:
        """What makes it music, the most important first."""
        home = tonic(self.key)
        melody = at.line == self.playing(at.bar)[-1]
        ends_bar = at.place + at.length == self.bar_ticks
        if at.bar == self.bars - 2 and ends_bar:
            yield self._near_home(at)
        if at.bar == self.bars - 1:
            yield lambda p: p % 12 == home
            yield lambda p: not at.before or abs(p - at.before[0]) <= 4
        elif at.bar == self.bars - 2 and ends_bar and melody:
            yield lambda p: (p - home) % 12 in _BEFORE_END
        elif at.bar in self._ends and ends_bar and melody:
            yield lambda p: (p - home) % 12 in _CADENCE
        if at.before[:1] * MOST_ALIKE == at.before[:MOST_ALIKE]:
            yield lambda p: p not in at.before[:1]
        if (at.place == 0 or at.length >= 2 * TICKS) and self._chord(at.bar):
            yield lambda p: p % 12 in self._chord(at.bar)
        on_beat = at.place % beat_ticks(self.metre) == 0
        if at.sounding and on_beat:
            yield lambda p: all(abs(p - other) % 12 in _CONSONANT for other in at.sounding)
        if at.sounding and on_beat and 0 < at.bar < self.bars - 1:  # octaves are no second voice
            yield lambda p: all((p - other) % 12 for other in at.sounding)
        if len(at.before) > 1 and abs(leap := at.before[0] - at.before[1]) > 5:
            yield lambda p: (p - at.before[0]) * leap < 0 and abs(p - at.before[0]) <= 4

    def _near_home(self, at: Place) -> Callable[[int], bool]:
        """Whether the last bar's tonic can be reached from a pitch by a small step."""
        homes = [p for p in self.lines[at.line].pitches if p % 12 == tonic(self.key)]
        reach = min(self.grade.leap, 5)
        return lambda p: any(abs(p - other) <= reach for other in homes)

    def _chord(self, bar: int) -> frozenset[int]:
        return self._tones[bar] if bar < len(self._tones) else frozenset()


def scale_of(key: str) -> set[int]:
    """Pitch classes of a key's scale, of a minor key's harmonic one."""
    return {(tonic(key) + step) % 12 for step in _degrees(key)}


def _degrees(key: str) -> tuple[int, ...]:
    """Semitones above the tonic of the scale that practice pieces are in."""
    return (*NATURAL_MINOR_SCALE[:6], LEADING_TONE) if is_minor(key) else MAJOR_SCALE


def positions_of(key: str, pitches: Sequence[int]) -> list[list[int]]:
    """The five-finger positions among the scale's pitches: on the tonic, and on the dominant."""
    found = [
        list(pitches[at : at + FIVE_FINGERS])
        for at in range(len(pitches) - FIVE_FINGERS + 1)
        if (pitches[at] - tonic(key)) % 12 in (0, 7)
    ]
    return sorted(found, key=lambda five: (five[0] - tonic(key)) % 12) or [list(pitches)]


__all__ = ["Grade", "Limits", "Line", "Place", "positions_of", "scale_of"]
