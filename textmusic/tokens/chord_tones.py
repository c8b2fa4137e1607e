"""Notes keep to the chord that sounds, and make way for the next one.

Tones of the chord are favoured, most where it begins and for long notes, less under the tonic's
chord; so are its root in the bass, and root, third and fifth until they have sounded. Lengths that
reach into the next chord lose, and so do pitches that would not belong to it: left to itself, a
model that has seen little music lets a quarter of what sounds under a chord of one beat hang over
from the one before; in real pieces that is a tenth.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textmusic.music.chords import QUALITIES, Chord
from textmusic.music.notes import positions_per_beat
from textmusic.music.plan import Plan
from textmusic.music.sketch import Sketch, quarters_per_beat
from textmusic.music.theory import DRUMS, NO_KEY, degrees_of, shift_of, tonic
from textmusic.tokens.folding import Struck
from textmusic.tokens.layout import Floats32, Layout, Mask
from textmusic.tokens.melody import Melody, pitch_ids
from textmusic.tokens.sampling import reweighed
from textmusic.tokens.score_grammar import ScoreGrammar

# Logits that a scale tone outside the chord loses at strength 1: where the chord begins, on its
# other beats, and between the beats; for notes of up to an eighth, up to a quarter, and longer.
# The shares of tones outside the chord come near those of real music, where what passes is short
# (docs/sampling.md).
HARMONY_NATS = ((2.6, 2.8, 3.8), (1.8, 2.2, 3.2), (1.6, 2.3, 3.4))
LENGTHS = (0.5, 1.0)  # in quarters, where these columns part
BASS_NATS = (4.0, 2.4, 1.7)  # at least, by place, where the pitch is bass: it tells the chord
AT_HOME = 0.5  # times that under the chord on the tonic, whose tones a model favours anyway
OUTSIDE = 0.8  # times that for tones outside the scale, which a model shuns by itself
MISSING_NATS = 3.4  # what root, third and fifth gain at strength 1 while the chord has not had them
BASS = 50  # written pitches below it are bass: there the root is favoured among the chord's tones
# times that for a note of up to a quarter behind the chord's beginning that is a step away from the
# part's last onset: so real melodies leave the chord
BY_STEP = 0.7
# What lengths lose at strength 1 that reach into the next chord, and what pitches outside that
# chord lose where the length does.
HELD_NATS, HELD_OUTSIDE_NATS = 1.2, 3.0


class ChordTones:
    """The sketched chords of a piece, as its notes follow them."""

    def __init__(
        self,
        layout: Layout,
        plan: Plan,
        sketch: Sketch,
        bars: Mapping[int, Sequence[Struck]],
        melody: Melody,
    ) -> None:
        """sketch: of the whole piece. bars: the notes of each bar that is written; it grows as
        they come. melody: of the same piece, tells which pitches are a step away.
        """
        assert plan.time_signature is not None
        self._layout, self._sketch, self._bars, self._melody = layout, sketch, bars, melody
        self._shift = shift_of(plan.key)
        keyless = plan.key is None or plan.key == NO_KEY
        self._home = None if keyless else tonic(str(plan.key))
        self._scale = range(12) if keyless else degrees_of(str(plan.key))
        bar_steps, self._quarter_steps = positions_per_beat(plan.time_signature)
        self._beat_steps = round(self._quarter_steps * quarters_per_beat(plan.time_signature))
        self._changes: list[tuple[int, Chord | None]] = []  # step, and what sounds from it on
        for bar, row in enumerate(sketch.rows):
            for beat, chord in row.chords or ((0, None),):
                if not self._changes or self._changes[-1][1] != chord:
                    self._changes.append((bar * bar_steps + beat * self._beat_steps, chord))
        self._losses: dict[Chord, Floats32] = {}

    def guided(
        self, logits: Floats32, allowed: Mask, grammar: ScoreGrammar, strength: float, home: float
    ) -> Floats32:
        """Shift probability (M,) to what fits the chords: between pitches, and between lengths.

        strength: 0 leaves the logits as they are. home: times it under the tonic's chord.
        """
        if grammar.position < 0 or grammar.program in (None, DRUMS):
            return logits
        pitches = pitch_ids(allowed, self._layout)
        change = self._change_behind(grammar)
        if len(pitches) > 1:
            gain = self._of_chord(pitches, grammar, home)
            if change is not None and change[1] is not None and self._reaches(change[0], grammar):
                others = self._loss(change[1])[pitches - self._layout.tone_base] > 0.5
                gain = gain - HELD_OUTSIDE_NATS * others
            if gain.any():
                logits = reweighed(logits, pitches, logits[pitches] + strength * gain)
        if change is not None and change[1] is not None:
            logits = self._cut(logits, allowed, change[0], strength, grammar)
        return logits

    def _of_chord(self, pitches: NDArray[np.intp], grammar: ScoreGrammar, home: float) -> Floats32:
        """(N,) what ids of pitches gain by the chord that sounds."""
        beat = grammar.position / self._beat_steps
        began, chord = self._sketch.chord_since(grammar.bar, beat)
        if chord is None:
            return np.zeros(len(pitches), dtype=np.float32)
        place = 0 if beat == began else 1 if beat == int(beat) else 2
        written = pitches - self._layout.tone_base
        column = bisect_left(LENGTHS, self._length(grammar) / self._quarter_steps)
        weight = np.full(len(written), HARMONY_NATS[place][column], dtype=np.float32)
        weight[written < BASS] = np.maximum(weight[written < BASS], BASS_NATS[place])
        loss = self._loss(chord)[written]
        if place > 0 and column < len(LENGTHS):
            loss = loss * np.where(self._melody.near(grammar)[written], BY_STEP, 1.0)
        missing = self._telling(chord) - self._sounded(grammar, began * self._beat_steps)
        gain = MISSING_NATS * np.isin(written % 12, list(missing)) - weight * loss
        return np.asarray(gain * (home if chord.root == self._home else 1.0), dtype=np.float32)

    def _cut(
        self, logits: Floats32, allowed: Mask, change: int, strength: float, grammar: ScoreGrammar
    ) -> Floats32:
        """Shift probability from lengths that reach into the next chord to those that do not.

        change: the step at which that begins.
        """
        first, behind = self._layout.spans["Duration"]
        reach = grammar.bar * grammar.bar_steps + grammar.position + self._layout.durations
        late = np.zeros(self._layout.size, dtype=np.bool_)
        late[first:behind] = reach > change
        if self._reaches(change, grammar):
            late[slice(*self._layout.spans["Pitch"])] = True
        ids = np.flatnonzero(allowed & self._sizing)
        if not late[ids].any() or late[ids].all():
            return logits
        return reweighed(logits, ids, logits[ids] - strength * HELD_NATS * late[ids])

    @cached_property
    def _sizing(self) -> Mask:
        """(M,) the ids that say a length, or strike a note with the one that runs on."""
        ids = np.zeros(self._layout.size, dtype=np.bool_)
        for kind in ("Duration", "Pitch"):
            ids[slice(*self._layout.spans[kind])] = True
        return ids

    def _change_behind(self, grammar: ScoreGrammar) -> tuple[int, Chord | None] | None:
        """The next change behind the place at which the grammar stands; None behind the last."""
        here = grammar.bar * grammar.bar_steps + grammar.position
        at = bisect_right(self._changes, here, key=lambda change: change[0])
        return self._changes[at] if at < len(self._changes) else None

    def _reaches(self, change: int, grammar: ScoreGrammar) -> bool:
        """Whether a note of the running length sounds when the chord changes."""
        here = grammar.bar * grammar.bar_steps + grammar.position
        return here + self._length(grammar) > change

    def _length(self, grammar: ScoreGrammar) -> int:
        """Steps that the next note of the part lasts if nothing else is said; 0 if unknown."""
        assert grammar.program is not None
        _, duration = grammar.running(grammar.program)
        if duration is None:
            return 0
        return int(self._layout.durations[duration - self._layout.first("Duration")])

    def _telling(self, chord: Chord) -> set[int]:
        """The classes of written pitches that tell a chord from others: root, third and fifth.

        C and A alone may be A minor as well as F. And while only root and third were favoured,
        melodies had half as many fifths as real ones.
        """
        steps = QUALITIES[chord.quality][0][:3]
        return {(chord.root - self._shift + step) % 12 for step in steps}

    def _sounded(self, grammar: ScoreGrammar, since: float) -> set[int]:
        """The classes of written pitches that were struck from a position of the bar up to here."""
        notes = (note for note in self._bars.get(grammar.bar, ()) if note.program != DRUMS)
        return {n.pitch % 12 for n in notes if since <= n.position <= grammar.position}

    def _loss(self, chord: Chord) -> Floats32:
        """(128,) the share of the weight that each written pitch loses under a chord, 0 to 1."""
        if chord not in self._losses:
            root = (chord.root - self._shift) % 12
            tones = {(root + step) % 12 for step in QUALITIES[chord.quality][0]}
            classes = np.arange(128) % 12
            loss = np.full(128, OUTSIDE, dtype=np.float32)
            loss[np.isin(classes, list(self._scale))] = 1.0
            loss[np.isin(classes, list(tones))] = 0.0
            bass = (np.arange(128) < BASS) & np.isin(classes, list(tones - {root}))
            loss[bass] = 0.4
            self._losses[chord] = loss
        return self._losses[chord]
