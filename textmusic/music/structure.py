"""How a piece goes on: harmony, melody and form over its bars, in numbers a listener would notice.

Every figure takes notes and plan, and looks at all of the plan's bars; `distributions` gives the
first `LOOKED_AT` of each piece. Bars are counted from 0, times are in quarter notes, drums are left
out of what concerns pitch. NaN: a piece has nothing to count (drums alone have no harmony). The
goal is real music's own value, not an extreme.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from textmusic.music.chords import Chord
from textmusic.music.form import MOST_COMPARED, alike
from textmusic.music.harmony import agreement, chords_of
from textmusic.music.notes import Floats, Notes, top_line
from textmusic.music.plan import Plan
from textmusic.music.sketch import Sketch
from textmusic.music.theory import DRUMS, NO_KEY, quarters_per_bar, tonic
from textmusic.music.voices import clashing_onsets, silence_within, stepwise_moves

LOOKED_AT = 16  # bars of every piece, so that long and short ones compare
HALVES = 2  # spans of a bar, each of which has its harmony
WINDOW = 8  # bars in which different chords are counted
FEWEST_MELODY_NOTES = 3  # notes of a bar's melody, below which its coming back says nothing
ALIKE = 0.7  # overlap above which a bar is heard as the repetition that was sketched
CADENCE = 2  # bars before the last onset in which another bass is looked for
# Structureness: segments of 4 to 8 bars in half bars, the share of similarities that is kept, and
# what stands for the others (both as in the SM Toolbox: Müller, Jiang & Grohganz 2014).
SEGMENTS = (8, 16)
KEPT, PENALTY = 0.2, -2.0

TRIADS = tuple(Chord(root, quality) for root in range(12) for quality in ("maj", "min"))
_TRIADS = np.array([[tone in triad.tones for tone in range(12)] for triad in TRIADS]) / np.sqrt(3)


def _metre(plan: Plan) -> str:
    return plan.time_signature or "4/4"


def _bars(notes: Notes, plan: Plan) -> int:
    """How many bars are looked at: the plan's, or as far as notes reach."""
    if plan.bars is not None:
        return plan.bars
    return max(math.ceil(float(notes.end.max()) / quarters_per_bar(_metre(plan)) - 1e-6), 1)


def _mean(values: Sequence[float] | Floats) -> float:
    return float(np.mean(values)) if len(values) else math.nan


# Harmony ------------------------------------------------------------------------------------------


def profiles(notes: Notes, span: float, count: int) -> Floats:
    """(count, 12) quarter notes that each pitch class sounds in each span of so many quarters."""
    tonal = notes.program != DRUMS
    begin = np.arange(count)[:, None] * span
    sounding = np.minimum(notes.end[tonal], begin + span) - np.maximum(notes.start[tonal], begin)
    classes = np.eye(12)[notes.pitch[tonal] % 12]
    return np.asarray(np.maximum(sounding, 0.0) @ classes)


def neighbouring_bars(notes: Notes, plan: Plan) -> float:
    """Mean cosine of the pitch-class profiles of bars that follow each other, 0 to 1.

    A profile says how long each pitch class sounds in a bar; 1: the same tones for as long. A pair
    with a bar in which nothing pitched sounds is left out. NaN where no pair is left. A definition
    of our own, after the chroma self-similarity of Foote 1999 at lag 1.
    """
    rows = profiles(notes, quarters_per_bar(_metre(plan)), _bars(notes, plan))
    length = np.linalg.norm(rows, axis=1)
    both = (length[1:] > 0) & (length[:-1] > 0)
    product = (rows[1:] * rows[:-1]).sum(axis=1)[both]
    return _mean(product / (length[1:] * length[:-1])[both])


def harmonies(notes: Notes, plan: Plan) -> list[Chord | None]:
    """The major or minor triad that each half bar sounds most like; None in silence.

    The triad with the highest cosine between its three tones and how long each pitch class sounds
    (template matching: Fujishima 1999); of several that fit alike, the first above the tonic. On
    purpose not `harmony.chords_of`, which labels training data and so may not judge, and which
    smooths: beside the chords that sources name (600 pieces of pop909, nottingham, openewld and
    arrangements_mma) its longest stretches are 1.2 to 1.7 times as long, these 1.1 to 1.2 times.
    """
    up = 0 if plan.key is None or plan.key == NO_KEY else tonic(plan.key)
    span = quarters_per_bar(_metre(plan)) / HALVES
    rows = np.roll(profiles(notes, span, HALVES * _bars(notes, plan)), -up, axis=1)
    best = np.argmax((rows @ _TRIADS.T).round(6), axis=1)
    return [TRIADS[i].moved(up) if row.any() else None for i, row in zip(best, rows, strict=True)]


