"""Players: found on the path, fed while the music is written, silenced when it is stopped."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from textmusic.errors import TextMusicError
from textmusic.sound.player import PLAYER_COMMANDS, Player, find_player

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the players here are shell scripts")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, script: str) -> None:
    """Put a program there that is a shell script."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def wait_for(file: Path, size: int) -> None:
    deadline = time.monotonic() + 30
    while not file.exists() or file.stat().st_size < size:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_first_that_is_there_is_taken(path: Path) -> None:
    with pytest.raises(TextMusicError, match=r"no player.*install one"):
        find_player()
    for program in reversed(PLAYER_COMMANDS):
        install(path, program.name, "exit 0")
        assert find_player() == program


@pytest.mark.parametrize("name", ["ffplay", "aplay", "paplay", "play"])
def test_it_is_fed_while_the_rest_is_still_unknown(path: Path, tmp_path: Path, name: str) -> None:
    heard = tmp_path / "heard"
    install(path, name, f'/bin/cat > "{heard}"')
    with Player(find_player()) as player:
        player.write(b"a" * 100_001)
        wait_for(heard, 100_001)
        player.write(b"")
        player.write(b"b")
        assert player.finish() is None
    assert heard.read_bytes() == b"a" * 100_001 + b"b"


def test_one_that_reads_no_pipe_gets_a_file(path: Path, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    install(path, "afplay", f'case "$1" in *.wav) /bin/cat "$1" > "{heard}";; esac')
    with Player(find_player()) as player:
        player.write(b"abc")
        player.write(b"def")
        assert player.finish() is None
    assert heard.read_bytes() == b"abcdef"


def test_writing_does_not_wait_for_the_player(path: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    install(path, "aplay", f'while [ ! -e "{go}" ]; do /bin/sleep 0.01; done; /bin/cat > /dev/null')
    with Player(find_player()) as player:
        for _ in range(100):
            player.write(bytes(1 << 16))  # a pipe holds one of them
        go.touch()
        assert player.finish() is None


@pytest.mark.parametrize("read", ["", "/bin/cat > /dev/null"])
def test_a_player_that_fails_is_told_of(path: Path, read: str) -> None:
    install(path, "aplay", f"{read}\necho 'audio open error: no device' >&2; exit 1")
    with Player(find_player()) as player:
        for _ in range(4):
            player.write(bytes(1 << 17))
        assert player.finish() == "aplay failed (audio open error: no device)"


def test_it_falls_silent_when_the_work_is_stopped(path: Path, tmp_path: Path) -> None:
    number = tmp_path / "number"
    install(path, "aplay", f'echo $$ > "{number}"; exec /bin/sleep 600')

    def stopped() -> None:
        with Player(find_player()) as player:
            player.write(bytes(1 << 20))
            wait_for(number, 2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)
