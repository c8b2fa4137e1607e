"""Four voices: their ranges, and the faults of voice leading that are counted in them.

The rules are those of every textbook of four-part writing, as Huron 2001 collects them ("Tone and
voice", Music Perception 19) and Pachet & Roy 2001 state them for programs ("Musical harmonization
with constraints: a survey", Constraints 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from textmusic.music.chords import Chord
from textmusic.music.theory import NO_KEY, is_minor, tonic

Pitches = NDArray[np.int64]
VOICES = ("soprano", "alto", "tenor", "bass")
# MIDI note numbers, from the top voice down: C4-A5, F3-D5, C3-G4 (A4 at most), E2-D4.
VOICE_RANGES = ((60, 81), (53, 74), (48, 69), (40, 62))
WIDEST = 12  # semitones between soprano and alto, and between alto and tenor
SILENT = -1


def moments(voices: Sequence[Sequence[tuple[float, float, int]]]) -> Pitches:
    """What sounds whenever something changes: (moments, voices) of MIDI pitches, or `SILENT`.

    voices: (begin, end, pitch) of the notes of each, from the top down, in one unit of time.
    """
    times = sorted({round(at, 6) for voice in voices for note in voice for at in note[:2]})
    rows = np.full((len(times), len(voices)), SILENT, dtype=np.int64)
    place = {at: index for index, at in enumerate(times)}
    for column, voice in enumerate(voices):
        for begin, end, pitch in voice:
            rows[place[round(begin, 6)] : place[round(end, 6)], column] = pitch
    return rows


def parallels(sounding: Pitches) -> list[tuple[int, int, int, int]]:
    """Parallel fifths, octaves and unisons: (moment of the second, upper voice, lower, 7 or 0).

    Both voices move, the same way, from one perfect interval to the same one. From a fifth to a
    diminished one, or by a leap of an octave in both, is none.
    """
    found = []
    for at, (before, after) in enumerate(pairwise(sounding), 1):
        for upper, lower in combinations(range(sounding.shape[1]), 2):
            pitches = (before[upper], before[lower], after[upper], after[lower])
            if SILENT in pitches:
                continue
            step = (int(pitches[2] - pitches[0]), int(pitches[3] - pitches[1]))
            apart = int(pitches[0] - pitches[1]) % 12
            alike = step[0] * step[1] > 0 and step[0] % 12 == step[1] % 12 != 0
            if alike and apart in (0, 7):
                found.append((at, upper, lower, apart))
    return found


def faults(
    sounding: Pitches, chords: Sequence[Chord | None] = (), key: str | None = None
) -> dict[str, int]:
    """How often each rule is broken.

    sounding: what `moments` gives. chords: at each moment; without them, or a key, leading tones
    are not looked at. Returns "fifths" and "octaves" (parallel ones, of two moments), "range"
    (notes), "crossing" and "spacing" (moments), "leading tone" (a dominant's in soprano or bass
    that does not rise to the tonic).
    """
    bad = parallels(sounding)
    begun = np.ones_like(sounding, dtype=bool)
    begun[1:] = sounding[1:] != sounding[:-1]
    begun &= sounding != SILENT
    outside = 0
    for column, (low, high) in enumerate(VOICE_RANGES[: sounding.shape[1]]):
        pitch = sounding[begun[:, column], column]
        outside += int(((pitch < low) | (pitch > high)).sum())
    pairs = [(sounding[:, i], sounding[:, i + 1]) for i in range(sounding.shape[1] - 1)]
    both = [(upper, lower, (upper != SILENT) & (lower != SILENT)) for upper, lower in pairs]
    crossing = np.logical_or.reduce([(upper < lower) & there for upper, lower, there in both])
    wide = np.logical_or.reduce(
        [(upper - lower > WIDEST) & there for upper, lower, there in both[:2]]
    )
    return {
        "fifths": sum(apart == 7 for *_, apart in bad),
        "octaves": sum(apart == 0 for *_, apart in bad),
        "range": outside,
        "crossing": _stretches(crossing),
        "spacing": _stretches(wide),
        "leading tone": _unresolved(sounding, chords, key),
    }


def _stretches(which: NDArray[np.bool_]) -> int:
    """How many runs of true values there are."""
    return int(which[:1].sum() + (which[1:] & ~which[:-1]).sum())


def _unresolved(sounding: Pitches, chords: Sequence[Chord | None], key: str | None) -> int:
    if key is None or key == NO_KEY or not chords:
        return 0
    count, home = 0, tonic(key)
    for at in range(1, len(sounding)):
        before, after = chords[at - 1], chords[at]
        if not is_dominant(before, home) or not is_tonic(after, key):
            continue
        for column in (0, sounding.shape[1] - 1):
            now, then = int(sounding[at - 1, column]), int(sounding[at, column])
            if now != SILENT and then != SILENT and now % 12 == (home + 11) % 12:
                count += then not in (now + 1, now)
    return count


def is_dominant(chord: Chord | None, home: int) -> bool:
    """Whether a chord has the leading tone of a tonic, and wants to go there: V, V7, vii."""
    above = None if chord is None else (chord.root - home) % 12
    return chord is not None and above in (7, 11) and (home + 11) % 12 in chord.tones


def is_tonic(chord: Chord | None, key: str) -> bool:
    """Whether a chord is the triad on a key's tonic."""
    if chord is None or chord.root != tonic(key):
        return False
    return chord.quality in (("min", "maj") if is_minor(key) else ("maj",))
