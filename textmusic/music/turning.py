"""A sketch in another mode or metre: the same harmony and form."""

from __future__ import annotations

from dataclasses import replace

from textmusic.music.chords import QUALITIES, Chord
from textmusic.music.sketch import BeatChord, Sketch, beats_per_bar
from textmusic.music.theory import LEADING_TONE, is_minor, tonic

_TO_MINOR = {4: 3, 9: 8, 11: 10}  # degrees in semitones above the tonic
_TO_MAJOR = {3: 4, 8: 9, 10: 11}
_DOMINANT = 7


def turned(sketch: Sketch, key: str, new: str) -> Sketch:
    """The sketch in another key: transposed to its tonic and, where it is needed, in its mode.

    Between the modes the third, sixth and seventh degree are moved, as a minore or maggiore does:
    I IV vi ii becomes i iv VI ii-dim. The dominant keeps its leading tone, in minor too.
    """
    made = sketch.moved(tonic(new) - tonic(key))
    if is_minor(new) == is_minor(key):
        return made
    rows = []
    for row in made.rows:
        chords = tuple((beat, chord and _turned(chord, new)) for beat, chord in row.chords)
        rows.append(replace(row, chords=chords))
    return Sketch(tuple(rows))


def _turned(chord: Chord, key: str) -> Chord:
    """A chord of the other mode, on the same tonic, in this one's."""
    home, minor = tonic(key), is_minor(key)
    root = (chord.root - home) % 12
    third = QUALITIES[chord.quality][0][1]
    dominant = (root == _DOMINANT and third == 4) or (root == LEADING_TONE and third == 3)
    moves = dict(_TO_MINOR if minor else _TO_MAJOR)
    if minor and dominant:
        del moves[LEADING_TONE]
    steps = [(root + step) % 12 for step in QUALITIES[chord.quality][0]]
    tones = [moves.get(tone, tone) for tone in steps]
    shape = tuple((tone - tones[0]) % 12 for tone in tones)
    quality = next((name for name, (of, _) in QUALITIES.items() if of == shape), None)
    if quality is None:  # no chord of the vocabulary: its triad
        kinds = {(3, 6): "dim", (3, 7): "min", (4, 8): "aug"}
        quality = kinds.get((shape[1], shape[2]), "min" if shape[1] == 3 else "maj")
    return Chord((home + tones[0]) % 12, quality)


def in_metre(sketch: Sketch, metre: str, new: str) -> Sketch:
    """The sketch in another metre, bar for bar; chord changes keep their place in the bar.

    Of changes that fall on one beat then the last one is kept.
    """
    if metre == new:
        return sketch
    old_beats, beats = beats_per_bar(metre), beats_per_bar(new)
    rows = []
    for row in sketch.rows:
        placed: dict[int, BeatChord] = {}
        for beat, chord in row.chords:
            at = min(round(beat * beats / old_beats), beats - 1)
            if at or not beat:  # the chord of the first beat stays
                placed[at] = (at, chord)
        rows.append(replace(row, chords=tuple(placed.values())))
    return Sketch(tuple(rows))
