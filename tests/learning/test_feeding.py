"""Batches written ahead in a process beside: the same, in the same order."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from tiny_run import STEPS, losses, make_run  # noqa: E402

from textmusic.errors import TextMusicError  # noqa: E402
from textmusic.learning import feeding  # noqa: E402
from textmusic.learning.examples import Examples, batches  # noqa: E402
from textmusic.learning.feeding import AHEAD, ahead, can_fork  # noqa: E402
from textmusic.models.llm import new_llm  # noqa: E402
from textmusic.tokens.tokenizer import Tokenizer  # noqa: E402

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded"),
]
torch.set_num_threads(1)
forked = pytest.mark.skipif(not can_fork(), reason="processes can't be forked here")


def test_they_are_the_same_batches_in_the_same_order(examples: Examples) -> None:
    make = partial(batches, examples, tokens=600, reading=lambda n: 0.3, seed=1, skip=3)
    for one, two in itertools.islice(zip(make(), ahead(make), strict=True), 20):
        assert one.keys() == two.keys()
        assert np.array_equal(one["ids"], two["ids"])
        assert np.array_equal(one["labels"], two["labels"])
        assert one["notes"] == two["notes"]


@forked
def test_they_are_written_before_they_are_due_but_not_without_end() -> None:
    made = multiprocessing.get_context("fork").Value("i", 0)

    def count() -> Iterator[dict[str, Any]]:
        for number in itertools.count():
            made.value = number
            yield {"ids": np.zeros(1)}

    feed = ahead(count)
    next(feed)
    for _ in range(200):
        if made.value >= AHEAD:
            break
        time.sleep(0.02)
    time.sleep(0.1)
    assert AHEAD <= made.value <= AHEAD + 2


@forked
def test_the_process_goes_with_the_feed() -> None:
    before = set(multiprocessing.active_children())
    feed = ahead(lambda: iter([{"ids": np.zeros(1)}] * 1000))
    next(feed)
    assert set(multiprocessing.active_children()) - before
    del feed
    assert not set(multiprocessing.active_children()) - before


def _read_one_for_ever(examples: Examples, told: Any) -> None:
    feed = ahead(partial(batches, examples, tokens=60_000, reading=lambda n: 0.0, seed=1))
    next(feed)
    told.send([child.pid for child in multiprocessing.active_children()])
    time.sleep(600)


@forked
def test_a_killed_training_leaves_no_process_behind(examples: Examples) -> None:
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    training = fork.Process(target=_read_one_for_ever, args=(examples, there))
    training.start()
    (writer,) = here.recv()
    training.kill()
    training.join()
    for _ in range(400):
        if not _runs(writer):
            return
        time.sleep(0.1)
    os.kill(writer, signal.SIGKILL)
    pytest.fail("the process that writes batches outlives the training")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_what_goes_wrong_in_it_is_said() -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield {"ids": np.zeros(1)}
        raise TextMusicError("the file is broken; make it anew.")

    feed = ahead(broken)
    next(feed)
    with pytest.raises(TextMusicError, match="make it anew"):
        next(feed)


def test_without_fork_they_are_written_when_they_are_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeding, "can_fork", lambda: False)
    made = iter([{"ids": np.zeros(1)}])
    assert ahead(lambda: made) is made


def test_a_run_comes_to_the_same_and_says_what_it_waited(
    base: Path, examples: Examples, tmp_path: Path
) -> None:
    for name, beside in (("beside", True), ("within", False)):
        model = new_llm(str(base), len(Tokenizer(base).vocabulary))
        make_run(model, tmp_path / name, examples, replace(STEPS, steps=4, ahead=beside)).train()
    assert losses(tmp_path / "beside") == losses(tmp_path / "within")
    rows = [json.loads(line) for line in (tmp_path / "beside/log.jsonl").read_text().splitlines()]
    steps = [row for row in rows if "loss" in row]
    assert all(0 <= row["waited"] <= row["seconds"] for row in steps)
