"""How well rewritten bars, added parts and variations fit, beside the real pieces themselves.

    python training/judge_composing.py rewrite --data data/prepared --pieces 30

Pieces are drawn from a prepared corpus's split, every source as often; the same seed draws the same
ones. Prints means with 95 % intervals (bootstrap over pieces).
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from symusic import Score

from textmusic.corpus.windows import Window, read_windows
from textmusic.evaluation.bootstrap import collected, figure
from textmusic.music.harmony import agreement, chords_of, on_beats
from textmusic.music.joins import (
    chord_step,
    drums_on_accents,
    kicks_on_accents,
    melodic_leap,
)
from textmusic.music.measure_sketch import measure_sketch
from textmusic.music.notes import Notes, notes_of
from textmusic.music.sketch import BeatChord, quarters_per_beat
from textmusic.music.theory import DRUMS, quarters_per_bar
from textmusic.system.scripts import ended
from textmusic.writing.text_to_music import TextToMusic
from textmusic.writing.varying import Theme, heard_as

Row = dict[str, float]


def drawn(
    data: Path, split: str, count: int, seed: int, wanted: Callable[[Window], bool]
) -> Iterator[Window]:
    """Windows of different pieces, the sources in turn."""
    rng = random.Random(seed)
    by_source: dict[str, list[Window]] = defaultdict(list)
    for window in read_windows(data / f"{split}.parquet"):
        if wanted(window):
            by_source[window.source].append(window)
    for windows in by_source.values():
        rng.shuffle(windows)
    seen: set[str] = set()
    while count and any(by_source.values()):
        for source in sorted(by_source):
            while by_source[source] and by_source[source][-1].piece in seen:
                by_source[source].pop()
            if by_source[source] and count:
                window = by_source[source].pop()
                seen.add(window.piece)
                count -= 1
                yield window


def rewriting(music: TextToMusic, window: Window, number: int, drums: bool) -> Row:
    """Bars 5 to 8 of each: both borders, and all bar lines of the piece as it was."""
    rows: Row = {}
    score = music.tokenizer.decode_score(window.ids, window.plan)
    bar = quarters_per_bar(window.plan.time_signature or "4/4")
    real = notes_of(score)
    began = time.process_time()
    (made,) = music.rewrite(score, bars=(5, 8), seed=number)
    rows["processor seconds"] = time.process_time() - began
    new = notes_of(made.score)
    for name, at in (("into", 4 * bar), ("out of", 8 * bar)):
        for what, measure in (("leap", melodic_leap), ("voice leading", chord_step)):
            rows[f"{what} {name}, real"] = measure(real, at)
            rows[f"{what} {name}, rewritten"] = measure(new, at)
    for what, measure in (("leap", melodic_leap), ("voice leading", chord_step)):
        lines = [measure(real, at * bar) for at in range(1, window.plan.bars or 1)]
        inside = [measure(new, at * bar) for at in (5, 6, 7)]
        for name, values in (("all bar lines, real", lines), ("inside, rewritten", inside)):
            known = [value for value in values if not math.isnan(value)]
            rows[f"{what} {name}"] = float(np.mean(known)) if known else math.nan
    rows["ids"] = made.ids
    return rows


def adding(music: TextToMusic, window: Window, number: int, drums: bool) -> Row:
    """A part is taken away and added again: how it agrees with the rest, the real one and ours."""
    rows: Row = {}
    score = music.tokenizer.decode_score(window.ids, window.plan)
    metre, bars = window.plan.time_signature or "4/4", window.plan.bars or 1
    bar = quarters_per_bar(metre)
    program = taken(window, drums)
    rest = without(score, program)
    (made,) = music.add(rest, [program], seed=number)
    whole = {"real": notes_of(score), "added": notes_of(made.score)}
    standing = notes_of(rest)
    theirs = chords_of(standing, metre, bars, window.plan.key)
    for name, notes in whole.items():
        part = notes.chosen(notes.program == program)
        if program == DRUMS:
            rows[f"drum notes on the others' onsets, {name}"] = drums_on_accents(notes, bar)
            rows[f"kick and snare against accents, {name}"] = kicks_on_accents(notes, bar)
        else:
            own = chords_of(part, metre, bars, window.plan.key) if len(part) else []
            found = agreement(theirs, own, metre)
            rows[f"chords, majmin, {name}"] = found["majmin"] if len(part) else 0.0
            rows[f"chord tones of the others' chords, {name}"] = fitting(part, theirs, bar, metre)
            rows[f"bars in which it plays, {name}"] = playing(part, bar, bars)
    rows["ids"] = made.ids
    return rows


def varying(music: TextToMusic, window: Window, number: int, drums: bool) -> Row:
    """The usual variations in turn: chords and form of the theme that are heard in them."""
    rows: Row = {}
    score = music.tokenizer.decode_score(window.ids, window.plan)
    (made,) = music.vary(score, number=number % 4, seed=number)
    theme = Theme(score)
    wanted = heard_as(made, theme)
    metre, bars = made.plan.time_signature or "4/4", len(wanted.rows)
    notes = notes_of(made.score)
    heard = measure_sketch(notes, metre, bars, made.plan.key)
    found = agreement([r.chords for r in wanted.rows], [r.chords for r in heard.rows], metre)
    other = agreement([r.chords for r in made.sketch.rows], [r.chords for r in wanted.rows], metre)
    name = made.report.remarks[0].split(", ")[1].split(":")[0]
    rows[f"chords of the theme heard, {name}"] = found["majmin"]
    rows["chords of the theme heard, all"] = found["majmin"]
    rows["chords of the theme in the sketch"] = other["root"]
    alike = [a.like == b.like for a, b in zip(wanted.rows, made.sketch.rows, strict=True)]
    rows["form rows of the sketch as the theme's"] = float(np.mean(alike))
    rows["repeated bars heard as such"] = (
        made.report.kept.form if made.report.kept.form is not None else math.nan
    )
    rows["ids"] = made.ids
    return rows


def taken(window: Window, drums: bool) -> int:
    """The instrument that is taken away: drums, or the lowest one."""
    if drums:
        return DRUMS
    programs = [p for p in window.plan.programs or () if p != DRUMS]
    return max(programs, key=lambda p: (32 <= p < 40, p in (42, 43, 58, 70), -p))


def without(score: Score, program: int) -> Score:
    """The score without an instrument."""
    rest = score.copy()
    kept = [t for t in rest.tracks if (DRUMS if t.is_drum else t.program) != program]
    rest.tracks.clear()
    rest.tracks.extend(kept)
    return rest


def fitting(part: Notes, chords: list[tuple[BeatChord, ...]], bar: float, metre: str) -> float:
    """Share of the part's time on tones of the chords that sound in the others."""
    beats = on_beats(chords, len(chords), metre)
    good = all_time = 0.0
    for start, length, pitch in zip(part.start, part.duration, part.pitch, strict=True):
        chord = beats[min(int(start / quarters_per_beat(metre) + 1e-6), len(beats) - 1)]
        if chord is not None:
            all_time += length
            good += length * (int(pitch) % 12 in chord.tones)
    return good / all_time if all_time else math.nan


