"""What may come next in a plan: what was asked is forced, the rest open. See `score_grammar`.

An open choice is made among what real pieces of the genre have (`usual`): instruments that play
together in 1 % of its music or more, its metres, the middle nine tenths of its tempi. Where nothing
of that agrees with what was asked, any value may be chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import numpy as np

from textmusic.music import usual
from textmusic.music.plan import (
    COUNTED_BARS,
    FIELDS,
    GENRES,
    MAX_BARS,
    MAX_PROGRAMS,
    TEMPO_MARKS,
    Plan,
    decode_plan,
    field_tokens,
    field_vocabulary,
    tempo_mark,
)
from textmusic.music.theory import DRUMS, NO_KEY, is_minor, quarters_per_bar, tempo_bin
from textmusic.tokens.layout import Layout, Mask
from textmusic.tokens.vocabulary import SKETCH

OPEN_BARS = (12, 32)  # bars to choose from when no length is asked for
NEAR_MULTIPLE = 0.1  # how much longer or shorter bars may be than asked, to be a multiple


class PlanGrammar:
    """From `<|plan|>` to `<|sketch|>`: asked fields are forced, open ones take a usual value."""

    def __init__(
        self,
        layout: Layout,
        asked: Plan,
        *,
        seconds: float | None = None,
        without: Collection[int] = (),
        near: Plan = Plan(),
        lengths: tuple[int, int] = OPEN_BARS,
        minor: bool | None = None,
        multiple: int | None = None,
        free: bool = False,
    ) -> None:
        """asked: what is fixed. seconds: a length that bars are counted from, once known.

        without: programs that an open choice of instruments must leave out. near: levels that an
        open choice of valence or arousal must be at most one off. lengths: bars (from, to) that an
        open choice may have. minor: the mode of an open key; None leaves it open too. multiple:
        what an open number of bars must be a multiple of, 1 to 256. Lengths give way to it where
        none lies in them; it gives way to seconds that it would miss by more than a tenth.
        free: open choices are not kept to what is usual, to see what a model makes of a text.
        """
        self.lengths, self.minor, self.multiple, self.free = lengths, minor, multiple, free
        self.layout, self.seconds, self.without = layout, seconds, without
        # nothing but drums alone has no key
        self.asked = replace(asked, programs=(DRUMS,)) if asked.key == NO_KEY else asked
        self.near = near
        self.done = False
        self.tokens: list[str] = []
        self._field = 0  # which of FIELDS is being written
        self._forced: list[str] = []  # what of an asked field is still to be written

    @property
    def plan(self) -> Plan:
        """The plan so far; asked values exactly as asked, not rounded to their tokens."""
        return self.asked.over(decode_plan(self.tokens))

    def allowed(self) -> Mask:
        """(M,) True where an id may come next."""
        mask = np.zeros(self.layout.size, dtype=np.bool_)
        for token in self._next_tokens():
            mask[self.layout.index[token]] = True
        return mask

    def advance(self, music_id: int) -> None:
        """Take the id that was chosen."""
        token = self.layout.vocabulary[music_id]
        if token == SKETCH:
            self.done = True
            return
        if FIELDS[self._field] == "programs" and not token.startswith("Program_"):
            self._field += 1  # the open list of instruments was closed by the next field
        self.tokens.append(token)
        if self._forced:
            self._forced.pop(0)
        if not self._forced and not (
            FIELDS[self._field] == "programs" and self.asked.programs is None
        ):
            self._field += 1

    def _next_tokens(self) -> list[str]:
        if self._field == len(FIELDS):
            return [SKETCH]
        name = FIELDS[self._field]
        if self._forced:
            return self._forced[:1]
        if name == "programs" and self.asked.programs is None:
            return self._programs()
        return self._options(name)

    def _options(self, name: str) -> list[str]:
        asked = getattr(self.asked, name)
        if name == "bars" and asked is None:
            asked = self._counted_bars()
            self.asked = replace(self.asked, bars=asked)  # the token says at most "64 or more"
        if asked is not None:
            self._forced = field_tokens(name, asked)
            return self._forced[:1]
        options = field_vocabulary()[name]
        middle = getattr(self.near, name)
        if middle is not None:
            return [t for t in options if abs(int(t.split("_")[1]) - middle) <= 1]
        if name == "key":
            return self._keys(options)
        if name == "bars":
            return self._bars()
        return options if self.free else self._usual_options(name, options)

    def _usual_options(self, name: str, options: list[str]) -> list[str]:
        match name:
            case "genre":
                return [f"Genre_{genre}" for genre in self._genres()]
            case "tempo":
                return self._tempi()
            case "time_signature":
                metres = usual.of(self.plan.genre).metres
                return _kept(options, lambda t: t.split("_")[1] in metres)
        return options

    def _genres(self) -> list[str]:
        """The genres in which the asked facts are usual; facts usual in none are ignored."""
        programs, metre, tempo = self.asked.programs, self.asked.time_signature, self.asked.tempo
        if programs is not None:
            genres = list(usual.genres_of(tuple(sorted(programs))) or GENRES)
        else:
            genres = _kept(GENRES, lambda genre: not usual.of(genre).is_tunes)
            genres = _kept(genres, lambda genre: bool(self._sets(genre)))
        if metre is not None:
            genres = _kept(genres, lambda genre: metre in usual.of(genre).metres)
        if tempo is not None:
            genres = _kept(genres, lambda genre: tempo_bin(tempo) in usual.of(genre).tempo_bins)
        return genres

    def _programs(self) -> list[str]:
        """The next instrument of a set that is usual, or, if it is complete, the next field."""
        chosen = self.plan.programs or ()
        genre = self.plan.genre
        sets = [] if self.free else self._sets(genre) or self._cut_sets(genre)
        if sets:
            size = len(chosen)
            more = {s[size] for s in sets if len(s) > size and s[:size] == chosen}
            complete = chosen in sets
        else:
            last = DRUMS - 1 if self._tonal and not chosen else DRUMS
            rest = range(max(chosen, default=-1) + 1, last + 1)
            more = {p for p in rest if p not in self.without and len(chosen) < MAX_PROGRAMS}
            complete = bool(chosen)
        tokens = [f"Program_{program}" for program in sorted(more)]
        return tokens + (self._options("key") if complete else [])

    def _sets(self, genre: str | None) -> list[tuple[int, ...]]:
        """Usual sets of instruments that may play here; where there are none, excerpts' sets."""
        found = usual.of(genre)
        for sets in (found.programs, found.heard):
            kept = [s for s in sets if set(s).isdisjoint(self.without) and self._may_play(s)]
            if self._unnamed:
                kept = [s for s in kept if not usual.is_tune(s)]
            if kept:
                return kept
        return []

    def _cut_sets(self, genre: str | None) -> list[tuple[int, ...]]:
        """What is left of the usual sets without those that must not play."""
        cut = [
            tuple(p for p in programs if p not in self.without)
            for programs in usual.of(genre).programs
        ]
        return [s for s in cut if s and self._may_play(s)]

    @property
    def _unnamed(self) -> bool:
        """Whether neither genre nor instruments were asked for.

        Then people do not mean an unaccompanied tune. A tenth of the corpora are fiddle tunes,
        written down without accompaniment.
        """
        return self.asked.genre is None and self.asked.programs is None

    def _may_play(self, programs: tuple[int, ...]) -> bool:
        """Drums alone can't play in a key."""
        return programs != (DRUMS,) or not self._tonal

    @property
    def _tonal(self) -> bool:
        return self.asked.key is not None or self.minor is not None

    def _keys(self, options: list[str]) -> list[str]:
        if self.plan.programs == (DRUMS,):
            return [f"Key_{NO_KEY}"]
        keys = [t for t in options if t != f"Key_{NO_KEY}"]
        return [t for t in keys if self.minor is None or is_minor(t) == self.minor]

    def _tempi(self) -> list[str]:
        """Marks that are usual; the one in their middle where a genre's tempi lie between two."""
        known = usual.of(self.plan.genre)
        middle = (known.tempi[0] * known.tempi[1]) ** 0.5
        marks = [m for m in TEMPO_MARKS if known.has_tempo(m)] or [TEMPO_MARKS[tempo_mark(middle)]]
        return [token for mark in marks for token in field_tokens("tempo", mark)]

    def _bars(self) -> list[str]:
        """Multiples among the lengths; where there are none, the nearest one."""
        low, high = self.lengths
        multiples = range(self.multiple or 1, COUNTED_BARS + 1, self.multiple or 1)
        nearest = min(multiples, key=lambda n: max(low - n, n - high))
        fitting = [n for n in multiples if low <= n <= high] or [nearest]
        return [token for n in fitting for token in field_tokens("bars", n)]

    def _counted_bars(self) -> int | None:
        """The number of bars, where seconds or a multiple above the largest token determine it."""
        step = self.multiple or 1
        if self.seconds is None:
            return step if step > COUNTED_BARS else None
        bars = bars_for(self.plan, self.seconds)
        rounded = max(1, round(bars / step)) * step
        near = abs(rounded - bars) <= NEAR_MULTIPLE * bars and rounded <= MAX_BARS
        return rounded if near else bars


def _kept(options: Iterable[str], keep: Callable[[str], bool]) -> list[str]:
    """The options worth keeping, or all of them if none is."""
    options = list(options)
    return [option for option in options if keep(option)] or options


def bars_for(plan: Plan, seconds: float) -> int:
    """How many bars (1-256) of the plan's tempo and metre come nearest to a length in seconds."""
    assert plan.tempo is not None and plan.time_signature is not None
    bar = quarters_per_bar(plan.time_signature) * 60 / plan.tempo
    return min(max(1, round(seconds / bar)), MAX_BARS)
