"""A program of this machine that plays a WAV file while it is still being written."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import TracebackType

from textmusic.errors import TextMusicError


@dataclass(frozen=True, slots=True)
class PlayerCommand:
    """A player: its name, and how it is told to read a WAV file from standard input.

    piped: False where it can't; it is then given the file once that is whole.
    """

    name: str
    arguments: tuple[str, ...] = ()
    piped: bool = True


PLAYER_COMMANDS = (
    PlayerCommand("ffplay", ("-nodisp", "-autoexit", "-loglevel", "error", "-i", "-")),
    PlayerCommand("aplay", ("-q", "-")),
    # It takes the header for sound too: a quarter of a millisecond.
    PlayerCommand("paplay", ("--raw", "--format=s16le", "--rate=44100", "--channels=2")),
    PlayerCommand("play", ("-q", "-t", "wav", "-")),
    PlayerCommand("afplay", piped=False),
)


def find_player() -> PlayerCommand:
    """The first of `PLAYER_COMMANDS` that is on this machine; raises TextMusicError if none is."""
    for command in PLAYER_COMMANDS:
        if shutil.which(command.name):
            return command
    names = ", ".join(command.name for command in PLAYER_COMMANDS)
    raise TextMusicError(
        f"there is no player for --play ({names}); install one, for instance ffmpeg, or leave out"
        " --play and open the WAV file."
    )


class Player:
    """Plays the WAV file that is written to it, in a `with` block.

    An exception in the block, as Ctrl-C is, stops the music at once.
    """

    def __init__(self, command: PlayerCommand) -> None:
        self.command = command
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  (closed on leaving the block)
        # A player takes no more than it plays, and the writing is not to wait for that.
        feed = self._through_a_pipe if command.piped else self._through_a_file
        self._feeder = Thread(target=feed, daemon=True)

    def __enter__(self) -> Player:
        if self.command.piped:
            self._start(*self.command.arguments)
        self._feeder.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped = kind is not None
        if self._process is not None and self._stopped:
            self._process.kill()
        self._waiting.put(None)
        self._feeder.join()
        self._said.close()

    def write(self, data: bytes) -> None:
        """Hand on the next bytes of the file; returns at once."""
        self._waiting.put(data)

    def finish(self) -> str | None:
        """Wait until all has been played; returns what the player complains of, if it fails."""
        self._waiting.put(None)
        self._feeder.join()
        if self._process is None or self._process.returncode == 0:
            return None
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no reason given")
        return f"{self.command.name} failed ({last})"

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [self.command.name, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
        )
        return self._process

    def _through_a_pipe(self) -> None:
        assert self._process is not None and self._process.stdin is not None
        with suppress(BrokenPipeError):  # it ended early: `finish` says so
            for data in iter(self._waiting.get, None):
                self._process.stdin.write(data)
                self._process.stdin.flush()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _through_a_file(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "music.wav"
            with path.open("wb") as file:
                file.writelines(iter(self._waiting.get, None))
            if not self._stopped:
                self._start(str(path)).wait()
