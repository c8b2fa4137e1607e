"""Sets of scores -> figures: does the music do what was asked?

An expectation is what a listener may fairly expect of a prompt (a line of a prompts file): `key`;
`tempo_bpm` [low, high]; `time_signature`; `programs`: a list of asked instruments, each a list of
the General MIDI programs that count as it; `drums`; `bars`; `seconds` [low, high]; `valence` and
`arousal`: the accepted levels; `genre`. A field that is absent is free.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textmusic import measure
from textmusic.errors import TextMusicError
from textmusic.plan import DRUMS, Plan, is_minor, quarters_per_bar, tonic

if TYPE_CHECKING:
    from symusic import Score

# Tempo bins as published (MuseCoco, Text2midi): a bin's number counts the marks below the tempo.
TEMPO_MARKS = (40, 60, 70, 90, 110, 140, 160, 210)
Expectation = Mapping[str, Any]


def tempo_bin(tempo: float) -> int:
    """Number of marks strictly below a tempo (quarter notes a minute): 0 to 8."""
    return sum(tempo > mark for mark in TEMPO_MARKS)


def tempo_distance(low: float, high: float, measured: float) -> int:
    """Bins between a measured tempo and the asked range; 0 if it lies in one of its bins.

    TB is the share with distance 0, TBT the share with distance below 2.
    """
    bin_ = tempo_bin(measured)
    return max(tempo_bin(low) - bin_, bin_ - tempo_bin(high), 0)


def same_key(asked: str, measured: str) -> bool:
    """CK: the same tonic (enharmonics merged) and mode."""
    return (tonic(asked), is_minor(asked)) == (tonic(measured), is_minor(measured))


def same_or_relative_key(asked: str, measured: str) -> bool:
    """CKD: the same key, or its relative major or minor.

    The relative minor lies three semitones BELOW its major. The published script has this sign
    reversed, so its CKD is not quite ours.
    """
    if same_key(asked, measured):
        return True
    shift = 3 if is_minor(asked) else -3
    relative = (tonic(asked) + shift) % 12
    return is_minor(asked) != is_minor(measured) and relative == tonic(measured)


def heard_key(score: Score) -> str | None:
    """The key by music21's `analyze('key')`, None where nothing but drums sounds.

    It is not the estimator that steers or labels here, so it may judge.
    """
    try:
        from music21 import note, stream
    except ImportError:
        raise TextMusicError(
            "judging keys needs music21: pip install 'textmusic[score]'."
        ) from None
    part = stream.Stream()
    notes = measure.notes_of(score)
    tonal = notes.program != DRUMS
    rows = zip(notes.start[tonal], notes.duration[tonal], notes.pitch[tonal], strict=True)
    for start, duration, pitch in rows:
        part.insert(float(start), note.Note(int(pitch), quarterLength=float(duration)))
    if not len(part):
        return None
    key = part.analyze("key")
    return f"{key.tonic.name.replace('-', 'b')} {key.mode}"


def instrument_hits(expected: Expectation, measured: Plan) -> tuple[int, int, int]:
    """(asked and heard, heard and not asked, asked and not heard) instruments."""
    groups = [set(group) for group in expected["programs"]]
    if expected.get("drums"):
        groups.append({DRUMS})
    heard = set(measured.programs or ())
    found = sum(bool(group & heard) for group in groups)
    extra = sum(not any(program in group for group in groups) for program in heard)
    return found, extra, len(groups) - found


def is_valid(score: Score) -> bool:
    """Every note has a length, ends where the last bar ends, and no two of a part overlap."""
    notes = measure.notes_of(score)
    if not len(notes) or notes.duration.min() <= 0:
        return False
    plan = measure.measure(score)
    assert plan.bars is not None and plan.time_signature is not None
    if notes.end.max() > plan.bars * quarters_per_bar(plan.time_signature) + 1e-6:
        return False
    until: dict[tuple[int, int], float] = {}
    for start, end, pitch, program in zip(
        notes.start, notes.end, notes.pitch, notes.program, strict=True
    ):
        voice = (int(program), int(pitch))
        if until.get(voice, -1.0) > start + 1e-6:
            return False
        until[voice] = float(end)
    return True


@dataclass(frozen=True, slots=True)
class Figure:
    """A share or mean with its 95 % bootstrap interval. n: how many it rests on."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:6.1%} [{self.low:.1%}, {self.high:.1%}] n={self.n}"


