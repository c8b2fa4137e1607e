"""The parts of a MIDI file: what one track plays on one channel."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from textmusic.music.midi_events import PROGRAM, Event, MidiEvents
from textmusic.music.midi_sounding import Channel, drum_channels, placed, sounding


@dataclass(frozen=True, slots=True)
class Part:
    """track: its number in the file, from 0. name: of the track. program: with its first note.

    last: the program it ends with. drums: whether it plays drums.
    """

    track: int
    channel: Channel
    name: str
    program: int
    last: int
    drums: bool


def parts_of(midi: MidiEvents) -> list[Part]:
    """The parts that play notes, in the order of tracks, and in a track of their first notes."""
    drums = drum_channels(midi)
    heard = sounding(midi)
    found = []
    for number, (track, complete) in enumerate(zip(midi.tracks, heard.tracks, strict=True)):
        notes: dict[Channel, Event] = {}
        for _, channel, event in placed(track):
            if event.starts_note:
                notes.setdefault(channel, event)
        for channel, first in notes.items():
            changes = [
                (event.tick, event.message[1])
                for _, on, event in placed(complete)
                if on == channel and event.kind == PROGRAM
            ]
            before = bisect_right(changes, (first.tick, 127))
            programs = [program for _, program in changes]
            found.append(
                Part(
                    number, channel, track.name,
                    programs[before - 1] if before else 0, programs[-1] if programs else 0,
                    channel in drums,
                )
            )  # fmt: skip
    return found
