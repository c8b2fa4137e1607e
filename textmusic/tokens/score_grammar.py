"""What may come next: state -> mask over the music ids, so that every output is valid.

Three automata: `plan_grammar.PlanGrammar` from `<|plan|>` to `<|sketch|>`,
`sketch_grammar.SketchGrammar` from there to `<|score|>`, and `ScoreGrammar` from there to
`<|end|>`. They know no model. A sampler that only ever sees masked logits can't write a note that
is cut, a bar that does not fit, an instrument that was not planned, or a piece of another length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from textmusic.music.notes import positions_per_beat
from textmusic.music.plan import COUNTED_BARS, Plan
from textmusic.music.repetition import Repetition
from textmusic.music.theory import DRUM_PITCH_RANGE, DRUMS, WRITTEN_RANGE, range_of, shift_of
from textmusic.tokens.folding import END, Struck, steps_of
from textmusic.tokens.layout import Layout, Mask
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.tokens.vocabulary import SCORE

NOTE = ("Velocity", "Duration", "Pitch", "PitchDrum")
# Which kinds of tokens may follow a kind in a score, whatever the plan.
FOLLOWERS = {
    SCORE: ("Bar",),
    "Bar": ("Bar", "Position", END),
    "Position": ("Program", *NOTE),
    "Program": NOTE,
    "Velocity": ("Duration", "Pitch", "PitchDrum"),
    "Duration": ("Pitch", "PitchDrum"),
    "Pitch": ("Bar", "Position", "Program", "Velocity", "Duration", "Pitch", END),
    "PitchDrum": ("Bar", "Position", "Velocity", "Duration", "PitchDrum", END),  # drums come last
}

MAX_NOTES_PER_BAR = 160
MAX_VOICES = 12  # notes of one instrument that may sound at once


class ScoreGrammar:
    """The notes of a complete plan, bar by bar, from its first bar or from a later one.

    Times are counted in steps of a twelfth of a beat from the beginning of the piece. Pitches are
    as written, with the tonic on C. Notes struck together are spelt in one order, as MidiTok does:
    instruments ascending, pitches ascending. A velocity or a duration is said where it differs from
    the instrument's last one, before the pitch.

    A piece that is longer than what is written in one go is written in windows: bars are counted
    down to `stop`, and where that is not the piece's end, `<|end|>` only ends the window.
    """

    def __init__(
        self,
        layout: Layout,
        plan: Plan,
        *,
        ranges: bool = True,
        late: bool = False,
        bars: tuple[int, int] | None = None,
        programs: Iterable[int] | None = None,
        standing: Iterable[Struck] = (),
    ) -> None:
        """ranges: keep to the instruments' own ranges (real pieces now and then do not).

        late: instruments may play when they like, or not at all, and do the same or rest for as
        long as they like (as some real ones do). bars: the first that is written, and the one
        behind the last; by default all. programs: those that are written, by default all of the
        plan. standing: notes that are there already, in other bars, and may not be run into.
        """
        assert plan.bars is not None and plan.programs and plan.time_signature is not None
        self.layout, self.plan = layout, plan
        self.done = False
        self.first, self.last = bars or (0, plan.bars)
        self.bar, self.stop = self.first - 1, min(self.last, plan.bars)
        # nothing else is heard to the end of the piece, and every bar has to sound
        self._whole = self.last == plan.bars and programs is None
        self.bar_steps, self.quarter_steps = positions_per_beat(plan.time_signature)
        self.position = -1
        self.program: int | None = None
        self.pitch = -1  # of the latest note of this instrument at this position
        self.notes: list[Struck] = []  # that were written
        self.expects = "bar"
        self._velocity: dict[int, int] = {}  # ids, by program: what runs on
        self._duration: dict[int, int] = {}
        self.struck = 0  # notes of this instrument at this position
        self._notes_in_bar, self._last_end = 0, 0
        self._late = late
        self._playing: Counter[int] = Counter()  # bars in which each program has played
        self._heard: set[int] = set()  # programs heard in this bar
        chosen = plan.programs if programs is None else tuple(sorted(programs))
        self._row = {program: i for i, program in enumerate(chosen)}
        self._repetition = Repetition(chosen, self.quarter_steps)
        self._playable = np.array([self._range(program, ranges) for program in chosen])
        self._free_at = np.zeros((len(chosen), 128), dtype=np.int64)  # when a pitch is silent
        self._until = np.full((len(chosen), 128), plan.bars * self.bar_steps)  # may sound
        for note in standing:
            if note.program in self._row:
                self._stand(note)

    def _range(self, program: int, ranges: bool) -> Mask:
        """(128,) the written pitches of an instrument."""
        playable = np.zeros(128, dtype=np.bool_)
        if program == DRUMS:
            low, high = DRUM_PITCH_RANGE
            playable[low : high + 1] = True
        else:
            shift = shift_of(self.plan.key)
            lowest, highest = WRITTEN_RANGE
            low, high = (p - shift for p in range_of(program)) if ranges else WRITTEN_RANGE
            playable[max(low, lowest) : min(high, highest) + 1] = True
        return playable

    def _stand(self, note: Struck) -> None:
        place = self._row[note.program], note.pitch
        start = note.bar * self.bar_steps + note.position
        if note.bar < self.first:
            end = start + steps_of(note.duration)
            self._free_at[place] = max(self._free_at[place], end)
        else:
            self._until[place] = min(self._until[place], start)

    def allowed(self) -> Mask:
        """(M,) True where an id may come next."""
        mask = np.zeros(self.layout.size, dtype=np.bool_)
        _MASKS[self.expects](self, mask)
        return mask

    def advance(self, music_id: int) -> None:
        """Take the id that was chosen."""
        token = self.layout.vocabulary[music_id]
        kind, _, value = token.partition("_")
        if token == END:
            self.done = self.bar + 1 == self.last
            self.expects = "window"
        elif kind == "Bar":
            self.bar += 1
            self._playing.update(self._heard)
            self._heard = set()
            self.position, self._notes_in_bar, self.expects = -1, 0, "inside"
        elif kind == "Position":
            self.position, self.expects = int(value), "inside"
            self.pitch, self.struck = -1, 0
        elif kind == "Program":
            self.program, self.expects = int(value), "part"
            self.pitch, self.struck = -1, 0
        elif kind == "Velocity":
            assert self.program is not None
            self._velocity[self.program], self.expects = music_id, "sized"
        elif kind == "Duration":
            assert self.program is not None
            self._duration[self.program], self.expects = music_id, "struck"
        else:
            self._strike(int(value))

    def window(self, stop: int, shown: Sequence[Struck]) -> None:
        """Go on in a window that counts down to bar `stop`.

        shown: the notes that stand before it there. Of instruments that are not among them it is
        not known what velocity and duration they had last, so that they have to be said again.
        """
        self.stop = stop
        if self.expects == "window":
            self.expects = "bar"
        index = self.layout.index
        self._velocity = {note.program: index[f"Velocity_{note.velocity}"] for note in shown}
        self._duration = {note.program: index[f"Duration_{note.duration}"] for note in shown}
        last = shown[-1].program if shown else None
        self.program = last if last in self._row else None  # another may not be written any more

    @property
    def programs(self) -> Collection[int]:
        """The instruments that are written."""
        return self._row.keys()

    def running(self, program: int) -> tuple[int | None, int | None]:
        """Ids of the velocity and the duration that a program's next note has if none is said."""
        return self._velocity.get(program), self._duration.get(program)

    def _strike(self, pitch: int) -> None:
        program = self.program
        assert program is not None
        velocity, duration = (
            self.layout.vocabulary[running[program]].partition("_")[2]
            for running in (self._velocity, self._duration)
        )
        self.notes.append(Struck(self.bar, self.position, program, pitch, int(velocity), duration))
        end = self._now + steps_of(duration)
        self._free_at[self._row[program], pitch] = end
        self._last_end = max(self._last_end, end)
        self._notes_in_bar += 1
        if not self.struck:
            self._repetition.onset(program, self._now)
        self._repetition.note(program, pitch)
        self.struck += 1
        self._heard.add(program)
        self.pitch, self.expects = pitch, "inside"

    @property
    def closing(self) -> int:
        """The id that ends the bar being written."""
        token = END
        if self.bar + 1 < min(self.stop, self.last):
            token = f"Bar_{min(self.stop - self.bar - 1, COUNTED_BARS)}"
        return self.layout.index[token]

    @property
    def _now(self) -> int:
        return self.bar * self.bar_steps + self.position

    # What may come --------------------------------------------------------------------------------

    def _bar_mask(self, mask: Mask) -> None:
        mask[self.layout.index[f"Bar_{min(self.stop - self.bar - 1, COUNTED_BARS)}"]] = True

    def _inside_mask(self, mask: Mask) -> None:
        """After a bar line, a position or a note: another one of them, or the end."""
        due = self._due()
        fresh = self.position >= 0 and not self.struck_here  # a position has to have a note
        if self._notes_in_bar < MAX_NOTES_PER_BAR:
            if self.position >= 0:
                stays = self._onset_mask(mask, due)
                if fresh or stays:
                    return
            self._later_positions(mask)
        if not due or not mask.any():
            self._close_bar(mask)

    @property
    def struck_here(self) -> bool:
        """Whether a note has been struck at this position."""
        return bool(self.notes) and self.notes[-1][:2] == (self.bar, self.position)

    def _due(self) -> set[int]:
        """Programs that have to play in this bar.

        All planned instruments are heard, as in real pieces: from the end of the first quarter on,
        each has played in two of five bars.
        """
        done, count = self.bar - self.first, self.last - self.first
        if self._late or done < count // 4:
            return set()
        wanted = ceil(2 * (done + 1) / 5)
        return {
            program
            for program in self._row
            if program not in self._heard and self._playing[program] < wanted
        }

    def _onset_mask(self, mask: Mask, due: set[int]) -> bool:
        """A note of the instrument that plays, or another instrument.

        Returns whether one that is due can still come here: then this position is not left.
        """
        free = self._free_now()
        here = {p for p in due if self._may_strike(p) and free[self._row[p]].any()}
        last = min(here, default=DRUMS)
        if self.program is not None and self.program <= last:
            self._part_mask(mask, free)
        first = self.layout.first("Program")
        for program, row in self._row.items():
            if program <= last and self._may_follow(program) and free[row].any():
                mask[first + program] = True
        return bool(here)

    def _may_strike(self, program: int) -> bool:
        """Whether an instrument may begin to play at this position, named or running."""
        return self._may_follow(program) or (program == self.program and not self.struck_here)

    def _may_follow(self, program: int) -> bool:
        """Whether the part of another instrument may come next at this position."""
        if self.program is None or not self.struck_here:
            return program != self.program
        return program > self.program

    def _part_mask(self, mask: Mask, free: Mask | None = None) -> None:
        """The next note of the instrument that plays: its velocity, its duration or its pitch."""
        program = self.program
        assert program is not None
        room = self._room(free)
        if not room.any():
            return
        velocity, _ = self.running(program)
        mask[slice(*self.layout.spans["Velocity"])] = True
        if velocity is not None:
            mask[velocity] = False
            self._sized(mask, room)

    def _sized_mask(self, mask: Mask) -> None:
        self._sized(mask, self._room())

    def _sized(self, mask: Mask, room: NDArray[np.int64]) -> None:
        """Behind a velocity: a duration that is not the last one, or a pitch."""
        assert self.program is not None
        first, last = self.layout.spans["Duration"]
        mask[first:last] = self.layout.durations <= room.max()
        _, duration = self.running(self.program)
        if duration is not None:
            mask[duration] = False
            self._pitches(mask, room)

    def _struck_mask(self, mask: Mask) -> None:
        self._pitches(mask, self._room())

    def _pitches(self, mask: Mask, room: NDArray[np.int64]) -> None:
        """Pitches at which a note of the running duration has room."""
        assert self.program is not None
        steps = self.layout.durations[self._duration[self.program] - self.layout.first("Duration")]
        mask[np.flatnonzero(room >= steps) + self.layout.pitch_base(self.program)] = True

    def _room(self, free: Mask | None = None) -> NDArray[np.int64]:
        """(128,) how long a note of the instrument that plays may sound, 0 where none may begin."""
        program = self.program
        assert program is not None
        row = self._row[program]
        open_now = (self._free_now() if free is None else free)[row]
        room: NDArray[np.int64] = np.where(open_now, self._until[row] - self._now, 0)
        room[: self.pitch + 1] = 0
        if self._late:
            return room
        if self.struck >= self._repetition.most_at_once(program):
            room[:] = 0
        elif not self.struck and (banned := self._repetition.banned_first(program)) is not None:
            kept, room[banned] = room[banned], 0
            if not room.any():
                room[banned] = kept
        return room

    def _later_positions(self, mask: Mask) -> None:
        first, start = self.layout.first("Position"), self.bar * self.bar_steps
        soonest = max(self.position + 1, self._first_room() - start)
        if soonest < self.bar_steps:
            mask[first + soonest : first + self.bar_steps] = True

    def _close_bar(self, mask: Mask) -> None:
        """Let the bar end. No bar of a whole piece is silent: real pieces hardly ever have one."""
        rests = not self._whole or (self._late and self.bar + 1 < self.last)
        if rests or not self._bare:
            mask[self.closing] = True
        elif not mask.any():  # a bar that is silent so far and has no room: cannot be
            raise AssertionError("the grammar ran into a dead end")

    @property
    def _bare(self) -> bool:
        """Whether nothing sounds in this bar."""
        return self._last_end <= self.bar * self.bar_steps

    def _free_now(self) -> NDArray[np.bool_]:
        """(programs, 128): playable, not sounding, and the instrument has a voice left."""
        sounding = self._free_at > self._now
        crowded = sounding.sum(axis=1, keepdims=True) >= MAX_VOICES
        return np.asarray(self._playable & ~sounding & ~crowded & (self._until > self._now))

    def _first_room(self) -> int:
        """The earliest step, from now on, at which some instrument has a voice and a pitch left."""
        best, soon = self.last * self.bar_steps, self._now + 1
        for free_at, playable in zip(self._free_at, self._playable, strict=True):
            silent = int(free_at[playable].min())
            if silent <= soon and np.count_nonzero(free_at > soon) < MAX_VOICES:
                return min(best, soon)  # the usual case needs no order
            best = min(best, max(silent, int(np.sort(free_at)[-MAX_VOICES])))
        return best


