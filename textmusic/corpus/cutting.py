"""A score -> windows at its bar lines, each with its measured plan and sketch."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from symusic import Score

from textmusic.corpus.windows import Window, music_ids
from textmusic.music.material import metres_of
from textmusic.music.measure import key_scores, measure, pitch_class_weights
from textmusic.music.measure_sketch import measure_sketch
from textmusic.music.notes import GRID, Notes, notes_of, on_grid, repaired, sliced, to_score
from textmusic.music.plan import MAX_PROGRAMS, TEMPO_RANGE, Plan
from textmusic.music.sketch import Sketch
from textmusic.music.theory import (
    DRUMS,
    KEYS,
    NO_KEY,
    TIME_SIGNATURES,
    key_name,
    quarters_per_bar,
    tonic,
)
from textmusic.tokens.tokenizer import Tokenizer

WINDOW_BARS = (64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2)
LONGEST_SILENCE = 4  # bars
ROW = 6.0  # ids of a bar besides its notes: its line, and a row of the sketch
CUT_SHORT = "bar dropped: cut short by a change of metre"  # in the account of a piece
KEY_TOLERANCE = 0.06  # how much worse than the best a label's profile may fit
# Tempi (quarter notes a minute) for scores that state none: the usual range of the dance or style.
USUAL_TEMPO = {
    "reel": (180, 224), "hornpipe": (150, 190), "jig": (160, 200), "strathspey": (110, 140),
    "waltz": (120, 180), "mazurka": (120, 165), "polonaise": (84, 112), "march": (108, 126),
    "hymn": (72, 108), "chorale": (66, 92), "lied": (66, 110), "ragtime": (88, 112),
    "celtic": (150, 210), "folk": (104, 160), "dance": (110, 170), "sacred": (60, 92),
    "string-quartet": (66, 140), "orchestral": (66, 140), "game": (100, 150), "jazz": (110, 180),
}  # fmt: skip


def fingerprint(notes: Notes) -> str:
    """The same for the same opening melody (16 intervals of the top line) in any key."""
    tonal = notes.program != DRUMS
    top: dict[float, int] = {}
    for start, pitch in zip(notes.start[tonal], notes.pitch[tonal], strict=True):
        top[float(start)] = max(top.get(float(start), 0), int(pitch))
    line = [top[start] for start in sorted(top)][:17]
    steps = ",".join(str(b - a) for a, b in pairwise(line))
    return hashlib.sha1(steps.encode()).hexdigest()[:12] if len(line) > 12 else ""


def windows_of_score(
    row: dict[str, Any], score: Score, source: str, group: str, tokenizer: Tokenizer, longest: int
) -> tuple[list[Window], Counter[str]]:
    """Windows of one piece, and counts of what was dropped or repaired.

    longest: most music ids in each.

    row: id, genre, key, tempo_bpm, style, title, licence and velocity, as in metadata.jsonl.
    """
    rng = random.Random(row["id"])
    score = score.resample(GRID, min_dur=1)
    done: Counter[str] = Counter()
    notes = repaired(notes_of(score), done)
    if len(notes) < 16:
        return [], done + Counter({"piece dropped: fewer than 16 notes": 1})
    if _contradicted(row.get("key"), notes):
        done["key label dropped: the notes contradict it"] += 1
        row = row | {"key": None}
    windows: list[Window] = []
    for metre, first, last in _segments(score, notes, done):
        if metre not in TIME_SIGNATURES:
            done[f"stretch dropped: the vocabulary has no {metre}"] += 1
            continue
        tempo = _tempo(row, score, first, metre, rng)
        stretch = _Stretch(metre, tempo, first, last >= float(notes.end.max()) - 1e-6)
        cuts = deque(_cuts(notes, first, last, metre, longest, rng))
        while cuts:
            cut = cuts.popleft()
            read = _read_window(row, notes, stretch, cut, done)
            if read is None:
                continue
            ids, rows = read.spelt(tokenizer)
            if len(ids) + 2 * len(rows) > longest:  # rows are said twice
                cuts.extendleft(_shorter(*cut, quarters_per_bar(metre), first))
            else:
                genres = (*row["genre"], *_inferred(read.plan, read.notes))
                windows.append(
                    Window(
                        row["id"], source, group, row["licence"], genres, read.plan,
                        music_ids(rows), music_ids(ids),
                    )
                )  # fmt: skip
    if not windows:
        done["piece dropped: no usable window"] += 1
    return windows, done


class _Stretch(NamedTuple):
    """Bars of one metre and tempo. first: in quarter notes. ends: whether the piece ends there."""

    metre: str
    tempo: float
    first: float
    ends: bool


class _Read(NamedTuple):
    """A usable window, before it is turned into ids. score: holds `notes` alone."""

    notes: Notes
    score: Score
    plan: Plan
    sketch: Sketch

    def spelt(self, tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
        """Music ids of the score and of the sketch."""
        ids = tokenizer.encode_score(self.score, self.plan)
        return ids, tokenizer.encode_sketch(self.sketch, self.plan.key)


def _read_window(
    row: dict[str, Any],
    notes: Notes,
    stretch: _Stretch,
    cut: tuple[float, bool, int],
    done: Counter[str],
) -> _Read | None:
    """A window's notes, plan and sketch; None if it is not usable, with the reason in `done`.

    cut: as of `_cuts`.
    """
    metre, (begin, end, bars) = stretch.metre, cut
    bar = quarters_per_bar(metre)
    part = sliced(notes, begin, begin + bars * bar)
    if len(part) < 4 or len(np.unique(part.program)) > MAX_PROGRAMS:
        done["window dropped: under 4 notes or over 15 instruments"] += 1
        return None
    if row["velocity"] == "flat":
        part = _shaped(part, bar)
    part = on_grid(part, metre)
    score = to_score(part, metre, stretch.tempo)
    measured = measure(score, notes=part)
    assert measured.bars is not None
    if measured.bars < 2:  # trailing silence is cut off
        done["window dropped: under 2 bars"] += 1
        return None
    if _silence(part, bar) > LONGEST_SILENCE:
        done[f"window dropped: over {LONGEST_SILENCE} bars of silence"] += 1
        return None
    plan = replace(
        measured,
        key=_key(row.get("key"), measured.key or NO_KEY, part),
        begin=stretch.first == 0 and begin == 0,
        end=stretch.ends and end,
    )
    labels = row.get("chords")
    sketch = measure_sketch(part, metre, measured.bars, plan.key, labels=labels, begin=begin)
    return _Read(part, score, plan, sketch)


def _shaped(notes: Notes, bar: float) -> Notes:
    """Dynamics for scores without: an accent on the first beat, an arch over every four bars.

    80, in the middle of an arch 88, and 8 more on the bar line: a plain phrase arch (cf. Friberg,
    Bresin & Sundberg 2006) and metrical accent, not a performance. It changes twice a bar, so that
    it costs few ids; what lies between is for whoever plays the score.
    """
    arch = np.isin((notes.start // bar).astype(int) % 4, (1, 2))
    accent = notes.start % bar < 1e-6
    return replace(notes, velocity=(80 + 8 * arch + 8 * accent).astype(np.int64))


def _silence(notes: Notes, bar: float) -> int:
    """The longest run of bars in which nothing begins or sounds."""
    starts = np.append(notes.start, notes.end.max())
    gaps = starts - np.append(0.0, np.maximum.accumulate(notes.end))
    return int(max(gaps.max(), 0.0) // bar)


def _segments(score: Score, notes: Notes, done: Counter[str]) -> Iterator[tuple[str, float, float]]:
    """(time signature, first quarter, last quarter) of the stretches of one metre.

    A bar that a change of metre cuts short is left out.
    """
    changes = metres_of(score) or [(0.0, "4/4")]
    total = float(notes.end.max())
    starts = [start for start, _ in changes] + [total]
    for (start, metre), stop in zip(changes, starts[1:], strict=True):
        bar = quarters_per_bar(metre)
        whole = start + (stop - start + 1e-6) // bar * bar
        if stop < total and stop - whole > 1e-6:
            done[CUT_SHORT] += 1
            stop = whole
        if stop > start:
            yield metre, start, stop


def _cuts(
    notes: Notes, first: float, last: float, metre: str, longest: int, rng: random.Random
) -> Iterator[tuple[float, bool, int]]:
    """(first quarter, reaches the end, bars) of the windows of a stretch.

    One from its beginning, one to its ending, and others between, so that beginnings and endings
    are over-represented; sizes are drawn, largest that fits or smaller.
    """
    bar = quarters_per_bar(metre)
    bars = int(np.ceil((last - first) / bar - 1e-6))
    per_bar = _ids_a_bar(notes, first, last, bar, bars)
    total = np.concatenate([[0], np.cumsum(per_bar)])
    if total[-1] <= longest and bars <= WINDOW_BARS[0]:
        yield first, True, bars
        return

    def fits(at: int, backwards: bool = False) -> list[int]:
        spans = [(at - n, at) if backwards else (at, at + n) for n in WINDOW_BARS]
        return [b - a for a, b in spans if a >= 0 and b <= bars and total[b] - total[a] <= longest]

    def pick(sizes: list[int]) -> int:
        return sizes[0] if rng.random() < 0.6 else rng.choice(sizes)

    tail = fits(bars, backwards=True)
    if tail:
        size = pick(tail)
        yield first + (bars - size) * bar, True, size
    at = 0
    while at < bars:
        sizes = fits(at)
        size = pick(sizes) if sizes else 1
        if sizes:
            yield first + at * bar, at + size == bars, size
        at += size  # skip a bar that is too dense for any window


def _shorter(
    begin: float, end: bool, bars: int, bar: float, first: float
) -> list[tuple[float, bool, int]]:
    """Smaller windows, as of `_cuts`, in place of one: its beginning, or its ending, or both."""
    size = next((n for n in WINDOW_BARS if n < bars), 0)
    if not size:
        return []
    opening = [(begin, False, size)] if begin == first or not end else []
    return [*opening, *([(begin + (bars - size) * bar, True, size)] if end else [])]


def _ids_a_bar(
    notes: Notes, first: float, last: float, bar: float, bars: int
) -> NDArray[np.float64]:
    """(bars,) about how many music ids the bars of a stretch take, their sketch included."""
    inside = (notes.start >= first) & (notes.start < last)
    start, program = notes.start[inside], notes.program[inside]
    order = np.lexsort((notes.pitch[inside], program, np.rint(start * GRID)))
    start, program = np.rint(start[order] * GRID), program[order]
    ids = 1.0 + (np.diff(start, prepend=-1) != 0) + (np.diff(program, prepend=-1) != 0)
    level = notes.velocity[inside][order] // 8  # 16 of them, as the vocabulary has
    length = np.rint(notes.duration[inside][order] * GRID)
    for part in np.unique(program):
        own = program == part
        ids[own] += np.diff(level[own], prepend=-1) != 0
        ids[own] += np.diff(length[own], prepend=-1) != 0
    place = np.minimum((start / GRID - first) / bar, bars - 1).astype(int)
    return np.asarray(np.bincount(place, weights=ids, minlength=bars) + ROW, dtype=np.float64)


def _inferred(plan: Plan, notes: Notes) -> list[str]:
    """Genres that no source states, inferred from how the music sounds.

    ambient: very calm, few notes, most of them held for a second or more, no drums. cinematic:
    strings and brass among four instruments or more.
    """
    assert plan.arousal and plan.density and plan.tempo and plan.programs
    genres = []
    held = float(np.median(notes.duration)) * 60 / plan.tempo
    if plan.arousal == 1 and plan.density <= 2 and held >= 1 and DRUMS not in plan.programs:
        genres.append("ambient")
    families = {program // 8 for program in plan.programs}
    if len(plan.programs) >= 4 and families & {5, 6} and 7 in families:
        genres.append("cinematic")
    return genres


def _tempo(row: dict[str, Any], score: Score, at: float, metre: str, rng: random.Random) -> float:
    """The tempo in force, or, where the source states none, one usual for the style."""
    if row["tempo_bpm"] is not None:
        tick = at * score.ticks_per_quarter
        marks = [t.qpm for t in score.tempos if t.time <= tick + 1] or [row["tempo_bpm"]]
        return float(min(max(marks[-1], TEMPO_RANGE[0]), TEMPO_RANGE[1]))
    words = " ".join([row["style"] or "", row["title"] or "", *row["genre"]]).lower()
    low, high = next((usual for word, usual in USUAL_TEMPO.items() if word in words), (84, 132))
    tempo = rng.uniform(low, high)
    return round(tempo, 1)


def _key(label: str | None, estimate: str, notes: Notes) -> str:
    """The window's key: the label where the notes bear it out, else the estimate."""
    if estimate == NO_KEY or not label or label.split()[-1] not in ("major", "minor"):
        return estimate
    labelled = key_name(tonic(label), label.endswith("minor"))
    return labelled if _misfit(labelled, notes) < KEY_TOLERANCE else estimate


def _misfit(key: str, notes: Notes) -> float:
    """How much lower a key's correlation with the notes is than the best key's, 0 to 2."""
    scores = key_scores(pitch_class_weights(notes))
    return float(scores.max() - scores[KEYS.index(key)])


def _contradicted(label: str | None, notes: Notes) -> bool:
    """Whether the notes contradict the label of the whole piece."""
    if not label or label.split()[-1] not in ("major", "minor"):
        return False
    return _misfit(key_name(tonic(label), label.endswith("minor")), notes) > 0.3
