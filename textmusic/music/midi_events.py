"""The events of a MIDI file, one by one: read as players read them, written as the format has it.

Files of others break the format in many ways that players get over: wrong lengths and counts, a
longer header, bytes behind the end, a wrapper around it, data bytes over 127. `parse` reads what
can be read, and counts what it had to mend. What `MidiEvents.dumps` writes is always well formed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from textmusic.music.playing import Playing

# Status bytes; those of channels hold the channel in their lower half.
NOTE_OFF, NOTE_ON, KEY_PRESSURE, CONTROL, PROGRAM = 0x80, 0x90, 0xA0, 0xB0, 0xC0
BEND = 0xE0
SYSEX, ESCAPE, META = 0xF0, 0xF7, 0xFF
# Kinds of meta events.
TEXT, NAME, LYRIC, MARKER, PORT, END_OF_TRACK = 0x01, 0x03, 0x05, 0x06, 0x21, 0x2F
TEMPO, TIME_SIGNATURE, KEY_SIGNATURE = 0x51, 0x58, 0x59
DRUM_CHANNEL = 9

_FIXED = {0x20: 1, PORT: 1, TEMPO: 3, 0x54: 5, TIME_SIGNATURE: 4, KEY_SIGNATURE: 2}  # bytes
_SYSTEM = {0xF1: 1, 0xF2: 2, 0xF3: 1}  # data bytes of messages that no file should hold
_LONGEST_DELTA = 0x0FFF_FFFF
_WRAPPED = 1_024  # bytes at most before the header: MacBinary has 128
_LOST_END = 4  # bytes of the end-of-track event, which some programs count and don't write

CLIPPED = "data bytes over 127 set to 127"
CHUNKS = "wrong chunk lengths or counts"
SKIPPED = "events that are not MIDI left out"


class MidiError(ValueError):
    """A file that no music can be read from; says why, behind its name: "is truncated"."""


class Event(NamedTuple):
    """Something at a tick. message: as in a file, but without running status and lengths.

    A channel's message; 0xF0 or 0xF7 and the bytes of system exclusive; or 0xFF, the kind of a meta
    event and its bytes.
    """

    tick: int
    message: bytes

    @property
    def kind(self) -> int:
        """The status byte without its channel: `NOTE_ON`, or `META`."""
        status = self.message[0]
        return status & 0xF0 if status < SYSEX else status

    @property
    def channel(self) -> int:
        """From 0, of a channel's message."""
        return self.message[0] & 0x0F

    def is_meta(self, kind: int) -> bool:
        """Whether it is this kind of meta event."""
        return self.message[0] == META and self.message[1] == kind

    @property
    def starts_note(self) -> bool:
        """Whether it strikes a note (velocity 0 ends one)."""
        return self.message[0] & 0xF0 == NOTE_ON and self.message[2] > 0

    @property
    def ends_note(self) -> bool:
        """Whether it lets go of a note."""
        kind = self.message[0] & 0xF0
        return kind == NOTE_OFF or (kind == NOTE_ON and not self.message[2])


@dataclass(slots=True)
class EventTrack:
    """A track: its events in order, and the tick at which it ends."""

    events: list[Event] = field(default_factory=list)
    end: int = 0

    @property
    def name(self) -> str:
        """As the file has it; UTF-8, or else Latin-1."""
        for event in self.events:
            if event.is_meta(NAME):
                return decoded(event.message[2:]).strip()
        return ""

    def put(self, events: Sequence[Event]) -> None:
        """Put events in, behind those of the same tick; the track lasts as long as they do."""
        self.events = sorted([*self.events, *events], key=lambda event: event.tick)
        self.end = max([self.end, *(event.tick for event in events)])


@dataclass(slots=True)
class MidiEvents:
    """All events of a MIDI file. division: ticks a quarter note. mended: what was, how often.

    name, sha256: of the file that they are of. kind: its type: 0, all in one track, or 1; None for
    what was not read from a file. playing: how textmusic played them in the file, if it did.
    """

    division: int
    tracks: list[EventTrack]
    mended: Counter[str] = field(default_factory=Counter)
    name: str = ""
    sha256: str = ""
    kind: int | None = None
    playing: Playing | None = None

    @property
    def end(self) -> int:
        """The tick at which the last track ends."""
        return max((track.end for track in self.tracks), default=0)

    def copy(self) -> MidiEvents:
        """A copy whose tracks can be changed."""
        tracks = [EventTrack(list(track.events), track.end) for track in self.tracks]
        return replace(self, tracks=tracks, mended=self.mended.copy())

    def dumps(self) -> bytes:
        """A well-formed MIDI file: type 1 for several tracks, else as it was, or type 0."""
        kind = int(len(self.tracks) > 1 or bool(self.kind))
        head = b"".join(n.to_bytes(2, "big") for n in (kind, len(self.tracks), self.division))
        parts = [b"MThd\0\0\0\6" + head]
        for track in self.tracks:
            body = _written(track)
            parts += [b"MTrk", len(body).to_bytes(4, "big"), body]
        return b"".join(parts)


