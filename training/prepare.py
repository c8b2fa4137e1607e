"""Turn corpora into training data: python training/prepare.py CORPORA -o data/

`textmusic prepare`, and then what one who changes the model wants to see besides: how often the key
estimate is the source's label, where the levels' edges should lie, and how much there is of every
value (statistics.md, statistics.png).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from textmusic.cli.prepare import show
from textmusic.cli.terminal import new_console
from textmusic.corpus import statistics
from textmusic.corpus.preparation import LONGEST_WINDOW, prepare
from textmusic.corpus.splits import SHARES
from textmusic.corpus.windows import read_windows
from textmusic.learning.config_files import read_config
from textmusic.system.machine import cores
from textmusic.system.scripts import ended
from textmusic.system.whole_files import write_text
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.writing.loading import text_tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="Folder of corpora, or of music.")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("data"), help="Folder for the data."
    )
    parser.add_argument(
        "--base", help="Model folder or Hub id of the LLM to train; default: the bundled model."
    )
    parser.add_argument(
        "--longest", type=int, default=LONGEST_WINDOW, help="Most music tokens in one stretch."
    )
    for split, percent in SHARES.items():
        parser.add_argument(
            f"--{split}", type=int, default=percent, help=f"Percentage of the tunes for {split}."
        )
    parser.add_argument("--mix", type=Path, help="Training config whose weights the table shows.")
    parser.add_argument("--workers", type=int, default=cores(), help="Number of processes.")
    args = parser.parse_args()
    shares = {split: getattr(args, split) for split in SHARES}
    mix = (read_config(args.mix).mix or {}) if args.mix else {}
    summary = prepare(
        args.corpora, args.output, text_tokenizer(args.base), longest=args.longest,
        shares=shares, workers=args.workers,
    )  # fmt: skip
    show(summary, new_console())
    for source, (right, of) in summary.key_right.items():
        print(f"key estimate = label: {source:22} {right / of:6.1%} of {of}")
    windows = read_windows(args.output / "train.parquet")
    tokenizer = Tokenizer(args.output / "tokenizer")
    for name, marks in statistics.percentiles(windows, tokenizer).items():
        print(f"{name}: 10/33/67/90 % at", marks)
    strikes = {i for i, token in enumerate(tokenizer.vocabulary) if token.startswith("Pitch")}
    table = statistics.markdown(windows, strikes, mix)
    print(table)
    write_text(args.output / "statistics.md", table)
    statistics.draw(windows, args.output / "statistics.png")


if __name__ == "__main__":
    sys.exit(ended(main, "prepare.py"))
