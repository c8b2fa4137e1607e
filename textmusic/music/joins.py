"""How music goes over a bar line: at the borders of new bars, and in real pieces.

Times are in quarter notes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from textmusic.music.notes import Notes, top_line
from textmusic.music.theory import DRUMS

NEAR = 1.0  # quarter notes on either side of a bar line whose tones are its chords
LINE = 4.0  # quarter notes on either side in which the melody's last and next note are looked for

# Means of the two over the bar lines of real pieces, semitones (training/judge_composing.py).
USUAL_LEAP, USUAL_STEP = 5.6, 3.5


def melodic_leap(notes: Notes, at: float) -> float:
    """Semitones between the last note of the top line before a bar line and the next; 0 upwards.

    NaN where there is none within a bar of 4/4 on either side.
    """
    line = top_line(notes)
    before = line[(line[:, 0] < at - 1e-6) & (line[:, 0] >= at - LINE - 1e-6)]
    after = line[(line[:, 0] >= at - 1e-6) & (line[:, 0] < at + LINE - 1e-6)]
    if not len(before) or not len(after):
        return math.nan
    return float(abs(after[0, 1] - before[-1, 1]))


def chord_step(notes: Notes, at: float) -> float:
    """`voice_leading` of the chords on either side of a bar line, semitones; NaN without both.

    The chords are the pitch classes that sound in the quarter note before and after it; notes held
    over the line count on both sides.
    """
    before, after = (_sounding(notes, at - NEAR, at), _sounding(notes, at, at + NEAR))
    return voice_leading(before, after) if before and after else math.nan


def _sounding(notes: Notes, begin: float, end: float) -> list[int]:
    """The pitch classes that sound between two times, ascending."""
    heard = (notes.start < end - 1e-6) & (notes.end > begin + 1e-6) & (notes.program != DRUMS)
    return sorted({int(pitch) % 12 for pitch in notes.pitch[heard]})


def voice_leading(one: Sequence[int], two: Sequence[int]) -> float:
    """The least sum of semitones by which voices move from one chord to another; 0 upwards.

    one, two: pitch classes. Each tone is left and reached by one voice at least; tones may be
    doubled. Tymoczko 2006, "The Geometry of Musical Chords", Science 313 (its supporting material
    has the dynamic programme): a least voice leading has no crossings, so that it is a path through
    both chords, ascending, from some pair of tones back to that pair an octave higher.
    """
    a = sorted(set(one))
    best = math.inf
    targets = sorted(set(two))
    for turn in range(len(targets)):
        b = targets[turn:] + targets[:turn]
        cost = np.array([[_apart(x, y) for y in (*b, b[0])] for x in (*a, a[0])], dtype=float)
        total = np.full(cost.shape, math.inf)
        total[0, 0] = 0.0  # this pair is counted at the end
        for i in range(cost.shape[0]):
            for j in range(cost.shape[1]):
                if i or j:
                    before = [
                        total[i - di, j - dj]
                        for di, dj in ((1, 0), (0, 1), (1, 1))
                        if i >= di and j >= dj
                    ]
                    total[i, j] = min(before) + cost[i, j]
        best = min(best, float(total[-1, -1]))
    return best


def _apart(one: int, two: int) -> int:
    return min((one - two) % 12, (two - one) % 12)


def smoothest(
    versions: Sequence[Notes], borders: Sequence[float], span: tuple[float, float]
) -> int:
    """Which version of a piece goes over some bar lines most smoothly: its number.

    The least sum of leaps and chord steps, each over its mean at real pieces' bar lines. Silence is
    no smooth way: a border without either counts twice the mean, and a span of which half is silent
    as much as both figures of a border. span: where the versions differ.
    """

    def size(notes: Notes) -> float:
        figures = [
            figure(notes, at) / usual
            for at in borders
            for figure, usual in ((melodic_leap, USUAL_LEAP), (chord_step, USUAL_STEP))
        ]
        return sum(2.0 if math.isnan(value) else value for value in figures) + 4 * silent_share(
            notes, *span
        )

    return min(range(len(versions)), key=lambda number: size(versions[number]))


def silent_share(notes: Notes, begin: float, end: float) -> float:
    """Share of the quarter notes between two times in which nothing pitched sounds, 0 to 1."""
    quarters = np.arange(begin, end - 1e-6)
    return float(np.mean([not _sounding(notes, at, min(at + 1, end)) for at in quarters]))


def drums_on_accents(notes: Notes, bar: float, grid: int = 4) -> float:
    """Share of drum notes that begin on one of the places where the other instruments do, 0 to 1.

    Places are counted in the same bar, on a grid of so many to the quarter note. NaN without drums,
    or without others. A definition of our own. bar: its length.
    """
    drums = notes.program == DRUMS
    places = np.rint(notes.start * grid).astype(int)
    bars = np.floor(notes.start / bar + 1e-6).astype(int)
    heard = {int(b) for b in bars[~drums]}
    judged = drums & np.isin(bars, list(heard))
    if not judged.any():
        return math.nan
    return float(np.isin(places[judged], places[~drums]).mean())


def kicks_on_accents(notes: Notes, bar: float) -> float:
    """F1 of kick and snare against the piece's accents, 0 to 1; NaN without either.

    Accents are the sixteenths on which more notes begin, weighted by velocity, than on the mean
    sixteenth that has any in that bar. A definition of our own. bar: its length.
    """
    drums = notes.program == DRUMS
    low = drums & np.isin(notes.pitch, (35, 36, 38, 40, 37))
    places = np.rint(notes.start * 4).astype(int)
    per_bar = max(round(bar * 4), 1)
    accents: set[int] = set()
    weights: dict[int, float] = {}
    for place, velocity in zip(places[~drums], notes.velocity[~drums], strict=True):
        weights[int(place)] = weights.get(int(place), 0.0) + float(velocity)
    for number in {place // per_bar for place in weights}:
        here = {p: w for p, w in weights.items() if p // per_bar == number}
        usual = sum(here.values()) / len(here)
        accents |= {p for p, w in here.items() if w >= usual}
    struck = {int(place) for place in places[low]}
    if not accents or not struck:
        return math.nan
    return 2 * len(accents & struck) / (len(accents) + len(struck))
