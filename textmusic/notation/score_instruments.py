"""Who plays the notes of a MusicXML part, by what its head says of its instruments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from xml.etree.ElementTree import Element

from textmusic.drawing.sheet_music import DRUM_KIT
from textmusic.music.percussion import DRUMS_OF_PROGRAMS, drum_named
from textmusic.music.theory import DRUMS
from textmusic.notation.players import bass_beside, program_named, program_of_sound

MUSICXML_DRUMS = 10


@dataclass(slots=True)
class Player:
    """An instrument of a part. program: 0-127 or DRUMS. drum: the key of its one drum sound.

    pitched: the program of its notes that have pitches, of one that is on the drums' channel though
    it is named for something else; many programs give instruments the sixteen channels in turn.
    """

    program: int
    drum: int | None = None
    pitched: int | None = None

    def of(self, note: Element) -> int:
        """The program that plays a note."""
        if self.pitched is not None and note.find("pitch") is not None:
            return self.pitched
        return self.program


@dataclass(slots=True)
class Players:
    """The instruments of a part, by their ids.

    first: who plays what names nobody. by_place: whether drums that name nobody are known by their
    places on the staff.
    """

    first: Player
    by_id: dict[str, Player] = field(default_factory=dict)
    by_place: bool = False

    def of(self, note: Element) -> Player:
        """Who plays a note."""
        named = note.find("instrument")
        return self.by_id.get(named.get("id", ""), self.first) if named is not None else self.first

    def change(self, sound: Element) -> None:
        """Take what a sound in the middle of the part says of its instruments."""
        for name, player in _stated(sound).items():
            own = self.by_id.get(name, self.first)
            own.program, own.drum, own.pitched = player.program, player.drum, None
        for new in sound.findall("instrument-change"):
            own = self.by_id.get(new.get("id", ""), self.first)
            program = program_of_sound(new.findtext("instrument-sound") or "")
            own.program = own.program if program is None else program

    def look_at(self, notes: Iterable[Element]) -> None:
        """Find out how drums are written: all of one instrument, or a kit on its places.

        In a part of one instrument notes need not name it. Those that stand elsewhere than the ones
        that do name it are other drums of a kit, of which the head lists but this one.
        """
        struck = [note for note in notes if note.find("unpitched") is not None]
        nobody = {_place(note) for note in struck if note.find("instrument") is None}
        named = {_place(note) for note in struck if note.find("instrument") is not None}
        elsewhere = bool(named and nobody - named)
        self.by_place = len(self.by_id) > 1 or len(nobody) > 1 or elsewhere

    def drum(self, note: Element, player: Player, pitch: int | None) -> int | None:
        """The drum that a note stands for: by its instrument, else by its place on the staff.

        pitch: of a note that has one though drums play it.
        """
        place = _place(note)
        nobody = note.find("instrument") is None and place is not None and self.by_place
        if player.drum is not None and not nobody:
            return player.drum
        if pitch is not None or place is None:
            return pitch
        head = (note.findtext("notehead") or "normal").strip()
        by_place = _kit().get((place, head)) or _kit().get((place, "normal"))
        return by_place or player.drum or DEFAULT_DRUM


DEFAULT_DRUM = 76  # a wood block: struck, though nobody says what


def _place(note: Element) -> str | None:
    """Where an unpitched note stands, as "C5" in the treble clef; None of a pitched one."""
    unpitched = note.find("unpitched")
    if unpitched is None:
        return None
    step, octave = unpitched.findtext("display-step"), unpitched.findtext("display-octave")
    return f"{step or ''}{octave or ''}".strip()


@cache
def _kit() -> dict[tuple[str, str], int]:
    """(place in the treble clef, head) -> MIDI key."""
    return {(stroke.place, stroke.head): key for key, stroke in reversed(DRUM_KIT.items())}


def players_of(parts: Sequence[Element]) -> list[Players]:
    """The instruments of each part. parts: the `score-part` elements."""
    names = [_part_name(part) for part in parts]
    programs = [program_named(name) for name in names]
    programs = [
        bass_beside(name, programs) if program is None else program
        for name, program in zip(names, programs, strict=True)
    ]
    return [_players(part, program) for part, program in zip(parts, programs, strict=True)]


def _part_name(part: Element) -> str:
    names = (part.findtext(tag) for tag in ("part-name", "part-abbreviation"))
    return next((name for name in names if name and name.strip()), "")


def _players(part: Element, of_name: int | None) -> Players:
    stated = _stated(part)
    by_id: dict[str, Player] = {}
    for instrument in part.findall("score-instrument"):
        name = (instrument.findtext("instrument-name") or "").strip()
        own = instrument.get("id", "")
        by_id[own] = stated.get(own) or _by_name(instrument, name, of_name)
        player = by_id[own]
        if player.drum is None:
            named = program_named(name)
            named = of_name if named is None else named
            if player.program == DRUMS and named != DRUMS:
                player.pitched = named
            # also of one that has a program: its notes may be unpitched all the same
            player.drum = drum_named(name) or DRUMS_OF_PROGRAMS.get(player.program)
    by_id |= {name: player for name, player in stated.items() if name not in by_id}
    if by_id:
        return Players(next(iter(by_id.values())), by_id)
    alone = Player(of_name or 0)
    if of_name == DRUMS:
        alone.drum = drum_named(_part_name(part))
    return Players(alone)


def _by_name(instrument: Element, name: str, of_part: int | None) -> Player:
    """Who is meant, where no program is stated: by the sound, the name, or the part's name."""
    sound = instrument.findtext("instrument-sound") or ""
    found = (program_of_sound(sound), program_named(name), of_part)
    return Player(next((program for program in found if program is not None), 0))


def _stated(head: Element) -> dict[str, Player]:
    """The MIDI instruments that state what they play, by id."""
    players: dict[str, Player] = {}
    for midi in head.findall("midi-instrument"):
        program, drum = _whole(midi, "midi-program"), _whole(midi, "midi-unpitched")
        if drum is not None:
            drum -= 1
        if _whole(midi, "midi-channel") == MUSICXML_DRUMS or (drum is not None and program is None):
            players[midi.get("id", "")] = Player(DRUMS, drum)
        elif program is not None:
            players[midi.get("id", "")] = Player(program - 1, drum)
    return players


def _whole(element: Element, tag: str) -> int | None:
    """A number of 1-128 in a child, or None."""
    text = (element.findtext(tag) or "").strip()
    return int(text) if text.isdecimal() and 1 <= int(text) <= 128 else None
