"""MidiTok's REMI stream and ours: the same notes in fewer tokens.

Folded are four things. A bar's time signature and the tempo stand in the plan and are not said
again in every bar. Bars are numbered by how many are left (`Bar_16` ... `Bar_1`), so that the model
always knows where the end is. Pitches are spelt as if the tonic were C, so that what is learnt in
one key is known in all. And velocity and duration have running status, as bytes of MIDI itself have
it: they are written only where they differ from the same instrument's last ones, before the pitch,
which strikes the note. `unfold` restores MidiTok's own stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from textmusic.music.notes import Note, grid_signature, positions_per_beat
from textmusic.music.plan import COUNTED_BARS, Plan
from textmusic.music.theory import DRUMS, quarters_per_bar, shift_of

END = "<|end|>"


class Struck(NamedTuple):
    """A note as it is written, in the order of writing.

    bar: index, from 0. position: steps of the grid from its bar line. pitch: as if the tonic were
    C, but for drums. velocity: as in MIDI. duration: MidiTok's "beats.part.parts".
    """

    bar: int
    position: int
    program: int
    pitch: int
    velocity: int
    duration: str

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Where it stands in the order of writing."""
        return self.bar, self.position, self.program, self.pitch

    def sounding(self, plan: Plan) -> Note:
        """The note that sounds, in the key and metre of a plan."""
        assert plan.time_signature is not None
        _, per_quarter = positions_per_beat(plan.time_signature)
        start = self.bar * quarters_per_bar(plan.time_signature) + self.position / per_quarter
        length = steps_of(self.duration) / per_quarter
        shift = 0 if self.program == DRUMS else shift_of(plan.key)
        return Note(start, length, self.pitch + shift, self.velocity, self.program)


@cache  # about 150 durations, each of which occurs a million times in a corpus
def steps_of(duration: str) -> int:
    """A duration of MidiTok's in steps of the grid (a twelfth of a beat): "1.6.12" -> 18."""
    beats, part, parts = map(int, duration.split("."))
    return beats * 12 + part * 12 // parts


@dataclass(slots=True)
class Reader:
    """Reads bars of our tokens one after the other and keeps the running velocity and duration."""

    program: int = 0
    running: dict[int, tuple[int, str]] = field(default_factory=dict)  # velocity, duration

    def bar(self, tokens: Iterable[str], bar: int) -> Iterator[Struck]:
        """The notes of one bar's tokens; those of other kinds are passed over."""
        position = 0
        for token in tokens:
            kind, _, value = token.partition("_")
            if kind in ("Pitch", "PitchDrum"):
                velocity, duration = self.running.get(self.program, (79, "1.0.12"))
                yield Struck(bar, position, self.program, int(value), velocity, duration)
            elif kind == "Duration":
                velocity, _ = self.running.get(self.program, (79, ""))
                self.running[self.program] = (velocity, value)
            elif kind == "Velocity":
                _, duration = self.running.get(self.program, (0, "1.0.12"))
                self.running[self.program] = (int(value), duration)
            elif kind == "Position":
                position = int(value)
            elif kind == "Program":
                self.program = int(value)


def struck(tokens: Sequence[str], first: int = 0) -> list[Struck]:
    """The notes of whole bars of our tokens; first: index of the first bar."""
    reader = Reader()
    notes: list[Struck] = []
    lines = [i for i, token in enumerate(tokens) if token.startswith("Bar_")] + [len(tokens)]
    for n in range(len(lines) - 1):
        notes += reader.bar(tokens[lines[n] + 1 : lines[n + 1]], first + n)
    return notes


def spelt(notes: Sequence[Struck], first: int, last: int, stop: int) -> list[str]:
    """Our tokens of the bars from first to last (without it), and of their notes.

    notes: in the order of writing, of these bars alone. stop: the bar that ends what is counted
    down: bar b is `Bar_(stop - b)`.
    """
    tokens: list[str] = []
    running: dict[int, tuple[int, str]] = {}
    program, at = -1, 0
    for bar in range(first, last):
        tokens.append(f"Bar_{min(stop - bar, COUNTED_BARS)}")
        position = -1
        while at < len(notes) and notes[at].bar == bar:
            note = notes[at]
            at += 1
            if note.position != position:
                position = note.position
                tokens.append(f"Position_{position}")
            if note.program != program:
                program = note.program
                tokens.append(f"Program_{program}")
            velocity, duration = running.get(program, (-1, ""))
            if note.velocity != velocity:
                tokens.append(f"Velocity_{note.velocity}")
            if note.duration != duration:
                tokens.append(f"Duration_{note.duration}")
            running[program] = (note.velocity, note.duration)
            tokens.append(f"{'PitchDrum' if program == DRUMS else 'Pitch'}_{note.pitch}")
    return tokens


def fold(tokens: list[str], bars: int, shift: int = 0) -> list[str]:
    """MidiTok's REMI stream as ours, `<|end|>` behind it; bars without notes are written too.

    shift: how far pitches are written below where they sound (`theory.shift_of`). Notes are written
    in the order of programs and pitches, however the stream has them.
    """
    notes: list[Struck] = []
    bar, position, program, pitch, velocity = -1, 0, 0, 0, 0
    for token in tokens:
        kind, _, value = token.partition("_")
        if kind == "Bar":
            bar += 1
        elif kind == "Position":
            position = int(value)
        elif kind == "Program":
            program = DRUMS if value == "-1" else int(value)
        elif kind == "Pitch":
            pitch = int(value) - shift
        elif kind == "PitchDrum":
            pitch = int(value)
        elif kind == "Velocity":
            velocity = int(value)
        elif kind == "Duration":
            notes.append(Struck(bar, position, program, pitch, velocity, value))
    notes.sort(key=lambda note: note.place)  # MidiTok keeps the order of a file's tracks
    return [*spelt(notes, 0, bars, bars), END]


def unfold(tokens: list[str], time_signature: str, shift: int = 0) -> list[str]:
    """Inverse of `fold`: the stream that MidiTok decodes."""
    metre = f"TimeSig_{grid_signature(time_signature)}"
    unfolded: list[str] = []
    running: dict[str, list[str]] = {}
    program = ""
    for token in tokens:
        kind, _, value = token.partition("_")
        if kind == "Bar":
            unfolded += ["Bar_None", metre]
        elif kind == "Program":
            program = f"Program_{-1 if int(value) == DRUMS else value}"
            unfolded.append(program)
        elif kind in ("Velocity", "Duration"):
            running.setdefault(program, ["", ""])[kind == "Duration"] = token
        elif kind in ("Pitch", "PitchDrum"):
            pitch = int(value) + (shift if kind == "Pitch" else 0)
            unfolded += [f"{kind}_{pitch}", *running[program]]
        elif token != END:
            unfolded.append(token)
    return unfolded
