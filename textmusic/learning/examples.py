"""Training examples, drawn from windows."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textmusic.corpus.captions import Captioner
from textmusic.corpus.descriptions import facts_of, untrue
from textmusic.corpus.windows import PERMISSIVE, Window, music_ids, with_genre
from textmusic.errors import TextMusicError
from textmusic.learning import weighing
from textmusic.learning.config import FILLS
from textmusic.music.plan import TEMPO_RANGE, Plan, rounded
from textmusic.music.theory import tempo_bin, transposed
from textmusic.system.whole_files import write_text
from textmusic.tokens.folding import END, Struck, spelt
from textmusic.tokens.interleaving import restated
from textmusic.tokens.layout import layout_of
from textmusic.tokens.tokenizer import IGNORED, Tokenizer
from textmusic.tokens.vocabulary import FILL, SCORE

# General MIDI programs that may play each other's parts: pianos, electric pianos, organs ...
KIN = (
    (0, 1, 2, 3), (4, 5), (6, 7), (16, 17, 18, 19), (24, 25), (26, 27), (29, 30),
    (32, 33, 34, 35), (38, 39), (44, 48, 49, 50, 51), (52, 53, 54), (56, 59), (61, 62, 63),
    (65, 66), (73, 74, 75), (80, 81), (88, 89, 91, 92, 94, 95),
)  # fmt: skip
SWAP = 0.15  # share of examples in which one instrument is swapped for one of its kin
OWN_KEY = 0.3  # share of examples that keep the piece's own key
OWN_TEXT = 0.5  # share of examples with a person's own words, of windows that have such


@dataclass(frozen=True, slots=True)
class Example:
    """ids: (T,) in the LLM's id space. labels: (T,) music ids, or -100 where no loss falls.

    labels[t] is what should follow ids[t]. notes: how many notes the score part has.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    notes: int


