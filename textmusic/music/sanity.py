"""Whether a score that was read can be used: values in range, of a length that can be handled."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from symusic import Score

MOST_NOTES = 50_000
LONGEST_SCORE = 50_000  # quarter notes
MOST_BARS = 10_000
BEAT_UNITS = (1, 2, 4, 8, 16, 32, 64)  # a time signature's lower number


def insanity(score: Score) -> str:
    """What is wrong with a score (in ticks), or ""."""
    if (notes := score.note_num()) == 0:
        return "has no notes"
    if notes > MOST_NOTES:
        return f"has {notes:,} notes, more than {MOST_NOTES:,}"
    if score.ticks_per_quarter <= 0:
        return "measures time in frames, not in quarter notes"
    if score.end() > LONGEST_SCORE * score.ticks_per_quarter or score.start() < 0:
        return f"is longer than {LONGEST_SCORE:,} quarter notes"
    if any(not 1 <= tempo.qpm <= 10_000 for tempo in score.tempos):
        return "has an invalid tempo"
    if any(not (0 < ts.numerator < 256 and ts.denominator in BEAT_UNITS)
           for ts in score.time_signatures):  # fmt: skip
        return "has an invalid time signature"
    if (bars := _bars(score)) > MOST_BARS:
        return f"has {bars:,.0f} bars, more than {MOST_BARS:,}"
    return _invalid_events(score)


def _bars(score: Score) -> float:
    """How many bars a score has; 4/4 where it names no metre."""
    marks = sorted((ts.time, 4 * ts.numerator / ts.denominator) for ts in score.time_signatures)
    marks = [(0, 4.0), *marks, (score.end(), 4.0)]
    bars = sum(
        max(after - at, 0) / quarters / score.ticks_per_quarter
        for (at, quarters), (after, _) in pairwise(marks)
    )
    return float(bars)


def _invalid_events(score: Score) -> str:
    """What of a score's events no MIDI file can hold: data bytes go from 0 to 127."""
    for track in score.tracks:
        notes, controls, bends = (
            events.numpy() for events in (track.notes, track.controls, track.pitch_bends)
        )
        if not 0 <= track.program < 128:
            return f"has an invalid program ({track.program})"
        if not (_inside(notes["pitch"]) and _inside(notes["velocity"])):
            return "has notes with an invalid pitch or velocity"
        if len(notes["duration"]) and int(notes["duration"].min()) < 0:
            return "has notes that end before they begin"
        if not (_inside(controls["number"]) and _inside(controls["value"])):
            return "has invalid controllers"
        if not _inside(bends["value"], -8192, 8191):
            return "has invalid pitch bends"
    return ""


def _inside(
    values: np.ndarray[tuple[int], np.dtype[np.integer]], low: int = 0, high: int = 127
) -> bool:
    return not len(values) or (low <= int(values.min()) and int(values.max()) <= high)
