"""How a training run stands, in one line: python training/status.py RUN

Running or not, ids and hours so far, ids a second over the last hour and the share of it that the
model waited for data, held-out nats a note now, and their curve over the last day of training.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textmusic.errors import TextMusicError
from textmusic.learning.lock import is_held
from textmusic.system.scripts import ended

STEPS = "█▇▆▅▄▃▂▁"[::-1]


def status(folder: Path) -> str:
    """The line. Raises OSError where there is no log, ValueError where it holds no step."""
    log = (folder / "log.jsonl").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines()]
    steps = [row for row in rows if "ids" in row]
    if not steps:
        raise ValueError("no step yet")
    ids, now = sum(row["ids"] for row in steps), steps[-1]["seconds"]
    recent = [row for row in steps if row["seconds"] > now - 3600]
    span = now - max((r["seconds"] for r in steps if r["seconds"] <= now - 3600), default=0.0)
    speed = sum(row["ids"] for row in recent) / max(span, 1e-9)
    heard = [r for r in rows if "nats_per_note" in r and r["seconds"] > now - 24 * 3600]
    state = "running" if is_held(folder) else "not running"
    said = [
        f"{state}, step {steps[-1]['step']:,}", f"{ids:,} ids", f"{now / 3600:.1f} h",
        f"{speed:,.0f} ids/s over the last hour",
    ]  # fmt: skip
    if all("waited" in row for row in recent):
        said[-1] += f" ({sum(row['waited'] for row in recent) / max(span, 1e-9):.1%} waiting)"
    if heard:
        values = [row["nats_per_note"] for row in heard]
        said.append(f"{values[-1]:.2f} held-out nats a note  {spark(values)}")
    return " · ".join(said)


def spark(values: Sequence[float], width: int = 24) -> str:
    """A curve of at most `width` characters; the highest value is the highest block."""
    points = [values[i * len(values) // width] for i in range(width)][: len(values)]
    points = list(values) if len(values) <= width else [*points[:-1], values[-1]]
    low, high = min(points), max(points)
    return "".join(STEPS[round((p - low) / (high - low or 1) * (len(STEPS) - 1))] for p in points)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="Folder of a run.")
    args = parser.parse_args()
    try:
        print(status(args.run))
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise TextMusicError(
            f"'{args.run}' has no log of a run ({reason}); give the folder of a run."
        ) from None


if __name__ == "__main__":
    sys.exit(ended(main, "status.py"))
