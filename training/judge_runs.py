"""Judge how runs are found that pieces share: python training/judge_runs.py CORPORA DATA

CORPORA has the sources' whole pieces; DATA is prepared data, which says what split a piece is of.
With --count it first counts on training pieces how much each interval and each ratio of durations
says, and what runs unrelated pieces share, and writes that to textmusic/data/shared_runs.json.

Then eight bars of a piece are planted into another, in several disguises, and pairs of unrelated
pieces are drawn. Printed: by disguise, in how many pairs the longest melodic run is as unusual as
--flagged says, and in how many unrelated pairs it is. Choose on valid, tell of test once.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from symusic import Score

from textmusic.corpus.metadata import read_metadata, read_midi, tune_names
from textmusic.corpus.windows import read_windows
from textmusic.library import originality, symbols
from textmusic.library.lines import Lines, joined, lines_of, upper_line
from textmusic.library.symbols import Ints, Symbols
from textmusic.music.measure import measure
from textmusic.music.notes import Notes, notes_of
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS, quarters_per_bar
from textmusic.system.progress import tracked
from textmusic.system.scripts import ended
from textmusic.system.whole_files import write_text

OUTPUT = Path(__file__).parent.parent / "textmusic" / "data" / "shared_runs.json"
BARS = 8  # that are planted
FEWEST = 16  # notes of the melody in them; fewer are nobody's
SHORTEST = 30  # pitched notes of a piece
SHARES = (0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001)
FLAGGED = 0.0125  # an unusual run: as few unrelated pairs share
OFTEN = 20  # occurrences that the share of a symbol by itself counts as, beside what follows what
GAPS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)  # quarter notes, of which a new rhythm is drawn


@dataclass(frozen=True, slots=True)
class Piece:
    """A whole piece of a corpus. group: what shares a tune has the same."""

    name: str
    source: str
    split: str
    group: str
    tune: str
    notes: Notes
    plan: Plan


def whole_pieces(corpora: Path, data: Path, splits: Sequence[str]) -> Iterator[Piece]:
    """The pieces of some splits, as their sources have them."""
    of: dict[tuple[str, str], tuple[str, str]] = {}
    for split in splits:
        for window in read_windows(data / f"{split}.parquet"):
            of[window.source, window.piece] = split, window.group
    for source in sorted({source for source, _ in of}):
        tunes = tune_names(corpora / source)
        for row in tracked(read_metadata(corpora / source), source):
            name = row["id"]
            if (source, name) not in of:
                continue
            score = Score.from_midi(read_midi(corpora / source, name))
            notes, own = notes_of(score), f"{source}/{name.replace('_', '-')}"
            split, group = of[source, name]
            if len(notes):
                plan = measure(score, notes=notes)
                yield Piece(name, source, split, group, tunes.get(name, own), notes, plan)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="Folder of the corpora.")
    parser.add_argument("data", type=Path, help="Folder of prepared data.")
    parser.add_argument("--split", default="valid", help="What the figures are of.")
    parser.add_argument("--pairs", type=int, default=200, help="Pairs of each kind.")
    parser.add_argument("--flagged", type=float, default=FLAGGED, help="Share of a usual run.")
    parser.add_argument("--seed", type=int, default=0, help="Of the choice of pieces.")
    parser.add_argument("--count", type=int, default=0, help="Pairs to count what is usual on.")
    args = parser.parse_args()
    if args.count:
        count(list(whole_pieces(args.corpora, args.data, ["train"])), args.count)
    pieces = [p for p in whole_pieces(args.corpora, args.data, [args.split]) if melodic(p)]
    judge(pieces, args.pairs, args.flagged, random.Random(args.seed))


def melodic(piece: Piece) -> bool:
    """Whether a piece has notes enough for a melody."""
    return int((piece.notes.program != DRUMS).sum()) > SHORTEST


# What is usual ------------------------------------------------------------------------------------


def count(pieces: Sequence[Piece], pairs: int) -> None:
    """Write the tables of the library."""
    lines = [lines_of(piece.notes) for piece in tracked(pieces, "finding lines")]
    whole = joined(lines)
    melody, rhythm = symbols.melody(whole), symbols.rhythm(whole)
    said = {
        "melody": table(melody, symbols.kind_of(melody.value), symbols.INTERVALS),
        "rhythm": table(rhythm, rhythm.value, symbols.RATIOS),
    }
    empty: dict[str, list[list[float]]] = {"melody": [[0.0, 1.0]], "rhythm": [[0.0, 1.0]]}
    write(said, empty)
    write(said, usual(pieces, lines, pairs))


def table(found: Symbols, kind: Ints, kinds: int) -> list[list[int]]:
    """Tenths of a bit that each symbol says behind each other."""
    inside = (found.value[1:] != symbols.END) & (found.value[:-1] != symbols.END)
    times = np.zeros((kinds, kinds))
    np.add.at(times, (kind[:-1][inside], kind[1:][inside]), 1)
    alone = (times.sum(axis=0) + 1) / (times.sum() + kinds)
    shares = (times + OFTEN * alone) / (times.sum(axis=1, keepdims=True) + OFTEN)
    return [[round(-10 * float(np.log2(share))) for share in row] for row in shares]


def usual(
    pieces: Sequence[Piece], lines: Sequence[Lines], pairs: int
) -> dict[str, list[list[float]]]:
    """(bits, share of unrelated pairs with a run of so many or more), by kind."""
    fit = [n for n, piece in enumerate(pieces) if melodic(piece)]
    rng = random.Random(0)
    bits: dict[str, list[float]] = {"melody": [], "rhythm": []}
    for _ in tracked(range(pairs), "counting", "pairs"):
        one, two = unrelated(fit, pieces, rng)
        for kind, find in (("melody", originality.melodic), ("rhythm", originality.rhythmic)):
            run = find(lines[one], lines[two]).get(0)
            bits[kind].append(-99.0 if run is None else run.bits)
    return {kind: quantiles(found) for kind, found in bits.items()}


def quantiles(found: Sequence[float]) -> list[list[float]]:
    """Rows (bits, share), bits rising; below the first all pairs share as much."""
    rows: list[list[float]] = []
    for share in SHARES:
        bits = round(float(np.quantile(found, 1 - share)), 1)
        if bits > -50 and (not rows or bits > rows[-1][0]):
            rows.append([bits, share])
    return [[rows[0][0] - 20, 1.0], *rows]


def unrelated(fit: Sequence[int], pieces: Sequence[Piece], rng: random.Random) -> tuple[int, int]:
    """Two pieces of different tunes."""
    while True:
        one, two = rng.choice(fit), rng.choice(fit)
        if pieces[one].group != pieces[two].group:
            return one, two


def write(tables: dict[str, list[list[int]]], usual: dict[str, list[list[float]]]) -> None:
    """The tables as the library reads them, a line a row."""
    parts = [
        f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]"
        for name, rows in tables.items()
    ]
    parts.append(f'"usual": {json.dumps(usual)}')
    write_text(OUTPUT, "{\n" + ",\n".join(parts) + "\n}\n")
    symbols.tables.cache_clear()
    originality.forget()


# Disguises ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Copied:
    """Bars of a piece, from 0, without drums. quarters: how long they last."""

    notes: Notes
    quarters: float


Disguise = Callable[[Copied, random.Random], Copied]


def plain(copied: Copied, rng: random.Random) -> Copied:
    """As they are."""
    return copied


def transposed(copied: Copied, rng: random.Random) -> Copied:
    """In another key."""
    up = rng.choice([n for n in range(-6, 7) if n])
    pitch = np.clip(copied.notes.pitch + up, 0, 127)
    return replace(copied, notes=replace(copied.notes, pitch=pitch))


def retimed(copied: Copied, rng: random.Random) -> Copied:
    """Twice or half as fast."""
    factor, notes = rng.choice((0.5, 2.0)), copied.notes
    notes = replace(notes, start=notes.start * factor, duration=notes.duration * factor)
    return Copied(notes, copied.quarters * factor)


def rerhythmed(copied: Copied, rng: random.Random) -> Copied:
    """With a new rhythm, drawn note by note; what sounds together still does."""
    notes = copied.notes
    onsets = np.unique(notes.start)
    new = np.concatenate([[0.0], np.cumsum([rng.choice(GAPS) for _ in onsets])])
    begin = np.searchsorted(onsets, notes.start)
    behind = np.searchsorted(onsets, notes.end - 1e-6)
    duration = new[np.maximum(behind, begin + 1)] - new[begin]
    return Copied(replace(notes, start=new[begin], duration=duration), float(new[-1]))


def melody_alone(copied: Copied, rng: random.Random) -> Copied:
    """Their upper line, in another key."""
    return transposed(replace(copied, notes=copied.notes.chosen(is_upper(copied.notes))), rng)


def everything(copied: Copied, rng: random.Random) -> Copied:
    """Their upper line alone, in another key and with a new rhythm."""
    return rerhythmed(melody_alone(copied, rng), rng)


DISGUISES: dict[str, tuple[Disguise, bool]] = {  # whether it goes over the other's accompaniment
    "as it is": (plain, False),
    "transposed": (transposed, False),
    "twice or half as fast": (retimed, False),
    "with a new rhythm": (rerhythmed, False),
    "melody alone, transposed, over another accompaniment": (melody_alone, True),
    "the same with a new rhythm": (everything, True),
}


def is_upper(notes: Notes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which notes are of the upper line."""
    upper = {(round(float(onset), 4), int(pitch)) for onset, pitch in upper_line(notes)}
    pairs = zip(notes.start.tolist(), notes.pitch.tolist(), strict=True)
    return np.array([(round(onset, 4), pitch) in upper for onset, pitch in pairs], dtype=bool)


