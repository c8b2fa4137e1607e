"""Score -> Plan: the facts of a piece, measured from its notes.

Used three times: to label training data, to fill the report of a generation, and to compute the
evaluation metrics.
"""

from __future__ import annotations

from math import ceil, log2
from typing import TYPE_CHECKING

import numpy as np

from textmusic.music.bars import TICKS as BAR_TICKS
from textmusic.music.bars import bars_until
from textmusic.music.notes import Floats, Notes, notes_of
from textmusic.music.plan import Plan
from textmusic.music.tempo_map import TempoMap
from textmusic.music.theory import (
    DRUMS,
    MIDDLE_TEMPO,
    NO_KEY,
    key_name,
    quarters_per_bar,
)

if TYPE_CHECKING:
    from symusic import Score


# Key profiles: Albrecht & Shanahan 2013 ("The use of large corpora to train a new type of
# key-finding algorithm", Music Perception 31). Index 0 is the tonic.
MAJOR_PROFILE = np.array(
    [0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081]
)
MINOR_PROFILE = np.array(
    [0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052]
)
# Upper edges of levels 1-4, set at the 10th, 33rd, 67th and 90th percentile of the training
# windows (training/prepare.py prints them): every level must occur often enough to be learnt.
VALENCE_EDGES = (-0.70, -0.20, 0.65, 1.00)
AROUSAL_EDGES = (-0.35, 0.20, 0.85, 1.35)
DENSITY_EDGES = (1.20, 1.90, 2.70, 3.90)  # onsets per quarter note, chords counted once
HARDLY = 0.25  # an instrument that sounds in a smaller share of the bars counts as hardly playing


def pitch_class_weights(notes: Notes) -> Floats:
    """Share of sounding time per pitch class, drums left out; shape (12,), sums to 1 (or 0)."""
    tonal = notes.program != DRUMS
    weights = np.bincount(
        notes.pitch[tonal] % 12, weights=notes.duration[tonal], minlength=12
    ).astype(np.float64)
    total = weights.sum()
    return weights / total if total else weights


def key_scores(weights: Floats) -> Floats:
    """Correlation of pitch-class weights with each key's profile; (24,), majors then minors."""
    if weights.std() == 0:
        return np.zeros(24)
    deviation = weights - weights.mean()
    return np.asarray(_PROFILES @ deviation / np.linalg.norm(deviation))


def _profiles() -> Floats:
    """The profile of each key, (24, 12), with mean 0 and norm 1."""
    rows = np.array(
        [np.roll(p, tonic) for p in (MAJOR_PROFILE, MINOR_PROFILE) for tonic in range(12)]
    )
    centred = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True))


_PROFILES = _profiles()


def estimate_key(notes: Notes) -> str:
    """The key whose profile fits best, "none" where nothing but drums sounds.

    Albrecht & Shanahan's profiles over durations.
    """
    if not np.any(notes.program != DRUMS):
        return NO_KEY
    best = int(np.argmax(key_scores(pitch_class_weights(notes))))
    return key_name(best % 12, best >= 12)


def level(value: float, edges: tuple[float, ...]) -> int:
    """1-5: one more than the number of edges below the value."""
    return 1 + sum(value > edge for edge in edges)


def valence_of(notes: Notes, tempo: float) -> float:
    """How bright: mode (leading cue), and tempo. No unit; around 0.

    After the reviews of Gabrielsson & Lindstrom 2010 and Eerola, Friberg & Bresin 2013, in which
    mode leads for happy/sad and tempo follows. It is derived from the notes, not heard by people,
    and does not change under transposition.
    """
    scores = key_scores(pitch_class_weights(notes))
    gap = float(scores[:12].max() - scores[12:].max())  # +: major fits better
    return float(np.tanh(8 * gap)) * 0.8 + 0.5 * log2(tempo / MIDDLE_TEMPO)


def arousal_of(notes: Notes, tempo: float, length: float | None = None) -> float:
    """How excited: events per second, tempo, loudness. No unit; around 0 (same reviews).

    length: of the notes in seconds, where the tempo changes.
    """
    onsets = np.unique(notes.start)
    span = max(float(notes.end.max()), 1.0) * 60 / tempo if length is None else max(length, 0.1)
    rate = max(len(onsets) / span, 0.05)
    loud = (float(notes.velocity.mean()) - 80) / 20
    return 0.6 * log2(rate / 3) + 0.6 * log2(tempo / MIDDLE_TEMPO) + 0.4 * loud


