"""Soft biases that make even a barely trained model follow its sketch.

Guides change the logits of the notes. Form: in a bar that repeats bar j, what bar j has in the
same place is favoured: a pointer that follows what is written, and finds its place again after a
departure, since it goes by where the writing stands. A bar that varies bar j gets its rhythm alone.
Harmony, melody, lines and drum kit: see `chord_tones`, `melody`, `lines` and `kit`.
What a person has asked for is held to more closely than what the model has sketched by itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from textmusic.music.outline import AskedRow
from textmusic.music.plan import Plan
from textmusic.music.sketch import Sketch
from textmusic.music.theory import DRUMS
from textmusic.tokens.chord_tones import AT_HOME, ChordTones
from textmusic.tokens.folding import Struck
from textmusic.tokens.kit import Kit
from textmusic.tokens.layout import Floats32, Layout, Mask
from textmusic.tokens.lines import Lines
from textmusic.tokens.melody import Melody
from textmusic.tokens.score_grammar import ScoreGrammar

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
        self._kit = Kit(layout, bars)
        self._chords = ChordTones(layout, plan, sketch, bars, self._melody)

    def guided(self, logits: Floats32, allowed: Mask, grammar: ScoreGrammar) -> Floats32:
        """The guided logits (M,); a new array where the guides change anything."""
        if grammar.bar < 0:
            return logits
        if self._line_strength > 0:
            logits = self._lines.guided(logits, grammar, self._line_strength)
            logits = self._kit.guided(logits, grammar, self._line_strength)
        if self._melody_strength > 0:
            logits = self._melody.guided(logits, allowed, grammar, self._melody_strength)
        if grammar.bar >= len(self._sketch.rows):
            return logits
        row = self._sketch.rows[grammar.bar]
        asked = self._asked[grammar.bar] if grammar.bar < len(self._asked) else AskedRow()
        if self._harmony > 0 and row.chords:
            weighs = 1.0 if asked.chords is None else ASKED
            home = AT_HOME if asked.chords is None else 1.0
            logits = self._chords.guided(logits, allowed, grammar, self._harmony * weighs, home)
        source = row.like if row.like is not None else row.vary
        if self._form > 0 and source is not None and source in self._bars:
            theirs = [note for note in self._bars[source] if note.program in grammar.programs]
            favoured = self._next(theirs, allowed, grammar, strict=row.like is not None)
            if favoured:
                strength = min(self._form * (1.0 if asked.like is None else ASKED), 1.0)
                logits = logits.copy()
                logits[favoured] += FORM_NATS * strength
        return logits

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
