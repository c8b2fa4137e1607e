"""How sketches of real music go on, counted: what an undertrained model lacks most.

A sketch is short and lawful, so that counting says much of it: which bars come back after which,
and what chord follows two others. Each choice has a few contexts, from none to the longest, and
their counts are blended into one distribution, as n-gram models are smoothed (Witten & Bell 1991).
The model's own probabilities are mixed with it: half and half predicts held-out sketches better
than either of the two (docs/format.md has the figures).

A model folder may have such a file; `training/count_sketches.py` counts it from prepared data.
"""

from __future__ import annotations

import gzip
import json
import zlib
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textmusic.errors import TextMusicError
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row
from textmusic.music.theory import is_minor
from textmusic.system.whole_files import whole_file
from textmusic.tokens.layout import Floats32, Mask, layout_of
from textmusic.tokens.sketch_grammar import SketchGrammar

FILE = "sketch_counts.json.gz"  # in a model folder
FORMAT = 1
LEAST = 50  # times that a context has been seen, for its counts to be kept
PRIOR = 20  # what the counts of a base weigh beside those of somebody's own music
PHRASE = 4  # bars, by which the place of a bar is told
_NEAR = 2  # bars from the end in which a chord's context says so
_AWAY = (2, 4, 7)  # bars since a chord on the tonic, by which it tells how far away it is
MOST_BYTES = 16_000_000  # unpacked

_BROKEN = (
    ValueError, TypeError, KeyError, AttributeError, RecursionError, EOFError, zlib.error,
    gzip.BadGzipFile,
)  # fmt: skip

Counts = Mapping[str, Mapping[str, int]]


class SketchCounts:
    """What follows what in real sketches, by context."""

    def __init__(self, counts: Counts) -> None:
        """counts: context -> choice -> how often, as `contexts` and `choice` spell them."""
        self.counts = counts

    def __len__(self) -> int:
        """How many contexts there are."""
        return len(self.counts)

    @classmethod
    def of(
        cls,
        sketches: Iterable[tuple[Plan, Sequence[int]]],
        vocabulary: tuple[str, ...],
        least: int = LEAST,
    ) -> SketchCounts:
        """Count sketches: the plan and the music ids of each, without `<|score|>`.

        least: times that a context has to be seen.
        """
        layout = layout_of(vocabulary)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for plan, ids in sketches:
            grammar = SketchGrammar(layout, plan, bare=True)
            for music_id in ids:
                if grammar.is_open:
                    for context in contexts(grammar):
                        counts[context][choice(vocabulary[music_id], grammar)] += 1
                grammar.advance(music_id)
            if grammar.is_open:  # behind the last chord: that it stays to the end is a choice, too
                for context in contexts(grammar):
                    counts[context]["|"] += 1
        return cls({c: dict(n) for c, n in counts.items() if n.total() >= least})

    def adapted(self, own: SketchCounts) -> SketchCounts:
        """These counts and, on top of them, those of somebody's own music, which outweigh them.

        Of a context that has been seen often, these count as if it had been seen `PRIOR` times.
        """
        found: dict[str, Counter[str]] = {}
        for context, seen in self.counts.items():
            weight = min(PRIOR / sum(seen.values()), 1.0)
            scaled = {each: round(n * weight) for each, n in seen.items()}
            found[context] = Counter({each: n for each, n in scaled.items() if n})
        for context, seen in own.counts.items():
            found.setdefault(context, Counter()).update(seen)
        return SketchCounts({context: dict(seen) for context, seen in found.items() if seen})

    def likely(self, grammar: SketchGrammar, ids: NDArray[np.intp]) -> NDArray[np.float64]:
        """How likely each of some music ids (N,) comes next, by the counts alone; they sum to 1."""
        vocabulary = grammar.layout.vocabulary
        choices = [choice(vocabulary[i], grammar) for i in ids]
        found = np.full(len(ids), 1 / len(ids))
        for context in contexts(grammar):
            seen = self.counts.get(context, {})
            times = np.array([seen.get(each, 0) for each in choices], dtype=np.float64)
            if times.any():  # Witten-Bell: as many doubts as different choices
                found = (times + len(seen) * found) / (times.sum() + len(seen))
        return found

    def mixed(
        self, logits: Floats32, allowed: Mask, grammar: SketchGrammar, share: float
    ) -> Floats32:
        """Logits (M,) by which a share of the probability of what is allowed is the counts'."""
        ids = np.flatnonzero(allowed)
        if share == 0 or len(ids) < 2 or not grammar.is_open:
            return logits
        own = np.exp((logits[ids] - logits[ids].max()).astype(np.float64))
        mixture = (1 - share) * own / own.sum() + share * self.likely(grammar, ids)
        guided = logits.copy()
        guided[ids] = np.log(mixture)
        return guided

    def save(self, path: Path) -> None:
        """Write it as JSON, packed; the file appears when it is whole."""
        told = {"format": FORMAT, "counts": self.counts}
        text = json.dumps(told, sort_keys=True, separators=(",", ":"))
        with whole_file(path) as unfinished:
            unfinished.write_bytes(gzip.compress(text.encode(), mtime=0))

    @classmethod
    def load(cls, path: Path) -> SketchCounts:
        """Raises TextMusicError for a file that is none."""
        try:
            with gzip.open(path) as file:
                text = file.read(MOST_BYTES + 1)
            if len(text) > MOST_BYTES:
                raise ValueError
            return cls(_checked(json.loads(text)))
        except _BROKEN as problem:
            raise TextMusicError(
                f"'{path}' does not hold counts of sketches; get the model again."
            ) from problem


