"""Answers to prompts: MIDI files, read from folders and written by models."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.evaluation.distributions import NotesAndPlan
from textmusic.music.measure import measure
from textmusic.music.midi_events import mended_words
from textmusic.music.midi_files import MIDI_SUFFIXES, read_mended
from textmusic.music.notes import notes_of
from textmusic.music.plan import GENRES, Plan
from textmusic.music.sketch import Sketch
from textmusic.music.theory import NO_KEY, TIME_SIGNATURES
from textmusic.result.report import Report
from textmusic.system.progress import progress_bar
from textmusic.system.whole_files import write_text
from textmusic.writing.batch import Settings, run
from textmusic.writing.jobs import NAMING, Job, read_jobs, unknown_fields
from textmusic.writing.loading import locate
from textmusic.writing.writers import is_gan, load_writer


def read_expectations(prompts: Path) -> list[dict[str, Any]]:
    """The prompts of a file: a text each, and what is expected of an answer to it (`FIELDS`).

    Raises TextMusicError, naming the line or the prompt, for what can't be read or is no
    expectation.
    """
    jobs = read_jobs(prompts)
    for job in jobs:
        for name, (known, what) in FIELDS.items():
            if name in job.record and not known(job.record[name]):
                raise TextMusicError(
                    f"prompt {job.number} of '{prompts}' has '{name}', which is not {what}; fix it."
                )
    return [{**job.record, "text": job.text} for job in jobs]


def unjudged(expected: Sequence[Mapping[str, Any]]) -> list[str]:
    """What fields of the prompts are no expectation, a sentence each, with a guess."""
    said = unknown_fields(expected, ("text", *FIELDS, *NAMING, "seed", "loop"))
    return [sentence[:1].upper() + sentence[1:] for sentence in said]


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, int | float) for v in value)


def _span(value: Any) -> bool:
    return _numbers(value) and len(value) == 2


def _inside(value: Any) -> bool:
    """Whether it names a file in a folder or below it."""
    path = PurePath(value) if isinstance(value, str) else PurePath()
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


_KEY = "[A-G][b#]? (major|minor)"
FIELDS: Mapping[str, tuple[Callable[[Any], object], str]] = {
    "key": (lambda v: v == NO_KEY or re.fullmatch(_KEY, str(v)), 'a key such as "D minor"'),
    "time_signature": (lambda v: v in TIME_SIGNATURES, 'a time signature such as "4/4"'),
    "genre": (lambda v: v in GENRES, f"one of the genres {', '.join(GENRES)}"),
    "bars": (lambda v: isinstance(v, int), "a whole number"),
    "drums": (lambda v: isinstance(v, bool), "true or false"),
    "tempo_bpm": (_span, "[lowest, highest]"),
    "seconds": (_span, "[shortest, longest]"),
    "valence": (_numbers, "a list of levels, 1 to 5"),
    "arousal": (_numbers, "a list of levels, 1 to 5"),
    "programs": (
        lambda v: isinstance(v, list) and all(map(_numbers, v)),
        "a list of lists of General MIDI programs, one list per instrument",
    ),
    "file": (_inside, 'the name of a file in the answers folder, such as "song.mid"'),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A MIDI file that answers a prompt.

    number: of the prompt, from 1. planned: None if unknown. sketch: without rows if unknown.
    mended: what in the file was no proper MIDI: "data bytes over 127 set to 127 (3)".
    """

    file: Path
    number: int
    score: Score
    planned: Plan | None
    sketch: Sketch = Sketch()
    mended: tuple[str, ...] = ()

    @property
    def piece(self) -> NotesAndPlan:
        """Its notes, and its plan, measured where it is not known."""
        return notes_of(self.score), self.planned or replace(measure(self.score), end=True)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that should answer a prompt, but is no sane MIDI.

    number: of the prompt, from 1. name: with its folder's. reason: "is truncated".
    """

    number: int
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


def read_answers(
    folder: Path, expected: Sequence[Mapping[str, Any]]
) -> tuple[list[Answer], list[Unreadable]]:
    """The answers in a folder, and the files that should be answers but can't be read.

    expected: the prompts, as `read_expectations` gives them. Where the folder has files that are
    named in their `file` fields, or after their `id` or `name` as `textmusic batch` names them,
    those are the answers, and prompts that name none are answered by 0001.mid and so on. Otherwise
    0001.mid, or any name that begins with a number, answers the first prompt. Where `textmusic
    batch` wrote a report beside an answer, the plan is taken from that.

    Raises TextMusicError if no answer can be read, or one answers a prompt that is not there.
    """
    files = _named(folder, expected) or _numbered(folder, len(expected))
    answers, unreadable = [], []
    scores = read_mended([file for file, _ in files])
    for (file, number), (_, score, mended) in zip(files, scores, strict=True):
        if isinstance(score, str):
            name = f"{folder.resolve().name}/{file.relative_to(folder)}"
            unreadable.append(Unreadable(number, name, score))
        else:
            report = _report(file.with_suffix(".json"))
            planned, sketch = (report.planned, report.sketch) if report else (None, Sketch())
            words = tuple(mended_words(mended))
            answers.append(Answer(file, number, score, planned, sketch, words))
    if unreadable and not answers:
        raise TextMusicError(
            f"'{folder}' has no answer that can be read ({unreadable[0]}); write them again."
        )
    if not answers:
        raise TextMusicError(
            f"'{folder}' has no answers; write some with textmusic batch PROMPTS -o {folder}, or"
            " name each prompt's answer in a field 'file' of the prompts."
        )
    return answers, unreadable


@dataclass(frozen=True, slots=True)
class AnswersOfRuns:
    """What the folders of several runs hold. missing: prompts without a file, once for each run.

    notes: what has to be said of that, in sentences.
    """

    answers: list[Answer]
    broken: list[Unreadable]
    missing: list[int]
    notes: list[str]

    @property
    def unanswered(self) -> list[int]:
        """The prompt of each answer that can't be read, then of each that is missing."""
        return [file.number for file in self.broken] + self.missing


