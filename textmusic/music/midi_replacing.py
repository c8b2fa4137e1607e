"""Bars of some instruments in a person's MIDI file exchanged for others; all else in it stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from textmusic.music.midi_appending import new_part, struck_events
from textmusic.music.midi_events import (
    BEND,
    CONTROL,
    DRUM_CHANNEL,
    KEY_PRESSURE,
    NOTE_OFF,
    PROGRAM,
    Event,
    MidiEvents,
)
from textmusic.music.midi_sounding import Channel, all_placed, placed, sounding
from textmusic.music.notes import GRID, Note
from textmusic.music.theory import DRUMS

HELD_OVER = 1.0  # quarter notes that a note from before the hole may sound into it
_PRESSURE = 0xD0  # of a whole channel
# What is done to single notes, and goes with them: pedals, modulation. Volume, pan and the like
# belong to the part and stay.
_GESTURES = frozenset((1, 64, 65, 66, 67))
_NO_BEND = b"\x00\x40"


@dataclass(frozen=True, slots=True)
class Hole:
    """Where a piece is written anew. begin, end: ticks. programs: of the instruments, 128 drums.

    A note that is played a little before a bar line belongs to the bar that it is heard in: it is
    counted from the nearest twelfth of a quarter note, as the model reads it.
    """

    begin: int
    end: int
    programs: frozenset[int]

    @staticmethod
    def of(first: float, last: float, programs: Iterable[int], division: int) -> Hole:
        """From quarter note to quarter note, in a file of so many ticks a quarter note."""
        return Hole(round(first * division), round(last * division), frozenset(programs))

    def has(self, note: Held, division: int) -> bool:
        """Whether a note is one of those that are taken out."""
        step = division / GRID
        first, last = (round(tick / step) for tick in (self.begin, self.end))
        return note.program in self.programs and first <= int(note.start / step + 0.5) < last


class Held(NamedTuple):
    """A note of a file: where it is struck, and when it ends, in ticks.

    at: the number of its note-on in its track. off: that of the event that ends it, None where it
    has none of its own. program: 128 for drums.
    """

    track: int
    at: int
    off: int | None
    channel: Channel
    pitch: int
    program: int
    start: int
    stop: int


def held_notes(midi: MidiEvents) -> list[Held]:
    """The notes of a file as a player hears them, by track and in the order of its events."""
    found: list[Held] = []
    for number, (track, complete) in enumerate(
        zip(midi.tracks, sounding(midi).tracks, strict=True)
    ):
        struck = [one for one in placed(track, number) if one.event.starts_note]
        offs: dict[tuple[Channel, int, int], list[int]] = defaultdict(list)
        for (tick, _, at), channel, event in placed(track, number):
            if event.ends_note:
                offs[channel, event.message[1], tick].append(at)
        for one, (program, stop) in zip(struck, _heard(complete.events), strict=True):
            pitch = one.event.message[1]
            own = offs[one.channel, pitch, stop]
            off = next((at for at in own if at > one.place[2]), None)
            if off is not None:
                own.remove(off)
            start, at = one.place[0], one.place[2]
            found.append(Held(number, at, off, one.channel, pitch, program, start, stop))
    return found


def _heard(events: Sequence[Event]) -> Iterator[tuple[int, int]]:
    """(program, last tick) of each note of a track in which nothing is left to be known."""
    programs: dict[int, int] = defaultdict(int)
    open_notes: dict[tuple[int, int], list[int]] = defaultdict(list)
    found: list[list[int]] = []
    for event in events:
        if event.kind == PROGRAM:
            programs[event.channel] = event.message[1]
        elif event.kind < KEY_PRESSURE:
            key = event.channel, event.message[1]
            if event.starts_note:
                open_notes[key].append(len(found))
                drums = event.channel == DRUM_CHANNEL
                found.append([DRUMS if drums else programs[event.channel], event.tick])
            elif open_notes[key]:
                found[open_notes[key].pop(0)][1] = event.tick
    return ((program, stop) for program, stop in found)


def let_go(midi: MidiEvents, hole: Hole) -> MidiEvents:
    """The piece without what its own notes hold over into a hole: they end where it begins.

    So a player does who goes on with something else. Kept are notes that end within a quarter note
    of the hole's beginning (an anticipation, a legato), and those that sound through all of it (a
    pedal point).
    """
    longest = hole.begin + HELD_OVER * midi.division
    made, edits = midi.copy(), Edits()
    for note in held_notes(midi):
        over = longest < note.stop < hole.end and note.start < hole.begin
        if over and note.program in hole.programs and not hole.has(note, midi.division):
            if note.off is not None:
                edits.drop(note.track, note.off)
            edits.before(note.track, _off(note, hole.begin))
    edits.apply(made)
    return made


def replace_notes(
    midi: MidiEvents, hole: Hole, notes: Sequence[Note], names: dict[int, str]
) -> MidiEvents:
    """The piece with other notes in a hole; everything else stays event for event.

    The notes that are struck in the hole by its instruments are taken out, with their pedals,
    bends, modulation and aftertouch there, where no other notes share their channel. At the hole's
    beginning these are let go of, and at its end they are as they would have been. New notes end
    with the hole at the latest. Each is played by the part of its instrument whose notes it
    lies nearest to (violin I or II, right or left hand); an instrument that has none gets a track
    and a channel of its own.

    Args:
        notes: times in quarter notes from the beginning of the piece.
        names: of programs, for new tracks.

    Raises TextMusicError where the file has no channel left for a new instrument.
    """
    made, edits = midi.copy(), Edits()
    old = held_notes(midi)
    gone = [note for note in old if hole.has(note, midi.division)]
    kept = [note for note in old if not hole.has(note, midi.division)]
    for note in gone:
        edits.drop(note.track, note.at)
        if note.off is not None:
            edits.drop(note.track, note.off)
    touched = {note.channel for note in gone}
    for note in kept:  # what ended it may have been a note that is gone
        reaches = note.start < hole.end and note.stop > hole.begin
        if note.off is None and note.channel in touched and reaches:
            edits.before(note.track, _off(note, note.stop))
    _without_gestures(midi, hole, gone, kept, edits)
    new = _Players(midi, hole, gone, kept)
    added: list[Note] = []
    for wanted in notes:
        place = new.place(wanted)
        if place is None:
            added.append(wanted)
            continue
        fitted = _fitted(wanted, place[1], kept, hole, midi.division)
        if fitted is not None:
            for event in struck_events([fitted], place[1][1], 0, midi.division):
                (edits.before if event.ends_note else edits.behind)(place[0], event)
    edits.apply(made)
    for program in sorted({one.program for one in added}):
        played = [_cut(n, hole, midi.division) for n in added if n.program == program]
        track, channel = new_part(made, hole.begin, program, names[program])
        track.put(struck_events(played, channel[1], 0, midi.division))
    return made


def _off(note: Held, tick: int) -> Event:
    return Event(tick, bytes((NOTE_OFF | note.channel[1], note.pitch, 64)))


def _cut(note: Note, hole: Hole, division: int) -> Note:
    return note._replace(duration=min(note.duration, hole.end / division - note.start))


def _fitted(
    note: Note, channel: Channel, kept: Sequence[Held], hole: Hole, division: int
) -> Note | None:
    """A new note that ends with the hole, and before what stands strikes its key; None for none."""
    note = _cut(note, hole, division)
    start, stop = note.start * division, (note.start + note.duration) * division
    for other in kept:
        if other.channel != channel or other.pitch != note.pitch:
            continue
        if other.start <= start < other.stop - division / GRID:
            return None
        if start < other.start < stop:
            stop = other.start
    return note._replace(duration=stop / division - note.start)


class Edits:
    """Events that are taken out of tracks and put into them."""

    def __init__(self) -> None:
        self._gone: dict[int, set[int]] = defaultdict(set)
        self._new: dict[int, list[tuple[int, int, Event]]] = defaultdict(list)

    def drop(self, track: int, at: int) -> None:
        """Take out the event of a number."""
        self._gone[track].add(at)

    def before(self, track: int, event: Event) -> None:
        """Put an event in, before all else of its tick."""
        self._new[track].append((event.tick, -1, event))

    def behind(self, track: int, event: Event) -> None:
        """Put an event in, behind all else of its tick."""
        self._new[track].append((event.tick, 1, event))

    def apply(self, midi: MidiEvents) -> None:
        """Change the tracks of a file."""
        for number, track in enumerate(midi.tracks):
            if not self._gone[number] and not self._new[number]:
                continue
            left = [
                (event.tick, 0, event)
                for at, event in enumerate(track.events)
                if at not in self._gone[number]
            ]
            placed_all = sorted([*left, *self._new[number]], key=lambda one: one[:2])
            track.events = [event for _, _, event in placed_all]
            track.end = max([track.end, *(tick for tick, _, _ in self._new[number])])


def _without_gestures(
    midi: MidiEvents, hole: Hole, gone: Sequence[Held], kept: Sequence[Held], edits: Edits
) -> None:
    """Take out what was done to the notes that are gone."""
    begin, end = hole.begin + HELD_OVER * midi.division, hole.end - midi.division / GRID
    shared = {note.channel for note in kept if note.start < end and note.stop > begin}
    for channel in {note.channel for note in gone} - shared:
        state: dict[int, bytes] = {}  # of each gesture as it is last told
        before: dict[int, bytes] | None = None
        track = next(note.track for note in gone if note.channel == channel)
        for (tick, number, at), on, event in all_placed(midi):
            gesture = _gesture(event)
            if on != channel or tick >= hole.end or gesture is None:
                continue
            if tick >= hole.begin:
                before = dict(state) if before is None else before
                edits.drop(number, at)
            state[gesture] = event.message
        for gesture, message in (state if before is None else before).items():
            if message != (rest := _at_rest(gesture, message)):
                edits.before(track, Event(hole.begin, rest))
        for message in state.values():
            if message != _at_rest(_gesture(Event(0, message)) or 0, message):
                edits.before(track, Event(hole.end, message))


def _gesture(event: Event) -> int | None:
    """A number for what an event does to sounding notes; None for what it does not."""
    if event.kind in (BEND, _PRESSURE):
        return event.kind
    if event.kind == KEY_PRESSURE:
        return event.kind << 8 | event.message[1]
    if event.kind == CONTROL and event.message[1] in _GESTURES:
        return event.message[1]
    return None


def _at_rest(gesture: int, message: bytes) -> bytes:
    """The same message as it is where nothing is done."""
    if gesture == BEND:
        return message[:1] + _NO_BEND
    return message[:-1] + b"\0"


class _Players:
    """Which part plays a new note."""

    def __init__(
        self, midi: MidiEvents, hole: Hole, gone: Sequence[Held], kept: Sequence[Held]
    ) -> None:
        self._division = midi.division
        self._programs = _programs(midi)
        played: dict[tuple[int, Channel], list[int]] = defaultdict(list)
        for program in hole.programs:
            # where some parts of an instrument rest in the hole, the others play
            own = [n for n in gone if n.program == program]
            for note in own or [n for n in kept if n.program == program]:
                played[note.track, note.channel].append(note.pitch)
        self._middle = {part: float(np.median(pitches)) for part, pitches in played.items()}

    def place(self, note: Note) -> tuple[int, Channel] | None:
        """The track and the channel; None where no part has the instrument at that time."""
        tick = round(note.start * self._division)
        able = [part for part in self._middle if self._plays(part, tick) == note.program]
        if not able:
            return None
        return min(able, key=lambda part: (abs(self._middle[part] - note.pitch), part))

    def _plays(self, part: tuple[int, Channel], tick: int) -> int:
        """The program of a part at a tick."""
        now = 0
        for at, program in self._programs[part]:
            if at > tick and program != DRUMS:
                break
            now = program
        return now


def _programs(midi: MidiEvents) -> dict[tuple[int, Channel], list[tuple[int, int]]]:
    """(tick, program) of each part's notes and program changes, in order."""
    found: dict[tuple[int, Channel], list[tuple[int, int]]] = defaultdict(list)
    for number, track in enumerate(sounding(midi).tracks):
        for (tick, _, _), channel, event in placed(track, number):
            if event.kind == PROGRAM:
                found[number, channel].append((tick, event.message[1]))
    for note in held_notes(midi):
        if note.program == DRUMS:
            found[note.track, note.channel] = [(0, DRUMS)]
    return found
