"""Pieces as they sounded before and as they sound now, beside real performances.

    python benchmarks/performances.py docs/gallery/*.mid --real REAL.mid

Before: as written, TimGM6mb, no reverb. Now: performed, the bundled sounds, reverb. --real: files
of people's performances, rendered as now. Loudness and its range are measured with pyloudnorm.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from synthesizers import RATE, timgm6mb

COLUMNS = ("loudness", "range", "peak", "centroid", "velocities", "spread", "seconds")
HEAD = (
    "| piece | | LUFS | loudness range, LU | peak, dB | centre of the spectrum, Hz | velocities,"
    " different | their standard deviation | s |\n|---|---|---|---|---|---|---|---|---|"
)


def figures(audio: Any, score: Any) -> dict[str, float]:
    """Of a rendering (2, samples) and of the score that it renders."""
    import pyloudnorm

    meter = pyloudnorm.Meter(RATE)
    mono = audio.mean(axis=0)
    power = np.abs(np.fft.rfft(mono)) ** 2
    hertz = np.fft.rfftfreq(len(mono), 1 / RATE)
    velocity = np.array([note.velocity for track in score.tracks for note in track.notes])
    return {
        "loudness": float(meter.integrated_loudness(audio.T)),
        "range": float(meter.loudness_range(audio.T)),
        "peak": float(20 * np.log10(np.abs(audio).max())),
        "centroid": float((hertz * power).sum() / power.sum()),
        "velocities": float(len(np.unique(velocity))),
        "spread": float(velocity.std()),
        "seconds": audio.shape[1] / RATE,
    }


def before_and_now(midi: Path) -> dict[str, dict[str, float]]:
    """A piece of textmusic, in both ways."""
    from dataclasses import replace

    from textmusic.result.reopening import recipe_in, reopened

    recipe = recipe_in(midi)
    assert recipe is not None
    piece = reopened(midi, recipe)
    piece = replace(piece, plan=replace(piece.plan, genre=recipe.asked.genre))
    played = piece.performed()
    return {
        "before": figures(piece.audio(timgm6mb(), dry=True), piece.score),
        "now": figures(played.audio(), played.played),
    }


def real(midi: Path) -> dict[str, dict[str, float]]:
    """A person's performance."""
    from symusic import Score

    from textmusic.sound.render import render

    score = Score(midi)
    return {"real": figures(render(score), score)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="MIDI files that textmusic wrote")
    parser.add_argument("--real", nargs="*", type=Path, default=[], help="people's performances")
    parser.add_argument("--json", type=Path, help="keep figures; a run goes on where it stopped")
    asked = parser.parse_args()
    rows = json.loads(asked.json.read_bytes()) if asked.json and asked.json.exists() else {}
    for made, paths in ((before_and_now, asked.files), (real, asked.real)):
        for path in paths:
            if path.stem not in rows:
                rows[path.stem] = made(path)
                print(path.stem, file=sys.stderr)
                if asked.json:
                    asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(HEAD)
    for name, ways in rows.items():
        for way, row in ways.items():
            print(f"| {name} | {way} | " + " | ".join(_said(row, key) for key in COLUMNS) + " |")


def _said(row: dict[str, float], key: str) -> str:
    return f"{row[key]:.0f}" if key in ("centroid", "velocities") else f"{row[key]:.1f}"


if __name__ == "__main__":
    main()
