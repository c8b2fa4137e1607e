"""The pieces of a library in one file: arrays and JSON as safetensors, nothing to unpickle."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textmusic.errors import TextMusicError
from textmusic.library.features import DIMENSIONS
from textmusic.library.lines import Lines, joined
from textmusic.library.portrait import Facts, Portrait
from textmusic.system.whole_files import whole_file

FORMAT = 1  # raise it when the same pieces would give another index


@dataclass(frozen=True, slots=True)
class Index:
    """Pieces, each at the same place of all columns.

    stamps: change where a file has. vectors: (pieces, 256). lines: see `Lines`. chords: half bars
    of all pieces, those of piece i in [chords_begin[i], chords_begin[i + 1]). refused: what could
    not be read: name -> (stamp, why).
    """

    facts: tuple[Facts, ...] = ()
    stamps: tuple[str, ...] = ()
    vectors: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((0, DIMENSIONS), np.float32)
    )
    lines: Lines = field(default_factory=lambda: joined([]))
    chords: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    chords_begin: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.facts)

    def __iter__(self) -> Iterator[Portrait]:
        return map(self.portrait, range(len(self)))

    def portrait(self, number: int) -> Portrait:
        """One of its pieces."""
        chords = self.chords[self.chords_begin[number] : self.chords_begin[number + 1]]
        return Portrait(
            self.facts[number], self.vectors[number], self.lines.of_piece(number), chords
        )

    @staticmethod
    def of(
        portraits: Sequence[Portrait],
        stamps: Sequence[str] | None = None,
        refused: Mapping[str, tuple[str, str]] | None = None,
    ) -> Index:
        """The index of some pieces. stamps: of their files; by default none."""
        sizes = [len(p.chords) for p in portraits]
        vectors = [p.vector for p in portraits]
        return Index(
            tuple(p.facts for p in portraits),
            tuple(stamps if stamps is not None else [""] * len(portraits)),
            np.stack(vectors) if vectors else np.zeros((0, DIMENSIONS), np.float32),
            joined([p.lines for p in portraits]),
            np.concatenate([np.zeros(0, np.int8), *(p.chords for p in portraits)]),
            np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64),
            dict(refused or {}),
        )

    def save(self, path: Path) -> None:
        """Write it, whole or not at all. Raises TextMusicError where it can't be written."""
        from safetensors.numpy import save_file

        rows = [
            [stamp, *facts.to_row()] for stamp, facts in zip(self.stamps, self.facts, strict=True)
        ]
        said = {"format": FORMAT, "pieces": rows, "refused": self.refused}
        blob = json.dumps(said, ensure_ascii=True, separators=(",", ":")).encode()
        columns = {
            "said": np.frombuffer(blob, dtype=np.uint8),
            "vectors": self.vectors.astype(np.float16),
            "pitch": self.lines.pitch, "onset": self.lines.onset, "begin": self.lines.begin,
            "program": self.lines.program, "piece": self.lines.piece,
            "chords": self.chords, "chords_begin": self.chords_begin,
        }  # fmt: skip
        with whole_file(path) as partial:
            save_file(columns, str(partial))

    @staticmethod
    def load(path: Path) -> Index:
        """Inverse of `save`. Raises TextMusicError where the file is none of ours, or broken."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            data = load_file(str(path))
            said = json.loads(data["said"].tobytes())
            if said["format"] != FORMAT:
                raise ValueError("another format")
            lines = Lines(*(data[n] for n in ("pitch", "onset", "begin", "program", "piece")))
            index = Index(
                tuple(Facts.from_row(row[1:]) for row in said["pieces"]),
                tuple(row[0] for row in said["pieces"]),
                data["vectors"].astype(np.float32), lines, data["chords"], data["chords_begin"],
                {name: (stamp, why) for name, (stamp, why) in said["refused"].items()},
            )  # fmt: skip
            index.check()
        except (SafetensorError, OSError, ValueError, LookupError, TypeError) as problem:
            raise TextMusicError(
                f"the index '{path}' can't be used ({problem}); delete it to have it made again."
            ) from None
        return index

    def check(self) -> None:
        """Raise ValueError unless all columns fit together."""
        lines, n = self.lines, len(self.facts)
        whole = (
            self.vectors.shape == (n, DIMENSIONS)
            and len(lines.pitch) == len(lines.onset) == int(lines.begin[-1])
            and len(lines.begin) == len(lines.program) + 1 == len(lines.piece) + 1
            and bool((np.diff(lines.begin) >= 0).all() and (np.diff(lines.piece) >= 0).all())
            and (not len(lines.piece) or 0 <= lines.piece[0] <= lines.piece[-1] < n)
            and len(self.chords_begin) == n + 1
            and bool((np.diff(self.chords_begin) >= 0).all())
            and int(self.chords_begin[-1]) == len(self.chords)
        )
        if not whole:
            raise ValueError("its parts do not fit together")
