"""Write what a model knows by heart as fingerprints: python training/index.py DATA -o MODEL

DATA is prepared data: the runs of notes of its training windows go into known_runs.safetensors in
the model folder, from where the report of every piece says what it shares with them. How usual a
shared run is, is counted on the validation windows. What the file holds: `music.known_runs`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from textmusic.corpus.metadata import read_metadata
from textmusic.corpus.windows import Window, read_windows
from textmusic.errors import TextMusicError
from textmusic.music.known_runs import FILE, KnownRuns
from textmusic.music.notes import Notes, notes_of, sliced
from textmusic.music.runs import moves
from textmusic.music.theory import quarters_per_bar
from textmusic.system.progress import tracked
from textmusic.system.scripts import ended
from textmusic.tokens.tokenizer import Tokenizer

MOST_TUNES = 1 << 16
LONGEST = 64  # notes of a run, up to which it is counted how usual it is
BARS = 16  # of each validation window that are looked at: the length of a usual piece
NAME = 60  # characters of a tune's name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="Folder of prepared data.")
    parser.add_argument("-o", "--output", type=Path, required=True, help="Model folder.")
    parser.add_argument(
        "--corpora", type=Path, help="Folder of the corpora, whose metadata name the pieces."
    )
    args = parser.parse_args()
    if not args.output.is_dir():
        raise TextMusicError(f"'{args.output}' is no folder; give the one of the model.")
    tokenizer = Tokenizer(args.data / "tokenizer")
    titles = titles_in(args.corpora) if args.corpora else {}
    known = index(read_windows(args.data / "train.parquet"), tokenizer, titles)
    kept = list(openings(read_windows(args.data / "valid.parquet"), tokenizer))
    known = known.with_shares(shares(known, kept))
    path = args.output / FILE
    known.save(path)
    print(f"{path}: {len(known):,} fingerprints, {path.stat().st_size:,} bytes")


def index(
    windows: Sequence[Window], tokenizer: Tokenizer, titles: dict[tuple[str, str], str]
) -> KnownRuns:
    """The fingerprints of some windows; what shares a tune is one."""
    numbers: dict[str, int] = {}
    names: list[str] = []
    lines = []
    for window in tracked(windows, "reading the training set", "windows"):
        if window.group not in numbers:
            numbers[window.group] = len(names)
            title = titles.get((window.source, window.piece), window.piece)
            names.append(f"{title[:NAME]}, {window.source}")
        lines.append((numbers[window.group], moves(notes(window, tokenizer))))
    if len(names) > MOST_TUNES:
        raise TextMusicError(f"the data have more than {MOST_TUNES:,} tunes; prepare fewer.")
    return KnownRuns.of(lines, names)


def shares(known: KnownRuns, pieces: Sequence[Notes]) -> list[float]:
    """By number of notes, how many of some pieces share as long a run or a longer one."""
    runs = np.array([known.longest(piece).notes for piece in pieces])
    return [round(float((runs >= n).mean()), 4) for n in range(LONGEST + 1)]


def openings(windows: Sequence[Window], tokenizer: Tokenizer) -> Iterator[Notes]:
    """The first bars of one window of each tune."""
    seen = set()
    for window in windows:
        if window.group not in seen:
            seen.add(window.group)
            bar = quarters_per_bar(window.plan.time_signature or "4/4")
            yield sliced(notes(window, tokenizer), 0.0, BARS * bar)


def notes(window: Window, tokenizer: Tokenizer) -> Notes:
    """The notes of a window."""
    return notes_of(tokenizer.decode_score(list(window.ids), window.plan))


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