def cut(piece: Piece, rng: random.Random) -> Copied | None:
    """Bars of a piece with a melody in them; None where there are none."""
    bar = quarters_per_bar(piece.plan.time_signature or "4/4")
    bars = int(float(piece.notes.end.max()) // bar)
    firsts = list(range(max(bars - BARS + 1, 0)))
    rng.shuffle(firsts)
    for first in firsts[:20]:
        notes = inside(piece.notes, first * bar, (first + BARS) * bar)
        if len(upper_line(notes)) >= FEWEST:
            return Copied(notes, BARS * bar)
    return None


def inside(notes: Notes, begin: float, stop: float) -> Notes:
    """The pitched notes that begin there, from 0."""
    here = (notes.start >= begin - 1e-6) & (notes.start < stop - 1e-6)
    found = notes.chosen(here & (notes.program != DRUMS))
    return replace(found, start=found.start - begin)


def planted(host: Piece, copied: Copied, over: bool, rng: random.Random) -> Notes:
    """A piece with some of its bars replaced by the copied ones.

    over: its accompaniment stays, and the copied melody is played, octaves higher or lower, by the
    instrument that leads there, instead of what that plays (of a lone one, instead of its upper
    line).
    """
    notes, bar = host.notes, quarters_per_bar(host.plan.time_signature or "4/4")
    room = int(float(notes.end.max()) // bar) - int(np.ceil(copied.quarters / bar))
    begin = bar * rng.randint(0, max(room, 0))
    stop = begin + copied.quarters
    new, there = copied.notes, inside(notes, begin, stop)
    if over and len(there):
        upper = is_upper(there)
        lead = int(np.bincount(there.program[upper]).argmax())
        gone = there.program == lead if len(np.unique(there.program)) > 1 else upper
        octaves = 12 * round(float(there.pitch[upper].mean() - new.pitch.mean()) / 12)
        pitch = np.clip(new.pitch + octaves, 12, 115)
        new = replace(new, pitch=pitch, program=np.full(len(new), lead))
        new = together(new, there.chosen(~gone))
    outside = notes.chosen((notes.start < begin - 1e-6) | (notes.start >= stop - 1e-6))
    return together(outside, replace(new, start=new.start + begin)).sorted()


def together(one: Notes, two: Notes) -> Notes:
    """All notes of both."""
    names = ("start", "duration", "pitch", "velocity", "program")
    return Notes(*(np.concatenate([getattr(one, n), getattr(two, n)]) for n in names))


def judge(pieces: Sequence[Piece], pairs: int, flagged: float, rng: random.Random) -> None:
    """Print in how many pairs a run is found that is unusual."""
    everyone = range(len(pieces))
    print(f"{len(pieces):,} pieces; unusual: as at most {flagged:.1%} of unrelated pairs")
    strangers = []
    for _ in range(5 * pairs):
        one, two = unrelated(everyone, pieces, rng)
        strangers.append(share(pieces[one].notes, pieces[two].notes))
    print(f"{np.mean(np.array(strangers) <= flagged):6.1%} of {len(strangers)} unrelated pairs")
    for name, (disguise, over) in DISGUISES.items():
        found: list[float] = []
        while len(found) < pairs:
            one, two = unrelated(everyone, pieces, rng)
            copied = cut(pieces[one], rng)
            if copied is not None:
                new = planted(pieces[two], disguise(copied, rng), over, rng)
                found.append(share(pieces[one].notes, new))
        print(f"{np.mean(np.array(found) <= flagged):6.1%} of {pairs}: {name}")


def share(one: Notes, two: Notes) -> float:
    """How many unrelated pairs share as long a melodic run."""
    run = originality.melodic(lines_of(two), lines_of(one)).get(0)
    return 1.0 if run is None else run.usual


if __name__ == "__main__":
    sys.exit(ended(main, "judge_runs.py"))
