"""Many prompts, side by side, in several processes or on a Ray cluster."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textmusic.engines.protocol import SLOTS
from textmusic.errors import TextMusicError
from textmusic.language.controls import read_controls
from textmusic.language.prompt import looping, read_prompt, reads_loop
from textmusic.performing.performance import PERFORMANCE
from textmusic.result.reopening import REOPENED, recipe_in, reopened
from textmusic.sound.render import SAMPLE_RATE
from textmusic.system.machine import cores
from textmusic.system.whole_files import whole_file
from textmusic.system.workers import Post, Work, spread
from textmusic.tokens.sampling import Sampling
from textmusic.writing.jobs import Job
from textmusic.writing.loading import BUNDLED, called
from textmusic.writing.writers import Writer, load_writer

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from textmusic.language.prompt import Prompt
    from textmusic.result.generation import Generation

MAX_WORKERS, MAX_SLOTS = 64, 4096
FEW_PROMPTS = 8  # prompts that are not worth the start of another process


@dataclass(frozen=True, slots=True)
class Settings:
    """What all prompts of a run share. model, soundfont: None is the default.

    slots: pieces that a process writes side by side. loop: keep pieces as loops, unless their own
    lines say otherwise. dry, sample_rate: of the audio. performance: as for
    `Generation.save`; lines may say otherwise.
    """

    folder: Path
    formats: tuple[str, ...]
    model: str | None = None
    soundfont: Path | None = None
    sampling: Sampling = Sampling()
    slots: int = SLOTS
    loop: bool = False
    dry: bool = False
    sample_rate: int = SAMPLE_RATE
    performance: float = PERFORMANCE

    def missing(self, job: Job) -> list[str]:
        """The formats in which a prompt's piece is not there yet."""
        there = [path.exists() for path in self.paths(job)]
        return [kind for kind, exists in zip(self.formats, there, strict=True) if not exists]

    def loops(self, job: Job) -> bool:
        """Whether a prompt's piece is kept as a loop."""
        own = job.record.get("loop")
        return self.loop or reads_loop(job.text) if own is None else bool(own)

    def performs(self, job: Job) -> float:
        """How far a prompt's piece is performed."""
        own = job.record.get("performance")
        return self.performance if own is None else float(own)

    def paths(self, job: Job) -> list[Path]:
        """The files of a prompt: 0001.mid, ..."""
        return [self.folder / f"{job.stem}.{kind}" for kind in self.formats]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A prompt that was dealt with. problem: why nothing was written; None if all went well.

    unused: what of it could not be used, a sentence each. rendered: further formats of a piece that
    was there already.
    """

    number: int
    problem: str | None = None
    unused: tuple[str, ...] = ()
    rendered: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """A prompt that was dealt with elsewhere, and the content of its files, by name."""

    outcome: Outcome
    files: Mapping[str, bytes]


@dataclass(slots=True)
class Tally:
    """Counts of a run."""

    prompts: int
    skipped: int
    written: int = 0
    failed: int = 0
    rendered: int = 0
    began: float = field(default_factory=time.perf_counter)

    def add(self, outcome: Outcome) -> None:
        """Count one more prompt."""
        if outcome.problem is not None:
            self.failed += 1
        elif outcome.rendered:
            self.rendered += 1
        else:
            self.written += 1

    @property
    def done(self) -> int:
        """How many have been dealt with in this run."""
        return self.written + self.rendered + self.failed

    def summary(self) -> str:
        """The last line: "38 prompts: 36 written, 2 skipped (already there), 0 failed in 80 s"."""
        left = self.prompts - self.skipped - self.done
        rendered = f" {self.rendered} rendered from their MIDI files," if self.rendered else ""
        return (
            f"{self.prompts} prompt{'s' * (self.prompts != 1)}: {self.written} written,"
            f"{rendered} {self.skipped} skipped (already there), {self.failed} failed"
            f"{f', {left} left' if left else ''} in {time.perf_counter() - self.began:.1f} s"
        )


class _Stopped(Exception):  # noqa: N818  (not an error)
    """The run was stopped while this prompt was being written."""


def pending(jobs: Sequence[Job], settings: Settings) -> list[Job]:
    """The jobs whose files are not all there yet.

    Raises TextMusicError if files of one are there and belong to another text.
    """
    left = []
    for job in jobs:
        if job.problem is None:
            for file in (settings.folder / f"{job.stem}.json", settings.folder / f"{job.stem}.mid"):
                if _text_of(file) not in (None, job.text):
                    raise TextMusicError(
                        f"'{file}' is from another prompt; choose another folder with -o."
                    )
        if job.problem or settings.missing(job):
            left.append(job)
    return left


def made_otherwise(jobs: Sequence[Job], settings: Settings) -> int:
    """How many pieces are there that were written with another seed, model or sampling."""
    found = (recipe_in(settings.folder / f"{job.stem}.mid") for job in jobs)
    wanted = called(settings.model), settings.sampling
    return sum(
        recipe is not None and (recipe.model, recipe.sampling, recipe.seed) != (*wanted, job.seed)
        for job, recipe in zip(jobs, found, strict=True)
    )


def _text_of(file: Path) -> str | None:
    """The prompt that a report or a MIDI file says it was written for; None where it says none."""
    if file.suffix == ".mid":
        recipe = recipe_in(file)
        return None if recipe is None else recipe.text
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["text"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def run(
    jobs: Sequence[Job], settings: Settings, *, workers: int | None = None, ray: str | None = None
) -> Iterator[Outcome]:
    """Write every job, yielding what became of it as soon as it is known.

    Where a piece is there as MIDI, and only sound or pictures of it are missing, they are made of
    that file, here and without a model.

    workers: processes; each loads the model once, uses its share of the cores and writes several
    pieces side by side. By default one a core, unless the jobs are few. ray: the address of a Ray
    cluster whose processes write instead, see `workers.spread`; all files are written here, so
    there is one of each, and a whole one, whatever happens there. Raises TextMusicError where no
    prompt at all can be written, as without a model.
    """
    for job in jobs:
        if job.problem is not None:
            yield Outcome(job.number, job.problem)
    jobs = [job for job in jobs if job.problem is None]
    there = {job.number for job in jobs if is_there(job, settings)}
    if there:
        ready = [job for job in jobs if job.number in there]
        count = min(workers or min(cores(), max(1, len(ready) // FEW_PROMPTS)), len(ready))
        if count > 1:
            yield from spread(partial(_rendering, settings), ready, workers=count)
        else:
            yield from rendered(ready, settings)
        jobs = [job for job in jobs if job.number not in there]
    if ray is not None:
        start = partial(_packing, _anywhere(settings))
        for parcel in spread(start, jobs, workers=workers, ray=ray):
            yield kept(parcel, settings)
        return
    if workers is None:
        workers = min(cores(), max(1, len(jobs) // FEW_PROMPTS))
    workers = min(workers, len(jobs))
    if workers > 1:
        yield from spread(partial(_writing, settings), jobs, workers=workers)
    elif jobs:
        yield from write(load_writer(settings.model), jobs, settings)


def _anywhere(settings: Settings) -> Settings:
    """The same for a process with another working directory."""
    model, soundfont = settings.model, settings.soundfont
    if model and model not in BUNDLED and Path(model).exists():
        model = str(Path(model).absolute())
    return replace(settings, model=model, soundfont=soundfont and soundfont.absolute())


def _writing(settings: Settings, post: Post) -> Work[Job, Outcome]:
    """What a process of this machine does with its jobs."""
    music = load_writer(settings.model, post.threads)
    return partial(write, music, settings=settings, stop=post.stop)


def _rendering(settings: Settings, _: Post) -> Work[Job, Outcome]:
    """What a process does with pieces that are there already."""
    return partial(rendered, settings=settings)


def _packing(settings: Settings, post: Post) -> Work[Job, Parcel]:
    """What a process elsewhere does with its jobs: files are sent, not kept."""
    return partial(_packed, load_writer(settings.model, post.threads), settings=settings)


def _packed(music: Writer, jobs: Iterable[Job], settings: Settings) -> Iterator[Parcel]:
    with tempfile.TemporaryDirectory() as folder:
        here = replace(settings, folder=Path(folder))
        by_number = {job.number: job for job in jobs}
        for outcome in write(music, by_number.values(), here):
            paths = here.paths(by_number[outcome.number]) if outcome.problem is None else []
            yield Parcel(outcome, {path.name: path.read_bytes() for path in paths})
            for path in paths:
                path.unlink()


def is_there(job: Job, settings: Settings) -> bool:
    """Whether a job's piece is there as MIDI, and what is missing can be made of that.

    It has to be what this job asks for: the same text, controls, seed, model and sampling.
    """
    if set(settings.missing(job)) & set(REOPENED):
        return False
    recipe = recipe_in(settings.folder / f"{job.stem}.mid")
    if recipe is None or (
        recipe.seed, recipe.model, recipe.sampling, recipe.loop, recipe.performance,
    ) != (
        job.seed, called(settings.model), settings.sampling, settings.loops(job),
        settings.performs(job),
    ):  # fmt: skip
        return False
    try:
        prompt = _prompt(read_prompt, job, settings.loops(job))
    except TextMusicError:
        return False
    return (recipe.text, recipe.asked, recipe.seconds, recipe.outline) == (
        prompt.text, prompt.asked, prompt.seconds, prompt.outline,
    )  # fmt: skip


def rendered(jobs: Iterable[Job], settings: Settings) -> Iterator[Outcome]:
    """Make the missing files of jobs for which `is_there` holds; what goes wrong is told."""
    for job in jobs:
        midi = settings.folder / f"{job.stem}.mid"
        try:
            recipe = recipe_in(midi)
            if recipe is None:
                raise TextMusicError(f"'{midi}' is no longer what it was; start again.")
            piece = reopened(midi, recipe)
            piece.save(
                settings.folder, formats=settings.missing(job), stem=job.stem,
                soundfont=settings.soundfont, dry=settings.dry, sample_rate=settings.sample_rate,
                performance=recipe.performance,
            )  # fmt: skip
            yield Outcome(job.number, rendered=True)
        except Exception as problem:  # one piece that meets a defect must not cost the others
            said = str(problem)
            if not isinstance(problem, TextMusicError):
                said = f"{type(problem).__name__}: {said}"
            yield Outcome(job.number, said)


def kept(parcel: Parcel, settings: Settings) -> Outcome:
    """Give the files of a parcel their names here."""
    try:
        for name, content in parcel.files.items():
            with whole_file(settings.folder / name) as path:
                path.write_bytes(content)
    except TextMusicError as problem:
        return replace(parcel.outcome, problem=str(problem))
    return parcel.outcome


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
                prompt = _prompt(music.understand, job, settings.loops(job))
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


def _prompt(read: Callable[..., Prompt], job: Job, loop: bool) -> Prompt:
    """What a job asks for. read: `read_prompt`, or a model's `understand`."""
    controls = read_controls(job.record)
    facts = controls.plan() if job.plan is None else job.plan.over(controls.plan())
    facts = looping(facts) if loop else facts
    return read(job.text, controls=facts, seconds=controls.seconds, outline=controls.outline())


def _saved(piece: Generation, job: Job, settings: Settings) -> Outcome:
    try:
        piece = piece.looped() if settings.loops(job) else piece
        piece.save(
            settings.folder,
            formats=settings.formats,
            stem=job.stem,
            soundfont=settings.soundfont,
            dry=settings.dry,
            sample_rate=settings.sample_rate,
            performance=settings.performs(job),
        )
    except TextMusicError as problem:
        return Outcome(job.number, str(problem))
    return Outcome(job.number, unused=piece.report.unused)
