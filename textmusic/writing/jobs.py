"""Prompts of a file: text, JSON lines or parquet, with a seed and controls each."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textmusic.errors import TextMusicError, one_line
from textmusic.language.controls import Controls, well_formed
from textmusic.language.reading.text import quote
from textmusic.system.values import real, wrong_type
from textmusic.tokens.sampling import MAX_SEED

if TYPE_CHECKING:
    from textmusic.music.plan import Plan

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
PARQUET_SUFFIX = ".parquet"
NAMING = ("id", "name")  # fields that name the files, the first of them that a line has
LONGEST_NAME = 80  # characters of a file's name
KNOWN = (
    "text",
    "seed",
    "loop",
    "performance",
    *NAMING,
    *(field.name for field in fields(Controls)),
)


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt. number: its place in the file, from 1. record: what its line holds.

    plan: facts that win over those of the record. problem: why it can't be written, a sentence.
    """

    number: int
    text: str
    seed: int
    record: dict[str, Any]
    plan: Plan | None = None
    problem: str | None = None

    @property
    def stem(self) -> str:
        """The name of its files: its `id` or `name`, as far as files can have it, or its number."""
        given = next((self.record[f] for f in NAMING if self.record.get(f) is not None), "")
        if not isinstance(given, str | int) or isinstance(given, bool):
            return ""
        name = re.sub(r"[^\w-]+", "-", str(given)).strip("-")[:LONGEST_NAME].strip("-")
        return name or ("" if given != "" else f"{self.number:04}")


def read_jobs(file: Path, *, seed: int = 0, text_only: bool = False) -> list[Job]:
    """The prompts of a file; empty lines don't count.

    file: JSON lines (by its suffix, or because it begins with "{"), parquet with the same fields
    as columns (needs pyarrow), or plain text. seed: that of the first prompt; the next has the
    next, unless its line names one. text_only: leave out all other fields. A seed or a name that
    can't be used is a problem of its own prompt. Raises TextMusicError, naming the line, for what
    can't be read.
    """
    records = _rows(file) if file.suffix.lower() == PARQUET_SUFFIX else _lines(file)
    jobs = []
    for index, record in enumerate(records):
        text = well_formed(record["text"])
        record = {} if text_only else record
        given, own, problem = record.get("seed"), seed + index, None
        if given is not None:
            if type(given) is int and 0 <= given <= MAX_SEED:
                own = given
            else:
                problem = f"the seed is invalid; give a whole number from 0 to {MAX_SEED:,}."
        if not isinstance(record.get("loop"), bool | None):
            problem = str(wrong_type("loop", record["loop"], "true or false"))
        if record.get("performance") is not None:
            try:
                real("performance", record["performance"], 0, 1)
            except TextMusicError as out_of_range:
                problem = str(out_of_range)
        jobs.append(Job(index + 1, text, own, record, problem=problem))
    return _apart(jobs)


def _apart(jobs: Sequence[Job]) -> list[Job]:
    """The jobs; those whose files would have the name of an earlier one's, or none, can't be."""
    owners: dict[str, int] = {}
    checked = []
    for job in jobs:
        name = job.stem.casefold()  # on many disks a.mid is A.mid
        owner = owners.setdefault(name, job.number)
        problem = None
        if not name:
            problem = "the name has no letters and no digits; give another one."
        elif owner != job.number:
            problem = f"prompt {owner} has the name '{job.stem}' too; give each its own."
        checked.append(replace(job, problem=job.problem or problem))
    return checked


def unknown_fields(records: Iterable[Mapping[str, Any]], known: Sequence[str] = KNOWN) -> list[str]:
    """What fields of the prompts' records mean nothing here, a sentence each, with a guess."""
    found = Counter(
        name for record in records for name, value in record.items()
        if name not in known and value is not None
    )  # fmt: skip
    said = []
    for name, count in found.items():
        lines = f"{count:,} prompt{'s' * (count != 1)}"
        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.7)
        guess = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}."
        said.append(f"the field '{quote(name)}' of {lines} is not used; {guess}")
    return said


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
        why = one_line(problem, 200)
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
