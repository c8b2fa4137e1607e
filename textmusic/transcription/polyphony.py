"""Activations -> notes: which candidates are notes, and how long each sounds.

A small network (25 figures of a candidate -> 24 units -> the probability that it is a note) weighs
what fixed thresholds can't: overtones, neighbouring keys, notes struck again. It was fitted by
training/fit_note_judge.py to rendered pieces of the training split.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textmusic.transcription.activations import FRAME, LOWEST, Activations
from textmusic.transcription.candidates import Candidates, candidates_of
from textmusic.transcription.notes_heard import NotesHeard, notes_heard

Floats = NDArray[np.float64]
JUDGE = Path(__file__).parents[1] / "bundled" / "transcription" / "notes.safetensors"
LEAST = 0.4  # probability of a note; chosen on validation pieces
EARLY = 0.018  # seconds by which frames are behind what is heard
SHORTEST = 0.04  # seconds of a note
DYING = 0.7  # a note ends where it sounds less than this share of its loudest half
ONE_LINE = 0.12  # share of the notes that may sound beside others of a melody


def notes_of(heard: Activations) -> tuple[NotesHeard, int]:
    """The notes in activations, and how many candidates were judged to be none."""
    found = candidates_of(heard)
    sure = probabilities(found.features)
    taken = sure >= LEAST
    rows = []
    for i in np.flatnonzero(taken):
        first, stop = int(found.first[i]), _until(found, taken, int(i))
        stop = _faded(heard.sounding[:, found.key[i]], first, stop)
        if (stop - first) * FRAME >= SHORTEST:
            rows.append(
                (
                    max(first * FRAME - EARLY, 0.0), stop * FRAME - EARLY,
                    LOWEST + int(found.key[i]), float(sure[i]),
                )
            )  # fmt: skip
    notes = _one_line(notes_heard(rows))
    weak = int(((sure >= LEAST / 2) & ~taken).sum())
    return notes, weak + int(taken.sum()) - len(notes)


def probabilities(features: Floats) -> Floats:
    """(N,) how likely each candidate is a note. features: (N, 25)."""
    net = _judge()
    hidden = np.maximum((features - net["mean"]) / net["scale"] @ net["in"] + net["in bias"], 0)
    return np.asarray(1 / (1 + np.exp(-(hidden @ net["out"] + net["out bias"])[:, 0])))


@lru_cache(maxsize=1)
def _judge() -> dict[str, Floats]:
    from safetensors.numpy import load_file

    return {name: array.astype(np.float64) for name, array in load_file(JUDGE).items()}


def _until(found: Candidates, taken: NDArray[np.bool_], i: int) -> int:
    """Where the next note of the same key begins, or the sounding ends."""
    j = i + 1
    while j < len(found) and found.key[j] == found.key[i] and found.first[j] < found.stop[i]:
        if taken[j]:
            return int(found.first[j])
        j += 1
    return int(found.stop[i])


def _faded(sounding: NDArray[np.float32], first: int, stop: int) -> int:
    """Where a note has died away."""
    inside = sounding[first:stop]
    if len(inside) < 4:
        return stop
    loud = float(np.sort(inside)[len(inside) // 2 :].mean())
    heard = np.flatnonzero(inside >= DYING * loud)
    return first + int(heard[-1]) + 1


def _one_line(notes: NotesHeard) -> NotesHeard:
    """Of what is nearly always one line, the surer of two notes that sound at once."""
    if len(notes) < 2:
        return notes
    until = np.maximum.accumulate(notes.end)[:-1]
    beside = notes.start[1:] < np.minimum(until, notes.start[:-1] + 0.05) - 1e-6
    if float(beside.mean()) > ONE_LINE:
        return notes
    kept = np.ones(len(notes), dtype=bool)
    for i in np.argsort(notes.sure, kind="stable"):
        together = kept & (np.abs(notes.start - notes.start[i]) < 0.05)
        together[i] = False
        kept[i] = not (together & (notes.sure >= notes.sure[i])).any()
    return notes.chosen(kept)
