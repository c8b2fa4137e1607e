"""The loss curve of a run."""

from __future__ import annotations

import json
from pathlib import Path


def draw(log: Path, picture: Path, unit: str) -> None:
    """Training and held-out loss of a log.jsonl against steps, as PNG. unit: of the loss."""
    from matplotlib.figure import Figure

    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    losses = [(r["step"], r["loss"]) for r in rows if "loss" in r]
    smooth, value = [], losses[0][1]
    for _, loss in losses:
        value = 0.95 * value + 0.05 * loss
        smooth.append(value)
    axes.plot([s for s, _ in losses], smooth, label="training (smoothed)")
    held = [(r["step"], r["held_out"]) for r in rows if "held_out" in r]
    axes.plot([s for s, _ in held], [v for _, v in held], "o-", label="held out")
    axes.set(xlabel="step", ylabel=f"loss, {unit}")
    axes.legend()
    figure.savefig(picture, dpi=110)
