"""Score what a model wrote, what it reads by itself, and how well it predicts real music.

    python training/evaluate.py prompts.jsonl --outputs out/ out2/    adherence of batch's files
    python training/evaluate.py prompts.jsonl --alone                 plans, with nothing forced
    python training/evaluate.py --words                               the mood of single words
    python training/evaluate.py --data data/                          held-out nats per note
    python training/evaluate.py prompts.jsonl --data data/ --outputs out/     and beside real music

Adherence: prompts.jsonl holds what may fairly be expected of each prompt (see textmusic.metrics),
each folder the files that `textmusic batch prompts.jsonl -o out/` wrote with one seed. Keys are
judged by music21. --model is a model folder; by default the bundled one.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from textmusic.caption import Captioner
from textmusic.engine import open_engine
from textmusic.evaluation import adherence, alone, read_answers, read_expectations, words
from textmusic.learning.comparison import Comparison
from textmusic.learning.dataset import IGNORED, Examples, read_windows
from textmusic.measure import notes_of
from textmusic.metrics import Figure, NGram
from textmusic.pipeline import TextToMusic, locate
from textmusic.tokenizer import SCORE, Tokenizer

TEXT_AND_PLAN = 120  # ids that a caption and a plan take at most


def show(title: str, figures: dict[str, Figure], save: dict[str, Any]) -> None:
    """Print figures as a Markdown table, and keep them for --save."""
    print(f"\n{title}\n\n| figure | mean | 95 % interval | n |\n|---|---|---|---|")
    for name, figure in figures.items():
        low, high = f"{figure.low:.1%}", f"{figure.high:.1%}"
        print(f"| {name} | {figure.value:.1%} | {low} - {high} | {figure.n} |")
    save[title] = {name: asdict(figure) for name, figure in figures.items()}


def held_out(data: Path, model: str | None, pieces: int) -> None:
    """Nats per score id and per note: the model against a unigram and a bigram model."""
    folder, name = locate(model, None)
    tokenizer, engine = Tokenizer(folder), open_engine(folder)
    size = len(tokenizer.vocabulary)
    grams = {"unigram": NGram(size, 1), "bigram": NGram(size, 2)}
    (score,) = tokenizer.music_ids([SCORE])
    for window in track(read_windows(data / "train.parquet"), "counting"):
        for gram in grams.values():
            gram.count(np.array([score, *window.ids]))
    windows = read_windows(data / "test.parquet")
    windows = [w for w in windows if len(w.ids) + TEXT_AND_PLAN <= engine.context]
    examples = Examples(windows, tokenizer, Captioner(), vary=False)
    rng = random.Random(0)
    total: dict[str, float] = dict.fromkeys([*grams, name], 0.0)
    ids = notes = 0
    for window in track(rng.sample(windows, min(pieces, len(windows))), "predicting"):
        example = examples.make(window, rng)
        logits = engine.logits(example.ids)
        total[name] += score_nats(logits, example.labels, len(window.ids))
        for gram_name, gram in grams.items():
            total[gram_name] += gram.nats(np.array([score, *window.ids]))
        ids += len(window.ids)
        notes += example.notes
    print(f"{min(pieces, len(windows))} held-out windows, {ids} score ids, {notes} notes")
    print("| model | nats per score id | nats per note |\n|---|---|---|")
    for row, nats in total.items():
        print(f"| {row} | {nats / ids:.3f} | {nats / notes:.3f} |")


def score_nats(logits: Any, labels: Any, length: int) -> float:
    """-log p of the last `length` labels, those of the score. logits (T, M), labels (T,)."""
    places = np.flatnonzero(labels != IGNORED)[-length:]
    chosen = logits[places].astype(np.float64)
    top = chosen.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(chosen - top).sum(axis=1)) + top[:, 0]
    return float((log_sum - chosen[np.arange(len(places)), labels[places]]).sum())


def beside_real(
    data: Path, prompts: Path, folders: Sequence[Path], model: str | None
) -> dict[str, Any]:
    """The music of batch's files beside held-out pieces: distributions, endings, originality."""
    comparison = Comparison.prepare(data, Tokenizer(locate(model, None)[0]))
    expected = read_expectations(prompts)
    pieces, asked = [], []
    for answer in (a for folder in folders for a in read_answers(folder, len(expected))[0]):
        if answer.planned is not None:
            pieces.append((notes_of(answer.score), answer.planned))
            genre = expected[answer.number - 1].get("genre")
            asked.append([genre] if genre else [])
    figures = comparison.figures(pieces)
    print(f"\n{len(pieces)} written pieces, {len(comparison.real)} real ones")
    print("\n| figure | written | real |\n|---|---|---|")
    for name, row in figures.items():
        print(f"| {name} | {row['written']:.3f} | {row['real']:.3f} |")
    print("genre recognised, written:", comparison.recognised(pieces, asked))
    print("genre recognised, real:   ", comparison.recognised(comparison.real, comparison.genres))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prompts", type=Path, nargs="?")
    parser.add_argument("--outputs", type=Path, nargs="+", help="folders that batch wrote")
    parser.add_argument("--alone", action="store_true", help="the LLM's plans, nothing forced")
    parser.add_argument("--words", action="store_true", help="mood words, forced and not")
    parser.add_argument("--seeds", type=int, default=3, help="of --alone and --words")
    parser.add_argument("--save", type=Path, help="write the figures as JSON too")
    parser.add_argument("--data", type=Path, help="folder that training/prepare.py wrote")
    parser.add_argument("--model", help="model folder; by default the bundled one")
    parser.add_argument("--pieces", type=int, default=200, help="held-out windows to predict")
    args = parser.parse_args()
    if not (args.prompts or args.data or args.words):
        parser.error("give PROMPTS with --outputs or --alone, or --words, or --data")
    if args.outputs and not args.prompts:
        parser.error("which prompts do the outputs answer? Give PROMPTS")
    if args.prompts and not (args.outputs or args.alone):
        parser.error("what shall be done with the prompts? Give --outputs or --alone")
    save: dict[str, Any] = {}
    expected = read_expectations(args.prompts) if args.prompts else []
    if args.prompts and args.outputs:
        answers = []
        for folder in args.outputs:
            read, broken = read_answers(folder, len(expected))
            answers += read
            if broken:
                print(f"{len(broken)} files in {folder} are no MIDI: {', '.join(broken)}")
        show("what came out", adherence(expected, answers), save)
    if args.alone or args.words:
        music = TextToMusic.from_pretrained(args.model)
        if args.alone and args.prompts:
            figures = alone(music, expected, args.seeds)
            show("planned by the LLM alone, nothing forced", figures, save)
        if args.words:
            figures = words(music, forced=False, seeds=args.seeds)
            show("mood words, nothing forced", figures, save)
            figures = words(music, forced=True, seeds=args.seeds)
            show("mood words, as the product reads them", figures, save)
    if args.data and args.outputs and args.prompts:
        save["beside real music"] = beside_real(args.data, args.prompts, args.outputs, args.model)
    elif args.data:
        held_out(args.data, args.model, args.pieces)
    if args.save:
        args.save.write_text(json.dumps(save, indent=1))


if __name__ == "__main__":
    main()
