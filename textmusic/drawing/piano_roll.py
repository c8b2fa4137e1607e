"""Score -> piano roll: what sounds when, coloured by instrument, as SVG or PNG.

From left to right, time with bars numbered; from bottom to top, pitch, with the rows of the key
shaded; drums in a lane of their own below; stronger colours are louder notes. Where a sketch is
known, its chords and sections are named above (see `annotations`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, pairwise
from typing import TYPE_CHECKING

import numpy as np

from textmusic.drawing.annotations import names_over
from textmusic.drawing.shapes import (
    Box,
    Drawing,
    Label,
    Shape,
    Strip,
    fitted,
    flow,
    text_width,
    to_svg,
)
from textmusic.language.names import key_text, say
from textmusic.music.data_files import load_data
from textmusic.music.notes import Notes, notes_of
from textmusic.music.percussion import drum_name, kit_in
from textmusic.music.sketch import Sketch
from textmusic.music.tempo_map import TempoMap
from textmusic.music.theory import (
    DRUMS,
    MAJOR_SCALE,
    NATURAL_MINOR_SCALE,
    NO_KEY,
    is_minor,
    tonic,
)

if TYPE_CHECKING:
    from symusic import Score

_MARGIN = 20.0
_TITLE, _FACTS, _SMALL = 17.0, 12.0, 10.0  # text sizes
_WIDTH = 940.0  # of a system, which is what one line of a score is called
_QUARTERS = (18.0, 13.0, 9.0)  # widths of a quarter note: the first with few enough systems
_SYSTEMS = (1, 4)
_HEIGHT, _HEIGHT_OF_MANY = 330.0, 210.0  # of the pitched rows, aimed at; and limits for one row
_LOWEST_ROW, _HIGHEST_ROW = 3.5, 10.0
_FEWEST_ROWS = 24  # two octaves: a three-note tune should not look like a storm
_DRUM_ROW = 12.0
_LANE_GAP = 10.0
_SYSTEM_GAP = 34.0
_LEGEND_LINE = 20.0
_BLACK_KEYS = (1, 3, 6, 8, 10)
# Told apart on light and on dark paper; neighbours differ most.
_COLOURS = (
    "#3b76e8", "#ef7d1a", "#1f9d63", "#a64fe0", "#e0453a", "#12a5a5", "#c99400", "#e64a93",
    "#6a5be2", "#7c9b12", "#1b9ad6", "#a2683a", "#c2489f", "#4f9d3c", "#8a6fb0", "#d3692f",
)  # fmt: skip
_DRUM_COLOUR = "#7a8496"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Measures shared by all systems, in units of the drawing; times are in quarter notes."""

    left: float
    quarter: float
    """Width of a quarter note."""
    row: float
    pitches: range
    """Those that have a row, from the bottom up; none where only drums play."""
    drums: tuple[int, ...]
    """Drum pitches that have a row, from the top down."""
    kit: int
    """The drums' program: some kits have other sounds on some keys."""
    numbers: float = 6.0
    """From the top of a system up to its bars' numbers."""

    @property
    def lane(self) -> float:
        """Where the drums begin, below the top of a system."""
        return len(self.pitches) * self.row + (_LANE_GAP if self.pitches else 0)

    @property
    def height(self) -> float:
        drums = len(self.drums) * _DRUM_ROW
        return self.lane + drums if drums else len(self.pitches) * self.row

    @property
    def right(self) -> float:
        return self.left + _WIDTH


@dataclass(frozen=True, slots=True)
class _System:
    """One line of the picture: some bars, from left to right."""

    layout: _Layout
    top: float
    first: int
    """Index of its first bar in the piece, from 0."""
    bars: tuple[tuple[float, float], ...]
    """Start and beat length of its bars, and of the one that follows."""

    @property
    def start(self) -> float:
        return self.bars[0][0]

    @property
    def stop(self) -> float:
        return self.bars[-1][0]

    @property
    def width(self) -> float:
        return (self.stop - self.start) * self.layout.quarter

    def x(self, time: float) -> float:
        return self.layout.left + (time - self.start) * self.layout.quarter

    def y(self, pitch: int) -> float:
        return self.top + (self.layout.pitches.stop - 1 - pitch) * self.layout.row

    def drum_y(self, pitch: int) -> float:
        return self.top + self.layout.lane + self.layout.drums.index(pitch) * _DRUM_ROW


