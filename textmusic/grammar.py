"""What may come next: state -> mask over the music ids, so that every output is valid.

Two automata: `plan_grammar.PlanGrammar` from `<|plan|>` to `<|score|>`, and `ScoreGrammar` from
there to `<|end|>`. They know no model. A sampler that only ever sees masked logits can't write a
note that is cut, a bar that does not fit, an instrument that was not planned, or a piece of another
length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from textmusic.measure import MAJOR_PROFILE, MINOR_PROFILE
from textmusic.plan import (
    COUNTED_BARS,
    DRUMS,
    NO_KEY,
    Plan,
    is_minor,
    shift_of,
)
from textmusic.tokenizer import END, positions_per_beat

Mask = NDArray[np.bool_]
MAX_NOTES_PER_BAR = 160
MAX_VOICES = 12  # notes of one instrument that may sound at once
# Comfortable written ranges (MIDI note numbers) by General MIDI program; others have the piano's.
RANGES = {
    **dict.fromkeys((40, 110), (55, 103)), 41: (48, 91), 42: (36, 81), 43: (28, 67),
    **dict.fromkeys(range(24, 32), (40, 88)), **dict.fromkeys(range(32, 40), (24, 67)),
    9: (60, 108), 10: (60, 108), 22: (55, 96), 46: (23, 103), 47: (36, 57), 52: (38, 86),
    53: (38, 86), 54: (38, 86), 56: (52, 86), 57: (36, 77), 58: (28, 65), 60: (34, 81),
    64: (56, 91), 65: (49, 85), 66: (44, 80), 67: (36, 73), 68: (58, 93), 69: (52, 84),
    70: (34, 77), 71: (50, 94), 72: (72, 108), 73: (59, 98), 74: (60, 98), 75: (60, 98),
    105: (48, 86),
}  # fmt: skip


class Grammar(Protocol):
    """What the decode loop needs of an automaton."""

    done: bool

    def allowed(self) -> Mask:
        """(M,) True where an id may come next; never all False before `done`."""

    def advance(self, music_id: int) -> None:
        """Take the id that was chosen."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the kinds of tokens lie among the music ids of one vocabulary."""

    vocabulary: tuple[str, ...]
    index: dict[str, int]
    spans: dict[str, tuple[int, int]]  # kind -> (first id, behind the last)
    durations: NDArray[np.int64]  # steps (a twelfth of a beat) of each Duration id, in id order

    @property
    def size(self) -> int:
        """How many music ids there are."""
        return len(self.vocabulary)


