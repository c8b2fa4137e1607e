"""Whatever ends a process, its workers end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("work", ["waiting_in_a_crew", "waiting_in_a_pool"])
def test_workers_end_with_a_parent_that_is_killed(work: str, tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    script = tmp_path / "parent.py"  # a file, since spawned workers import what their parent ran
    script.write_text(
        f"from crew_jobs import {work}\n"
        f"if __name__ == '__main__':\n    {work}({[str(file) for file in files]})\n"
    )
    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    parent = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PYTHONPATH": path})
    workers: list[int] = []
    try:
        until(lambda: all(file.exists() and file.read_text() for file in files))
        workers = [int(file.read_text()) for file in files]
        assert all(map(alive, workers))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        until(lambda: not any(map(alive, workers)), 10)
    finally:
        parent.kill()
        for worker in filter(alive, workers):
            os.kill(worker, signal.SIGKILL)
