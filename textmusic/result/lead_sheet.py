"""A piece -> its melody alone, as a lead sheet has it under the names of the chords."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from textmusic.errors import TextMusicError

if TYPE_CHECKING:
    from symusic import Score, Track

MELODIES = ("melody", "soprano", "lead", "vocals", "voice")  # what tracks with one are called


def melody_of(score: Score) -> Score:
    """The score with its melody as the only track.

    That is the track that is called so, else the highest of those that hardly ever sound two notes
    at once, else the highest of all; of notes that are struck together the top one is kept. Raises
    TextMusicError for a score of drums alone.
    """
    tracks = [track for track in score.tracks if not track.is_drum and len(track.notes)]
    if not tracks:
        raise TextMusicError("drums alone have no melody; leave out the lead sheet.")
    named = [track for track in tracks if track.name.strip().lower() in MELODIES]
    single = [track for track in tracks if _alone(track)]
    chosen = max(named or single or tracks, key=_height)
    made = score.copy()
    made.tracks.clear()
    made.tracks.append(_top(chosen))
    return made


def _alone(track: Track) -> bool:
    """Whether hardly ever two notes of a track begin together."""
    times = [note.time for note in track.notes]
    return len(set(times)) >= 0.95 * len(times)


def _height(track: Track) -> float:
    return float(np.mean([note.pitch for note in track.notes]))


def _top(track: Track) -> Track:
    """The track with the top one of notes that are struck together."""
    top = {note.time: note for note in sorted(track.notes, key=lambda note: note.pitch)}
    made = track.copy()
    made.notes.clear()
    made.notes.extend([top[time] for time in sorted(top)])
    return made
