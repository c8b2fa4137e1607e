"""A part goes on as it has begun: one note after the other, without holes, if that is its way.

Most parts of real pieces are lines: the next note begins where the last one ends. Models that have
seen little music forget how long a note lasts. They let such parts fall silent three times as often
as real ones do, and begin the next note while the last one sounds ten times as often. Parts that
play single notes get chords six times as often, and keep them, since they have had one then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from textmusic.music.theory import DRUMS
from textmusic.tokens.folding import Struck, steps_of
from textmusic.tokens.layout import Floats32, Layout, Mask
from textmusic.tokens.score_grammar import NOTE, ScoreGrammar

# What an id loses where it leaves a part silent behind its last note, and what where the part has
# hardly been so before. With these numbers the guided model predicts real pieces best
# (docs/sampling.md).
HOLE_NATS, SELDOM_HOLE_NATS = 0.7, 2.0
OFF_BEAT_NATS = 0.7  # what it loses in addition where the silence would begin between beats
SELDOM = 0.05  # of a part's onsets
BEAT, LATEST = 12, 9  # steps; a note that ends later in the beat fills it, played short
BELIEVED = 2  # onsets without a hole that a part is taken to have had before its first
# What it loses where it begins a note while the part's last one sounds: less with every onset at
# which that has happened, nothing from one in eight on.
OVERLAP_NATS = 5.0
ALLOWED = 1 / 8
OVERLAPS_BELIEVED = 0.1  # of the one onset that a part is taken to have had before its first
# What a second note struck together with one loses in a part that has had single notes alone, from
# so many of them on.
CHORD_NATS = 2.5
SINGLES = 4
WINDS_AND_VOICES = frozenset((53, 54, *range(56, 80)))  # to which that applies from the beginning
# What each further note of a chord of so many loses: real pieces seldom have more.
FULL, FULL_NATS = 6, 1.2


class Lines:
    """How the parts of a piece have followed on their own notes so far."""

    def __init__(self, layout: Layout, bars: Mapping[int, Sequence[Struck]]) -> None:
        """bars: notes of bars that may stand before those that are written."""
        self._layout, self._before = layout, bars
        self._filed = -1  # notes of the score that have been looked at; -1: not even those before
        self._end: dict[int, int] = {}  # step at which a program falls silent
        self._struck: dict[int, int] = {}  # and that of its last onset
        self._onsets: Counter[int] = Counter()  # of each program, but its first
        self._holes: Counter[int] = Counter()  # those of them that a silence stands before
        self._overlaps: Counter[int] = Counter()  # and those at which the last note still sounded
        self._chordal: set[int] = set()  # programs that have struck several notes together

    def guided(self, logits: Floats32, grammar: ScoreGrammar, strength: float) -> Floats32:
        """Logits (M,) in which what breaks the parts' habits is less likely.

        strength: 0 leaves the logits as they are.
        """
        self._follow(grammar)
        if grammar.expects != "inside" or not self._end:
            return logits
        loss = np.zeros(self._layout.size, dtype=np.float32)
        start, inside = grammar.bar * grammar.bar_steps, grammar.position >= 0
        here = start + max(grammar.position, 0)
        for program, end in self._end.items():
            waiting = inside and self._struck[program] != here
            if end > here and waiting:
                loss[self._striking(program, grammar)] += self._overlap_nats(program)
            if end >= here:
                silenced = self._leaving(end - start, grammar)
                if end == here and waiting:
                    silenced |= self._passing(program, grammar)
                loss[silenced] += self._hole_nats(program, end)
        if grammar.struck_here and grammar.program is not None and self._single(grammar.program):
            loss[self._note_ids()] += CHORD_NATS
        if grammar.struck >= FULL and grammar.program != DRUMS:
            loss[self._note_ids()] += FULL_NATS
        if set(grammar.programs) <= self._end.keys():  # drums are never among them
            first, behind = self._layout.spans["Position"]
            sounding = min(self._end[program] for program in grammar.programs) - start
            least = min(map(self._overlap_nats, grammar.programs))
            loss[first : min(max(first + sounding, first), behind)] += least
        return logits - strength * loss if loss.any() else logits

    def _leaving(self, end: int, grammar: ScoreGrammar) -> Mask:
        """(M,) the ids that go on to a place behind a step of the bar."""
        ids = np.zeros(self._layout.size, dtype=np.bool_)
        first, behind = self._layout.spans["Position"]
        ids[min(first + end + 1, behind) : behind] = True
        # where the piece ends, nothing falls silent that would go on
        ids[grammar.closing] = end < grammar.bar_steps and grammar.bar + 1 != grammar.plan.bars
        return ids

    def _passing(self, program: int, grammar: ScoreGrammar) -> Mask:
        """(M,) the ids of parts that stand behind one in the order of writing."""
        ids = np.zeros(self._layout.size, dtype=np.bool_)
        first, behind = self._layout.spans["Program"]
        ids[first + program + 1 : behind] = True
        running = grammar.program
        if running is not None and running > program and not grammar.struck_here:
            ids |= self._note_ids()
        return ids

    def _striking(self, program: int, grammar: ScoreGrammar) -> Mask:
        """(M,) the ids that begin a note of a part here."""
        ids = np.zeros(self._layout.size, dtype=np.bool_)
        ids[self._layout.first("Program") + program] = True
        if grammar.program == program and not grammar.struck_here:
            ids |= self._note_ids()
        return ids

    def _note_ids(self) -> Mask:
        """(M,) the ids of notes, by the part that was named last."""
        ids = np.zeros(self._layout.size, dtype=np.bool_)
        for kind in NOTE:
            ids[slice(*self._layout.spans[kind])] = True
        return ids

    def _single(self, program: int) -> bool:
        begun = program in WINDS_AND_VOICES or self._onsets[program] >= SINGLES
        return begun and program not in self._chordal

    def _hole_nats(self, program: int, end: int) -> float:
        onsets = self._onsets[program] + BELIEVED
        seldom = self._holes[program] < SELDOM * onsets
        between = 0 < end % BEAT <= LATEST
        return (SELDOM_HOLE_NATS if seldom else HOLE_NATS) + (OFF_BEAT_NATS if between else 0.0)

    def _overlap_nats(self, program: int) -> float:
        share = (self._overlaps[program] + OVERLAPS_BELIEVED) / (self._onsets[program] + 1)
        return OVERLAP_NATS * max(0.0, 1 - share / ALLOWED)

    def _follow(self, grammar: ScoreGrammar) -> None:
        """Take in the notes that were struck since the last id."""
        if self._filed < 0:
            given = (
                note for bar, notes in self._before.items() if bar < grammar.first
                for note in notes
            )  # fmt: skip
            for note in sorted(given, key=lambda note: note.place):
                self._hear(note, grammar)
            self._filed = 0
        for note in grammar.notes[self._filed :]:
            self._hear(note, grammar)
        self._filed = len(grammar.notes)

    def _hear(self, note: Struck, grammar: ScoreGrammar) -> None:
        program = note.program
        if program == DRUMS or program not in grammar.programs:
            return
        here = note.bar * grammar.bar_steps + note.position
        silent = self._end.get(program)
        if silent is not None and self._struck[program] != here:
            self._onsets[program] += 1
            self._holes[program] += silent < here
            self._overlaps[program] += silent > here
        if self._struck.get(program) == here:
            self._chordal.add(program)
        self._struck[program] = here
        self._end[program] = max(silent or 0, here + steps_of(note.duration))
