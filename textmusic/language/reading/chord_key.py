"""The key that chords are in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from textmusic.music.chords import Chord
from textmusic.music.theory import (
    KEYS,
    LEADING_TONE,
    MAJOR_SCALE,
    NATURAL_MINOR_SCALE,
    is_minor,
    tonic,
)


def key_of_chords(bars: Sequence[Sequence[Chord]]) -> str:
    """The key, one of `theory.KEYS`, in which chords that sound fit best: Am F C G -> "A minor".

    A chord counts by its length and by the share of its tones in the scale (in minor the raised
    seventh is in it for chords on the dominant). The first chord is the likeliest tonic, then the
    last one and one that a dominant seventh leads to.
    """
    chords = [(chord, 1 / len(bar)) for bar in bars for chord in bar]
    if all(
        chord.quality == "7" for chord, _ in chords
    ):  # a blues: its sevenths are no leading tones
        chords = [(Chord(chord.root, "maj"), length) for chord, length in chords]
    return max(KEYS, key=lambda key: _fit(chords, key))


def _fit(chords: list[tuple[Chord, float]], key: str) -> float:
    up, minor = tonic(key), is_minor(key)
    fit = sum(
        length * len([t for t in chord.tones if t in _scale(key, chord)]) / len(chord.tones)
        for chord, length in chords
    )
    score = 8 * fit / sum(length for _, length in chords)
    score += 0.6 * _is_tonic(chords[0][0], up, minor)
    score += 0.4 * _is_tonic(chords[-1][0], up, minor)
    for (one, _), (two, _) in pairwise(chords):
        if one.quality == "7" and one.root == (up + 7) % 12 and _is_tonic(two, up, minor):
            score += 0.4
            break
    return score


def _is_tonic(chord: Chord, up: int, minor: bool) -> bool:
    return chord.root == up and chord.quality.startswith("min") == minor


def _scale(key: str, chord: Chord) -> set[int]:
    up = tonic(key)
    steps = list(NATURAL_MINOR_SCALE if is_minor(key) else MAJOR_SCALE)
    if is_minor(key) and chord.root in ((up + 7) % 12, (up + 11) % 12):
        steps = [*steps, LEADING_TONE]
    return {(up + step) % 12 for step in steps}
