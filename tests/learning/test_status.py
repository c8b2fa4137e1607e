"""training/status.py: one line about a run, from its log."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from textmusic.learning.lock import held

SCRIPT = Path(__file__).parents[2] / "training" / "status.py"


def said(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)], capture_output=True, text=True, check=False
    )


def write(folder: Path, rows: list[dict[str, float]]) -> Path:
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "log.jsonl"


def test_a_line_has_ids_hours_speed_and_the_held_out_curve(tmp_path: Path) -> None:
    rows: list[dict[str, float]] = [{"step": 0, "held_out": 5.0, "nats_per_note": 9, "seconds": 0}]
    for step in range(1, 5):  # an hour each; the last one at twice the speed
        ids = 7_200_000 if step == 4 else 3_600_000
        rows.append({"step": step, "loss": 4.0, "ids": ids, "seconds": 3600.0 * step})
    rows.append({"step": 4, "held_out": 3.0, "nats_per_note": 4.25, "seconds": 14400.0})
    write(tmp_path, rows)
    with held(tmp_path):
        line = said(tmp_path).stdout
    assert line.startswith("running, step 4 · 18,000,000 ids · 4.0 h · 2,000 ids/s")
    assert "4.25 held-out nats a note  █▁" in line
    assert said(tmp_path).stdout.startswith("not running, step 4")


def test_what_the_model_waited_is_a_share_of_the_hour(tmp_path: Path) -> None:
    rows = [
        {"step": step, "loss": 4.0, "ids": 1000, "seconds": 100.0 * step, "waited": 2.0}
        for step in range(1, 11)
    ]
    write(tmp_path, rows)
    assert "10 ids/s over the last hour (2.0% waiting)" in said(tmp_path).stdout


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    for rows in (None, []):
        if rows is not None:
            write(tmp_path, rows)
        done = said(tmp_path)
        assert done.returncode == 2 and "has no log of a run" in done.stderr
