"""Harmony and form of a piece, bar by bar: decided before a note is written.

A `Sketch` has a row for each bar of a piece: what earlier bar it repeats or varies, and the chords
that sound in it. It is measured in scores (`harmony`, `form`), written by the model between the
plan and the score, asked for by a person (as an `Outline`), and shown in the report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from textmusic.music.chords import ALL_CHORDS, Chord
from textmusic.music.plan import COUNTED_BARS
from textmusic.music.theory import NO_KEY, quarters_per_bar, shift_of, tonic

BeatChord = tuple[int, Chord | None]
MOST_BEATS = 12  # of a bar: 12/8


def beats_per_bar(time_signature: str) -> int:
    """Beats that a chord can begin on, eighths in metres of eighths: 4/4 -> 4, 6/8 -> 6."""
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
    chords: tuple[BeatChord, ...] = ()


@dataclass(frozen=True, slots=True)
class Sketch:
    """The rows of a piece, one for each bar."""

    rows: tuple[Row, ...] = ()

    def chord_at(self, bar: int, beat: float) -> Chord | None:
        """The chord that sounds at a beat (`beats_per_bar`) of a bar; None for none."""
        return self.chord_since(bar, beat)[1]

    def chord_since(self, bar: int, beat: float) -> tuple[int, Chord | None]:
        """The chord that sounds at a beat of a bar, and the beat of the bar since when it does."""
        found: BeatChord = (0, None)
        for at, chord in self.rows[bar].chords:
            if at <= beat + 1e-6:
                found = at, chord
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

    def behind(self, bars: int) -> Sketch:
        """The same with all bars counted from so many bars earlier."""
        rows = (
            replace(
                row,
                like=None if row.like is None else row.like + bars,
                vary=None if row.vary is None else row.vary + bars,
            )
            for row in self.rows
        )
        return Sketch(tuple(rows))

    def cut(self, begin: int, end: int) -> Sketch:
        """Bars begin to end (without it) by themselves.

        A bar that repeats one from before them repeats the first among them that does so too.
        """
        seen: dict[tuple[str, int], int] = {}
        rows = []
        for bar in range(begin, end):
            row = self.rows[bar]
            like = self._inside("like", row.like, bar, begin, seen)
            vary = self._inside("vary", row.vary, bar, begin, seen)
            rows.append(replace(row, like=like, vary=vary))
        return Sketch(tuple(rows))

    def _inside(
        self, kind: str, target: int | None, bar: int, begin: int, seen: dict[tuple[str, int], int]
    ) -> int | None:
        if target is None:
            return None
        if target >= begin:
            return target - begin
        first = seen.setdefault((kind, target), bar)
        return None if first == bar else first - begin


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


def encode_sketch(sketch: Sketch, key: str | None) -> list[str]:
    """Tokens of a sketch of at most 64 bars: a row a bar, roots counted from the tonic.

    `Bar_k` (bars left, as in the score), `New`, `Like_j` or `Vary_j` (j: the number that the bar
    meant had itself), the chord that sounds when the bar begins, and `Beat_b` and a chord for each
    change.
    """
    count, shift = len(sketch.rows), shift_of(key)
    assert count <= COUNTED_BARS
    tokens: list[str] = []
    for bar, row in enumerate(sketch.rows):
        tokens += (f"Bar_{count - bar}", form_token(row, count))
        for beat, chord in row.chords:
            if beat:
                tokens.append(f"Beat_{beat}")
            tokens.append(chord_token(chord, shift))
    return tokens


def form_token(row: Row, count: int) -> str:
    """How a row of a sketch of `count` bars says what it repeats."""
    if row.like is not None:
        return f"Like_{count - row.like}"
    return "New" if row.vary is None else f"Vary_{count - row.vary}"


def chord_token(chord: Chord | None, shift: int) -> str:
    """A chord that sounds, its root counted from the tonic: "Chord_7-maj", "Chord_none"."""
    if chord is None:
        return "Chord_none"
    return f"Chord_{(chord.root - shift) % 12}-{chord.quality}"


def decode_chord(token: str, shift: int) -> Chord | None:
    """The chord that sounds, of a chord token."""
    root, _, quality = token.partition("_")[2].partition("-")
    return None if root == "none" else Chord((int(root) + shift) % 12, quality)


def sketch_vocabulary() -> list[str]:
    """Every token of a sketch but its bars, in vocabulary order."""
    forms = [f"{kind}_{n}" for kind in ("Like", "Vary") for n in range(1, COUNTED_BARS + 1)]
    beats = [f"Beat_{n}" for n in range(1, MOST_BEATS)]
    chords = [chord_token(chord, 0) for chord in (None, *ALL_CHORDS)]
    return ["New", *forms, *beats, *chords]


def read_sketch(data: Mapping[str, Any]) -> Sketch:
    """A sketch of plain types, as `dataclasses.asdict` and JSON leave it."""
    return Sketch(
        tuple(
            Row(row["like"], row["vary"], tuple((beat, _chord(c)) for beat, c in row["chords"]))
            for row in data.get("rows", ())
        )
    )


def read_outline(data: Mapping[str, Any]) -> Outline:
    """An outline of plain types, as `dataclasses.asdict` and JSON leave it."""
    fields = dict(data)
    for name in ("form", "names"):
        fields[name] = tuple(fields.get(name, ()))
    bars = fields.get("chords", ())
    fields["chords"] = tuple(tuple(Chord(*chord) for chord in bar) for bar in bars)
    fields["last"] = _chord(fields.get("last"))
    return Outline(**fields)


def _chord(data: Sequence[Any] | None) -> Chord | None:
    return None if data is None else Chord(*data)
