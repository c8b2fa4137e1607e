"""Files that are served while they grow."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Message, Receive

from textmusic.music.plan import Plan
from textmusic.page.broadcast import LiveFile, answer, broadcast, route
from textmusic.writing.text_to_music import TextToMusic

PLAN = Plan(tempo=240.0, time_signature="2/4", bars=1)
SECOND = np.full((2, 44100), 0.25, dtype=np.float32)


async def listening() -> Message:
    await anyio.sleep_forever()
    raise AssertionError


async def gone() -> Message:
    return {"type": "http.disconnect"}


def request_of(receive: Receive) -> Request:
    return Request({"type": "http", "headers": []}, receive)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A file of which all is sent."""
    live_file = LiveFile(tmp_path, PLAN)
    live_file.send(SECOND)
    live_file.close()
    return tmp_path / live_file.address.removeprefix("live/")


@pytest.fixture
def listener(tmp_path: Path) -> TestClient:
    return TestClient(Starlette(routes=[route(tmp_path)]))


def test_a_whole_file(whole: Path, listener: TestClient) -> None:
    heard = listener.get(f"/live/{whole.name}")
    assert heard.status_code == 200
    assert heard.headers["content-type"] == "audio/wav"
    assert heard.headers["content-length"] == str(whole.stat().st_size)
    assert heard.content == whole.read_bytes()


@pytest.mark.parametrize(
    ("wanted", "first", "stop"),
    [("bytes=0-1", 0, 2), ("bytes=70000-", 70000, None), ("bytes=5-999999999", 5, None)],
)
def test_ranges(
    whole: Path, listener: TestClient, wanted: str, first: int, stop: int | None
) -> None:
    size = whole.stat().st_size
    heard = listener.get(f"/live/{whole.name}", headers={"Range": wanted})
    assert heard.status_code == 206
    assert heard.headers["content-range"] == f"bytes {first}-{(stop or size) - 1}/{size}"
    assert heard.content == whole.read_bytes()[first:stop]


def test_a_range_past_the_end(whole: Path, listener: TestClient) -> None:
    wanted = {"Range": f"bytes={whole.stat().st_size}-"}
    assert listener.get(f"/live/{whole.name}", headers=wanted).status_code == 416


@pytest.mark.parametrize("name", ["none.wav", "..%2Fsecret.wav", "%2Fetc%2Fpasswd", "secret.txt"])
def test_nothing_else_is_served(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.wav").write_bytes(bytes(50))
    (inner / "secret.txt").write_bytes(bytes(50))
    listener = TestClient(Starlette(routes=[route(inner)]))
    assert listener.get(f"/live/{name}").status_code == 404


def test_what_is_sent_is_heard_before_the_end(tmp_path: Path) -> None:
    live_file = LiveFile(tmp_path, PLAN)
    path = tmp_path / live_file.address.removeprefix("live/")

    async def hear() -> bytes:
        response = answer(path, request_of(listening))
        body: AsyncIterator[bytes] = response.body_iterator  # type: ignore[attr-defined]
        heard = b""
        live_file.send(SECOND)
        with anyio.fail_after(30):
            while len(heard) < 44 + 4 * 44100:
                heard += await anext(body)
            live_file.close()
            async for data in body:
                heard += data
        return heard

    heard = anyio.run(hear)
    assert heard == path.read_bytes()
    assert heard[44 : 44 + 4 * 44100] == np.full(2 * 44100, 8192, dtype="<i2").tobytes()
    assert not any(heard[44 + 4 * 44100 :])


def test_nobody_listens_any_more(tmp_path: Path) -> None:
    live_file = LiveFile(tmp_path, PLAN)
    path = tmp_path / live_file.address.removeprefix("live/")

    async def hear() -> bytes:
        response = answer(path, request_of(gone))
        with anyio.fail_after(30):  # the file is never finished
            return b"".join([data async for data in response.body_iterator])  # type: ignore

    assert anyio.run(hear) == b""


def test_a_stream_that_is_left_ends_its_file(tiny: TextToMusic, tmp_path: Path) -> None:
    sending = broadcast(tiny.stream_audio("piano, 8 bars", seed=1), tmp_path)
    bar, address = next(sending)
    path = tmp_path / address.removeprefix("live/")
    stated = int.from_bytes(path.read_bytes()[40:44], "little")
    assert bar.index == 0
    assert path.stat().st_size < stated
    sending.close()
    assert path.stat().st_size == 44 + stated
    written = path.stat().st_blocks * 512
    assert written < 0.9 * stated, "the silence behind the first bar is no data on the disk"


def test_old_files_go(whole: Path, tmp_path: Path) -> None:
    LiveFile(tmp_path, PLAN).close()
    assert whole.exists()
    os.utime(whole, (0, 0))
    LiveFile(tmp_path, PLAN).close()
    assert not whole.exists()


@pytest.mark.parametrize(
    "name",
    ["a" * 300 + ".wav", "a" * 5_000 + ".wav", "%00.wav", "..%2f..%2fx.wav", "a.mp3", ".wav"],
)
def test_names_that_no_file_has_are_not_found(name: str, listener: TestClient) -> None:
    assert listener.get(f"/live/{name}").status_code == 404


@pytest.mark.parametrize(
    "said", ["9" * 5_000 + "-", "9" * 5_000 + "-" + "9" * 5_000, "9" * 5_000 + "-5", "7-3"]
)
def test_ranges_behind_the_end_are_refused(said: str, whole: Path, listener: TestClient) -> None:
    heard = listener.get(f"/live/{whole.name}", headers={"Range": f"bytes={said}"})
    assert heard.status_code == 416


def test_an_end_of_thousands_of_digits_is_the_end(whole: Path, listener: TestClient) -> None:
    heard = listener.get(f"/live/{whole.name}", headers={"Range": f"bytes=4-{'9' * 5_000}"})
    assert heard.status_code == 206 and heard.content == whole.read_bytes()[4:]
