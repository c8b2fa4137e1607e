"""A melody -> chords for it: several progressions that really differ, the best one first.

How likely each chord is at each beat, given the whole melody (the forward-backward algorithm), by
the tables that `harmony` hears chords with: they know how the melodies of lead sheets go with the
chords of their sources. A progression is the one whose chords are expected to be right for most of
the time, less a little for each change. Each further one pays for every beat on which it has the
root of an earlier one: the "diverse M-best" solutions of Batra et al. 2012 (ECCV).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textmusic.music.chords import Chord
from textmusic.music.harmony import (
    CLASS_OF,
    CLASSES,
    NONE,
    ORDER,
    STATES,
    on_beats,
    rows_of,
    strengths,
    tables,
    viterbi,
    weighed,
)
from textmusic.music.notes import Floats, Notes
from textmusic.music.sketch import BeatChord, beats_per_bar, quarters_per_beat
from textmusic.music.theory import DRUMS, NO_KEY, is_minor, tonic

PROPOSALS = 3
LEAST_APART = 0.2  # of the time, in which the roots of any two proposals differ
# Chosen on melodies that the tables were not learnt from, see training/judge_harmonies.py.
STEADY = 0.15  # what a change of chord costs, in beats that are expected to be right
APART = 0.1  # what each beat costs on which its root was proposed before
OWN_KIND = 0.2  # how much the quality counts beside root and third
_CADENCE = 3.0  # nats for the tonic in the last bar
_SILENT = -6.0  # nats for no chord where the melody sounds: a progression has no holes
_ROOT_OF = np.append(np.arange(NONE) // len(ORDER), -1)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A progression. rows: chords of each bar, as `sketch.Row` has them.

    fit: share of the melody's time, 0 to 1, on tones of the chords, see `fit`. expected: share of
    the time, 0 to 1, in which a lead sheet is expected to have a chord of the same root and third.
    """

    rows: tuple[tuple[BeatChord, ...], ...]
    fit: float
    expected: float


def propose(
    notes: Notes, time_signature: str, bars: int, key: str | None, count: int = PROPOSALS,
    *, often: float = 0.0,
) -> list[Proposal]:  # fmt: skip
    """Progressions for a melody, the best one first; fewer than `count` where no more differ.

    notes: times in quarter notes from the first bar line. They may be more than a melody; then
    chords are chosen for all of them. key: one of `theory.KEYS`, or None. often: nats for each
    change of chord: above 0 the harmony moves faster than that of songs. Chords begin on beats.
    """
    scores, change, moves, kinds = weighed(notes, time_signature, bars, key, tables())
    per_bar = beats_per_bar(time_signature)
    first, last = _sounding(notes, time_signature, bars)
    scores[-(-first // per_bar) * per_bar : last + 1, NONE] += _SILENT  # a pickup may have none
    if key is not None and key != NO_KEY:
        final = STATES.index(Chord(tonic(key), "min" if is_minor(key) else "maj"))
        scores[last // per_bar * per_bar :, final] += _CADENCE / per_bar
    chance = _chances(scores, change + often, moves[np.ix_(CLASS_OF, CLASS_OF)] + kinds,
                      moves.mean(axis=0)[CLASS_OF] + kinds)  # fmt: skip
    of_class = np.zeros((len(chance), CLASSES))
    np.add.at(of_class.T, CLASS_OF, chance.T)
    worth = of_class[:, CLASS_OF] + OWN_KIND * chance
    steady = np.full(len(chance), -STEADY * float(np.exp(-often)))
    found: list[NDArray[np.int64]] = []
    apart = APART
    for _ in range(3 * count):
        path = viterbi(worth, steady, np.zeros((CLASSES, CLASSES)), np.zeros(len(STATES)))
        if all(np.mean(_ROOT_OF[path] != _ROOT_OF[old]) >= LEAST_APART for old in found):
            found.append(path)
        else:
            apart *= 2  # where the melody leaves little doubt
        if len(found) == count:
            break
        worth = worth - apart * (_ROOT_OF[path][:, None] == _ROOT_OF)
    proposals = []
    for path in found:
        rows = tuple(rows_of([STATES[state] for state in path.tolist()], per_bar))
        expected = float(of_class[np.arange(len(path)), CLASS_OF[path]].mean())
        proposals.append(Proposal(rows, fit(notes, rows, time_signature), expected))
    return [proposals[0], *sorted(proposals[1:], key=lambda made: -made.expected)]


def fit(notes: Notes, rows: Sequence[tuple[BeatChord, ...]], time_signature: str) -> float:
    """Share of the sounding time, 0 to 1, that lies on tones of the chords.

    Notes count by how strong the beat is that they begin on: four times on bar lines, three times
    on half bars, twice on other beats, once between beats.
    """
    chords = on_beats(rows, len(rows), time_signature)
    strong = strengths(time_signature, len(rows))
    beat = quarters_per_beat(time_signature)
    inside, total = 0.0, 0.0
    tonal = notes.chosen(notes.program != DRUMS)
    for start, end, pitch in zip(tonal.start / beat, tonal.end / beat, tonal.pitch, strict=True):
        place = int(start + 1e-6)
        if not 0 <= start < len(chords):
            continue
        weight = 4 - int(strong[place]) if abs(start - place) < 1e-6 else 1
        now, end = float(start), min(float(end), float(len(chords)))
        while now < end - 1e-6:
            until = min(int(now + 1e-6) + 1.0, end)
            chord = chords[int(now + 1e-6)]
            total += weight * (until - now)
            inside += weight * (until - now) * (chord is not None and pitch % 12 in chord.tones)
            now = until
    return inside / total if total else 0.0


def _chances(scores: Floats, change: Floats, moves: Floats, begin: Floats) -> Floats:
    """How likely each state is at each beat, given all of them: (beats, states), rows sum to 1.

    Arguments as for `viterbi`, but moves from each state to each, (states, states).
    """
    beats = len(scores)
    likely = np.exp(scores - scores.max(axis=1, keepdims=True))
    move, entry = np.exp(moves), np.exp(change)
    ahead, behind = np.empty_like(likely), np.ones_like(likely)
    ahead[0] = likely[0] * np.exp(begin)
    ahead[0] /= ahead[0].sum()
    for t in range(1, beats):
        ahead[t] = likely[t] * (ahead[t - 1] + entry[t] * (ahead[t - 1] @ move))
        ahead[t] /= ahead[t].sum()
    for t in range(beats - 2, -1, -1):
        after = likely[t + 1] * behind[t + 1]
        behind[t] = after + entry[t + 1] * (move @ after)
        behind[t] /= behind[t].sum()
    chance = ahead * behind
    return np.asarray(chance / chance.sum(axis=1, keepdims=True))


def _sounding(notes: Notes, time_signature: str, bars: int) -> tuple[int, int]:
    """The first and the last beat in which something pitched sounds."""
    tonal = notes.chosen(notes.program != DRUMS)
    beat, beats = quarters_per_beat(time_signature), beats_per_bar(time_signature) * bars
    if not len(tonal):
        return 0, beats - 1
    last = min(int(np.ceil(tonal.end.max() / beat - 1e-6)) - 1, beats - 1)
    return min(max(int(tonal.start.min() / beat + 1e-6), 0), last), last
