"""Jobs for worker processes: some do not end well."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any


def work(job: str) -> str:
    match job:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(3)
        case "toil":
            while True:
                pass
        case "hang":
            time.sleep(60)
        case "raise":
            raise ValueError("no music\nat all")
        case "memory":
            return bytes(1 << 40).decode()
        case "pid":
            return str(os.getpid())
        case "slow":
            time.sleep(0.3)
        case "print":
            os.write(1, b"a parser's opinion\n")
    return f"{job} done"


def pid_and_wait(job: str) -> str:
    """Say who works at it, in a file, and be at it for longer than any test."""
    Path(job).write_text(str(os.getpid()))
    time.sleep(300)
    return job


def waiting_in_a_crew(files: list[str]) -> None:
    """Let two workers be at a job each."""
    from textmusic.system.crew import outcomes

    list(outcomes(pid_and_wait, files, workers=2, seconds=300))


def waiting_in_a_pool(files: list[str]) -> None:
    """The same for the workers of a batch."""
    from textmusic.system.workers import spread

    list(spread(partial(_each, pid_and_wait), files, workers=2))


def _each(function: Callable[[Any], Any], _post: object) -> partial[Any]:
    return partial(map, function)
