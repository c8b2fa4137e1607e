"""The parts of a MIDI file: what one track plays on one channel."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace

from textmusic.music.midi_events import PROGRAM, Event, MidiEvents
from textmusic.music.midi_sounding import Channel, drum_channels, placed, sounding


@dataclass(frozen=True, slots=True)
class Part:
    """track: its number in the file, from 0. name: of the track. program: with its first note.

    last: the program it ends with. drums: whether it plays drums. pitches: of its notes, in order.
    """

    track: int
    channel: Channel
    name: str
    program: int
    last: int
    drums: bool
    pitches: tuple[int, ...] = ()


def parts_of(midi: MidiEvents) -> list[Part]:
    """The parts that play notes, in the order of tracks, and in a track of their first notes."""
    found: dict[tuple[int, Channel], Part] = {}
    for part in parts_by_program(midi):
        whole = found.setdefault((part.track, part.channel), part)
        if whole is not part:
            joined = (*whole.pitches, *part.pitches)
            found[part.track, part.channel] = replace(whole, pitches=joined)
    return list(found.values())


def parts_by_program(midi: MidiEvents) -> list[Part]:
    """As `parts_of`, but a part that changes its program is one for each that it plays with.

    Drums stay one part, whatever kits they change to.
    """
    drums = drum_channels(midi)
    heard = sounding(midi)
    found: list[Part] = []
    for number, (track, complete) in enumerate(zip(midi.tracks, heard.tracks, strict=True)):
        notes: dict[Channel, list[Event]] = {}
        for _, channel, event in placed(track):
            if event.starts_note:
                notes.setdefault(channel, []).append(event)
        own: list[tuple[int, Part]] = []  # tick of the first note, part
        for channel, struck in notes.items():
            changes = [
                (event.tick, event.message[1])
                for _, on, event in placed(complete)
                if on == channel and event.kind == PROGRAM
            ]
            programs = [program for _, program in changes]
            by_program: dict[int, list[Event]] = {}
            for event in struck:
                before = bisect_right(changes, (event.tick, 127))
                program = programs[before - 1] if before else 0
                first = next(iter(by_program), program)
                by_program.setdefault(first if channel in drums else program, []).append(event)
            last = programs[-1] if programs else 0
            for program, events in by_program.items():
                pitches = tuple(event.message[1] for event in events)
                own.append((
                    events[0].tick,
                    Part(
                        number, channel, track.name, program, last, channel in drums, pitches,
                    ),
                ))  # fmt: skip
        found += [part for _, part in sorted(own, key=lambda one: one[0])]
    return found
