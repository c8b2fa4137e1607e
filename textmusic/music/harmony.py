"""Notes -> chords: the harmony of a piece, beat by beat.

A chord is told from the notes of its beat and of the beats around it by weights that are learnt
from pieces whose sources name their chords, and the most likely succession is found with Viterbi's
algorithm, as in Raphael & Stoddard 2004 ("Functional harmonic analysis using probabilistic models",
Computer Music Journal 28) and Temperley 2009 ("A unified probabilistic model for polyphonic music
analysis", Journal of New Music Research 38): chords tend to stay, to change on bar lines, and to
move as the key has it. training/judge_chords.py learns data/chords.json and measures the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from textmusic.music.chords import QUALITIES, Chord, parse_symbol
from textmusic.music.data_files import load_data
from textmusic.music.measure import estimate_key
from textmusic.music.notes import Floats, Notes
from textmusic.music.sketch import BeatChord, beats_per_bar, quarters_per_beat
from textmusic.music.theory import DRUMS, NO_KEY, is_minor, tonic

# The order of states: for each root the qualities with a major third (or none), then those with a
# minor one, and last of all "no chord". A change of chord knows only the root and third it leaves.
MAJOR_LIKE = ("maj", "7", "maj7", "aug", "sus4", "sus2")
MINOR_LIKE = ("min", "min7", "dim", "dim7", "hdim7")
ORDER = MAJOR_LIKE + MINOR_LIKE
STATES: tuple[Chord | None, ...] = (
    *(Chord(root, quality) for root in range(12) for quality in ORDER),
    None,
)
NONE = len(STATES) - 1
CLASSES = 25  # root and third, and "no chord"
_FIRSTS = np.array([root * len(ORDER) + at for root in range(12) for at in (0, 6)] + [NONE])
CLASS_OF = np.searchsorted(_FIRSTS, np.arange(len(STATES)), side="right") - 1
# What is counted of a beat, 12 pitch classes each, see `features`.
GROUPS = (
    "sounding", "struck", "held", "bass", "top", "before", "after",
    "span", "bar", "low", "last_bar", "next_bar",
)  # fmt: skip
TEXTURES = ("line", "full")


# Notes -> features -------------------------------------------------------------------------------


def features(notes: Notes, time_signature: str, bars: int) -> tuple[Floats, NDArray[np.bool_], str]:
    """What sounds in each beat: ((beats, 12 * groups), whether a beat sounds, one of `TEXTURES`).

    Shares of pitch classes, each group adding up to 1 in a beat, or less where little sounds:
    sounding (by time), struck (notes that begin there), held (sounding at the beat itself), bass
    and top (its lowest and its highest pitch), before and after (sounding in the neighbouring
    beats), span (sounding in the half bar or dotted quarter), bar (in the bar), low (the lowest
    pitch of the bar), last_bar and next_bar. A melody alone is a "line".
    """
    per_bar = beats_per_bar(time_signature)
    beats = per_bar * bars
    tonal = notes.program != DRUMS
    quarters = quarters_per_beat(time_signature)
    start = np.clip(notes.start[tonal] / quarters, 0, None)
    end = np.minimum(notes.end[tonal] / quarters, beats)
    inside = end - start > 1e-6
    start, end, pitch = start[inside], end[inside], notes.pitch[tonal][inside]
    # One entry for each note and beat that it sounds in.
    first = np.floor(start + 1e-6).astype(np.int64)
    count = np.maximum(np.ceil(end - 1e-6).astype(np.int64) - first, 1)
    note = np.repeat(np.arange(len(start)), count)
    beat = np.arange(len(note)) - np.repeat(np.cumsum(count) - count, count) + first[note]
    weight = np.minimum(end[note], beat + 1) - np.maximum(start[note], beat)
    high = pitch[note]
    sounding = _chroma(beat, high, weight, beats)
    struck = _chroma(first, pitch, np.ones(len(first)), beats)
    lowest = np.full(beats, 128, dtype=np.int64)
    np.minimum.at(lowest, beat, high)
    highest = np.full(beats, -1, dtype=np.int64)
    np.maximum.at(highest, beat, high)
    is_low, is_high = high == lowest[beat], high == highest[beat]
    bass = _chroma(beat[is_low], high[is_low], weight[is_low], beats)
    top = _chroma(beat[is_high], high[is_high], weight[is_high], beats)
    # A note sounds at the instant of a beat that it begins on or is held over.
    instant = (beat > first[note]) | (start[note] - beat < 1e-6)
    held = _chroma(beat[instant], high[instant], np.ones(int(instant.sum())), beats)
    bar_lowest = np.repeat(lowest.reshape(bars, per_bar).min(axis=1), per_bar)
    low = np.eye(12)[bar_lowest % 12] * (bar_lowest < 128)[:, None]
    strong = strengths(time_signature, bars) < 2
    in_span = np.add.reduceat(sounding, np.flatnonzero(strong))
    in_bar = _shares(sounding.reshape(bars, per_bar, 12).sum(axis=1), 0.25)
    share = _shares(sounding, 0.25)
    gap = np.zeros((1, 12))
    groups = (
        share, _shares(struck, 1.0), _shares(held, 1.0), _shares(bass, 0.25), _shares(top, 0.25),
        np.concatenate([gap, share[:-1]]), np.concatenate([share[1:], gap]),
        _shares(in_span, 0.25)[np.cumsum(strong) - 1], np.repeat(in_bar, per_bar, axis=0), low,
        np.repeat(np.concatenate([gap, in_bar[:-1]]), per_bar, axis=0),
        np.repeat(np.concatenate([in_bar[1:], gap]), per_bar, axis=0),
    )  # fmt: skip
    heard = sounding.sum(axis=1) > 1e-6
    texture = TEXTURES[not _is_melody(start, end, pitch)]
    return np.concatenate(groups, axis=1), heard, texture


def _is_melody(start: Floats, end: Floats, pitch: NDArray[np.int64]) -> bool:
    """Whether notes, in order of onset, are a single melody and not broken chords.

    Of 1,300 folk tunes and songs none has leaps of more than 4.3 semitones on average.
    """
    if len(pitch) < 2:
        return True
    until = np.maximum.accumulate(end)
    covered = until[-1] - start[0] - np.maximum(start[1:] - until[:-1], 0).sum()
    voices = float((end - start).sum() / covered)
    return voices <= 1.2 and float(np.abs(np.diff(pitch)).mean()) <= 4.5


def _chroma(
    beat: NDArray[np.int64], pitch: NDArray[np.int64], weight: Floats, beats: int
) -> Floats:
    """Weights added up by beat and pitch class, (beats, 12)."""
    cells = np.bincount(beat * 12 + pitch % 12, weights=weight, minlength=beats * 12)
    return np.asarray(cells.reshape(beats, 12), dtype=np.float64)


def _shares(chroma: Floats, least: float) -> Floats:
    """Rows that add up to 1, or less where there is less than `least` in one."""
    return np.asarray(chroma / np.maximum(chroma.sum(axis=1, keepdims=True), least))


# The learnt tables -------------------------------------------------------------------------------


def strengths(time_signature: str, bars: int) -> NDArray[np.int64]:
    """How strong each beat is: 0 bar lines, 1 half bars and dotted quarters, 2 others, 3 eighths
    between dotted quarters."""
    per_bar = beats_per_bar(time_signature)
    bar = np.full(per_bar, 2)
    if time_signature.endswith("/8") and per_bar % 3 == 0 and per_bar > 3:
        bar[:] = 3
        bar[::3] = 1
    elif per_bar % 4 == 0 or time_signature in ("3/2", "6/4"):
        bar[:: 3 if time_signature == "6/4" else 2] = 1
    bar[0] = 0
    return np.tile(bar, bars)


class Tables:
    """The weights of data/chords.json, as arrays.

    emission: {texture: (groups, qualities, 12)}, for what sounds some semitones above a root.
    none: {texture: (2,)}, of no chord in a beat that sounds, and in a silent one. change: {texture:
    (4,)}, of a change at a beat of that strength. moves: {"major", "minor": (25, 25)}, of moving
    from one root and third to another, roots above the tonic of a key of that mode. kinds: {the
    same: (12, qualities)}, of a quality on a root. All are added up.
    """

    def __init__(self, data: dict[str, dict[str, list[float]]]) -> None:
        self.emission = {name: np.array(data["emission"][name]) for name in TEXTURES}
        self.none = {name: np.array(data["none"][name]) for name in TEXTURES}
        self.change = {name: np.array(data["change"][name]) for name in TEXTURES}
        self.moves = {name: np.array(table) for name, table in data["moves"].items()}
        self.kinds = {name: np.array(table) for name, table in data["kinds"].items()}
        self.sounds = {name: self._sounds(self.emission[name]) for name in TEXTURES}
        self._in_key: dict[str, tuple[Floats, Floats]] = {}

    @staticmethod
    def _sounds(weights: Floats) -> Floats:
        """Weights by pitch class instead of semitones above the root, (groups * 12, 132)."""
        groups = len(weights)
        turned = [np.roll(weights, root, axis=2) for root in range(12)]  # each (groups, Q, 12)
        return np.stack(turned).transpose(1, 3, 0, 2).reshape(groups * 12, NONE)

    def in_key(self, key: str) -> tuple[Floats, Floats]:
        """Moves (25, 25) and kinds (133,) with roots as they sound in a key."""
        if key not in self._in_key:
            mode, up = "minor" if is_minor(key) else "major", tonic(key)
            turn = np.append((np.arange(CLASSES - 1) - 2 * up) % (CLASSES - 1), CLASSES - 1)
            kinds = np.roll(self.kinds[mode], up, axis=0).reshape(-1)
            self._in_key[key] = self.moves[mode][np.ix_(turn, turn)], np.append(kinds, 0.0)
        return self._in_key[key]


@cache
def tables() -> Tables:
    """The learnt tables, read once."""
    return Tables(load_data("chords.json"))


# Chords ------------------------------------------------------------------------------------------


def chords_of(
    notes: Notes, time_signature: str, bars: int, key: str | None = None
) -> list[tuple[BeatChord, ...]]:
    """The chords of each bar, as `sketch.Row` has them.

    notes: of a piece or a part of it, times counted from its first bar line; what lies outside the
    bars is left out. key: one of `theory.KEYS`, None to estimate it. A bar in which no
    chord sounds is (), as all are where there are only drums.
    """
    beats = beats_per_bar(time_signature) * bars
    if not bars or not np.any(notes.program != DRUMS):
        return [()] * bars
    path = states_of(notes, time_signature, bars, key, tables())
    return rows_of([STATES[state] for state in path.tolist()], beats // bars)


def states_of(
    notes: Notes, time_signature: str, bars: int, key: str | None, learnt: Tables
) -> NDArray[np.int64]:
    """The most likely state (an index of `STATES`) at each beat."""
    return viterbi(*weighed(notes, time_signature, bars, key, learnt))


def weighed(
    notes: Notes, time_signature: str, bars: int, key: str | None, learnt: Tables
) -> tuple[Floats, Floats, Floats, Floats]:
    """What `viterbi` needs of a piece: scores (beats, 133), change, moves and kinds."""
    found, heard, texture = features(notes, time_signature, bars)
    if key is None or key == NO_KEY:
        key = estimate_key(notes)
    scores = np.empty((len(found), len(STATES)))
    np.matmul(found, learnt.sounds[texture], out=scores[:, :NONE])
    scores[:, NONE] = np.where(heard, *learnt.none[texture])
    change = learnt.change[texture][strengths(time_signature, bars)]
    return scores, change, *learnt.in_key(key)


def viterbi(scores: Floats, change: Floats, moves: Floats, kinds: Floats) -> NDArray[np.int64]:
    """The states, one a beat, whose scores add up to most; (beats,).

    scores: of states at beats, (beats, 133). change: what a change at each beat adds, (beats,).
    moves: what it adds to go from a class of states to another, (25, 25). kinds: what it adds to
    go to a state, (133,). To stay adds nothing.
    """
    beats = len(scores)
    best = np.empty_like(scores)  # of all ways to be in a state
    moved = np.empty_like(scores)  # of the ways that enter it at this beat, without its score
    left = np.empty((beats, CLASSES))  # of all ways to be in a class of states
    into, to = np.ascontiguousarray(moves.T), np.empty((CLASSES, CLASSES))
    entry = change[:, None] + kinds
    entered = np.empty(CLASSES)
    best[0] = scores[0] + moves.mean(axis=0)[CLASS_OF] + kinds
    for t in range(1, beats):
        before, now, jump = best[t - 1], best[t], moved[t]
        np.maximum.reduceat(before, _FIRSTS, out=left[t - 1])
        np.add(left[t - 1], into, out=to)
        np.maximum.reduce(to, axis=1, out=entered)
        entered.take(CLASS_OF, out=jump, mode="clip")  # "raise" would copy
        np.add(jump, entry[t], out=jump)
        np.maximum(before, jump, out=now)
        np.add(now, scores[t], out=now)
    path = np.empty(beats, dtype=np.int64)
    path[-1] = state = int(best[-1].argmax())
    stayed = best[:-1] >= moved[1:]
    for t in range(beats - 1, 0, -1):
        if not stayed[t - 1, state]:
            origin = int((left[t - 1] + into[CLASS_OF[state]]).argmax())
            first, end = _FIRSTS[origin], _FIRSTS[origin + 1] if origin < CLASSES - 1 else NONE + 1
            state = int(first + best[t - 1, first:end].argmax())
        path[t - 1] = state
    return path


def labelled(
    changes: Sequence[Sequence[float | str]], time_signature: str, bars: int, begin_quarter: float
) -> list[tuple[BeatChord, ...]]:
    """A source's own chords, cut to some bars and put on beats.

    changes: [[quarter, symbol], ...], from the source's tick 0. begin_quarter: where the first of
    the bars begins. A chord goes to the nearest beat; of several on one beat the last wins. "N.C."
    and what is no chord are None; of a symbol that cannot be read but for its root the plain triad
    is taken.
    """
    per_bar = beats_per_bar(time_signature)
    chords: list[Chord | None] = [None] * (per_bar * bars)
    quarters = quarters_per_beat(time_signature)
    for quarter, symbol in sorted(changes, key=lambda change: float(change[0])):
        beat = max(int(np.floor((float(quarter) - begin_quarter) / quarters + 0.5)), 0)
        if beat < len(chords):
            chords[beat:] = [_chord(str(symbol))] * (len(chords) - beat)
    return rows_of(chords, per_bar)


def _chord(symbol: str) -> Chord | None:
    """The chord that a symbol stands for, or its root's triad; None where there is no root."""
    if symbol.strip().upper().startswith(("N.C", "NC")):
        return None
    for end in range(len(symbol), 0, -1):
        if read := parse_symbol(symbol[:end].rstrip("(/")):
            return read[0] if end == len(symbol) else _triad(read[0])
    return None


