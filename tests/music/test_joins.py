"""Bar lines: leaps and voice leading, counted by hand."""

from __future__ import annotations

import math

import pytest

from textmusic.music.joins import (
    chord_step,
    drums_on_accents,
    kicks_on_accents,
    melodic_leap,
    silent_share,
    smoothest,
    voice_leading,
)
from textmusic.music.notes import Note, Notes, columns_of
from textmusic.music.theory import DRUMS


def notes(*given: tuple[float, float, int], program: int = 0) -> Notes:
    return columns_of([Note(*note, 80, program) for note in given])


@pytest.mark.parametrize(
    ("one", "two", "semitones"),
    [
        ((0, 4, 7), (0, 4, 7), 0),
        ((0, 4, 7), (0, 5, 9), 3),  # C E G -> C F A
        ((0, 4, 7), (2, 7, 11), 3),  # C -> B, E -> D
        ((0, 4, 7), (1, 4, 7), 1),
        ((0, 3, 6, 9), (1, 4, 7, 10), 4),
        ((0,), (0, 7), 5),  # one voice doubled: to G
        ((11,), (0,), 1),
        ((0, 4, 7), (0, 4, 7, 10), 2),  # a doubled C moves to Bb
    ],
)
def test_voice_leading(one: tuple[int, ...], two: tuple[int, ...], semitones: int) -> None:
    assert voice_leading(one, two) == semitones == voice_leading(two, one)


def test_the_leap_is_of_the_top_line() -> None:
    piece = notes((0, 4, 48), (3, 1, 72), (3, 1, 60), (4, 1, 76), (4, 1, 40))
    assert melodic_leap(piece, 4.0) == 4
    assert math.isnan(melodic_leap(piece, 12.0))


def test_the_chords_are_those_of_the_quarter_notes_beside_the_line() -> None:
    piece = notes(
        (0, 2, 61), (3, 1, 60), (3, 1, 64), (3, 1, 67), (4, 1, 65), (4, 1, 69), (4, 1, 72)
    )
    assert chord_step(piece, 4.0) == 3
    assert math.isnan(chord_step(piece, 8.0))


def test_drums_on_the_others_onsets() -> None:
    played = [Note(t, 1, 60, 80, 0) for t in (0, 1, 2, 3)]
    drums = [Note(t, 0.1, 42, 80, DRUMS) for t in (0, 0.5, 1, 9)]
    assert drums_on_accents(columns_of([*played, *drums]), 4.0) == pytest.approx(2 / 3)
    assert math.isnan(drums_on_accents(columns_of(played), 4.0))


def test_kick_and_snare_against_accents() -> None:
    played = [Note(t, 1, p, 80, 0) for t, ps in ((0, (60, 64)), (1, (60,)), (2, (60, 64)))
              for p in ps]  # fmt: skip
    drums = [Note(0, 0.1, 36, 80, DRUMS), Note(1, 0.1, 38, 80, DRUMS), Note(3, 0.1, 42, 80, DRUMS)]
    assert kicks_on_accents(columns_of([*played, *drums]), 4.0) == pytest.approx(0.5)


def test_the_smoothest_of_several() -> None:
    before = [Note(3, 1, 72, 80, 0), Note(3, 1, 60, 80, 0)]
    far, near, none = (
        columns_of([*before, *new])
        for new in (
            [Note(4, 1, 90, 80, 0), Note(4, 1, 54, 80, 0)],
            [Note(4, 1, 71, 80, 0), Note(4, 1, 60, 80, 0)],
            [],
        )
    )
    assert smoothest([far, near, none], [4.0], (4.0, 8.0)) == 1
    assert smoothest([none, far], [4.0], (4.0, 8.0)) == 1, "silence is no smooth way"
    assert smoothest([far, far], [4.0], (4.0, 8.0)) == 0
    assert silent_share(near, 4.0, 8.0) == 0.75 and silent_share(none, 4.0, 8.0) == 1.0
