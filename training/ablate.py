"""Short runs at equal compute, one choice changed in each: python training/ablate.py --base BASE

Every variant of training/configs/ablation.json trains for the same minutes on the same machine, its
schedule bent to end there, and is then measured on the same validation windows: nats a plan id
(what it reads out of words) and nats a score id (music). Writes a table and the curves beside it.
Runs that are done are not repeated.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from rich.progress import track
from torch.nn import functional as F

from textmusic.caption import Captioner
from textmusic.learning.dataset import IGNORED
from textmusic.learning.recipe import Data, read_config, start, validation_batches
from textmusic.learning.trainer import Run
from textmusic.models.llm import MusicLLM
from textmusic.tokenizer import SCORE

HERE = Path(__file__).parent / "configs"


@torch.no_grad()
def nats(model: MusicLLM, batches: list[dict[str, Any]], score: int) -> dict[str, float]:
    """Nats per plan id and per score id. score: the music id that stands between the two."""
    total = {"plan": 0.0, "score": 0.0}
    count = {"plan": 0, "score": 0}
    for batch in batches:
        ids, labels = torch.from_numpy(batch["ids"]), torch.from_numpy(batch["labels"])
        losses = F.cross_entropy(
            model.logits(ids).flatten(0, 1), labels.flatten(), ignore_index=IGNORED,
            reduction="none",
        ).view(labels.shape)  # fmt: skip
        behind = (ids == score + model.offset).cumsum(dim=1).bool()
        for part, places in (("plan", ~behind), ("score", behind)):
            places = places & (labels != IGNORED)
            total[part] += float(losses[places].sum())
            count[part] += int(places.sum())
    return {part: total[part] / count[part] for part in total}


def measured(run: Run, batches: list[dict[str, Any]], score: int) -> dict[str, Any]:
    """Train to the end; what came out of it."""
    run.train()
    model = run.accelerator.unwrap_model(run.model).eval()
    rows = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    ids = sum(row.get("ids", 0) for row in rows)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {
        **nats(model, batches, score),
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
    batches = validation_batches(data.valid, data.tokenizer, Captioner(), plan["held_out"])
    (score,) = data.tokenizer.music_ids([SCORE])
    folders, rows = {}, {}
    for number, (name, changes) in enumerate(track(plan["variants"].items(), "variants")):
        if args.only and name not in args.only:
            continue
        config = read_config(
            HERE / plan["config"],
            **plan["training"] | changes.get("training", {}) | {"hours": args.minutes / 60},
        )
        config |= {"held_out": 4} | {k: v for k, v in changes.items() if k != "training"}
        config |= {"base": args.base} if args.base else {}
        folders[name] = args.runs / f"{number:02}"
        result = folders[name] / "result.json"
        if not result.exists():
            figures = measured(start(config, data, folders[name]), batches, score)
            result.write_text(json.dumps(figures))
        rows[name] = json.loads(result.read_text())
    lines = [
        f"| variant | trained weights | steps | ids | ids/s | nats a plan id | nats a score id |"
        f"\n|{'---|' * 7}"
    ]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {row['trained'] / 1e6:.1f} M | {row['steps']:,} | {row['ids']:,}"
            f" | {row['ids_per_second']:,.0f} | {row['plan']:.3f} | {row['score']:.3f} |"
        )
    table = "\n".join(lines)
    args.output.with_suffix(".md").write_text(table + "\n", encoding="utf-8")
    draw(folders, args.output.with_suffix(".png"))
    print(table)


if __name__ == "__main__":
    main()