def piano_roll(
    score: Score, *, key: str | None = None, title: str = "", bars: int = 1,
    sketch: Sketch | None = None, sections: Sequence[tuple[int, str]] = (),
    notes: Notes | None = None,
) -> Drawing:  # fmt: skip
    """The piano roll of a score, as shapes; long pieces take several systems.

    Args:
        score: any score; one without notes gives an empty roll.
        key: shade the rows of this key's scale, as in "D minor"; without it, the black keys' rows.
        title: written above; shortened where it is too long.
        bars: room for so many at least, as for a score that is still being written.
        sketch: its chords are named over their beats, spelt as suits the key.
        sections: (first bar from 0, name) of each, shown over the bars' numbers.
        notes: those of the score, where they are at hand.
    """
    score = score.to("tick") if score.ttype != "tick" else score
    notes = notes_of(score) if notes is None else notes
    key = None if key == NO_KEY else key
    # A hair past the last start, for a note without length has to be in some bar too.
    end = float(np.maximum(notes.end, notes.start + 1e-3).max()) if len(notes) else 0.0
    lines = tuple(bar_starts(score, end, bars))
    layout, groups = _layout(notes, lines, kit_in(score))
    names = names_over(lines, sketch, sections, key, layout.quarter)
    layout = replace(layout, numbers=layout.numbers + names.below)
    facts = facts_of(score, len(lines) - 1, key)
    y = _MARGIN
    headings: list[Shape] = []
    if title := fitted(title, _TITLE, layout.right - _MARGIN):
        headings.append(Label(_MARGIN, y + _TITLE, title, _TITLE, bold=True))
        y += _TITLE + 8
    headings.append(Label(_MARGIN, y + _FACTS, facts, _FACTS, "quiet"))
    y += _FACTS + _SYSTEM_GAP
    colours = colours_of(notes)
    drawn: list[Shape] = []
    strips = []
    tempi = TempoMap.of_score(score)
    for first, last in groups:
        y += names.height
        system = _System(layout, y, first, lines[first : last + 1])
        begin, stop = tempi.seconds(system.start), tempi.seconds(system.stop)
        strips.append(Strip(layout.left, y, system.width, layout.height, begin, stop))
        drawn += [*_rows(system, key), *_grid(system), *_notes(notes, system, colours)]
        edge = layout.right + _MARGIN - 2
        drawn += names.shapes(system.x, system.start, system.stop, y, edge)
        y += layout.height + _SYSTEM_GAP
    legend, foot = flow(
        _legend(colours, key, bool(len(notes))),
        left=layout.left,
        right=layout.right,
        top=y - 8,
        line=_LEGEND_LINE,
    )
    width, height = layout.right + _MARGIN, foot + _MARGIN - 14
    paper = Box(0, 0, width, height, "paper", radius=6)
    spoken = f"Piano roll: {title}" if title else "Piano roll"
    shapes = (paper, *headings, *drawn, *legend)
    return Drawing(width, height, shapes, f"{spoken} ({facts})", tuple(strips))


def piano_roll_svg(
    score: Score, *, key: str | None = None, title: str = "", bars: int = 1,
    sketch: Sketch | None = None, sections: Sequence[tuple[int, str]] = (),
) -> str:  # fmt: skip
    """`piano_roll` as one SVG element; it follows the reader's light or dark setting."""
    shown = piano_roll(score, key=key, title=title, bars=bars, sketch=sketch, sections=sections)
    return to_svg(shown)


