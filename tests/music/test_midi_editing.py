"""Single notes of a MIDI file changed by hand: all else stays event for event."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from textmusic.errors import TextMusicError
from textmusic.music.midi_editing import NoteEdit, Place, edit_notes
from textmusic.music.midi_events import NAME, Event, EventTrack, MidiEvents, parse
from textmusic.music.midi_files import read_events
from textmusic.music.midi_replacing import Held, held_notes
from textmusic.music.notes import Note
from textmusic.music.theory import DRUMS

DATA = Path(__file__).parents[1] / "data" / "midi"
NAMES = {program: f"Player {program}" for program in range(DRUMS + 1)}


@pytest.fixture
def trio() -> MidiEvents:
    return read_events(DATA / "trio.mid")


def events(midi: MidiEvents) -> Counter[tuple[int, Event]]:
    return Counter((n, event) for n, track in enumerate(midi.tracks) for event in track.events)


def notes(midi: MidiEvents) -> Counter[tuple[int, float, int]]:
    """Of each note: program, start in quarter notes, pitch."""
    return Counter((one.program, one.start / midi.division, one.pitch) for one in held_notes(midi))


def place(midi: MidiEvents, one: Held) -> Place:
    return Place(one.program, one.start / midi.division, one.pitch)


def test_a_note_is_deleted_with_its_end(trio: MidiEvents) -> None:
    gone = held_notes(trio)[5]
    made = edit_notes(trio, [NoteEdit(place(trio, gone), None)], NAMES)
    lost = events(trio) - events(made)
    track = trio.tracks[gone.track].events
    assert gone.off is not None
    assert lost == Counter([(gone.track, track[gone.at]), (gone.track, track[gone.off])])
    assert not events(made) - events(trio)
    assert parse(made.dumps()).tracks == made.tracks, "and it is a file"


def test_a_note_is_moved_and_stays_with_its_part(trio: MidiEvents) -> None:
    one = held_notes(trio)[5]
    old = place(trio, one)
    new = Note(old.start + 0.5, 2.0, old.pitch + 1, 99, old.program)
    made = edit_notes(trio, [NoteEdit(old, new)], NAMES)
    assert notes(made) - notes(trio) == Counter([(old.program, new.start, new.pitch)])
    assert notes(trio) - notes(made) == Counter([(old.program, old.start, old.pitch)])
    (found,) = [m for m in held_notes(made) if (m.pitch, m.start / made.division) ==
                (new.pitch, new.start) and m.channel == one.channel]  # fmt: skip
    assert found.track == one.track and found.off is not None
    struck, off = (made.tracks[found.track].events[at] for at in (found.at, found.off))
    assert struck.message[2] == 99 and off.tick - struck.tick == 2 * made.division


def test_a_new_note_goes_to_its_instruments_part_or_to_a_new_one(trio: MidiEvents) -> None:
    first = held_notes(trio)[0]
    same = NoteEdit(None, Note(1.0, 1.0, 100, 80, first.program))
    made = edit_notes(trio, [same], NAMES)
    (found,) = [one for one in held_notes(made) if one.pitch == 100]
    assert (found.track, found.channel) == (first.track, first.channel)
    assert len(made.tracks) == len(trio.tracks)
    for program in (73, DRUMS):
        made = edit_notes(trio, [NoteEdit(None, Note(1.0, 1.0, 60, 80, program))], NAMES)
        *old, new = made.tracks
        assert old == trio.tracks and (program, 1.0, 60) in notes(made)
        assert any(event.is_meta(NAME) and NAMES[program].encode() in event.message
                   for event in new.events)  # fmt: skip


def test_edits_follow_upon_one_another_and_the_piece_stays_as_it_was(trio: MidiEvents) -> None:
    before = trio.dumps()
    note = Note(1.0, 1.0, 100, 80, held_notes(trio)[0].program)
    there = Place(note.program, note.start, note.pitch)
    moved = note._replace(start=3.0)
    made = edit_notes(trio, [NoteEdit(None, note), NoteEdit(there, moved)], NAMES)
    assert notes(made) - notes(trio) == Counter([(note.program, 3.0, 100)])
    assert trio.dumps() == before
    gone = edit_notes(made, [NoteEdit(there._replace(start=3.0), None)], NAMES)
    assert notes(gone) == notes(trio)


def test_only_a_note_that_is_there_is_changed(trio: MidiEvents) -> None:
    old = place(trio, held_notes(trio)[0])
    for wrong in (old._replace(pitch=127), old._replace(start=old.start + 0.1),
                  old._replace(program=99)):  # fmt: skip
        with pytest.raises(TextMusicError, match="not there any more"):
            edit_notes(trio, [NoteEdit(wrong, None)], NAMES)
    near = old._replace(start=old.start + 0.04)  # played a little off the grid
    assert notes(trio) - notes(edit_notes(trio, [NoteEdit(near, None)], NAMES)) == Counter([old])


def test_a_new_part_in_a_file_of_one_track(trio: MidiEvents) -> None:
    """Its events lie among the others, in the order of time."""
    merged = sorted((e for track in trio.tracks for e in track.events), key=lambda e: e.tick)
    alone = EventTrack(merged, max(track.end for track in trio.tracks))
    single = replace(trio, tracks=[alone], kind=0)
    new = Note(1.0, 1.0, 60, 80, 73)
    made = edit_notes(single, [NoteEdit(None, new)], NAMES)
    assert notes(parse(made.dumps())) - notes(single) == Counter([(73, 1.0, 60)])
