"""A tune in ABC 2.1 -> a sheet.

As its standard has it: an accidental holds to the bar line, in every octave; voices sound together;
what stands in fields, strings, braces and decorations is no note.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from textmusic.notation.abc_fields import read_key, read_metre, read_tempo, read_unit, usual_unit
from textmusic.notation.abc_text import NO_MUSIC, Line, lines_of, written_in_abc
from textmusic.notation.abc_voices import Voice, aligned
from textmusic.notation.sheet import Sheet

_LENGTH = r"\d*(?:/+\d*)?"
_NOTE = rf"(?P<sign>\^\^?|__?|=)?(?P<letter>[A-Ga-g])(?P<octave>[',]*)(?P<length>{_LENGTH})"
# In this order: what comes first wins where several would do.
_MUSIC = re.compile(
    "|".join(
        (
            rf"(?P<nothing>{NO_MUSIC.pattern})",
            r"\[(?P<field>[A-Za-z]):(?P<value>[^\]]{0,200})\]",
            r"(?P<bar>\[\|[\]|:]*|:*\|[\]|:]*|::+)",
            r"\[(?P<ending>\d[\d.,-]*)",
            rf"\[(?P<chord>[^\]\[|]*)\](?P<times>{_LENGTH})",
            rf"\+(?P<old_chord>[A-Ga-g\d/,'^_=]+)\+(?P<old_times>{_LENGTH})",
            r"\((?P<tuplet>\d)(?::(?P<into>\d*))?(?::(?P<many>\d*))?",
            _NOTE,
            rf"[zx](?P<rest>{_LENGTH})",
            r"[ZX](?P<bars>\d*)",
            r"(?P<broken>>+|<+)",
            r"(?P<tie>-)",
            r"(?P<overlay>&)",
            r"(?P<other>.)",
        )
    )
)
_IN_CHORD = re.compile(rf"{NO_MUSIC.pattern}|{_NOTE}(?P<tie>-)?|.")
MOST_BARS = 10_000  # of rest


def sheet_of_abc(tune: str) -> Sheet:
    """The piece in the text of a tune."""
    lines = lines_of(tune)
    reader = _TuneReader(lines)
    voices = [voice for voice in reader.voices.values() if voice.measures]
    title = next((text for kind, text in lines if kind == "T"), "")
    key = voices[0].sounding_key if voices else None
    return Sheet(aligned(voices), title, key, written_in_abc(lines))


class _TuneReader:
    """Reads the lines of a tune into voices.

    What is said before the first voice is named holds for all of them, but for the player
    (%%MIDI program and channel). The standard says nothing of that, and abc2midi, whose words they
    are, gives it to the first voice alone, or to the last one that the head describes.
    """

    def __init__(self, lines: list[Line]) -> None:
        self.common = Voice()
        self.voices: dict[str, Voice] = {}
        self.now: Voice | None = None
        self.described: Voice | None = None  # last in the head
        self.player: list[Sequence[str]] = []  # %%MIDI program and channel, before any voice
        self.in_head = True
        self.unit_stated = False
        self.tempo = ""  # as the head states it, in units that may be said after it
        for kind, text in lines:
            if kind == "":
                self._begin_body()
                self._music(text)
            elif kind == "%":
                self._directive(text)
            else:
                self._field(kind, text)
                if kind == "K":
                    self._begin_body()
        for voice in self.voices.values():
            voice.end()

    def _begin_body(self) -> None:
        if self.in_head:
            self.in_head = False
            self.described, self.now = self.now, None  # what is described is not yet chosen
            self._field("Q", self.tempo)

    def _voice(self) -> Voice:
        """The voice that music is written in."""
        if self.now is None:
            if not self.voices:
                self._begin_voice("1")
            self.now = next(iter(self.voices.values()))
        return self.now

    def _meant(self, directive: bool = False) -> list[Voice]:
        """The voices that a field holds for: in the head all, behind it the one at hand."""
        if self.now is not None and (directive or not self.in_head):
            return [self.now]
        return [self.common, *self.voices.values()]

    def _field(self, kind: str, text: str) -> None:
        if kind == "V":
            self._choose(text)
        elif kind == "M":
            metre = read_metre(text)
            for voice in self._meant():
                voice.set_metre(metre)
                if not self.unit_stated and self.in_head:
                    voice.unit = usual_unit(metre)
        elif kind == "L" and (unit := read_unit(text)):
            self.unit_stated = True
            for voice in self._meant():
                voice.unit = unit
        elif kind == "Q" and self.in_head:
            self.tempo = text
        elif kind == "Q":
            if tempo := read_tempo(text, self._meant()[0].unit):
                for voice in self._meant():
                    voice.set_tempo(tempo)
        elif kind == "K":
            key = read_key(text)
            for voice in self._meant():
                voice.set_key(key)
                voice.describe(text)

    def _choose(self, text: str) -> None:
        """Go on in a voice, and take what its field says of it."""
        name, _, about = text.strip().partition(" ")
        if name == "*":
            for voice in [self.common, *self.voices.values()]:
                voice.describe(about)
            return
        if name not in self.voices:
            self._begin_voice(name)
        self.now = self.voices[name]
        self.now.describe(about)

    def _begin_voice(self, name: str) -> None:
        self.voices[name] = voice = self.common.copy()
        if name == "1" or not name.isdecimal():
            for kind, *values in self.player:
                voice.midi(kind, values)
            self.player = []

    def _directive(self, text: str) -> None:
        words = re.split(r"[\s=]+", text.strip())
        name, values = words[0].lower(), words[1:]
        if name == "propagate-accidentals" and values:
            for voice in [self.common, *self.voices.values()]:
                voice.propagation = values[0]
        elif name == "transpose" and values and re.fullmatch(r"[+-]?\d{1,2}", values[0]):
            for voice in self._meant(directive=True):
                voice.transposition = int(values[0])
        elif name == "midi" and len(values) > 1 and values[0].lower() in ("program", "channel"):
            meant = self.now or self.described
            if meant is not None:
                meant.midi(values[0].lower(), values[1:])
            elif len(values) == 2 or values[1] == "1":  # of the first voice's channel
                self.player.append([values[0].lower(), *values[1:]])
        elif name == "midi" and len(values) > 1:
            for voice in self._meant(directive=True):
                voice.midi(values[0].lower(), values[1:])

    def _music(self, text: str) -> None:
        for found in _MUSIC.finditer(text):
            kind = found.lastgroup
            if found["field"]:
                self._inline(found["field"], found["value"])
            elif found["nothing"]:
                self._voice().decorate(found["nothing"])
            elif kind != "other":
                self._sound(self._voice(), found)

    def _inline(self, kind: str, value: str) -> None:
        if kind == "I":
            self._directive(value)
        else:
            self._field(kind, value.strip())

    def _sound(self, voice: Voice, found: re.Match[str]) -> None:
        if found["letter"]:
            head = (found["sign"], found["letter"], found["octave"], length(found["length"]), False)
            voice.strike([head], Fraction(1))
        elif found["chord"] is not None or found["old_chord"]:
            heads = [
                (m["sign"], m["letter"], m["octave"], length(m["length"]), bool(m["tie"]))
                for m in _IN_CHORD.finditer(found["chord"] or found["old_chord"] or "")
                if m["letter"]
            ]
            if heads:
                voice.strike(heads, length(found["times"] or found["old_times"] or ""))
        elif found["rest"] is not None:
            voice.rest(length(found["rest"]))
        elif found["bars"] is not None:
            voice.rest_bars(min(int(found["bars"][:5] or 1), MOST_BARS))
        elif found["bar"]:
            voice.bar_line()
        elif found["broken"]:
            voice.break_rhythm(found["broken"])
        elif found["tuplet"]:
            voice.tuplet(int(found["tuplet"]), found["into"], found["many"])
        elif found["tie"]:
            voice.tie()
        elif found["overlay"]:
            voice.overlay()


def length(text: str) -> Fraction:
    """A note's length in units: "3/2", "/", "//", "2"."""
    top, slash, bottom = text.partition("/")
    digits = bottom.lstrip("/")
    halves = 1 + len(bottom) - len(digits)
    below = int(digits[:4]) if digits else 2 ** min(halves, 10) if slash else 1
    return Fraction(int(top[:4] or 1), max(below, 1))
