"""The names over the bars of a piano roll: sections and chords."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from textmusic.drawing.shapes import Box, Label, Shape, fitted, text_width
from textmusic.music.chords import chord_name
from textmusic.music.markers import changes
from textmusic.music.sketch import Sketch

_CHORDS, _SECTIONS = 14.0, 18.0  # heights of the strips
_BAND = 14.0  # height of a section's band
_NUMBERS = 18.0  # from the chords (or the roll) up to the bands: the bars' numbers lie between
_SIZES = (10.0, 9.0, 8.0)  # of chord names: the first in which nearly all of them fit
_NEARLY = 0.95
_GAP = 3.0  # between two names


@dataclass(frozen=True, slots=True)
class _Name:
    """A chord's name. Times are in quarter notes of the piece, as everywhere here."""

    start: float
    stop: float
    text: str
    first: bool
    """Whether it begins with a bar."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names over the bars of a piece."""

    chords: tuple[_Name, ...] = ()
    sections: tuple[tuple[float, float, str], ...] = ()
    size: float = _SIZES[0]
    """Of the chords' letters."""

    @property
    def below(self) -> float:
        """Height of what lies between the roll and the bars' numbers."""
        return _CHORDS if self.chords else 0.0

    @property
    def height(self) -> float:
        """Height of all."""
        return self.below + (_SECTIONS if self.sections else 0.0)

    def shapes(
        self, x: Callable[[float], float], start: float, stop: float, top: float, right: float
    ) -> Iterator[Shape]:
        """The names over one line of the piece, from `start` to `stop`.

        x: where a time lies. top: where the roll begins. right: where the paper ends; no name goes
        beyond it. Names without room are left out; a tick shows each change.
        """
        for begin, end, section in self.sections:
            left, stopped = x(max(begin, start)), x(min(end, stop)) - 2
            if left < stopped:
                bottom = top - self.below - _NUMBERS
                yield from _band(left, stopped, bottom, section, goes_on=begin < start)
        inside = [name for name in self.chords if name.start < stop and name.stop > start]
        for name in inside:
            if name.start >= start:
                yield Box(x(name.start) - 0.5, top - 3, 1, 3, "quiet")
        taken: list[tuple[float, float]] = []
        # Those at the beginning of a bar, and long ones, matter most.
        for name in sorted(inside, key=lambda name: (not name.first, name.start - name.stop)):
            left = x(max(name.start, start))
            end = left + text_width(name.text, self.size)
            if end > right or any(left < b + _GAP and a < end + _GAP for a, b in taken):
                continue
            taken.append((left, end))
            # A chord from the line above is repeated faintly.
            fill = "ink" if name.start >= start else "quiet"
            yield Label(left, top - 4, name.text, self.size, fill)


def _band(left: float, right: float, bottom: float, name: str, *, goes_on: bool) -> Iterator[Shape]:
    """A section, or what is left of one that goes on from the line above."""
    width = right - left
    yield Box(left, bottom - _BAND, width, _BAND, "home", radius=min(3, width / 2))
    text = fitted(name, _SIZES[0], width - 10)
    if text not in ("", "…"):
        fill = "quiet" if goes_on else "ink"
        yield Label(left + 5, bottom - 3.5, text, _SIZES[0], fill, bold=not goes_on)


def names_over(
    bars: Sequence[tuple[float, float]],
    sketch: Sketch | None,
    sections: Sequence[tuple[int, str]],
    key: str | None,
    quarter: float,
) -> Names:
    """The names to be drawn over bars.

    Args:
        bars: start and beat length of every bar, and of the one after the last, in quarter notes.
        sketch: whose chords are named; rows without a bar are left out.
        sections: (first bar from 0, name) of each.
        key: for the spelling.
        quarter: width of a quarter note.
    """
    end = bars[-1][0]
    placed = []
    for bar, beat, chord in changes(sketch) if sketch else ():
        if bar < len(bars) - 1:
            start, length = bars[bar]
            # Chords change on quarters, but in metres of eighths (see `quarters_per_beat`).
            placed.append((start + beat * (0.5 if length == 0.5 else 1.0), beat == 0, chord))
    times = [*(start for start, _, _ in placed), end]
    chords = tuple(
        _Name(start, stop, chord_name(chord, key), first)
        for (start, stop), (_, first, chord) in zip(pairwise(times), placed, strict=True)
        if start < end
    )
    firsts = [(bar, name) for bar, name in sorted(sections) if bar < len(bars) - 1]
    edges = [bars[bar][0] for bar, _ in firsts] + [end]
    spans = tuple((a, b, name) for (a, b), (_, name) in zip(pairwise(edges), firsts, strict=True))
    return Names(chords, spans, _size(chords, quarter))


def _size(chords: Sequence[_Name], quarter: float) -> float:
    for size in _SIZES:
        fit = sum(
            text_width(name.text, size) + _GAP <= (name.stop - name.start) * quarter
            for name in chords
        )
        if fit >= _NEARLY * len(chords):
            return size
    return _SIZES[-1]