def allowed_ids(tokenizer: Tokenizer, plan: Plan | None = None) -> list[int]:
    """Ids of the LLM's id space that a score may hold: of one complete plan, or of any."""
    kinds = {kind for after in FOLLOWERS.values() for kind in after}
    return [
        tokenizer.offset + music_id
        for music_id, token in enumerate(tokenizer.vocabulary)
        if token.partition("_")[0] in kinds and (plan is None or _fits(token, plan))
    ]


def _fits(token: str, plan: Plan) -> bool:
    assert plan.bars is not None and plan.programs and plan.time_signature is not None
    kind, _, value = token.partition("_")
    if kind == "Bar":
        return int(value) <= min(plan.bars, COUNTED_BARS)
    if kind == "Position":
        return int(value) < positions_per_beat(plan.time_signature)[0]
    if kind == "Program":
        return int(value) in plan.programs
    if kind == "PitchDrum":
        return DRUMS in plan.programs
    return kind != "Pitch" or plan.programs != (DRUMS,)


# What may come next, by what is expected.
_MASKS: dict[str, Callable[[ScoreGrammar, Mask], None]] = {
    "bar": ScoreGrammar._bar_mask,
    "inside": ScoreGrammar._inside_mask,
    "part": ScoreGrammar._part_mask,
    "sized": ScoreGrammar._sized_mask,
    "struck": ScoreGrammar._struck_mask,
}
