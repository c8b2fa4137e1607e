"""How scripts end, and that all of them do."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from textmusic.errors import TextMusicError
from textmusic.system.scripts import ended

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted([*(ROOT / "training").glob("*.py"), ROOT / "benchmarks" / "benchmark.py"])


def test_what_a_person_can_solve_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise TextMusicError("there is no data; prepare some.")

    assert ended(main, "x.py") == 2
    assert capsys.readouterr() == ("", "x.py: there is no data; prepare some.\n")


def test_a_code_is_kept_and_a_defect_shows_itself() -> None:
    def broken() -> int:
        raise ZeroDivisionError

    assert (ended(lambda: None, "x.py"), ended(lambda: 130, "x.py")) == (0, 130)
    with pytest.raises(ZeroDivisionError):
        ended(broken, "x.py")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_ends_that_way_and_explains_its_options(script: Path) -> None:
    text = script.read_text("utf-8")
    assert text.endswith(f'sys.exit(ended(main, "{script.name}"))\n')
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument":
            said = next(ast.unparse(k.value) for k in call.keywords if k.arg == "help")
            assert said == "argparse.SUPPRESS" or said.strip("'\"").endswith("."), said


def test_a_missing_folder_is_said_in_a_sentence(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "training" / "describe.py", tmp_path / "gone"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.startswith("describe.py: ") and done.stderr.endswith(".\n")
