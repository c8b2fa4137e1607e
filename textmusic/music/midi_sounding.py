"""What a player makes of a MIDI file's events: which notes end when, and what plays them.

In the events these hang together across tracks and time: a program that a setup track sets holds
for its channel, and a note may be ended by a message to the whole channel, or by nothing. symusic
looks at one track at a time. `sounding` states in each track what holds there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from textmusic.music.markers import as_lyrics
from textmusic.music.midi_events import (
    CONTROL,
    DRUM_CHANNEL,
    ESCAPE,
    NOTE_OFF,
    PORT,
    PROGRAM,
    SYSEX,
    Event,
    EventTrack,
    MidiEvents,
)

if TYPE_CHECKING:
    from symusic import Score

BANK, BANK_LOW = 0, 32  # controllers
# All sound off, all notes off, and the changes of mode, which end all notes as well.
SILENCERS = frozenset((120, 123, 124, 125, 126, 127))
Channel = tuple[int, int]  # port, and channel from 0
Place = tuple[int, int, int]  # tick, track, number of the event in its track
Key = tuple[Channel, int]  # a channel and a pitch


class Placed(NamedTuple):
    """A channel's event and where it stands."""

    place: Place
    channel: Channel
    event: Event


def placed(track: EventTrack, number: int = 0) -> Iterator[Placed]:
    """The channels' events of a track, in order. number: of the track."""
    port = 0
    for at, event in enumerate(track.events):
        if event.is_meta(PORT):
            port = event.message[2]
        elif event.message[0] < SYSEX:
            yield Placed((event.tick, number, at), (port, event.channel), event)


def all_placed(midi: MidiEvents) -> list[Placed]:
    """The channels' events of all tracks, as a player gets them."""
    found = [one for number, track in enumerate(midi.tracks) for one in placed(track, number)]
    return sorted(found, key=lambda one: one.place)


def drum_channels(midi: MidiEvents, channels: Sequence[Placed] | None = None) -> set[Channel]:
    """Channels that play drums: the tenth of each port, and those that GS, XG or GM2 make so.

    GS has a message for it, XG and GM2 banks of their own. channels: `all_placed`, where it is at
    hand.
    """
    rhythm: set[int] = set()
    xg = False
    for track in midi.tracks:
        for _, message in track.events:
            if message[0] == SYSEX and message[1:2] == b"\x41" and message[3:6] == b"\x42\x12\x40":
                part, address, value = (*message[6:9], 0, 0, 0)[:3]
                if part & 0xF0 == 0x10 and address == 0x15 and value:
                    block = part & 0x0F
                    rhythm.add(DRUM_CHANNEL if not block else block - (block <= DRUM_CHANNEL))
            xg |= message[0] == SYSEX and message[1:2] == b"\x43" and message[3:4] == b"\x4c"
    drum_banks = {120, 126, 127} if xg else {120}
    found: set[Channel] = set()
    for _, channel, event in all_placed(midi) if channels is None else channels:
        is_bank = event.kind == CONTROL and event.message[1] == BANK
        if (
            channel[1] in rhythm
            or channel[1] == DRUM_CHANNEL
            or (is_bank and event.message[2] in drum_banks)
        ):
            found.add(channel)
    return found


def sounding(midi: MidiEvents) -> MidiEvents:
    """The same music with nothing left to be known from elsewhere.

    Every note has its own end in its own track, at the end of the piece where nothing ends it.
    Every track has the program changes that hold for its channels: its own, those of tracks that
    play nothing on the channel, and, if it has none, those of whatever else plays on it. Drums are
    on the tenth channel. There is no system exclusive.
    """
    channels = all_placed(midi)
    silenced: list[tuple[Place, Channel]] = []
    changes: dict[Channel, list[Placed]] = defaultdict(list)
    playing: dict[int, set[Channel]] = defaultdict(set)  # by track
    changed: dict[int, set[Channel]] = defaultdict(set)
    for one in channels:
        place, channel, event = one
        if event.starts_note:
            playing[place[1]].add(channel)
        elif event.kind == PROGRAM:
            changes[channel].append(one)
            changed[place[1]].add(channel)
        elif event.kind == CONTROL and event.message[1] in SILENCERS:
            silenced.append((place, channel))
    drums = drum_channels(midi, channels)
    made = MidiEvents(midi.division, [], midi.mended)
    end = midi.end  # which looks at every track
    for number, track in enumerate(midi.tracks):
        foreign = [
            change
            for channel in playing[number]
            for change in changes[channel]
            if (other := change.place[1]) != number
            and (channel not in changed[number] or channel not in playing[other])
        ]
        own = _with_ends(track, number, silenced, end)
        events = _on_drum_channel(_with_programs(own, foreign), drums)
        # of no use any more, and symusic takes an escape for the end of a track
        events = [event for event in events if event.message[0] not in (SYSEX, ESCAPE)]
        made.tracks.append(EventTrack(events, max(track.end, events[-1].tick if events else 0)))
    return made


