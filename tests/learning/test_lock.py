"""A run's folder is one process's at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from textmusic.errors import TextMusicError
from textmusic.learning.lock import held, is_held

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there are no such locks on this system"
)
HOLD = """
import sys, time
from pathlib import Path
from textmusic.learning.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_another_process_is_kept_out_until_the_first_one_is_gone(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout and other.stdout.readline() == "held\n"
        assert is_held(tmp_path)
        with pytest.raises(TextMusicError, match="another process is training"), held(tmp_path):
            pass
    finally:
        other.kill()
        other.wait()
    assert not is_held(tmp_path)
    with held(tmp_path):
        pass
