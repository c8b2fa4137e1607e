"""Soft biases that make even a barely trained model follow its sketch.

Four guides change the logits of the notes. Harmony: tones of the chord that sounds are favoured,
most where it begins and for long notes, less under the tonic's chord; so are its root in the bass,
and root and third until they have sounded. Form: in a bar that repeats bar j, what bar j has in the
same place is favoured: a pointer that follows what is written, and finds its place again after a
departure, since it goes by where the writing stands. A bar that varies bar j gets its rhythm alone.
Melody and lines: see `melody` and `lines`.
What a person has asked for is held to more closely than what the model has sketched by itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from textmusic.music.chords import QUALITIES, Chord
from textmusic.music.outline import AskedRow
from textmusic.music.plan import Plan
from textmusic.music.sketch import Sketch, quarters_per_beat
from textmusic.music.theory import DRUMS, NO_KEY, degrees_of, shift_of, tonic
from textmusic.tokens.folding import Struck
from textmusic.tokens.layout import Floats32, Layout, Mask
from textmusic.tokens.lines import Lines
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
MISSING_NATS = 3.4  # what root and third gain at strength 1 while the chord has not had them
BASS = 50  # written pitches below it are bass: there the root is favoured among the chord's tones
# times that for a note of up to a quarter behind the chord's beginning that is a step away from the
# part's last onset: so real melodies leave the chord
BY_STEP = 0.7
FORM_NATS = 8.0  # logits that bar j's own choice gains at strength 1
ASKED = 2.0  # times the strength where a person has asked for the bar's chords or form


class Guides:
    """The guides of one piece while its notes are written."""

    def __init__(
        self,
        layout: Layout,
        plan: Plan,
        sketch: Sketch,
        bars: Mapping[int, Sequence[Struck]],
        *,
        harmony: float,
        form: float,
        melody: float = 0.0,
        line: float = 0.0,
        asked: Sequence[AskedRow] = (),
    ) -> None:
        """sketch: of the whole piece. bars: the notes of each bar that is written, in the order of
        writing; it grows as they come. harmony, form, melody, line: strengths, 0 to 1. asked: what
        of the sketch a person has asked for, a bar each from the first on.
        """
        assert plan.time_signature is not None
        self._layout, self._sketch, self._bars = layout, sketch, bars
        self._harmony, self._form, self._asked = harmony, form, asked
        self._melody_strength, self._line_strength = melody, line
        self._melody, self._lines = Melody(layout, bars), Lines(layout, bars)
        self._shift = shift_of(plan.key)
        keyless = plan.key is None or plan.key == NO_KEY
        self._home = None if keyless else tonic(str(plan.key))
        self._scale = range(12) if keyless else degrees_of(str(plan.key))
        self._beat_quarters = quarters_per_beat(plan.time_signature)
        self._losses: dict[Chord, Floats32] = {}

    def guided(self, logits: Floats32, allowed: Mask, grammar: ScoreGrammar) -> Floats32:
        """The guided logits (M,); a new array where the guides change anything."""
        if grammar.bar < 0:
            return logits
        if self._line_strength > 0:
            logits = self._lines.guided(logits, grammar, self._line_strength)
        if self._melody_strength > 0:
            logits = self._melody.guided(logits, allowed, grammar, self._melody_strength)
        if grammar.bar >= len(self._sketch.rows):
            return logits
        row = self._sketch.rows[grammar.bar]
        asked = self._asked[grammar.bar] if grammar.bar < len(self._asked) else AskedRow()
        if self._harmony > 0 and row.chords:
            logits = self._in_harmony(logits, allowed, grammar, asked.chords is not None)
        source = row.like if row.like is not None else row.vary
        if self._form > 0 and source is not None and source in self._bars:
            theirs = [note for note in self._bars[source] if note.program in grammar.programs]
            favoured = self._next(theirs, allowed, grammar, strict=row.like is not None)
            if favoured:
                strength = min(self._form * (1.0 if asked.like is None else ASKED), 1.0)
                logits = logits.copy()
                logits[favoured] += FORM_NATS * strength
        return logits

    # Harmony --------------------------------------------------------------------------------------

    def _in_harmony(
        self, logits: Floats32, allowed: Mask, grammar: ScoreGrammar, asked: bool
    ) -> Floats32:
        """Shift probability between pitches by the sounding chord; their total stays the same.

        asked: whether a person has asked for the chord.
        """
        pitches = pitch_ids(allowed, self._layout)
        if len(pitches) < 2 or grammar.position < 0:
            return logits
        beat = grammar.position / grammar.quarter_steps / self._beat_quarters
        began, chord = self._sketch.chord_since(grammar.bar, beat)
        if chord is None:
            return logits
        place = 0 if beat == began else 1 if beat == int(beat) else 2
        weighs = ASKED if asked else AT_HOME if chord.root == self._home else 1.0
        strength = self._harmony * weighs
        written = pitches - self._layout.tone_base
        column = self._long(grammar)
        weight = np.full(len(written), HARMONY_NATS[place][column], dtype=np.float32)
        weight[written < BASS] = np.maximum(weight[written < BASS], BASS_NATS[place])
        loss = self._loss(chord)[written]
        if place > 0 and column < len(LENGTHS):
            loss = loss * np.where(self._melody.near(grammar)[written], BY_STEP, 1.0)
        after = logits[pitches] - weight * strength * loss
        since = began * grammar.quarter_steps * self._beat_quarters
        missing = self._telling(chord) - self._sounded(grammar.bar, since)
        after += MISSING_NATS * strength * np.isin(written % 12, list(missing))
        return reweighed(logits, pitches, after)

    def _long(self, grammar: ScoreGrammar) -> int:
        """Which column of `HARMONY_NATS` is that of the next note, by the length that it has."""
        assert grammar.program is not None
        _, duration = grammar.running(grammar.program)
        if duration is None:
            return 0
        steps = self._layout.durations[duration - self._layout.first("Duration")]
        return bisect_left(LENGTHS, steps / grammar.quarter_steps)

    def _telling(self, chord: Chord) -> set[int]:
        """The classes of written pitches that tell a chord from others: its root and third."""
        steps = QUALITIES[chord.quality][0][:2]
        return {(chord.root - self._shift + step) % 12 for step in steps}

    def _sounded(self, bar: int, since: float) -> set[int]:
        """The classes of written pitches that were struck in a bar from a position on."""
        notes = self._bars.get(bar, ())
        return {n.pitch % 12 for n in notes if n.position >= since and n.program != DRUMS}

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

    # Form -----------------------------------------------------------------------------------------

    def _next(
        self, theirs: Sequence[Struck], allowed: Mask, grammar: ScoreGrammar, *, strict: bool
    ) -> list[int]:
        """Ids that continue as the other bar does from the current position.

        Notes that are not allowed there are skipped, such as a pitch that still sounds from the bar
        before.
        """
        options = self._options(theirs, allowed, grammar, strict)
        return next((ids for ids in options if allowed[ids].any()), [])

    def _options(
        self, theirs: Sequence[Struck], allowed: Mask, grammar: ScoreGrammar, strict: bool
    ) -> Iterator[list[int]]:
        position, program = grammar.position, grammar.program
        if grammar.expects == "inside" and not grammar.struck_here:
            here = [note for note in theirs if note.position == position]
            for note in here:
                if note.program == program:
                    yield self._say(note, allowed, grammar, strict)
                else:
                    yield [self._layout.first("Program") + note.program]
            if not here:
                yield self._leave(theirs, (position, DRUMS + 1), grammar)
        elif program is not None:
            group = [n for n in theirs if n.position == position and n.program == program]
            above = [n for n in group if n.pitch > grammar.pitch]
            for note in above if strict else group[grammar.struck :]:
                yield self._say(note, allowed, grammar, strict)
            if grammar.expects == "inside":
                yield self._leave(theirs, (position, program), grammar)

    def _leave(
        self, theirs: Sequence[Struck], place: tuple[int, int], grammar: ScoreGrammar
    ) -> list[int]:
        """The next instrument or position of the other bar behind a place, or the bar's end."""
        places = [(note.position, note.program) for note in theirs]
        at = bisect_right(places, place)
        if at == len(places):
            return [grammar.closing]
        position, program = places[at]
        if position > place[0]:
            return [self._layout.first("Position") + position]
        return [self._layout.first("Program") + program]

    def _say(self, note: Struck, allowed: Mask, grammar: ScoreGrammar, strict: bool) -> list[int]:
        """The next id of a note: its velocity or duration if they change, else its pitch."""
        velocity, duration = grammar.running(note.program)
        wanted = self._layout.index[f"Velocity_{note.velocity}"]
        if grammar.expects in ("inside", "part") and strict and velocity != wanted:
            return [wanted]
        length = self._length(note, allowed, duration)
        if grammar.expects != "struck" and length is not None and duration != length:
            return [length]
        if strict:
            return [self._layout.pitch_base(note.program) + note.pitch]
        return list(range(*self._layout.spans["PitchDrum" if note.program == DRUMS else "Pitch"]))

    def _length(self, note: Struck, allowed: Mask, running: int | None) -> int | None:
        """The id of a note's duration, or of the longest one below it that has room."""
        wanted = self._layout.index[f"Duration_{note.duration}"]
        if wanted == running or allowed[wanted]:
            return wanted
        first, last = self._layout.spans["Duration"]
        fits = [int(at) for at in allowed[first:last].nonzero()[0]]
        if running is not None:
            fits.append(running - first)
        steps = self._layout.durations
        shorter = [at for at in fits if steps[at] < steps[wanted - first]]
        return first + max(shorter, key=lambda at: int(steps[at])) if shorter else None
