"""A whole MIDI file performed."""

from __future__ import annotations

import math

import numpy as np

from textmusic.music.midi_changes import tempi
from textmusic.music.midi_events import CONTROL, TIME_SIGNATURE, MidiEvents
from textmusic.music.midi_playing import PEDAL, Played, Struck, struck, with_playing
from textmusic.music.notes import Ints, Notes
from textmusic.music.playing import Playing
from textmusic.performing.features import Metre
from textmusic.performing.performer import TICKS, Performer, Piece

PERFORMANCE = 0.7
"""How much of a performance a piece has if nobody says. At 1 it deviates as far as the players of
the corpora do; a little less leaves more of what the model has written itself."""


def perform(midi: MidiEvents, playing: Playing, bars: int | None = None) -> MidiEvents:
    """The file as it is played. It is left as it is where its bars are not known to be alike.

    midi: as it is written, 480 ticks a quarter note. bars: of the piece; None: up to its end.
    """
    metre = _metre(midi)
    notes = struck(midi)
    if not playing.amount or metre is None or midi.division != TICKS or not notes:
        return midi
    length = Metre.of(metre).length
    bars = bars or max(math.ceil(midi.end / (length * TICKS) - 1e-6), 1)
    performer = Performer(Piece(metre, tempi(midi).at(0.0), bars), playing)
    columns = _columns(notes)
    bar_of = np.floor(columns.start / length + 1e-6).astype(np.int64)
    rows: Ints = np.zeros((len(notes), 3), dtype=np.int64)
    pedals: list[tuple[int, int, int]] = []
    for bar in range(max(bars, int(bar_of.max()) + 1)):
        mine = np.flatnonzero(bar_of == bar)
        played = performer.bar(columns.chosen(mine), bar)
        rows[mine] = np.stack([played.start, played.stop, played.velocity], axis=1)
        pedals += played.pedals
    if any(_has_pedal(midi, channel) for channel in {note.channel[1] for note in notes}):
        pedals = []  # whoever wrote it has said so already
    changes = Played(rows, pedals, performer.tempi(tempi(midi)))
    return with_playing(midi, notes, changes, playing)


def _metre(midi: MidiEvents) -> str | None:
    """The time signature of a file that has one, and at its beginning."""
    found = {
        (event.tick, event.message[2], event.message[3])
        for track in midi.tracks
        for event in track.events
        if event.is_meta(TIME_SIGNATURE)
    }
    if len({(top, power) for _, top, power in found}) > 1 or any(tick for tick, _, _ in found):
        return None
    _, top, power = next(iter(found), (0, 4, 2))
    return f"{top}/{2**power}" if top else None


def _columns(notes: list[Struck]) -> Notes:
    rows = np.array([note[:5] for note in notes], dtype=np.int64).reshape(-1, 5)
    program, pitch, start, stop, velocity = rows.T
    return Notes(start / TICKS, (stop - start) / TICKS, pitch, velocity, program)


def _has_pedal(midi: MidiEvents, channel: int) -> bool:
    return any(
        event.message[0] == CONTROL | channel and event.message[1] == PEDAL
        for track in midi.tracks
        for event in track.events
    )