def read_runs(folders: Sequence[Path], expected: Sequence[Mapping[str, Any]]) -> AnswersOfRuns:
    """The answers of several runs, each in a folder of its own; see `read_answers`."""
    found = AnswersOfRuns([], [], [], [])
    for folder in folders:
        answers, broken = read_answers(folder, expected)
        found.answers.extend(answers)
        found.broken.extend(broken)
        there = {answer.number for answer in answers} | {file.number for file in broken}
        missing = [n for n in range(1, len(expected) + 1) if n not in there]
        found.missing.extend(missing)
        found.notes.extend(filter(None, [_unfound(folder, expected, missing)]))
    return found


def _named(folder: Path, expected: Sequence[Mapping[str, Any]]) -> list[tuple[Path, int]]:
    """The files that are named after the prompts, and their prompts; [] where no prompt says how.

    A prompt that says nothing has the file that batch would write, unless another names that.
    """
    found: dict[int, Path] = {}
    for number, line in enumerate(expected, 1):
        name = line.get("file") or (_batch_name(line, number) if _says_name(line) else "")
        if name and (path := _file(folder, name)):
            found[number] = path
    if not found:
        return []
    taken = set(found.values())
    for number, line in enumerate(expected, 1):
        path = None if _says_name(line) else _file(folder, _batch_name(line, number))
        if path is not None and path not in taken:
            found[number] = path
    return [(found[number], number) for number in sorted(found)]


def _says_name(line: Mapping[str, Any]) -> bool:
    return any(line.get(name) is not None for name in ("file", *NAMING))


def _batch_name(line: Mapping[str, Any], number: int) -> str:
    return Job(number, line["text"], 0, dict(line)).stem


def _file(folder: Path, name: str) -> Path | None:
    """The file of a name, which may lack its suffix."""
    suffixes = ("", *MIDI_SUFFIXES, *map(str.upper, MIDI_SUFFIXES))
    paths = (folder / f"{name}{suffix}" for suffix in suffixes)
    return next((path for path in paths if name and path.is_file()), None)


