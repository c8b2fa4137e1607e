"""Pieces to look for and to find: random melodies, and files of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from textmusic.library.portrait import Portrait, portrait
from textmusic.music.notes import Notes, to_score

SCALE = np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16])


def melody(seed: int, n: int = 48, program: int = 0, low: int = 60) -> Notes:
    """A melody in C major that no other seed has."""
    rng = np.random.default_rng(seed)
    length = rng.choice([0.5, 1.0, 1.5, 2.0], n)
    start = np.concatenate([[0.0], np.cumsum(length)[:-1]])
    ones = np.ones(n, dtype=np.int64)
    return Notes(start, length, low + rng.choice(SCALE, n), 80 * ones, program * ones)


def chords(bars: int, roots: tuple[int, ...] = (48, 53, 55, 48), program: int = 0) -> Notes:
    """A triad a bar of 4/4."""
    rows = [(4.0 * n, roots[n % len(roots)] + step) for n in range(bars) for step in (0, 4, 7)]
    start, pitch = (np.array(column) for column in zip(*rows, strict=True))
    ones = np.ones(len(rows), dtype=np.int64)
    return Notes(start, 4.0 * ones, pitch.astype(np.int64), 70 * ones, program * ones)


def together(*parts: Notes) -> Notes:
    """All notes of some parts."""
    names = ("start", "duration", "pitch", "velocity", "program")
    return Notes(*(np.concatenate([getattr(p, n) for p in parts]) for n in names)).sorted()


def seen(notes: Notes, name: str = "a.mid", tempo: float = 100.0, metre: str = "4/4") -> Portrait:
    """What a library keeps of notes."""
    return portrait(to_score(notes, metre, tempo), name)


def written(notes: Notes, path: Path, tempo: float = 100.0, metre: str = "4/4") -> Path:
    """A MIDI file of notes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    to_score(notes, metre, tempo).dump_midi(path)
    return path