def _layout(
    notes: Notes, bars: tuple[tuple[float, float], ...], kit: int
) -> tuple[_Layout, list[tuple[int, int]]]:
    """The shared layout, and for each system its first bar and the one after its last."""
    drums = tuple(int(p) for p in np.unique(notes.pitch[notes.program == DRUMS])[::-1])
    length, count = bars[-1][0], len(bars) - 1
    for quarter, most in zip(_QUARTERS, (*_SYSTEMS, count), strict=True):
        per_system = max(int(_WIDTH / quarter * count / length), 1)
        if per_system > 4 and per_system < count:
            per_system -= per_system % 4  # phrases come in fours
        if per_system * most >= count:
            break
    groups = [(i, min(i + per_system, count)) for i in range(0, count, per_system)]
    longest = max(bars[last][0] - bars[first][0] for first, last in groups)
    pitches = _pitches(notes)
    height = _HEIGHT if len(groups) == 1 else _HEIGHT_OF_MANY
    row = min(max(height / max(len(pitches), 1), _LOWEST_ROW), _HIGHEST_ROW)
    labels = max(
        (text_width(drum_name(pitch, kit).lower(), _SMALL) for pitch in drums), default=18.0
    )
    return _Layout(_MARGIN + labels + 8, _WIDTH / longest, row, pitches, drums, kit), groups


