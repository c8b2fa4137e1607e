"""Worker processes end when the process that started them does, even if that is killed."""

from __future__ import annotations

import os
from multiprocessing import connection, parent_process
from threading import Thread


def end_with_parent() -> None:
    """In a process of multiprocessing: watch for the end of its parent, and end then at once.

    Works on every system, and with every start method: the parent holds the other end of a pipe
    (on Windows, it is a handle). Linux's PR_SET_PDEATHSIG would not do: the parent that it means is
    a thread, or the fork server.
    """
    parent = parent_process()
    if parent is not None:
        Thread(target=_watch, args=(parent.sentinel,), name="lifeline", daemon=True).start()


def _watch(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)  # nobody is left to whom anything could be told; files are whole or not there
