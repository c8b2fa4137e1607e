"""Notes -> what the music is like, in numbers: the features whose distributions are compared.

Drums are left out of what concerns pitch. Features follow Dong et al. 2020 (MusPy), Wu & Yang 2020
(The Jazz Transformer: entropy, grooving) and Yang & Lerch 2020 (overlapping area). Where one is
not quite what MusPy computes, its docstring says so; tests/test_oracle.py holds them against MusPy.

Times are in quarter notes. A piece has at least one note.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from textmusic.music.notes import Floats, Notes, top_line
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS, MAJOR_SCALE, NO_KEY, degrees_of, quarters_per_bar, tonic

GROOVE_GRID = 4  # grooving looks at sixteenths of a quarter-note beat


def features(notes: Notes, plan: Plan) -> dict[str, float]:
    """Every feature of a piece; NaN where it has none (no pitched notes, a single onset).

    Those without a function of their own follow Yang & Lerch 2020, who have seconds for our quarter
    notes. notes per bar: notes, drums too, over bars up to the end of the last note, above 0. note
    length: the mean, quarter notes, above 0. interval: the mean size of the steps of the top line,
    semitones, 0 upwards. inter-onset interval: the mean time between onsets, notes struck together
    counting once, quarter notes, above 0.
    """
    bar = quarters_per_bar(plan.time_signature or "4/4")
    tonal = notes.program != DRUMS
    line = top_line(notes)
    with np.errstate(invalid="ignore"):
        return {
            "pitch-class entropy": pitch_class_entropy(notes.pitch[tonal]),
            "notes per bar": len(notes) / max(np.ceil(notes.end.max() / bar), 1),
            "polyphony": polyphony(notes),
            "note length": _mean(notes.duration),
            "interval": _mean(np.abs(np.diff(line[:, 1]))),
            "inter-onset interval": _mean(np.diff(np.unique(notes.start))),
            "groove consistency": groove_consistency(notes, bar),
            "scale consistency": scale_consistency(notes.pitch[tonal]),
        }


def _mean(values: NDArray[np.generic]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def pitch_class_entropy(pitch: NDArray[np.int64]) -> float:
    """Shannon entropy of the 12 pitch classes' shares, bits: 0 (one tone) to 3.58 (all alike).

    Notes are counted, whatever their length. Wu & Yang 2020, there of one or four bars; MusPy's
    `pitch_class_entropy`.
    """
    if not len(pitch):
        return float("nan")
    share = np.bincount(pitch % 12, minlength=12) / len(pitch)
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def scale_consistency(pitch: NDArray[np.int64]) -> float:
    """Largest share of notes in one major or natural minor scale, 7/12 (every tone alike) to 1.

    Mogren 2016; MusPy's `scale_consistency`. Minor scales need no look of their own: each has the
    tones of its relative major.
    """
    if not len(pitch):
        return float("nan")
    share = np.bincount(pitch % 12, minlength=12) / len(pitch)
    return float(max(np.roll(share, -root)[list(MAJOR_SCALE)].sum() for root in range(12)))


def polyphony(notes: Notes) -> float:
    """Notes that sound on average while any does; at least 1.

    MusPy's `polyphony` counts pitches instead: two instruments in unison count once there and
    twice here, and drums count here only. Else the two are the same.
    """
    edges = np.concatenate([notes.start, notes.end])
    change = np.concatenate([np.ones(len(notes)), -np.ones(len(notes))])
    order = np.lexsort((change, edges))
    sounding = np.cumsum(change[order])[:-1]
    span = np.diff(edges[order])
    active = span[sounding > 0].sum()
    return float((sounding * span).sum() / active) if active else float("nan")


def groove_consistency(notes: Notes, bar: float) -> float:
    """1 minus the mean share of sixteenths at which neighbouring bars' onsets differ, 0 to 1.

    bar: its length, quarter notes. An onset between two sixteenths counts as the earlier. NaN for a
    single bar. Drums count.

    MusPy's `groove_consistency` on a grid of sixteenths, less its last bar where no note begins:
    MusPy counts to the end of the last note, and one bar more where that is a bar line. On MusPy's
    own, finer grid nearly every place is empty in both bars, and the figure is close to 1 always.
    Wu & Yang 2020 compare all pairs of bars, on 64 places.
    """
    steps = max(round(bar * GROOVE_GRID), 1)
    index = np.floor(notes.start * GROOVE_GRID + 1e-6).astype(int)
    bars = int(index.max()) // steps + 1
    if bars < 2:
        return float("nan")
    onsets = np.zeros(bars * steps, dtype=bool)
    onsets[index] = True
    rows = onsets.reshape(bars, steps)
    return float(1 - (rows[1:] != rows[:-1]).mean())


def chromatic_share(notes: Notes, key: str | None) -> float:
    """Share of pitched notes outside the key's scale (minor with both sevenths), 0 to 1.

    1 minus MusPy's `pitch_in_scale_rate`, but for the raised seventh. NaN without a key or pitched
    notes.
    """
    pitch = notes.pitch[notes.program != DRUMS]
    if key is None or key == NO_KEY or not len(pitch):
        return float("nan")
    scale = degrees_of(key)
    return float(1 - np.isin((pitch - tonic(key)) % 12, scale).mean())


def ends_on_tonic(notes: Notes, key: str | None) -> bool | None:
    """Whether the last chord holds the tonic in its bass or its top; None without a key.

    The last chord: what sounds at the last onset. A definition of our own; as a figure, the share
    of pieces of which it is true, 0 to 1.
    """
    tonal = notes.program != DRUMS
    if key is None or key == NO_KEY or not tonal.any():
        return None
    last = notes.start[tonal].max()
    sounding = notes.pitch[tonal][notes.end[tonal] > last + 1e-6]
    return tonic(key) in (int(sounding.min()) % 12, int(sounding.max()) % 12)


def empty_bars(notes: Notes, plan: Plan) -> float:
    """Share of bars in which nothing sounds, 0 to 1, up to the end of the last note.

    MuseGAN's ratio of empty bars (Dong et al. 2018), there for each track. MusPy's
    `empty_measure_rate` takes the bar that begins where a note ends as sounding too, so that it is
    never higher than ours.
    """
    bar = quarters_per_bar(plan.time_signature or "4/4")
    total = int(np.ceil(notes.end.max() / bar - 1e-6))
    heard = np.zeros(total, dtype=bool)
    for start, end in zip(notes.start, notes.end, strict=True):
        heard[int(start // bar + 1e-6) : int(np.ceil(end / bar - 1e-6))] = True
    return float(1 - heard.mean())


def longest_loop(notes: Notes, plan: Plan) -> int:
    """The most bars in a row that repeat the bar before them note for note; 0 upwards.

    Bars are alike if they have the same onsets (to a thousandth of a quarter note), pitches and
    instruments; lengths and velocities may differ. Empty bars repeat nothing. A definition of our
    own.
    """
    bar = quarters_per_bar(plan.time_signature or "4/4")
    index = np.floor(notes.start / bar + 1e-6).astype(int)
    rows = [
        tuple(sorted(zip(np.round(notes.start[index == i] - i * bar, 3), notes.pitch[index == i],
                         notes.program[index == i], strict=True)))
        for i in range(int(index.max()) + 1)
    ]  # fmt: skip
    longest = run = 0
    for before, after in pairwise(rows):
        run = run + 1 if after and after == before else 0
        longest = max(longest, run)
    return longest


def grid_over(one: Floats, two: Floats, points: int = 512) -> Floats:
    """(points,) numbers that reach over both samples, and three bandwidths beyond."""
    both = np.concatenate([one, two])
    margin = 3 * bandwidth(both)
    return np.linspace(both.min() - margin, both.max() + margin, points)


def bandwidth(sample: Floats) -> float:
    """Scott's (1992) width of a Gaussian kernel; unit: that of the numbers."""
    return float(max(sample.std(ddof=1), 1e-3) * len(sample) ** -0.2)


def kernels(sample: Floats, grid: Floats, width: float) -> Floats:
    """A normal density round each number: (G, N); their mean is the sample's density."""
    bumps = np.exp(-0.5 * ((grid[:, None] - sample[None]) / width) ** 2)
    return np.asarray(bumps / (width * np.sqrt(2 * np.pi)))
