"""Write prompts from held-out pieces: python training/describe.py data/ -o held-out.jsonl

Each line is a caption of one piece of the test split (or of the validation split, to choose
settings by), as a person might type it, and what may fairly be expected of an answer: the facts
that the caption mentions, and no others. At most the first 16 bars
of a piece are asked for; a caption that names no length gets theirs.

--pieces real/ writes the pieces themselves too, as answers (0001.mid, 0001.json, ...), as long as
the captions say: the reference that `textmusic evaluate --real real/` takes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from textmusic.corpus.windows import read_windows
from textmusic.evaluation.held_out_prompts import describe
from textmusic.system.scripts import ended
from textmusic.tokens.tokenizer import Tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="Folder of prepared data.")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("held-out.jsonl"), help="File for the prompts."
    )
    parser.add_argument(
        "--split", choices=("valid", "test"), default="test", help="Split to describe."
    )
    parser.add_argument("--pieces", type=Path, help="Folder for the pieces themselves.")
    parser.add_argument("-n", type=int, default=500, help="Most prompts to write.")
    parser.add_argument("--seed", type=int, default=0, help="Seed for the choice and the words.")
    args = parser.parse_args()
    windows = read_windows(args.data / f"{args.split}.parquet")
    found = describe(windows, Tokenizer(args.data / "tokenizer"), args.output, pieces=args.pieces,
                     n=args.n, seed=args.seed)  # fmt: skip
    print(f"{found} prompts in {args.output}")


if __name__ == "__main__":
    sys.exit(ended(main, "describe.py"))
