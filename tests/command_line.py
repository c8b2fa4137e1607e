"""A command of textmusic, in this process or in one of its own, and what comes of it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from textmusic.cli.main import main

posix = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")


def command(*args: str | Path) -> list[str]:
    """What starts it."""
    return [sys.executable, "-m", "textmusic", *map(str, args)]


def call(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """A command in this process: quicker, and what is no TextMusicError fails the test."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(arg) for arg in args])
    return subprocess.CompletedProcess(args, code, out.getvalue(), err.getvalue())


def run(*args: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        command(*args), capture_output=True, encoding="utf-8", timeout=300, env=environment, **more
    )


def files(folder: Path) -> list[str]:
    """The names of what a folder holds, if it is there."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def assert_refused(done: subprocess.CompletedProcess[str], *said: str) -> None:
    """One sentence for people on stderr, exit code 2."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("textmusic: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.endswith((".\n", "?\n"))
    for part in said:
        assert part in done.stderr, done.stderr
