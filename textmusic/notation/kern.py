"""Humdrum **kern -> a sheet.

Pitches are taken as they are written, which is as they sound (`*ITr` tells how to write the part of
a transposing instrument). Graces and groupettos ("q", "Q") take no time and are left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from textmusic.music.theory import NATURAL_PITCH_CLASSES, key_name
from textmusic.notation.players import program_named
from textmusic.notation.sheet import (
    DYNAMICS,
    USUAL_VELOCITY,
    Measure,
    Metre,
    Sheet,
    UnreadableError,
    WrittenNote,
    metre,
    tidy,
)

# Humdrum's codes of instruments that their names do not say.
_CODES = {
    "soprn": 53, "mezzo": 53, "calto": 53, "tenor": 53, "barit": 53, "bass": 53, "vox": 53,
    "choir": 52, "alto": 53, "cantu": 53, "cant": 53, "canto": 53, "quint": 53, "violn": 40,
    "viola": 41,
    "cello": 42, "contb": 43, "gamba": 42, "cbass": 32, "harp": 46, "guitr": 24, "lute": 24,
    "theor": 24, "vihue": 24, "mando": 24, "banjo": 105, "piano": 0, "fortp": 0, "clavi": 6,
    "cemba": 6, "hpsch": 6, "clest": 8, "organ": 19, "porgn": 19, "rorgn": 20, "accor": 21,
    "harmo": 20, "flt": 73, "picco": 72, "flts": 73, "recdr": 74, "oboe": 68, "oboeD": 68,
    "cangl": 69, "clars": 71, "clarp": 71, "bclar": 71, "bset": 71, "fagot": 70, "cfagt": 70,
    "cor": 60, "horn": 60, "tromp": 56, "tromb": 57, "cornt": 56, "tuba": 58, "timpa": 47,
    "xylo": 13, "marim": 12, "vibra": 11, "glock": 9, "bagpI": 109, "bagpS": 109, "koto": 107,
    "sitar": 104, "shaku": 77, "soprX": 64, "altoX": 65, "tenorX": 66, "saxA": 65, "saxT": 66,
    "strings": 48, "archi": 48,
}  # fmt: skip
_PITCH = re.compile(r"([A-G]+|[a-g]+)([#-]*)")
_DURATION = re.compile(r"(\d{1,4})(?:%(\d{1,4}))?(\.{0,6})")


@dataclass(slots=True)
class _Spine:
    """A column. kind: "**kern". part: its place among the parts, which those split from it share.

    end: where what it holds ends.
    """

    kind: str
    part: int
    end: Fraction = Fraction(0)


@dataclass(slots=True)
class _Part:
    """What holds in a part. measures: of it so far."""

    program: int | None = None
    velocity: int = USUAL_VELOCITY
    measures: list[Measure] = field(default_factory=list)


def sheet_of_kern(text: str) -> Sheet:
    """The piece in the text of a file. Raises UnreadableError."""
    reader = _KernReader()
    for line in text.splitlines():
        reader.line(line)
    reader.bar_line()
    if not reader.parts:
        raise UnreadableError("has no **kern spine")
    titles = re.findall(r"(?m)^!!!OTL[^:\n]*:[ \t]*(.*)$", text)
    measures = [part.measures for part in reversed(reader.parts)]  # the highest stands last
    return Sheet(measures, titles[0].strip() if titles else "", reader.key, written_in_kern(text))


def written_in_kern(text: str) -> int:
    """How many sounding note tokens the **kern spines of a file have."""
    columns: list[tuple[str, int]] = []  # what is in it, and which spine it was split from
    count = begun = 0
    for line in text.splitlines():
        cells = line.split("\t")
        if line.startswith(("!", "=")) or not line:
            continue
        if not line.startswith("*"):
            kern = [c for (kind, _), c in zip(columns, cells, strict=False) if kind == "**kern"]
            tokens = [token for cell in kern for token in cell.split()]
            count += sum(
                not token.startswith("!")
                and re.search(r"[A-Ga-g]", token) is not None
                and not set(token) & set("rqQ")
                for token in tokens
            )
            continue
        columns += [("", -1)] * (len(cells) - len(columns))
        following: list[tuple[str, int]] = []
        for place, (cell, column) in enumerate(zip(cells, columns, strict=False)):
            joined = place and cell == cells[place - 1] == "*v" and column == columns[place - 1]
            if cell.startswith("**"):
                begun += 1
                following.append((cell, begun))
            elif cell != "*-" and not joined:
                following += [column] + [column] * (cell == "*^") + [("", -1)] * (cell == "*+")
        _exchange(following, cells)
        columns = following
    return count


def _exchange(following: list[Any], cells: list[str]) -> None:
    """Let the two spines of a line that are marked *x change places."""
    crossed = [place for place, cell in enumerate(cells) if cell == "*x"]
    if len(crossed) == 2 and crossed[1] < len(following):
        one, other = crossed
        following[one], following[other] = following[other], following[one]


class _KernReader:
    """Reads the lines of a file."""

    def __init__(self) -> None:
        self.spines: list[_Spine] = []
        self.parts: list[_Part] = []
        self.key: str | None = None
        self.metre: Metre | None = None
        self.stated = False
        self.begun = Fraction(0)  # the measure
        self.now = self.reached = Fraction(0)
        self.notes: list[tuple[int, WrittenNote]] = []  # of the measure, by part
        self.tempi: list[tuple[Fraction, float]] = []

    def line(self, line: str) -> None:
        """The next line of the file."""
        cells = line.split("\t")
        if not line.strip() or line.startswith("!"):
            return
        if line.startswith("*"):
            self._interpret(cells)
        elif line.startswith("="):
            self.bar_line()
        else:
            self._data(cells)

    def bar_line(self) -> None:
        """The end of a measure, where anything is in it."""
        reached = max(self.reached, self.now)
        for spine in self.spines:
            spine.end = reached
        length = reached - self.begun
        if length > 0:
            for number, part in enumerate(self.parts):
                own = [note for place, note in self.notes if place == number]
                part.measures.append(Measure(self.metre, self.stated, length, notes=own))
            if self.parts:
                self.parts[-1].measures[-1].tempi += self.tempi
            self.notes, self.tempi, self.stated = [], [], False
        self.begun = self.now = reached

    def _data(self, cells: list[str]) -> None:
        filled = [
            (spine, cell) for spine, cell in zip(self.spines, cells, strict=False)
            if cell not in (".", "") and not cell.startswith("!")
        ]  # fmt: skip
        kern = [(spine, cell) for spine, cell in filled if spine.kind == "**kern"]
        if kern:
            self.now = max(self.now, min(spine.end for spine, _ in kern))
        for spine, cell in filled:
            if spine.kind == "**dynam":
                self._dynamics(spine, cell)
        for spine, cell in kern:
            self._strike(spine, cell)

    def _dynamics(self, spine: _Spine, cell: str) -> None:
        """A dynamic mark is of the part on its left."""
        if (velocity := DYNAMICS.get(re.sub(r"[^a-z]", "", cell))) and spine.part >= 0:
            self.parts[spine.part].velocity = velocity

    def _strike(self, spine: _Spine, cell: str) -> None:
        part = self.parts[spine.part]
        first: Fraction | None = None
        for token in cell.split():
            if "q" in token or "Q" in token:
                continue
            length = _length(token)
            length = first if length is None else length
            if length is None:
                continue
            first = length if first is None else first
            pitch = None if "r" in token else _pitch(token)
            if pitch is not None and "R" not in token and 0 <= pitch < 128:
                note = WrittenNote(
                    self.now - self.begun, length, pitch, part.program or 0, part.velocity,
                    tied="_" in token or "]" in token, ties="_" in token or "[" in token,
                )  # fmt: skip
                self.notes.append((spine.part, note))
        if first is not None:
            spine.end = tidy(self.now + first)
            self.reached = max(self.reached, spine.end)

    def _interpret(self, cells: list[str]) -> None:
        """A line of interpretations: of the spines themselves, or of what is in them."""
        following: list[_Spine] = []
        if not self.spines or all(cell.startswith("**") for cell in cells):
            self.spines = [_Spine("", -1) for _ in cells]
        for place, (cell, spine) in enumerate(zip(cells, self.spines, strict=False)):
            same = place > 0 and cells[place - 1] == "*v" == cell and bool(following)
            if cell.startswith("**"):
                following.append(self._new(cell))
            elif cell == "*^":
                following += [spine, replace(spine)]
            elif cell == "*+":
                following += [spine, _Spine("", -1, self.now)]
            elif same and following[-1].part == spine.part:
                following[-1].end = max(following[-1].end, spine.end)
            elif cell != "*-":
                following.append(spine)
                self._say(spine, cell)
        _exchange(following, cells)
        self.spines = following

    def _new(self, kind: str) -> _Spine:
        if kind == "**kern":
            self.parts.append(_Part())
            length = self.begun
            if length > 0:  # a part that enters later is silent before
                self.parts[-1].measures = [
                    Measure(m.metre, m.stated, m.length) for m in self.parts[0].measures
                ]
        return _Spine(kind, len(self.parts) - 1, self.now)

    def _say(self, spine: _Spine, cell: str) -> None:
        if spine.kind != "**kern":
            return
        if tempo := re.fullmatch(r"\*MM(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?", cell):
            values = [float(value) for value in tempo.groups() if value]
            offset = max(self.now, spine.end) - self.begun
            self.tempi.append((offset, sum(values) / len(values)))
        elif said := re.match(r"\*M(\d{1,3}(?:\+\d{1,3})*)/(\d{1,3})", cell):
            top = sum(int(number) for number in said[1].split("+"))
            self.metre, self.stated = metre(top, int(said[2])), True
        elif cell == "*MX":
            self.metre, self.stated = None, True
        elif key := re.fullmatch(r"\*([A-Ga-g])([#-]?):", cell):
            sign = {"#": 1, "-": -1}.get(key[2], 0)
            tonic = NATURAL_PITCH_CLASSES[key[1].upper()] + sign
            self.key = self.key or key_name(tonic, key[1].islower())
        elif named := re.match(r"""\*I["']?([^"'].*)""", cell):
            program = _CODES.get(named[1]) if cell[2] not in "\"'" else program_named(named[1])
            if program is not None and self.parts[spine.part].program is None:
                self.parts[spine.part].program = program


def _length(token: str) -> Fraction | None:
    """How long a token is, in quarter notes: "4." is 3/2, "0" 8, "3%2" 8/3; None if unsaid."""
    said = _DURATION.search(token)
    if said is None:
        return None
    digits = said[1]
    if set(digits) == {"0"}:
        whole = Fraction(2 ** len(digits))
    else:
        whole = Fraction(int(said[2] or 1), int(digits))
    dots = len(said[3])
    return 4 * whole * (2 - Fraction(1, 2**dots))


def _pitch(token: str) -> int | None:
    said = _PITCH.search(token)
    if said is None:
        return None
    letters, signs = said.groups()
    octave = 3 + len(letters) if letters[0].islower() else 4 - len(letters)
    base = NATURAL_PITCH_CLASSES[letters[0].upper()] + 12 * (octave + 1)
    return base + signs.count("#") - signs.count("-")