def density_of(notes: Notes) -> float:
    """Onsets per quarter note; notes struck together count once."""
    return len(np.unique(notes.start)) / (float(notes.end.max()) or 1.0)


def measure(score: Score, *, genre: str | None = None, notes: Notes | None = None) -> Plan:
    """The Plan that a score fulfils.

    Tempo and time signature are read from the file: those in which the first note is struck (120
    and 4/4 where it says nothing). Bars run to the end of the last note,
    the rest comes from the notes. Genre cannot be measured: it is passed through. A score without
    notes has no programs, key, mood or density. notes: those of the score, where they are at hand.
    """
    notes = notes_of(score) if notes is None else notes
    tempi = TempoMap.of_score(score)
    end = float(notes.end.max(initial=0.0))
    first = float(notes.start.min()) if len(notes) else 0.0
    tempo, time_signature = round(tempi.at(first), 2), _metre(score, first)
    if not len(notes):
        return Plan(genre=genre, tempo=tempo, time_signature=time_signature)
    length = tempi.seconds(end) if len(tempi.starts) > 1 else None
    return Plan(
        genre=genre,
        valence=level(valence_of(notes, tempo), VALENCE_EDGES),
        arousal=level(arousal_of(notes, tempo, length), AROUSAL_EDGES),
        programs=tuple(int(p) for p in np.unique(notes.program)),
        key=estimate_key(notes),
        tempo=tempo,
        time_signature=time_signature,
        bars=_bars(score, end, time_signature),
        density=level(density_of(notes), DENSITY_EDGES),
    )


def _metre(score: Score, quarter: float) -> str:
    """The time signature in force at a quarter note."""
    tick = quarter * score.ticks_per_quarter
    marks = sorted(score.time_signatures, key=lambda mark: int(mark.time))
    held = [f"{mark.numerator}/{mark.denominator}" for mark in marks if mark.time <= tick + 1e-6]
    return held[-1] if held else "4/4"


def _bars(score: Score, end: float, time_signature: str) -> int:
    """Bars until a quarter note, in the metres that the score has on the way there."""
    grid = BAR_TICKS / score.ticks_per_quarter
    metres = [
        (round(mark.time * grid), mark.numerator, mark.denominator)
        for mark in score.time_signatures
    ]
    if len({metre[1:] for metre in metres}) > 1:
        return len(bars_until(ceil(end * BAR_TICKS - 1e-6), metres))
    return ceil(end / quarters_per_bar(time_signature) - 1e-6)


def seconds(score: Score, notes: Notes | None = None) -> float:
    """Time from the beginning to the end of the last note, at the score's tempi, in seconds.

    notes: those of the score, where they are at hand.
    """
    notes = notes_of(score) if notes is None else notes
    return TempoMap.of_score(score).seconds(float(notes.end.max(initial=0.0)))


def hardly_playing(notes: Notes, plan: Plan) -> tuple[int, ...]:
    """Planned instruments that sound in fewer than a quarter of the bars, or in none; sorted.

    A held note sounds in every bar that it reaches into. The bars (the plan's, or, where it names
    none, up to the last note's end) are counted from 0 in the plan's metre. The threshold is our
    own: in real pieces an instrument plays in 97 % of the bars on average.
    """
    bar = quarters_per_bar(plan.time_signature or "4/4")
    first = np.floor(notes.start / bar + 1e-6).astype(np.int64)
    behind = np.maximum(np.ceil(notes.end / bar - 1e-6).astype(np.int64), first + 1)
    bars = plan.bars or int(behind.max(initial=0))
    silent = []
    for program in sorted(set(plan.programs or ())):
        mine = notes.program == program
        spans = zip(first[mine], behind[mine], strict=True)
        sounding = {n for begin, stop in spans for n in range(begin, min(stop, bars))}
        if len(sounding) < HARDLY * bars:
            silent.append(program)
    return tuple(silent)