class Examples:
    """Draws examples: a window by its source's weight, varied, with a fresh caption.

    A source that the weights do not name weighs 1; weight 0 leaves it out. Varied is the key (ids
    are spelt from C: to transpose is to name another key), the tempo within its published bin, and
    now and then an instrument.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        tokenizer: Tokenizer,
        captioner: Captioner,
        *,
        weights: dict[str, float] | None = None,
        vary: bool = True,
        permissive: bool = False,
        favoured: bool = False,
        fills: float = FILLS,
    ) -> None:
        """permissive: leave out what is under a copyleft licence, or one of its own.

        favoured: draw what people ask for more often, see `weighing`. fills: share of the examples
        with music that are fills.
        """
        if permissive:
            windows = [w for w in windows if PERMISSIVE.match(w.licence)]
        self.windows = windows
        self.tokenizer = tokenizer
        self.captioner = captioner
        self.vary, self.fills = vary, fills
        if not windows:
            raise TextMusicError(
                "no piece has a licence that this config permits; allow more licences in 'mix', or"
                " prepare other data."
            )
        each = weighing.weights(windows, weights or None, favoured=favoured)
        if each.sum() == 0:
            raise TextMusicError("all sources have weight 0; check 'mix' in the config.")
        self.cumulative = np.cumsum(each / each.sum())

    def draw(self, rng: random.Random) -> Window:
        """A window, by weight."""
        return self.windows[int(np.searchsorted(self.cumulative, rng.random()))]

    def make(self, window: Window, rng: random.Random, *, music: bool = True) -> Example:
        """An example of a window; without music it is caption and plan alone."""
        text, plan, ids = self._told(window, rng)
        if not music:
            return self.join(text, plan, [])
        if self.fills and rng.random() < self.fills:
            hole = drawn_hole(self.tokenizer.struck(ids), plan, rng)
            if hole is not None:
                return self.fill(text, plan, window.sketch, hole)
        return self.join(text, plan, window.sketch, ids)

    def caption(self, window: Window, rng: random.Random) -> str:
        """What an example of a window would say."""
        return self._told(window, rng)[0]

    def _told(self, window: Window, rng: random.Random) -> tuple[str, Plan, Sequence[int]]:
        """A text, and the plan and ids that it is said of.

        Where a person has described the piece, half of the examples say so in those words. The
        others have a written caption: the person's words are few, and would be learnt by heart,
        and the model has to go on reading keys, tempi and bars in all wordings.
        """
        plan, ids = self._drawn(window, rng, vary=self.vary)
        if not window.texts or rng.random() >= OWN_TEXT:
            return self.captioner.write(plan, rng), plan, ids
        text = rng.choice(window.texts)
        if untrue(text, plan):  # "in D minor", and transposed since: then nothing is varied
            plan, ids = self._drawn(window, rng, vary=False)
        genre = facts_of(text).genre
        return text, replace(plan, genre=genre) if genre in window.genres else plan, ids

    def _drawn(
        self, window: Window, rng: random.Random, *, vary: bool
    ) -> tuple[Plan, Sequence[int]]:
        ids: Sequence[int] = window.ids
        plan = with_genre(window, rng)
        if vary:
            plan, ids = self._varied(plan, ids, rng)
        return rounded(plan), ids

    def _varied(
        self, plan: Plan, ids: Sequence[int], rng: random.Random
    ) -> tuple[Plan, Sequence[int]]:
        key, tempo, players = plan.key, plan.tempo, plan.programs
        assert key is not None and tempo is not None and players is not None
        if rng.random() >= OWN_KEY:
            plan = replace(plan, key=transposed(key, rng.randrange(12)))
        low, high = TEMPO_RANGE
        other = min(max(tempo * rng.uniform(0.95, 1.05), low), high)
        if tempo_bin(other) == tempo_bin(tempo):
            plan = replace(plan, tempo=other)
        swaps = kindred(players) if rng.random() < SWAP else []
        if swaps:
            old, new = rng.choice(swaps)
            first = self.tokenizer.index["Program_0"]
            ids = music_ids(first + new if i == first + old else i for i in ids)
            programs = tuple(new if p == old else p for p in players)
            plan = replace(plan, programs=programs)
        return plan, ids

    def join(
        self,
        caption: str,
        plan: Plan,
        sketch: Sequence[int] | None = None,
        score: Sequence[int] | None = None,
    ) -> Example:
        """Caption, plan, sketch and score as one sequence, with its labels.

        An empty sketch ends behind `<|sketch|>`, none at all behind the plan.
        """
        return joined(self.tokenizer, caption, plan, sketch, score)

    def fill(self, caption: str, plan: Plan, sketch: Sequence[int], hole: Hole) -> Example:
        """What stands around a hole, then what fills it; the loss falls on that alone."""
        assert plan.bars is not None
        standing = spelt(hole.standing, 0, plan.bars, plan.bars)
        head = [FILL, *(f"Program_{program}" for program in hole.programs)]
        filled = [*spelt(hole.missing, *hole.bars, plan.bars), END]
        spell = self.tokenizer.music_ids
        score = [*spell(standing), *spell(head), *spell(filled)]
        sequence, _ = self.tokenizer.sequence(caption, plan, sketch, score)
        mark = _behind(sequence, self.tokenizer.index[FILL] + self.tokenizer.offset)
        return _labelled(self.tokenizer, sequence, mark + len(head), len(hole.missing))

    def drill(self, rng: random.Random) -> Example:
        """A mood word or scene by itself, and the plan as far as the mood: a dozen ids.

        Every word comes as often as any other, however rare pieces of its mood are; the genre is
        that of a piece of this mood, if one is found.
        """
        caption, valence, arousal = self.captioner.drill(rng)
        for _ in range(50):
            window = self.draw(rng)
            if (window.plan.valence, window.plan.arousal) == (valence, arousal):
                break
        plan = Plan(genre=with_genre(window, rng).genre, valence=valence, arousal=arousal)
        return self.join(caption, plan)


def joined(
    tokenizer: Tokenizer,
    caption: str,
    plan: Plan,
    sketch: Sequence[int] | None = None,
    score: Sequence[int] | None = None,
) -> Example:
    """Caption, plan, sketch and score as an example, see `Examples.join`."""
    sequence, first = tokenizer.sequence(caption, plan, sketch, score)
    vocabulary, offset = tokenizer.vocabulary, tokenizer.offset
    notes = sum(_is_note(vocabulary[i - offset]) for i in sequence[first:])
    return _labelled(tokenizer, sequence, 0, notes)


def _labelled(tokenizer: Tokenizer, sequence: Sequence[int], first: int, notes: int) -> Example:
    """A sequence with its labels: music ids, from the place `first` on."""
    ids = np.array(sequence, dtype=np.int64)
    begin = max(int(np.argmax(ids >= tokenizer.offset)), first - 1)
    labels = np.full(len(ids), IGNORED, dtype=np.int64)
    labels[begin:-1] = ids[begin + 1 :] - tokenizer.offset
    if tokenizer.interleaved:
        score = labels[_behind(sequence, tokenizer.offset + tokenizer.index[SCORE]) :]
        score[restated(score, layout_of(tokenizer.vocabulary))] = IGNORED  # it is known by then
    return Example(ids, labels, notes)


def _behind(sequence: Sequence[int], mark: int) -> int:
    """The place of a mark, or the end where there is none."""
    return sequence.index(mark) if mark in sequence else len(sequence)


@dataclass(frozen=True, slots=True)
class Hole:
    """Bars (first, behind the last) and instruments of a piece that are to be filled in.

    standing: the notes around it; missing: those of the hole; both in the order of writing.
    """

    bars: tuple[int, int]
    programs: tuple[int, ...]
    standing: list[Struck]
    missing: list[Struck]


def drawn_hole(notes: Sequence[Struck], plan: Plan, rng: random.Random) -> Hole | None:
    """A hole by chance: some bars of all instruments, some instruments in all bars, or both.

    None where nothing would stand around it, or nothing be missing.
    """
    assert plan.bars is not None and plan.programs is not None
    total, players = plan.bars, plan.programs
    kind = rng.random()
    first, last, chosen = 0, total, players
    if kind < 0.4 or len(players) == 1 or kind >= 0.8:
        length = min(rng.choice((1, 2, 4, 4, 8)), total - 1)
        first = rng.randrange(total - length + 1)
        last = first + length
    if kind >= 0.4 and len(players) > 1:
        chosen = tuple(sorted(rng.sample(players, rng.randint(1, len(players) - 1))))
    inside = [first <= n.bar < last and n.program in chosen for n in notes]
    missing = [note for note, out in zip(notes, inside, strict=True) if out]
    standing = [note for note, out in zip(notes, inside, strict=True) if not out]
    heard = tuple(sorted({note.program for note in missing}))
    return Hole((first, last), heard, standing, missing) if missing and standing else None


def _is_note(token: str) -> bool:
    return token.startswith("Pitch")


def kindred(programs: tuple[int, ...]) -> list[tuple[int, int]]:
    """(program, one of its kin) pairs that can be swapped without changing the order of parts."""
    pairs = [(a, b) for kin in KIN for a in kin for b in kin if a in programs and b != a]

    def between(a: int, b: int) -> bool:
        return any(min(a, b) <= p <= max(a, b) for p in programs if p != a)

    return [(a, b) for a, b in pairs if not between(a, b)]


def batches(
    examples: Examples,
    *,
    tokens: int,
    reading: Callable[[int], float],
    seed: int,
    drills: float = 0.0,
    skip: int = 0,
    counts: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Endless batches of about `tokens` ids, examples of like length together, padded on the right.

    Right padding needs no mask under causal attention: nothing real can look at it. `reading(n)`
    is the share, around the n-th batch, of examples that stop after the plan (cheap lessons in
    reading); `drills` mood drills are added for each example. The same seed gives the same batches;
    `skip` of them are passed over, for resuming. They are drawn a pool at a time; counts: a file in
    which the size of each pool is kept, so that pools passed over need not be drawn again.
    Yields numpy arrays ids (B, T) and labels (B, T), and the number of notes.
    """
    index = 0
    sizes = _read_counts(counts) if skip else []  # of a run that begins, the file is an older one's
    for pool in count():
        if pool < len(sizes) and index + sizes[pool] <= skip:
            index += sizes[pool]
            continue
        rng = random.Random(f"{seed}/{pool}")
        drawn = _pool(examples, 256, tokens, reading(index), drills, rng)
        if counts is not None and pool >= len(sizes):
            sizes.append(len(drawn))
            counts.parent.mkdir(parents=True, exist_ok=True)
            write_text(counts, json.dumps(sizes))
        for batch in drawn:
            index += 1
            if index > skip:
                yield batch


