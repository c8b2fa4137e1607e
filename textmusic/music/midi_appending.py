"""New notes behind a person's MIDI file, which keeps all that is in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from textmusic.errors import TextMusicError
from textmusic.music.midi_changes import free_channels, signature, tempo_event
from textmusic.music.midi_events import (
    BEND,
    CONTROL,
    DRUM_CHANNEL,
    NAME,
    NOTE_OFF,
    NOTE_ON,
    PROGRAM,
    SYSEX,
    TIME_SIGNATURE,
    Event,
    EventTrack,
    MidiEvents,
    meta,
)
from textmusic.music.midi_parts import Part, parts_of
from textmusic.music.midi_sounding import Channel, all_placed, placed
from textmusic.music.notes import Note
from textmusic.music.sharing import Voice, shared
from textmusic.music.theory import DRUMS

_CENTRE = b"\x00\x40"  # no bend
# Controllers that stand at the end of a piece as they end it, by the value that they have at first.
_PEDALS = {64: 0, 66: 0, 67: 0, 1: 0}
_LOUDNESS = {7: 100, 11: 127}  # a fade-out leaves them low
_STILL = 32.0  # quarter notes before the end: who has played there is still playing


def cut(midi: MidiEvents, tick: int) -> MidiEvents:
    """The piece up to a tick; notes that sound there end there, and so does every track."""
    made = midi.copy()
    for track in made.tracks:
        track.events = [
            event
            for event in track.events
            if event.tick < tick or (event.tick == tick and _lets_go(event))
        ]
        track.end = min(track.end, tick)
    return made


def append(
    midi: MidiEvents, notes: Sequence[Note], tick: int, names: dict[int, str], *,
    metre: str | None = None, tempo: float | None = None, key: str | None = None,
) -> MidiEvents:  # fmt: skip
    """The piece with new notes behind a tick.

    They are played by the parts that end with their programs. Where several of them play the same
    instrument to the end, they share its notes; what has none gets a track and a channel of its
    own. Notes that nothing has ended end at the tick. Of the channels
    that go on, pedals and bends are let go of, and a volume that was faded out is as it was at the
    first note.

    Args:
        notes: times in quarter notes from the tick.
        tick: not before the last note of the piece ends.
        names: of programs, for new tracks.
        metre, tempo, key: written at the tick where they are given.
    """
    made = midi.copy()
    for track in made.tracks:
        track.events += _note_offs(track, tick)
        track.events.sort(key=lambda event: event.tick)
    first = made.tracks[0]
    changes = []
    if metre is not None:
        top, bottom = map(int, metre.split("/"))
        power = bottom.bit_length() - 1
        changes.append(meta(tick, TIME_SIGNATURE, bytes((top, power, 24, 8))))
    if tempo is not None:
        changes.append(tempo_event(tick, tempo))
    if key is not None:
        changes.append(signature(tick, key))
    first.put(changes)
    by_program: dict[int, list[Note]] = defaultdict(list)
    for note in notes:
        by_program[note.program].append(note)
    parts = parts_of(midi)
    for program, played in sorted(by_program.items()):
        players = [p for p in parts if (DRUMS if p.drums else p.last) == program]
        if not players:
            track, channel = new_part(made, tick, program, names[program])
            track.put(struck_events(played, channel[1], tick, midi.division))
            continue
        playing = _playing(midi, players, tick)
        voices = [Voice(struck) for _, struck in playing]
        drums = program == DRUMS
        for (part, _), own in zip(playing, shared(played, voices, drums=drums), strict=True):
            if own:
                track = made.tracks[part.track]
                track.put(_restored(midi, part, tick))
                track.put(struck_events(own, part.channel[1], tick, midi.division))
    return made


def _playing(
    midi: MidiEvents, players: Sequence[Part], tick: int
) -> list[tuple[Part, list[tuple[float, int]]]]:
    """The parts that still play at the end, with what they strike there; at least one part.

    Of a part that has been silent for longer than `_STILL` nothing new is expected, unless all are:
    then the one that has played last goes on.
    """
    struck = {
        part: [
            (one.event.tick / midi.division, one.event.message[1])
            for one in placed(midi.tracks[part.track])
            if one.channel == part.channel and one.event.starts_note
        ]
        for part in players
    }
    since = tick / midi.division - _STILL
    playing = [
        (part, recent)
        for part, notes in struck.items()
        if (recent := [(at, pitch) for at, pitch in notes if at >= since])
    ]
    return playing or [max(struck.items(), key=lambda item: item[1][-1][0])]


def _lets_go(event: Event) -> bool:
    return event.message[0] < SYSEX and event.ends_note


def _note_offs(track: EventTrack, tick: int) -> list[Event]:
    """The ends of notes that a track never ends, at a tick."""
    left: dict[tuple[Channel, int], int] = defaultdict(int)
    for _, channel, event in placed(track):
        if event.starts_note:
            left[channel, event.message[1]] += 1
        elif event.ends_note and left[channel, event.message[1]]:
            left[channel, event.message[1]] -= 1
    return [
        Event(tick, bytes((NOTE_OFF | channel[1], pitch, 64)))
        for (channel, pitch), count in left.items()
        for _ in range(count)
    ]


def _restored(midi: MidiEvents, part: Part, tick: int) -> list[Event]:
    """What a part's channel has to be told at a tick, so that new notes sound as old ones did."""
    values: dict[int, int] = {}
    at_first: dict[int, int] | None = None
    bend = _CENTRE
    for one in all_placed(midi):
        if one.channel != part.channel:
            continue
        message = one.event.message
        if one.event.kind == CONTROL:
            values[message[1]] = message[2]
        elif one.event.kind == BEND:
            bend = message[1:]
        elif one.event.starts_note and at_first is None:
            at_first = dict(values)
    wanted = {control: 0 for control in _PEDALS if values.get(control)}
    for control, usual in _LOUDNESS.items():
        before = (at_first or {}).get(control, usual)
        if values.get(control, before) < before:
            wanted[control] = before
    status = part.channel[1]
    told = [Event(tick, bytes((CONTROL | status, *pair))) for pair in sorted(wanted.items())]
    if bend != _CENTRE:
        told.append(Event(tick, bytes((BEND | status,)) + _CENTRE))
    return told


def new_part(midi: MidiEvents, tick: int, program: int, name: str) -> tuple[EventTrack, Channel]:
    """A track for an instrument that has not played yet, unless there is but one, and a channel."""
    channel = (0, DRUM_CHANNEL)
    if program != DRUMS:
        free = free_channels(midi, 0)
        if not free:
            raise TextMusicError(
                f"the file has no channel left for the {name.lower()}; name instruments that play"
                " in it."
            )
        channel = (0, free[0])
    played = [Event(tick, bytes((PROGRAM | channel[1], program)))] if program != DRUMS else []
    if midi.kind == 0:  # all is in one track
        track = midi.tracks[0]
        track.put(played)
    else:
        track = EventTrack([meta(0, NAME, name.encode()), *played], tick)
        midi.tracks.append(track)
    return track, channel


def struck_events(notes: Sequence[Note], channel: int, tick: int, division: int) -> list[Event]:
    """The events of notes: those that end before those that begin at the same tick."""
    events = []
    for note in notes:
        start = tick + round(note.start * division)
        stop = max(tick + round((note.start + note.duration) * division), start + 1)
        events.append(Event(start, bytes((NOTE_ON | channel, note.pitch, note.velocity))))
        events.append(Event(stop, bytes((NOTE_OFF | channel, note.pitch, 64))))
    return sorted(events, key=lambda event: (event.tick, event.starts_note))
