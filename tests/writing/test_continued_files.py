"""What a person's file is like after it was continued: its type, and whose chords it names."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken_midi import END, NOTE, chunk, header

from textmusic.music.midi_changes import is_chord_track
from textmusic.music.midi_events import PROGRAM, TEXT, Event, MidiEvents, parse
from textmusic.music.midi_sounding import all_placed
from textmusic.writing.text_to_music import TextToMusic

DATA = Path(__file__).parents[1] / "data" / "midi"
BAR = 4 * 96


def file(kind: int) -> MidiEvents:
    """Four bars of one track."""
    return parse(header(kind, 1, 96) + chunk(b"\0\xc0\x10" + NOTE * 16 + END))


def chords(midi: MidiEvents) -> list[Event]:
    tracks = [track for track in midi.tracks if is_chord_track(track)]
    return [event for track in tracks for event in track.events if event.is_meta(TEXT)]


@pytest.mark.parametrize("text", ["", "with flute and drums"])
def test_a_file_of_type_0_stays_one(tiny: TextToMusic, text: str) -> None:
    made = tiny.continue_from(file(0), 4, seed=3, text=text)
    data = made.midi()
    assert data[8:12] == b"\0\0\0\1"
    midi = parse(data)
    for channel in {one.channel for one in all_placed(midi)}:
        said = [
            one.event.message[1]
            for one in all_placed(midi)
            if one.channel == channel and one.event.kind == PROGRAM
        ]
        assert len(said) <= 1, "each program is stated once"
    played = {one.channel[1] for one in all_placed(midi) if one.event.starts_note}
    assert len(played) == len([t for t in made.score.tracks if len(t.notes)])


def test_chords_are_named_over_new_bars_alone(tiny: TextToMusic) -> None:
    midi = parse(tiny.continue_from(file(1), 4, seed=3).midi())
    named = chords(midi)
    assert named and min(event.tick for event in named) == 4 * BAR
    assert sum(map(is_chord_track, midi.tracks)) == 1


def test_chords_that_stand_over_old_bars_already_stay(tiny: TextToMusic) -> None:
    """In a file that textmusic wrote, and after it was continued twice."""
    once = parse(tiny.continue_from(file(1), 4, seed=3).midi())
    twice = parse(tiny.continue_from(once, 2, seed=4).midi())
    assert chords(twice)[: len(chords(once))] == chords(once)
    more = chords(twice)[len(chords(once)) :]
    assert more and min(event.tick for event in more) == 8 * BAR
    assert sum(map(is_chord_track, twice.tracks)) == 1
    kept = parse(tiny.continue_from(once, 0, keep=6, seed=4).midi())
    old = [event for event in chords(once) if event.tick < 6 * BAR]
    assert chords(kept)[: len(old)] == old
    assert [event.tick for event in chords(kept)] == sorted({e.tick for e in chords(kept)})
