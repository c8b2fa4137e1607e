"""New notes of one instrument among several parts."""

from __future__ import annotations

from textmusic.music.notes import Note
from textmusic.music.sharing import Voice, shared

HIGH = [(float(n), 76 + n % 4) for n in range(8)]
LOW = [(float(n), 60 + n % 4) for n in range(8)]


def note(start: float, pitch: int, duration: float = 1.0) -> Note:
    return Note(start, duration, pitch, 80, 40)


def pitches(parts: list[list[Note]]) -> list[list[int]]:
    return [[one.pitch for one in part] for part in parts]


def test_the_higher_note_goes_to_the_higher_part() -> None:
    notes = [note(0, 64), note(0, 72), note(1, 79), note(1, 77), note(2, 58), note(3, 80)]
    assert pitches(shared(notes, [Voice(HIGH), Voice(LOW)])) == [[72, 79, 80], [64, 77, 58]]
    assert pitches(shared(notes, [Voice(LOW), Voice(HIGH)])) == [[64, 77, 58], [72, 79, 80]]


def test_one_part_has_all() -> None:
    notes = [note(0, 64), note(0, 72), note(1, 79)]
    assert shared(notes, [Voice(LOW)]) == [notes]


def test_two_hands_share_chords_by_register() -> None:
    right = [(float(n), p) for n in range(4) for p in (72, 76, 79)]
    left = [(float(n), p) for n in range(4) for p in (48, 52)]
    notes = [note(0, p) for p in (47, 50, 71, 74, 78)]
    assert pitches(shared(notes, [Voice(right), Voice(left)])) == [[78, 74, 71], [50, 47]]


def test_more_notes_than_parts_are_all_played() -> None:
    notes = [note(0, p) for p in (60, 64, 67, 72, 76)]
    made = shared(notes, [Voice(HIGH), Voice(LOW)])
    assert sorted(one.pitch for part in made for one in part) == [60, 64, 67, 72, 76]
    assert min(pitches(made)[0]) > max(pitches(made)[1])


def test_a_part_that_holds_a_note_leaves_the_next_one_to_the_other() -> None:
    notes = [note(0, 70, 4.0), note(1, 69)]
    level = [(float(n), 69) for n in range(4)]
    made = shared(notes, [Voice(level), Voice([(at, p - 1) for at, p in level])])
    assert [len(part) for part in made] == [1, 1]


def test_drums_go_where_the_sound_was_played() -> None:
    kick, hat = [(0.0, 36), (1.0, 36)], [(0.0, 42), (0.5, 42)]
    notes = [note(0, 42), note(0, 36), note(1, 49)]
    made = shared(notes, [Voice(hat), Voice(kick)], drums=True)
    assert pitches(made) == [[42, 49], [36]]
