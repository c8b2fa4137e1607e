"""Measures as written -> a score whose bar lines stand where a count of bars puts them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from symusic import Note, Score, Tempo, TimeSignature, Track

from textmusic.music.sanity import LONGEST_SCORE
from textmusic.music.theory import DRUMS
from textmusic.notation.sheet import (
    LONGEST_METRE,
    Measure,
    Metre,
    ParsedPiece,
    Sheet,
    UnreadableError,
    WrittenNote,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORE_TICKS = 5040  # a quarter note: divides by 3, 5, 7, 9 and 16
Move = tuple[int, int]  # from this tick of the file on, so many ticks later


def assembled(sheet: Sheet) -> ParsedPiece:
    """The score of a piece, a track for each part and program.

    Measures of one number begin together in all parts. Repeats are written once.
    """
    count = max((len(part) for part in sheet.parts), default=0)
    columns = [[part[i] for part in sheet.parts if i < len(part)] for i in range(count)]
    starts = [Fraction(0), *accumulate(_length(column) for column in columns)]
    if starts[-1] > LONGEST_SCORE:  # before its ticks no longer fit
        raise UnreadableError(f"is longer than {LONGEST_SCORE:,} quarter notes")
    lines = [_ticks(start) for start in starts]
    metres, moves = _metres([_leading(column) for column in columns], lines)
    score: Score = Score(SCORE_TICKS)
    for time, top, bottom in metres:
        score.time_signatures.append(TimeSignature(time, top, bottom))
    tempi: dict[int, float] = {}
    chords: dict[int, str] = {}
    for start, column in zip(starts, columns, strict=False):
        for measure in column:
            for offset, qpm in measure.tempi:
                tempi.setdefault(_moved(_ticks(start + offset), moves), qpm)
            for offset, symbol in measure.chords:
                chords.setdefault(_moved(_ticks(start + offset), moves), symbol)
    for time, qpm in sorted(tempi.items()):
        score.tempos.append(Tempo(time, qpm))
    heads = 0
    for part in sheet.parts:
        placed = [
            (_ticks(start + note.start), _ticks(note.length), note)
            for start, measure in zip(starts, part, strict=False)
            for note in measure.notes
        ]
        heads += len(placed)
        score.tracks.extend(_tracks(placed, moves))
    warning = ""
    if heads != sheet.written:
        warning = f"was not read whole ({heads:,} of {sheet.written:,} notes)"
    named = tuple((tick / SCORE_TICKS, symbol) for tick, symbol in sorted(chords.items()))
    return ParsedPiece(
        score, sheet.title, sheet.key,
        tempo=bool(tempi), filled=len(moves) - 1, warning=warning, chords=named,
    )  # fmt: skip


def _length(column: Sequence[Measure]) -> Fraction:
    """How long a measure is: as what is written in it, in the part that has most.

    A rest for the whole measure is as long as the notes of the others in a pickup, and never longer
    than a bar, whatever its program wrote.
    """
    played = [measure.length for measure in column if not measure.resting]
    if played and any(measure.short for measure in column):
        return max(played)
    return max(played + [_bar_at_most(measure) for measure in column if measure.resting])


def _bar_at_most(measure: Measure) -> Fraction:
    """The length of a measure, or of its bar where that is shorter."""
    if measure.metre is None:
        return measure.length
    return min(measure.length, Fraction(4 * measure.metre[0], measure.metre[1]))


def _leading(column: Sequence[Measure]) -> Measure:
    """The measure that the metre is taken from: of the first part that states one, or has one."""
    stating = (measure for measure in column if measure.stated)
    having = (measure for measure in column if measure.metre)
    return next(stating, next(having, column[0]))


def _ticks(quarters: Fraction) -> int:
    return round(quarters * SCORE_TICKS)


def _moved(time: int, moves: Sequence[Move]) -> int:
    """Where what stands at a tick of the file comes to stand."""
    place = bisect_right(moves, time, key=lambda move: move[0])
    return time + (moves[place - 1][1] if place else 0)


def _metres(
    measures: Sequence[Measure], lines: Sequence[int]
) -> tuple[list[tuple[int, int, int]], list[Move]]:
    """Time signatures (tick, numerator, denominator), and moves. lines: where measures begin.

    A measure that is shorter than its time signature is filled up with silence, so that bar lines
    stand where a count of bars puts them: at its front, where it is the first or under half a bar
    (a pickup), else at its end. Two that add up to a bar, as around a repeat sign, count as one.
    A measure that is too long, or has no metre, gets a time signature of its own; what is whole
    bars before the last one keeps its own (without a metre: 4/4). A piece that has neither metre
    nor bar line has no time signature.
    """
    if len(measures) == 1 and not measures[0].metre:
        return [], [(0, 0)]
    moves: list[Move] = [(0, 0)]
    metres: list[tuple[int, int, int]] = []
    left = 0  # ticks that a bar lacks which a short measure has begun
    for place, measure in enumerate(measures):
        start, end = lines[place], lines[place + 1]
        length, moved = end - start, moves[-1][1]
        if measure.stated:
            left = 0
        own = measure.metre or (4, 4)
        bar = SCORE_TICKS * 4 * own[0] // own[1]
        if length == 0:
            continue
        if left and length <= left:
            left -= length
            continue
        last = place == len(measures) - 1
        following = 0 if last else lines[place + 2] - end
        halves = place > 0 and length + following == bar and measure.metre is not None
        left = bar - length if halves else 0
        free = measure.metre is None
        if length >= 2 * bar and length % bar:  # whole bars, and one that is too long
            _add(metres, start + moved, own)
            start += (length // bar - 1) * bar
            length = end - start
        whole = length % bar == 0 or (length < bar and not free)
        _add(metres, start + moved, own if whole else _as_metre(length))
        if length < bar and not free and not halves and not last:
            front = place == 0 or length * 2 < bar
            moves.append((start if front else end, moved + bar - length))
    return metres, moves


def _add(metres: list[tuple[int, int, int]], time: int, metre: Metre) -> None:
    """Write a time signature, where it is not the one in force."""
    if not metres or metres[-1][1:] != metre:
        metres.append((time, *metre))


def _as_metre(ticks: int) -> Metre:
    """A time signature as long as a measure that is no whole bar: (3, 8)."""
    for bottom in (4, 8, 16, 32, 2, 1):
        top, rest = divmod(ticks * bottom, 4 * SCORE_TICKS)
        if rest == 0 and top <= LONGEST_METRE:
            return top, bottom
    return min(max(round(ticks * 8 / SCORE_TICKS), 1), LONGEST_METRE), 32


def _tracks(
    placed: Sequence[tuple[int, int, WrittenNote]], moves: Sequence[Move]
) -> Iterator[Track]:
    """The notes of a part, a track for each of its programs. placed: (tick, ticks, note)."""
    columns: dict[int, list[tuple[int, int, int, int]]] = {}
    for _, _, note in placed:
        columns.setdefault(note.program, [])
    for start, length, note in _joined(placed):
        columns[note.program].append(
            (_moved(start, moves), max(length, 1), note.pitch, note.velocity)
        )
    for program, notes in columns.items():
        drums = program == DRUMS
        track = Track(program=0 if drums else program, is_drum=drums)
        table: NDArray[np.int32] = np.array(notes, dtype=np.int32)
        small = table[:, 2:].astype(np.int8)
        track.notes = Note.from_numpy(*table[:, :2].T, *small.T, ttype="tick")
        yield track


def _joined(
    placed: Sequence[tuple[int, int, WrittenNote]],
) -> list[tuple[int, int, WrittenNote]]:
    """Tied notes as one, whatever voice or staff of the part each stands in."""
    joined: list[tuple[int, int, WrittenNote]] = []
    waiting: dict[tuple[int, int, int], list[int]] = {}  # (program, pitch, end) -> places
    for start, length, note in sorted(placed, key=lambda item: item[0]):
        before = waiting.get((note.program, note.pitch, start)) if note.tied else None
        if before:
            place = before.pop(0)
            begun, held, first = joined[place]
            joined[place] = (begun, held + length, first)
        else:
            place = len(joined)
            joined.append((start, length, note))
        if note.ties:
            waiting.setdefault((note.program, note.pitch, start + length), []).append(place)
    return joined