def _checked(told: Any) -> Counts:
    counts: Counts = told["counts"]
    if told["format"] != FORMAT:
        raise ValueError
    for seen in counts.values():
        if not all(type(n) is int and 0 < n < 1 << 40 for n in seen.values()):
            raise ValueError
    return counts


def counts_file(folder: Path) -> Path | None:
    """The file of a model folder; None where it has none."""
    places = (folder, folder.parent)  # a model below another's folder shares its file
    return next((place / FILE for place in places if (place / FILE).is_file()), None)


@cache
def sketch_counts(folder: Path) -> SketchCounts | None:
    """The counts of a model folder, read once; None where it has none."""
    file = counts_file(folder)
    return SketchCounts.load(file) if file else None


def contexts(grammar: SketchGrammar) -> list[str]:
    """What the next choice of a sketch may depend on, from the least to the most."""
    rows = grammar.rows
    place = len(rows) - grammar.count - 1  # counted from the end, where forms close
    if grammar.expects == "form":
        forms = [_form(row, bar) for bar, row in enumerate(rows[:-1])]
        phase = place % PHRASE
        spans = ((forms[-1:],), (forms[-2:], phase), (forms[-4:], phase))
        return [_spelt("form", *each) for each in ((), *spans)]
    plan, chords = grammar.plan, grammar.last_chords(2)
    minor = plan.key is not None and is_minor(plan.key)
    begun = bool(rows[-1].chords)
    kind = grammar.expects + (f" {rows[-1].chords[-1][0]}" if begun else "")
    near = min(-place, _NEAR)
    told: list[tuple[object, ...]] = [(), (minor, plan.time_signature, chords[-1:])]
    if grammar.expects == "chord":
        away = bisect_right(_AWAY, grammar.away)
        told += [(minor, "away", away, chords[-1:]), (minor, near, chords)]
    else:  # how fast chords change is a matter of metre, genre and what has just been done
        before = len(rows[-2].chords) if len(rows) > 1 else 0
        told += [
            (plan.time_signature, near, chords),
            (plan.genre, plan.time_signature, near, before),
        ]
    return [_spelt(kind, *each) for each in told]


def choice(token: str, grammar: SketchGrammar) -> str:
    """What a token of a sketch says, wherever the bar stands: "Like 4" is four bars back."""
    kind, _, value = token.partition("_")
    if kind in ("Like", "Vary"):
        return f"{kind} {int(value) - (grammar.count - len(grammar.rows) + 1)}"
    return "|" if kind in ("Bar", "<|score|>") else token


def _form(row: Row, bar: int) -> str:
    if row.like is not None:
        return f"Like {bar - row.like}"
    return "New" if row.vary is None else f"Vary {bar - row.vary}"


def _spelt(kind: str, *parts: object) -> str:
    return json.dumps([kind, *parts], separators=(",", ":"))
