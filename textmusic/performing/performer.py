"""A piece performed bar by bar: what a bar sounds like depends on it and on those before it.

So a piece is performed in the same way while it is written and when it is finished.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from textmusic.music.notes import Floats, Ints, Notes
from textmusic.music.playing import Playing
from textmusic.music.tempo_map import TempoMap
from textmusic.music.theory import DRUMS
from textmusic.performing.articulation import KEYBOARDS, PEDALLED, held
from textmusic.performing.features import Metre, Past, drums, melodic
from textmusic.performing.pedal import pedalled
from textmusic.performing.tempo import Breathing
from textmusic.performing.timing import LIMIT, Player, Swing, swing_of
from textmusic.performing.touch import Written, deviation_of, played

TICKS = 480
"""Ticks a quarter note of all times that are given back."""
_PEDAL_DELAY = 0.07  # seconds by which the pedal goes down after a chord
_DOWN, _UP = 127, 0
_MINUTE, _SLOWEST = 60e6, (1 << 24) - 1  # microseconds; of a quarter note in a MIDI file
_DRUMS_LIFTED = 0.15  # of a stroke's written length


@dataclass(frozen=True, slots=True)
class Piece:
    """What has to be known of a piece before its first bar.

    tempo: quarter notes a minute. bars: of the whole piece.
    """

    time_signature: str
    tempo: float
    bars: int


@dataclass(frozen=True, slots=True)
class PlayedBar:
    """A bar as it is played; times in ticks from the beginning of the piece.

    start, stop, velocity: of its notes, in the order in which they were given. pedals: (program,
    tick, value).
    """

    start: Ints
    stop: Ints
    velocity: Ints
    pedals: tuple[tuple[int, int, int], ...]


@dataclass(slots=True)
class _Part:
    """What is remembered of one instrument."""

    past: Past = field(default_factory=Past)
    written: Written = field(default_factory=Written)
    player: Player = field(default_factory=Player)
    stops: dict[int, int] = field(default_factory=dict)  # by pitch: where its last note ends


class Performer:
    """Plays one piece; to be given its bars in turn."""

    def __init__(self, piece: Piece, playing: Playing) -> None:
        self.piece, self.playing = piece, playing
        self.metre = Metre.of(piece.time_signature)
        self.breathing = Breathing.of(playing, self.metre, piece.bars)
        self._half = swing_of(playing.genre, piece.tempo, self.metre)
        compound = piece.time_signature.endswith("/8")
        self._limit = LIMIT * TICKS / (24 if compound else 12)
        self._parts: dict[int, _Part] = {}

    def bar(self, notes: Notes, index: int) -> PlayedBar:
        """A bar's notes as they are played. index: from 0; notes: times from the piece's begin."""
        begin = index * self.metre.length
        order = np.lexsort((notes.pitch, notes.start, notes.program))
        ordered = notes.chosen(order)
        dice = np.random.default_rng([self.playing.seed, index])
        swing = Swing.of(ordered.start - begin, self.metre, self._half)
        rows = np.zeros((len(notes), 3), dtype=np.int64)
        pedals: list[tuple[int, int, int]] = []
        for program in np.unique(ordered.program):
            mine = np.flatnonzero(ordered.program == program)
            own = ordered.chosen(mine)
            rows[order[mine]] = self._part(int(program), own, index, swing, dice)
            if program in PEDALLED:
                pedals += self._pedals(int(program), own, index)
        return PlayedBar(rows[:, 0], rows[:, 1], rows[:, 2], tuple(pedals))

    def tempi(self, written: TempoMap) -> list[tuple[int, int]]:
        """(tick, microseconds a quarter note) of the whole piece; known before its notes are."""
        known = {round(quarter * TICKS): factor for quarter, factor in self.breathing.factors()}
        made: list[tuple[int, int]] = []
        factor = 1.0
        for tick in sorted({*known, *(round(quarter * TICKS) for quarter in written.starts)}):
            factor = known.get(tick, factor)
            size = round(round(_MINUTE / written.at(tick / TICKS)) / factor)
            if not made or made[-1][1] != size:
                made.append((tick, min(size, _SLOWEST)))
        return made

    def _part(
        self, program: int, notes: Notes, index: int, swing: Swing, dice: np.random.Generator
    ) -> Ints:
        """(N, 3) start, stop, velocity of one part's notes."""
        part = self._parts.setdefault(program, _Part())
        amount, metre = self.playing.amount, self.metre
        begin = index * metre.length
        start, is_drums = notes.start - begin, program == DRUMS
        if is_drums:
            features = drums(start, notes.pitch, metre, index, part.past)
        else:
            features = melodic(start, notes.duration, notes.pitch, metre, index, part.past)
        share = part.written.add(notes.velocity)
        deviation = share * deviation_of("drums" if is_drums else "melodic", features)
        velocity = played(notes.velocity, deviation, amount, dice)
        late = part.player.offsets(
            _under(start, notes.pitch, program), drums=is_drums,
            free=bool(self.breathing.strength), dice=dice,
        )  # fmt: skip
        ticks = amount * late / 1000 * self.piece.tempo / 60 * TICKS
        swung = (swing(start / metre.beat) * metre.beat - start) * TICKS * min(1.5 * amount, 1)
        written = np.rint(notes.start * TICKS)
        begun = np.rint(written + swung + np.clip(ticks, -self._limit, self._limit))
        begun = np.maximum(begun, round(begin * TICKS))
        if is_drums:  # let go of early enough for the next stroke to come before its time
            length = (1 - _DRUMS_LIFTED * amount) * notes.duration
            stop = np.maximum(np.rint((notes.start + length) * TICKS), begun + 1)
        else:
            stop = self._stops(program, notes, index, swing)
        return self._apart(part, notes.pitch, begun.astype(np.int64), stop.astype(np.int64),
                           velocity)  # fmt: skip

    def _stops(self, program: int, notes: Notes, index: int, swing: Swing) -> Floats:
        metre, amount = self.metre, self.playing.amount
        start = notes.start - index * metre.length
        share = held(program, self.playing.genre, start, notes.duration, notes.pitch, metre, index)
        end = start + notes.duration
        swung = np.where(end < metre.length - 1e-6, swing(end / metre.beat) * metre.beat, end)
        end = end + min(1.5 * amount, 1) * (swung - end)
        length = (1 - amount * (1 - share)) * notes.duration + end - start - notes.duration
        return np.rint((notes.start + length) * TICKS)

    def _apart(self, part: _Part, pitch: Ints, start: Ints, stop: Ints, velocity: Ints) -> Ints:
        """Rows in which no key is struck while it is still down, as it is written."""
        for n in range(len(start)):
            key = int(pitch[n])
            start[n] = max(start[n], part.stops.get(key, 0))
            stop[n] = max(stop[n], start[n] + 1)
            part.stops[key] = int(stop[n])
        return np.stack([start, stop, velocity], axis=1)

    def _pedals(self, program: int, notes: Notes, index: int) -> list[tuple[int, int, int]]:
        begin = index * self.metre.length
        found = pedalled(
            self.playing.genre, self.playing.amount, notes.start - begin, notes.duration,
            notes.pitch, self.metre,
        )  # fmt: skip
        delay = _PEDAL_DELAY * self.piece.tempo / 60
        rows = []
        for down, up in found:
            wait = min(delay, (up - down) / 4)
            rows.append((program, round((begin + down + wait) * TICKS), _DOWN))
            rows.append((program, round((begin + up) * TICKS), _UP))
        return rows


def _under(start: Floats, pitch: Ints, program: int) -> Floats:
    """1 for the notes of a keyboard's chord below its top one, 0 for all others."""
    if program not in KEYBOARDS:
        return np.zeros(len(start))
    together = np.abs(start[:, None] - start[None, :]) < 1e-6
    top = np.where(together, pitch[None, :], -1).max(axis=1)
    return np.asarray((pitch < top).astype(np.float64))
