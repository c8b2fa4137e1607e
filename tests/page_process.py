"""What tests of the finished page share: it runs in a process of its own and is asked over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    """This process's environment, in which `python` is this Python."""
    scripts = str(Path(sys.executable).parent)
    return os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"]} | more


@contextmanager
def serving(
    command: Sequence[str], port: int, folder: Path, variables: Mapping[str, str]
) -> Iterator[str]:
    """Run a command that serves a page on a port; yields the page's address once it answers."""
    address, log = f"http://127.0.0.1:{port}/", folder / "page.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(**variables), stdout=file, stderr=file
        )
    try:
        deadline = time.monotonic() + 300
        while not _answers(address):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=10) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
