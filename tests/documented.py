"""The commands that README and docs tell people to type, run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"
TINY = DATA / "tiny_model_int8"
# Run by .ci/run itself, in environments that it makes.
BY_CI = {
    'pip install . && textmusic generate "calm piano in D minor" -o out/',
    "pip install '.[test]' && pytest",
    "pip install torch==2.13.0 && pip install '.[train,score]'",
}
# What a checkout has and commands name.
PLACES = {
    "training": ROOT / "training",
    "examples": ROOT / "examples",
    "app.py": ROOT / "app.py",
    "benchmarks": ROOT / "benchmarks",
}


def pages() -> dict[str, str]:
    """The texts that people read, by path from the root."""
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    return {f"{file.relative_to(ROOT)}": file.read_text(encoding="utf-8") for file in sorted(files)}


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """The lines of a page's shell blocks."""
    lines = [line for block in blocks(text, "sh") for line in block.splitlines() if line]
    return [line.split("  #")[0].strip() for line in lines]


def run(command: str, folder: Path, more: Mapping[str, str] | None = None) -> str:
    """Run a command as a page gives it, in a folder that looks like a checkout; what it printed.

    more: environment variables that are set in addition.
    """
    for name, place in PLACES.items():
        if not (folder / name).exists():
            (folder / name).symlink_to(place)
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"]} | (more or {})
    done = subprocess.run(
        shlex.split(command), cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"
    return done.stdout


def walk(road: Mapping[str, str], folder: Path, more: Mapping[str, str] | None = None) -> list[str]:
    """Run a page's commands in turn; what each printed.

    road: the commands, each with what a test has to add to it: small data, few steps, no download.
    """
    cpu = ("accelerate launch", "accelerate launch --cpu")
    return [run(command.replace(*cpu) + added, folder, more) for command, added in road.items()]


def run_python(text: str, folder: Path) -> list[str]:
    """Run each Python block of a page as a script of its own; what each printed."""
    said = []
    for example in blocks(text, "python"):
        (folder / "example.py").write_text(example, encoding="utf-8")
        said.append(run(f"{sys.executable} example.py", folder))
    return said


def with_corpora(folder: Path) -> None:
    """Put the tests' pieces where pages have `corpora/` and `my-music/`."""
    for name in ("corpora", "my-music"):
        (folder / name).mkdir()
    (folder / "corpora" / "pieces").symlink_to(DATA / "pieces")
    for piece in sorted((DATA / "pieces").glob("*.mid"))[::4]:
        (folder / "my-music" / piece.name).symlink_to(piece)