def bootstrap(values: Sequence[float], *, draws: int = 2000, seed: int = 0) -> Figure:
    """Mean of values with a percentile bootstrap interval."""
    if not values:
        return Figure(math.nan, math.nan, math.nan, 0)
    data = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = data[rng.integers(0, len(data), (draws, len(data)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return Figure(float(data.mean()), float(low), float(high), len(data))


def adherence(rows: Sequence[tuple[Expectation, Score, Plan | None]]) -> dict[str, Figure]:
    """Figures over (expectation, score, planned) triples; names as in the design.

    valid, TB, TBT, tempo in range, CK, CKD, CTS, instruments F1 (mean over pieces), bars, length,
    planned/heard valence and arousal (within one level of an accepted one).
    """
    found: dict[str, list[float]] = {}

    def add(name: str, value: float) -> None:
        found.setdefault(name, []).append(float(value))

    for expected, score, planned in rows:
        add("valid", is_valid(score))
        got = measure.measure(score)
        assert got.tempo is not None
        if "tempo_bpm" in expected:
            low, high = expected["tempo_bpm"]
            distance = tempo_distance(low, high, got.tempo)
            add("TB", distance == 0)
            add("TBT", distance < 2)
            add("tempo in range", low - 0.5 <= got.tempo <= high + 0.5)
        if "key" in expected:
            heard = heard_key(score)
            add("CK", heard is not None and same_key(expected["key"], heard))
            add("CKD", heard is not None and same_or_relative_key(expected["key"], heard))
        if "time_signature" in expected:
            add("CTS", got.time_signature == expected["time_signature"])
        if "programs" in expected:
            hit, extra, missing = instrument_hits(expected, got)
            add("instruments F1", 2 * hit / (2 * hit + extra + missing))
        if "bars" in expected:
            add("bars", got.bars == expected["bars"])
        if "seconds" in expected:
            low, high = expected["seconds"]
            add("length", low <= measure.seconds(score) <= high)
        for name in ("valence", "arousal"):
            if name in expected:
                for who, plan in (("planned", planned), ("heard", got)):
                    level = getattr(plan, name) if plan else None
                    if level is not None:
                        near = min(abs(level - accepted) for accepted in expected[name]) <= 1
                        add(f"{who} {name}", near)
    return {name: bootstrap(values) for name, values in found.items()}


class NGram:
    """Unigram or bigram model of music ids, interpolated: what a language model has to beat."""

    def __init__(self, size: int, order: int) -> None:
        """size: how many music ids there are. order: 1 or 2."""
        self.order = order
        self.single = np.ones(size)
        self.pairs: NDArray[np.float64] = np.zeros((size, size)) if order == 2 else np.zeros((0, 0))

    def count(self, ids: NDArray[np.int64]) -> None:
        """Learn from one sequence (T,)."""
        np.add.at(self.single, ids, 1)
        if self.order == 2:
            np.add.at(self.pairs, (ids[:-1], ids[1:]), 1)

    def nats(self, ids: NDArray[np.int64]) -> float:
        """Total -log p of ids[1:] given what stands before each."""
        unigram = self.single / self.single.sum()
        p = unigram[ids[1:]]
        if self.order == 2:
            # one pseudo-count a kind of successor, shared out by the unigram (Witten & Bell 1991)
            before = self.pairs[ids[:-1]]
            kinds = (before > 0).sum(axis=1)
            total = before.sum(axis=1)
            seen = before[np.arange(len(p)), ids[1:]]
            p = (seen + (kinds + 1) * p) / (total + kinds + 1)
        return float(-np.log(p).sum())
