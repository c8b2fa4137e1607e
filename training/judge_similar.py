"""Judge what `textmusic similar` finds: python training/judge_similar.py CORPORA DATA --index FILE

CORPORA has the sources' whole pieces, DATA is prepared data, which says what split a piece is of.
The library is all of them, training pieces too; its index is kept in FILE, for the next time.

Printed: how many copies of pieces of --split find their original first (transposed; played by other
instruments, at another loudness; cut to one half), and how many arrangements find another of the
same tune among the first ten. Pieces of one tune count as the same.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from judge_runs import Piece, whole_pieces

from textmusic.library.features import vector
from textmusic.library.index import Index
from textmusic.library.lines import lines_of
from textmusic.library.neighbours import nearest
from textmusic.library.portrait import Facts, Portrait, triads
from textmusic.music.measure import estimate_key
from textmusic.music.notes import Notes
from textmusic.music.theory import DRUMS, quarters_per_bar
from textmusic.system.scripts import ended

FEWEST = 16  # pitched notes of a piece
FIRST = 10  # places among which another arrangement is looked for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="Folder of the corpora.")
    parser.add_argument("data", type=Path, help="Folder of prepared data.")
    parser.add_argument("--index", type=Path, required=True, help="File to keep the index in.")
    parser.add_argument("--split", default="valid", help="What the figures are of.")
    parser.add_argument("--pieces", type=int, default=500, help="Pieces of each kind.")
    parser.add_argument("--seed", type=int, default=0, help="Of the choice of pieces.")
    args = parser.parse_args()
    if not args.index.exists():
        pieces = whole_pieces(args.corpora, args.data, ("train", "valid", "test"))
        found = [(f"{p.tune}|{p.name}", portrait(p)) for p in pieces]
        portraits = [replace(p, facts=replace(p.facts, name=name)) for name, p in found]
        Index.of(portraits).save(args.index)
    index = Index.load(args.index)
    held = list(whole_pieces(args.corpora, args.data, [args.split]))
    judge(held, index, args.pieces, random.Random(args.seed))


def portrait(piece: Piece) -> Portrait:
    """What a library keeps of a piece."""
    lines = lines_of(piece.notes)
    top, bottom = map(int, (piece.plan.time_signature or "4/4").split("/"))
    facts = Facts(piece.name, piece.name, piece.plan, ((0, top, bottom),))
    chords = np.array(triads(piece.notes, piece.plan), dtype=np.int8)
    return Portrait(facts, vector(piece.notes, lines, piece.plan), lines, chords)


# Copies -------------------------------------------------------------------------------------------


def transposed(piece: Piece, rng: random.Random) -> Notes:
    """In another key."""
    notes, up = piece.notes, rng.choice([n for n in range(-6, 7) if n])
    moved = np.clip(notes.pitch + up, 0, 127)
    return replace(notes, pitch=np.where(notes.program == DRUMS, notes.pitch, moved))


def reorchestrated(piece: Piece, rng: random.Random) -> Notes:
    """Each part by an instrument that is drawn, at a loudness that is drawn note by note."""
    notes = piece.notes
    played = [int(p) for p in np.unique(notes.program) if p != DRUMS]
    new = dict(zip(played, rng.sample(range(112), len(played)), strict=True)) | {DRUMS: DRUMS}
    program = np.array([new[int(p)] for p in notes.program])
    loud = np.array([rng.randint(50, 110) for _ in range(len(notes))])
    return replace(notes, program=program, velocity=loud).sorted()


def half(piece: Piece, rng: random.Random) -> Notes:
    """The first or the second half of the bars."""
    notes, bar = piece.notes, quarters_per_bar(piece.plan.time_signature or "4/4")
    bars = int(np.ceil(float(notes.end.max()) / bar - 1e-6))
    middle, whole = bars // 2 * bar, bars * bar
    begin, stop = rng.choice([(0.0, middle), (middle, whole)])
    cut = notes.chosen((notes.start >= begin - 1e-6) & (notes.start < stop - 1e-6))
    duration = np.minimum(cut.duration, stop - cut.start)
    return replace(cut, start=cut.start - begin, duration=duration)


COPIES: dict[str, Callable[[Piece, random.Random], Notes]] = {
    "transposed": transposed,
    "other instruments and loudness": reorchestrated,
    "one half": half,
}


def judge(held: Sequence[Piece], index: Index, many: int, rng: random.Random) -> None:
    """Print how many copies and arrangements are found."""
    tune = {facts.name: facts.name.partition("|")[0] for facts in index.facts}
    fit = [p for p in held if int((p.notes.program != DRUMS).sum()) >= FEWEST]
    chosen = rng.sample(fit, min(many, len(fit)))
    print(f"{len(index):,} pieces in the library; {len(chosen)} pieces kept back")
    for name, copy in COPIES.items():
        right = count = 0
        began = time.perf_counter()
        for piece in chosen:
            notes = copy(piece, rng)
            if not len(notes):
                continue
            plan = replace(piece.plan, key=estimate_key(notes))
            copied = portrait(replace(piece, notes=notes, plan=plan))
            first = nearest(copied, index, 1)[0]
            right += tune[index.facts[first.piece].name] == piece.tune
            count += 1
        each = (time.perf_counter() - began) / max(count, 1)
        print(f"{right / count:6.1%} of {count}: {name}; {each * 1000:.0f} ms each", flush=True)
    covers(held, index, many, rng)


def covers(held: Sequence[Piece], index: Index, many: int, rng: random.Random) -> None:
    """Print how many arrangements find another of their tune among the first ten."""
    tunes: dict[str, set[str]] = {}
    for facts in index.facts:
        tunes.setdefault(facts.name.partition("|")[0], set()).add(facts.name)
    of_tunes: dict[str, list[Piece]] = {}
    for piece in held:
        if piece.name.startswith("mma") and len(tunes[piece.tune]) > 1:
            of_tunes.setdefault(piece.tune, []).append(piece)
    asked = [rng.choice(pieces) for _, pieces in sorted(of_tunes.items())]
    asked = rng.sample(asked, min(many, len(asked)))
    right = 0
    for piece in asked:
        own = f"{piece.tune}|{piece.name}"
        found = nearest(portrait(piece), index, FIRST, leave_out=own)
        right += any(index.facts[n.piece].name in tunes[piece.tune] for n in found)
    print(f"{right / max(len(asked), 1):6.1%} of {len(asked)}: another arrangement of the tune")


if __name__ == "__main__":
    sys.exit(ended(main, "judge_similar.py"))
