"""A shared run in words, and the bars of both pieces beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from textmusic.language.names import instrument_name
from textmusic.library.lines import WHOLE
from textmusic.library.neighbours import interval_text
from textmusic.library.originality import Passage, speed, transposition
from textmusic.library.portrait import Portrait
from textmusic.music.chords import FLATS

RAREST = 0.001  # the smallest share of pairs that was counted


def bars_of(piece: Portrait, span: tuple[int, int]) -> tuple[int, int]:
    """The first and the last bar, from 1, of a run of notes."""
    first, last = piece.facts.bars([int(piece.lines.onset[place]) for place in span])
    return first, last


def bars_text(bars: tuple[int, int]) -> str:
    """ "bar 3", "bars 3-6" """
    return f"bar {bars[0]}" if bars[0] == bars[1] else f"bars {bars[0]}-{bars[1]}"


def usual_text(share: float) -> str:
    """How usual a run is between unrelated pieces: "as 1 in 50 unrelated pairs of pieces do"."""
    if share >= 0.5:
        return "as most unrelated pairs of real pieces do"
    return f"as {'at most ' if share <= RAREST else ''}1 in {round(1 / share):,} unrelated pairs do"


def melody_text(run: Passage, mine: Portrait, other: Portrait) -> str:
    """What is shared of the melody, in a line."""
    moved = interval_text(-transposition(run, mine.lines, other.lines)) or "at the same pitch"
    factor = speed(run, mine.lines, other.lines)
    if factor is None:
        timed = "in another rhythm"
    elif abs(factor - 1) < 0.05:
        timed = "in the same rhythm"
    else:
        timed = f"{factor:g} times as long" if factor > 1 else f"{1 / factor:g} times as fast"
    return f"{run.notes} notes, {moved}, {timed}, {_where(run, mine, other)}"


def rhythm_text(run: Passage, mine: Portrait, other: Portrait) -> str:
    """What is shared of the rhythm, in a line."""
    return f"{run.notes} notes, {_where(run, mine, other)}"


def _where(run: Passage, mine: Portrait, other: Portrait) -> str:
    here, there = bars_of(mine, run.mine), bars_of(other, run.theirs)
    return f"{bars_text(here)} and {bars_text(there)} there"


def beside(run: Passage, mine: Portrait, other: Portrait, most: int = 8) -> list[tuple[str, ...]]:
    """Rows (bar, notes, bar there, notes there) of a run, a row a bar; `most` at most."""
    ours, theirs = _by_bar(mine, run.mine), _by_bar(other, run.theirs)
    rows: list[tuple[str, ...]] = []
    for number in range(min(max(len(ours), len(theirs)), most)):
        left = ours[number] if number < len(ours) else ("", "")
        right = theirs[number] if number < len(theirs) else ("", "")
        rows.append((*left, *right))
    return rows


def _by_bar(piece: Portrait, span: tuple[int, int]) -> list[tuple[str, str]]:
    places = range(span[0], span[1] + 1)
    bars = piece.facts.bars([int(piece.lines.onset[place]) for place in places])
    found: dict[int, list[str]] = {}
    for place, bar in zip(places, bars, strict=True):
        found.setdefault(bar, []).append(pitch_name(int(piece.lines.pitch[place])))
    return [(str(bar), " ".join(names)) for bar, names in found.items()]


def pitch_name(pitch: int) -> str:
    """A MIDI note number as a name: 60 is C4."""
    return f"{FLATS[pitch % 12]}{pitch // 12 - 1}"


def player(piece: Portrait, place: int) -> str:
    """Who plays the line that a note is of: "flute"; "" for all together."""
    line = int(piece.lines.begin.searchsorted(place, side="right")) - 1
    program = int(piece.lines.program[line])
    return "" if program == WHOLE else instrument_name(program)


def names(said: Sequence[tuple[str, str]], most: int = 3) -> str:
    """Some files that could not be read, and why."""
    shown = "; ".join(f"{name} {why}" for name, why in said[:most])
    return shown + (f"; and {len(said) - most:,} more" if len(said) > most else "")
