"""WAV files that a browser plays while they are still being written.

A web page's own player needs nothing but HTTP for that: the answer states the file's whole length
and comes as fast as the music is written, or from wherever the player asks for it.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import AsyncIterator, Generator
from contextlib import suppress
from pathlib import Path

import anyio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from textmusic.music.plan import Plan
from textmusic.result.generation import Generation
from textmusic.sound.soundfont import Wave
from textmusic.system.streams import Stream
from textmusic.writing.live_audio import HEADER, LiveWav
from textmusic.writing.written import Bar

PREFIX = "live"
"""Where the files are, below the page's own address."""

_BLOCK = 1 << 16  # bytes sent at a time
_LOOK_AGAIN = 0.05  # seconds
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\.wav")
_DIGITS = 18  # of a place in a file
_KEPT = 3600  # seconds after its last sound


class LiveFile:
    """One piece being sent: a growing file, and its address, which cannot be guessed."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        """folder: where the file goes; it stays for an hour at least."""
        folder.mkdir(parents=True, exist_ok=True)
        _forget(folder)
        path = folder / f"{secrets.token_urlsafe(16)}.wav"
        self.address = f"{PREFIX}/{path.name}"
        self._file = path.open("wb", buffering=0)
        self._wav = LiveWav(self._file.write, plan)

    def send(self, audio: Wave) -> None:
        """Add audio (2, samples), -1 .. 1; whoever listens hears it."""
        self._wav.add(audio)

    def close(self) -> None:
        """End the file, with silence where music was still to come; that takes no room."""
        self._file.truncate(self._wav.length)
        self._file.close()


def broadcast(
    stream: Generator[tuple[Bar, Wave], None, Generation], folder: Path
) -> Generator[tuple[Bar, str], None, Generation]:
    """Send what `TextToMusic.stream_audio` yields, and return what it returns.

    Yields (bar, address) when a bar can be heard; the address is relative to the page's. Closed
    early, it ends the file.
    """
    live_file, bars = None, Stream(stream)
    try:
        for bar, audio in bars:
            live_file = live_file or LiveFile(folder, bar.plan)
            live_file.send(audio)
            yield bar, live_file.address
        return bars.result
    finally:
        if live_file:
            live_file.close()


def _forget(folder: Path) -> None:
    """Remove the files that nobody listens to any more."""
    for path in folder.glob("*.wav"):
        with suppress(OSError):  # another piece that begins has just done it
            if time.time() - path.stat().st_mtime > _KEPT:
                path.unlink()


def route(folder: Path) -> Route:
    """The route that serves the files in `folder`, those that are still being written too."""

    async def serve(request: Request) -> Response:
        name = request.path_params["name"]
        path = folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            return Response(status_code=404)
        return answer(path, request)

    return Route(f"/{PREFIX}/{{name}}", serve)


def answer(path: Path, request: Request) -> Response:
    """A file of `LiveFile`, or the range of it that the request wants."""
    with path.open("rb") as file:
        size = HEADER + int.from_bytes(file.read(HEADER)[-4:], "little")
    first, stop, status = 0, size, 200
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    if match := re.fullmatch(r"bytes=([0-9]+)-([0-9]*)", request.headers.get("range", "")):
        first, last = (_place(said, size) for said in match.groups())
        stop = min(last + 1, size)
        if first >= stop:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
        headers["Content-Range"], status = f"bytes {first}-{stop - 1}/{size}", 206
    headers["Content-Length"] = str(stop - first)
    body = _read(path, first, stop, request)
    return StreamingResponse(body, status, headers, media_type="audio/wav")


def _place(said: str, size: int) -> int:
    """A place in a file of `size` bytes; the end where none is named, or one far behind it."""
    return size if not said or len(said) > _DIGITS else int(said)


async def _read(path: Path, first: int, stop: int, request: Request) -> AsyncIterator[bytes]:
    """The bytes from `first` to `stop`, as soon as they are there, while somebody listens."""
    with path.open("rb", buffering=0) as file:
        while first < stop and not await request.is_disconnected():
            file.seek(first)
            data = file.read(min(_BLOCK, stop - first))
            first += len(data)
            if data:
                yield data
            else:
                await anyio.sleep(_LOOK_AGAIN)
