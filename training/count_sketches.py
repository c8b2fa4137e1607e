"""Count how sketches go on: python training/count_sketches.py DATA -o MODEL

DATA is prepared data. What follows what in the sketches of its training windows goes into
sketch_counts.json.gz in the model folder, and is mixed into what the model says of sketches. What
the file holds: `tokens.sketch_counts`.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

from textmusic.corpus.windows import read_windows, with_genre
from textmusic.errors import TextMusicError
from textmusic.system.progress import tracked
from textmusic.system.scripts import ended
from textmusic.tokens.sketch_counts import FILE, SketchCounts
from textmusic.tokens.tokenizer import Tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="Folder of prepared data.")
    parser.add_argument("-o", "--output", type=Path, required=True, help="Model folder.")
    args = parser.parse_args()
    if not args.output.is_dir():
        raise TextMusicError(f"'{args.output}' is no folder; give the one of the model.")
    windows = tracked(read_windows(args.data / "train.parquet"), "counting", "windows")
    vocabulary = Tokenizer(args.data / "tokenizer").vocabulary
    rng = random.Random(0)
    counts = SketchCounts.of(((with_genre(w, rng), list(w.sketch)) for w in windows), vocabulary)
    path = args.output / FILE
    counts.save(path)
    print(f"{path}: {len(counts):,} contexts, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    sys.exit(ended(main, "count_sketches.py"))
