"""Changes to a MIDI file's events. What is not asked for stays byte for byte: controllers, pedal,
bends, texts, timing, and the sounds of drums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from textmusic.errors import TextMusicError
from textmusic.music.chords import chord_name, parse_symbol
from textmusic.music.markers import CHORD_TRACK
from textmusic.music.midi_events import (
    BEND,
    CONTROL,
    DRUM_CHANNEL,
    KEY_PRESSURE,
    KEY_SIGNATURE,
    MARKER,
    META,
    PROGRAM,
    SYSEX,
    TEMPO,
    TEXT,
    Event,
    EventTrack,
    MidiEvents,
    decoded,
    meta,
)
from textmusic.music.midi_sounding import (
    BANK,
    BANK_LOW,
    Channel,
    Placed,
    all_placed,
    drum_channels,
    placed,
)
from textmusic.music.tempo_map import TempoMap
from textmusic.music.theory import is_minor, key_name, sharps, transposed

_SLOWEST = 0xFF_FFFF  # microseconds a quarter note that three bytes hold
_CHANNELS = 16


def signature(tick: int, key: str) -> Event:
    """The key signature of a key."""
    return meta(tick, KEY_SIGNATURE, bytes((sharps(key) & 0xFF, int(is_minor(key)))))


def tempo_event(tick: int, qpm: float) -> Event:
    """A tempo; raises TextMusicError for one that no MIDI file can state."""
    microseconds = round(60e6 / qpm)
    if not 1 <= microseconds <= _SLOWEST:
        raise TextMusicError(
            f"a tempo of {qpm:,.2f} bpm later in the piece is more than a MIDI file can state;"
            " choose a tempo nearer to the piece's own."
        )
    return meta(tick, TEMPO, microseconds.to_bytes(3, "big"))


def tempi(midi: MidiEvents) -> TempoMap:
    """The tempo map of a file."""
    marks = sorted(
        (event.tick, number, place, int.from_bytes(event.message[2:], "big"))
        for number, track in enumerate(midi.tracks)
        for place, event in enumerate(track.events)
        if event.is_meta(TEMPO)
    )
    return TempoMap.of((tick / midi.division, 60e6 / (size or 1)) for tick, _, _, size in marks)


def with_tempo(midi: MidiEvents, tempo: float) -> MidiEvents:
    """The piece with another tempo where its first note is struck; all others in proportion."""
    first = min((one.place[0] for one in all_placed(midi) if one.event.starts_note), default=0)
    ratio = tempo / tempi(midi).at(first / midi.division)
    if abs(ratio - 1) < 1e-6:
        return midi

    def scaled(event: Event) -> Event:
        if not event.is_meta(TEMPO):
            return event
        return tempo_event(event.tick, ratio * 60e6 / int.from_bytes(event.message[2:], "big"))

    made = _mapped(midi, scaled)
    if not any(
        event.is_meta(TEMPO) and not event.tick for track in made.tracks for event in track.events
    ):
        # what no event states is 120, and would stay so
        made.tracks[0].events.insert(0, tempo_event(0, ratio * 120))
    return made


def with_pitches(midi: MidiEvents, pitches: Mapping[int, int]) -> MidiEvents:
    """The piece with other pitches for its notes; drums keep theirs. pitches: of all 128."""
    drums = drum_channels(midi)
    made = midi.copy()
    for track in made.tracks:
        for (tick, _, at), channel, event in placed(track):
            if event.kind <= KEY_PRESSURE and channel not in drums:
                status, pitch, value = event.message
                track.events[at] = Event(tick, bytes((status, pitches[pitch], value)))
    return made


def with_keys(midi: MidiEvents, change: Callable[[str], str]) -> MidiEvents:
    """The piece with other keys in its key signatures."""

    def changed(event: Event) -> Event:
        if not event.is_meta(KEY_SIGNATURE):
            return event
        fifths, minor = int.from_bytes(event.message[2:3], "big", signed=True), event.message[3]
        return signature(event.tick, change(key_name(fifths * 7 + 9 * minor, bool(minor))))

    return _mapped(midi, changed)


def transpose(midi: MidiEvents, semitones: int, key: str | None) -> MidiEvents:
    """The piece moved up, with its key signatures and the chord names that textmusic wrote.

    key: that it is in then, for the spelling of chords. Raises TextMusicError where notes would
    leave the range of MIDI.
    """
    drums = drum_channels(midi)
    played = {
        event.message[1]
        for _, channel, event in all_placed(midi)
        if event.starts_note and channel not in drums
    }
    low, high = -min(played, default=0), 127 - max(played, default=127)
    if not low <= semitones <= high:
        remedy = f"choose {low} to {high}" if low < high else "leave it where it is"
        raise TextMusicError(
            f"transposing by {semitones} takes notes out of the range of MIDI; {remedy}."
        )
    pitches = {pitch: min(max(pitch + semitones, 0), 127) for pitch in range(128)}
    made = with_keys(with_pitches(midi, pitches), lambda key: transposed(key, semitones))
    for track in made.tracks:
        if is_chord_track(track):
            track.events = [_chord_moved(event, semitones, key) for event in track.events]
    return made


def is_chord_track(track: EventTrack) -> bool:
    """Whether a track holds nothing but chord names, as `markers.marked` writes them."""
    return track.name == CHORD_TRACK and not any(
        event.starts_note or event.kind == CONTROL
        for event in track.events
        if event.message[0] < SYSEX
    )


def without_chords(midi: MidiEvents) -> MidiEvents:
    """The piece without the chord names that textmusic wrote."""
    made = midi.copy()
    made.tracks = [track for track in made.tracks if not is_chord_track(track)]
    return made


def with_names(midi: MidiEvents, named: MidiEvents) -> MidiEvents:
    """The piece with the chord names and the section markers of another file of it.

    named: of the same division, as `markers.marked` makes it. Markers are taken where the piece has
    none. Chord names that textmusic wrote before the first of the new ones stay. A file of type 0
    has no track for chord names, and stays one.
    """
    made = without_chords(midi)
    if not any(event.is_meta(MARKER) for track in made.tracks for event in track.events):
        marks = [event for track in named.tracks for event in track.events if event.is_meta(MARKER)]
        made.tracks[0].put(marks)
    if made.kind == 0:
        return made
    for track in named.tracks:
        if is_chord_track(track):
            texts = [event for event in track.events if event.message[0] == META]
            begin = min((event.tick for event in texts if event.is_meta(TEXT)), default=0)
            before = [
                event
                for old in filter(is_chord_track, midi.tracks)
                for event in old.events
                if event.is_meta(TEXT) and event.tick < begin
            ]
            heads = [event for event in texts if not event.is_meta(TEXT)]
            names = [event for event in texts if event.is_meta(TEXT)]
            made.tracks.append(EventTrack([*heads, *before, *names], track.end))
    return made


def _chord_moved(event: Event, semitones: int, key: str | None) -> Event:
    read = parse_symbol(decoded(event.message[2:])) if event.is_meta(TEXT) else None
    if read is None:
        return event
    return meta(event.tick, TEXT, chord_name(read[0].moved(semitones), key).encode())


def with_programs(
    midi: MidiEvents, players: Mapping[tuple[int, Channel], Mapping[int, int]]
) -> MidiEvents:
    """The piece with other programs. players: by track and channel, what plays instead of what.

    Their banks are set to 0, since others hold other sounds. A part whose channel others play on,
    too, gets one of its own, if there is one left, unless they all change alike.
    """
    made = midi.copy()
    done: set[Channel] = set()  # that have been changed in all tracks
    for (number, channel), change in players.items():
        playing = {one.place[1] for one in all_placed(made) if _plays(one, channel)}
        together = all(players.get((other, channel)) == change for other in playing)
        if not together and (free := free_channels(made, channel[0])):
            _move_away(made, number, channel, free[0], change)
            continue
        if channel not in done:
            for track in made.tracks if together else [made.tracks[number]]:
                _change_programs(track, channel, change)
        if together:
            done.add(channel)
        _state_program(made, number, channel, change, alone=not together)
    return made


def _change_programs(track: EventTrack, channel: Channel, change: Mapping[int, int]) -> None:
    """Change the programs of a channel in a track, which are of the first bank then.

    Those that stay keep their banks.
    """
    mine = {one.place[2] for one in placed(track) if one.channel == channel}
    made: list[Event] = []
    waiting: list[int] = []  # places of bank controllers since the last program
    was: dict[int, int] = {}  # the banks' controllers, before and after the change
    now: dict[int, int] = {}
    changed = True
    for at, event in enumerate(track.events):
        if at in mine and event.kind == CONTROL and event.message[1] in (BANK, BANK_LOW):
            was[event.message[1]] = now[event.message[1]] = event.message[2]
            waiting.append(len(made))
        elif at in mine and event.kind == PROGRAM:
            changed = event.message[1] in change
            wanted = dict.fromkeys(was, 0) if changed else was
            if changed:
                _first_bank(made, waiting, now)
                event = Event(event.tick, event.message[:1] + bytes((change[event.message[1]],)))
            for control, value in wanted.items():
                if now[control] != value:
                    status = CONTROL | channel[1]
                    made.append(Event(event.tick, bytes((status, control, value))))
                    now[control] = value
            waiting = []
        made.append(event)
    if changed:  # those behind the last program choose nothing yet
        _first_bank(made, waiting, now)
    track.events = made


def _first_bank(events: list[Event], places: Iterable[int], now: dict[int, int]) -> None:
    for at in places:
        tick, message = events[at]
        events[at] = Event(tick, message[:2] + b"\0")
        now[message[1]] = 0


def _state_program(
    midi: MidiEvents, number: int, channel: Channel, change: Mapping[int, int], *, alone: bool
) -> None:
    """State a program for a part if none is stated before its first note.

    It was 0 till then. alone: other tracks go on with what they play; what they state is no matter.
    """
    track = midi.tracks[number]
    place = next(one.place for one in placed(track, number) if _plays(one, channel))
    programs = [
        one for one in all_placed(midi) if one.channel == channel and one.event.kind == PROGRAM
    ]
    stated = [one for one in programs if one.place[1] == number or not alone]
    if any(one.place < place for one in stated):
        return
    program = change.get(0) if stated or not alone else next(iter(change.values()))
    if program or (program == 0 and programs):
        _begin_with(track, channel, program)


def free_channels(midi: MidiEvents, port: int) -> list[int]:
    """Channels of a port that nothing is sent to, and that play no drums."""
    used = {one.channel for one in all_placed(midi)} | drum_channels(midi)
    return [n for n in range(_CHANNELS) if (port, n) not in used and n != DRUM_CHANNEL]


def _plays(one: Placed, channel: Channel) -> bool:
    return one.channel == channel and one.event.starts_note


def _begin_with(track: EventTrack, channel: Channel, program: int) -> None:
    """State a program before all else that a track has on a channel."""
    (tick, _, at), _, _ = next(one for one in placed(track) if one.channel == channel)
    track.events.insert(at, Event(tick, bytes((PROGRAM | channel[1], program))))


def _move_away(
    midi: MidiEvents, number: int, channel: Channel, free: int, change: Mapping[int, int]
) -> None:
    """Give a track's part a channel of its own, with what other tracks set for the old one."""

    def moved(event: Event) -> Event:
        return Event(event.tick, bytes((event.message[0] & 0xF0 | free,)) + event.message[1:])

    here = [one for one in all_placed(midi) if one.channel == channel]
    playing = {one.place[1] for one in here if one.event.starts_note}
    states = any(one.event.kind == PROGRAM and one.place[1] == number for one in here)
    shared = [
        moved(one.event)
        for one in here
        if one.place[1] != number
        and (
            one.event.kind in (CONTROL, BEND)
            # programs as `sounding` has them: of a track that plays, they may be its own alone
            or (one.event.kind == PROGRAM and not (states and one.place[1] in playing))
        )
    ]
    track = midi.tracks[number]
    own = channel[0], free
    for one in placed(track):
        if one.channel == channel:
            track.events[one.place[2]] = moved(one.event)
    if shared:
        first = next(at for at, event in enumerate(track.events) if event.message[0] < SYSEX)
        head, rest = track.events[:first], track.events[first:]  # its name and port stay in front
        track.events = sorted([*head, *shared, *rest], key=lambda event: event.tick)
        track.end = max(track.end, track.events[-1].tick)
    _change_programs(track, own, change)
    _state_program(midi, number, own, change, alone=True)
    _without_repeats(track, own)


def _without_repeats(track: EventTrack, channel: Channel) -> None:
    """Leave out what changes a channel's program to the one that it has, from the same bank."""
    now: int | None = None
    superfluous: set[int] = set()
    for one in placed(track):
        if one.channel != channel:
            continue
        message = one.event.message
        if one.event.kind == CONTROL and message[1] in (BANK, BANK_LOW):
            now = None
        elif one.event.kind == PROGRAM:
            if message[1] == now:
                superfluous.add(one.place[2])
            now = message[1]
    track.events = [event for at, event in enumerate(track.events) if at not in superfluous]


def _mapped(midi: MidiEvents, change: Callable[[Event], Event]) -> MidiEvents:
    tracks = [replace(track, events=list(map(change, track.events))) for track in midi.tracks]
    return replace(midi, tracks=tracks, mended=midi.mended.copy())
