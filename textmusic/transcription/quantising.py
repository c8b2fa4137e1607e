"""Notes in seconds, and beats -> a score: on the grid of the beats, with the tempo of each bar."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from symusic import KeySignature, Score, Tempo, TimeSignature, Track
from symusic import Note as ScoreNote

from textmusic.music.measure import estimate_key
from textmusic.music.notes import Notes
from textmusic.music.theory import NO_KEY, is_minor, quarters_per_bar, sharps
from textmusic.transcription.beats import Pulse, in_beats
from textmusic.transcription.metre import beats_in, quarters_in_beat
from textmusic.transcription.notes_heard import NotesHeard

Floats = NDArray[np.float64]
TICKS = 480  # a quarter note
STEADY = 0.05  # of a bar's tempo from the whole piece's, up to which they are one
TRIPLET = 0.6  # how much nearer a note has to be to a third of a beat than to a quarter of it
_SOFT, _LOUD = 50, 100  # velocities of the least and the most certain note


def score_of(notes: NotesHeard, pulse: Pulse, metre: str, first: int) -> tuple[Score, str]:
    """The score, and its key. first: number of the first beat that begins a bar.

    A bar before it is added where notes come before it.
    """
    beat, bar = quarters_in_beat(metre), quarters_per_bar(metre)
    count = beats_in(metre)
    begin = first - count if in_beats(pulse.beats, notes.start[:1])[0] < first - 0.2 else first
    start = _snapped(in_beats(pulse.beats, notes.start) - begin, pulse.parts) * beat
    end = _snapped(in_beats(pulse.beats, notes.end) - begin, pulse.parts) * beat
    start = np.maximum(start, 0.0)
    length = np.maximum(end - start, beat / (4 if pulse.parts == 2 else 3))
    velocity = np.rint(_SOFT + (_LOUD - _SOFT) * notes.sure).astype(np.int64)
    columns = Notes(start, length, notes.pitch, velocity, np.zeros(len(notes), dtype=np.int64))
    columns = _cut_where_struck_again(columns.sorted())
    score = Score(TICKS)
    top, bottom = map(int, metre.split("/"))
    score.time_signatures.append(TimeSignature(0, top, bottom))
    last = float((columns.start + columns.duration).max())
    for at, qpm in _tempi(pulse, begin, count, beat, int(np.ceil(last / bar))):
        score.tempos.append(Tempo(round(at * bar * TICKS), qpm))
    key = estimate_key(columns)
    if key != NO_KEY:
        score.key_signatures.append(KeySignature(0, sharps(key), int(is_minor(key))))
    track = Track(program=0, name="Transcription")
    track.notes = ScoreNote.from_numpy(
        np.rint(columns.start * TICKS).astype(np.int32),
        np.maximum(np.rint(columns.duration * TICKS), 1).astype(np.int32),
        columns.pitch.astype(np.int8), columns.velocity.astype(np.int8), ttype="tick",
    )  # fmt: skip
    score.tracks.append(track)
    return score, key


def _snapped(places: Floats, parts: int) -> Floats:
    """Places in beats, moved to the grid: thirds, or quarters and now and then a third."""
    thirds = np.rint(places * 3) / 3
    if parts == 3:
        return np.where(
            np.abs(places - np.rint(places * 6) / 6) < TRIPLET * np.abs(places - thirds) - 0.03,
            np.rint(places * 6) / 6, thirds,
        )  # fmt: skip
    quarters = np.rint(places * 4) / 4
    nearer = np.abs(places - thirds) < TRIPLET * np.abs(places - quarters) - 0.03
    return np.where(nearer, thirds, quarters)


def _cut_where_struck_again(notes: Notes) -> Notes:
    """Notes that end where their own pitch begins again; of two at one place the first."""
    duration, kept = notes.duration.copy(), np.ones(len(notes), dtype=bool)
    for pitch in np.unique(notes.pitch):
        mine = np.flatnonzero(notes.pitch == pitch)
        gaps = np.diff(notes.start[mine])
        kept[mine[1:][gaps < 1e-6]] = False
        own = mine[kept[mine]]
        room = np.append(np.diff(notes.start[own]), np.inf)
        duration[own] = np.minimum(duration[own], room)
    return Notes(
        notes.start, duration, notes.pitch, notes.velocity, notes.program
    ).chosen(kept)  # fmt: skip


def _tempi(pulse: Pulse, begin: int, count: int, beat: float, bars: int) -> list[tuple[int, float]]:
    """(bar, quarter notes a minute) of each change; one where the tempo is steady.

    The first is made so that what comes before the first beat keeps its time.
    """
    beats = pulse.beats
    whole = beat * 60 * (len(beats) - 1) / float(beats[-1] - beats[0])
    marks: list[tuple[int, float]] = []
    for bar in range(max(bars, 1)):
        low, high = begin + bar * count, begin + (bar + 1) * count
        low, high = max(low, 0), min(high, len(beats) - 1)
        if high - low < max(count // 2, 1):
            continue
        marks.append((bar, beat * 60 * (high - low) / float(beats[high] - beats[low])))
    if not marks or max(abs(qpm / whole - 1) for _, qpm in marks) <= STEADY:
        return [(0, round(whole, 2))]
    changes = [(0, round(marks[0][1], 2))]
    for bar, qpm in marks[1:]:
        if abs(qpm / changes[-1][1] - 1) > STEADY / 5:
            changes.append((bar, round(qpm, 2)))
    return changes
