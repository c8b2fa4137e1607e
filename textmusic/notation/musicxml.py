"""MusicXML 4, partwise or timewise -> a sheet.

As its specification has it: durations count, not note values; cue notes are silent; small ones
(`<type size="cue">`) sound.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from textmusic.music.theory import DRUMS, NATURAL_PITCH_CLASSES, key_name
from textmusic.notation.chord_symbols import symbol_of
from textmusic.notation.score_instruments import Players, players_of
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

LONGEST = Fraction(100_000)  # quarter notes, of what a broken file may say of one note
FORTE = 90  # the velocity that MusicXML's percentages of loudness are of
BEAT_UNITS: dict[str, Fraction | int] = {
    "long": 16, "breve": 8, "whole": 4, "half": 2, "quarter": 1, "eighth": Fraction(1, 2),
    **{f"{2**n}th": Fraction(4, 2**n) for n in range(4, 11)}, "32nd": Fraction(1, 8),
}  # fmt: skip


def sheet_of_musicxml(text: str) -> Sheet:
    """The piece in a MusicXML file. Raises UnreadableError."""
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as problem:
        if not re.search(r"<(?:\w+:)?score-(?:partwise|timewise)\b", text):
            raise UnreadableError("is not MusicXML") from None
        raise UnreadableError(f"is broken XML ({problem})") from None
    for element in root.iter():
        if isinstance(element.tag, str):  # without the namespace that some programs write
            element.tag = element.tag.rpartition("}")[2]
    if root.tag not in ("score-partwise", "score-timewise"):
        raise UnreadableError("is not MusicXML")
    parts = _parts(root)
    about = {part.get("id", ""): part for part in root.iter("score-part")}
    readers = [
        _PartReader(players)
        for players in players_of([about.get(name, Element("none")) for name, _ in parts])
    ]
    tempi = _Tempi()
    sheet = Sheet([reader.read(measures, tempi) for reader, (_, measures) in zip(
        readers, parts, strict=True)])  # fmt: skip
    title = root.findtext("work/work-title") or root.findtext("movement-title") or ""
    sheet.title = " ".join(title.split())
    sheet.key = next((reader.key for reader in readers if reader.key), None)
    sheet.written = written_in_musicxml(text)
    return sheet


def written_in_musicxml(text: str) -> int:
    """How many sounding note heads the text of a file has, whatever they stand in."""
    bare = re.sub(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>", "", text, flags=re.DOTALL)
    return sum(
        bool(re.search(r"<(?:\w+:)?(?:pitch|unpitched)\b", note))
        and not re.search(r"<(?:\w+:)?(?:cue|grace)\b", note)
        for note in re.findall(r"<(?:\w+:)?note\b[^>]*>(.*?)</(?:\w+:)?note>", bare, re.DOTALL)
    )


def _parts(root: Element) -> list[tuple[str, list[Element]]]:
    """(id, measures) of each part."""
    if root.tag == "score-partwise":
        return [(part.get("id", ""), part.findall("measure")) for part in root.findall("part")]
    parts: dict[str, list[Element]] = {}
    measures = root.findall("measure")
    for place, measure in enumerate(measures):
        for part in measure.findall("part"):
            own = parts.setdefault(part.get("id", ""), [])
            own += [Element("measure", measure.attrib) for _ in range(place - len(own))]
            own.append(Element("measure", measure.attrib))
            own[-1].extend(list(part))
    return list(parts.items())


def number(text: str | None, otherwise: float = 0) -> float:
    """A number in a file, or what it is where it is none."""
    try:
        value = float(text or "")
    except ValueError:
        return otherwise
    return value if math.isfinite(value) else otherwise


def _fraction(text: str | None) -> Fraction:
    return Fraction(number(text)).limit_denominator(1_000_000)


@dataclass(slots=True)
class _Tempi:
    """The tempo in force, in quarter notes a minute, and where a piece with tempi can state one."""

    now: float | None = None

    def of(self, direction: Element) -> float | None:
        """The tempo that a direction, or a sound, states."""
        sounds = [direction] if direction.tag == "sound" else direction.findall("sound")
        said = [number(sound.get("tempo")) for sound in sounds]
        marks = [self._marked(mark) for mark in direction.iter("metronome")]
        found = next((tempo for tempo in (*said, *marks) if tempo and tempo > 0), None)
        self.now = found or self.now
        return found

    def _marked(self, mark: Element) -> float | None:
        """The tempo of a metronome mark: "quarter = 120-126" is 123."""
        units = _beat_units(mark)
        if not units:
            return None
        if len(units) > 1:  # a note value before is as long as another from here on
            return self.now and float(self.now * units[1] / units[0])
        told = re.findall(r"\d+(?:[.,]\d+)?", mark.findtext("per-minute") or "")
        values = [float(value.replace(",", ".")) for value in told[:2]]
        return float(units[0]) * sum(values) / len(values) if values else None


def _beat_units(mark: Element) -> list[Fraction]:
    """The note values of a metronome mark, in quarter notes."""
    units: list[Fraction] = []
    half = Fraction(0)  # of the last value, that a dot adds
    for element in mark:
        name = (element.text or "").strip()
        if element.tag in ("beat-unit", "metronome-type") and name in BEAT_UNITS:
            units.append(Fraction(BEAT_UNITS[name]))
            half = units[-1] / 2
        elif element.tag in ("beat-unit-dot", "metronome-dot") and units:
            units[-1] += half
            half /= 2
        elif element.tag == "beat-unit-tied" and units:
            units[-1] += sum(_beat_units(element))
        elif element.tag == "metronome-note":
            units += [sum(_beat_units(element), Fraction(0))]
    return units


class _Read(NamedTuple):
    """A note as it was read, before it is known who plays it. shift: semitones up, as it sounds."""

    item: Element
    start: Fraction
    length: Fraction
    velocity: int
    shift: int


@dataclass(slots=True)
class _PartReader:
    """Reads a part, measure by measure. players: who can play in it."""

    players: Players
    divisions: Fraction = Fraction(1)
    metre: Metre | None = None
    velocity: int = USUAL_VELOCITY
    shifts: dict[str, int] = field(default_factory=dict)  # semitones up, by staff; "" for all
    key: str | None = None

    def read(self, measures: Iterable[Element], tempi: _Tempi) -> list[Measure]:
        """The measures of the part."""
        measures = list(measures)
        self.players.look_at(note for measure in measures for note in measure.iter("note"))
        return [self._measure(element, tempi) for element in measures]

    def _measure(self, element: Element, tempi: _Tempi) -> Measure:
        measure = Measure(short=element.get("implicit") == "yes" or element.get("number") == "0")
        here = start = Fraction(0)  # where the next note begins, and where the last one did
        notes: list[_Read] = []
        changes: list[tuple[Fraction, Element]] = []  # of instruments, and when
        rests = 0
        for item in element:
            if item.tag == "note":
                length = Fraction(0) if item.find("grace") is not None else self._length(item)
                if item.find("chord") is None:
                    start, here = here, tidy(here + length)
                shift = self._shift(item.findtext("staff") or "1")
                notes.append(_Read(item, start, length, self._loudness(item), shift))
                rest = item.find("rest")
                rests += rest is not None and _whole(item, rest)
                measure.length = max(measure.length, here)
            elif item.tag == "backup":
                here = max(tidy(here - self._length(item)), Fraction(0))
            elif item.tag == "forward":
                here = tidy(here + self._length(item))
                measure.length = max(measure.length, here)
            elif item.tag == "attributes":
                self._attributes(item, measure)
            elif item.tag in ("direction", "sound"):
                self._direction(item, here, measure, tempi, changes)
            elif item.tag == "harmony":
                self._harmony(item, here, measure)
        self._play(notes, changes, measure)
        measure.metre = self.metre
        measure.resting = 0 < rests == len([1 for note in element.iter("note")])
        return measure

    def _length(self, item: Element) -> Fraction:
        length = _fraction(item.findtext("duration")) / self.divisions
        return min(max(length, Fraction(0)), LONGEST)

    def _attributes(self, item: Element, measure: Measure) -> None:
        if (divisions := _fraction(item.findtext("divisions"))) > 0:
            self.divisions = divisions
        for time in item.findall("time")[:1]:
            self.metre = _metre(time)
            measure.stated = True
        for shift in item.findall("transpose"):
            octaves = number(shift.findtext("octave-change"))
            semitones = number(shift.findtext("chromatic")) + 12 * octaves
            self.shifts[shift.get("number", "")] = round(min(max(semitones, -127), 127))
        key = item.find("key")
        if key is not None and self.key is None:
            self.key = _key(key, self._shift(key.get("number", "1")))

    def _shift(self, staff: str) -> int:
        return self.shifts.get(staff, self.shifts.get("", 0))

    def _direction(
        self, item: Element, here: Fraction, measure: Measure, tempi: _Tempi,
        changes: list[tuple[Fraction, Element]],
    ) -> None:  # fmt: skip
        moved = [place for place in item.iter("offset") if place.get("sound") == "yes"]
        moved += [place for sound in item.iter("sound") for place in sound.findall("offset")]
        delay = sum((_fraction(place.text) for place in moved), Fraction(0)) / self.divisions
        if tempo := tempi.of(item):
            measure.tempi.append((max(here + delay, Fraction(0)), tempo))
        for marks in item.iter("dynamics"):
            for mark in marks:
                self.velocity = DYNAMICS.get(mark.tag, self.velocity)
        for sound in item.iter("sound"):
            if loud := number(sound.get("dynamics")):
                self.velocity = round(min(max(loud * FORTE / 100, 1), 127))
            changes.append((max(here + delay, Fraction(0)), sound))

    def _harmony(self, item: Element, here: Fraction, measure: Measure) -> None:
        symbol = symbol_of(item, self._shift(item.findtext("staff") or "1"))
        if symbol is not None:
            at = here + _fraction(item.findtext("offset")) / self.divisions
            measure.chords.append((max(tidy(at), Fraction(0)), symbol))

    def _play(
        self, notes: Sequence[_Read], changes: Sequence[tuple[Fraction, Element]], measure: Measure
    ) -> None:
        """Give the notes of a measure their players, in time: a change holds for all voices."""
        waiting = sorted(changes, key=lambda change: change[0])
        played: dict[int, WrittenNote | None] = {}
        for number in sorted(range(len(notes)), key=lambda number: notes[number].start):
            while waiting and waiting[0][0] <= notes[number].start:
                self.players.change(waiting.pop(0)[1])
            played[number] = self._note(notes[number])
        for _, sound in waiting:
            self.players.change(sound)
        measure.notes += [note for number in range(len(notes)) if (note := played[number])]

    @staticmethod
    def _written(item: Element) -> int | None:
        """The pitch that a note is written at."""
        place = item.find("pitch")
        step = (place.findtext("step") or "").strip() if place is not None else ""
        if place is None or step not in NATURAL_PITCH_CLASSES:
            return None
        octave, alter = number(place.findtext("octave"), 4), number(place.findtext("alter"))
        return math.floor(NATURAL_PITCH_CLASSES[step] + alter + 12 * (octave + 1) + 0.5)

    def _note(self, read: _Read) -> WrittenNote | None:
        item, pitch = read.item, self._written(read.item)
        if not read.length or item.find("cue") is not None or item.find("rest") is not None:
            return None
        player = self.players.of(item)
        program = player.of(item)
        if pitch is not None and program != DRUMS:
            pitch += read.shift
        drum = program == DRUMS or item.find("unpitched") is not None
        if drum:
            pitch = self.players.drum(item, player, pitch)
        if pitch is None or not 0 <= pitch < 128:
            return None
        ties = {tie.get("type") for tie in item.findall("tie")}
        ties = ties or {tie.get("type") for tie in item.iterfind("notations/tied")}
        return WrittenNote(
            read.start, read.length, pitch, DRUMS if drum else program, read.velocity,
            tied=bool(ties & {"stop", "continue"}), ties=bool(ties & {"start", "continue"}),
        )  # fmt: skip

    def _loudness(self, item: Element) -> int:
        own = number(item.get("dynamics"))
        return round(min(max(own * FORTE / 100, 1), 127)) if own > 0 else self.velocity


def _whole(item: Element, rest: Element) -> bool:
    """Whether a rest is one for the whole measure, however long that is."""
    return rest.get("measure") == "yes" or item.findtext("type") in (None, "whole")


def _metre(time: Element) -> Metre | None:
    """A time signature; "3+2" over 8, and several beside each other, are one: (5, 8)."""
    if time.find("senza-misura") is not None:
        return None
    tops = [
        sum(int(part) for part in re.findall(r"\d{1,4}", beats.text or ""))
        for beats in time.findall("beats")
    ]
    bottoms = [int(number(bottom.text)) for bottom in time.findall("beat-type")]
    pairs = [pair for pair in map(metre, tops, bottoms) if pair]
    if not pairs:
        return None
    common = max(bottom for _, bottom in pairs)
    return metre(sum(top * common // bottom for top, bottom in pairs), common)


def _key(key: Element, shift: int) -> str | None:
    """The key as it sounds, where it is stated with its mode. shift: semitones up."""
    mode = (key.findtext("mode") or "").strip()
    if mode not in ("major", "minor") or key.find("fifths") is None:
        return None
    minor = mode == "minor"
    tonic = round(number(key.findtext("fifths"))) * 7 + (9 if minor else 0) + shift
    return key_name(tonic, minor)