def longest_harmony(chords: Sequence[Chord | None]) -> float:
    """The longest stretch on one chord as a share of the piece, above 0 to 1.

    chords: as `harmonies` gives them; a silent half bar ends a stretch. NaN where no chord is
    heard. A definition of our own.
    """
    longest = run = 0
    for before, now in pairwise([None, *chords]):
        run = 0 if now is None else run + 1 if now == before else 1
        longest = max(longest, run)
    return longest / len(chords) if longest else math.nan


def chord_changes(chords: Sequence[Chord | None]) -> float:
    """Changes from a chord to another one, a bar; 0 to 2.

    chords: as `harmonies` gives them, over all of whose bars it is counted. A chord that comes back
    after silence has not changed. NaN where no chord is heard. A definition of our own
    (of harmonic rhythm).
    """
    named = [chord for chord in chords if chord is not None]
    changes = sum(before != now for before, now in pairwise(named))
    return changes * HALVES / len(chords) if named else math.nan


def different_chords(chords: Sequence[Chord | None]) -> float:
    """Different chords in eight bars, 1 to 16: the mean over all windows of `WINDOW` bars.

    chords: as `harmonies` gives them. A window begins at each bar that has seven behind it; a
    shorter piece is one window, and silent windows are left out. NaN where no chord is heard. After
    the chord coverage of Yeh et al. 2021, there of a whole song.
    """
    size = WINDOW * HALVES
    begins = range(0, max(len(chords) - size, 0) + 1, HALVES)
    windows = (set(chords[begin : begin + size]) - {None} for begin in begins)
    return _mean([len(window) for window in windows if window])


# Melody -------------------------------------------------------------------------------------------


def repeated_pitches(notes: Notes) -> float:
    """Share of the top line's steps that stay on the pitch, 0 to 1. NaN under two notes.

    The line is `features.top_line` (Uitdenbogerd & Zobel 1999). As a rate of unisons among
    melodic intervals: jSymbolic's "repeated notes" (McKay & Fujinaga 2006), there of all voices.
    """
    return _mean(np.diff(top_line(notes)[:, 1]) == 0)


def recurring_bars(notes: Notes, plan: Plan) -> float:
    """Share of bars whose melody has been heard in an earlier bar, 0 to 1.

    The same melody: the top line has its onsets in the same places of the bar (to a hundredth of a
    quarter note) and moves up, down or not at all in the same order, so that sequences and
    answers count. Of bars in which the line has three notes or more; NaN without any. A definition
    of our own (contour: Dowling 1978).
    """
    line = top_line(notes)
    bar = quarters_per_bar(_metre(plan))
    index = np.floor(line[:, 0] / bar + 1e-6).astype(int)
    cuts = np.searchsorted(index, np.arange(_bars(notes, plan) + 1))
    seen: set[tuple[bytes, bytes]] = set()
    found = []
    for low, high in pairwise(cuts):
        if high - low < FEWEST_MELODY_NOTES:
            continue
        places = np.round((line[low:high, 0] - index[low] * bar) * 100).astype(int)
        moves = np.sign(np.diff(line[low:high, 1])).astype(int)
        melody = (places.tobytes(), moves.tobytes())
        found.append(melody in seen)
        seen.add(melody)
    return _mean(found)


# Form ---------------------------------------------------------------------------------------------


def apart_alike(notes: Notes, plan: Plan, lag: int) -> float:
    """How much more alike bars so many apart are than all other pairs of bars; -1 to 1, 0: chance.

    The mean `form.alike` (shared onsets and pitches, drums too) of the pairs at a lag minus the
    mean of all pairs at other lags; two silent bars are no pair. NaN where the piece has no pair at
    the lag or none at others. A definition of our own, of what Foote & Uchihashi 2001 (the beat
    spectrum) read off the diagonals of a self-similarity matrix.
    """
    bars = _bars(notes, plan)
    likeness = alike(notes, _metre(plan), bars)
    begun = np.floor(notes.start / quarters_per_bar(_metre(plan)) + 1e-6).astype(int)
    sounds = np.isin(np.arange(bars), begun)
    later, earlier = np.tril_indices(bars, -1)
    pairs = sounds[later] | sounds[earlier]
    at_lag = (later - earlier)[pairs] == lag
    values = likeness[later, earlier][pairs]
    return _mean(values[at_lag]) - _mean(values[~at_lag])


