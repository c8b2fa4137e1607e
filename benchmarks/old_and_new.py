"""Pairs for `textmusic listen`: the same pieces as they sounded before, and as they sound now.

    python benchmarks/old_and_new.py -o pairs

Before: as written, TimGM6mb, no reverb. Now: performed, the bundled sounds, reverb. Both have one
loudness, so that nobody takes the louder one for the better one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from synthesizers import timgm6mb

HERE = Path(__file__).parent
KINDS = ("mid", "json", "wav")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prompts", nargs="?", type=Path, default=HERE / "sound_prompts.txt")
    parser.add_argument("-o", "--out", type=Path, default=Path("pairs"))
    parser.add_argument("--model", help="default: the bundled one")
    asked = parser.parse_args()
    from textmusic import TextToMusic

    music = TextToMusic.from_pretrained(asked.model)
    texts = asked.prompts.read_text(encoding="utf-8").split("\n")
    prompts = [(music.understand(text), n) for n, text in enumerate(filter(None, texts), 1)]
    for place, piece in music.complete(iter(prompts)):
        name = f"{place + 1:04}"
        piece.save(
            asked.out / "old", formats=KINDS, stem=name, soundfont=timgm6mb(), dry=True,
            performance=0,
        )  # fmt: skip
        piece.save(asked.out / "new", formats=KINDS, stem=name)
        print(f"{name} {piece.prompt.text}", file=sys.stderr)
    old, new = asked.out / "old", asked.out / "new"
    print(f"textmusic listen {asked.prompts} --answers {old} --answers {new}")


if __name__ == "__main__":
    main()
