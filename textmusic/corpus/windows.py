"""Windows, which are stretches of pieces ready for training, and their parquet files."""

from __future__ import annotations

import random
import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textmusic.errors import TextMusicError
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS
from textmusic.music.usual import counts
from textmusic.system.whole_files import whole_file

# Licences that ask for attribution at most; no share-alike ones.
PERMISSIVE = re.compile(
    r"(?:CC0|PD|public domain|CC-BY-?[\d.]*|MIT|BSD)(?:$|[-\s(,;])(?!SA|NC|ND)", re.I
)


_IDS = ("sketch", "ids")  # columns of music ids


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of whole bars of one piece, with what it is and its music ids."""

    piece: str
    source: str
    group: str  # pieces that share a tune share the group, and so the split
    licence: str
    genres: tuple[str, ...]
    plan: Plan  # genre left open: drawn from `genres` when an example is made
    sketch: array[int]  # music ids, as all keys have them; see `music_ids`
    ids: array[int]  # of the score
    texts: tuple[str, ...] = ()  # a person's own descriptions that are true of this stretch


def music_ids(ids: Iterable[int]) -> array[int]:
    """Music ids as windows hold them: 16 bits each, for a corpus has 40 million."""
    return array("H", ids)


def window_table(windows: Sequence[Window]) -> Any:
    """Windows as a pyarrow table; ids are 16-bit integers."""
    import pyarrow as pa

    text, texts, number, mark = pa.string(), pa.list_(pa.string()), pa.int64(), pa.bool_()
    plan = pa.struct(
        [("genre", text), ("valence", number), ("arousal", number), ("programs", pa.list_(number)),
         ("key", text), ("tempo", pa.float64()), ("time_signature", text), ("bars", number),
         ("density", number), ("begin", mark), ("end", mark)]
    )  # fmt: skip
    # named, and not guessed from the rows: a file without a window has its columns too
    schema = pa.schema(
        [("piece", text), ("source", text), ("group", text), ("licence", text), ("genres", texts),
         ("plan", plan), ("texts", texts), *((name, pa.list_(pa.uint16())) for name in _IDS)]
    )  # fmt: skip
    columns: dict[str, Any] = {
        name: [getattr(window, name) for window in windows] for name in schema.names
    }
    columns["plan"] = [asdict(plan) for plan in columns["plan"]]
    for name in _IDS:
        ids = [np.asarray(each, dtype=np.uint16) for each in columns[name]]
        ends = np.cumsum([0, *map(len, ids)], dtype=np.int32)
        flat = np.concatenate([*ids, np.zeros(0, np.uint16)])
        columns[name] = pa.ListArray.from_arrays(pa.array(ends), pa.array(flat))
    return pa.table(columns, schema=schema)


def write_windows(windows: Sequence[Window], path: Path) -> None:
    """Windows as a parquet file, which appears when it is whole."""
    import pyarrow.parquet as pq

    with whole_file(path) as partial:
        pq.write_table(window_table(windows), partial, compression="zstd")


def read_windows(path: Path) -> list[Window]:
    """The windows of a parquet file written by `write_windows`."""
    if not path.exists():
        raise TextMusicError(f"'{path}' does not exist; make it with textmusic prepare.")
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    if "sketch" not in table.column_names:
        raise TextMusicError(
            f"'{path}' was made by an older textmusic; make it again with textmusic prepare."
        )
    # 40 million ids as Python integers would take gigabytes: they stay 16-bit
    ids = {name: _lists(table.column(name).combine_chunks()) for name in _IDS}
    windows = []
    for number, row in enumerate(table.drop_columns(list(_IDS)).to_pylist()):
        plan = {**row.pop("plan")}
        plan["programs"] = tuple(plan["programs"])
        row["genres"] = tuple(row["genres"])
        row["texts"] = tuple(row.get("texts") or ())  # older files have none
        row |= {name: array("H", each[number].tobytes()) for name, each in ids.items()}
        windows.append(Window(plan=Plan(**plan), **row))
    return windows


def _lists(column: Any) -> list[NDArray[np.uint16]]:
    """The lists of an Arrow column."""
    flat, ends = column.flatten().to_numpy(), column.offsets.to_numpy()
    return [flat[begin:end] for begin, end in pairwise(ends)]


def with_genre(window: Window, rng: random.Random) -> Plan:
    """A window's plan with one of its genres; "drums" only for drums alone.

    Genres whose usual instruments are all present are preferred.
    """
    programs = window.plan.programs
    assert programs is not None
    genres = [g for g in window.genres if g != "drums" or programs == (DRUMS,)] or ["other"]
    whole = [genre for genre in genres if counts(genre, programs)]
    return replace(window.plan, genre=rng.choice(whole or genres))