def structureness(notes: Notes, plan: Plan) -> float:
    """Structureness indicator of segments of 4 to 8 bars, 0 (nothing comes back) to below 1.

    The Jazz Transformer's SI (Wu & Yang 2020): the highest fitness in the scape plot (Müller &
    Jiang 2012) among segments of some length; fitness is how well (score) and how much
    (coverage) repetitions of a segment account for the piece. Unlike theirs: pitch-class profiles
    of half bars, from the notes, stand for the chroma of synthesised audio; lengths are in bars
    for their 8 to 15 seconds; and the matrix is neither smoothed nor made invariant under
    transposition. So values do not compare with published ones. NaN under 8 bars, or where nothing
    pitched sounds.
    """
    count = 2 * _bars(notes, plan)
    rows = profiles(notes, quarters_per_bar(_metre(plan)) / 2, count)
    length = np.linalg.norm(rows, axis=1)
    if count < 2 * SEGMENTS[0] or not length.any():
        return math.nan
    rows = rows / np.where(length > 0, length, 1.0)[:, None]
    return float(fitness(enhanced(rows @ rows.T), *SEGMENTS).max())


def enhanced(similarity: Floats) -> Floats:
    """Similarities (N, N), each 0 to 1 -> the largest fifth as 0 to 1, the others the penalty.

    The diagonal is 1 whatever else (a silent span is like itself).
    """
    limit = float(np.quantile(similarity, 1 - KEPT))
    top = float(similarity.max())
    scaled = (
        (similarity - limit) / (top - limit) if top - limit > 1e-9 else np.ones_like(similarity)
    )
    found = np.where(similarity >= limit - 1e-9, np.clip(scaled, 0.0, 1.0), PENALTY)
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)


def fitness(similarity: Floats, shortest: int, longest: int) -> Floats:
    """Fitness of every segment of `shortest` to `longest` frames; (segments,), by length and place.

    similarity: (N, N), 1 on the diagonal, at most 1 elsewhere. For each segment the family of paths
    with the highest score, by dynamic programming with steps (1, 1), (2, 1) and (1, 2); fitness is
    the harmonic mean of its score a cell and its coverage, both less the segment's likeness with
    itself, 0 to below 1 (Müller, Grosche & Jiang 2011).
    """
    size = len(similarity)
    lengths = range(shortest, min(longest, size) + 1)
    spans = np.array([(at, n) for n in lengths for at in range(size - n + 1)])
    begin, length = spans[:, 0], spans[:, 1]
    columns = np.minimum(begin[:, None] + np.arange(length.max()), size - 1)
    each = np.arange(len(spans))
    # (3, segments, 1 + columns): score, cells and rows covered, of the best family that ends there;
    # column 0 is between two paths
    shape = (3, len(spans), length.max() + 1)
    nothing = np.zeros(shape)
    nothing[0] = -np.inf
    before, now = nothing, nothing.copy()
    for row in range(size):
        after = nothing.copy()
        if row:
            waiting, ended = now[:, :, 0], now[:, each, length]
            after[:, :, 0] = np.where(ended[0] > waiting[0], ended, waiting)
        else:
            after[0, :, 0] = 0.0
        here = np.stack([similarity[row][columns], *np.ones((2, *columns.shape))])
        after[:, :, 1] = after[:, :, 0] + here[:, :, 0]
        options = [now[:, :, 1:-1].copy(), before[:, :, 1:-1].copy(), nothing[:, :, 1:-1].copy()]
        options[1][2] += 1  # the row that is passed over is covered too
        options[2][:, :, 1:] = now[:, :, 1:-2]
        best = options[0]
        for option in options[1:]:
            best = np.where(option[0] > best[0], option, best)
        after[:, :, 2:] = best + here[:, :, 1:]
        before, now = now, after
    waiting, ended = now[:, :, 0], now[:, each, length]
    score, cells, covered = np.where(ended[0] > waiting[0], ended, waiting)
    score = np.maximum(score - length, 0.0) / np.maximum(cells, 1.0)
    coverage = np.maximum(covered - length, 0.0) / size
    total = score + coverage
    return np.asarray(2 * score * coverage / np.where(total > 0, total, 1.0))


# Instruments and endings --------------------------------------------------------------------------


