"""Fingers over practice pieces for the piano."""

from __future__ import annotations

import pytest
from practice_pieces import diced

from textmusic.drawing.fingering import fingers_of, searched
from textmusic.music.notes import Note, columns_of
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice

PLAN = Plan(key="C major", time_signature="4/4", bars=4)


def test_in_a_position_each_key_has_its_finger() -> None:
    right = [Note(0.0, 1.0, 64, 80, 0), Note(1.0, 3.0, 67, 80, 0), Note(4.0, 4.0, 60, 80, 0)]
    left = [Note(8.0, 4.0, 48, 80, 0), Note(12.0, 4.0, 55, 80, 0)]
    found = fingers_of(columns_of([*right, *left]), Practice(), PLAN)
    assert found == {(0.0, 64): 3, (8.0, 48): 5}, "the first note of each hand alone"


def test_a_hand_that_was_silent_says_it_again() -> None:
    notes, plan = diced(Practice(), 4, Plan(bars=8, key="G major", time_signature="3/4"))
    found = fingers_of(notes, Practice(), plan)
    assert {start // 3 for start, _ in found} == {0, 2, 4, 6}, "each time a hand begins"
    assert all(1 <= finger <= 5 for finger in found.values())


def test_other_instruments_have_none() -> None:
    notes, plan = diced(Practice("flute", 1), 1)
    assert fingers_of(notes, Practice("flute", 1), plan) == {}


def test_outside_of_positions_fingers_are_searched() -> None:
    pytest.importorskip("pianoplayer")
    scale = [60, 62, 64, 65, 67, 69, 71, 72]
    line = [Note(float(n), 1.0, p, 80, 0) for n, p in enumerate(scale)]
    found = searched(columns_of(line), left=False)
    fingers = [found[float(n), p] for n, p in enumerate(scale)]
    assert fingers[0] == 1 and fingers[-1] >= 4 and fingers.count(1) == 2, "one thumb-under"
    both = [Note(0.0, 1.0, 60, 80, 0), Note(0.0, 1.0, 67, 80, 0)]
    later = [note._replace(start=note.start + 1) for note in line]
    pair = searched(columns_of([*both, *later]), left=False)
    assert 0 < pair[0.0, 60] < pair[0.0, 67]
    assert searched(columns_of(both), left=False) == {}, "too little to be searched"
