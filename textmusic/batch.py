"""Many prompts from a file, side by side, in several processes."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any, Protocol

from textmusic.controls import MAX_SEED, Controls, well_formed
from textmusic.engine import SLOTS, cores
from textmusic.errors import TextMusicError
from textmusic.sampling import Sampling

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from textmusic.generation import Generation
    from textmusic.pipeline import OnBar
    from textmusic.plan import Plan
    from textmusic.prompt import Prompt

MAX_WORKERS, MAX_SLOTS = 64, 4096
FEW = 8  # prompts that are not worth the start of another process
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")


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


@dataclass(frozen=True, slots=True)
class Settings:
    """What all prompts of a run share. model, soundfont: None is the default.

    slots: pieces that a process writes side by side.
    """

    folder: Path
    formats: tuple[str, ...]
    model: str | None = None
    soundfont: Path | None = None
    sampling: Sampling = Sampling()
    slots: int = SLOTS

    def paths(self, job: Job) -> list[Path]:
        """The files of a prompt: 0001.mid, ..."""
        return [self.folder / f"{job.number:04}.{kind}" for kind in self.formats]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A prompt that was dealt with. problem: why nothing was written; None if all went well."""

    number: int
    problem: str | None = None


@dataclass(slots=True)
class Tally:
    """Counts of a run."""

    prompts: int
    skipped: int
    written: int = 0
    failed: int = 0
    began: float = field(default_factory=time.perf_counter)

    def add(self, outcome: Outcome) -> None:
        """Count one more prompt."""
        if outcome.problem is None:
            self.written += 1
        else:
            self.failed += 1

    def summary(self) -> str:
        """The last line: "38 prompts: 36 written, 2 skipped (already there), 0 failed in 80 s"."""
        left = self.prompts - self.skipped - self.written - self.failed
        return (
            f"{self.prompts} prompt{'s' * (self.prompts != 1)}: {self.written} written,"
            f" {self.skipped} skipped (already there), {self.failed} failed"
            f"{f', {left} left' if left else ''} in {time.perf_counter() - self.began:.1f} s"
        )


class Writer(Protocol):
    """What writes the pieces: TextToMusic, or the GAN of the comparison."""

    name: str

    def plan(self, text: str, *, seed: int) -> Plan:
        """The plan alone that a piece with this text and seed follows."""

    def understand(self, text: str, *, controls: Plan, seconds: float | None) -> Prompt:
        """What is asked for."""

    def complete(
        self,
        prompts: Iterable[tuple[Prompt, int]],
        *,
        sampling: Sampling = ...,
        slots: int = ...,
        on_bar: OnBar | None = ...,
    ) -> Iterator[tuple[int, Generation]]:
        """Pieces for pairs of prompt and seed, each with its place, as they are finished."""


class _Stopped(Exception):  # noqa: N818  (not an error)
    """The run was stopped while this prompt was being written."""


