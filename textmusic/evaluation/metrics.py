"""Scores and expectations -> figures: does the music do what was asked?

An expectation is what a listener may fairly expect of a prompt (a line of a prompts file): `key`;
`tempo_bpm` [low, high]; `time_signature`; `programs`: a list of asked instruments, each a list of
the General MIDI programs that count as it; `drums`; `bars`; `seconds` [low, high]; `valence` and
`arousal`: the accepted levels; `genre`. A field that is absent is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textmusic.errors import TextMusicError
from textmusic.music import measure
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS, NO_KEY, is_minor, quarters_per_bar, tempo_bin, tonic

if TYPE_CHECKING:
    from symusic import Score

Expectation = Mapping[str, Any]


def tempo_distance(low: float, high: float, measured: float) -> int:
    """Bins between a measured tempo and the asked range; 0 if it lies in one of its bins, to 8.

    TB is the share with distance 0, TBT the share with distance below 2 (Bhandari et al. 2025).
    Tempi are in quarter notes a minute.
    """
    bin_ = tempo_bin(measured)
    return max(tempo_bin(low) - bin_, bin_ - tempo_bin(high), 0)


def same_key(asked: str, measured: str) -> bool:
    """CK: the same tonic (enharmonics merged) and mode; as a figure, the share, 0 to 1.

    Bhandari et al. 2025 (Text2midi).
    """
    return (tonic(asked), is_minor(asked)) == (tonic(measured), is_minor(measured))


def same_or_relative_key(asked: str, measured: str) -> bool:
    """CKD: the same key, or its relative major or minor; as a figure, the share, 0 to 1.

    Bhandari et al. 2025 (Text2midi). The relative minor lies three semitones BELOW its major. The
    published script has this sign reversed, so its CKD is not quite ours.
    """
    if same_key(asked, measured):
        return True
    shift = 3 if is_minor(asked) else -3
    relative = (tonic(asked) + shift) % 12
    return is_minor(asked) != is_minor(measured) and relative == tonic(measured)


def heard_key(score: Score) -> str | None:
    """The key by music21's `analyze('key')`, None where nothing but drums sounds.

    It is independent of the estimator that steers and labels here. It correlates durations with the
    Aarden-Essen profiles (Aarden 2003).
    """
    try:
        from music21 import note, stream
    except ImportError:
        raise TextMusicError(
            "judging keys needs music21; run pip install 'textmusic[score]'."
        ) from None
    part = stream.Stream()
    notes = notes_of(score)
    tonal = notes.program != DRUMS
    rows = zip(notes.start[tonal], notes.duration[tonal], notes.pitch[tonal], strict=True)
    for start, duration, pitch in rows:
        part.insert(float(start), note.Note(int(pitch), quarterLength=float(duration)))
    if not len(part):
        return None
    key = part.analyze("key")
    return f"{key.tonic.name.replace('-', 'b')} {key.mode}"


def instrument_hits(expected: Expectation, measured: Plan) -> tuple[int, int, int]:
    """(asked and heard, heard and not asked, asked and not heard) instruments; counts, 0 upwards.

    F1 is made of them (van Rijsbergen 1979). Asked ones are counted by group: any program of a
    group answers it, and all its programs are one instrument.
    """
    groups = [set(group) for group in expected["programs"]]
    if expected.get("drums"):
        groups.append({DRUMS})
    heard = set(measured.programs or ())
    found = sum(bool(group & heard) for group in groups)
    extra = sum(not any(program in group for group in groups) for program in heard)
    return found, extra, len(groups) - found


def is_valid(score: Score) -> bool:
    """Every note has a length, ends where the last bar ends, and no two of a part overlap.

    Overlap: at the same pitch. A score without notes is not valid. As a figure, the share of files,
    0 to 1; a definition of our own.
    """
    notes = notes_of(score)
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


def plan_hits(expected: Expectation, got: Plan) -> dict[str, float]:
    """Which expectations a plan (measured or planned) fulfils, apart from key and mood.

    TB, TBT (see `tempo_distance`), CTS (the same time signature; Bhandari et al. 2025), tempo in
    range (to half a beat a minute) and bars (exactly as many): 0 or 1. instruments F1: 2 h /
    (2 h + extra + missing) of `instrument_hits`, 0 to 1.
    """
    hits: dict[str, float] = {}
    if "tempo_bpm" in expected:
        assert got.tempo is not None
        low, high = expected["tempo_bpm"]
        distance = tempo_distance(low, high, got.tempo)
        hits |= {"TB": distance == 0, "TBT": distance < 2}
        hits["tempo in range"] = low - 0.5 <= got.tempo <= high + 0.5
    if "time_signature" in expected:
        hits["CTS"] = got.time_signature == expected["time_signature"]
    if "programs" in expected:
        hit, extra, missing = instrument_hits(expected, got)
        hits["instruments F1"] = 2 * hit / (2 * hit + extra + missing)
    if "bars" in expected:
        hits["bars"] = got.bars == expected["bars"]
    return hits


def mood_hits(expected: Expectation, got: Plan, who: str) -> dict[str, float]:
    """Whether valence and arousal (levels 1 to 5) are within one level of an accepted one: 0 or 1.

    The two axes are Russell's (1980); who: "planned" or "heard", the first word of the names. The
    tolerance is our own.
    """
    hits: dict[str, float] = {}
    for name in ("valence", "arousal"):
        level = getattr(got, name)
        if name in expected and level is not None:
            near = min(abs(level - accepted) for accepted in expected[name]) <= 1
            hits[f"{who} {name}"] = near
    return hits


def hits(expected: Expectation, score: Score, planned: Plan | None) -> dict[str, float]:
    """Every figure of one answer, 0 to 1; names as in the design.

    valid, TB, TBT, tempo in range, CK, CKD, CTS, instruments F1, bars, length; planned and heard
    valence and arousal (within one level of an accepted one), and mood heard: the measured mood
    within one level of the planned one.
    """
    got = measure.measure(score)
    found: dict[str, float] = {"valid": is_valid(score), **plan_hits(expected, got)}
    if "key" in expected and expected["key"] != NO_KEY:
        heard = heard_key(score)
        found["CK"] = heard is not None and same_key(expected["key"], heard)
        found["CKD"] = heard is not None and same_or_relative_key(expected["key"], heard)
    if "seconds" in expected:
        low, high = expected["seconds"]
        found["length"] = low <= measure.seconds(score) <= high
    if planned is not None:
        found |= mood_hits(expected, planned, "planned")
        wish = {"valence": [planned.valence], "arousal": [planned.arousal]}
        found |= {
            name.replace("got", "heard as planned:"): value
            for name, value in mood_hits(wish, got, "got").items()
        }
    return {
        name: float(value) for name, value in (found | mood_hits(expected, got, "heard")).items()
    }


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
        """Total -log p of ids[1:] given what stands before each; nats, 0 upwards (Shannon 1948).

        The bigram is smoothed as by Witten & Bell 1991, with one kind more.
        """
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
