"""Onsets -> beats: the period that the music goes in, and where each beat is.

The tracker is Ellis's (2007, "Beat Tracking by Dynamic Programming"), over the onsets of notes
instead of a spectrum: of several periods, the one whose beats fit best, by how many onsets fall on
them and on their halves or thirds, and by how usual such a tempo is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textmusic.transcription.notes_heard import NotesHeard

Floats = NDArray[np.float64]
STEP = 0.01  # seconds of the grid that beats are looked for on
BEATS = (40.0, 220.0)  # a minute
USUAL = 90.0  # beats a minute
SPREAD = 1.0  # of the usual tempi, in octaves (standard deviation)

_TIGHT = 400.0  # weight of a steady beat against a beat on an onset
_BLUR = 0.025  # seconds by which onsets and beats may differ
_FEWEST = 4  # beats
_CANDIDATES = 8
_THIRDS = 0.12  # how much better onsets have to fit thirds of a beat than its quarters
# What speaks for a period: the fit of the onsets, how much is struck on the beats, beats that are
# struck, a usual tempo; and against it: quarters of the beat, beats that are uneven.
_MERITS = (1.0, 1.0, 0.6, 1.5, -1.0, -4.0)


@dataclass(frozen=True, slots=True)
class Pulse:
    """Beats in seconds; the first is at or before the first note, the last behind the last one.

    parts: 2 where beats go in halves and quarters, 3 where they go in thirds. fit: 0 to 1, the
    share of the onsets that fall on the grid of the beats.
    """

    beats: Floats
    parts: int
    fit: float


def weights_of(notes: NotesHeard) -> tuple[Floats, Floats]:
    """(onsets, how much each counts): chords, long and low notes count more."""
    onsets: list[float] = []
    groups: list[list[int]] = []
    for i, at in enumerate(notes.start):
        if onsets and at - onsets[-1] < 0.035:
            groups[-1].append(i)
        else:
            onsets.append(float(at))
            groups.append([i])
    lasting = np.minimum(notes.end - notes.start, 1.0)
    low = np.clip((72 - notes.pitch) / 36, 0, 1)
    weight = np.array(
        [
            0.5 + 0.5 * min(len(g), 4) ** 0.5 + 0.7 * lasting[g].max() + 0.4 * low[g].max()
            for g in groups
        ]
    )
    middle = np.array([float(np.mean(notes.start[g])) for g in groups])
    gaps = np.minimum(np.diff(np.append(middle, notes.end.max())), 1.0)
    return middle, weight * (0.6 + 0.7 * np.sqrt(np.maximum(gaps, 0.02)))


def pulse_of(notes: NotesHeard, beat: float | None = None) -> Pulse:
    """The beats of some notes, one at least. beat: its length in seconds, where it is known."""
    onsets, weight = weights_of(notes)
    end = float(notes.end.max())
    strength = _strength(onsets, weight, end)
    periods = [beat] if beat else _periods(strength)
    best: tuple[float, Pulse] | None = None
    for period in periods:
        beats = _tracked(strength, period)
        if len(beats) < 2:
            continue
        pulse, merit = _judged(_covering(beats, onsets[0], end), onsets, weight)
        if best is None or merit > best[0]:
            best = merit, pulse
    if best is None:
        period = periods[0] if periods else 60 / USUAL
        count = int(np.ceil((end - onsets[0]) / period)) + 1
        return Pulse(onsets[0] + period * np.arange(max(count, 2)), 2, 0.0)
    return best[1]


def _strength(onsets: Floats, weight: Floats, end: float) -> Floats:
    """How much begins at each step of time."""
    line = np.zeros(int(end / STEP) + 2)
    np.add.at(line, np.minimum((onsets / STEP).astype(int), len(line) - 1), weight)
    reach = int(3 * _BLUR / STEP)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * STEP / _BLUR) ** 2)
    return np.convolve(line, kernel, mode="same")


def _periods(strength: Floats) -> list[float]:
    """Beat lengths in seconds at which the onsets come back, the best ones."""
    shortest, longest = (round(60 / bpm / STEP) for bpm in reversed(BEATS))
    centred = strength - strength.mean()
    size = 1 << (2 * len(centred)).bit_length()
    spectrum = np.fft.rfft(centred, size)
    back = np.fft.irfft(np.abs(spectrum) ** 2, size)[: 4 * longest + 8]
    back = np.pad(back, (0, max(0, 4 * longest + 8 - len(back))))
    lags = np.arange(shortest, longest + 1)
    merit = np.zeros(len(lags))
    for times, share in ((1, 1.0), (2, 0.5), (4, 0.25)):  # what comes back, comes back again
        near = [back[np.minimum(lags * times + d, len(back) - 1)] for d in range(-times + 1, times)]
        merit += share * np.max(near, axis=0)
    peaks = [
        i
        for i in range(len(lags))
        if merit[i] >= merit[max(i - 2, 0) : i + 3].max() and merit[i] > 0
    ]
    peaks.sort(key=lambda i: -merit[i] * _usual(60 / float(lags[i] * STEP)))
    found = [float(lags[i] * STEP) for i in peaks[:_CANDIDATES]]
    more = [p * ratio for p in found[:2] for ratio in (0.5, 2.0, 1.5, 3.0, 1 / 3, 2 / 3)]
    slowest, quickest = 60 / BEATS[0], 60 / BEATS[1]
    return found + [p for p in more if quickest <= p <= slowest] or [60 / USUAL]


def _usual(bpm: float) -> float:
    return float(np.exp(-0.5 * (np.log2(bpm / USUAL) / SPREAD) ** 2))


def _tracked(strength: Floats, period: float) -> Floats:
    """Beats about a period apart that hit as much as they can."""
    lag = period / STEP
    low, high = max(round(lag / 1.4), 1), round(lag * 1.4)
    steps = np.arange(low, high + 1)
    cost = -_TIGHT * np.log(steps / lag) ** 2
    scale = strength.std() + 1e-9
    local = strength / scale
    total, back = local.copy(), np.full(len(local), -1)
    for t in range(low, len(local)):
        reach = min(high, t)
        before = total[t - reach : t - low + 1][::-1] + cost[: reach - low + 1]
        k = int(np.argmax(before))
        if before[k] > 0:
            total[t] += before[k]
            back[t] = t - low - k
    tail = max(0, len(local) - int(lag) - 1)
    t = tail + int(np.argmax(total[tail:]))
    beats = []
    while t >= 0:
        beats.append(t)
        t = int(back[t])
    return np.array(beats[::-1]) * STEP


def _covering(beats: Floats, first: float, end: float) -> Floats:
    """The beats, and as many more at either end as it takes to reach over all notes."""
    ahead = float(np.median(np.diff(beats[:8])))
    behind = float(np.median(np.diff(beats[-8:])))
    before = max(0, int(np.ceil((beats[0] - first) / ahead - 0.1)))
    after = max(0, int(np.ceil((end - beats[-1]) / behind - 0.1)))
    return np.concatenate(
        [
            beats[0] - ahead * np.arange(before, 0, -1),
            beats,
            beats[-1] + behind * np.arange(1, after + 1),
        ]
    )


def _judged(beats: Floats, onsets: Floats, weight: Floats) -> tuple[Pulse, float]:
    """The pulse of some beats, and how well it fits."""
    length = float(beats[-1] - beats[0]) / (len(beats) - 1)
    places = in_beats(beats, onsets)
    phase = places % 1

    def near(*grid: float) -> Floats:
        """How near to one of these parts of a beat each onset is, 0 to 1."""
        off = np.min([np.abs((phase - g + 0.5) % 1 - 0.5) for g in grid], axis=0) * length
        return np.asarray(np.exp(-0.5 * (off / (1.5 * _BLUR)) ** 2))

    fits = {}
    for parts, grid in ((2, (0.0, 0.5, 0.25, 0.75)), (3, (0.0, 1 / 3, 2 / 3))):
        chance = min(1.0, len(grid) * 3.76 * _BLUR / length)  # of a time that is anywhere
        fits[parts] = float(
            np.average((near(*grid) - chance) / max(1 - chance, 0.05), weights=weight)
        )
    parts = 3 if fits[3] > fits[2] + _THIRDS else 2
    on = near(0.0)
    hit = np.zeros(len(beats), dtype=bool)
    hit[np.clip(np.rint(places[on > 0.3]).astype(int), 0, len(beats) - 1)] = True
    merits = (
        fits[parts], float(np.average(on, weights=weight)), float(hit.mean()),
        _usual(60 / length), min(float(near(0.25, 0.75).mean()), 0.3),
        float(np.diff(beats).std()) / length,
    )  # fmt: skip
    return Pulse(beats, parts, max(*fits.values(), 0.0)), float(np.dot(_MERITS, merits))


def in_beats(beats: Floats, times: Floats) -> Floats:
    """Seconds as beats from the first one, also before and behind them."""
    numbers = np.arange(len(beats), dtype=np.float64)
    inside = np.interp(times, beats, numbers)
    first, last = beats[1] - beats[0], beats[-1] - beats[-2]
    inside = np.where(times < beats[0], (times - beats[0]) / first, inside)
    return np.asarray(np.where(times > beats[-1], numbers[-1] + (times - beats[-1]) / last, inside))
