"""The score grammar of a practice piece: the notes of a piece within the limits of a grade.

It takes away from what `ScoreGrammar` allows and adds nothing. Hands are told apart by pitch, since
no two of them share one: what is below middle C is the left hand's. A hand's notes follow each
other without gaps, so the lengths decide the positions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from textmusic.music.plan import Plan
from textmusic.music.practice_limits import Limits, Place
from textmusic.music.practice_rhythm import TICKS
from textmusic.music.theory import shift_of
from textmusic.tokens.folding import steps_of
from textmusic.tokens.layout import Layout, Mask
from textmusic.tokens.sampling import reweighed
from textmusic.tokens.score_grammar import ScoreGrammar

Floats32 = NDArray[np.float32]
# Nats that a pitch loses by its distance in semitones from the line's last one.
_STEPS, _STEP_NATS = (0, 1, 2, 3, 4, 5, 7, 9, 12), (2.5, 0, 0, 1.8, 2.0, 3.0, 3.5, 4.5, 6.0)
BACK_NATS = 1.0  # what the pitch before the last one loses: else tunes go to and fro
BELOW = 0.8  # share of that in a hand that accompanies: less than this, and it leaps too much
QUICK_NATS, EASY_NATS = 1.5, 0.6  # what notes shorter than an eighth and a quarter lose


@dataclass(slots=True)
class _Written:
    """A hand so far. Times in ticks from the beginning; pitches as they sound."""

    end: int = 0
    start: int = -1
    length: int = 0
    struck: list[int] = field(default_factory=list)  # at `start`
    before: tuple[int, ...] = ()  # the latest first; of a chord its outer note


class LimitedGrammar(ScoreGrammar):
    """A score grammar that keeps to the limits of a practice piece, of one instrument."""

    def __init__(self, layout: Layout, plan: Plan, limits: Limits) -> None:
        super().__init__(layout, plan, ranges=False, late=True)
        self._limits, self._shift = limits, shift_of(plan.key)
        self._tick = TICKS // self.quarter_steps  # ticks a step
        self._hands = [_Written() for _ in limits.lines]
        self._ids = {int(steps) * self._tick: i for i, steps in enumerate(layout.durations)}

    def allowed(self) -> Mask:
        """(M,) True where an id may come next."""
        mask = super().allowed()
        if self.expects in ("inside", "part", "sized", "struck"):
            self._narrow(mask)
            assert mask.any(), "the limits leave nothing to be written"
        return mask

    def leaning(self, logits: Floats32, allowed: Mask) -> Floats32:
        """The logits (M,) of the next id, steps favoured over leaps and repeated pitches.

        A model that has heard orchestras leaps more than a beginner's tune does, within a hand's
        few pitches above all. What is favoured between pitches leaves their total as it is.
        """
        guided = logits
        first, last = self.layout.spans["Duration"]
        if allowed[first:last].any():
            guided = logits.copy()
            for below, nats in (
                (self.quarter_steps // 2, QUICK_NATS),
                (self.quarter_steps, EASY_NATS),
            ):
                guided[first:last][self.layout.durations < below] -= nats
        number = self._due_hand() if self.position >= 0 else None
        if number is None or not (before := self._hands[number].before):
            return guided
        first, last = self.layout.spans["Pitch"]
        pitches = np.flatnonzero(allowed[first:last]) + first
        steps = np.abs(pitches - self.layout.tone_base + self._shift - before[0])
        losses = np.interp(steps, _STEPS, _STEP_NATS).astype(np.float32)
        if len(before) > 1:
            back = self.layout.tone_base + before[1] - self._shift
            losses[pitches == back] += BACK_NATS
        melody = number == self._playing_now[-1]
        after = guided[pitches] - losses * (1.0 if melody else BELOW)
        return reweighed(guided, pitches, after) if len(pitches) > 1 else guided

    def _strike(self, pitch: int) -> None:
        super()._strike(pitch)
        sounding, note = pitch + self._shift, self.notes[-1]
        number = next(n for n, line in enumerate(self._limits.lines) if sounding <= line.hand.high)
        hand, now = self._hands[number], self._now * self._tick
        if hand.start != now:
            hand.start, hand.struck = now, []
            hand.length = steps_of(note.duration) * self._tick
            hand.end = now + hand.length
            hand.before = (sounding, *hand.before[:2])
        elif number == len(self._hands) - 1:  # the top note is what is heard as the line
            hand.before = (sounding, *hand.before[1:])
        hand.struck.append(sounding)

    def _narrow(self, mask: Mask) -> None:
        """Take away what the limits do not allow."""
        positions, bar = self.layout.spans["Position"], self.layout.spans["Bar"]
        begin = self.bar * self._limits.bar_ticks
        if self.expects == "inside" and self.position < 0:
            _only(mask, [positions[0]])
            return
        due = self._due_hand()
        if self.expects == "inside" and due is None:
            following = min(self._hands[n].end for n in self._playing_now) - begin
            keep = list(self._chord_ids(mask))
            if following < self._limits.bar_ticks:
                keep.append(positions[0] + following // self._tick)
            else:
                keep.append(self.closing)
            _only(mask, keep)
            return
        if self.expects == "inside":
            mask[slice(*positions)] = mask[slice(*bar)] = False
            mask[self.closing] = False
        self._narrow_notes(mask, due)

    def _narrow_notes(self, mask: Mask, due: int | None) -> None:
        assert due is not None, "a note is begun for no hand"
        keep = mask.copy()
        for kind in ("Duration", "Pitch"):
            keep[slice(*self.layout.spans[kind])] = False
        options = self._options(due)
        first = self.layout.first("Duration")
        for length in options:
            keep[first + self._ids[length]] = True
        keep[list(self._chord_ids(mask))] = True
        running = None if self.program is None else self.running(self.program)[1]
        if running is not None:
            length = int(self.layout.durations[running - first]) * self._tick
            if length in options:
                for pitch in self._limits.pitches(self._place(due, length)):
                    keep[self.layout.tone_base + pitch - self._shift] = True
        mask &= keep

    @property
    def _playing_now(self) -> tuple[int, ...]:
        return self._limits.playing(self.bar)

    def _due_hand(self) -> int | None:
        """The lowest hand that has to begin a note here."""
        now = self._now * self._tick
        for number in self._playing_now:
            hand = self._hands[number]
            if hand.start != now and hand.end <= now:
                return number
        return None

    def _options(self, number: int) -> tuple[int, ...]:
        """The lengths that a hand's note may have here, ticks."""
        place = self.position * self._tick
        return self._limits.rhythm(number, self.bar).get(place, ())

    def _place(self, number: int, length: int) -> Place:
        now = self._now * self._tick
        others = [h for n, h in enumerate(self._hands) if n != number]
        sounding = tuple(p for h in others if h.end > now for p in h.struck)
        hand = self._hands[number]
        before = hand.before[1:] if hand.start == now else hand.before
        place = self.position * self._tick
        return Place(number, self.bar, place, length, before, sounding)

    def _chord_ids(self, mask: Mask) -> list[int]:
        """Ids of pitches that the hand that was struck last may have beside its note."""
        now = self._now * self._tick
        numbers = [n for n in self._playing_now if self._hands[n].start == now]
        if not numbers or self.program is None or self.expects not in ("inside", "part"):
            return []
        number, running = numbers[-1], self.running(self.program)[1]
        hand = self._hands[number]
        if running is None or running - self.layout.first("Duration") != self._ids[hand.length]:
            return []
        at = self._place(number, hand.length)
        base = self.layout.tone_base - self._shift
        above = self._limits.above(at, hand.struck[0], hand.struck)
        return [base + pitch for pitch in above if mask[base + pitch]]


def _only(mask: Mask, ids: list[int]) -> None:
    """Leave of what is allowed these ids alone."""
    kept = np.zeros_like(mask)
    kept[ids] = mask[ids]
    mask[:] = kept
