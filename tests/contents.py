"""What is in a piece: its notes, and the events of its MIDI file."""

from __future__ import annotations

from io import BytesIO

from mido import MidiFile

from textmusic.music.notes import notes_of
from textmusic.result.generation import Generation


def notes_in(generation: Generation) -> list[tuple[float, ...]]:
    """(start, program, pitch, duration, velocity) of every note, sorted."""
    notes = notes_of(generation.score)
    columns = (notes.start, notes.program, notes.pitch, notes.duration, notes.velocity)
    return sorted(zip(*(column.round(6).tolist() for column in columns), strict=True))


def events(data: bytes, kind: str) -> list[tuple[int, str]]:
    """(tick, text) of the meta events of a kind, as mido reads them."""
    found = []
    for track in MidiFile(file=BytesIO(data), charset="utf-8").tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == kind:
                found.append((now, message.text))
    return found