def _unfound(folder: Path, expected: Sequence[Mapping[str, Any]], missing: Sequence[int]) -> str:
    """A sentence where some prompts name files and others have none for that reason, or ""."""
    if not _named(folder, expected):
        return ""
    silent = [number for number in missing if not _says_name(expected[number - 1])]
    if not silent:
        return ""
    count = f"{len(silent):,} of {len(expected):,} prompts name"
    count = count if len(silent) > 1 else f"1 of {len(expected):,} prompts names"
    return (
        f"{count} no file, as others do, and so ha{'ve' if len(silent) > 1 else 's'} no answer"
        f" (the first is prompt {silent[0]}); name each prompt's answer in a field 'file'."
    )


def _numbered(folder: Path, prompts: int) -> list[tuple[Path, int]]:
    """The MIDI files whose names begin with a number, and the prompts with these numbers."""
    found = []
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        digits = re.match("[0-9]+", file.name)
        if digits is None or file.suffix.lower() not in MIDI_SUFFIXES:
            continue
        number = int(digits[0])
        if not 1 <= number <= prompts:
            raise TextMusicError(
                f"'{file}' answers prompt {number}, but there are {prompts}; give the prompts file"
                " that the folder was written from."
            )
        found.append((file, number))
    return found


def _report(file: Path) -> Report | None:
    if not file.exists():
        return None
    try:
        return Report.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError):
        raise TextMusicError(f"'{file}' is not a textmusic report; write it again.") from None


def plans_of(model: str, runs: Sequence[Sequence[Job]]) -> dict[tuple[int, int], Plan]:
    """The model's own plans, by run and prompt number."""
    writer = load_writer(model)
    plans: dict[tuple[int, int], Plan] = {}
    with progress_bar("planning", "prompts") as step:
        for k, jobs in enumerate(runs):
            for job in jobs:
                plans[k, job.number] = writer.plan(job.text, seed=job.seed)
                step(len(plans), len(runs) * len(jobs))
    return plans


def runs_of(jobs: Sequence[Job], seeds: int, first: int) -> list[list[Job]]:
    """The jobs of each run; prompt n of run k (both from 0) has seed first + n + 1,000,000 k."""
    return [
        [replace(job, seed=first + n + 1_000_000 * k) for n, job in enumerate(jobs)]
        for k in range(seeds)
    ]


def write_answers(model: str, jobs: Sequence[Job], folder: Path) -> None:
    """Write 0001.mid, 0001.json and so on; skip those that exist.

    Raises TextMusicError if the folder's answers are from another model or other prompts.
    """
    settings = Settings(folder, ("mid", "json"), None if model == "default" else model)
    origin = {"model": _fingerprint(model), "jobs": _hash([_asked(job) for job in jobs])}
    note = folder / "origin.json"
    if note.exists() and json.loads(note.read_text()) != origin:
        raise TextMusicError(
            f"'{folder}' has answers of another model or to other prompts; choose another folder"
            " with -o."
        )
    write_text(note, json.dumps(origin))
    left = [job for job in jobs if not all(path.exists() for path in settings.paths(job))]
    with progress_bar(f"{model} is writing", "prompts") as step:
        for done, outcome in enumerate(run(left, settings), 1):
            if outcome.problem is not None:
                raise TextMusicError(f"prompt {outcome.number} failed: {outcome.problem}")
            step(done, len(left))


def _asked(job: Job) -> dict[str, Any]:
    """What an answer depends on."""
    return {name: value for name, value in asdict(job).items() if name != "problem"}


def _fingerprint(model: str) -> str:
    """A hash over all files of a model's folder."""
    folder = Path(model) if is_gan(model) else locate(model, None)[0]
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix != ".md":  # the card is not the model
            digest.update(file.name.encode())
            with file.open("rb") as content:
                for block in iter(partial(content.read, 1 << 20), b""):
                    digest.update(block)
    return digest.hexdigest()


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
