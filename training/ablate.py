"""Short runs at equal compute, one choice changed in each: python training/ablate.py --base BASE

Every variant of training/configs/ablation.json trains for the same minutes on the same machine, its
schedule bent to end there, and is then measured on the same validation windows: nats a plan id
(what it reads out of words), and nats a note of the sketch and of the score. Writes a table and the
curves beside it. Runs that are done are not repeated.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch.nn import functional as F

from textmusic.caption import Captioner
from textmusic.learning.dataset import IGNORED, Example, Examples
from textmusic.learning.recipe import Data, read_config, start, validation_batches
from textmusic.learning.trainer import Run
from textmusic.models.llm import MusicLLM
from textmusic.plan import Plan
from textmusic.tokenizer import SCORE, SKETCH

HERE = Path(__file__).parent / "configs"


class Spelling(Examples):
    """Examples whose sequence lacks a part of the format, or has one more.

    running: velocity and duration where they change only. sketch: the sketch before the score.
    again: each row of it said once more behind its bar's line in the score.
    """

    running, sketch, again = True, True, False

    def join(
        self,
        caption: str,
        plan: Plan,
        sketch: Sequence[int] | None = None,
        score: NDArray[np.int64] | None = None,
    ) -> Example:
        """Caption, plan and what the spelling has of the rest."""
        vocabulary = self.tokenizer.vocabulary
        if score is None:
            return super().join(caption, plan, sketch)
        tokens = [vocabulary[i] for i in score]
        rows = rows_of([vocabulary[i] for i in sketch or ()])
        if not self.running:
            tokens = said_in_full(tokens)
        if self.again:
            tokens = [t for token in tokens for t in (token, *rows.get(token, ()))]
        ids = np.array(self.tokenizer.music_ids(tokens))
        example = super().join(caption, plan, sketch if self.sketch else [], ids)
        if self.again:  # they are known: no loss falls on them
            said = set(self.tokenizer.music_ids([t for row in rows.values() for t in row]))
            first = len(example.ids) - len(ids)
            hidden = np.isin(example.labels, list(said)) & (np.arange(len(example.ids)) >= first)
            example.labels[hidden] = IGNORED
        return replace(example, notes=sum(t.startswith("Pitch") for t in tokens))


def rows_of(sketch: Sequence[str]) -> dict[str, list[str]]:
    """The tokens of each row of a sketch, by its bar's token."""
    rows: dict[str, list[str]] = {}
    bar = ""
    for token in sketch:
        if token.startswith("Bar_"):
            bar = token
            rows[bar] = []
        else:
            rows[bar].append(token)
    return rows


def said_in_full(tokens: Sequence[str]) -> list[str]:
    """A score in which every note says its velocity and its duration, behind its pitch."""
    full: list[str] = []
    running: dict[str, dict[str, str]] = {}
    program = ""
    for token in tokens:
        kind = token.partition("_")[0]
        if kind in ("Velocity", "Duration"):
            running.setdefault(program, {})[kind] = token
            continue
        if kind == "Program":
            program = token
        full.append(token)
        if kind in ("Pitch", "PitchDrum"):
            full += (running[program]["Velocity"], running[program]["Duration"])
    return full


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


def measured(run: Run, batches: list[dict[str, Any]], marks: dict[str, int]) -> dict[str, Any]:
    """Train to the end; what came out of it."""
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
    parser.add_argument("--base", help="LLM to begin with: Hub id or folder")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--minutes", type=float, default=3.0, help="of each variant")
    parser.add_argument("--only", nargs="*", help="variants, by name")
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/ablation"))
    args = parser.parse_args()
    plan = json.loads((HERE / "ablation.json").read_text(encoding="utf-8"))
    data = Data.read(args.data)
    marks = dict(zip(("sketch", "score"), data.tokenizer.music_ids([SKETCH, SCORE]), strict=True))
    folders, rows = {}, {}
    for number, (name, changes) in enumerate(track(plan["variants"].items(), "variants")):
        if args.only and name not in args.only:
            continue
        spelling = type("Spelling", (Spelling,), changes.get("spelling", {}))
        config = read_config(
            HERE / plan["config"],
            **plan["training"] | changes.get("training", {}) | {"hours": args.minutes / 60},
        )
        config |= {"held_out": 4, "fills": 0.0}
        config |= {k: v for k, v in changes.items() if k not in ("training", "spelling")}
        config |= {"base": args.base} if args.base else {}
        folders[name] = args.runs / f"{number:02}"
        result = folders[name] / "result.json"
        if not result.exists():
            batches = validation_batches(
                data.valid, data.tokenizer, Captioner(), plan["held_out"], spelling
            )
            run = start(config, data, folders[name], spelling=spelling)
            result.write_text(json.dumps(measured(run, batches, marks)))
        rows[name] = json.loads(result.read_text())
    lines = [
        "| variant | steps | ids | ids/s | nats a plan id | nats a note: sketch | score | both |"
        f"\n|{'---|' * 8}"
    ]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {row['steps']:,} | {row['ids']:,} | {row['ids_per_second']:,.0f}"
            f" | {row['plan']:.3f} | {row['sketch']:.3f} | {row['score']:.3f}"
            f" | {row['sketch'] + row['score']:.3f} |"
        )
    table = "\n".join(lines)
    args.output.with_suffix(".md").write_text(table + "\n", encoding="utf-8")
    draw(folders, args.output.with_suffix(".png"))
    print(table)


if __name__ == "__main__":
    main()
