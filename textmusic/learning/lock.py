"""One process at a time trains in a run's folder, and others can tell whether one does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textmusic.errors import TextMusicError

FILE = "lock"

if sys.platform != "win32":
    import fcntl


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder; the system lets go of it however the process ends.

    Raises TextMusicError where another process holds it.
    """
    if sys.platform == "win32":  # it has no such locks
        yield
        return
    with (folder / FILE).open("a") as file:
        try:
            # of this process alone: one that it forks to write batches does not keep it
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TextMusicError(
                f"another process is training in '{folder}'; stop it, or choose another folder."
            ) from None
        yield


def is_held(folder: Path) -> bool:
    """Whether another process trains in a folder."""
    if sys.platform == "win32" or not (folder / FILE).exists():
        return False
    with (folder / FILE).open("a") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
