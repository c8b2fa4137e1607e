"""Notes -> form: which bars repeat or vary an earlier one, and the sections that this makes.

Bars are compared by their onsets on a grid of `GRID` places a quarter note; lengths and velocities
do not count. The figures that say how two bars resemble each other are all F1, 2 x shared / all,
from 0 (nothing shared) to 1:

- whole: of the (place, pitch) of each instrument, the instruments weighed by the square root of
  their notes, so that sixteen hi-hats do not outvote a melody;
- melody: of the (place, pitch) of the top line alone, whoever plays it;
- rhythm and contour: of the places, and of (place, up, down or level) of the top line.

Thresholds were set with training/judge_form.py, which measures them against people's section labels
of POP909 songs (Dai, Zhang & Dannenberg 2020, "Automatic analysis and influence of hierarchical
structure on melody, rhythm and harmony in popular music").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textmusic.music.notes import GRID, Floats, Ints, Notes
from textmusic.music.sketch import Row
from textmusic.music.theory import DRUMS, quarters_per_bar

Flags = NDArray[np.bool_]

LIKE = 0.65  # mean of whole and melody, the melody counting MELODY of it
MELODY = 0.6
LEAST_WHOLE, LEAST_MELODY = 0.4, 0.3  # the least that each of the two must reach
VARY = 0.6  # rhythm of the top line, above what it shares with any bar
VARY_WHOLE = 0.7  # rhythm of everything
SEQUENCE_RHYTHM, SEQUENCE_CONTOUR = 0.75, 0.9  # or the same shape on other steps
NEAR, ALONE = 4, 0.2  # bars; how much more is asked of a single bar that is further away
GOING_ON = 0.15  # how much less is enough where the bar before goes on from the same place
AS_GOOD = 0.10  # candidates this close to the best count as equal, and the earliest is named
FAR_BEHIND = 0.30  # a copy this far below the best is not continued
BARS_AHEAD = 4  # bars looked at to choose among equally good candidates
DEPARTURE = 2  # new bars after which a copy may still continue
RELATED = 0.35  # of a bar that varies another, where one that repeats it counts 1
EDGE = 4.0  # bars that the clearest edge of a repetition is worth
SAME_LETTER = 0.45  # of a section's bars are related to those of the other
LONGEST_SECTION = 24  # bars of a section
MOST_COMPARED = 2_000  # bars
FEWEST_MELODY_ONSETS = 3  # fewest onsets in a melody for its rhythm to be compared


@dataclass(frozen=True, slots=True)
class _Likeness:
    """How bars resemble each other: (bars, bars) figures. silent: (bars,), no onsets."""

    whole: Floats
    melody: Floats
    vary: Floats  # on the scale of VARY
    silent: Flags

    @property
    def like(self) -> Floats:
        """On the scale of LIKE."""
        mean = MELODY * self.melody + (1 - MELODY) * self.whole
        near = (self.whole >= LEAST_WHOLE) & (self.melody >= LEAST_MELODY)
        return np.asarray(np.where(near, mean, 0.0))


def form_of(notes: Notes, time_signature: str, bars: int) -> list[tuple[int | None, int | None]]:
    """(like, vary) of each bar: the earlier bar that it repeats, or whose rhythm alone it has.

    Bars are counted from 0, at the notes' own time 0; at most one of the two is given, and neither
    for a new bar. Where several earlier bars would do, the one that goes on where the bar before
    left off is named (if bar 8 is like 0, bar 9 is like 1), until it runs into the copy itself;
    else, of those that are about as good as the best, the one whose next bars fit too, and the
    earliest of these. So a loop of two bars reads 0 1 0 1, and a third verse names the first.

    A bar is varied if its melody has the rhythm of another one's in more places than it shares with
    any bar of the piece, or moves in the same directions at the same places (a sequence): a rhythm
    that all bars have says nothing. A bar without onsets is new, unless it goes on with a
    repetition in which a silent bar stood at this place too. More than MOST_COMPARED bars are all
    new: what comparing takes grows with their square.
    """
    if bars > MOST_COMPARED:
        return [(None, None)] * bars
    figures = _likeness(notes, time_signature, bars)
    like, silent = figures.like, figures.silent
    paths = _Path(like), _Path(figures.vary)
    rows: list[tuple[int | None, int | None]] = []
    following: int | None = None  # the bar after the one that was named last
    begun = missed = 0  # first bar of the copy that is under way; new bars within it
    for bar in range(bars):
        on = following
        if on is not None and (on >= begun or paths[0].rounds(bar, on, rows[on][0])):
            on = None  # the copy has run into itself, or loops
        row: tuple[int | None, int | None] = (None, None)
        if silent[bar]:
            if on is not None and silent[on] and not missed:
                row = (on, None)
        elif bar:
            row = (paths[0].source(bar, on, LIKE), None)
            if row[0] is None:
                row = (None, paths[1].source(bar, on, VARY))
        source = row[0] if row[0] is not None else row[1]
        rows.append(row)
        if source is not None:
            begun = begun if source == on else bar
            following, missed = source + 1, 0
        else:  # a copy may depart for a bar or two and come back
            missed += 1
            following = on + 1 if on is not None and missed <= DEPARTURE else None
    return rows


def alike(notes: Notes, time_signature: str, bars: int) -> Floats:
    """(bars, bars) how much of each bar stands in each other one, 0 to 1; symmetric.

    For every instrument that plays in either bar: F1 of their (place, pitch) onsets, which is
    2 x shared / (onsets of one + onsets of the other), places counted in twelfths of a quarter
    note from the bar line. The mean of these over the instruments, weighed by the square root of
    their onsets in both bars. A bar without onsets is like itself (1) and like no other (0).
    """
    return _likeness(notes, time_signature, bars).whole


class _Path:
    """Chooses which earlier bar to name, by (bars, bars) scores."""

    def __init__(self, scores: Floats) -> None:
        self._scores = scores
        bars = len(scores)
        total, count = np.zeros_like(scores), np.zeros_like(scores)
        for step in range(min(BARS_AHEAD, bars)):
            total[: bars - step, : bars - step] += scores[step:, step:]
            count[: bars - step, : bars - step] += 1
        self._ahead = total / np.maximum(count, 1)  # mean of two bars and of the next ones

    def rounds(self, bar: int, on: int, root: int | None) -> bool:
        """Whether the bar that `on` is like would do as well, and what follows it too."""
        if root is None:
            return False
        here, ahead = self._scores[bar], self._ahead[bar]
        return bool(here[root] >= here[on] - AS_GOOD and ahead[root] >= ahead[on] - AS_GOOD)

    def source(self, bar: int, on: int | None, least: float) -> int | None:
        """The bar that this one is taken from, if its score is at least so high.

        on: the one that goes on where the bar before left off.
        """
        earlier, ahead = self._scores[bar, :bar], self._ahead[bar, :bar]
        best = float(earlier.max())
        if on is not None and earlier[on] >= max(least - GOING_ON, best - FAR_BEHIND):
            return on
        if best < least:
            return None
        good = np.flatnonzero(earlier >= max(best - AS_GOOD, least))
        return int(good[ahead[good] >= ahead[good].max() - AS_GOOD][0])


def _likeness(notes: Notes, time_signature: str, bars: int) -> _Likeness:
    length = round(quarters_per_bar(time_signature) * GRID)
    tick = np.rint(notes.start * GRID).astype(np.int64)
    inside = (tick >= 0) & (tick < bars * length)
    tick, pitch, program = tick[inside], notes.pitch[inside], notes.program[inside]
    end = tick + np.maximum(np.rint(notes.duration[inside] * GRID).astype(np.int64), 1)
    bar, place = np.divmod(tick, length)

    whole, beat, weight = np.zeros((bars, bars)), np.zeros((bars, bars)), np.zeros((bars, bars))
    for one in np.flatnonzero(np.bincount(program, minlength=DRUMS + 1)):
        mine = program == one
        size = np.bincount(bar[mine], minlength=bars)
        heavy = np.sqrt(size[:, None] + size[None])
        whole += heavy * _f1(bar[mine], place[mine] * 128 + pitch[mine], bars)
        beat += heavy * _f1(bar[mine], place[mine], bars)
        weight += heavy
    weight[weight == 0] = 1.0
    whole, beat = whole / weight, beat / weight
    silent = np.bincount(bar, minlength=bars) == 0
    np.fill_diagonal(whole, 1.0)

    tonal = np.flatnonzero(program != DRUMS)
    if not len(tonal):
        return _Likeness(whole, whole, np.where(beat >= VARY_WHOLE, _told(beat, silent), 0), silent)
    line = tonal[_top(tick[tonal], end[tonal], pitch[tonal], covered=False)]
    open_line = tonal[_top(tick[tonal], end[tonal], pitch[tonal], covered=True)]
    melody = np.maximum(
        *(_f1(bar[top], place[top] * 128 + pitch[top], bars) for top in (line, open_line))
    )
    lone = np.bincount(bar[line], minlength=bars) == 0
    melody = np.where(lone[:, None] & lone[None], whole, melody)  # drums are all there is
    vary = _vary(bar[open_line], place[open_line], pitch[open_line], beat)
    return _Likeness(whole, melody, vary, silent)


def _vary(bar: Ints, place: Ints, pitch: Ints, beat: Floats) -> Floats:
    """(bars, bars) on the scale of VARY: a shared rhythm of the top line that says something."""
    bars = len(beat)
    size = np.bincount(bar, minlength=bars)
    tune = _f1(bar, place, bars)
    inner = np.flatnonzero(np.diff(bar) == 0)  # steps within a bar
    steps = np.sign(np.diff(pitch))[inner]
    contour = _f1(bar[inner], place[inner] * 3 + steps + 1, bars)
    sequence = (tune >= SEQUENCE_RHYTHM) & (contour >= SEQUENCE_CONTOUR)
    longer = size > FEWEST_MELODY_ONSETS  # two steps are too few for a shape
    sequence &= longer[:, None] & longer[None]
    told = np.maximum(_told(tune, size == 0), np.where(sequence, VARY, 0.0))
    # Among many bars, one has the same few onsets by chance: for distant bars a neighbour must fit
    # too.
    places = np.arange(bars)
    backed = np.abs(places[:, None] - places[None]) <= NEAR
    backed[1:, 1:] |= told[:-1, :-1] >= VARY - GOING_ON
    backed[:-1, :-1] |= told[1:, 1:] >= VARY - GOING_ON
    told = np.where(backed, told, told - ALONE)
    many = size >= FEWEST_MELODY_ONSETS
    return np.where((beat >= VARY_WHOLE) & many[:, None] & many[None], told, 0.0)


def _told(rhythm: Floats, silent: Flags) -> Floats:
    """(bars, bars) shared rhythm above chance: 0 for what two bars share with any bar, at most 1.

    As Cohen's kappa corrects for chance, which is here the (geometric) mean of what either shares
    with all other bars. Rhythms that all bars have come out low.
    """
    others = max(int((~silent).sum()) - 1, 1)
    usual = np.maximum(rhythm.sum(axis=1) - 1, 0.0) / others
    chance = np.minimum(np.sqrt(usual[:, None] * usual[None]), 1.0)
    return np.asarray((rhythm - chance) / (1.05 - chance))  # 0.05: no division by next to nothing


def _f1(bar: Ints, what: Ints, bars: int) -> Floats:
    """(bars, bars) F1 of the sets of numbers (0 and more) that bars hold; 0 for two empty sets."""
    used = np.zeros(int(what.max(initial=0)) + 1, dtype=bool)
    used[what] = True
    held = np.zeros((bars, max(int(used.sum()), 1)), dtype=np.float32)
    held[bar, (np.cumsum(used) - 1)[what]] = 1.0
    size = held.sum(axis=1)
    shared = (held @ held.T).astype(np.float64)
    return np.asarray(2 * shared / np.maximum(size[:, None] + size[None], 1.0))


def _top(tick: Ints, end: Ints, pitch: Ints, *, covered: bool) -> Ints:
    """Indices of the top line's notes, in time order: the highest of those struck together.

    covered: without those over which a higher one from before sounds on past their middle (at most
    half a quarter later): an accompaniment under a held tone is no melody, but a melody whose tones
    overlap a little stays one. After the skyline of Uitdenbogerd & Zobel 1999.
    """
    order = np.lexsort((-pitch, tick))
    top = order[np.concatenate([[True], np.diff(tick[order]) > 0])]
    if not covered:
        return np.asarray(top)
    # The highest note that sounds at every tick: written from low to high, the last one stays.
    rising = np.argsort(pitch, kind="stable")
    last = int(tick.max()) + GRID
    spans = np.minimum(end, last)[rising] - tick[rising]
    firsts = np.cumsum(spans) - spans
    ticks = np.arange(spans.sum()) - np.repeat(firsts - tick[rising], spans)
    highest = np.zeros(last + 1, dtype=np.int64)
    highest[ticks] = np.repeat(rising, spans)
    middle = tick[top] + np.minimum((end[top] - tick[top]) // 2, GRID // 2)
    over = highest[middle]
    return np.asarray(top[~((tick[over] < tick[top]) & (pitch[over] > pitch[top]))])


def letters(rows: Sequence[Row], *, shortest: int = 4, most: int = 8) -> list[tuple[int, str]]:
    """(first bar, letter) of each section, in order: [(0, "A"), (8, "A"), (16, "B"), (24, "A")].

    rows: of bars, as `form_of` has them (their chords do not matter). shortest: bars of a section,
    but for the first and the last one, which may be a pickup and an ending. most: letters, up to
    26. Music that nothing repeats is cut where what does repeat begins and ends.

    Bars are related if their chains of like (1) or of like and vary (RELATED) begin in the same
    bar. A division is worth the bars that stand in another section too, at the same place; and the
    more, the more stretches of related bars begin or end where its sections do; less a cost of
    each section, least for four and eight bars. The best that hill climbing finds is taken: a
    method of our own, after the fitness of Müller, Jiang & Grosche 2013. A section gets the letter
    of the earlier one that it shares the most with, or a new one.
    """
    if not rows:
        return []
    division = _Division(_related(rows), shortest)
    firsts = division.best()
    matches, least = division.matches(firsts)[0], SAME_LETTER
    named = _named(matches, least)
    while max(named) >= most and least > 0.05:
        least -= 0.05
        named = _named(matches, least)
    # Surplus letters are dropped: their sections join the section before.
    kept = [(at, letter) for at, letter in zip(firsts, named, strict=True) if letter < most]
    return [(at, chr(ord("A") + letter)) for at, letter in kept]


def _related(rows: Sequence[Row]) -> Floats:
    """(bars, bars) 1 for bars that are like the same one, RELATED for those that vary it, or 0."""
    like = np.arange(len(rows))
    either = like.copy()
    for bar, row in enumerate(rows):
        if row.like is not None:
            like[bar], either[bar] = like[row.like], either[row.like]
        elif row.vary is not None:
            either[bar] = either[row.vary]
    varied = RELATED * (either[:, None] == either[None])
    return np.asarray(np.where(like[:, None] == like[None], 1.0, varied))


def _named(matches: Floats, least: float) -> list[int]:
    """A number for each section: that of the earlier one it matches best, or the next new one."""
    named: list[int] = []
    for at, row in enumerate(matches):
        best = int(np.argmax(row[:at])) if at else 0
        fits = at > 0 and row[best] >= least
        named.append(named[best] if fits else max(named, default=-1) + 1)
    return named


class _Division:
    """Divisions of a piece into sections, given as the sections' first bars, and their worth."""

    def __init__(self, related: Floats, shortest: int) -> None:
        bars = self._bars = len(related)
        self._shortest = shortest
        self._sums = np.zeros((bars + 1, bars))  # [b, lag] of related bars b' and b' - lag, b' < b
        edges = np.zeros(bars + 1)
        for lag in range(bars):
            diagonal = np.diagonal(related, lag)
            self._sums[lag + 1 :, lag] = np.cumsum(diagonal)
            if lag < shortest:
                continue
            change = np.flatnonzero(np.diff(diagonal > 0, prepend=False, append=False))
            for begin, end in change.reshape(-1, 2).tolist():
                if end - begin >= shortest:
                    weight = min(float(diagonal[begin:end].sum()), 16.0)
                    np.add.at(edges, [begin, end, begin + lag, end + lag], weight)
        self._edges = EDGE * edges / max(float(edges[1:-1].max(initial=0.0)), 1.0)
        lengths = np.arange(bars + 1)
        self._cost = np.where(lengths % 2, 2.4, 2.0) + 0.4 * np.maximum(lengths - 8, 0)
        for length, cost in ((4, 1.4), (8, 1.2), (16, 4.0)):  # two of three of people's: 4 or 8
            self._cost[length : length + 1] = cost
        self._cost[:shortest] = 3.2

    def matches(self, firsts: Sequence[int]) -> tuple[Floats, Ints]:
        """(sections, sections) share of their bars that are related, place by place; lengths."""
        first = np.asarray(firsts)
        length = np.diff(np.append(first, self._bars))
        both = np.minimum(length[:, None], length[None])
        later = np.maximum(first[:, None], first[None])
        lag = later - np.minimum(first[:, None], first[None])
        shared = self._sums[later + both, lag] - self._sums[later, lag]
        share = 2 * shared / (length[:, None] + length[None])
        np.fill_diagonal(share, 0.0)
        return share, length

    def best(self) -> list[int]:
        """First bars of the sections of the best division that hill climbing finds."""
        firsts = self._start()
        worth = self._worth(firsts)
        while True:
            found = [(self._worth(other), other) for other in self._neighbours(firsts)]
            top = max(found, key=lambda pair: pair[0], default=(worth, firsts))
            if top[0] <= worth + 1e-9:
                return firsts
            worth, firsts = top

    def _worth(self, firsts: Sequence[int]) -> float:
        share, length = self.matches(firsts)
        best = share.max(axis=1)
        shared = (length * np.where(best >= SAME_LETTER, best, 0.0) ** 2).sum()  # halves count less
        return float(shared - self._cost[length].sum() + self._edges[list(firsts)].sum())

    def _neighbours(self, firsts: list[int]) -> Iterator[list[int]]:
        """Divisions with a section more, one fewer, or one that begins up to four bars off."""
        held = set(firsts)
        moved = [held ^ {bar} for bar in range(1, self._bars)]
        moved += [
            held - {first} | {first + by}
            for first in firsts[1:]
            for by in (-4, -3, -2, -1, 1, 2, 3, 4)
            if 0 < first + by < self._bars and first + by not in held
        ]
        for other in map(sorted, moved):
            inner = np.diff(other)[1:]
            if not len(inner) or inner.min() >= self._shortest:
                yield other

    def _start(self) -> list[int]:
        """First bars of the division that is best by edges and lengths alone (exactly so)."""
        bars, shortest = self._bars, self._shortest
        best, before = np.full(bars + 1, -np.inf), np.zeros(bars + 1, dtype=np.int64)
        best[0] = 0.0
        for end in range(1, bars + 1):
            begins = np.arange(max(0, end - LONGEST_SECTION), end)
            scores = best[begins] - self._cost[end - begins]
            if end < bars:
                scores[(end - begins < shortest) & (begins > 0)] = -np.inf
            best[end] = scores.max() + self._edges[end]
            before[end] = begins[int(np.argmax(scores))]
        firsts = [int(before[bars])]
        while firsts[0]:
            firsts.insert(0, int(before[firsts[0]]))
        return firsts
