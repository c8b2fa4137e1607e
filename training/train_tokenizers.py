"""Train the LSTM's text tokenizer: python training/train_tokenizers.py --data data/

A SentencePiece unigram model (Kudo 2018) over freshly written captions of the training split, with
byte fallback, so that any text has ids. The LLM brings its own text tokenizer, and the music tokens
need none.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.progress import track
from sentencepiece import SentencePieceTrainer

from textmusic.corpus.captions import Captioner
from textmusic.corpus.windows import read_windows
from textmusic.learning.examples import Examples
from textmusic.system.scripts import ended
from textmusic.system.whole_files import whole_file
from textmusic.tokens.tokenizer import Tokenizer


def captions(examples: Examples, size: int, seed: int) -> Iterator[str]:
    """Captions as training draws them, and as many mood words by themselves."""
    rng = random.Random(seed)
    for _ in track(range(size), "writing captions"):
        yield examples.caption(examples.draw(rng), rng) or "music"
        yield examples.captioner.drill(rng)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"), help="Folder of prepared data.")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("tokenizers/captions.model"),
        help="File for the tokenizer.",
    )
    parser.add_argument("--captions", type=int, default=60_000, help="Captions to learn from.")
    parser.add_argument("--size", type=int, default=6000, help="Most text ids.")
    parser.add_argument("--seed", type=int, default=1, help="Seed for the captions.")
    args = parser.parse_args()
    tokenizer = Tokenizer(args.data / "tokenizer")
    examples = Examples(read_windows(args.data / "train.parquet"), tokenizer, Captioner())
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=captions(examples, args.captions, args.seed),
        model_writer=model,
        model_type="unigram",
        vocab_size=args.size,
        hard_vocab_limit=False,
        byte_fallback=True,
        character_coverage=0.9999,
        normalization_rule_name="nmt_nfkc_cf",  # case says nothing about music
        train_extremely_large_corpus=False,
        num_threads=1,  # the same model every time
        minloglevel=2,
    )
    with whole_file(args.output) as partial:
        partial.write_bytes(model.getvalue())
    print(f"wrote {args.output} ({len(model.getvalue()) / 1e3:.0f} kB)")


if __name__ == "__main__":
    sys.exit(ended(main, "train_tokenizers.py"))
