"""A voice of an ABC tune while it is being read: where it stands, and what holds there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate

from textmusic.music.theory import DRUMS, NATURAL_PITCH_CLASSES, transposed
from textmusic.notation.abc_fields import AbcKey, read_name, read_octaves
from textmusic.notation.chord_symbols import symbol_said
from textmusic.notation.players import program_named
from textmusic.notation.sheet import DYNAMICS, USUAL_VELOCITY, Measure, Metre, WrittenNote, tidy

Head = tuple[str | None, str, str, Fraction, bool]  # sign, letter, octave marks, length, tied
_SIGNS = {"^": 1, "^^": 2, "=": 0, "_": -1, "__": -2}
_INTO = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # how many of its kind a tuplet takes the time of


@dataclass(slots=True)
class Voice:
    """What a voice has read so far. unit: the unit length, in quarter notes."""

    measures: list[Measure] = field(default_factory=list)
    unit: Fraction = Fraction(1, 2)
    metre: Metre | None = None
    key: AbcKey = field(default_factory=AbcKey)
    propagation: str = "pitch"
    clef: int = 0  # semitones up, by what says so
    transposition: int = 0
    shift: int = 0
    program: int | None = None
    channel: int = 0
    name: str = ""
    velocity: int = USUAL_VELOCITY
    drums: dict[str, int] = field(default_factory=dict)  # note -> MIDI key
    here: Fraction = Fraction(0)  # in the measure
    reached: Fraction = Fraction(0)  # by the longest layer of the measure
    reached_before: Fraction = Fraction(0)  # without what was struck last
    accidentals: dict[str, int] = field(default_factory=dict)
    waiting_tempo: float | None = None
    waiting_chord: str | None = None  # of the next note or rest
    metre_stated: bool = False
    factor: Fraction = Fraction(1)  # of the next note, by broken rhythm
    tuplet_left: int = 0
    tuplet_factor: Fraction = Fraction(1)
    last: list[WrittenNote] = field(default_factory=list)
    last_heads: list[tuple[str, str, int]] = field(default_factory=list)
    last_length: Fraction = Fraction(0)
    held: dict[tuple[str, str], int] = field(default_factory=dict)  # tied: (letter, octave) -> sign
    open: bool = False  # whether a measure has been begun
    sounding_key: str | None = None  # the first, unless it is neither major nor minor

    def copy(self) -> Voice:
        """A voice that begins with what is said of all."""
        return deepcopy(self)

    # What fields say ------------------------------------------------------------------------------

    def set_metre(self, metre: Metre | None) -> None:
        """A metre, from the measure on that begins here or next."""
        self.metre, self.metre_stated = metre, True
        if self.open and self.reached == 0:
            self.measures[-1].metre, self.measures[-1].stated = metre, True
            self.metre_stated = False

    def set_tempo(self, tempo: float) -> None:
        """A tempo, from here on."""
        if self.open:
            self.measures[-1].tempi.append((self.here, tempo))
        else:
            self.waiting_tempo = tempo

    def set_key(self, key: AbcKey | None) -> None:
        """A key, from here on; None leaves it."""
        if key is not None:
            self.key = key
            self.accidentals.clear()

    def describe(self, text: str) -> None:
        """What a K: or V: field says of clef, octave and name."""
        if not text:
            return
        if re.search(r"clef|treble|bass|alto|tenor|\boctave|\btranspose|\bt=", text):
            clef, shift = read_octaves(text)
            said = re.search(r"clef|treble|bass|alto|tenor", text) is not None
            self.clef = clef if said else self.clef
            if re.search(r"\b(?:octave|transpose|t)\s*=", text):
                self.shift = shift
        if re.search(r"\bperc\b", text):
            self.channel = 10
        self.name = read_name(text) or self.name

    def midi(self, name: str, values: Sequence[str]) -> None:
        """A %%MIDI directive."""
        numbers = [int(value) for value in values if re.fullmatch(r"[+-]?\d{1,3}", value)]
        if name == "program" and numbers and 0 <= numbers[-1] < 128:
            self.program = numbers[-1]
        elif name == "channel" and numbers:
            self.channel = numbers[0]
        elif name in ("transpose", "rtranspose") and numbers and abs(numbers[0]) < 100:
            self.transposition = numbers[0] + (name == "rtranspose") * self.transposition
        elif name == "drummap" and numbers and 0 <= numbers[-1] < 128:
            self.drums[values[0]] = numbers[-1]

    def decorate(self, text: str) -> None:
        """A decoration: of them, dynamic marks and chord symbols count."""
        if text.startswith('"'):
            shift = self.transposition + self.shift
            self.waiting_chord = symbol_said(text, shift) or self.waiting_chord
            return
        self.velocity = DYNAMICS.get(text.strip("!+"), self.velocity)

    # What the music says --------------------------------------------------------------------------

    def strike(self, heads: Sequence[Head], times: Fraction) -> None:
        """Notes that begin together; the first one says when the next begins."""
        self._begin()
        scale = self.unit * times * self._factor()
        struck: list[WrittenNote] = []
        read: list[tuple[str, str, int]] = []
        for sign, letter, octave, length, tied in heads:
            alter = self._alter(sign, letter, octave)
            note = WrittenNote(
                self.here, length * scale, self._pitch(letter, octave, alter), self._program(),
                self.velocity, tied=True, ties=tied,
            )  # fmt: skip
            if note.program == DRUMS:
                note.pitch = self.drums.get(f"{sign or ''}{letter}{octave}", note.pitch)
            read.append((letter, octave, alter))
            struck.append(note)
        self.held = {
            (letter, octave): alter
            for (letter, octave, alter), note in zip(read, struck, strict=True) if note.ties
        }  # fmt: skip
        self.last_heads = read
        self.measures[-1].notes += [note for note in struck if 0 <= note.pitch < 128]
        self._go_on(heads[0][3] * scale, struck)

    def rest(self, length: Fraction) -> None:
        """A rest, seen or not."""
        self._begin()
        self.held = {}
        self._go_on(length * self.unit * self._factor(), [])

    def rest_bars(self, count: int) -> None:
        """A rest of some measures."""
        bar = Fraction(4 * self.metre[0], self.metre[1]) if self.metre else Fraction(4)
        for place in range(count):
            if place:
                self.bar_line()
            self._begin()
            self.measures[-1].resting = self.here == 0
            self._go_on(bar, [])

    def bar_line(self) -> None:
        """The end of a measure, where one has been begun."""
        self.accidentals.clear()
        self.here = self.reached = self.reached_before = Fraction(0)
        self.open = False

    def end(self) -> None:
        """The end of the tune."""
        self.bar_line()

    def tie(self) -> None:
        """What was struck last goes on in the next of its pitch."""
        for note in self.last:
            note.ties = True
        self.held |= {(letter, octave): alter for letter, octave, alter in self.last_heads}

    def break_rhythm(self, marks: str) -> None:
        """ "a>b": the first is dotted, the second halved; "a<b" the other way round."""
        part = Fraction(1, 2 ** min(len(marks), 6))
        mine, theirs = (2 - part, part) if marks[0] == ">" else (part, 2 - part)
        change = self.last_length * (mine - 1)
        for note in self.last:
            note.length *= mine
        self.last_length *= mine
        self.here += change
        self.factor = theirs
        if self.open:
            self.reached = max(self.here, self.reached_before)
            self.measures[-1].length = self.reached

    def tuplet(self, count: int, into: str | None, many: str | None) -> None:
        """(3abc, or (count:into:many: so many notes take the time of others."""
        compound = self.metre is not None and self.metre[1] == 8 and self.metre[0] % 3 == 0
        time = int(into[:3]) if into else _INTO.get(count, 3 if compound else 2)
        if count and time:
            self.tuplet_factor = Fraction(time, count)
            self.tuplet_left = int(many[:3]) if many else count

    def overlay(self) -> None:
        """Another layer of the measure, from its beginning."""
        if self.open:
            self.here = Fraction(0)
            self.accidentals.clear()
            self.held, self.last, self.last_heads = {}, [], []
            self.last_length, self.factor, self.tuplet_left = Fraction(0), Fraction(1), 0

    # ----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if not self.open:
            if not self.measures and self.key.name:
                self.sounding_key = transposed(self.key.name, self.shift + self.transposition)
            self.measures.append(Measure(self.metre, self.metre_stated, short=not self.measures))
            self.metre_stated, self.open = False, True
            if self.waiting_tempo:
                self.measures[-1].tempi.append((Fraction(0), self.waiting_tempo))
                self.waiting_tempo = None
        if self.waiting_chord:
            self.measures[-1].chords.append((self.here, self.waiting_chord))
            self.waiting_chord = None

    def _factor(self) -> Fraction:
        factor, self.factor = self.factor, Fraction(1)
        if self.tuplet_left:
            self.tuplet_left -= 1
            factor *= self.tuplet_factor
        return factor

    def _go_on(self, length: Fraction, struck: list[WrittenNote]) -> None:
        self.last, self.last_length = struck, length
        if not struck:
            self.last_heads = []
        self.here = tidy(self.here + length)
        self.reached_before = self.reached
        self.reached = max(self.reached, self.here)
        self.measures[-1].length = self.reached

    def _alter(self, sign: str | None, letter: str, octave: str) -> int:
        """Semitones that a note is raised by: its own sign's, a tie's, the measure's, the key's."""
        where = letter.upper() if self.propagation == "pitch" else letter + octave
        if sign is not None:
            if self.propagation != "not":
                self.accidentals[where] = _SIGNS[sign]
            return _SIGNS[sign]
        if (letter, octave) in self.held:
            return self.held[letter, octave]
        return self.accidentals.get(where, self.key.alters.get(letter.upper(), 0))

    def _pitch(self, letter: str, octave: str, alter: int) -> int:
        octaves = letter.islower() + octave.count("'") - octave.count(",")
        base = 60 + NATURAL_PITCH_CLASSES[letter.upper()] + 12 * octaves
        return base + alter + self.clef + self.shift + self.transposition

    def _program(self) -> int:
        if self.channel == 10:
            return DRUMS
        if self.program is None:
            self.program = program_named(self.name) or 0
        return self.program


def aligned(voices: Sequence[Voice]) -> list[list[Measure]]:
    """The measures of the voices, so that those of one number begin together.

    Where a voice divides its bars otherwise than the first, as without bar lines, and is as long
    all the same, its notes are put into the measures of the first.
    """
    if not voices:
        return []
    leading = max(voices, key=lambda voice: len(voice.measures)).measures
    lines = list(accumulate((measure.length for measure in leading), initial=Fraction(0)))
    parts = []
    for voice in voices:
        total = sum((measure.length for measure in voice.measures), Fraction(0))
        other = len(voice.measures) != len(leading) and total == lines[-1]
        parts.append(_recut(voice.measures, leading, lines) if other else voice.measures)
    return parts


def _recut(
    measures: Sequence[Measure], leading: Sequence[Measure], lines: Sequence[Fraction]
) -> list[Measure]:
    """Measures with the bar lines of another part."""
    cut = [Measure(measure.metre, False, measure.length) for measure in leading]
    starts = accumulate((measure.length for measure in measures), initial=Fraction(0))
    place = 0
    for start, measure in zip(starts, measures, strict=False):
        for note in measure.notes:
            time = start + note.start
            place = next(i for i in range(len(cut)) if time < lines[i + 1] or i == len(cut) - 1)
            note.start = time - lines[place]
            cut[place].notes.append(note)
        for offset, tempo in measure.tempi:
            place = next(
                i for i in range(len(cut)) if start + offset < lines[i + 1] or i == len(cut) - 1
            )
            cut[place].tempi.append((start + offset - lines[place], tempo))
    return cut
