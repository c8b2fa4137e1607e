"""Worker processes that may die: one that does costs the job it was at, and no other.

They take one job at a time, from a parent that watches them; a crash, a hang or a job that eats
the memory is told as a `Lost`, and another worker takes the place.
"""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from textmusic.errors import TextMusicError
from textmusic.system.lifeline import end_with_parent

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

# Bytes that a worker may take, where the system can limit it; libraries do not count, of which a
# torch for GPUs maps many gigabytes.
MEMORY = 4 << 30
FAULTS = 3  # workers in a row that end before they are ready
CRASHED = "crashes the process that reads it; it is broken or too large"
WAIT = 5.0  # how much longer a job may take by the clock: busy machines must not lose other files
FRESH = 256  # jobs after which a worker is replaced: libraries leave things behind in the memory

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Lost:
    """A job without a result. why: "takes more than 60 s to read"."""

    why: str


@dataclass(slots=True)
class _Hand:
    process: BaseProcess
    place: int | None = None  # of the job that it is at
    given: int = 0  # jobs so far
    until: float = float("inf")  # when it will have taken too long, by time.monotonic()


def outcomes(
    work: Callable[[Task], Result],
    jobs: Iterable[Task],
    *,
    workers: int,
    seconds: float,
    preload: Sequence[str] = (),
) -> Iterator[tuple[int, Result | Lost]]:
    """(place, result) of every job, in the order in which they are done.

    work: importable by name; what it raises makes a `Lost`, too. seconds: of the processor's time,
    for one job, where the system can measure it; by the clock `WAIT` times as long. preload:
    modules that all workers need, imported once where the system can copy processes. Raises
    TextMusicError where no worker can be started.
    """
    crew = _Crew(work, enumerate(jobs), seconds, preload)
    try:
        for _ in range(workers):
            crew.hire()
        while crew.hands:
            yield from crew.answers()
            yield from crew.overdue()
    finally:
        crew.end()


class _Crew(Generic[Task, Result]):
    """The workers that are there, each with its pipe, and the jobs that wait for one."""

    def __init__(
        self,
        work: Callable[[Task], Result],
        waiting: Iterator[tuple[int, Task]],
        seconds: float,
        preload: Sequence[str],
    ) -> None:
        copies = "forkserver" in get_all_start_methods()
        # Neither forked, for the threads of this process would be missing there, nor (where that
        # can be helped) spawned, for each would import everything again.
        self._context: Any = get_context("forkserver" if copies else "spawn")
        if copies:
            self._context.set_forkserver_preload([__name__, *preload])
        self._work, self._waiting, self._seconds = work, waiting, seconds
        self._too_slow = Lost(f"takes more than {seconds:.0f} s to read")
        self._faults = 0
        self.hands: dict[Connection, _Hand] = {}

    def hire(self) -> None:
        """Start a worker, which says when it is ready."""
        mine, theirs = self._context.Pipe()
        given = (theirs, self._work, self._seconds)
        process = self._context.Process(target=_serve, args=given, daemon=True)
        process.start()
        theirs.close()
        self.hands[mine] = _Hand(process)

    def answers(self) -> Iterator[tuple[int, Result | Lost]]:
        """Wait until a worker says something, or is overdue; the results of all who do."""
        soonest = min(hand.until for hand in self.hands.values())
        left = None if soonest == float("inf") else max(soonest - time.monotonic(), 0)
        for pipe in cast("list[Connection]", wait(list(self.hands), left)):
            place = self.hands[pipe].place
            try:
                result = pipe.recv()
            except (EOFError, ConnectionResetError):
                why = self._lost(pipe)
                if place is not None:
                    yield place, why
                self.hire()
                continue
            if place is not None:
                yield place, result
            if self.hands[pipe].given >= FRESH:
                self._dismiss(pipe)
                self.hire()
            elif not self._give(pipe):
                self._dismiss(pipe)

    def overdue(self) -> Iterator[tuple[int, Lost]]:
        """End the workers whose job takes too long by the clock."""
        for pipe, hand in list(self.hands.items()):
            if time.monotonic() > hand.until and not pipe.poll():
                hand.process.kill()
                self._dismiss(pipe)
                assert hand.place is not None
                yield hand.place, self._too_slow
                self.hire()

    def end(self) -> None:
        """End all workers, whatever they are at."""
        for pipe in list(self.hands):
            self.hands[pipe].process.kill()
            self._dismiss(pipe)

    def _give(self, pipe: Connection) -> bool:
        """The next job; False where there is none."""
        place, job = next(self._waiting, (None, None))
        if place is None:
            return False
        hand = self.hands[pipe]
        hand.place, hand.until = place, time.monotonic() + WAIT * self._seconds
        hand.given += 1
        with suppress(BrokenPipeError):  # its end is seen when it is asked
            pipe.send(job)
        return True

    def _lost(self, pipe: Connection) -> Lost:
        """Why a worker ended by itself; TextMusicError if they keep doing so at the start."""
        idle = self.hands[pipe].place is None
        late = self._dismiss(pipe) == -getattr(signal, "SIGPROF", 0)
        self._faults = self._faults + 1 if idle else 0
        if self._faults == FAULTS:
            raise TextMusicError(
                "worker processes fail to start, perhaps for lack of memory; use fewer --workers."
            ) from None
        return self._too_slow if late else Lost(CRASHED)

    def _dismiss(self, pipe: Connection) -> int | None:
        """Let a worker go; returns its exit code."""
        hand = self.hands.pop(pipe)
        pipe.close()
        hand.process.join()
        return hand.process.exitcode


# In a worker --------------------------------------------------------------------------------------


def _serve(pipe: Connection, work: Callable[[Any], Any], seconds: float) -> None:
    """Do the jobs that come, until there are no more."""
    end_with_parent()
    # its signal ends the process
    timer = partial(signal.setitimer, signal.ITIMER_PROF) if hasattr(signal, "SIGPROF") else _none
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the parent decides
    with suppress(ImportError, ValueError, OSError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # parsers print what they think of a file
        os.dup2(nowhere, stream)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        pipe.send(None)  # ready
        while True:
            job = pipe.recv()
            timer(seconds)
            try:
                result = work(job)
            except MemoryError:
                result = Lost("takes too much memory to read")
            except Exception as problem:
                why = " ".join(str(problem).split())[:100]
                result = Lost(f"can't be read ({type(problem).__name__}: {why})")
            timer(0)
            pipe.send(result)


def _none(_seconds: float) -> None:
    """Stands in where processor time can't be limited."""
