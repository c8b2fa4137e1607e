"""Harmony and form of a piece, bar by bar: decided before a note is written.

A `Sketch` has a row for each bar of a piece: what earlier bar it repeats or varies, and the chords
that sound in it. It is measured in scores (`harmony`, `form`), written by the model between the
plan and the score, asked for by a person (as an `Outline`), and shown in the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from textmusic.chords import Chord
from textmusic.plan import NO_KEY, quarters_per_bar, tonic

Change = tuple[int, Chord | None]


def beats_per_bar(time_signature: str) -> int:
    """Beats that a chord can begin on: quarters, in metres of eighths eighths: 4/4 -> 4, 6/8 -> 6."""
    return round(quarters_per_bar(time_signature) / quarters_per_beat(time_signature))


def quarters_per_beat(time_signature: str) -> float:
    """Length of such a beat in quarter notes: 1.0 or 0.5."""
    return 0.5 if time_signature.endswith("/8") else 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """A bar.

    like: index (from 0) of the earlier bar that it repeats. vary: of the earlier bar whose rhythm
    it has, with other pitches. Neither: the bar is new. chords: (beat, chord) of the chord that
    sounds when the bar begins (beat 0) and of every change in it, ascending; a chord that is None
    is none; () where there is no harmony worth naming. Roots are as they sound.
    """

    like: int | None = None
    vary: int | None = None
    chords: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Sketch:
    """The rows of a piece, one for each bar."""

    rows: tuple[Row, ...] = ()

    def chord_at(self, bar: int, beat: float) -> Chord | None:
        """The chord that sounds at a beat (`beats_per_bar`) of a bar; None for none."""
        found = None
        for at, chord in self.rows[bar].chords:
            if at <= beat + 1e-6:
                found = chord
        return found

    def moved(self, semitones: int) -> Sketch:
        """The same with all chords some semitones up."""
        return Sketch(
            tuple(
                replace(
                    row,
                    chords=tuple(
                        (beat, chord and chord.moved(semitones)) for beat, chord in row.chords
                    ),
                )
                for row in self.rows
            )
        )

    def cut(self, begin: int, end: int) -> Sketch:
        """Bars begin to end (without it) by themselves: what they repeat from before is lost."""
        rows = []
        for row in self.rows[begin:end]:
            like = None if row.like is None or row.like < begin else row.like - begin
            vary = None if row.vary is None or row.vary < begin else row.vary - begin
            rows.append(replace(row, like=like, vary=vary))
        return Sketch(tuple(rows))


@dataclass(frozen=True, slots=True)
class Outline:
    """What a person asks of harmony and form, before the number of bars is known.

    chords: bars of chords, played over and over; () leaves them open. relative: whether their
    roots are counted from the tonic ("I-V-vi-IV") and not as they sound. minor: the mode that such
    a progression is in; None for either. form: a letter a section ("A", "A", "B", "A"), () open;
    the same letter is the same music. names: what the sections are called ("verse", "chorus"), as
    many, or () for their letters. last: the chord that the piece ends on, as a root above the
    tonic and a quality.
    """

    chords: tuple[tuple[Chord, ...], ...] = ()
    relative: bool = False
    minor: bool | None = None
    form: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    last: Chord | None = None

    @property
    def known(self) -> bool:
        """Whether anything is asked."""
        return bool(self.chords or self.form or self.last)

    def sounding(self, key: str | None) -> tuple[tuple[Chord, ...], ...]:
        """The bars of chords as they sound in a key."""
        if not self.relative:
            return self.chords
        up = 0 if key is None or key == NO_KEY else tonic(key)
        return tuple(tuple(chord.moved(up) for chord in bar) for bar in self.chords)


def sections(lengths: Sequence[int]) -> list[int]:
    """First bars of sections of these lengths."""
    firsts, at = [], 0
    for length in lengths:
        firsts.append(at)
        at += length
    return firsts
