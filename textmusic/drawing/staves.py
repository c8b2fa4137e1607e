"""Score -> staves, as musicians read them. Parts in score order, clefs, hands, voices.

Sounding music is not what is written. Onsets are kept, but in beats which mix two grids, where one
gives way by at most a twelfth of a quarter note. An end that falls on no sixteenth (or triplet, in
a beat of triplets) moves to one or to the next note, by little more than an eighth. A staff has two
voices: what is more than that at one time is shortened. Drum strokes last to the next one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

from textmusic.language.names import instrument_name
from textmusic.music.bars import SIXTEENTH, TICKS, BarSpan, bars_until
from textmusic.music.theory import DRUMS, MIDDLE_C

if TYPE_CHECKING:
    from symusic import Score, Track

FEET = (35, 36, 44)  # what drummers play with them: two bass drums, the hi-hat's pedal
# From the top of a score to its bottom: wind, brass, percussion, what is plucked, keys, voices,
# strings, and the bass beside the drums.
_ORDER = (
    *range(72, 80), 68, 69, 71, 70, *range(64, 68), 60, 56, 59, 61, 62, 63, 57, 58, 47,
    *range(8, 16), *range(112, 128), 46, *range(104, 112), *range(24, 32), *range(80, 104),
    *range(8), *range(16, 24), *range(52, 56), 40, 41, 42, *range(44, 46), *range(48, 52), 43,
    *range(32, 40),
)  # fmt: skip
_KEYBOARDS = {*range(9), *range(16, 22), 46}  # harps read two staves too
_ENSEMBLES = {*range(48, 56), *range(88, 96)}  # two staves where they fill them
_GUITARS, _BASSES = {*range(24, 32), 105}, {*range(32, 40), 43}
_LOW = {42, 47, 57, 58, 67, 70}  # cello, timpani, trombone, tuba, baritone saxophone, bassoon
_VIOLA, _PICCOLOS = 41, {72, 78}


class StaffNote(NamedTuple):
    """A note of one staff, in ticks of the piece."""

    start: int
    end: int
    pitch: int


@dataclass(frozen=True, slots=True)
class StaffChord:
    """Notes struck together and written with one length, in ticks of the piece.

    short: they sound less than half of it (a staccato).
    """

    start: int
    end: int
    pitches: tuple[int, ...]
    short: bool = False


Voice = tuple[StaffChord, ...]


@dataclass(frozen=True, slots=True)
class Staff:
    """One or two voices (the upper one first), and the clef they are read in.

    clef: "treble", "alto", "bass", "treble8vb", "bass8vb", "treble8va" or "percussion".
    """

    clef: str
    voices: tuple[Voice, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One player's part: a staff, or two with a brace. program: 128 is the drum kit."""

    name: str
    program: int
    staves: tuple[Staff, ...]


def read_parts(score: Score, split: int | None = None) -> tuple[list[Part], list[BarSpan]]:
    """The parts of a score, from top to bottom, and the bars that all of them have.

    A track with notes is a part; a score without any is a bar of rest.

    split: the lowest pitch of a right hand; None parts the hands where there is most room. Notes
    of other grids than 24 ticks a quarter go to the nearest tick.
    """
    score = score.resample(TICKS, min_dur=1)
    metres = [(mark.time, mark.numerator, mark.denominator) for mark in score.time_signatures]
    bars = bars_until(score.end(), metres)
    tracks = [track for track in score.tracks if len(track.notes)]
    parts = [_part(track, bars, split) for track in tracks]
    if not parts:
        parts = [Part("Music", 0, (Staff("treble", ()),))]
    rank = {program: place for place, program in enumerate((*_ORDER, DRUMS))}
    return sorted(parts, key=lambda part: rank[part.program]), bars


def _part(track: Track, bars: Sequence[BarSpan], split: int | None = None) -> Part:
    program = DRUMS if track.is_drum else track.program
    notes = {StaffNote(note.time, note.end, note.pitch) for note in track.notes}
    grid = _Grid(bars, sorted({note.start for note in notes}))
    longest: dict[tuple[int, int], int] = {}
    for start, end, pitch in notes:  # doubled notes are written once
        key = (grid.onset(start), pitch)
        longest[key] = max(longest.get(key, 0), end, key[0] + 1)
    placed = sorted(StaffNote(start, end, pitch) for (start, pitch), end in longest.items())
    if program == DRUMS:
        hands = [note for note in placed if note.pitch not in FEET]
        feet = [note for note in placed if note.pitch in FEET]
        staves = [Staff("percussion", tuple(_strokes(part, bars) for part in (hands, feet)))]
    else:
        apart = [placed]
        if program in _KEYBOARDS or (program in _ENSEMBLES and _is_wide(placed)):
            apart = _hands(placed, bars, split)
        clefs = ("treble", "bass") if len(apart) == 2 else (_clef(program, placed),)
        staves = [
            Staff(clef, _voices(_written(notes, bars)))
            for clef, notes in zip(clefs, apart, strict=True)
        ]
    name = track.name or instrument_name(program).capitalize()
    return Part(name, program, tuple(staves))