def read_jobs(file: Path, *, seed: int = 0, text_only: bool = False) -> list[Job]:
    """The prompts of a file; empty lines don't count.

    file: JSON lines (by its suffix, or because it begins with "{"), or plain text. seed: that of
    the first prompt; the next has the next, unless its line names one. text_only: leave out all
    other fields. Raises TextMusicError, naming the line, for what can't be read.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except OSError as problem:
        raise TextMusicError(
            f"'{file}' can't be read ({problem.strerror}); name a file with prompts."
        ) from None
    except UnicodeDecodeError:
        raise TextMusicError(f"'{file}' is not text in UTF-8; save it as such.") from None
    filled = [(k, line.strip()) for k, line in enumerate(lines, 1) if line.strip()]
    if not filled:
        raise TextMusicError(f"'{file}' holds no prompts; write one on each line.")
    if file.suffix.lower() in JSON_SUFFIXES or filled[0][1].startswith("{"):
        records = [_record(line, f"line {k} of '{file}'") for k, line in filled]
    else:
        records = [{"text": line} for _, line in filled]
    return [
        Job(
            index + 1,
            well_formed(record["text"]),
            record.get("seed", seed + index),
            {} if text_only else record,
        )
        for index, record in enumerate(records)
    ]


def _record(line: str, place: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as problem:
        why = (
            problem.msg
            if isinstance(problem, json.JSONDecodeError)
            else "too deep, or too long a number"
        )
        raise TextMusicError(f"{place} is not JSON ({why}); mend it.") from None
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise TextMusicError(f'{place} has no text; write e.g. {{"text": "calm piano"}}.')
    if record.get("seed") is None:
        record.pop("seed", None)
    elif type(record["seed"]) is not int or not 0 <= record["seed"] <= MAX_SEED:
        raise TextMusicError(f"{place}: the seed has to be a whole number from 0 to {MAX_SEED:,}.")
    return record


def read_controls(record: dict[str, Any]) -> Controls:
    """The controls among the fields of a JSON line; raises TextMusicError for a wrong type.

    Other fields are left out, and so is a length given as a range [low, high]: files that say what
    is expected of an answer have such.
    """
    instruments = record.get("instruments") or ()
    if isinstance(instruments, str | int):
        instruments = (instruments,)
    mood = record.get("mood")
    if isinstance(mood, list):
        mood = ",".join(map(str, mood))
    seconds = record.get("seconds")
    given: dict[str, tuple[Any, Any, str]] = {
        "key": (record.get("key"), str, "a text"),
        "tempo": (record.get("tempo"), str | int | float, "a number or a word"),
        "time_signature": (record.get("time_signature"), str, "a text"),
        "instruments": (instruments, list | tuple, "a list"),
        "bars": (record.get("bars"), int, "a whole number"),
        "seconds": (None if isinstance(seconds, list) else seconds, int | float, "a number"),
        "mood": (mood, str, "a word or two levels"),
        "genre": (record.get("genre"), str, "a text"),
        "density": (record.get("density"), str | int, "a level or a word"),
    }
    for name, (value, kind, wanted) in given.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
            raise TextMusicError(f"{name} {json.dumps(value)} has to be {wanted}.")
    return Controls(**{name: value for name, (value, _, _) in given.items()})


def pending(jobs: Sequence[Job], settings: Settings) -> list[Job]:
    """The jobs whose files are not all there yet.

    Raises TextMusicError if the files of one are there and belong to another text.
    """
    left = []
    for job in jobs:
        if not all(path.exists() for path in settings.paths(job)):
            left.append(job)
            continue
        report = settings.folder / f"{job.number:04}.json"
        if "json" in settings.formats and _text_of(report) != job.text:
            raise TextMusicError(
                f"'{report}' belongs to another prompt; choose another folder with -o."
            )
    return left


def _text_of(report: Path) -> str | None:
    try:
        return str(json.loads(report.read_text(encoding="utf-8"))["text"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def run(
    jobs: Sequence[Job], settings: Settings, *, workers: int | None = None
) -> Iterator[Outcome]:
    """Write every job, yielding what became of it as soon as it is known.

    workers: processes; each loads the model once, uses its share of the cores and writes several
    pieces side by side. By default one a core, unless the jobs are few. Raises TextMusicError where
    no prompt at all can be written, as without a model.
    """
    if workers is None:
        workers = min(cores(), max(1, len(jobs) // FEW))
    workers = min(workers, len(jobs))
    if workers > 1:
        yield from _run_in_processes(jobs, settings, workers)
    elif jobs:
        yield from write(load_writer(settings.model), jobs, settings)


def write(
    music: Writer, jobs: Iterable[Job], settings: Settings, stop: Event | None = None
) -> Iterator[Outcome]:
    """Write the files of jobs, several side by side; what goes wrong is told, not raised.

    stop: give up when set.
    """
    waiting = iter(jobs)
    while True:
        open_jobs: dict[int, Job] = {}  # by number: begun, and nothing told of them yet
        try:
            yield from _side_by_side(music, waiting, settings, stop, open_jobs)
            return
        except _Stopped:
            yield from (Outcome(number, "stopped") for number in open_jobs)
            return
        except Exception:  # one prompt that meets a defect must not cost the other thousand
            for job in list(open_jobs.values()):
                yield _alone(music, job, settings, stop)


def _side_by_side(
    music: Writer,
    jobs: Iterator[Job],
    settings: Settings,
    stop: Event | None,
    open_jobs: dict[int, Job],
) -> Iterator[Outcome]:
    """open_jobs: filled and emptied here, for who has to go on where this is cut off."""
    begun: list[Job] = []  # in the order in which `complete` counts them
    refused: list[Outcome] = []

    def go_on(_done: int, _total: int) -> None:
        if stop is not None and stop.is_set():
            raise _Stopped

    def prompts() -> Iterator[tuple[Prompt, int]]:
        for job in jobs:
            open_jobs[job.number] = job
            try:
                prompt = _prompt(music, job)
            except TextMusicError as problem:
                refused.append(Outcome(job.number, str(problem)))
                continue
            begun.append(job)
            yield prompt, job.seed

    def told(outcome: Outcome) -> Outcome:
        del open_jobs[outcome.number]
        return outcome

    def refusals() -> Iterator[Outcome]:
        while refused:
            yield told(refused.pop(0))

    writing = music.complete(
        prompts(), sampling=settings.sampling, slots=settings.slots, on_bar=go_on
    )
    for place, piece in writing:
        yield from refusals()
        yield told(_saved(piece, begun[place], settings))
    yield from refusals()


def _alone(music: Writer, job: Job, settings: Settings, stop: Event | None = None) -> Outcome:
    """One job by itself, after it or another beside it met a defect."""
    try:
        return next(_side_by_side(music, iter([job]), settings, stop, {}))
    except _Stopped:
        return Outcome(job.number, "stopped")
    except Exception as problem:
        return Outcome(job.number, f"{type(problem).__name__}: {problem}")


def _prompt(music: Writer, job: Job) -> Prompt:
    controls = read_controls(job.record)
    facts = controls.plan() if job.plan is None else job.plan.over(controls.plan())
    return music.understand(job.text, controls=facts, seconds=controls.seconds)


def _saved(piece: Generation, job: Job, settings: Settings) -> Outcome:
    try:
        piece.save(
            settings.folder,
            formats=settings.formats,
            stem=f"{job.number:04}",
            soundfont=settings.soundfont,
        )
    except TextMusicError as problem:
        return Outcome(job.number, str(problem))
    return Outcome(job.number)


def is_gan(model: str) -> bool:
    """Whether a model is the folder of a GAN."""
    return (Path(model) / "gan.json").exists()


def load_writer(model: str | None, threads: int | None = None) -> Writer:
    """What writes with a model: None for the bundled one, a folder (of a GAN too), or a Hub id."""
    if model and is_gan(model):
        try:
            from textmusic.models.gan_writer import GanWriter
        except ModuleNotFoundError:
            raise TextMusicError(
                f"'{model}' is a GAN, which needs torch: pip install 'textmusic[train]'."
            ) from None
        return GanWriter.from_folder(Path(model))
    from textmusic.pipeline import TextToMusic

    return TextToMusic.from_pretrained(model, threads=threads)


# Processes ----------------------------------------------------------------------------------------


def _run_in_processes(jobs: Sequence[Job], settings: Settings, workers: int) -> Iterator[Outcome]:
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # Not forked: the threads of this process, such as the progress bar's, would be missing there.
    context = get_context("spawn")
    stop, outcomes = context.Event(), context.Queue()
    waiting = context.Queue()  # the workers take their next job when they have room for it
    for job in jobs:
        waiting.put(job)
    for _ in range(workers):
        waiting.put(None)
    threads = max(1, cores() // workers)
    with ProcessPoolExecutor(
        workers, context, initializer=_start, initargs=(stop, waiting, outcomes)
    ) as pool:
        try:
            running = [pool.submit(_work, settings, threads) for _ in range(workers)]
            told = 0
            while told < len(jobs):
                for future in running:
                    if future.done():
                        future.result()  # raises what ended the worker, if it did not end well
                try:
                    outcome = outcomes.get(timeout=0.2)
                except Empty:
                    continue
                told += 1
                yield outcome
        except BrokenProcessPool:
            raise TextMusicError(
                "a worker process ended early, perhaps for lack of memory; use fewer --workers."
            ) from None
        finally:  # also when the run is interrupted: the workers stop at their next bar
            stop.set()
            waiting.cancel_join_thread()
            pool.shutdown(cancel_futures=True)


_shared: list[Any] = []  # of this process, if it is a worker: queues only reach it at its start


def _start(*shared: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the parent decides
    _shared[:] = shared


def _work(settings: Settings, threads: int) -> None:
    stop, waiting, outcomes = _shared
    outcomes.cancel_join_thread()  # nobody may be left who reads the last ones
    for outcome in write(
        load_writer(settings.model, threads), iter(waiting.get, None), settings, stop
    ):
        outcomes.put(outcome)
