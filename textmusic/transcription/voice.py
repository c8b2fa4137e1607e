"""One voice, hummed, sung or whistled: its pitch, which sways and slides, as notes.

The pitch is SwiftF0's (a network of 14 thousand weights, MIT), and so is the cutting into notes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textmusic.errors import TextMusicError
from textmusic.transcription.activations import RATE
from textmusic.transcription.notes_heard import NotesHeard, notes_heard
from textmusic.transcription.recordings import INSTALL, Wave

Floats = NDArray[np.float64]
RATE_OF_VOICE = 16000  # samples a second that the network takes
HOLD = 60.0  # milliseconds that a new pitch has to last to be a note of its own
SHORTEST = 0.06  # seconds of a note
FAINT = 30.0  # decibels below the voice from which a pitch is not the voice's: mains hum in a pause
VOICED = 0.5  # confidence from which there is a pitch


@dataclass(frozen=True, slots=True)
class Line:
    """A voice. notes: of it. voiced: share of the time that it has a pitch, of what is not silent.

    swaying: semitones by which the pitch moves within its notes, the middle half. steady: share of
    the voiced time in which it stays within a third of a semitone for a tenth of a second.
    """

    notes: NotesHeard
    voiced: float
    swaying: float
    steady: float
    tuning: float


def line_of(audio: Wave) -> Line:
    """The one voice in audio (samples,) at `activations.RATE`, whether there is one or not."""
    try:
        import soxr
        from swift_f0 import SwiftF0, segment_notes
    except ImportError:
        raise TextMusicError(f"recordings need the audio-in extra; run {INSTALL}.") from None
    heard = SwiftF0(threads=1).detect(soxr.resample(audio, RATE, RATE_OF_VOICE), RATE_OF_VOICE)
    found = segment_notes(heard, pitch_hold_ms=HOLD)
    pitch = _midi(heard.pitch_hz)
    loud = heard.loudness_db > heard.loudness_db.max() - 40
    voiced = (heard.confidence >= VOICED) & loud
    exact = _midi(np.array([note.pitch_hz for note in found]))
    tuning = _tuning(exact)
    usual = float(np.median(heard.loudness_db[voiced])) if voiced.any() else 0.0
    rows, inside = [], []
    for note, at in zip(found, exact, strict=True):
        if note.end - note.start < SHORTEST:
            continue
        span = (heard.timestamps >= note.start) & (heard.timestamps < note.end)
        if span.any() and float(np.median(heard.loudness_db[span])) < usual - FAINT:
            continue
        inside.append(pitch[span & voiced] - at)
        sure = float(heard.confidence[span].mean()) if span.any() else 0.0
        rows.append((note.start, note.end, round(at - tuning), sure))
    moves = np.abs(np.concatenate(inside)) if inside else np.zeros(1)
    return Line(
        notes_heard(rows),
        float(voiced.sum() / max(loud.sum(), 1)),
        float(np.quantile(moves, 0.75)) if len(moves) else 0.0,
        _steady(pitch, voiced),
        tuning,
    )


def _midi(frequency: Floats) -> Floats:
    return np.asarray(69 + 12 * np.log2(np.maximum(frequency, 1.0) / 440))


def _tuning(pitch: Floats) -> float:
    """Semitones by which all of it is off, -0.5 to 0.5: people hum in no key of the piano's."""
    if not len(pitch):
        return 0.0
    return float(np.angle(np.exp(2j * np.pi * pitch).mean()) / (2 * np.pi))


def _steady(pitch: Floats, voiced: NDArray[np.bool_], frames: int = 6) -> float:
    """The share of voiced frames in whose neighbourhood the pitch stays where it is."""
    if voiced.sum() < frames:
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(np.where(voiced, pitch, np.nan), frames)
    ranges = windows.max(axis=1) - windows.min(axis=1)
    calm = np.zeros(len(pitch), dtype=bool)
    for at in np.flatnonzero(ranges < 0.67):
        calm[at : at + frames] = True
    return float((calm & voiced).sum() / voiced.sum())
