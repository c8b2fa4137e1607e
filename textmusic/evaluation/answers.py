"""Answers to prompts: MIDI files, read from folders and written by models."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.evaluation.distributions import NotesAndPlan
from textmusic.music.measure import measure
from textmusic.music.midi_files import read_scores
from textmusic.music.notes import notes_of
from textmusic.music.plan import GENRES, Plan
from textmusic.music.sketch import Sketch
from textmusic.music.theory import NO_KEY, TIME_SIGNATURES
from textmusic.result.report import Report
from textmusic.system.progress import progress_bar
from textmusic.system.whole_files import write_text
from textmusic.writing.batch import Settings, run
from textmusic.writing.jobs import Job, read_jobs
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


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, int | float) for v in value)


def _span(value: Any) -> bool:
    return _numbers(value) and len(value) == 2


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
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A MIDI file that answers a prompt.

    number: of the prompt, from 1. planned, sketch: if they are known; a sketch without rows is not.
    """

    file: Path
    number: int
    score: Score
    planned: Plan | None
    sketch: Sketch = Sketch()

    @property
    def piece(self) -> NotesAndPlan:
        """Its notes, and its plan as far as it is known, else as it is measured."""
        return notes_of(self.score), self.planned or replace(measure(self.score), end=True)


def read_answers(folder: Path, prompts: int) -> tuple[list[Answer], list[str]]:
    """The answers in a folder, and names of files that are no sane MIDI, with the reason.

    0001.mid, or any name that begins with a number, answers the first prompt; where `textmusic
    batch` wrote a report beside it, the plan is taken from that. Raises TextMusicError if there is
    no answer, or one to a prompt that is not there.
    """
    numbers = {midi: _number(midi, prompts) for midi in sorted(folder.glob("[0-9]*.mid*"))}
    answers, broken = [], []
    for midi, score in read_scores(list(numbers)):
        if isinstance(score, str):
            broken.append(f"{midi.name} ({score})")
        else:
            report = _report(midi.with_suffix(".json"))
            known = (report.planned, report.sketch) if report else (None, Sketch())
            answers.append(Answer(midi, numbers[midi], score, *known))
    if not answers:
        raise TextMusicError(
            f"'{folder}' has no answers; write some with textmusic batch PROMPTS -o {folder}."
        )
    return answers, broken


def _number(midi: Path, prompts: int) -> int:
    number = int(re.match(r"\d+", midi.name)[0])  # type: ignore[index]
    if not 1 <= number <= prompts:
        raise TextMusicError(
            f"'{midi}' answers prompt {number}, but there are {prompts}; give the prompts file"
            " that the folder was written from."
        )
    return number


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
    """The jobs once for each run; prompt n of run k, both from 0, has seed first + n + 10^6 k."""
    return [
        [replace(job, seed=first + n + 1_000_000 * k) for n, job in enumerate(jobs)]
        for k in range(seeds)
    ]


def write_answers(model: str, jobs: Sequence[Job], folder: Path) -> None:
    """Write 0001.mid and 0001.json, ..., but for those that are there already.

    Raises TextMusicError where the folder holds what another model, or other jobs, gave.
    """
    settings = Settings(folder, ("mid", "json"), None if model == "default" else model)
    origin = {"model": _fingerprint(model), "jobs": _hash([asdict(job) for job in jobs])}
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
