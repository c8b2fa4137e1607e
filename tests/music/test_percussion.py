"""Names of drums: those of General MIDI, and those of kits that have other sounds on some keys."""

from __future__ import annotations

import pytest
from symusic import Note, Score, Track

from textmusic.music.percussion import KIT_NAMES, drum_name, drum_named, kit_in


@pytest.mark.parametrize(
    ("key", "kit", "name"),
    [
        (38, 0, "Acoustic Snare"), (38, 40, "Brush Tap"), (40, 40, "Brush Swirl"),
        (42, 40, "Closed Hi-Hat"), (36, 25, "808 Bass Drum"), (41, 48, "Timpani F"),
        (53, 48, "Timpani high F"), (49, 0, "Crash Cymbal 1"), (99, 0, "Drum 99"),
    ],
)  # fmt: skip
def test_names(key: int, kit: int, name: str) -> None:
    assert drum_name(key, kit) == name


def test_every_name_is_read_again() -> None:
    for kit in KIT_NAMES:
        for key in range(27, 88):
            name = drum_name(key, kit)
            read = drum_named(name)
            assert read is not None and name in (drum_name(read), drum_name(read, kit)), (kit, key)


def test_the_kit_of_a_score() -> None:
    score = Score(480)
    assert kit_in(score) == 0
    track = Track("", 40, True)
    track.notes.append(Note(0, 480, 38, 90))
    score.tracks.append(Track("", 73, False))
    score.tracks.append(track)
    assert kit_in(score) == 40