def _triad(chord: Chord) -> Chord:
    return Chord(chord.root, "min" if chord.quality in MINOR_LIKE else "maj")


def rows_of(chords: Sequence[Chord | None], per_bar: int) -> list[tuple[BeatChord, ...]]:
    """A chord for each beat -> the changes of each bar."""
    rows = []
    for begin in range(0, len(chords), per_bar):
        bar = chords[begin : begin + per_bar]
        changes = [(at, c) for at, c in enumerate(bar) if at == 0 or c != bar[at - 1]]
        rows.append(() if changes == [(0, None)] else tuple(changes))
    return rows


def agreement(
    reference: Sequence[tuple[BeatChord, ...]],
    estimate: Sequence[tuple[BeatChord, ...]],
    time_signature: str,
) -> dict[str, float]:
    """How far two lists of bars agree, as mir_eval's `chord.majmin` and `chord.root` count.

    {"majmin", "root": shares of the compared time, 0 to 1 (0 where nothing is compared);
    "majmin_beats", "root_beats": how much that was}. majmin compares root, third and fifth where
    the reference is a major or a minor chord (with a seventh or not) or none; root compares roots
    everywhere. Bars that only one list has are compared with silence. (Harte et al. 2005; Raffel et
    al. 2014, "mir_eval: a transparent implementation of common MIR metrics", ISMIR.)
    """
    bars = max(len(reference), len(estimate))
    wanted = on_beats(reference, bars, time_signature)
    found = on_beats(estimate, bars, time_signature)
    both = list(zip(wanted, found, strict=True))
    root = np.array([(a and a.root) == (b and b.root) for a, b in both], dtype=bool)
    kinds = np.array([_fifth(a) == _fifth(b) for a, b in both], dtype=bool)
    asked = np.array([_fifth(a) in _COMPARED for a in wanted], dtype=bool)
    majmin = (root & kinds)[asked]
    return {
        "majmin": float(majmin.mean()) if len(majmin) else 0.0,
        "root": float(root.mean()) if len(root) else 0.0,
        "majmin_beats": float(len(majmin)),
        "root_beats": float(len(root)),
    }


def _fifth(chord: Chord | None) -> frozenset[int] | None:
    """Semitones of a chord up to its fifth: all that majmin looks at."""
    return chord and frozenset(step for step in QUALITIES[chord.quality][0] if step < 8)


_COMPARED = (None, frozenset((0, 4, 7)), frozenset((0, 3, 7)))


def on_beats(
    rows: Sequence[tuple[BeatChord, ...]], bars: int, time_signature: str
) -> list[Chord | None]:
    """The chord at each beat of so many bars; None where there is none, and after the last row."""
    per_bar = beats_per_bar(time_signature)
    chords: list[Chord | None] = []
    for row in range(bars):
        bar: list[Chord | None] = [None] * per_bar
        for beat, chord in rows[row] if row < len(rows) else ():
            bar[beat:] = [chord] * (per_bar - beat)
        chords += bar
    return chords
