"""Loudness, peaks and ends of many pieces as the product renders them.

    python benchmarks/levels.py docs/gallery/*.mid

Loudness is measured with pyloudnorm, true peaks by resampling with scipy: neither is the product's.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

RATE = 44100
LIVE_BARS = 2.0  # seconds that stand for a first bar


def figures(audio: Any) -> dict[str, float]:
    """Of (2, samples): LUFS of all and of its beginning, dBTP, samples at full scale, the end."""
    import pyloudnorm
    from scipy.signal import resample_poly

    meter = pyloudnorm.Meter(RATE)
    first = audio[:, : round(LIVE_BARS * RATE)]
    peak = max(
        float(np.abs(resample_poly(audio[:, max(k - 100, 0) : k + RATE], 8, 1, axis=1)).max())
        for k in range(0, audio.shape[1], RATE)
    )
    return {
        "loudness": float(meter.integrated_loudness(audio.T)),
        "peak": float(20 * np.log10(peak)),
        "first": float(meter.integrated_loudness(first.T)),
        "clipped": float((np.abs(audio) >= 1).sum()),
        "end": float(np.abs(audio[:, -1]).max()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0, help="how much of each; default 30")
    parser.add_argument(
        "--json", type=Path, help="keep figures of each file; a run goes on where it stopped"
    )
    asked = parser.parse_args()
    from symusic import Score

    from textmusic.sound.render import render

    rows = json.loads(asked.json.read_bytes()) if asked.json and asked.json.exists() else {}
    for path in asked.files:
        if path.name in rows:
            continue
        try:
            score = Score(path).to("second").clip(0.0, asked.seconds)
            rows[path.name] = figures(render(score))
        except Exception as problem:
            print(f"{path.name}: {problem!r:.200}", file=sys.stderr)
        if asked.json:
            asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(f"{len(rows)} pieces")
    for name in ("loudness", "peak", "first", "clipped", "end"):
        values = np.array([row[name] for row in rows.values()])
        lowest, middle, highest = np.percentile(values, [0, 50, 100])
        inner = np.percentile(values, [5, 95])
        print(
            f"{name}: {lowest:.2f} .. {middle:.2f} .. {highest:.2f}; 90 % within"
            f" {inner[0]:.2f} .. {inner[1]:.2f}"
        )


if __name__ == "__main__":
    main()
