"""A piece -> a vector that stays nearly the same in another key, tempo or orchestration, or cut.

Four blocks, each of length 1 and then weighed (`WEIGHTS`), so that the product of two vectors is
the weighted mean of four cosines, -1 to 1:

    melody    words of 3 and of 5 intervals of all lines (`lines`, `symbols`), repeated notes
              counted once; each counts as the square root of how often it occurs times how much it
              says in bits, hashed to 144 places with a sign (Weinberger et al. 2009)
    harmony   changes from chord to chord (root to root, major or minor, no key needed) and words of
              three chords, hashed to 56 places; chords of half bars by `structure.harmonies`
    scale     how long each pitch class sounds, counted from the tonic: 12 places
    rhythm    words of 3 ratios of inter-onset intervals, hashed to 44 places

Instruments, loudness and tempo are in none of them; they stand beside it as facts, for words.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from textmusic.library import symbols
from textmusic.library.lines import Lines
from textmusic.library.shared_runs import codes
from textmusic.library.symbols import Ints, Symbols
from textmusic.music.measure import pitch_class_weights
from textmusic.music.notes import Floats, Notes, sliced
from textmusic.music.plan import Plan
from textmusic.music.structure import HALVES, TRIADS, harmonies
from textmusic.music.theory import NO_KEY, quarters_per_bar, tonic

Vector = NDArray[np.float32]
SIZES = {"melody": 144, "harmony": 56, "scale": 12, "rhythm": 44}
DIMENSIONS = sum(SIZES.values())  # 256
WEIGHTS = {"melody": 0.55, "harmony": 0.2, "scale": 0.1, "rhythm": 0.15}
STRETCH = 64  # bars whose chords are found together
_TRIAD = {triad: number for number, triad in enumerate(TRIADS)}


def vector(notes: Notes, lines: Lines, plan: Plan) -> Vector:
    """(256,) of length 1; of drums alone the rhythm is all there is, and zeros without notes."""
    melody, rhythm = symbols.melody(lines), symbols.rhythm(lines)
    table = symbols.tables()
    said = symbols.bits(melody.value, symbols.kind_of(melody.value), table.melody)
    timing = symbols.bits(rhythm.value, rhythm.value, table.rhythm)
    blocks = {
        "melody": _words(melody, said, (3, 5), SIZES["melody"]),
        "harmony": _changes(triads(notes, plan), SIZES["harmony"]),
        "scale": _scale(notes, plan),
        "rhythm": _words(rhythm, timing, (3,), SIZES["rhythm"]),
    }
    parts = []
    for name, block in blocks.items():
        length = np.linalg.norm(block)
        parts.append(block / length * np.sqrt(WEIGHTS[name]) if length else block)
    whole = np.concatenate(parts)
    length = np.linalg.norm(whole)
    return np.asarray(whole / length if length else whole, dtype=np.float32)


def _words(found: Symbols, said: Floats, sizes: tuple[int, ...], places: int) -> Floats:
    """Words of symbols, hashed: the root of how often each occurs times what it says."""
    block = np.zeros(places)
    total = np.concatenate([[0.0], np.cumsum(said)])
    for size in sizes:
        code = codes(found.value, said, size, 0.0)
        at = np.flatnonzero(code >= 0)
        word, first, count = np.unique(code[at], return_index=True, return_counts=True)
        weight = np.sqrt(count) * (total[at[first] + size] - total[at[first]])
        block += _hashed(word * 16 + size, weight, places)
    return block


def _hashed(word: Ints, weight: Floats, places: int) -> Floats:
    """Weights added up at the two places of each word, with its signs."""
    block = np.zeros(places)
    for salt in (1, 2):
        mixed = (word.astype(np.uint64) * np.uint64(2) + np.uint64(salt)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        mixed ^= mixed >> np.uint64(31)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(29)
        place = (mixed >> np.uint64(8)) % np.uint64(places)
        sign = (mixed & np.uint64(1)).astype(np.float64) * 2 - 1
        block += np.bincount(place.astype(np.int64), weights=weight * sign, minlength=places)
    return block


def triads(notes: Notes, plan: Plan) -> list[int]:
    """The chord of each half bar as a number (2 * root + minor, `structure.TRIADS`); -1: none."""
    metre = plan.time_signature or "4/4"
    bar = quarters_per_bar(metre)
    bars = max(int(np.ceil(float(notes.end.max(initial=0.0)) / bar - 1e-6)), 1)
    found: list[int] = []
    for first in range(0, bars, STRETCH):
        count = min(STRETCH, bars - first)
        part = notes if bars <= STRETCH else sliced(notes, first * bar, (first + count) * bar)
        plain = Plan(time_signature=metre, bars=count, key=NO_KEY)
        found += [-1 if c is None else _TRIAD[c] for c in harmonies(part, plain)]
    assert len(found) == HALVES * bars
    return found


def _changes(chords: list[int], places: int) -> Floats:
    """Changes of chord, and two in a row, hashed; what stays the same counts once."""
    heard = np.array([chord for chord in chords if chord >= 0], dtype=np.int64)
    if len(heard) < 2:
        return np.zeros(places)
    heard = heard[np.concatenate([[True], np.diff(heard) != 0])]
    root, minor = heard // 2, heard % 2
    step = (np.diff(root) % 12) * 4 + minor[:-1] * 2 + minor[1:]
    block = np.zeros(places)
    for word, weight in ((step, 1.0), (step[:-1] * 64 + step[1:] + 64, 1.5)):
        kind, count = np.unique(word, return_counts=True)
        block += _hashed(kind, weight * np.sqrt(count), places)
    return block


def _scale(notes: Notes, plan: Plan) -> Floats:
    """The pitch classes from the tonic, less what is usual: (12,)."""
    weights = pitch_class_weights(notes)
    if not weights.any() or plan.key in (None, NO_KEY):
        return np.zeros(12)
    assert plan.key is not None
    return np.asarray(np.roll(weights, -tonic(plan.key)) - 1 / 12)