# Time ---------------------------------------------------------------------------------------------


class _Grid:
    """In what steps each cell (see `BarSpan.cell`) is divided, found from the onsets in it."""

    def __init__(self, bars: Sequence[BarSpan], onsets: Sequence[int]) -> None:
        self._moved: dict[int, int] = {}
        self._cells = [tick for bar in bars for tick in range(bar.start, bar.end, bar.cell)]
        self._steps = [SIXTEENTH] * len(self._cells)
        ends = [*self._cells[1:], bars[-1].end]
        for cell, inside in groupby(onsets, lambda tick: bisect_right(self._cells, tick) - 1):
            begin, length = self._cells[cell], ends[cell] - self._cells[cell]
            step, places = _divided([tick - begin for tick in inside], length)
            self._steps[cell] = step
            self._moved |= {begin + tick: begin + place for tick, place in places.items()}

    def onset(self, tick: int) -> int:
        """The tick at which an onset is written."""
        return self._moved[tick]

    def nearest(self, tick: int) -> int:
        """The tick of its cell's grid that is nearest to a tick."""
        begin, step = self._cell(tick)
        return begin + (tick - begin + step // 2) // step * step

    def after(self, tick: int) -> int:
        """The next tick of its cell's grid."""
        begin, step = self._cell(tick)
        return begin + ((tick - begin) // step + 1) * step

    def _cell(self, tick: int) -> tuple[int, int]:
        cell = bisect_right(self._cells, tick) - 1
        return self._cells[cell], self._steps[cell]


def _divided(onsets: list[int], length: int) -> tuple[int, dict[int, int]]:
    """The step that fits the onsets of a cell best, and where each of them is then written.

    Sixteenths come before triplets, and those before what is finer; no step may bring two onsets
    together or move one by more than two ticks, and where all of them do, nothing is moved.
    """
    found = []
    for rank, step in enumerate((SIXTEENTH, length // 3, 3, 4) if length >= 12 else (3,)):
        top = (length - 1) // step
        places = {tick: min((tick + step // 2) // step, top) * step for tick in onsets}
        most = max(abs(tick - place) for tick, place in places.items())
        if most <= 2 and len(set(places.values())) == len(onsets):
            cost = sum(abs(tick - place) for tick, place in places.items())
            found.append((cost, rank, step, places))
    if not found:
        return 1, {tick: tick for tick in onsets}
    _, _, step, places = min(found, key=lambda choice: choice[:2])
    return step, places


def _written(notes: Sequence[StaffNote], bars: Sequence[BarSpan]) -> list[tuple[StaffNote, bool]]:
    """The notes of a staff with ends that can be read, and whether each is a staccato."""
    onsets = sorted({note.start for note in notes})
    grid = _Grid(bars, onsets)
    again: dict[int, int] = {}  # when each pitch is struck next
    written = []
    for note in sorted(notes, reverse=True):
        end = _end(note, onsets, grid)
        end = min(end, again.get(note.pitch, end))
        again[note.pitch] = note.start
        short = end - note.start <= TICKS and 2 * (note.end - note.start) < end - note.start
        written.append((note._replace(end=end), short))
    return written[::-1]


def _end(note: StaffNote, onsets: Sequence[int], grid: _Grid) -> int:
    if (near := grid.nearest(note.end)) == note.end:
        return near
    after = bisect_left(onsets, note.end)
    before = onsets[after - 1]
    if note.start < before and note.end - before < SIXTEENTH:
        return before  # a little legato
    if after < len(onsets) and onsets[after] - note.end < 2 * SIXTEENTH:
        return onsets[after]
    return near if near > note.start else grid.after(note.start)


def _strokes(notes: Sequence[StaffNote], bars: Sequence[BarSpan]) -> Voice:
    """Drum strokes: each lasts to the next one, or to the end of its beat."""
    edges = [tick for bar in bars for tick in range(bar.start, bar.end, bar.cell)] + [bars[-1].end]
    starts = [*sorted({note.start for note in notes}), bars[-1].end]
    chords = []
    for start, following in pairwise(starts):
        pitches = tuple(note.pitch for note in notes if note.start == start)
        chords.append(StaffChord(start, min(following, edges[bisect_right(edges, start)]), pitches))
    return tuple(chords)


# Staves and voices --------------------------------------------------------------------------------


def _is_wide(notes: Sequence[StaffNote]) -> bool:
    """Whether a sixth of the notes or more are low ones, and a sixth high ones."""
    pitches = sorted(note.pitch for note in notes)
    sixth = len(pitches) // 6
    return pitches[sixth] < MIDDLE_C - 5 and pitches[-1 - sixth] > MIDDLE_C + 4


def _hands(
    notes: Sequence[StaffNote], bars: Sequence[BarSpan], at: int | None = None
) -> list[list[StaffNote]]:
    """Right hand, left hand: in each bar apart where there is most room around middle C.

    at: the lowest pitch of the right hand in all bars.
    """
    if at is not None:
        return [[n for n in notes if n.pitch >= at], [n for n in notes if n.pitch < at]]
    starts = [bar.start for bar in bars]
    right: list[StaffNote] = []
    left: list[StaffNote] = []
    for _, inside in groupby(notes, lambda note: bisect_right(starts, note.start)):
        bar = list(inside)
        pitches = sorted({note.pitch for note in bar if abs(note.pitch - MIDDLE_C) <= 7})
        gaps = [
            (low - high, abs(low + high - 2 * MIDDLE_C), high)
            for low, high in pairwise([MIDDLE_C - 8, *pitches, MIDDLE_C + 8])
        ]
        split = min(gaps)[2] if pitches else MIDDLE_C
        right += [note for note in bar if note.pitch >= split]
        left += [note for note in bar if note.pitch < split]
    return [right, left]


def _clef(program: int, notes: Sequence[StaffNote]) -> str:
    """What the instrument's players read, or else what the notes lie best in."""
    if program in _GUITARS:
        return "treble8vb"
    if program in _BASSES:
        return "bass8vb"
    if program == _VIOLA:
        return "alto"
    if program in _LOW:
        return "bass"
    mean = sum(note.pitch for note in notes) / len(notes)
    if program in _PICCOLOS or mean > 86:
        return "treble8va"
    return "treble" if mean >= MIDDLE_C - 2 else "bass"


def _voices(notes: Iterable[tuple[StaffNote, bool]]) -> tuple[Voice, ...]:
    """A staff's notes as chords in two voices that each sound one at a time."""
    struck: list[list[StaffChord]] = []
    for start, together in groupby(notes, lambda item: item[0].start):
        ends: dict[int, list[tuple[StaffNote, bool]]] = {}
        for item in together:
            ends.setdefault(item[0].end, []).append(item)
        chords = [
            StaffChord(
                start, end, tuple(n.pitch for n, _ in items), all(short for _, short in items)
            )
            for end, items in sorted(ends.items())
        ]
        struck.append(chords)
    voices: tuple[list[StaffChord], list[StaffChord]] = ([], [])
    for chords, following in pairwise([*struck, []]):
        start = chords[0].start
        free = [voice for voice in voices if not voice or voice[-1].end <= start]
        if not free:
            free = [min(voices, key=lambda voice: voice[-1].end)]
            free[0][-1] = replace(free[0][-1], end=start)
        if len(free) == 1:
            free[0].append(_merged(chords))
        elif len(chords) > 1:
            # apart where their ends are furthest apart
            gaps = [(b.end - a.end, place) for place, (a, b) in enumerate(pairwise(chords), 1)]
            cut = max(gaps)[1]
            pair = sorted((_merged(chords[:cut]), _merged(chords[cut:])), key=_height)
            voices[0].append(pair[1])
            voices[1].append(pair[0])
        else:
            held = bool(following) and chords[0].end > following[0].start
            below = held and _height(chords[0]) < _height(_merged(following))
            voices[below].append(chords[0])
    return tuple(tuple(voice) for voice in voices if voice)


def _merged(chords: Sequence[StaffChord]) -> StaffChord:
    """Chords of one onset as one, with the shortest one's length."""
    pitches = sorted({pitch for chord in chords for pitch in chord.pitches})
    first = min(chords, key=lambda chord: chord.end)
    return replace(first, pitches=tuple(pitches))


def _height(chord: StaffChord) -> float:
    return sum(chord.pitches) / len(chord.pitches)
