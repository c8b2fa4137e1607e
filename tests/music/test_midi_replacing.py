"""Bars of a MIDI file exchanged for others: all else stays event for event."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from textmusic.errors import TextMusicError
from textmusic.music.midi_events import (
    CONTROL,
    NAME,
    NOTE_OFF,
    NOTE_ON,
    PROGRAM,
    Event,
    EventTrack,
    MidiEvents,
    meta,
    parse,
)
from textmusic.music.midi_files import read_events
from textmusic.music.midi_replacing import Held, Hole, held_notes, let_go, replace_notes
from textmusic.music.notes import Note
from textmusic.music.theory import DRUMS

DATA = Path(__file__).parents[1] / "data" / "midi"
Q = 96  # ticks a quarter note
PIANO = frozenset((0,))


def midi(*tracks: list[tuple[int, int, int] | Event]) -> MidiEvents:
    """Tracks of (start, stop, pitch) in quarter notes, on a channel each, and other events."""
    made = []
    for channel, notes in enumerate(tracks):
        found: list[Event] = []
        for note in notes:
            if isinstance(note, Event):
                found.append(note)
                continue
            start, stop, pitch = note
            found.append(Event(start * Q, bytes((NOTE_ON | channel, pitch, 80))))
            found.append(Event(stop * Q, bytes((NOTE_OFF | channel, pitch, 64))))
        found.sort(key=lambda e: (e.tick, e.starts_note))
        made.append(EventTrack(found, max(e.tick for e in found)))
    return MidiEvents(Q, made)


def spans(found: MidiEvents, track: int = 0) -> list[tuple[float, float, int]]:
    """(start, stop, pitch) of a track's notes in quarter notes."""
    return [(n.start / Q, n.stop / Q, n.pitch) for n in held_notes(found) if n.track == track]


def of_file(note: Held) -> tuple[object, ...]:
    return (note.track, note.channel, note.pitch, note.program, note.start, note.stop)


@cache
def read(path: Path) -> MidiEvents | None:
    """The events of a file; None of one that is refused."""
    try:
        return read_events(path)
    except TextMusicError:
        return None


FILES = sorted(path for path in DATA.glob("*.mid") if read(path) is not None)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("place", [(0.0, 2.0), (1.0, 3.0), (2.5, 6.0)])
def test_everything_else_in_a_stranger_s_file_stays(path: Path, place: tuple[float, float]) -> None:
    source = read(path)
    assert source is not None
    old = held_notes(source)
    program = old[0].program
    hole = Hole.of(*place, [program], source.division)
    new = [Note(place[0] + n / 2, 0.5, 50 + n, 77, program) for n in range(3)]
    made = parse(replace_notes(source, hole, new, {program: "New"}).dumps())
    kept = Counter(of_file(note) for note in old if not hole.has(note, source.division))
    there = Counter(map(of_file, held_notes(made)))
    assert kept <= there, "every other note begins and ends where it did"
    assert sum(there.values()) - sum(kept.values()) <= 3, "and the others are gone"

    def others(one: MidiEvents) -> list[list[Event]]:
        return [
            [
                e for e in track.events
                if not (e.starts_note or e.ends_note) and not hole.begin <= e.tick <= hole.end
            ]
            for track in one.tracks[: len(source.tracks)]
        ]  # fmt: skip

    assert others(made) == others(source)


def test_new_notes_take_the_place_of_the_old_ones_and_end_with_the_hole() -> None:
    source = midi([(0, 4, 60), (4, 5, 62), (5, 6, 64), (8, 9, 65)])
    made = replace_notes(source, Hole(4 * Q, 8 * Q, PIANO), [Note(6, 5, 70, 90, 0)], {})
    assert spans(made) == [(0, 4, 60), (6, 8, 70), (8, 9, 65)]
    assert (
        source.tracks[0].events
        == midi([(0, 4, 60), (4, 5, 62), (5, 6, 64), (8, 9, 65)]).tracks[0].events
    ), "the file that was given is not touched"


def test_a_note_that_ends_the_hole_does_not_end_the_same_key_behind_it() -> None:
    source = midi([(4, 5, 62), (8, 9, 70)])
    made = replace_notes(source, Hole(4 * Q, 8 * Q, PIANO), [Note(6, 5, 70, 90, 0)], {})
    assert spans(made) == [(6, 8, 70), (8, 9, 70)]


def test_what_is_held_over_is_let_go_but_anticipations_and_pedal_points() -> None:
    held = [(2, 6, 60), (3, 5, 62), (1, 9, 36), (0, 4, 64)]
    made = let_go(midi(held), Hole(4 * Q, 8 * Q, PIANO))
    assert sorted(spans(made)) == [(0, 4, 64), (1, 9, 36), (2, 4, 60), (3, 5, 62)]
    others = let_go(midi(held), Hole(4 * Q, 8 * Q, frozenset((40,))))
    assert others == midi(held), "other instruments hold on"


