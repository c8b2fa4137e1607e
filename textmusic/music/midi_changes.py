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
    none.
    """
    made = without_chords(midi)
    if not any(event.is_meta(MARKER) for track in made.tracks for event in track.events):
        marks = [event for track in named.tracks for event in track.events if event.is_meta(MARKER)]
        first = made.tracks[0]
        first.events = sorted([*first.events, *marks], key=lambda event: event.tick)
        first.end = max([first.end, *(event.tick for event in marks)])
    for track in named.tracks:
        if is_chord_track(track):
            texts = [event for event in track.events if event.message[0] == META]
            made.tracks.append(EventTrack(texts, track.end))
    return made


def _chord_moved(event: Event, semitones: int, key: str | None) -> Event:
    read = parse_symbol(decoded(event.message[2:])) if event.is_meta(TEXT) else None
    if read is None:
        return event
    return meta(event.tick, TEXT, chord_name(read[0].moved(semitones), key).encode())


def with_programs(midi: MidiEvents, players: Mapping[tuple[int, Channel], int]) -> MidiEvents:
    """The piece with other programs. players: by track and channel, what is to play there.

    Banks are set to 0, since others hold other sounds. A part whose channel others play on, too,
    gets one of its own, if there is one left, unless they all get the same program.
    """
    made = midi.copy()
    for (number, channel), program in players.items():
        playing = {one.place[1] for one in all_placed(made) if _plays(one, channel)}
        together = all(players.get((other, channel)) == program for other in playing)
        if not together and (free := free_channels(made, channel[0])):
            _move_away(made, number, channel, free[0], program)
        else:
            tracks = range(len(made.tracks)) if together else [number]
            _set_program(made, number, channel, program, tracks)
    return made


def _set_program(
    midi: MidiEvents, number: int, channel: Channel, program: int, tracks: Iterable[int]
) -> None:
    """Change every program of a channel in some tracks, and state it for one if none does."""
    place = next(one.place for one in placed(midi.tracks[number], number) if _plays(one, channel))
    stated = False
    for at in tracks:
        track = midi.tracks[at]
        for one in placed(track, at):
            if one.channel == channel:
                track.events[one.place[2]] = _for_program(one.event, program)
                stated |= one.event.kind == PROGRAM and one.place < place
    if not stated:
        _begin_with(midi.tracks[number], channel, program)


def _for_program(event: Event, program: int) -> Event:
    """A channel's event as it is where a program is to be heard, and of the first bank."""
    if event.kind == PROGRAM:
        return Event(event.tick, event.message[:1] + bytes((program,)))
    if event.kind == CONTROL and event.message[1] in (BANK, BANK_LOW):
        return Event(event.tick, event.message[:2] + b"\0")
    return event


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


def _move_away(midi: MidiEvents, number: int, channel: Channel, free: int, program: int) -> None:
    """Give a track's part a channel of its own, with what other tracks set for the old one."""

    def moved(event: Event) -> Event:
        status = bytes((event.message[0] & 0xF0 | free,))
        return _for_program(Event(event.tick, status + event.message[1:]), program)

    shared = [
        moved(one.event)
        for one in all_placed(midi)
        if one.channel == channel
        and one.place[1] != number
        and one.event.kind in (CONTROL, PROGRAM, BEND)
    ]
    track = midi.tracks[number]
    for one in placed(track):
        if one.channel == channel:
            track.events[one.place[2]] = moved(one.event)
    _begin_with(track, (channel[0], free), program)
    if shared:
        track.events = sorted([*shared, *track.events], key=lambda event: event.tick)
        track.end = max(track.end, track.events[-1].tick)


def _mapped(midi: MidiEvents, change: Callable[[Event], Event]) -> MidiEvents:
    tracks = [replace(track, events=list(map(change, track.events))) for track in midi.tracks]
    return replace(midi, tracks=tracks, mended=midi.mended.copy())
