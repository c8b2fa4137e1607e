"""The same work in processes and on a Ray cluster: each item once, whatever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from textmusic.cli.main import main
from textmusic.errors import TextMusicError
from textmusic.system.workers import Post, Work, _connected, spread

WORKERS = 2


def each(function: Callable[[Any], Any], _post: Post) -> Work[Any, Any]:
    """A worker that calls a function with every item."""
    return partial(map, function)


def mapped(function: Callable[[Any], Any], items: Sequence[Any], **where: Any) -> list[Any]:
    return list(spread(partial(each, function), items, **where))


def test_processes_give_every_result_once() -> None:
    found = mapped(abs, [*range(-50, 50)], workers=WORKERS)
    assert sorted(found) == sorted(abs(n) for n in range(-50, 50)), "in whatever order"
    assert mapped(abs, [], workers=WORKERS) == []


def test_a_process_that_dies_ends_the_work_in_words() -> None:
    with pytest.raises(TextMusicError, match="a worker process ended early"):
        mapped(os._exit, [1], workers=1)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense", "ray://127.0.0.1:10001", "a:b", ""])
def test_where_no_cluster_answers_it_is_said(address: str) -> None:
    with pytest.raises(TextMusicError, match="no Ray cluster answers at"):
        mapped(abs, [1], ray=address)


def test_without_ray_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(TextMusicError, match=r"pip install 'textmusic\[ray\]'"):
        mapped(abs, [1], ray="local")


# A cluster ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A cluster of two cores on this machine, that this process is in."""
    with _connected("local", WORKERS) as (ray, _):
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # which workers lack
        yield
        ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.mark.ray
@pytest.mark.usefixtures("cluster")
def test_a_cluster_gives_every_result_once() -> None:
    assert sorted(mapped(abs, [*range(-99, 0)], ray="local")) == [*range(1, 100)]
    assert mapped(abs, [], ray="local") == []


@pytest.mark.ray
@pytest.mark.usefixtures("cluster")
def test_what_kills_every_worker_is_not_tried_for_ever() -> None:
    with pytest.raises(TextMusicError, match="a Ray worker died 4 times on the same work"):
        mapped(os._exit, [1], ray="local")


@pytest.mark.ray
@pytest.mark.usefixtures("cluster")
def test_what_the_machines_of_a_cluster_lack_is_said() -> None:
    import ray

    module = sys.modules[__name__]
    ray.cloudpickle.unregister_pickle_by_value(module)
    try:
        with pytest.raises(TextMusicError, match=r"or none \(No module named 'test_workers'"):
            mapped(abs, [1], ray="local")
    finally:
        ray.cloudpickle.register_pickle_by_value(module)


@pytest.mark.ray
@pytest.mark.usefixtures("cluster")
def test_a_defect_in_the_work_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        mapped((1.0).__truediv__, [1.0, 0.0], ray="local")


@pytest.mark.ray
@pytest.mark.usefixtures("cluster")
def test_what_a_prompt_or_a_model_lacks_is_said_as_without_a_cluster(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text('{"text": "one", "bars": 2}\n{"text": "two", "key": "Q major"}\n')
    args = ["batch", str(file), "-o", str(tmp_path / "out"), "--no-audio", "--ray", "local"]
    assert main([*args, "--model", str(tiny_model)]) == 1
    said = capsys.readouterr()
    assert "2 prompts: 1 written, 0 skipped (already there), 1 failed in" in said.out
    assert said.err.startswith("prompt 2 failed: 'Q major'")
    assert main([*args, "--model", str(tmp_path)]) == 2
    assert "not a complete textmusic model" in capsys.readouterr().err


# A worker that is killed --------------------------------------------------------------------------


def processes_below(parent: int) -> dict[int, str]:
    """Titles of the processes below another, by id."""
    parents, titles = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile
            number, status = int(folder.name), (folder / "status").read_text()
            titles[number] = (folder / "cmdline").read_bytes().decode().strip("\0 ")
            parents[number] = int(status.split("PPid:")[1].split()[0])

    def below(process: int) -> bool:
        return process == parent or (process in parents and below(parents[process]))

    return {process: title for process, title in titles.items() if below(process)}


def working(parent: int) -> list[int]:
    """The Ray workers that are at a chunk at this moment."""
    below = processes_below(parent)
    return [process for process, title in below.items() if title == "ray::_RayWorker.work"]


@pytest.mark.ray
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="finds workers in /proc")
def test_a_killed_worker_costs_no_prompt_and_none_comes_twice(
    tiny_model: Path, tmp_path: Path
) -> None:
    """The command itself, a cluster of its own, SIGKILL: the files are those without Ray."""
    n = 60
    lines = [{"text": f"tune {k}", "bars": 4 + k % 5} for k in range(n)]
    file = tmp_path / "prompts.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    model = os.path.relpath(tiny_model)  # workers may have another working directory
    args = ["batch", str(file), "--model", model, "--no-audio", "--seed", "7"]
    out = tmp_path / "ray"
    command = [sys.executable, "-m", "textmusic", *args, "-o", str(out)]
    process = subprocess.Popen(
        [*command, "--ray", "local", "--workers", str(WORKERS)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (out.exists() and (victims := working(process.pid))):  # a chunk has come back
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(victims[0], signal.SIGKILL)
    there = len(list(out.glob("*.json")))
    said, complaints = process.communicate(timeout=120)
    assert process.returncode == 0, complaints
    assert 0 < there < n, "it was killed in the middle"
    assert f"{n} prompts: {n} written, 0 skipped (already there), 0 failed in" in said
    assert "Traceback" not in complaints

    assert main([*args, "-o", str(tmp_path / "plain"), "--workers", "1"]) == 0
    names = sorted(path.name for path in (tmp_path / "plain").iterdir())
    assert sorted(path.name for path in out.iterdir()) == names and len(names) == 2 * n
    for name in names:
        assert (out / name).read_bytes() == (tmp_path / "plain" / name).read_bytes(), name
