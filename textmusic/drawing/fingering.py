"""Fingers of a pianist for a practice piece: 1 is the thumb, 5 the little finger.

In a five-finger position each key has its finger, and only the first note of a hand says which, as
sight-reading tests print it. Outside of such positions pianoplayer (Musy, MIT) searches the
fingering that moves the hand least, nine notes ahead; without it no fingers are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from textmusic.music.notes import Notes
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice
from textmusic.music.practice_limits import positions_of, scale_of
from textmusic.music.theory import MIDDLE_C, quarters_per_bar

Fingers = dict[tuple[float, int], int]  # (onset in quarter notes, MIDI pitch) -> finger
_SILENT_BARS = 1.0  # after which a hand's first note says its finger again
_BLACK = {1, 3, 6, 8, 10}
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def fingers_of(notes: Notes, practice: Practice, plan: Plan) -> Fingers:
    """The fingers to be written over a piece; {} for other instruments than the piano."""
    grade = practice.limits
    if len(grade.hands) != 2 or plan.key is None:
        return {}
    found: Fingers = {}
    for left in (True, False):
        mine = notes.chosen((notes.pitch < MIDDLE_C) == left).sorted()
        if not len(mine):
            continue
        if grade.five_finger:
            silence = _SILENT_BARS * quarters_per_bar(plan.time_signature or "4/4")
            found |= _first_fingers(mine, plan.key, left, silence)
        else:
            found |= searched(mine, left)
    return found


def _first_fingers(notes: Notes, key: str, left: bool, silence: float) -> Fingers:
    """The fingers of the first notes of a hand that stays in one position."""
    scale = scale_of(key)
    around = [p for p in range(notes.pitch.min() - 12, notes.pitch.max() + 13) if p % 12 in scale]
    used = set(notes.pitch.tolist())
    place = next((five for five in positions_of(key, around) if used <= set(five)), None)
    if place is None:
        return {}
    found: Fingers = {}
    end = -silence
    for start, pitch, stop in zip(notes.start, notes.pitch, notes.end, strict=True):
        if start - end >= silence - 1e-6:
            at = place.index(int(pitch))
            found[float(start), int(pitch)] = 5 - at if left else at + 1
        end = max(end, float(stop))
    return found


def searched(notes: Notes, left: bool) -> Fingers:
    """A finger for every note of a hand, as pianoplayer finds them; {} where it is missing."""
    if find_spec("pianoplayer") is None:
        return {}
    from pianoplayer.hand import Hand
    from pianoplayer.models import INote, keypos

    line: list[tuple[float, int]] = []
    inner = []
    for chord, together in enumerate(_together(notes)):
        for nth, (start, duration, pitch) in enumerate(together):
            note = INote(
                name=_NAMES[pitch % 12], isChord=len(together) > 1, isBlack=pitch % 12 in _BLACK,
                pitch=pitch, octave=pitch // 12 - 1, time=start + 0.05 * nth, duration=duration,
                chordnr=nth, NinChord=len(together), chordID=chord, noteID=len(line),
            )  # fmt: skip
            note.x = keypos(note)
            inner.append(note)
            line.append((start, pitch))
    hand = Hand(inner, side="left" if left else "right", size="M")
    hand.verbose = False
    hand.generate()
    # a hand that plays too little to be searched has no fingers
    found = zip(line, inner, strict=True)
    return {place: int(note.fingering) for place, note in found if note.fingering}


def _together(notes: Notes) -> list[Sequence[tuple[float, float, int]]]:
    """The notes of a hand, those that are struck at once together, the lowest first."""
    return [
        [
            (float(s), float(d), int(p))
            for s, d, p in zip(notes.start, notes.duration, notes.pitch, strict=True)
            if s == start
        ]
        for start in np.unique(notes.start)
    ]
