"""Prompts of a file: text, JSON lines or parquet, with a seed and controls each."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textmusic.errors import TextMusicError
from textmusic.language.controls import well_formed
from textmusic.tokens.sampling import MAX_SEED

if TYPE_CHECKING:
    from textmusic.music.plan import Plan

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
PARQUET_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt. number: its place in the file, from 1. record: what its line holds.

    plan: facts that win over those of the record.
    """

    number: int
    text: str
    seed: int
    record: dict[str, Any]
    plan: Plan | None = None


def read_jobs(file: Path, *, seed: int = 0, text_only: bool = False) -> list[Job]:
    """The prompts of a file; empty lines don't count.

    file: JSON lines (by its suffix, or because it begins with "{"), parquet with the same fields
    as columns (needs pyarrow), or plain text. seed: that of the first prompt; the next has the
    next, unless its line names one. text_only: leave out all other fields. Raises TextMusicError,
    naming the line, for what can't be read.
    """
    records = _rows(file) if file.suffix.lower() == PARQUET_SUFFIX else _lines(file)
    return [
        Job(
            index + 1,
            well_formed(record["text"]),
            record.get("seed", seed + index),
            {} if text_only else record,
        )
        for index, record in enumerate(records)
    ]


def _lines(file: Path) -> list[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except OSError as problem:
        raise TextMusicError(
            f"'{file}' can't be read ({problem.strerror}); give a file with prompts."
        ) from None
    except UnicodeDecodeError:
        raise TextMusicError(f"'{file}' is not UTF-8 text; save it as UTF-8.") from None
    filled = [(k, line.strip()) for k, line in enumerate(lines, 1) if line.strip()]
    if not filled:
        raise TextMusicError(f"'{file}' has no prompts; write one per line.")
    if file.suffix.lower() in JSON_SUFFIXES or filled[0][1].startswith("{"):
        return [_record(line, f"line {k} of '{file}'") for k, line in filled]
    return [{"text": line} for _, line in filled]


def _record(line: str, place: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as problem:
        why = (
            problem.msg
            if isinstance(problem, json.JSONDecodeError)
            else "nested too deeply, or a number is too long"
        )
        raise TextMusicError(f"{place} is not valid JSON ({why}); fix it.") from None
    return _checked(record, place)


def _checked(record: Any, place: str) -> dict[str, Any]:
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise TextMusicError(f'{place} has no text; write e.g. {{"text": "calm piano"}}.')
    if record.get("seed") is None:
        record.pop("seed", None)
    elif type(record["seed"]) is not int or not 0 <= record["seed"] <= MAX_SEED:
        raise TextMusicError(
            f"{place}: the seed is invalid; give a whole number from 0 to {MAX_SEED:,}."
        )
    return record


def _rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a parquet file, by column."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        raise TextMusicError(
            f"'{file}' is parquet, which needs pyarrow; run pip install 'textmusic[ray]'."
        ) from None
    try:
        with pq.ParquetFile(file) as opened:
            rows = opened.read().to_pylist()
    except (pa.ArrowException, OSError) as problem:
        why = " ".join(str(problem).split())[:200]
        raise TextMusicError(
            f"'{file}' can't be read as parquet ({why}); write it again."
        ) from None
    if not rows:
        raise TextMusicError(f"'{file}' has no prompts; write one per row.")
    plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
    return [_checked(row, f"row {k} of '{file}'") for k, row in enumerate(plain, 1)]


def _plain(value: Any) -> Any:
    """A value as JSON would hold it: pandas makes 8.0 and NaN of whole numbers that may lack."""
    if isinstance(value, float):
        return None if math.isnan(value) else int(value) if value.is_integer() else value
    return value
