"""A MIDI file that holds a performance, and what was written: each is made from the other.

The file sounds as it is played. A text event in it says how each note was written, so that whoever
goes on from it, adjusts it or writes it again has the score and not its performance. A file whose
notes were changed by another program since is taken as it sounds.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textmusic.music.midi_events import (
    CONTROL,
    META,
    PROGRAM,
    TEMPO,
    TEXT,
    Event,
    EventTrack,
    MidiEvents,
    decoded,
    meta,
)
from textmusic.music.midi_sounding import Channel, all_placed, drum_channels
from textmusic.music.playing import Playing
from textmusic.music.theory import DRUMS

Ints = NDArray[np.int64]  # as in `notes`, which needs symusic: a reader has to live without it
MARK = "textmusic as written: "
PEDAL = 64  # controller
_COLUMNS = 3  # start, stop, velocity
_LARGEST = 4_000_000  # bytes that the notes of a mark may take


class Struck(NamedTuple):
    """A note of a file. on, off: places of its events in its track. start, stop: ticks."""

    program: int
    pitch: int
    start: int
    stop: int
    velocity: int
    track: int
    channel: Channel
    on: int
    off: int


@dataclass(frozen=True, slots=True)
class Played:
    """What a performance makes of the notes of a file.

    notes: (N, 3) start and stop in ticks, and velocity. pedals: (program, tick, value). tempi:
    (tick, microseconds a quarter note), all of the piece.
    """

    notes: Ints
    pedals: Sequence[tuple[int, int, int]] = ()
    tempi: Sequence[tuple[int, int]] = ()


def struck(midi: MidiEvents) -> list[Struck]:
    """The notes of a file that are struck and let go of, by program, pitch and time."""
    drums = drum_channels(midi)
    programs: dict[Channel, int] = {}
    open_notes: dict[tuple[int, Channel, int], deque[tuple[int, int, int, int]]] = defaultdict(
        deque
    )
    found = []
    for (tick, track, at), channel, event in all_placed(midi):
        if event.kind == PROGRAM:
            programs[channel] = event.message[1]
        elif event.starts_note:
            program = DRUMS if channel in drums else programs.get(channel, 0)
            one = (tick, event.message[2], program, at)
            open_notes[track, channel, event.message[1]].append(one)
        elif event.ends_note and (waiting := open_notes[track, channel, event.message[1]]):
            start, velocity, program, on = waiting.popleft()
            pitch = event.message[1]
            found.append(Struck(program, pitch, start, tick, velocity, track, channel, on, at))
    return sorted(found)


def with_playing(
    midi: MidiEvents, notes: Sequence[Struck], played: Played, playing: Playing
) -> MidiEvents:
    """The file as it is played. notes: its own, as `struck` gives them; `played.notes` of each."""
    channels = {note.program: (note.track, note.channel) for note in reversed(notes)}
    pedals: dict[int, list[Event]] = defaultdict(list)
    for program, tick, value in played.pedals:
        track, channel = channels[program]
        message = bytes((CONTROL | channel[1], PEDAL, value))
        pedals[track].append(Event(tick, message))
    made = _moved(midi, notes, played.notes, pedals)
    tempi = [(e.tick, int.from_bytes(e.message[2:], "big")) for e in _tempi(midi)]
    _set_tempi(made, played.tempi)
    said = {
        **asdict(playing), "tempi": tempi,
        "pedals": sorted({channels[program][1] for program, _, _ in played.pedals}),
    }  # fmt: skip
    now = struck(made)
    back = {(note.program, note.pitch, *row): note for note, row in zip(
        notes, map(tuple, played.notes.tolist()), strict=True)}  # fmt: skip
    written = [back[note[:5]] for note in now]
    rows = _rows(written) - _rows(now)
    said |= {"check": _check(now), "notes": _packed(rows)}
    first = made.tracks[0]
    first.events.insert(0, meta(0, TEXT, (MARK + json.dumps(said)).encode()))
    return replace(made, playing=playing)


def as_written(midi: MidiEvents) -> MidiEvents:
    """The file as it was written, if it holds a performance of ours; any other as it is.

    `playing` of what is given back says how it was played.
    """
    for track in midi.tracks[:1]:
        for event in track.events:
            if event.is_meta(TEXT) and (text := decoded(event.message[2:])).startswith(MARK):
                try:
                    return _restored(midi, json.loads(text[len(MARK) :]), event)
                except (ValueError, TypeError, LookupError, ArithmeticError, zlib.error):
                    return midi  # files can be forged
    return midi


def _restored(midi: MidiEvents, said: dict[str, Any], mark: Event) -> MidiEvents:
    now = struck(midi)
    if said["check"] != _check(now):
        return midi
    rows = _rows(now) + _unpacked(said["notes"], len(now))
    start, stop, velocity = rows.T
    if len(rows) and not (
        start.min() >= 0 and (stop > start).all() and velocity.min() > 0 and velocity.max() < 128
    ):
        return midi
    genre = None if said["genre"] is None else str(said["genre"])
    playing = Playing(float(said["amount"]), int(said["seed"]), genre, said["steady"] is True)
    if not (0 <= playing.amount <= 1 and playing.seed >= 0):
        return midi
    tempi = [(int(tick), int(size)) for tick, size in said["tempi"]]
    if not all(tick >= 0 and 0 < size < 1 << 24 for tick, size in tempi):
        return midi
    made = _moved(midi, now, rows, {})
    pedals = {tuple(channel) for channel in said["pedals"]}
    for track in made.tracks:
        track.events = [e for e in track.events if e is not mark and not _is_pedal(e, pedals)]
    _set_tempi(made, tempi)
    return replace(made, playing=playing)


def _is_pedal(event: Event, channels: set[tuple[int, ...]]) -> bool:
    return (
        event.kind == CONTROL
        and event.message[1] == PEDAL
        and any(event.channel == channel[1] for channel in channels)
    )


def _moved(
    midi: MidiEvents, notes: Sequence[Struck], rows: Ints, more: dict[int, list[Event]]
) -> MidiEvents:
    """The file with other times and velocities of its notes. more: events to add, by track."""
    made = midi.copy()
    changed: dict[int, dict[int, Event]] = defaultdict(dict)
    for note, (start, stop, velocity) in zip(notes, rows.tolist(), strict=True):
        events = midi.tracks[note.track].events
        on, off = events[note.on].message, events[note.off].message
        changed[note.track][note.on] = Event(start, on[:2] + bytes((velocity,)))
        changed[note.track][note.off] = Event(stop, off)
    for number, track in enumerate(made.tracks):
        own = changed[number]
        events = [own.get(at, event) for at, event in enumerate(track.events)]
        events += more.get(number, [])
        track.events = sorted(events, key=lambda event: (event.tick, _rank(event)))
        track.end = max(track.end, track.events[-1].tick if track.events else 0)
    return made


def _rank(event: Event) -> int:
    """What comes first of events at one tick: what is set, ends of notes, the pedal, notes."""
    if event.message[0] == META or event.message[0] >= 0xF0:
        return 0
    if event.ends_note:
        return 1
    if event.starts_note:
        return 3
    return 2 if event.kind == CONTROL and event.message[1] == PEDAL else 0


def _tempi(midi: MidiEvents) -> list[Event]:
    found = (e for track in midi.tracks for e in track.events if e.is_meta(TEMPO))
    return sorted(found, key=lambda event: event.tick)


def _set_tempi(midi: MidiEvents, tempi: Iterable[tuple[int, int]]) -> None:
    """Let a file have these tempi and no others."""
    for track in midi.tracks:
        track.events = [event for event in track.events if not event.is_meta(TEMPO)]
    first: EventTrack = midi.tracks[0]
    marks = [meta(tick, TEMPO, size.to_bytes(3, "big")) for tick, size in tempi]
    first.events = sorted([*first.events, *marks], key=lambda event: (event.tick, _rank(event)))
    first.end = max([first.end, *(event.tick for event in marks)])


def _rows(notes: Sequence[Struck]) -> Ints:
    rows = [(note.start, note.stop, note.velocity) for note in notes]
    return np.array(rows, dtype=np.int64).reshape(-1, _COLUMNS)


def _check(notes: Sequence[Struck]) -> int:
    """A checksum of what is heard; another program's change of one note changes it."""
    return zlib.crc32(np.array([note[:5] for note in notes], dtype="<i4").tobytes())


def _packed(rows: Ints) -> str:
    return base64.b64encode(zlib.compress(rows.T.astype("<i4").tobytes(), 9)).decode()


def _unpacked(said: str, notes: int) -> Ints:
    size = notes * _COLUMNS * 4
    if size > _LARGEST:
        raise ValueError("too many notes")
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(base64.b64decode(said), size + 1)
    if len(data) != size:
        raise ValueError("not of these notes")
    return np.frombuffer(data, dtype="<i4").reshape(_COLUMNS, notes).T.astype(np.int64)