def meta(tick: int, kind: int, data: bytes) -> Event:
    """A meta event."""
    return Event(tick, bytes((META, kind)) + data)


def decoded(text: bytes) -> str:
    """A text of a file, whose encoding no file states."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


# Writing ------------------------------------------------------------------------------------------


def _number(value: int) -> bytes:
    """A variable-length quantity: seven bits a byte, the highest first."""
    if value < 0:
        raise ValueError(f"events are out of order: {value} ticks apart")
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def _written(track: EventTrack) -> bytes:
    parts: list[bytes] = []
    now = 0
    end = max(track.end, track.events[-1].tick if track.events else 0)
    for tick, message in (*track.events, Event(end, bytes((META, END_OF_TRACK)))):
        while tick - now > _LONGEST_DELTA:  # no event may be further away
            parts += [_number(_LONGEST_DELTA), bytes((META, TEXT, 0))]
            now += _LONGEST_DELTA
        parts.append(_number(tick - now))
        now = tick
        if message[0] < SYSEX:
            parts.append(message)
        else:
            head = 2 if message[0] == META else 1
            parts += [message[:head], _number(len(message) - head), message[head:]]
    return b"".join(parts)


# Reading ------------------------------------------------------------------------------------------


def parse(data: bytes) -> MidiEvents:
    """The events in the bytes of a MIDI file; raises MidiError where there is nothing to be read.

    An RMID wrapper and other bytes before the header are passed over, as are chunks that are no
    tracks; the header's count of tracks is not relied upon. A track ends at its end-of-track event,
    whatever its length says. Running status lasts through system exclusive and meta events.
    """
    mended: Counter[str] = Counter()
    begin = data.find(b"MThd", 0, len(data) if data[:4] == b"RIFF" else _WRAPPED)
    size = int.from_bytes(data[begin + 4 : begin + 8], "big")
    if begin < 0 or size < 6 or len(data) < begin + 14:
        raise MidiError("is not a MIDI file")
    if data[:4] == b"RIFF" and data[begin - 8 : begin - 4] == b"data":
        inside = int.from_bytes(data[begin - 4 : begin], "little")
        data = data[: begin + inside] if inside > 14 else data
    kind, count, division = (
        int.from_bytes(data[at : at + 2], "big") for at in range(begin + 8, begin + 14, 2)
    )
    if kind == 2:
        raise MidiError("is a type 2 MIDI file, whose patterns have no order")
    if division & 0x8000:
        raise MidiError("measures time in frames, not in quarter notes")
    if not division:
        raise MidiError("has no ticks per quarter note")
    first = begin + 8 + size
    tracks = _tracks(data, first if _is_chunk(data, first) else begin + 14, mended)
    if len(tracks) != count:
        mended[CHUNKS] += 1
    return MidiEvents(division, tracks, mended, kind=min(kind, 1) if len(tracks) == 1 else 1)


def _is_chunk(data: bytes, place: int) -> bool:
    """Whether a chunk begins at a place and ends inside the data."""
    name = data[place : place + 4]
    length = int.from_bytes(data[place + 4 : place + 8], "big")
    named = len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name)
    return named and place + 8 + length <= len(data)


def _tracks(data: bytes, place: int, mended: Counter[str]) -> list[EventTrack]:
    tracks: list[EventTrack] = []
    while True:
        if data[place : place + 4] != b"MTrk":
            if _is_chunk(data, place):  # of some other kind
                place += 8 + int.from_bytes(data[place + 4 : place + 8], "big")
                continue
            place = data.find(b"MTrk", place)
        if place < 0 or place + 8 > len(data):
            return tracks
        track, place = _track(data, place, mended)
        tracks.append(track)


def _track(data: bytes, place: int, mended: Counter[str]) -> tuple[EventTrack, int]:
    """The track whose chunk begins at a place, and where to look for the next one."""
    body = place + 8
    stated = body + int.from_bytes(data[place + 4 : place + 8], "big")
    fits = stated == len(data) or _is_chunk(data, stated)
    limit = stated
    if not fits:  # the length is wrong, or bytes follow that are no chunk
        following = data.find(b"MTrk", body)
        limit = len(data) if following < 0 else following
    read = _Reading(data, body, limit, stated)
    read.read(mended)
    if not read.ended and limit > stated and read.at_stated:  # what follows belongs to no track
        del read.track.events[read.at_stated[0] :]
        read.track.end, read.place = read.at_stated[1], stated
    elif not read.ended and limit == len(data) and stated - limit > _LOST_END:
        raise MidiError("is truncated")
    if not read.ended or (read.place != stated and limit != stated):
        mended[CHUNKS] += 1
    return read.track, limit if fits else read.place


class _Reading:
    """A track while it is read, from the first byte behind its head to a limit."""

    def __init__(self, data: bytes, place: int, limit: int, stated: int) -> None:
        self.data, self.place, self.limit, self.stated = data, place, limit, stated
        self.track = EventTrack()
        self.ended = False  # by an end-of-track event
        # How many events there were, and which tick it was, where the stated length is over.
        self.at_stated: tuple[int, int] | None = None

    def read(self, mended: Counter[str]) -> None:
        """Fill the track; raises MidiError for what is no track at all."""
        data, limit, events = self.data, self.limit, self.track.events
        place, tick, running = self.place, 0, 0
        while place < limit:
            if place == self.stated:
                self.at_stated = len(events), tick
            delta, place = _read_number(data, place, limit)
            if delta < 0 or place >= limit:
                break
            status = data[place]
            if status >= 0x80:
                place += 1
            elif running:
                status = running
            else:
                raise MidiError("can't be parsed")
            tick += delta
            if status < SYSEX:
                running = status
                stop = place + (1 if 0xC0 <= status < 0xE0 else 2)
                if stop > limit:
                    break
                message = bytes((status, *data[place:stop]))
                place = stop
                if message[1] > 127 or (message[-1] > 127 and len(message) > 2):
                    message = _clipped(message, mended)
                events.append(Event(tick, message))
                continue
            if status not in (SYSEX, ESCAPE, META):
                place += _SYSTEM.get(status, 0)
                mended[SKIPPED] += 1
                continue
            head = place + (status == META)
            length, start = _read_number(data, head, limit)
            stop = start + length
            if length < 0 or stop > limit:
                break
            if status == META and data[place] == END_OF_TRACK:
                self.ended, place = True, stop
                break
            message = bytes((status,)) + data[place:head] + data[start:stop]
            place = stop
            if message := _sound(message, mended):
                events.append(Event(tick, message))
        self.track.end, self.place = tick, place


def _read_number(data: bytes, place: int, limit: int) -> tuple[int, int]:
    """A variable-length quantity and the place behind it; -1 where it does not end."""
    value = 0
    for at in range(place, min(place + 4, limit)):
        byte = data[at]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + 1
    return -1, place


def _clipped(message: bytes, mended: Counter[str]) -> bytes:
    """A message whose data bytes are at most 127."""
    mended[CLIPPED] += sum(byte > 127 for byte in message[1:])
    return message[:1] + bytes(min(byte, 127) for byte in message[1:])


def _sound(message: bytes, mended: Counter[str]) -> bytes:
    """System exclusive or a meta event as the format has it; empty for what can't be mended."""
    if message[0] == ESCAPE:  # any bytes at all
        return message
    if message[0] == SYSEX:
        body = message[1:-1] if message[-1] == ESCAPE else message[1:]
        if any(byte > 127 for byte in body):
            return _clipped(message[: 1 + len(body)], mended) + message[1 + len(body) :]
        return message
    kind, data = message[1], message[2:]
    needed = _FIXED.get(kind)
    if kind == TIME_SIGNATURE and 2 <= len(data) < 4:
        data += b"\x18\x08"[len(data) - 2 :]
    if kind > 127 or (needed is not None and len(data) < needed) or _impossible(kind, data):
        mended[SKIPPED] += 1
        return b""
    return message[:2] + (data if needed is None else data[:needed])


def _impossible(kind: int, data: bytes) -> bool:
    """Whether a key or time signature is one that there is not."""
    if kind == KEY_SIGNATURE:
        return not -7 <= int.from_bytes(data[:1], "big", signed=True) <= 7 or data[1] > 1
    return kind == TIME_SIGNATURE and data[1] > 6


def mended_words(mended: Counter[str]) -> Sequence[str]:
    """What was mended, in words: "data bytes over 127 set to 127 (3)"."""
    return [f"{what} ({count:,})" for what, count in sorted(mended.items()) if count]
