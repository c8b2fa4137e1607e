"""The pieces of a library that are nearest to a piece, and why.

All vectors are compared at once and exactly, by one product of a matrix and a vector.
The nearest are then looked at closer: how long a melodic run they share (`originality`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textmusic.language.names import chords_text
from textmusic.library.features import SIZES, WEIGHTS, Vector
from textmusic.library.index import Index
from textmusic.library.lines import joined
from textmusic.library.originality import Passage, melodic, speed, transposition
from textmusic.library.portrait import Portrait
from textmusic.library.reasons import alike_facts
from textmusic.music.chords import Chord
from textmusic.music.structure import TRIADS
from textmusic.music.theory import NO_KEY, is_minor, tonic

CLOSER = 200  # pieces whose lines are compared
CHAINED = 40  # those of them whose runs are joined over gaps
FULL_RUN = 40.0  # bits beyond chance of a shared run that count as much as the same vector
LONGEST_RUN = 60.0  # bits beyond which a longer run counts no more: then the whole piece decides
ALIKE = 0.5  # cosine of a block, from which it is said that pieces are alike in it


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A piece of a library. piece: its place in the index. score: up to 1 from the vectors, more
    with a shared run; of words, the share of what was asked. why: plain words, what counts first.
    """

    piece: int
    score: float
    why: tuple[str, ...]


def nearest(mine: Portrait, index: Index, top: int = 10, *, leave_out: str = "") -> list[Neighbour]:
    """The pieces most like one, the nearest first. leave_out: the name of the piece itself."""
    if not len(index):
        return []
    alike = index.vectors @ mine.vector
    count = min(max(CLOSER, top + 1), len(index))
    near = np.argpartition(-alike, count - 1)[:count]
    near = near[np.argsort(-alike[near], kind="stable")]
    runs = melodic(mine.lines, joined([index.lines.of_piece(int(n)) for n in near]), CHAINED)
    scores = {int(n): float(alike[n]) for n in near}
    passages: dict[int, Passage] = {}
    for place, passage in runs.items():
        number = int(near[place])
        passages[number] = passage
        scores[number] += min(max(passage.bits, 0.0), LONGEST_RUN) / FULL_RUN
    order = sorted(scores, key=lambda n: (-scores[n], n))
    chosen = [n for n in order if not leave_out or index.facts[n].name != leave_out][:top]
    return [Neighbour(n, scores[n], _why(mine, index.portrait(n), passages.get(n))) for n in chosen]


def _why(mine: Portrait, other: Portrait, run: Passage | None) -> tuple[str, ...]:
    """In plain words, what two pieces have in common."""
    said = []
    if run is not None and run.bits > 0:
        said.append(_melody(run, mine, other))
    blocks = cosines(mine.vector, other.vector)
    if blocks["melody"] >= ALIKE and not said:
        said.append("the melody moves alike")
    if blocks["harmony"] >= ALIKE:
        pattern = common_chords(mine, other)
        said.append("the chords move alike" + (f", often {pattern}" if pattern else ""))
    if blocks["rhythm"] >= ALIKE:
        said.append("the rhythm is alike")
    return (*said, *alike_facts(mine.facts.plan, other.facts.plan))


def _melody(run: Passage, mine: Portrait, other: Portrait) -> str:
    up = transposition(run, mine.lines, other.lines)
    factor = speed(run, mine.lines, other.lines)
    at = other.facts.bars([int(other.lines.onset[place]) for place in run.theirs])
    where = f"bars {at[0]}-{at[1]}" if at[1] > at[0] else f"bar {at[0]}"
    moved = f", {interval_text(up)}" if up else ""
    timed = " in another rhythm" if factor is None else ""
    return f"{run.notes} notes of the melody in a row ({where}){moved}{timed}"


def interval_text(semitones: int) -> str:
    """ "5 semitones higher", "an octave lower"; "" for none."""
    if not semitones:
        return ""
    octaves, rest = divmod(abs(semitones), 12)
    if rest == 0:
        size = "an octave" if octaves == 1 else f"{octaves} octaves"
    else:
        size = f"{abs(semitones)} semitone{'s' * (abs(semitones) > 1)}"
    return f"{size} {'lower' if semitones > 0 else 'higher'}"


def cosines(one: Vector, two: Vector) -> dict[str, float]:
    """By block of the vector how alike two pieces are in it, -1 to 1; 0 where one has none."""
    found, at = {}, 0
    for name in WEIGHTS:
        a, b = one[at : at + SIZES[name]], two[at : at + SIZES[name]]
        at += SIZES[name]
        length = float(np.linalg.norm(a) * np.linalg.norm(b))
        found[name] = float(a @ b) / length if length else 0.0
    return found


def common_chords(mine: Portrait, other: Portrait, size: int = 3) -> str:
    """The succession of chords that both have most, as numerals: "I IV V"; "" for none."""
    counts = [_successions(piece, size) for piece in (mine, other)]
    both = {word: min(n, counts[1][word]) for word, n in counts[0].items() if word in counts[1]}
    if not both or max(both.values()) < 2:
        return ""
    best = max(sorted(both), key=lambda word: both[word])
    minor = is_minor(mine.facts.plan.key or "C major")
    bars = [[Chord(root, quality)] for root, quality in best]
    return chords_text(bars, relative=True, minor=minor)


def _successions(piece: Portrait, size: int) -> dict[tuple[tuple[int, str], ...], int]:
    key = piece.facts.plan.key
    up = 0 if key is None or key == NO_KEY else tonic(key)
    heard = [TRIADS[n] for n in piece.chords.tolist() if n >= 0]
    changed = [c for n, c in enumerate(heard) if n == 0 or c != heard[n - 1]]
    found: dict[tuple[tuple[int, str], ...], int] = {}
    for at in range(len(changed) - size + 1):
        word = tuple(((c.root - up) % 12, c.quality) for c in changed[at : at + size])
        found[word] = found.get(word, 0) + 1
    return found
