"""Write what is usual in each genre: python training/usual.py CORPORA (or data/ when prepared)

Of prepared data the training windows are read; of a folder of corpora all windows, cut in the same
way, but without their ids, which takes minutes rather than an hour. The outcome is
textmusic/data/usual.json; what it holds and how it is used: `textmusic.music.usual`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textmusic.corpus.cutting import windows_of_score
from textmusic.corpus.pieces import corpus_jobs
from textmusic.corpus.preparation import LONGEST_WINDOW
from textmusic.corpus.windows import Window, read_windows
from textmusic.errors import TextMusicError
from textmusic.learning.config_files import read_config
from textmusic.music.plan import GENRES
from textmusic.music.usual import THIN, Seen, Usual, measured
from textmusic.system.scripts import ended
from textmusic.system.whole_files import write_text
from textmusic.tokens.tokenizer import Tokenizer

HERE = Path(__file__).parent
OUTPUT = HERE.parent / "textmusic" / "data" / "usual.json"


class NoIds(Tokenizer):
    """Stands for a tokenizer where nobody asks for the ids."""

    def __init__(self) -> None:
        """No folder is needed."""

    def encode_score(self, *_: Any, **__: Any) -> list[int]:
        """None."""
        return []

    def encode_sketch(self, *_: Any, **__: Any) -> list[int]:
        """None."""
        return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="Folder of prepared data, or of corpora.")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT, help="File to write.")
    parser.add_argument(
        "--mix",
        type=Path,
        default=HERE / "configs" / "cpu.json",
        help="Training config with the weights of the sources.",
    )
    args = parser.parse_args()
    mix = read_config(args.mix).mix or {}
    prepared = args.data / "train.parquet"
    found = read_windows(prepared) if prepared.exists() else list(windows(args.data, mix))
    write_text(args.output, written(tables(found, mix)))


def windows(corpora: Path, mix: dict[str, float]) -> Iterator[Window]:
    """The windows of the corpora that a mix names."""
    from symusic import Score

    from textmusic.corpus.metadata import read_midi

    for source in mix:
        if not (corpora / source).is_dir():
            raise TextMusicError(
                f"'{corpora / source}' is missing; give the folder that has all corpora."
            )
        for job in corpus_jobs(corpora / source):
            assert job.row is not None
            score = Score.from_midi(read_midi(corpora / source, job.row["id"]))
            yield from windows_of_score(job.row, score, source, job.own, NoIds(), LONGEST_WINDOW)[0]


def tables(found: list[Window], mix: dict[str, float]) -> dict[str, Usual]:
    """By genre, and "all" music. mix: weights of the sources, 1 where it names none."""
    many = Counter(window.source for window in found)
    seen = [
        Seen(f"{w.source}/{w.piece}", w.genres, w.plan, mix.get(w.source, 1) / many[w.source])
        for w in found
    ]
    made = {"all": measured(seen, None)}
    for genre in GENRES:
        if own := [window for window in seen if genre in window.genres]:
            made[genre] = measured(own, genre)
    thin = [g for g in GENRES if g not in made or made[g].pieces < THIN]
    print(f"{len(seen):,} windows; too few pieces, so as all music: {', '.join(thin) or 'none'}")
    return made


def written(made: dict[str, Usual]) -> str:
    """JSON with a line for each field."""
    genres = []
    for genre, usual in made.items():
        fields = [f'  "{name}": {json.dumps(value)}' for name, value in usual.to_dict().items()]
        genres.append(f' "{genre}": {{\n' + ",\n".join(fields) + "\n }")
    return "{\n" + ",\n".join(genres) + "\n}\n"


if __name__ == "__main__":
    sys.exit(ended(main, "usual.py"))
