"""Onsets -> beats and bars."""

from __future__ import annotations

import numpy as np
import pytest

from textmusic.transcription.beats import pulse_of
from textmusic.transcription.metre import bars_of, quarters_in_beat
from textmusic.transcription.notes_heard import NotesHeard, notes_heard


def waltz(beat: float, bars: int = 8) -> NotesHeard:
    """A low note on each first beat, a chord on the two others, and a melody above."""
    rows = []
    for bar in range(bars):
        at = 0.3 + 3 * bar * beat
        rows.append((at, at + 2.8 * beat, 43, 0.9))
        for off in (1, 2):
            rows += [(at + off * beat, at + (off + 0.4) * beat, p, 0.9) for p in (60, 64)]
        rows.append((at, at + 1.9 * beat, 76, 0.9))
        rows.append((at + 2 * beat, at + 2.9 * beat, 74, 0.9))
    return notes_heard(rows)


@pytest.mark.parametrize("beat", [0.4, 0.55, 0.7])
def test_a_waltz_has_three_beats(beat: float) -> None:
    notes = waltz(beat)
    pulse = pulse_of(notes)
    assert abs(np.median(np.diff(pulse.beats)) - beat) < 0.02
    assert bars_of(notes, pulse)[0] == "3/4" and pulse.fit > 0.9


def test_beats_follow_a_tempo_that_sways() -> None:
    notes = waltz(0.5, 12)

    def swayed(times: np.ndarray) -> np.ndarray:
        return times + 0.05 * np.sin(2 * np.pi * times / 8)

    moved = NotesHeard(swayed(notes.start), swayed(notes.end), notes.pitch, notes.sure)
    beats = pulse_of(moved).beats
    off = [np.abs(beats - at).min() for at in np.unique(moved.start)]
    assert max(off) < 0.06


def test_a_beat_of_6_8_is_a_dotted_quarter() -> None:
    assert (quarters_in_beat("6/8"), quarters_in_beat("3/4"), quarters_in_beat("3/8")) == (
        1.5,
        1,
        0.5,
    )