def to_score(midi: MidiEvents) -> Score:
    """The score of a file, with its chords for `markers_of`.

    For events that `midi_files` has let through; what symusic can't read raises RuntimeError.
    """
    from symusic import Score

    return Score.from_midi(as_lyrics(sounding(midi).dumps()))


def _with_ends(
    track: EventTrack, number: int, silenced: Sequence[tuple[Place, Channel]], end: int
) -> list[Event]:
    """A track's events, and a note-off wherever a note ends without one.

    number: of the track. silenced: where channels are silenced, in order. end: of the piece.
    """
    where = {at: channel for (_, _, at), channel, _ in placed(track)}
    struck: Counter[Key] = Counter()
    for at, channel in where.items():
        event = track.events[at]
        if event.starts_note or event.ends_note:
            struck[channel, event.message[1]] += 1 if event.starts_note else -1
    # Where note-offs are missing, the next one can't be told to belong to the first note: as in a
    # synthesizer, a key that is struck again ends what it plays.
    lost = {key for key, left in struck.items() if left > 0}
    sounding_since: dict[Key, list[int]] = {}  # ticks of what sounds now
    made: list[Event] = []

    def end_first(key: Key) -> None:
        ticks = sounding_since[key]
        ticks.pop(0)
        if not ticks:
            del sounding_since[key]

    def close(key: Key, tick: int) -> None:
        made.append(Event(tick, bytes((NOTE_OFF | key[0][1], key[1], 64))))
        end_first(key)

    def silence(place: Place, channel: Channel) -> None:
        tick, of_track, _ = place
        for key, ticks in list(sounding_since.items()):
            # what another track sends at the tick of a note may have been meant to precede it
            while key[0] == channel and ticks and (of_track == number or ticks[0] < tick):
                close(key, tick)

    ahead = 0
    for at, event in enumerate(track.events):
        while ahead < len(silenced) and silenced[ahead][0] <= (event.tick, number, at):
            silence(*silenced[ahead])
            ahead += 1
        if at in where and (event.starts_note or event.ends_note):
            key = where[at], event.message[1]
            if event.starts_note:
                if key in lost and key in sounding_since:
                    close(key, event.tick)
                sounding_since.setdefault(key, []).append(event.tick)
            elif key in sounding_since:
                end_first(key)
            else:
                continue  # it ends nothing
        made.append(event)
    for place, channel in silenced[ahead:]:
        silence(place, channel)
    for key, ticks in list(sounding_since.items()):
        for tick in list(ticks):
            close(key, max(end, tick))
    return sorted(made, key=lambda event: event.tick)


def _with_programs(events: list[Event], foreign: Iterable[Placed]) -> list[Event]:
    """A track's events with program changes from other tracks, before its own of the same tick."""
    added = [(one.place[0], 0, one.event) for one in foreign]
    return [
        event
        for _, _, event in sorted(
            [*added, *((event.tick, 1, event) for event in events)], key=lambda one: one[:2]
        )
    ]


def _on_drum_channel(events: list[Event], drums: set[Channel]) -> list[Event]:
    """Events of drum channels on the tenth channel; kits of other banks than its own, too."""
    if all(channel == DRUM_CHANNEL for _, channel in drums):
        return events
    track = EventTrack(list(events))
    for (tick, _, at), channel, event in placed(track):
        if channel in drums:
            status = event.message[0] & 0xF0 | DRUM_CHANNEL
            track.events[at] = Event(tick, bytes((status,)) + event.message[1:])
    return track.events
