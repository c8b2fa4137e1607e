"""Turn corpora into training data: python training/prepare.py CORPORA -o data/

`textmusic prepare`, and then what one who changes the model wants to see besides: how often the key
estimate is the source's label, where the levels' edges should lie, and how much there is of every
value (statistics.md, statistics.png).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from textmusic.cli.prepare import show
from textmusic.cli.terminal import new_console
from textmusic.corpus import statistics
from textmusic.corpus.preparation import LONGEST_WINDOW, prepare
from textmusic.corpus.splits import SHARES
from textmusic.corpus.windows import read_windows
from textmusic.errors import TextMusicError
from textmusic.system.machine import cores
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.writing.loading import text_tokenizer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="folder of corpus folders, or of music")
    parser.add_argument("-o", "--output", type=Path, default=Path("data"))
    parser.add_argument("--base", help="LLM (folder or Hub id) whose text tokenizer is used")
    parser.add_argument(
        "--longest", type=int, default=LONGEST_WINDOW, help="music ids in a window at most"
    )
    for split, percent in SHARES.items():
        parser.add_argument(f"--{split}", type=int, default=percent, help="percent of the tunes")
    parser.add_argument("--mix", type=Path, help="training config whose weights the table shows")
    parser.add_argument("--workers", type=int, default=cores())
    args = parser.parse_args()
    shares = {split: getattr(args, split) for split in SHARES}
    try:
        summary = prepare(
            args.corpora, args.output, text_tokenizer(args.base), longest=args.longest,
            shares=shares, workers=args.workers,
        )  # fmt: skip
    except TextMusicError as problem:
        print(f"prepare: {problem}", file=sys.stderr)
        return 2
    show(summary, new_console())
    for source, (right, of) in summary.key_right.items():
        print(f"key estimate = label: {source:22} {right / of:6.1%} of {of}")
    windows = read_windows(args.output / "train.parquet")
    tokenizer = Tokenizer(args.output / "tokenizer")
    for name, marks in statistics.percentiles(windows, tokenizer).items():
        print(f"{name}: 10/33/67/90 % at", marks)
    strikes = {i for i, token in enumerate(tokenizer.vocabulary) if token.startswith("Pitch")}
    mix = json.loads(args.mix.read_text())["mix"] if args.mix else {}
    table = statistics.markdown(windows, strikes, mix)
    (args.output / "statistics.md").write_text(table, encoding="utf-8")
    statistics.draw(windows, args.output / "statistics.png")
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
