"""Short runs at equal compute, one choice changed in each: python training/ablate.py

Every variant of training/configs/choices.json (or of another --choices: ablation.json has the parts
of the format) trains for the same processor time on the same machine, its schedule bent to end
there, and is then measured on the same validation windows: nats a plan id, nats a note of the
sketch and of the score, the mood that it reads in words kept out of training, and how the pieces
that it writes to their captions move and come back (`music.structure`), with no guide and no
grammar but a spelling's own order. Writes a table and the curves beside it. Runs that are done are
not repeated.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch.nn import functional as F

from textmusic.corpus.captions import Captioner
from textmusic.evaluation.distributions import SINGLE
from textmusic.learning.config_files import checked, read_json
from textmusic.learning.examples import Examples
from textmusic.learning.runs import (
    Data,
    held_out_examples,
    start,
    tokenizer_for,
    validation_batches,
)
from textmusic.learning.spellings import Spelling, write
from textmusic.learning.trainer import Run
from textmusic.models.llm import MusicLLM
from textmusic.models.torch_engine import TorchEngine
from textmusic.music.data_files import load_data
from textmusic.music.notes import notes_of, score_of
from textmusic.music.plan import Plan
from textmusic.music.structure import LOOKED_AT
from textmusic.music.theory import DRUMS
from textmusic.system.scripts import ended
from textmusic.system.whole_files import write_text
from textmusic.tokens.tokenizer import IGNORED, Tokenizer
from textmusic.tokens.vocabulary import SCORE, SKETCH

HERE = Path(__file__).parent / "configs"
# Figures of the music, by their names in the table.
HEARD = {
    "neighbours": "neighbouring bars alike",
    "longest stretch": "longest stretch on one harmony",
    "chords in 8 bars": "different chords in eight bars",
    "repeated pitches": "melody steps that repeat the pitch",
    "melody back": "melody bars that come back",
    "four apart": "bars four apart alike",
    "playing": "instruments playing",
}


@torch.no_grad()
def nats(model: MusicLLM, batches: list[dict[str, Any]], marks: dict[str, int]) -> dict[str, float]:
    """Nats per plan id, and per note of the sketch and of the score.

    marks: the music ids that stand before these two.
    """
    total, count = {"plan": 0.0, "sketch": 0.0, "score": 0.0}, 0
    for batch in batches:
        ids, labels = torch.from_numpy(batch["ids"]), torch.from_numpy(batch["labels"])
        losses = F.cross_entropy(
            model.logits(ids).flatten(0, 1), labels.flatten(), ignore_index=IGNORED,
            reduction="none",
        ).view(labels.shape)  # fmt: skip
        behind = {
            part: (ids == mark + model.offset).cumsum(dim=1).bool() for part, mark in marks.items()
        }
        parts = {
            "plan": ~behind["sketch"],
            "sketch": behind["sketch"] & ~behind["score"],
            "score": behind["score"],
        }
        for part, places in parts.items():
            total[part] += float(losses[places & (labels != IGNORED)].sum())
        count += int((parts["plan"] & (labels != IGNORED)).sum())
    notes = sum(batch["notes"] for batch in batches)
    return {
        "plan": total["plan"] / count,
        "sketch": total["sketch"] / notes,
        "score": total["score"] / notes,
    }


@torch.no_grad()
def words(model: MusicLLM, tokenizer: Tokenizer) -> dict[str, float]:
    """Probability that a mood word kept out of training is read within one level of its own, 0-1.

    The genre before it is the likeliest one, the valence before the arousal is the word's own.
    """
    kinds = ("Genre", "Valence", "Arousal")
    places = {
        kind: [i for i, t in enumerate(tokenizer.vocabulary) if t.startswith(f"{kind}_")]
        for kind in kinds
    }
    near: dict[str, list[float]] = {"valence": [], "arousal": []}
    for entry in (e for e in load_data("words.jsonl") if e["held_out"]):
        levels = {name: int(entry[name]) for name in near}
        text = [*tokenizer.sequence(entry["text"], Plan())[0]]
        first = model.logits(torch.tensor([text]))[0, -1]
        genre = places["Genre"][int(first[places["Genre"]].argmax())]
        said = tokenizer.music_ids([f"Valence_{levels['valence']}"])
        ids = [*text, *(i + model.offset for i in (genre, *said))]
        behind = model.logits(torch.tensor([ids]))[0, -2:]
        for name, row in zip(near, behind, strict=True):
            shares = row[places[name.capitalize()]].softmax(-1)
            values = [int(tokenizer.vocabulary[i].partition("_")[2])
                      for i in places[name.capitalize()]]  # fmt: skip
            near[name].append(
                float(sum(p for p, v in zip(shares, values, strict=True)
                          if abs(v - levels[name]) <= 1))
            )  # fmt: skip
    return {name: float(np.mean(shares)) for name, shares in near.items()}


def measured(run: Run, batches: list[dict[str, Any]], marks: dict[str, int]) -> dict[str, Any]:
    """Train to the end; what came out of it."""
    run.clock = time.process_time  # other work on the machine takes nothing away
    run.train()
    model = run.accelerator.unwrap_model(run.model).eval()
    rows = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    ids = sum(row.get("ids", 0) for row in rows)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {
        **nats(model, batches, marks),
        "steps": run.step,
        "ids": ids,
        "ids_per_second": ids / run.spent,
        "trained": trained,
    }


def heard(model: MusicLLM, examples: Examples, pieces: int) -> dict[str, float]:
    """How the music moves that a model writes to held-out captions, and notes a second."""
    rng = random.Random(1)
    windows = [examples.draw(rng) for _ in range(pieces)]
    began, written = time.process_time(), []
    assert isinstance(examples, Spelling)
    engine = TorchEngine(model, torch.device("cpu"))
    for piece in track(write(engine, examples, windows, LOOKED_AT), "writing", total=pieces):
        score = score_of(piece.notes(examples), piece.plan)
        written.append((notes_of(score), piece.plan))
    seconds = time.process_time() - began
    sounding = [piece for piece in written if len(piece[0])]
    return {
        **{name: float(np.nanmean([SINGLE[figure](piece) for piece in sounding]))
           for name, figure in HEARD.items()},
        "notes": sum(len(notes) for notes, _ in written) / pieces,
        "notes_per_second": sum(len(notes) for notes, _ in written) / seconds,
    }  # fmt: skip


def draw(folders: dict[str, Path], path: Path) -> None:
    """Smoothed training loss against minutes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, folder in folders.items():
        rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        points, value, weight = [], 0.0, 0.0
        for row in (row for row in rows if "loss" in row):
            # batches differ in kind: the mean weighs by their ids
            value, weight = 0.9 * value + row["loss"] * row["ids"], 0.9 * weight + row["ids"]
            points.append((row["seconds"] / 60, value / weight))
        axes.plot(*zip(*points, strict=True), label=name)
    axes.set(xlabel="minutes", ylabel="training loss, nats an id (smoothed)")
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--choices", type=Path, default=HERE / "choices.json", help="Variants to train."
    )
    parser.add_argument("--base", help="Model to start from, where a variant names none.")
    parser.add_argument("--data", type=Path, default=Path("data"), help="Folder of prepared data.")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/ablation"), help="Folder for the runs."
    )
    parser.add_argument("--minutes", type=float, default=3.0, help="Processor minutes per variant.")
    parser.add_argument("--pieces", type=int, default=60, help="Pieces that each variant writes.")
    parser.add_argument("--only", nargs="*", help="Names of the variants to train; default: all.")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("runs/ablation/table"),
        help="Table and curves, without suffix.",
    )
    args = parser.parse_args()
    plan = json.loads(args.choices.read_text(encoding="utf-8"))
    data = Data.read(args.data)
    marks = dict(zip(("sketch", "score"), data.tokenizer.music_ids([SKETCH, SCORE]), strict=True))
    folders, rows = {}, {}
    for number, (name, changes) in enumerate(track(plan["variants"].items(), "variants")):
        if args.only and name not in args.only:
            continue
        spelling = type("Spelling", (Spelling,), changes.get("spelling", {}))
        config = read_json(HERE / plan["config"])
        config["training"] |= plan["training"] | changes.get("training", {})
        config["training"] |= {"hours": args.minutes / 60}
        config |= {"held_out": 4}
        config |= {k: plan[k] for k in ("base", "layers", "fills", "interleaved") if k in plan}
        config |= {"base": args.base} if args.base else {}
        config |= {k: v for k, v in changes.items() if k not in ("training", "spelling")}
        folders[name] = args.runs / f"{number:02}"
        result = folders[name] / "result.json"
        if not result.exists():
            captioner, chosen = Captioner(), checked(config, name)
            tokenizer = tokenizer_for(chosen, data.tokenizer, folders[name])
            batches = validation_batches(
                data.valid, tokenizer, captioner, plan["held_out"], spelling
            )
            run = start(chosen, data, folders[name], spelling=spelling)
            found = measured(run, batches, marks)
            model = run.accelerator.unwrap_model(run.model, keep_torch_compile=False)
            tonal = [w for w in data.valid if w.plan.programs != (DRUMS,)]
            examples = held_out_examples(tonal, tokenizer, captioner, spelling)
            found |= words(model, tokenizer) | heard(model, examples, args.pieces)
            result.write_text(json.dumps(found))
        rows[name] = json.loads(result.read_text())
    lines = [
        "| variant | steps | ids | ids/s | nats a plan id | nats a note: sketch | score | both |"
        " valence read | arousal read | " + " | ".join(HEARD) + " | notes/s |",
        "|---" * (11 + len(HEARD)) + "|",
    ]
    for name, row in rows.items():
        music = " | ".join(f"{row[figure]:.2f}" for figure in HEARD)
        lines.append(
            f"| {name} | {row['steps']:,} | {row['ids']:,} | {row['ids_per_second']:,.0f}"
            f" | {row['plan']:.3f} | {row['sketch']:.3f} | {row['score']:.3f}"
            f" | {row['sketch'] + row['score']:.3f} | {row['valence']:.3f} | {row['arousal']:.3f}"
            f" | {music} | {row['notes_per_second']:.0f} |"
        )
    table = "\n".join(lines)
    print(table)  # first, since it took hours
    write_text(args.output.with_suffix(".md"), table + "\n")
    draw(folders, args.output.with_suffix(".png"))


if __name__ == "__main__":
    sys.exit(ended(main, "ablate.py"))
