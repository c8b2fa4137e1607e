"""Existing music: fitted to the vocabulary, cut, measured, and put together again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.music.bars import TICKS, bars_until
from textmusic.music.measure import measure
from textmusic.music.measure_sketch import SketchAdherence, sketch_adherence
from textmusic.music.nearest_metre import lengthened, longer_metre
from textmusic.music.notes import GRID, Notes, grid_of, notes_of, repaired, sliced, to_score
from textmusic.music.plan import MAX_PROGRAMS, TEMPO_RANGE, Plan
from textmusic.music.sketch import Row, Sketch
from textmusic.music.tempo_map import TempoMap
from textmusic.music.theory import DRUMS, TIME_SIGNATURES, quarters_per_bar

_PITCHES = ("outside the vocabulary's pitches", "too low or too high")  # in plain words
_SETUP = {0, 7, 10, 32, 91, 93}  # controllers: bank, volume, pan, sends; no part of the notes
_SHORT_END = 2  # bars of a metre that the vocabulary lacks, which are passed over at the end
Metre = tuple[float, str]  # quarter note, time signature


@dataclass(frozen=True, slots=True)
class Material:
    """A piece to continue. plan: as measured, of its last stretch in one metre.

    begin: quarter note at which that stretch begins; before it notes are kept as they are. stop:
    quarter note at which the piece's last bar ends. before: bars before the stretch. metre: that
    the piece itself ends in. simplified: what the vocabulary can't hold, and the model can't read.
    own_bar: quarter notes of the piece's own bars, where the model reads longer ones (11/8 as
    12/8): the notes of the stretch are in those then.
    """

    notes: Notes
    plan: Plan
    begin: float
    stop: float
    before: int
    metre: str
    simplified: tuple[str, ...] = ()
    own_bar: float | None = None

    @property
    def total(self) -> int:
        """Bars of the whole piece."""
        return self.before + self.bars + self.unread

    @property
    def written_bar(self) -> float:
        """Length of the stretch's bars in the piece itself, in quarter notes."""
        return self.bar if self.own_bar is None else self.own_bar

    @property
    def bar(self) -> float:
        """Length of a bar in quarter notes."""
        return quarters_per_bar(self.plan.time_signature or "4/4")

    @property
    def bars(self) -> int:
        """Bars of the last stretch, the last one filled up."""
        return self.plan.bars or 0

    @property
    def end(self) -> float:
        """Quarter note at which the last bar of the stretch ends."""
        return self.begin + self.bars * self.bar

    @property
    def unread(self) -> int:
        """Bars behind the stretch, in a metre that the vocabulary lacks."""
        if self.own_bar is not None or self.stop <= self.end + 1e-6:
            return 0
        return ceil((self.stop - self.end) / quarters_per_bar(self.metre) - 1e-6)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What of the piece the model reads otherwise, on one line; none where nothing is."""
        if not self.simplified:
            return ()
        return (
            "the model reads a simpler copy of your piece, and the piece itself keeps everything;"
            f" in the copy: {', '.join(self.simplified)}",
        )

    def cut(self, bars: int) -> Material:
        """The first bars of the last stretch alone (and what comes before it)."""
        read = self.begin + bars * self.bar
        metre = self.metre if not self.unread else self.plan.time_signature or "4/4"
        return replace(
            self, notes=sliced(self.notes, 0.0, read), plan=replace(self.plan, bars=bars),
            stop=self.begin + bars * self.written_bar, metre=metre,
        )  # fmt: skip

    def tail(self, bars: int) -> Notes:
        """The notes of its last bars, moved to 0."""
        return sliced(self.notes, self.end - bars * self.bar, self.end)

    def heard(self, score: Score, notes: Notes) -> Plan:
        """What is heard in a score that this has become; of several metres, that of the stretch.

        notes: those of the score.
        """
        heard = measure(score, notes=notes)
        if len({metre for _, metre in metres_of(score)}) < 2:
            return heard
        return replace(heard, time_signature=self.plan.time_signature)

    def kept(self, notes: Notes, rows: Sequence[Row], bars: tuple[int, int]) -> SketchAdherence:
        """How closely notes that this has become follow the sketch of the stretch.

        rows: of its bars. bars: those that are judged (from 0, and the one behind the last).
        """
        stretch = sliced(notes, self.begin, self.end)
        return sketch_adherence(stretch, self.plan, Sketch(tuple(rows)), bars)


def material_of(score: Score, *, longer: bool = False) -> Material:
    """The part of a score that can be continued.

    A metre that the vocabulary lacks is read as one whose bars are as long (8/8 as 4/4). One or two
    bars at the end for which there is none are passed over. longer: more of them are read as bars
    of the next longer metre (11/8 as 12/8). Raises TextMusicError if nothing is left: no notes in
    the vocabulary's range, an unsupported metre, or more instruments than a MIDI file has channels.
    """
    grid = max((grid_of(metre) for _, metre in metres_of(score)), default=GRID)
    marks = score.resample(grid, min_dur=1)
    done: Counter[str] = Counter()
    notes = repaired(notes_of(marks), done)
    if not len(notes):
        raise TextMusicError(
            "the file has no note that an instrument can play; choose another file."
        )
    programs = np.unique(notes.program)
    if (melodic := int((programs != DRUMS).sum())) > MAX_PROGRAMS:
        raise TextMusicError(
            f"the file has {melodic} instruments; choose a file with at most {MAX_PROGRAMS}."
        )
    end = float(notes.end.max())
    heard = [change for change in _changes(metres_of(marks)) if change[0] < end] or [(0.0, "4/4")]
    (begin, metre), until, unread = _stretch(heard, end, longer)
    at, written = heard[-1]
    last_bar = quarters_per_bar(written)
    own_bar = None
    if not unread and quarters_per_bar(metre) > last_bar + 1e-6:
        own_bar = last_bar
        notes = lengthened(notes, begin, last_bar, quarters_per_bar(metre)).sorted()
    stop = at + max(1, ceil((end - at) / last_bar - 1e-6)) * last_bar
    tempo = TempoMap.of_score(marks).at(stop)
    tempo = min(max(tempo, TEMPO_RANGE[0]), TEMPO_RANGE[1])
    read = sliced(notes, begin, until)
    if not len(read):
        raise TextMusicError(
            f"the file has no notes before its end in {written}; choose another file."
        )
    plan = replace(
        measure(to_score(read, metre, tempo)),
        programs=tuple(int(p) for p in programs),
        bars=max(1, ceil((min(end, until) - begin) / (own_bar or quarters_per_bar(metre)) - 1e-6)),
        begin=begin == 0,
        end=True,
    )
    simplified = _simplified(score, marks, done)
    if own_bar is not None:
        simplified = (f"{written} is {metre} with a rest at the end of each bar", *simplified)
    elif metre != written and not unread:
        simplified = (f"{written} is {metre}", *simplified)
    if unread:
        simplified = (f"the end in {written} is left out", *simplified)
    before = _bars_before(begin, heard)
    return Material(notes, plan, begin, stop, before, written, simplified, own_bar)


def readable(metre: str) -> str | None:
    """The metre of the vocabulary that one is read as: itself, or one whose bars are as long."""
    if metre in TIME_SIGNATURES:
        return metre
    top, bottom = map(int, metre.split("/"))
    alike = [m for m in TIME_SIGNATURES if quarters_per_bar(m) == top * 4 / bottom]
    compound = bottom >= 8 and top % 3 == 0
    # 12/16 goes in threes as 6/8 does, 8/8 in twos as 4/4 does
    alike.sort(key=lambda m: (m.endswith("/8") != compound, m.endswith("/2")))
    return alike[0] if alike else None


def _stretch(heard: Sequence[Metre], end: float, longer: bool) -> tuple[Metre, float, bool]:
    """The last stretch in a readable metre, where it ends, and whether something follows it."""
    at, metre = heard[-1]
    if (read := readable(metre)) is not None:
        return (at, read), np.inf, False
    short = end - at <= _SHORT_END * quarters_per_bar(metre) + 1e-6
    before = readable(heard[-2][1]) if len(heard) > 1 and short else None
    if before is None:
        if longer and (read := longer_metre(metre)) is not None:
            return (at, read), np.inf, False
        raise TextMusicError(
            f"the file ends in {metre}, which is not supported; choose one that ends in"
            f" {', '.join(TIME_SIGNATURES)}."
        )
    return (heard[-2][0], before), at, True


def metres_of(score: Score) -> list[Metre]:
    """(quarter note, time signature) of a score's changes; of several at one place, the last."""
    changes = {
        mark.time / score.ticks_per_quarter: f"{mark.numerator}/{mark.denominator}"
        for mark in score.time_signatures
    }
    return sorted(changes.items())


