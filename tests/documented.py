"""The commands that README and docs tell people to type, run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"
# Run by .ci/run itself, in environments that it makes.
BY_CI = {
    'pip install . && textmusic generate "calm piano in D minor" -o out/',
    "pip install '.[test]' && pytest",
    "pip install torch==2.13.0 && pip install '.[train,score]'",
}


def commands(text: str) -> list[str]:
    """The lines of a page's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line]


def run(command: str, folder: Path) -> str:
    """Run a command as a page gives it, in a folder with `training/`, `benchmarks/`, `app.py`."""
    for name in ("training", "benchmarks", "app.py"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"]}
    done = subprocess.run(
        shlex.split(command), cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"
    return done.stdout
