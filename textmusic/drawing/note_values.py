"""The note values that spans of time are written in: whole numbers of ticks alone, see `bars`.

Inside a bar ticks count from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from textmusic.music.bars import TICKS, BarSpan

# What one symbol can last, plain or dotted.
_NOTES = (192, 144, 96, 72, 48, 36, 24, 18, 12, 9, 6, 3, 1)
_RESTS = (192, 96, 48, 24, 12, 6, 3, 1)
_TRIPLETS = (16, 12, 8, 6, 4, 3, 2, 1)  # as they sound: a quarter of a triplet is 16 ticks


class Value(NamedTuple):
    """One symbol. start: tick in the bar. length: as it sounds, in ticks.

    triplet: "" outside of one; "start", "stop", or "inside" it.
    """

    start: int
    length: int
    triplet: str = ""


def write(bar: BarSpan, spans: Sequence[tuple[int, int, bool]]) -> list[list[Value]]:
    """The symbols of each span of a voice; those of one span are tied.

    spans: (start, end, whether it is a rest) in ticks of the bar, which they fill without a gap.
    """
    edges = {start for start, _, _ in spans}
    triplets = list(_triplets(bar, edges))
    cuts = sorted({tick for pair in triplets for tick in pair})
    written = []
    for start, end, rest in spans:
        values: list[Value] = []
        inner = (cut for cut in cuts if start < cut < end)
        for begin, stop in pairwise([start, *inner, end]):
            inside = next((pair for pair in triplets if pair[0] <= begin < pair[1]), None)
            if inside is None:
                values += _plain(bar, begin, stop, rest)
            else:
                values += _in_triplet(begin, stop, *inside)
        written.append(values)
    return written


def _triplets(bar: BarSpan, edges: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The cells, or halves of them, in which something begins off the grid of 32nds."""
    for begin in range(0, bar.length, bar.cell):
        stop = min(begin + bar.cell, bar.length)
        inner = {edge for edge in edges if begin < edge < stop}
        if all((edge - begin) % 3 == 0 for edge in inner):
            continue
        half = begin + bar.cell // 2
        halves = [(begin, half), (half, stop)] if half in inner else [(begin, stop)]
        for pair in halves:
            if any((edge - pair[0]) % 3 for edge in inner if pair[0] < edge < pair[1]):
                yield pair


def _in_triplet(start: int, end: int, first: int, last: int) -> Iterator[Value]:
    while start < end:
        length = next(v for v in _TRIPLETS if v <= end - start)
        mark = "start" if start == first else "stop" if start + length == last else "inside"
        yield Value(start, length, mark)
        start += length


def _plain(bar: BarSpan, start: int, end: int, rest: bool) -> Iterator[Value]:
    fits = _rest_fits if rest else _note_fits
    while start < end:
        values = (*_RESTS, bar.beats[1]) if rest else _NOTES
        length = max(v for v in values if v <= end - start and (v == 1 or fits(bar, start, v)))
        yield Value(start, length)
        start += length


def _rest_fits(bar: BarSpan, start: int, length: int) -> bool:
    """Rests show the beats: none goes over one, but for half a bar of 4/4."""
    begin, stop = _beat(bar, start)
    if length == stop - begin:
        return start == begin and length in _NOTES
    if start + length <= stop:
        return (start - begin) % length == 0
    return length == bar.middle == bar.length // 2 == 48 and start % 48 == 0


def _note_fits(bar: BarSpan, start: int, length: int) -> bool:
    begin, stop = _beat(bar, start)
    end = start + length
    if end <= stop:
        offset = start - begin
        if offset % 12 == 0:
            return True
        # off the eighths: short enough to see the next one
        return length <= 18 if offset % 6 == 0 else offset // 12 == (offset + length - 1) // 12
    on_beats = start == begin and end in bar.beats
    if start < bar.middle < end:
        return on_beats and (bar.length == 4 * (stop - begin) or length == bar.length)
    if stop - begin != TICKS or bar.denominator > 4:  # beats of three, or of half notes
        return on_beats
    return on_beats or ((start - begin) % 12 == 0 and length in (24, 36))


def _beat(bar: BarSpan, tick: int) -> tuple[int, int]:
    """Beginning and end of the beat that a tick lies in."""
    return next(pair for pair in pairwise(bar.beats) if tick < pair[1])