def _changes(marks: Sequence[Metre]) -> list[Metre]:
    """The marks that change something: not those that say on a bar line what holds already."""
    changes: list[Metre] = []
    at, metre = 0.0, "4/4"
    for start, said in marks:
        bars = (start - at) / quarters_per_bar(metre)
        if said == metre and abs(bars - round(bars)) < 1e-6 and (changes or start > 0):
            continue
        changes.append((start, said))
        at, metre = start, said
    return changes


def _bars_before(begin: float, heard: Sequence[Metre]) -> int:
    """Bars before a quarter note at which a metre begins."""
    if begin <= 0:
        return 0
    metres = [(round(at * TICKS), *map(int, metre.split("/"))) for at, metre in heard]
    return len(bars_until(round(begin * TICKS), [(t, top, low) for t, top, low in metres]))


def _simplified(score: Score, marks: Score, done: Counter[str]) -> tuple[str, ...]:
    """What of a score's notes and events the vocabulary can't hold."""
    said = []
    exact, rounded = notes_of(score), notes_of(marks)
    if len(exact) and not (
        np.allclose(np.sort(exact.start), np.sort(rounded.start), atol=1e-6)
        and np.allclose(np.sort(exact.duration), np.sort(rounded.duration), atol=1e-6)
    ):
        said.append(f"times are rounded to 1/{marks.ticks_per_quarter} of a quarter note")
    for what, count in done.items():
        if count:
            kind, _, why = what.replace(*_PITCHES).partition(": ")
            noun, _, verb = kind.partition(" ")
            nouns, be = (noun, "is") if count == 1 else (f"{noun}s", "are")
            said.append(f"{count:,} {nouns} {be} {verb} ({why})")
    events = {
        "controllers": any(c.number not in _SETUP for t in score.tracks for c in t.controls),
        "pedal": any(len(track.pedals) for track in score.tracks),
        "pitch bends": any(len(track.pitch_bends) for track in score.tracks),
    }
    if left := [name for name, there in events.items() if there]:
        said.append(f"{' and '.join(', '.join(left).rsplit(', ', 1))} are left out")
    return tuple(said)
