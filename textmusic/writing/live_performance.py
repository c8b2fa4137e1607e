"""A piece performed while it is written: the score of each bar as it is played."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from symusic import ControlChange, Score, Tempo, Track
from symusic import Note as ScoreNote

from textmusic.music.midi_playing import PEDAL
from textmusic.music.notes import Ints, notes_of
from textmusic.music.plan import Plan
from textmusic.music.playing import Playing
from textmusic.music.tempo_map import TempoMap
from textmusic.music.theory import DRUMS, quarters_per_bar
from textmusic.performing.features import Metre
from textmusic.performing.performer import TICKS, Performer, Piece
from textmusic.performing.tempo import Breathing
from textmusic.writing.written import Bar


def longest(plan: Plan) -> float:
    """How many times as long as written a piece may be at most when it is performed."""
    assert plan.time_signature is not None and plan.bars is not None
    playing = Playing.of(plan, 0, 1.0)
    return Breathing.of(playing, Metre.of(plan.time_signature), plan.bars).longer()


class LivePerformance:
    """The performance of one piece, bar by bar. It keeps the notes that are still held."""

    def __init__(self, score: Score, bar: Bar, playing: Playing) -> None:
        """score: of the first bar, for the tempo. bar: any; its plan is the piece's."""
        assert bar.plan.time_signature is not None
        tempo = TempoMap.of_score(score)
        self._performer = Performer(Piece(bar.plan.time_signature, tempo.at(0), bar.total), playing)
        self._tempi = self._performer.tempi(tempo)
        self.tempi = TempoMap.of((tick / TICKS, 60e6 / size) for tick, size in self._tempi)
        """What is heard, from the first bar to the last."""
        self._bar = quarters_per_bar(bar.plan.time_signature) * TICKS
        self._tracks: dict[int, Track] = {}  # the latest of each program, 128 for drums
        self._held: dict[int, Ints] = {}  # by program: (N, 4) start, stop, pitch, velocity

    def add(self, score: Score, bar: Bar) -> Score:
        """A bar as it is played, and in it all notes that are held from earlier ones.

        score: of the bar's notes, in 480 ticks a quarter note from the beginning of the piece.
        """
        columns = notes_of(score)
        played = self._performer.bar(columns, bar.index)
        rows = np.stack([played.start, played.stop, columns.pitch, played.velocity], axis=1)
        self._tracks |= {DRUMS if t.is_drum else t.program: t.copy() for t in score.tracks}
        score = score.copy()
        score.tempos.clear()
        score.tempos.extend(Tempo(tick, mspq=size) for tick, size in self._tempi)
        score.tracks.clear()
        end = round((bar.index + 1) * self._bar)
        for program, track in sorted(self._tracks.items()):
            own = rows[columns.program == program]
            sounding = np.concatenate([self._held.get(program, own[:0]), own])
            if not len(sounding):
                continue
            track = track.copy()
            track.notes = _notes(sounding)
            track.controls.extend(
                ControlChange(tick, PEDAL, value)
                for of, tick, value in played.pedals
                if of == program
            )
            score.tracks.append(track)
            # where it ends is known by now, unless it is later; drums are as long as they are
            self._held[program] = sounding[(sounding[:, 1] > end) & (program != DRUMS)]
        return score

    def begins(self, bar: Bar) -> float:
        """When a bar begins, in seconds."""
        return self._seconds(round(bar.index * self._bar))

    def ends(self, bar: Bar) -> float:
        """When a bar ends, in seconds."""
        return self._seconds(round((bar.index + 1) * self._bar))

    def _seconds(self, tick: int) -> float:
        passed = 0.0
        for (start, size), (stop, _) in pairwise([*self._tempi, (tick, 0)]):
            passed += (min(stop, tick) - start) * size / TICKS / 1e6 if start < tick else 0.0
        return passed


def _notes(rows: Ints) -> ScoreNote:
    columns = (rows[:, 0], rows[:, 1] - rows[:, 0], rows[:, 2], rows[:, 3])
    types = (np.int32, np.int32, np.int8, np.int8)
    return ScoreNote.from_numpy(
        *(column.astype(kind) for column, kind in zip(columns, types, strict=True)), ttype="tick"
    )
