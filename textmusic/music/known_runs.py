"""The runs of notes that a model was trained on, as fingerprints that ship with it.

Of the steps of each training piece's top line (`runs.moves`) every word of `WORD` is hashed, and of
any `WINDOW` words in a row the one with the smallest hash is kept (winnowing: Schleimer, Wilkerson
& Aiken 2003, "Winnowing: local algorithms for document fingerprinting", SIGMOD). So of whatever run
of `WORD + WINDOW - 1` steps a new piece shares with a training piece, both keep the same
fingerprint. The notes themselves are not there: how long a run is, is told from the fingerprints in
a row that one and the same tune has, and can be a few notes off. `runs.Repertoire` counts exactly,
with all notes at hand.

Words of fewer than three different steps (one note or a scale, over and over) are left out.
training/index.py writes the file; a model without one says nothing of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from textmusic.errors import TextMusicError
from textmusic.music.notes import Notes, top_line
from textmusic.music.runs import moves, run_hashes

FILE = "known_runs.safetensors"  # in a model folder
FORMAT = 1
WORD = 6  # steps
WINDOW = 9  # words
DIFFERENT = 3  # steps of a word that have to differ
APART = 16  # steps between fingerprints of one run; more lie apart only where a run says little
NOTES = 2  # more notes than steps in a run: two lead into the first
FEWEST_NOTES = WORD + WINDOW - 1 + NOTES  # of a run that is never missed
_NONE = np.uint64(0xFFFFFFFFFFFFFFFF)
_BUCKETS = 1 << 16
Places = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class KnownRun:
    """The longest run of a piece that a training tune has, too.

    notes: about how many, 0: shorter than can be seen. begin, end: of the run, quarter notes.
    tune: a piece that has it. share: of real pieces that were kept back from training, how many (0
    to 1) share as long a run or a longer one.
    """

    notes: int
    begin: float
    end: float
    tune: str
    share: float


def fingerprints(line: Places) -> tuple[Places, Hashes]:
    """(place of the first step, 64-bit hash) of the words of a line that are kept, in order."""
    if len(line) < WORD:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
    hashes = run_hashes(line, WORD)
    words = np.sort(sliding_window_view(line, WORD), axis=1)
    plain = 1 + (np.diff(words, axis=1) != 0).sum(axis=1) < DIFFERENT
    hashes[plain] = _NONE
    if len(hashes) < WINDOW:
        hashes = np.concatenate([hashes, np.full(WINDOW - len(hashes), _NONE)])
    windows = sliding_window_view(hashes, WINDOW)
    last = WINDOW - 1 - windows[:, ::-1].argmin(axis=1)  # of equal ones the last
    places = np.unique(np.arange(len(windows)) + last)
    places = places[hashes[places] != _NONE]
    return places, hashes[places]


class KnownRuns:
    """Fingerprints, and the tunes that each is of."""

    def __init__(
        self, begins: Places, rest: NDArray[np.uint16], tune: NDArray[np.uint16], said: bytes
    ) -> None:
        """begins: (65,537,) where the fingerprints of each upper half of a hash begin. rest, tune:
        (N,) the lower half and the number of a tune. said: JSON of names and shares.
        """
        self._begins, self._rest, self._tune, self._said = begins, rest, tune, said

    def __len__(self) -> int:
        return len(self._rest)

    @classmethod
    def of(
        cls, lines: Iterable[tuple[int, Places]], tunes: Sequence[str], shares: Sequence[float] = ()
    ) -> KnownRuns:
        """The fingerprints of lines. lines: (number of the tune, its steps). tunes: their names.

        shares: see `with_shares`.
        """
        kept = [_numbers(number, line) for number, line in lines]
        both = np.unique(np.concatenate([np.zeros(0, dtype=np.uint64), *kept]))
        upper = (both >> np.uint64(32)).astype(np.int64)
        begins = np.searchsorted(upper, np.arange(_BUCKETS + 1))
        rest = ((both >> np.uint64(16)) & np.uint64(0xFFFF)).astype(np.uint16)
        tune = (both & np.uint64(0xFFFF)).astype(np.uint16)
        return cls(begins, rest, tune, _blob(tunes, shares))

    def with_shares(self, shares: Sequence[float]) -> KnownRuns:
        """The same with what is usual: shares[n] of real pieces share a run of n notes or more."""
        return KnownRuns(self._begins, self._rest, self._tune, _blob(self._about[0], shares))

    @cached_property
    def _about(self) -> tuple[list[str], list[float]]:
        said = json.loads(self._said)
        return said["tunes"], said["shares"]

    def longest(self, notes: Notes) -> KnownRun:
        """The longest run of a piece's top line that a training tune has, too."""
        places, hashes = fingerprints(moves(notes))
        first, last, tune = self._chained(places, hashes)
        if tune < 0:
            return KnownRun(0, 0.0, 0.0, "", self._share(0))
        line = top_line(notes)
        steps = last + WORD - first
        # step n leads from note n + 1 to note n + 2, in proportion to the step before
        begin, end = float(line[first, 0]), float(line[last + WORD + 1, 0])
        return KnownRun(steps + NOTES, begin, end, self._about[0][tune], self._share(steps + NOTES))

    def _share(self, notes: int) -> float:
        shares = self._about[1]
        return shares[min(notes, len(shares) - 1)] if shares else 1.0

    def _chained(self, places: Places, hashes: Hashes) -> tuple[int, int, int]:
        """(first, last place, tune) of the longest row of fingerprints of a tune; -1 for none."""
        best = (0, -1, -1)
        going: dict[int, tuple[int, int]] = {}  # tune -> (first place, last place)
        for place, value in zip(places.tolist(), hashes.tolist(), strict=True):
            now: dict[int, tuple[int, int]] = {}
            for tune in self._tunes_with(value):
                first, before = going.get(tune, (place, place))
                if place - before > APART:
                    first = place
                now[tune] = (first, place)
                if place - first > best[1] - best[0]:
                    best = (first, place, tune)
            going = now
        return best

    def _tunes_with(self, value: int) -> list[int]:
        bucket = value >> 48
        low, high = self._begins[bucket], self._begins[bucket + 1]
        same = self._rest[low:high] == np.uint16((value >> 32) & 0xFFFF)
        return self._tune[low:high][same].tolist()  # type: ignore[no-any-return]

    def save(self, path: Path) -> None:
        """Write it."""
        from safetensors.numpy import save_file

        columns = {
            "format": np.array([FORMAT], dtype=np.uint8),
            "counts": np.diff(self._begins).astype(np.uint16),
            "rest": self._rest,
            "tune": self._tune,
            "said": np.frombuffer(self._said, dtype=np.uint8),
        }
        save_file(columns, str(path))

    @classmethod
    def load(cls, path: Path) -> KnownRuns:
        """Inverse of `save`. Raises TextMusicError where it is broken, or of another version."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            data = load_file(str(path))
            begins = np.concatenate([[0], np.cumsum(data["counts"], dtype=np.int64)])
            fits = len(begins) == _BUCKETS + 1 and begins[-1] == len(data["rest"])
            if data["format"].tolist() != [FORMAT] or not fits:
                raise ValueError("another format")
            if len(data["tune"]) != len(data["rest"]):
                raise ValueError("its parts do not fit together")
            known = cls(begins, data["rest"], data["tune"], data["said"].tobytes())
            if len(known) and int(known._tune.max()) >= len(known._about[0]):
                raise ValueError("a tune has no name")
        except (SafetensorError, OSError, ValueError, LookupError, TypeError) as problem:
            raise TextMusicError(
                f"'{path}' can't be used ({problem}); delete it, or fetch the model again."
            ) from None
        return known


def _numbers(tune: int, line: Places) -> Hashes:
    """32 bits of each fingerprint's hash, and the tune's 16."""
    _, hashes = fingerprints(line)
    return (hashes >> np.uint64(32) << np.uint64(16)) | np.uint64(tune)


def _blob(tunes: Sequence[str], shares: Sequence[float]) -> bytes:
    said = {"tunes": list(tunes), "shares": list(shares)}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def known_runs(folder: Path) -> KnownRuns | None:
    """The fingerprints of a model folder, read once; None where it has none."""
    for place in (folder, folder.parent):  # a model below another's folder shares its file
        if (place / FILE).is_file():
            return KnownRuns.load(place / FILE)
    return None