def playing_share(notes: Notes, plan: Plan) -> float:
    """Share of (bar, instrument) pairs in which the instrument strikes a note, 0 to 1.

    Instruments are the plan's, so that one that never plays counts; without a plan for them, those
    that play. 1 minus MuseGAN's ratio of empty bars (Dong et al. 2018), there for each track.
    """
    programs = plan.programs or tuple(int(p) for p in np.unique(notes.program))
    bars = _bars(notes, plan)
    index = np.floor(notes.start / quarters_per_bar(_metre(plan)) + 1e-6).astype(int)
    inside = (index < bars) & np.isin(notes.program, programs)
    pairs = np.unique(index[inside] * 256 + notes.program[inside])
    return len(pairs) / (bars * len(programs))


def bass_comes_home(notes: Notes, plan: Plan) -> bool | None:
    """Whether the bass ends on the tonic, and comes from another tone; None without a key.

    Bass: the lowest pitch that sounds at an onset, drums left out. At the last onset it is the
    tonic, and at some onset in the two bars before that it was another pitch class, so that a bass
    that never moved has not come home. As a figure, the share of pieces that end, 0 to 1. A
    definition of our own.
    """
    tonal = notes.program != DRUMS
    if plan.key is None or plan.key == NO_KEY or not tonal.any():
        return None
    start, end, pitch = notes.start[tonal], notes.end[tonal], notes.pitch[tonal]
    last = float(start.max())

    def bass(at: float) -> int:
        return int(pitch[(start <= at + 1e-6) & (end > at + 1e-6)].min()) % 12

    if bass(last) != tonic(plan.key):
        return False
    reach = last - CADENCE * quarters_per_bar(_metre(plan))
    earlier = np.unique(start[(start >= reach - 1e-6) & (start < last - 1e-6)])
    return any(bass(float(at)) != tonic(plan.key) for at in earlier)


# What was sketched --------------------------------------------------------------------------------


def harmony_kept(notes: Notes, plan: Plan, sketch: Sketch) -> dict[str, float]:
    """Chords heard against chords sketched: "majmin" and "root", 0 to 1, weighted by time.

    mir_eval's comparisons (Raffel et al. 2014; Pauwels & Peeters 2013): root and third, or root
    alone; `harmony.agreement` of the sketch, as the reference, and `harmony.chords_of`. NaN where
    nothing can be compared.
    """
    bars = len(sketch.rows)
    key = None if plan.key == NO_KEY else plan.key
    heard = chords_of(notes, _metre(plan), bars, key=key)
    found = agreement([row.chords for row in sketch.rows], heard, _metre(plan))
    return {n: found[n] if found[f"{n}_beats"] else math.nan for n in ("majmin", "root")}


def form_kept(notes: Notes, plan: Plan, sketch: Sketch) -> float:
    """Share of the bars sketched as repetitions that are heard as such, 0 to 1; NaN without any.

    A bar is if its `form.alike` (onsets and pitches of each instrument, F1) with the bar that it
    should repeat is above `ALIKE`. A definition of our own. NaN for more than `form.MOST_COMPARED`.
    """
    if len(sketch.rows) > MOST_COMPARED:
        return math.nan
    likeness = alike(notes, _metre(plan), len(sketch.rows))
    wanted = [(bar, row.like) for bar, row in enumerate(sketch.rows) if row.like is not None]
    return _mean([float(likeness[bar, like] > ALIKE) for bar, like in wanted])


FIGURES: Mapping[str, Callable[[Notes, Plan], float]] = {
    "neighbouring bars alike": neighbouring_bars,
    "longest stretch on one harmony": lambda *piece: longest_harmony(harmonies(*piece)),
    "chord changes a bar": lambda *piece: chord_changes(harmonies(*piece)),
    "different chords in eight bars": lambda *piece: different_chords(harmonies(*piece)),
    "melody steps that repeat the pitch": lambda notes, plan: repeated_pitches(notes),
    "melody bars that come back": recurring_bars,
    "bars one apart alike": partial(apart_alike, lag=1),
    "bars two apart alike": partial(apart_alike, lag=2),
    "bars four apart alike": partial(apart_alike, lag=4),
    "bars eight apart alike": partial(apart_alike, lag=8),
    "structureness, 4 to 8 bars": structureness,
    "instruments playing": playing_share,
    "melodic moves by step": stepwise_moves,
    "onsets with clashing tones": clashing_onsets,
    "silence within parts": silence_within,
}
