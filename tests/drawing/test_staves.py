"""What is written of a score: every note, in voices that can be played, ends near their own."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from symusic import Note, Score, TimeSignature, Track

from textmusic.drawing.staves import Part, Staff, StaffChord, read_parts
from textmusic.music.bars import TICKS

Played = tuple[float, float, int]  # onset and length in quarter notes, pitch


def a_score(
    *tracks: tuple[int, list[Played]], time_signature: str = "4/4", drums: bool = False
) -> Score:
    """A score of (program, notes) tracks."""
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, *map(int, time_signature.split("/"))))
    for program, notes in tracks:
        track = Track(program=program, name=f"part {program}", is_drum=drums)
        for start, length, pitch in notes:
            track.notes.append(Note(round(start * 480), round(length * 480), pitch, 80))
        score.tracks.append(track)
    return score


def staff_of(program: int, *notes: Played, time_signature: str = "4/4") -> Staff:
    (part,), _ = read_parts(a_score((program, list(notes)), time_signature=time_signature))
    (staff,) = part.staves
    return staff


def chords(staff: Staff) -> list[list[tuple[float, float, tuple[int, ...]]]]:
    """(onset, length in quarter notes, pitches) of each voice."""
    return [
        [(c.start / TICKS, (c.end - c.start) / TICKS, c.pitches) for c in voice]
        for voice in staff.voices
    ]


def all_chords(part: Part) -> list[StaffChord]:
    return [chord for staff in part.staves for voice in staff.voices for chord in voice]


def check(score: Score) -> None:
    """Every note once, near its onset; ends near, or cut where another chord begins."""
    parts, bars = read_parts(score)
    written = {part.name: part for part in parts}
    assert len(written) == len([track for track in score.tracks if len(track.notes)])
    assert [bar.end for bar in bars[:-1]] == [bar.start for bar in bars[1:]]
    for track in score.resample(TICKS, min_dur=1).tracks:
        if not len(track.notes):
            continue
        part = written[track.name]
        for staff in part.staves:
            for voice in staff.voices:
                assert all(one.end <= two.start for one, two in pairwise(voice))
                assert all(chord.start < chord.end <= bars[-1].end for chord in voice)
        found = Counter((c.start, p) for c in all_chords(part) for p in c.pitches)
        assert set(found.values()) == {1}
        onsets = sorted({start for start, _ in found})
        ends = {(c.start, p): c.end for c in all_chords(part) for p in c.pitches}
        longest: dict[tuple[int, int], int] = {}
        for note in track.notes:
            key = (note.time, note.pitch)
            longest[key] = max(longest.get(key, 0), note.end)
        places = [
            next(
                (start + move, pitch)
                for move in (0, 1, -1, 2, -2)
                if (start + move, pitch) in found
            )
            for start, pitch in longest
        ]
        assert Counter(places) == found
        if track.is_drum:
            continue
        for place, end in zip(places, longest.values(), strict=True):
            cut = ends[place] in onsets or any(  # or it shares a shorter chord
                chord.end == ends[place] for chord in all_chords(part) if chord.start == place[0]
            )
            # an end may go along with a next onset, which moves by 2
            near = abs(ends[place] - end) <= TICKS / 2 + 2
            assert near or (cut and ends[place] < end)


PIECES = (
    "BachJS-BWV-120 BachJS-bwv788 Bach_BWV.232_14 ChopinFF-Chop-28-7-chopin_prelude_op28_no7"
    " Jesus_Shall_Reign-Duke_Street VerdiG-verdi_traviata_ah_was_it_him lc5002015 lc6158825"
    " lc6447372 sq7295726-3 sq9719026-4 TurpinT-turpin"
).split()


@pytest.mark.parametrize("name", PIECES)
def test_every_note_of_real_pieces_is_written_once(pieces: list[Path], name: str) -> None:
    score = Score(next(path for path in pieces if path.stem == name))
    for number, track in enumerate(score.tracks):
        track.name = f"{number}"
    check(score)


quarters = st.integers(0, 24 * 12).map(lambda ticks: ticks / 24)
played = st.tuples(quarters, st.integers(1, 200).map(lambda t: t / 24), st.integers(21, 108))


@given(
    notes=st.lists(st.lists(played, min_size=1, max_size=40), min_size=1, max_size=2),
    programs=st.permutations([0, 24, 33, 40, 48, 73]),
    time_signature=st.sampled_from(["4/4", "3/4", "6/8", "7/8", "3/2"]),
)
@example(
    notes=[[(29 / 24, 1 / 24, 21), (1.25, 1 / 24, 21), (1.75, 1 / 24, 21)]],
    programs=[0, 24, 33, 40, 48, 73],
    time_signature="4/4",
)
def test_every_note_of_any_music_is_written_once(
    notes: list[list[Played]], programs: list[int], time_signature: str
) -> None:
    check(a_score(*zip(programs, notes, strict=False), time_signature=time_signature))


def test_a_bass_that_is_held_has_a_voice_of_its_own_below_what_moves() -> None:
    staff = staff_of(40, (0, 4, 55), *((n / 2, 0.5, 67 + n) for n in range(1, 8)))
    assert chords(staff) == [
        [(n / 2, 0.5, (67 + n,)) for n in range(1, 8)],
        [(0, 4, (55,))],
    ]


def test_notes_struck_together_and_of_one_length_are_a_chord() -> None:
    assert chords(staff_of(40, (0, 1, 62), (0, 1, 66), (0, 1, 69))) == [[(0, 1, (62, 66, 69))]]


def test_a_third_voice_shortens_what_ends_first() -> None:
    staff = staff_of(40, (0, 4, 60), (1, 2, 64), (2, 2, 67))
    assert chords(staff) == [[(1, 1, (64,)), (2, 2, (67,))], [(0, 4, (60,))]]


@pytest.mark.parametrize(
    ("played", "written", "short"),
    [
        ((11 / 12, 1.5), 1, False),  # nearly to the next note
        ((13 / 12, 2), 1, False),
        ((13 / 12, 1), 1, False),  # a little over it
        ((1 / 6, 0.5), 0.5, True),  # a staccato
        ((1 / 4, 0.5), 0.25, False),  # a sixteenth and a rest
        ((1 / 6, 2), 0.25, False),
        ((0.5, 2), 0.5, False),
    ],
)
def test_ends_off_the_grid(played: tuple[float, float], written: float, short: bool) -> None:
    """played: length, and when the next note begins, in quarter notes."""
    length, following = played
    first = staff_of(40, (0, length, 60), (following, 1, 62)).voices[0][0]
    assert ((first.end - first.start) / TICKS, first.short) == (written, short)


def test_an_onset_beside_the_grid_gives_way_and_triplets_stay() -> None:
    staff = staff_of(40, (0, 0.9, 60), (11 / 12, 1 / 12, 62), (1, 1 / 3, 64), (4 / 3, 1 / 3, 65),
                     (5 / 3, 1 / 3, 67))  # fmt: skip
    onsets = [chord.start for chord in staff.voices[0]]
    assert onsets == [0, 21, 24, 32, 40]


def test_the_piano_has_two_hands_and_a_melody_stays_in_one() -> None:
    melody = [(n, 1.0, pitch) for n, pitch in enumerate((64, 62, 59, 62))]
    bass = [(n, 1.0, 43) for n in range(4)]
    (part,), _ = read_parts(a_score((0, melody + bass)))
    right, left = part.staves
    assert (right.clef, left.clef) == ("treble", "bass")
    assert [c.pitches for c in right.voices[0]] == [(64,), (62,), (59,), (62,)]
    assert [c.pitches for c in left.voices[0]] == [(43,)] * 4


@pytest.mark.parametrize(
    ("program", "pitch", "clef"),
    [(40, 76, "treble"), (41, 60, "alto"), (42, 48, "bass"), (25, 52, "treble8vb"),
     (33, 36, "bass8vb"), (43, 36, "bass8vb"), (73, 80, "treble"), (72, 90, "treble8va"),
     (70, 50, "bass"), (60, 50, "bass"), (60, 62, "treble")],
)  # fmt: skip
def test_clefs(program: int, pitch: int, clef: str) -> None:
    assert staff_of(program, (0, 1, pitch)).clef == clef


def test_parts_stand_in_score_order() -> None:
    programs = [0, 27, 33, 40, 41, 42, 56, 60, 68, 71, 73]
    parts, _ = read_parts(a_score(*((program, [(0, 1, 60)]) for program in programs)))
    assert [part.program for part in parts] == [73, 68, 71, 60, 56, 27, 0, 40, 41, 42, 33]


def test_drums_have_a_voice_for_the_hands_and_one_for_the_feet() -> None:
    beat = [(0, 0.1, 36), (0, 0.1, 42), (0.5, 0.1, 42), (1, 0.1, 38), (1, 0.1, 42), (1.5, 0.1, 42)]
    (part,), _ = read_parts(a_score((0, beat), drums=True))
    hands, feet = chords(part.staves[0])
    assert hands == [(0, 0.5, (42,)), (0.5, 0.5, (42,)), (1, 0.5, (38, 42)), (1.5, 0.5, (42,))]
    assert feet == [(0, 1, (36,))]


def test_a_score_without_notes_is_a_bar_of_rest() -> None:
    (part,), bars = read_parts(Score(480))
    assert part.staves == (Staff("treble", ()),) and len(bars) == 1
