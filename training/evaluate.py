"""Score what a model wrote, what it reads by itself, and how well it predicts real music.

    python training/evaluate.py prompts.jsonl --outputs out/ out2/    adherence of batch's files
    python training/evaluate.py prompts.jsonl --alone                 plans, with nothing forced
    python training/evaluate.py --words                               the mood of single words
    python training/evaluate.py --data data/                          held-out nats per note
    python training/evaluate.py --data data/ --outputs out/           the music beside real music

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
from symusic import Score

from textmusic.caption import Captioner, load_data
from textmusic.engine import OnnxEngine
from textmusic.learning.comparison import Comparison
from textmusic.learning.dataset import IGNORED, Examples, read_windows
from textmusic.measure import notes_of
from textmusic.metrics import (
    Expectation,
    Figure,
    NGram,
    collected,
    hits,
    mood_hits,
    plan_hits,
    same_key,
    same_or_relative_key,
)
from textmusic.pipeline import TextToMusic, locate
from textmusic.plan import NO_KEY, Plan
from textmusic.report import Report
from textmusic.tokenizer import SCORE, Tokenizer

TEXT_AND_PLAN = 120  # ids that a caption and a plan take at most
SEEN_WORDS = 150  # drawn of those that were trained on; the kept-out ones are all tried


def expectations(prompts: Path) -> list[dict[str, Any]]:
    """The lines of a prompts file."""
    return [json.loads(line) for line in prompts.read_text(encoding="utf-8").splitlines() if line]


def outputs_of(outputs: Path) -> dict[int, tuple[Score, Plan | None]]:
    """Score and plan of every file that batch wrote, by the number of its prompt."""
    rows: dict[int, tuple[Score, Plan | None]] = {}
    for midi in sorted(outputs.glob("[0-9]*.mid")):
        report = midi.with_suffix(".json")
        planned = None
        if report.exists():
            planned = Report.from_dict(json.loads(report.read_text(encoding="utf-8"))).planned
        rows[int(midi.stem)] = (Score(midi), planned)
    return rows


def show(title: str, figures: dict[str, Figure], save: dict[str, Any]) -> None:
    """Print figures as a Markdown table, and keep them for --save."""
    print(f"\n{title}\n\n| figure | mean | 95 % interval | n |\n|---|---|---|---|")
    for name, figure in figures.items():
        low, high = f"{figure.low:.1%}", f"{figure.high:.1%}"
        print(f"| {name} | {figure.value:.1%} | {low} - {high} | {figure.n} |")
    save[title] = {name: asdict(figure) for name, figure in figures.items()}


def adherence(prompts: Path, folders: Sequence[Path]) -> dict[str, Figure]:
    """Figures over all answers; those to one prompt are drawn together for the interval."""
    expected, found, groups = expectations(prompts), [], []
    for folder in folders:
        for number, (score, plan) in track(outputs_of(folder).items(), f"judging {folder.name}"):
            found.append(hits(expected[number - 1], score, plan))
            groups.append(number)
    return collected(found, groups)


def alone(music: TextToMusic, prompts: Path, seeds: int) -> dict[str, Figure]:
    """How often the LLM's own plan, nothing forced, is what the prompt says."""
    found, groups = [], []
    for number, expected in enumerate(track(expectations(prompts), "reading alone")):
        for seed in range(1, seeds + 1):
            found.append(read_hits(expected, music.plan(expected["text"], forced=False, seed=seed)))
            groups.append(number)
    return collected(found, groups)


def read_hits(expected: Expectation, plan: Plan) -> dict[str, float]:
    """What of an expectation a plan says."""
    found = plan_hits(expected, plan) | mood_hits(expected, plan, "planned")
    if "key" in expected and expected["key"] != NO_KEY:
        has = plan.key is not None and plan.key != NO_KEY
        found["CK"] = has and same_key(expected["key"], str(plan.key))
        found["CKD"] = has and same_or_relative_key(expected["key"], str(plan.key))
    if "genre" in expected:
        found["genre"] = plan.genre == expected["genre"]
    return {name: float(value) for name, value in found.items()}


def words(music: TextToMusic, *, forced: bool, seeds: int) -> dict[str, Figure]:
    """Single words and scenes: planned levels within one of the word's own, and kept-out ones."""
    entries = load_data("words.jsonl")
    kept_out = [entry for entry in entries if entry["held_out"]]
    known = [entry for entry in entries if not entry["held_out"]]
    drawn = random.Random(0).sample(known, min(SEEN_WORDS, len(known))) + kept_out
    found, groups = [], []
    for number, entry in enumerate(track(drawn, "reading words")):
        expected = {"valence": [entry["valence"]], "arousal": [entry["arousal"]]}
        kind = "kept out" if entry["held_out"] else "seen"
        for seed in range(1, seeds + 1):
            plan = music.plan(entry["text"], forced=forced, seed=seed)
            found.append(read_hits(expected, plan))
            found[-1] = {name.replace("planned", kind): v for name, v in found[-1].items()}
            groups.append(number)
    return dict(sorted(collected(found, groups).items()))


def held_out(data: Path, model: str | None, pieces: int) -> None:
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
    windows = [w for w in windows if len(w.ids) + TEXT_AND_PLAN <= engine.context]
    examples = Examples(windows, tokenizer, Captioner(), vary=False)
    rng = random.Random(0)
    total: dict[str, float] = dict.fromkeys([*grams, name], 0.0)
    ids = notes = 0
    for window in track(rng.sample(windows, min(pieces, len(windows))), "predicting"):
        example = examples.make(window, rng)
        logits = engine.logits(example.ids[None])[0]
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
    data: Path, prompts: Path | None, folders: Sequence[Path], model: str | None
) -> dict[str, Any]:
    """The music of batch's files beside held-out pieces: distributions, endings, originality."""
    comparison = Comparison.prepare(data, Tokenizer(locate(model, None)[0]))
    expected = expectations(prompts) if prompts else []
    pieces, asked = [], []
    for folder in folders:
        for number, (score, plan) in outputs_of(folder).items():
            if plan is not None:
                pieces.append((notes_of(score), plan))
                genre = expected[number - 1].get("genre") if expected else None
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
    if args.prompts and not (args.outputs or args.alone):
        parser.error("what shall be done with the prompts? Give --outputs or --alone")
    save: dict[str, Any] = {}
    if args.prompts and args.outputs:
        show("what came out", adherence(args.prompts, args.outputs), save)
    if args.alone or args.words:
        music = TextToMusic.from_pretrained(args.model)
        if args.alone and args.prompts:
            figures = alone(music, args.prompts, args.seeds)
            show("planned by the LLM alone, nothing forced", figures, save)
        if args.words:
            figures = words(music, forced=False, seeds=args.seeds)
            show("mood words, nothing forced", figures, save)
            figures = words(music, forced=True, seeds=args.seeds)
            show("mood words, as the product reads them", figures, save)
    if args.data and args.outputs:
        save["beside real music"] = beside_real(args.data, args.prompts, args.outputs, args.model)
    elif args.data:
        held_out(args.data, args.model, args.pieces)
    if args.save:
        args.save.write_text(json.dumps(save, indent=1))


if __name__ == "__main__":
    main()