@cache
def layout_of(vocabulary: tuple[str, ...]) -> Layout:
    """The layout of a vocabulary in which each kind of token stands together."""
    spans: dict[str, tuple[int, int]] = {}
    for i, token in enumerate(vocabulary):
        kind = token.partition("_")[0]
        spans[kind] = (spans.get(kind, (i, i))[0], i + 1)
    steps = []
    for token in vocabulary[slice(*spans["Duration"])]:
        beats, part, parts = map(int, token.partition("_")[2].split("."))
        steps.append(beats * 12 + part * 12 // parts)
    index = {token: i for i, token in enumerate(vocabulary)}
    return Layout(vocabulary, index, spans, np.array(steps))


class ScoreGrammar:
    """From the first bar to `<|end|>`, for one complete plan.

    Times are counted in steps of a twelfth of a beat from the beginning of the piece. Pitches are
    as written, with the tonic on C. Notes struck together are spelt in one order, as MidiTok does:
    instruments ascending, pitches ascending.
    """

    def __init__(
        self,
        layout: Layout,
        plan: Plan,
        *,
        ranges: bool = True,
        scale_only: bool = False,
        late: bool = False,
    ) -> None:
        """ranges: keep to the instruments' own ranges (real pieces now and then do not).

        late: instruments may enter when they like, or not at all (some real ones do).
        scale_only: only tones of the key's scale (in minor with natural and raised seventh).
        """
        assert plan.bars is not None and plan.programs and plan.time_signature is not None
        self.layout, self.plan = layout, plan
        self.done = False
        self.bars_left = plan.bars  # bars not yet begun
        self.bar_steps, _ = positions_per_beat(plan.time_signature)
        self.total = plan.bars * self.bar_steps
        self._bar_start = -self.bar_steps
        self._position = -1
        self._program: int | None = None
        self._row = {program: i for i, program in enumerate(plan.programs)}
        self._free_at = np.zeros((len(self._row), 128), dtype=np.int64)  # when a pitch is silent
        self._playable = np.zeros((len(self._row), 128), dtype=np.bool_)
        for program, row in self._row.items():
            if program == DRUMS:
                self._playable[row, 27 : 88 + 1] = True
                continue
            low, high = (p - shift_of(plan.key) for p in range_of(program)) if ranges else (12, 115)
            self._playable[row, max(low, 12) : high + 1] = True
            if scale_only and plan.key not in (None, NO_KEY):
                self._playable[row] &= _scale(str(plan.key))
        self._expects = "bar"
        self._pitch = -1  # of the latest note of this instrument at this position
        self._struck = False  # whether the instrument that plays has notes at this position
        self._notes_in_bar = 0
        self._last_end = 0
        self._silent = set(plan.programs)  # planned, not yet heard
        # every planned instrument enters by the middle of the piece
        self._deadline = plan.bars if late else max(0, (plan.bars - 1) // 2)
        self._pitches = layout.spans["Pitch"][0] - _first_pitch(layout, "Pitch")
        self._drums = layout.spans["PitchDrum"][0] - _first_pitch(layout, "PitchDrum")

    @property
    def bar(self) -> int:
        """Index of the bar being written, from 0; -1 before the first."""
        assert self.plan.bars is not None
        return self.plan.bars - self.bars_left - 1

    def allowed(self) -> Mask:
        """(M,) True where an id may come next."""
        mask = np.zeros(self.layout.size, dtype=np.bool_)
        getattr(self, f"_{self._expects}_mask")(mask)
        return mask

    def advance(self, music_id: int) -> None:
        """Take the id that was chosen."""
        token = self.layout.vocabulary[music_id]
        kind, _, value = token.partition("_")
        if token == END:
            self.done = True
        elif kind == "Bar":
            self.bars_left -= 1
            self._bar_start += self.bar_steps
            self._position, self._notes_in_bar, self._expects = -1, 0, "inside"
        elif kind == "Position":
            self._position, self._expects = int(value), "onset"
            self._pitch, self._struck = -1, False
        elif kind == "Program":
            self._program, self._expects = int(value), "pitch"
            self._pitch = -1
        elif kind in ("Pitch", "PitchDrum"):
            self._pitch, self._expects = int(value), "velocity"
        elif kind == "Velocity":
            self._expects = "duration"
        else:
            self._end_note(int(self.layout.durations[music_id - self.layout.spans["Duration"][0]]))

    def _end_note(self, steps: int) -> None:
        assert self._program is not None
        end = self._now + steps
        self._free_at[self._row[self._program], self._pitch] = end
        self._last_end = max(self._last_end, end)
        self._notes_in_bar += 1
        self._struck = True
        self._silent.discard(self._program)
        self._expects = "inside"

    @property
    def _now(self) -> int:
        return self._bar_start + self._position

    def _bar_mask(self, mask: Mask) -> None:
        mask[self.layout.index[f"Bar_{min(self.bars_left, COUNTED_BARS)}"]] = True

    def _inside_mask(self, mask: Mask) -> None:
        """After a bar line or a note: another note, a later position, the next bar or the end."""
        if self._notes_in_bar < MAX_NOTES_PER_BAR:
            if self._position >= 0:
                self._onset_mask(mask)
            self._later_positions(mask)
        if not self._overdue:
            self._close_bar(mask)

    @property
    def _overdue(self) -> bool:
        """Whether an instrument must enter before this bar ends."""
        return bool(self._silent) and self.bar >= self._deadline

    def _later_positions(self, mask: Mask) -> None:
        first = self.layout.spans["Position"][0]
        start = max(self._position + 1, self._first_room() - self._bar_start)
        if start < self.bar_steps:
            mask[first + start : first + self.bar_steps] = True

    def _close_bar(self, mask: Mask) -> None:
        if self.bars_left:
            self._bar_mask(mask)
        elif self._last_end > self._bar_start:
            mask[self.layout.index[END]] = True
        elif not mask.any():  # the last bar is silent so far and has no room: cannot be
            raise AssertionError("the grammar ran into a dead end")

    def _onset_mask(self, mask: Mask) -> None:
        """A pitch of the instrument that plays, or another instrument."""
        first = self.layout.index["Program_0"]
        room = MAX_NOTES_PER_BAR - self._notes_in_bar
        if self._overdue and (self._position == self.bar_steps - 1 or room <= len(self._silent)):
            program = min(self._silent)  # the last chance for all of them, in ascending order
            if self._may_follow(program):
                mask[first + program] = True
            return
        free = self._free_now()
        if self._program is not None:
            self._allow_pitches(mask, self._program, free[self._row[self._program]])
        for program, row in self._row.items():
            if self._may_follow(program) and free[row].any():
                mask[first + program] = True

    def _may_follow(self, program: int) -> bool:
        """Whether the part of another instrument may come next at this position."""
        if self._program is None or not self._struck:
            return program != self._program
        return program > self._program

    def _pitch_mask(self, mask: Mask) -> None:
        assert self._program is not None
        self._allow_pitches(mask, self._program, self._free_now()[self._row[self._program]])

    def _allow_pitches(self, mask: Mask, program: int, free: Mask) -> None:
        shift = self._drums if program == DRUMS else self._pitches
        pitches = np.flatnonzero(free)
        mask[pitches[pitches > self._pitch] + shift] = True

    def _free_now(self) -> NDArray[np.bool_]:
        """(programs, 128): playable, not sounding, and the instrument has a voice left."""
        sounding = self._free_at > self._now
        crowded = sounding.sum(axis=1, keepdims=True) >= MAX_VOICES
        return np.asarray(self._playable & ~sounding & ~crowded)

    def _first_room(self) -> int:
        """The earliest step, from now on, at which some instrument has a voice and a pitch left."""
        best, soon = self.total, self._now + 1
        for free_at, playable in zip(self._free_at, self._playable, strict=True):
            ends = free_at[playable]
            limit = min(MAX_VOICES, len(ends))
            if np.count_nonzero(ends > soon) < limit:  # the usual case needs no order
                return min(best, soon)
            best = min(best, int(np.sort(ends)[-limit]))
        return best

    def _velocity_mask(self, mask: Mask) -> None:
        mask[slice(*self.layout.spans["Velocity"])] = True

    def _duration_mask(self, mask: Mask) -> None:
        first, last = self.layout.spans["Duration"]
        mask[first:last] = self.layout.durations <= self.total - self._now


def _first_pitch(layout: Layout, kind: str) -> int:
    return int(layout.vocabulary[layout.spans[kind][0]].partition("_")[2])


def range_of(program: int) -> tuple[int, int]:
    """The lowest and the highest pitch that an instrument is written for."""
    return RANGES.get(program, (21, 108))


def _scale(key: str) -> Mask:
    """(128,) True at the pitches of a key's scale, as they are written: from C."""
    return np.isin(np.arange(128) % 12, degrees_of(key))


def degrees_of(key: str) -> tuple[int, ...]:
    """Semitones of a key's scale above its tonic; in minor both the natural and the raised 7th."""
    return (0, 2, 3, 5, 7, 8, 10, 11) if is_minor(key) else (0, 2, 4, 5, 7, 9, 11)


def key_bias(layout: Layout, key: str | None, strength: float) -> NDArray[np.float32]:
    """(M,) what is added to the logits of pitches for the sake of the key.

    strength 0 adds nothing; towards 1 the key's profile weighs more and more. Other tokens are
    never touched. (That strength 1 leaves scale tones only is `ScoreGrammar`'s doing: scale_only.)
    """
    bias = np.zeros(layout.size, dtype=np.float32)
    if key is None or key == NO_KEY or strength <= 0:
        return bias
    profile = MINOR_PROFILE if is_minor(key) else MAJOR_PROFILE
    first, last = layout.spans["Pitch"]
    for music_id in range(first, last):
        pitch = int(layout.vocabulary[music_id].partition("_")[2])
        bias[music_id] = strength * np.log(profile[pitch % 12] / profile.max())
    return bias
