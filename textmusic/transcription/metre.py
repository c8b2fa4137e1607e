"""Beats -> bars: how many beats a bar has, and which of them is the first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from textmusic.transcription.beats import Pulse, in_beats, weights_of
from textmusic.transcription.notes_heard import NotesHeard

Floats = NDArray[np.float64]
SIMPLE = {2: "2/4", 3: "3/4", 4: "4/4"}
COMPOUND = {2: "6/8", 3: "9/8", 4: "12/8"}
# How much more often bars have so many beats: what the accents have to outweigh.
_USUAL = {2: -0.1, 3: -0.1, 4: 0.2}
_COMPOUND_USUAL = {2: 0.3, 3: -0.5, 4: -0.3}


def accents_of(notes: NotesHeard, pulse: Pulse) -> Floats:
    """(beats,) how much begins on each beat: long notes, chords and the bass count more."""
    onsets, weight = weights_of(notes)
    places = in_beats(pulse.beats, onsets)
    nearest = np.rint(places).astype(int)
    on = (np.abs(places - nearest) < 0.17) & (nearest >= 0) & (nearest < len(pulse.beats))
    accents = np.zeros(len(pulse.beats))
    np.maximum.at(accents, nearest[on], weight[on])
    bass = np.minimum.reduceat(notes.pitch, np.searchsorted(notes.start, onsets - 0.05))
    changed = np.append(True, np.diff(bass) != 0) & (bass <= np.quantile(notes.pitch, 0.35))
    np.add.at(accents, nearest[on], 0.4 * changed[on])
    return accents


def bars_of(notes: NotesHeard, pulse: Pulse, metre: str | None = None) -> tuple[str, int]:
    """(time signature, number of the first beat that begins a bar). metre: where it is known."""
    accents = accents_of(notes, pulse)
    spread = accents.std() + 1e-9
    named = COMPOUND if pulse.parts == 3 else SIMPLE
    usual = _COMPOUND_USUAL if pulse.parts == 3 else _USUAL
    counts = {beats_in(metre): metre} if metre else named
    best: tuple[float, str, int] | None = None
    for count, name in counts.items():
        for first in range(count):
            inside = (np.arange(len(accents)) - first) % count == 0
            if not inside.any() or inside.all():
                merit = 0.0
            else:
                merit = float(accents[inside].mean() - accents[~inside].mean()) / spread
                merit *= 1 - 1 / np.sqrt(max(inside.sum(), 1) + 1)  # of few bars little is known
            # a piece begins with a bar, or a little before one
            merit += usual.get(count, 0.0) + (0.15 if first == 0 else 0.0)
            if count == 4:  # the third beat is strong, too
                half = (np.arange(len(accents)) - first) % 4 == 2
                others = (np.arange(len(accents)) - first) % 2 == 1
                if half.any() and others.any():
                    merit += 0.35 * float(accents[half].mean() - accents[others].mean()) / spread
            if best is None or merit > best[0]:
                best = merit, name, first
    assert best is not None
    return best[1], best[2]


def beats_in(metre: str) -> int:
    """Beats of a bar as they are tapped: 6/8 has two, 3/4 three."""
    top, bottom = map(int, metre.split("/"))
    if bottom == 8 and top % 3 == 0 and top > 3:
        return top // 3
    return top


def quarters_in_beat(metre: str) -> float:
    """Length of a beat as it is tapped, in quarter notes: 6/8 -> 1.5."""
    top, bottom = map(int, metre.split("/"))
    return 1.5 if bottom == 8 and top % 3 == 0 and top > 3 else 4.0 / bottom
