"""Write what a model has seen as fingerprints: python training/index.py DATA -o MODEL

DATA is prepared data. The runs of notes of its training pieces go into known_runs.safetensors in
the model folder, from where the report of every piece says what it shares with them. How usual a
shared run is, is counted on the pieces of the validation split, one a tune. Of prepared data the
windows are read; with --corpora the whole pieces that they were cut from, which is quicker, and
gives their titles. What the file holds: `music.known_runs`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from judge_runs import whole_pieces

from textmusic.corpus.metadata import read_metadata
from textmusic.corpus.windows import read_windows
from textmusic.errors import TextMusicError
from textmusic.music.known_runs import FILE, KnownRuns
from textmusic.music.notes import Notes, columns_of, sliced
from textmusic.music.runs import moves
from textmusic.music.theory import quarters_per_bar
from textmusic.system.progress import tracked
from textmusic.system.scripts import ended
from textmusic.system.whole_files import whole_file
from textmusic.tokens.tokenizer import Tokenizer

MOST_TUNES = 1 << 16
LONGEST = 64  # notes of a run, up to which it is counted how usual it is
BARS = 16  # of each validation piece that are looked at: the length of a usual one
NAME = 40  # characters of a tune's name


@dataclass(frozen=True, slots=True)
class Seen:
    """A piece, or a window of one. tune: what shares it has the same. name: as reports give it."""

    tune: str
    name: str
    notes: Notes
    metre: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="Folder of prepared data.")
    parser.add_argument("-o", "--output", type=Path, required=True, help="Model folder.")
    parser.add_argument("--corpora", type=Path, help="Folder of the corpora, to read them whole.")
    args = parser.parse_args()
    if not args.output.is_dir():
        raise TextMusicError(f"'{args.output}' is no folder; give the one of the model.")
    pieces = partial(in_corpora, args.corpora) if args.corpora else in_windows
    known = index(pieces(args.data, "train"))
    known = known.with_shares(shares(known, pieces(args.data, "valid")))
    path = args.output / FILE
    with whole_file(path) as unfinished:
        known.save(unfinished)
    print(f"{path}: {len(known):,} fingerprints, {path.stat().st_size:,} bytes")


def in_windows(data: Path, split: str) -> Iterator[Seen]:
    """The windows of a split."""
    tokenizer = Tokenizer(data / "tokenizer")
    for window in tracked(read_windows(data / f"{split}.parquet"), f"reading {split}", "windows"):
        struck = tokenizer.struck(list(window.ids))
        notes = columns_of([note.sounding(window.plan) for note in struck]).sorted()
        metre = window.plan.time_signature or "4/4"
        yield Seen(window.group, f"{window.piece}, {window.source}", notes, metre)


def in_corpora(corpora: Path, data: Path, split: str) -> Iterator[Seen]:
    """The whole pieces of a split."""
    titles = titles_in(corpora)
    for piece in whole_pieces(corpora, data, [split]):
        title = titles.get((piece.source, piece.name), piece.name)
        metre = piece.plan.time_signature or "4/4"
        yield Seen(piece.group, f"{title[:NAME]}, {piece.source}", piece.notes, metre)


def index(pieces: Iterable[Seen]) -> KnownRuns:
    """The fingerprints of some pieces; those of one tune are one."""
    numbers: dict[str, int] = {}
    names: list[str] = []
    lines = []
    for piece in pieces:
        if piece.tune not in numbers:
            numbers[piece.tune] = len(names)
            names.append(piece.name)
        lines.append((numbers[piece.tune], moves(piece.notes)))
    if len(names) > MOST_TUNES:
        raise TextMusicError(f"the data have more than {MOST_TUNES:,} tunes; prepare fewer.")
    return KnownRuns.of(lines, names)


def shares(known: KnownRuns, pieces: Iterable[Seen]) -> list[float]:
    """By number of notes, how many of some pieces share as long a run or a longer one."""
    first = {piece.tune: piece for piece in reversed(list(pieces))}.values()
    openings = (sliced(p.notes, 0.0, BARS * quarters_per_bar(p.metre)) for p in first)
    runs = np.array([known.longest(opening).notes for opening in openings])
    return [round(float((runs >= n).mean()), 4) for n in range(LONGEST + 1)]


def titles_in(corpora: Path) -> dict[tuple[str, str], str]:
    """(source, piece) -> title, of the corpora in a folder."""
    found = {}
    for place in sorted(corpora.glob("*/metadata.jsonl")):
        for row in read_metadata(place.parent):
            if row.get("title"):
                found[place.parent.name, row["id"]] = str(row["title"])
    return found


if __name__ == "__main__":
    sys.exit(ended(main, "index.py"))
