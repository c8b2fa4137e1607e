"""Score what a model wrote, and how well it predicts real music.

    python training/evaluate.py prompts.jsonl --outputs out/          adherence of batch's files
    python training/evaluate.py --data data/ --model my-model/        held-out nats per note

Adherence: prompts.jsonl holds what may fairly be expected of each prompt (see textmusic.metrics),
out/ the files that `textmusic batch prompts.jsonl -o out/` wrote. Keys are judged by music21.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track
from symusic import Score

from textmusic.caption import Captioner
from textmusic.engine import OnnxEngine
from textmusic.learning.dataset import IGNORED, Examples, read_windows
from textmusic.metrics import Expectation, NGram, adherence
from textmusic.pipeline import locate
from textmusic.plan import Plan
from textmusic.report import Report
from textmusic.tokenizer import SCORE, Tokenizer


def outputs_of(prompts: Path, outputs: Path) -> list[tuple[Expectation, Score, Plan | None]]:
    """(expectation, score, plan) of every prompt whose file is there."""
    rows: list[tuple[Expectation, Score, Plan | None]] = []
    for number, line in enumerate(prompts.read_text(encoding="utf-8").splitlines(), 1):
        midi, report = (outputs / f"{number:04}.{suffix}" for suffix in ("mid", "json"))
        if not midi.exists():
            print(f"{midi} is missing")
            continue
        planned = None
        if report.exists():
            planned = Report.from_dict(json.loads(report.read_text(encoding="utf-8"))).planned
        rows.append((json.loads(line), Score(midi), planned))
    return rows


def print_adherence(prompts: Path, outputs: Path, save: Path | None) -> None:
    figures = adherence(outputs_of(prompts, outputs))
    print("| figure | mean | 95 % interval | n |\n|---|---|---|---|")
    for name, figure in figures.items():
        print(
            f"| {name} | {figure.value:.1%} | {figure.low:.1%} - {figure.high:.1%} | {figure.n} |"
        )
    if save:
        save.write_text(json.dumps({k: asdict(v) for k, v in figures.items()}, indent=1))


def print_held_out(data: Path, model: str | None, pieces: int) -> None:
    """Nats per score id and per note: the model against a unigram and a bigram model."""
    folder, name = locate(model, None)
    tokenizer, engine = Tokenizer(folder), OnnxEngine(folder)
    size = len(tokenizer.vocabulary)
    grams = {"unigram": NGram(size, 1), "bigram": NGram(size, 2)}
    (score,) = tokenizer.music_ids([SCORE])
    for window in track(read_windows(data / "train.parquet"), "counting"):
        for gram in grams.values():
            gram.count(np.array([score, *window.ids]))
    windows = read_windows(data / "test.parquet")
    examples = Examples(windows, tokenizer, Captioner(), transpose=False)
    rng = random.Random(0)
    total: dict[str, float] = dict.fromkeys([*grams, name], 0.0)
    ids = notes = 0
    for window in track(rng.sample(windows, min(pieces, len(windows))), "predicting"):
        example = examples.make(window, rng)
        total[name] += score_nats(
            engine.logits(example.ids[None])[0], example.labels, len(window.ids)
        )
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prompts", type=Path, nargs="?")
    parser.add_argument("--outputs", type=Path, help="folder that `textmusic batch` wrote")
    parser.add_argument("--save", type=Path, help="write the figures as JSON too")
    parser.add_argument("--data", type=Path, help="folder that training/prepare.py wrote")
    parser.add_argument("--model", help="model folder; by default the bundled one")
    parser.add_argument("--pieces", type=int, default=200, help="held-out windows to predict")
    args = parser.parse_args()
    if bool(args.prompts) != bool(args.outputs) or not (args.prompts or args.data):
        parser.error("give PROMPTS with --outputs, or --data, or both")
    if args.prompts:
        print_adherence(args.prompts, args.outputs, args.save)
    if args.data:
        print_held_out(args.data, args.model, args.pieces)


if __name__ == "__main__":
    main()
