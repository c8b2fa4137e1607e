"""How well does a model predict held-out music? python training/evaluate.py data/ --model my-model

Nats per score id and per note of windows of the test split (training/prepare.py), beside a unigram
and a bigram model that were counted on the training split. What a model writes, and how well it
reads, is measured by `textmusic evaluate`, which needs no training data.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import numpy as np

from textmusic.corpus.captions import Captioner
from textmusic.corpus.windows import read_windows
from textmusic.evaluation.bootstrap import Mean, figure
from textmusic.evaluation.figures import surprises
from textmusic.evaluation.metrics import NGram
from textmusic.learning.examples import Examples
from textmusic.system.progress import tracked
from textmusic.system.scripts import ended
from textmusic.tokens.tokenizer import IGNORED, Tokenizer
from textmusic.tokens.vocabulary import SCORE
from textmusic.writing.loading import locate, open_engine

TEXT_AND_PLAN = 120  # ids that a caption and a plan take at most


def held_out(data: Path, model: str | None, pieces: int) -> str:
    """A Markdown table of nats per score id and per note, with intervals by tune."""
    folder, name = locate(model, None)
    tokenizer, engine = Tokenizer(folder), open_engine(folder)
    size = len(tokenizer.vocabulary)
    grams = {"unigram": NGram(size, 1), "bigram": NGram(size, 2)}
    (score,) = tokenizer.music_ids([SCORE])
    for window in tracked(read_windows(data / "train.parquet"), "counting"):
        for gram in grams.values():
            gram.count(np.array([score, *window.ids]))
    windows = read_windows(data / "test.parquet")
    times = 2 if tokenizer.interleaved else 1  # that the sketch is said
    windows = [
        w for w in windows
        if len(w.ids) + times * len(w.sketch) + TEXT_AND_PLAN <= engine.context
    ]  # fmt: skip
    examples = Examples(windows, tokenizer, Captioner(), vary=False, fills=0.0)
    rng = random.Random(0)
    drawn = rng.sample(windows, min(pieces, len(windows)))
    groups = sorted({window.group for window in drawn})
    nats: dict[str, list[float]] = {row: [] for row in (*grams, name)}
    notes = []
    for window in tracked(drawn, "predicting"):
        example = examples.make(window, rng)
        places = np.flatnonzero(example.labels != IGNORED)[-len(window.ids) :]
        logits = engine.logits(example.ids)[places]
        nats[name].append(surprises(logits, example.labels[places]))
        for gram_name, gram in grams.items():
            nats[gram_name].append(gram.nats(np.array([score, *window.ids])))
        notes.append(float(example.notes))
    ids = [float(len(window.ids)) for window in drawn]
    tunes = [groups.index(window.group) for window in drawn]
    lines = [
        f"{len(drawn)} held-out windows, {sum(ids):.0f} score ids, {sum(notes):.0f} notes",
        "| model | nats per score id | nats per note |\n|---|---|---|",
    ]
    for row, values in nats.items():
        cells = [figure(Mean(values, tunes, weights)) for weights in (ids, notes)]
        shown = [f"{cell.value:.3f} [{cell.low:.3f} – {cell.high:.3f}]" for cell in cells]
        lines.append(f"| {row} | {' | '.join(shown)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="Folder of prepared data.")
    parser.add_argument("--model", help="Model folder or Hub id; default: the bundled model.")
    parser.add_argument("--pieces", type=int, default=200, help="Held-out windows to predict.")
    args = parser.parse_args()
    print(held_out(args.data, args.model, args.pieces))


if __name__ == "__main__":
    sys.exit(ended(main, "evaluate.py"))