def playing(part: Notes, bar: float, bars: int) -> float:
    """Share of the bars in which a note of the part begins."""
    return len({int(start / bar + 1e-6) for start in part.start}) / bars


WAYS = {"rewrite": rewriting, "add": adding, "vary": varying}


def main() -> None:
    """Measure the pieces that are not in --out yet, and print the means of all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("way", choices=WAYS, help="What is written anew.")
    parser.add_argument("--data", type=Path, required=True, help="Folder of prepared data.")
    parser.add_argument(
        "--split", default="valid", choices=("valid", "test"), help="What the pieces are of."
    )
    parser.add_argument("--pieces", type=int, default=30, help="How many pieces.")
    parser.add_argument("--seed", type=int, default=1, help="Of the choice of pieces.")
    parser.add_argument("--drums", action="store_true", help="Take drums away, not the bass.")
    parser.add_argument("--model", help="What writes; by default the bundled model.")
    parser.add_argument("--out", type=Path, required=True, help="File for JSON lines, one a piece.")
    options = parser.parse_args()

    def wanted(window: Window) -> bool:
        programs = window.plan.programs or ()
        tonal = [p for p in programs if p != DRUMS]
        if (window.plan.bars or 0) < 12 or not tonal or window.source == "groove":
            return False
        return options.way != "add" or (DRUMS in programs if options.drums else len(tonal) > 1)

    found: dict[str, Row] = {}
    if options.out.exists():
        lines = options.out.read_text(encoding="utf-8").splitlines()
        found = dict(json.loads(line) for line in lines)
    music = TextToMusic.from_pretrained(options.model)
    windows = drawn(options.data, options.split, options.pieces, options.seed, wanted)
    for number, window in enumerate(windows):
        if window.piece in found:
            continue
        found[window.piece] = WAYS[options.way](music, window, number, options.drums)
        with options.out.open("a", encoding="utf-8") as out:
            out.write(json.dumps([window.piece, found[window.piece]]) + "\n")
    for name, sample in collected(found.values()).items():
        mean = figure(sample)
        print(f"{name:56} {mean.value:7.2f} [{mean.low:.2f}, {mean.high:.2f}]  n {mean.n}")


if __name__ == "__main__":
    sys.exit(ended(main, "judge_composing.py"))