def _read_counts(path: Path | None) -> list[int]:
    """How many batches each pool so far had; [] where that is not known."""
    try:
        return [int(size) for size in json.loads(path.read_text())] if path else []
    except (OSError, ValueError, TypeError):
        return []


def _pool(
    examples: Examples, size: int, tokens: int, reading: float, drills: float, rng: random.Random
) -> list[dict[str, Any]]:
    drawn = [
        examples.make(examples.draw(rng), rng, music=rng.random() >= reading) for _ in range(size)
    ]
    drawn += [examples.drill(rng) for _ in range(round(size * drills))]
    drawn.sort(key=lambda e: len(e.ids))
    groups: list[list[Example]] = [[]]
    for example in drawn:
        if groups[-1] and (len(groups[-1]) + 1) * len(example.ids) > tokens:
            groups.append([])
        groups[-1].append(example)
    rng.shuffle(groups)
    return [collate(group) for group in groups]


def collate(group: Sequence[Example]) -> dict[str, Any]:
    """Examples as one batch: ids (B, T) padded with 0, labels (B, T) padded with -100."""
    longest = max(len(e.ids) for e in group)
    ids = np.zeros((len(group), longest), dtype=np.int64)
    labels = np.full((len(group), longest), IGNORED, dtype=np.int64)
    for row, example in enumerate(group):
        ids[row, : len(example.ids)] = example.ids
        labels[row, : len(example.labels)] = example.labels
    return {"ids": ids, "labels": labels, "notes": sum(e.notes for e in group)}
