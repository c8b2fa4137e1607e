"""Melodies move by step, keep to their direction, and stay clear of what sounds beside them.

In real pieces two of five moves of a melody are steps, most of which go on in the direction of the
one before, and tones outside the chord come and go by step. Models that have seen little music,
held to the tones of the chord, write thirds to and fro and repeat notes instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from textmusic.music.theory import DRUMS
from textmusic.music.voices import STEP
from textmusic.tokens.folding import Struck, steps_of
from textmusic.tokens.layout import Floats32, Layout, Mask
from textmusic.tokens.sampling import reweighed
from textmusic.tokens.score_grammar import ScoreGrammar

# What pitches a step away from the part's last onset gain at strength 1, where that is a note and
# where it is a chord, and what they gain where they go on in the direction of a step; what that
# note loses itself, unless the part has just repeated it. With these numbers melodies move nearly
# as real ones do (docs/sampling.md).
STEP_NATS, VOICE_NATS, ONWARD_NATS, AGAIN_NATS = 2.4, 2.6, 4.2, 1.0
CLASH_NATS = {1: 3.2, 2: 1.9, 13: 3.2}  # what those lose that are so far from one that sounds


class Melody:
    """How the parts of a piece move from one note to the next."""

    def __init__(self, layout: Layout, bars: Mapping[int, Sequence[Struck]]) -> None:
        """bars: the notes of each bar that is written; it grows as they come."""
        self._layout, self._bars = layout, bars
        self._place = (-1, -1, -1)  # bar, position and program that the gain is for
        self._gain = np.zeros(128, dtype=np.float32)

    def guided(
        self, logits: Floats32, allowed: Mask, grammar: ScoreGrammar, strength: float
    ) -> Floats32:
        """Shift probability (M,) between the pitches of a part; their total stays the same.

        strength: 0 leaves the logits as they are.
        """
        if grammar.position < 0 or grammar.program in (None, DRUMS):
            return logits
        pitches = pitch_ids(allowed, self._layout)
        self._look(grammar)
        gain = (self._gain - self._clashes(grammar))[pitches - self._layout.tone_base]
        if not gain.any():
            return logits
        return reweighed(logits, pitches, logits[pitches] + strength * gain)

    def near(self, grammar: ScoreGrammar) -> Mask:
        """(128,) the written pitches a step away from the last onset of the part that plays."""
        self._look(grammar)
        near: Mask = self._gain > 0
        return near

    def _look(self, grammar: ScoreGrammar) -> None:
        """What came before the place at which the grammar stands."""
        assert grammar.program is not None
        place = (grammar.bar, grammar.position, grammar.program)
        if self._place != place:
            self._place, self._gain = place, self._favoured(*place)

    def _favoured(self, bar: int, position: int, program: int) -> Floats32:
        """(128,) what pitches gain for how far they are from the last onset of the part."""
        past = self._past(bar, position, program)
        last = [note.pitch for note in _last_onset(past)]
        gain = np.zeros(128, dtype=np.float32)
        for pitch in last:
            nats = STEP_NATS if len(last) == 1 else VOICE_NATS
            gain[max(pitch - STEP, 0) : pitch + STEP + 1] = nats
        gain[last] = 0
        if len(last) == 1:
            moved = _moved(past)
            if 0 < moved <= STEP:
                gain[last[0] + 1 : last[0] + STEP + 1] = ONWARD_NATS
            elif 0 < -moved <= STEP:
                gain[max(last[0] - STEP, 0) : last[0]] = ONWARD_NATS
            if moved:
                gain[last[0]] = -AGAIN_NATS
        return gain

    def _past(self, bar: int, position: int, program: int) -> list[Struck]:
        """The notes of a part before a place, at most one bar back."""
        return [
            note for at in (bar - 1, bar) for note in self._bars.get(at, ())
            if note.program == program and (at < bar or note.position < position)
        ]  # fmt: skip

    def _clashes(self, grammar: ScoreGrammar) -> Floats32:
        """(128,) what pitches lose that would rub against one that sounds."""
        loss = np.zeros(128, dtype=np.float32)
        for sounding in self._sounding(grammar):
            for apart, nats in CLASH_NATS.items():
                for pitch in (sounding - apart, sounding + apart):
                    if 0 <= pitch < 128:
                        loss[pitch] = max(loss[pitch], nats)
        return loss

    def _sounding(self, grammar: ScoreGrammar) -> set[int]:
        """The written pitches that sound here, struck in this bar or the one before."""
        here = grammar.bar * grammar.bar_steps + grammar.position
        begun = {
            note: note.bar * grammar.bar_steps + note.position
            for bar in (grammar.bar - 1, grammar.bar)
            for note in self._bars.get(bar, ())
            if note.program != DRUMS
        }
        return {
            note.pitch for note, start in begun.items()
            if start <= here < start + steps_of(note.duration)
        }  # fmt: skip


def _last_onset(notes: Sequence[Struck], before: Struck | None = None) -> list[Struck]:
    """The notes struck last, or last before another one; [] where there are none."""
    places = [(note.bar, note.position) for note in notes]
    if before is not None:
        places = [place for place in places if place < (before.bar, before.position)]
    last = max(places, default=None)
    return [note for note in notes if (note.bar, note.position) == last]


def _moved(notes: Sequence[Struck]) -> int:
    """Semitones from the last note but one to the last; 0 where either was a chord."""
    last = _last_onset(notes)
    first = _last_onset(notes, before=last[0])
    return last[0].pitch - first[0].pitch if len(last) == len(first) == 1 else 0


def pitch_ids(allowed: Mask, layout: Layout) -> NDArray[np.intp]:
    """The allowed ids of pitches."""
    first, last = layout.spans["Pitch"]
    return np.flatnonzero(allowed[first:last]) + first
