"""How far the packed sounds are from the original soundfont, on the same files.

python benchmarks/packed.py FluidR3Mono_GM.sf3 docs/gallery/*.mid
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from synthesizers import apart


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("original", type=Path, help="FluidR3Mono_GM.sf3, 24 MB")
    parser.add_argument("files", nargs="+", type=Path)
    asked = parser.parse_args()
    from symusic import Score

    from textmusic.sound.render import render

    rows = []
    for path in asked.files:
        score = Score(path).to("second").clip(0.0, 20.0)
        packed, original = (
            render(score, soundfont=font, dry=True) for font in (None, asked.original)
        )
        rows.append(apart(packed, original))
        print(path.name, {key: round(value, 2) for key, value in rows[-1].items()}, file=sys.stderr)
    for key in ("spectrum", "envelope"):
        values = np.array([row[key] for row in rows])
        print(f"{key}: {np.median(values):.2f} dB, at most {values.max():.2f}")


if __name__ == "__main__":
    main()