def test_a_note_played_early_belongs_to_its_bar() -> None:
    early = Event(4 * Q - 3, bytes((NOTE_ON, 60, 80))), Event(5 * Q, bytes((NOTE_OFF, 60, 64)))
    late = Event(8 * Q - 3, bytes((NOTE_ON, 67, 80))), Event(9 * Q, bytes((NOTE_OFF, 67, 64)))
    made = replace_notes(midi([*early, *late]), Hole(4 * Q, 8 * Q, PIANO), [], {})
    assert [pitch for _, _, pitch in spans(made)] == [67]


def pedal(tick: int, value: int) -> Event:
    return Event(tick, bytes((CONTROL, 64, value)))


def pedals(found: MidiEvents) -> list[tuple[int, int]]:
    return [(e.tick, e.message[2]) for e in found.tracks[0].events if e.kind == CONTROL]


def test_pedal_and_bends_go_with_their_notes() -> None:
    source = midi(
        [(0, 2, 60), (5, 6, 62), (9, 10, 64), pedal(3 * Q, 127), pedal(5 * Q, 0), pedal(7 * Q, 90),
         pedal(9 * Q, 0), Event(6 * Q, bytes((CONTROL, 7, 70)))]
    )  # fmt: skip
    made = replace_notes(source, Hole(4 * Q, 8 * Q, PIANO), [Note(4, 1, 70, 90, 0)], {})
    told = [(3 * Q, 127), (4 * Q, 0), (6 * Q, 70), (8 * Q, 90), (9 * Q, 0)]
    assert pedals(made) == told, (
        "let go of at the beginning, as it would be at the end, volume kept"
    )


def test_a_channel_that_others_play_on_keeps_its_pedal() -> None:
    source = midi([(0, 2, 60), (5, 6, 62), pedal(5 * Q, 127), pedal(6 * Q, 0)])
    other = [Event(0, bytes((PROGRAM, 40))), *midi([(5, 6, 70)]).tracks[0].events]
    source.tracks[0].events.insert(0, Event(0, bytes((PROGRAM, 0))))
    source.tracks.append(EventTrack(other, 10 * Q))
    made = replace_notes(source, Hole(4 * Q, 8 * Q, PIANO), [], {})
    assert pedals(made) == [(5 * Q, 127), (6 * Q, 0)]
    assert spans(made, 1) == [(5, 6, 70)]


def test_each_hand_gets_the_notes_that_lie_near_it() -> None:
    source = midi([(0, 1, 72), (4, 5, 74)], [(0, 1, 40), (4, 5, 43)])
    new = [Note(4, 1, 76, 80, 0), Note(4, 1, 38, 80, 0), Note(5, 1, 60, 80, 0)]
    made = replace_notes(source, Hole(4 * Q, 8 * Q, PIANO), new, {})
    assert spans(made, 0) == [(0, 1, 72), (4, 5, 76), (5, 6, 60)]
    assert spans(made, 1) == [(0, 1, 40), (4, 5, 38)]


def test_an_instrument_that_is_new_has_a_track_and_a_channel_of_its_own() -> None:
    source = midi([(0, 8, 60)])
    hole = Hole(4 * Q, 8 * Q, frozenset((32, DRUMS)))
    new = [Note(4, 9, 36, 80, 32), Note(5, 1, 38, 80, DRUMS)]
    made = replace_notes(source, hole, new, {32: "Bass", DRUMS: "Drums"})
    assert made.tracks[0].events == source.tracks[0].events
    bass, drums = made.tracks[1:]
    assert [track.name for track in (bass, drums)] == ["Bass", "Drums"]
    assert spans(made, 1) == [(4, 8, 36)] and spans(made, 2) == [(5, 6, 38)]
    assert [n.program for n in held_notes(made)] == [0, 32, DRUMS]


def test_a_key_that_is_down_is_not_struck_again() -> None:
    source = midi([(0, 9, 60), (5, 6, 62), (2, 3, 64)])
    new = [Note(4, 1, 60, 80, 0), Note(5, 1, 61, 80, 0)]
    made = replace_notes(source, Hole(4 * Q, 8 * Q, PIANO), new, {})
    assert sorted(spans(made)) == [(0, 9, 60), (2, 3, 64), (5, 6, 61)]


def test_a_note_that_nothing_ended_but_one_that_is_gone_ends_where_it_did() -> None:
    struck = [Event(t * Q, bytes((NOTE_ON, 60, 80))) for t in (3, 5)]
    source = midi([*struck, Event(6 * Q, bytes((NOTE_OFF, 60, 64))), meta(0, NAME, b"x")])
    assert spans(source) == [(3, 5, 60), (5, 6, 60)], "struck again, it ends what it played"
    made = replace_notes(source, Hole(4 * Q, 8 * Q, PIANO), [], {})
    assert spans(made) == [(3, 5, 60)]