def _pitches(notes: Notes) -> range:
    """The pitches to show: those that sound, and some more on both sides."""
    pitched = notes.pitch[notes.program != DRUMS]
    if not len(pitched):
        return range(0) if len(notes) else range(48, 73)
    lowest, highest = int(pitched.min()), int(pitched.max())
    spare = max(_FEWEST_ROWS - (highest - lowest + 1), 4)
    return range(max(lowest - spare // 2, 0), min(highest + (spare + 1) // 2, 127) + 1)


def bar_starts(score: Score, end: float, fewest: int) -> Iterator[tuple[float, float]]:
    """Start and beat length of every bar (at least `fewest`), and of the one after the last."""
    changes = [
        (change.time / score.ticks_per_quarter, change.numerator, change.denominator)
        for change in sorted(score.time_signatures, key=lambda change: int(change.time))
    ]
    time, top, bottom = 0.0, 4, 4
    for index in count():
        while changes and changes[0][0] <= time + 1e-6:
            _, top, bottom = changes.pop(0)
        yield time, 4 / bottom
        if index >= fewest and time >= end - 1e-6:
            return
        following = time + max(top * 4 / bottom, 0.25)
        # A metre that changes inside a bar begins a new one there.
        time = min(following, changes[0][0]) if changes else following


def colours_of(notes: Notes) -> Mapping[int, str]:
    """Each program's colour, in program order."""
    programs = [int(program) for program in np.unique(notes.program)]
    return {
        program: _DRUM_COLOUR if program == DRUMS else _COLOURS[index % len(_COLOURS)]
        for index, program in enumerate(programs)
    }


def facts_of(score: Score, bars: int, key: str | None, language: str = "en") -> str:
    """One line: "D minor · 60 bpm · 4/4 · 16 bars"."""
    tempi = TempoMap.of_score(score).qpm
    metres = [f"{m.numerator}/{m.denominator}" for m in score.time_signatures] or ["4/4"]
    changing = say("changing", language)
    known = [
        key_text(key, language) if key else "",
        say("some_bpm", language).format(tempi[0]) + changing * (len(set(tempi)) > 1),
        metres[0] + changing * (len(set(metres)) > 1),
        say("one_bar" if bars == 1 else "many_bars", language).format(bars),
    ]
    return "  ·  ".join(fact for fact in known if fact)


def _rows(system: _System, key: str | None) -> Iterator[Shape]:
    layout = system.layout
    home = tonic(key) if key else -1
    shaded: Sequence[int] = _BLACK_KEYS
    if key:
        scale = NATURAL_MINOR_SCALE if is_minor(key) else MAJOR_SCALE
        shaded = [(home + step) % 12 for step in scale]
    for pitch in layout.pitches:
        y = system.y(pitch)
        if pitch % 12 in shaded:
            fill = "home" if pitch % 12 == home else "shade"
            yield Box(layout.left, y, system.width, layout.row, fill)
        if pitch % 12 == 0:
            yield Box(layout.left, y + layout.row - 0.5, system.width, 0.5, "bar")
            yield _row_name(layout, y + layout.row / 2, f"C{pitch // 12 - 1}")
    for index, pitch in enumerate(layout.drums):
        y = system.drum_y(pitch)
        if index % 2 == 0:
            yield Box(layout.left, y, system.width, _DRUM_ROW, "shade")
        yield _row_name(layout, y + _DRUM_ROW / 2, drum_name(pitch, layout.kit).lower())


def _row_name(layout: _Layout, middle: float, name: str) -> Label:
    return Label(layout.left - 8, middle + _SMALL * 0.35, name, _SMALL, "quiet", "end")


def _grid(system: _System) -> Iterator[Shape]:
    layout, bars = system.layout, system.bars
    lanes = [(system.top, len(layout.pitches) * layout.row)] if layout.pitches else []
    if layout.drums:
        lanes.append((system.top + layout.lane, len(layout.drums) * _DRUM_ROW))

    def upright(time: float, fill: str, width: float) -> Iterator[Shape]:
        for top, height in lanes:
            yield Box(system.x(time) - width / 2, top, width, height, fill)

    for (start, beat), (stop, _) in pairwise(bars):
        if beat * layout.quarter >= 8:  # closer lines would only make the roll grey
            for time in np.arange(start + beat, stop - 1e-6, beat):
                yield from upright(float(time), "grid", 0.75)
    for start, _ in bars:
        yield from upright(start, "bar", 1)
    spacing = system.width / (len(bars) - 1)
    every = next(n for n in (1, 2, 4, 8, 16) if n * spacing >= 24 or n == 16)
    for index in range(0, len(bars) - 1, every):
        x = system.x(bars[index][0])
        yield Label(
            x + 1, system.top - layout.numbers, str(system.first + index + 1), _SMALL, "quiet"
        )


def _notes(notes: Notes, system: _System, colours: Mapping[int, str]) -> Iterator[Shape]:
    layout = system.layout
    begun = notes.start >= system.start - 1e-6
    shown = (notes.start < system.stop - 1e-6) & (begun | (notes.end > system.start + 1e-6))
    # Long notes first, so that a short one over a long one can be seen.
    order = np.argsort(-notes.duration, kind="stable")
    for index in order[shown[order]]:
        program, pitch = int(notes.program[index]), int(notes.pitch[index])
        start = max(float(notes.start[index]), system.start)
        if program == DRUMS:
            if not begun[index]:
                continue
            height, y = _DRUM_ROW - 3, system.drum_y(pitch) + 1.5
            # A stroke; its length says nothing.
            width = min(max(0.22 * layout.quarter, 2.0), 5.0)
        else:
            height, y = layout.row - 0.6, system.y(pitch) + 0.3
            # A hair short, so that repeated notes are seen apart.
            length = min(float(notes.end[index]), system.stop) - start
            width = max(length * layout.quarter - 0.8, 1.2)
        opacity = 0.3 + 0.7 * min(int(notes.velocity[index]), 127) / 127
        kind = "note" if begun[index] else "tied"  # tied over from the system above
        radius = min(1.5, width / 2, height / 3)
        yield Box(system.x(start), y, width, height, colours[program], opacity, radius, kind)


def _legend(
    colours: Mapping[int, str], key: str | None, sounding: bool
) -> Iterator[tuple[float, Callable[[float, float], list[Shape]]]]:
    names = load_data("instruments.json")["program"] if colours else {}

    def entry(
        text: str, swatches: list[tuple[str, float]]
    ) -> tuple[float, Callable[[float, float], list[Shape]]]:
        side, gap = 11.0, 6.0

        def paint(x: float, y: float) -> list[Shape]:
            boxes = [
                Box(x + i * (side + 2), y - side + 1.5, side, side, fill, opacity, 2)
                for i, (fill, opacity) in enumerate(swatches)
            ]
            after = x + len(swatches) * (side + 2) - 2 + gap
            return [*boxes, Label(after, y, text, _FACTS)]

        return len(swatches) * (side + 2) + gap + text_width(text, _FACTS) + 14, paint

    for program, colour in colours.items():
        yield entry(names[str(program)]["name"], [(colour, 1.0)])
    if sounding:
        first = next(iter(colours.values()))
        yield entry("soft to loud", [(first, 0.4), (first, 0.7), (first, 1.0)])
    else:
        yield entry("no notes", [])
    if key:
        yield entry(f"scale of {key}", [("home", 1.0), ("shade", 1.0)])
