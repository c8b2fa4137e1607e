"""A run that is killed, whose loss is no number, whose disk is full: what it leaves."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import random
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the train extra")

import torch
from tiny_run import STEPS, losses, make_run

from textmusic.errors import TextMusicError
from textmusic.learning import checkpoint
from textmusic.learning.checkpoint import FILE, NEXT
from textmusic.learning.examples import Examples
from textmusic.learning.lock import held
from textmusic.models.llm import MusicLLM, load_llm, new_llm, with_lora
from textmusic.tokens.tokenizer import Tokenizer

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded"),
]
torch.set_num_threads(1)
SOME = replace(STEPS, steps=24, evaluate_every=5, ema=0.8)


def new_model(base: Path) -> MusicLLM:
    """The same each time: a run begins with it, or puts its checkpoint into it."""
    return with_lora(new_llm(str(base), len(Tokenizer(base).vocabulary)), 4)


def train(base: Path, folder: Path, examples: Examples) -> None:
    torch.set_num_threads(1)
    make_run(new_model(base), folder, examples, SOME).train()


def started(*args: Any, target: Callable[..., None] = train) -> Any:
    """A process that trains, forked: it has all that is imported here."""
    child = multiprocessing.get_context("fork").Process(target=target, args=args)
    child.start()
    return child


@pytest.fixture(scope="module")
def whole(base: Path, examples: Examples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nobody stopped."""
    folder = tmp_path_factory.mktemp("whole")
    train(base, folder, examples)
    assert len(losses(folder)) == SOME.steps
    assert len(losses(folder, "held_out")) == 1 + 5, "before, every five steps, and at the end"
    return folder


def same(folder: Path, whole: Path) -> None:
    """Two runs came to the same, bit by bit, and left nothing half written."""
    for kind in ("loss", "held_out"):
        assert losses(folder, kind) == losses(whole, kind)
    ours, theirs = (checkpoint.load_file(run / FILE) for run in (folder, whole))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    mine, others = (load_llm(run / "best").rows for run in (folder, whole))
    assert torch.equal(mine, others)
    assert not [*folder.glob("*.partial"), *folder.glob("*.old")]


# Kills --------------------------------------------------------------------------------------------


def test_killed_again_and_again_it_comes_to_the_same(
    base: Path, examples: Examples, whole: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    kills = 0
    for _ in range(8):
        before = log.stat().st_mtime_ns if log.exists() else 0
        child = started(base, tmp_path, examples)
        while child.is_alive() and not (log.exists() and log.stat().st_mtime_ns != before):
            time.sleep(0.01)  # until it has begun, however busy the machine is
        child.join(random.uniform(0, 0.4))
        if child.exitcode is None:
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            kills += 1
    assert kills
    train(base, tmp_path, examples)
    same(tmp_path, whole)


def killed_in(name: str, after: int, base: Path, folder: Path, examples: Examples) -> None:
    """Train, and be killed in the `after`-th call of a function that writes, half done."""
    original, calls = getattr(checkpoint, name), 0

    def dying(*args: Any, **options: Any) -> None:
        nonlocal calls
        calls += 1
        if calls < after:
            original(*args, **options)
            return
        if name == "save_file":
            original(*args, **options)
            os.truncate(args[1], args[1].stat().st_size // 2)
        elif name == "replace_folder":
            args[1].rename(args[1].with_name("best.old"))
        else:
            with (folder / "log.jsonl").open("a") as log:
                log.write('{"step": 9, "lo')
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(checkpoint, name, dying)
    train(base, folder, examples)


@pytest.mark.parametrize("name", ["save_file", "replace_folder", "confirm"])
def test_killed_while_it_writes_it_comes_to_the_same(
    name: str, base: Path, examples: Examples, whole: Path, tmp_path: Path
) -> None:
    child = started(name, 3, base, tmp_path, examples, target=killed_in)
    child.join()
    assert child.exitcode == -signal.SIGKILL
    if name == "save_file":
        assert (tmp_path / NEXT).exists(), "half a checkpoint"
    train(base, tmp_path, examples)
    same(tmp_path, whole)


def hold(folder: Path, ready: Any) -> None:
    with held(folder):
        ready.set()
        time.sleep(600)


def test_a_second_start_leaves_the_first_one_s_files_alone(
    base: Path, examples: Examples, tmp_path: Path
) -> None:
    for name in (NEXT, "log.jsonl", "training.json"):
        (tmp_path / name).write_text("of the first one\n")
    ready = multiprocessing.get_context("fork").Event()
    first = started(tmp_path, ready, target=hold)
    try:
        assert ready.wait(60)
        with pytest.raises(TextMusicError, match="another process is training"):
            make_run(new_model(base), tmp_path, examples, SOME).train()
    finally:
        first.kill()
        first.join()
    for name in (NEXT, "log.jsonl", "training.json"):
        assert (tmp_path / name).read_text() == "of the first one\n", name


def test_a_run_of_another_model_is_not_gone_on_with(
    base: Path, examples: Examples, whole: Path, tmp_path: Path
) -> None:
    vocabulary = len(Tokenizer(base).vocabulary)
    (tmp_path / FILE).write_bytes((whole / FILE).read_bytes())
    with pytest.raises(TextMusicError, match="is not a checkpoint of this model"):
        make_run(new_llm(str(base), vocabulary), tmp_path, examples, SOME)
    with pytest.raises(TextMusicError, match="is not a checkpoint of this model"):
        make_run(with_lora(new_llm(str(base), vocabulary), 8), tmp_path, examples, SOME)
    (tmp_path / FILE).write_bytes((whole / FILE).read_bytes()[:1000])
    with pytest.raises(TextMusicError, match="is not a checkpoint of this model"):
        make_run(new_model(base), tmp_path, examples, SOME)


# Losses -------------------------------------------------------------------------------------------


def poisoned(run: Any, step: int) -> None:
    """Let the weights be no numbers from a step on, as after a step that was too long."""
    feed = run.make_batches

    def batches(lane: int, skip: int) -> Any:
        for number, batch in enumerate(feed(lane, skip), skip):
            if number == step:
                with torch.no_grad():
                    next(p for p in run.plain.parameters() if p.requires_grad).fill_(math.nan)
            yield batch

    run.make_batches = batches


def test_a_loss_that_is_no_number_leaves_the_last_good_checkpoint(
    base: Path, examples: Examples, whole: Path, tmp_path: Path
) -> None:
    run = make_run(new_model(base), tmp_path, examples, SOME)
    poisoned(run, 8)
    with pytest.raises(TextMusicError) as caught:
        run.train()
    assert str(caught.value) == (
        "the loss is not a number at step 8; start again with a lower learning rate than"
        " 0.01; it continues from the checkpoint of step 7."
    )
    kept = checkpoint.load_file(tmp_path / FILE)
    assert all(torch.isfinite(value).all() for value in kept.values())
    lower = replace(SOME, learning_rate=1e-3)
    again = make_run(new_model(base), tmp_path, examples, lower)
    assert again.step == 7
    again.train()
    assert losses(tmp_path)[:8] == losses(whole)[:8]
    assert losses(tmp_path)[9:] != losses(whole)[9:]


def test_weights_that_no_loss_has_confirmed_are_no_checkpoint(
    base: Path, examples: Examples, tmp_path: Path
) -> None:
    """The step that ruins the weights has a loss that is still fine."""
    wild = replace(SOME, learning_rate=1e30, clip=1e30, beta1=0.0)
    with pytest.raises(TextMusicError, match=r"not a number at step 1; .*it starts over"):
        make_run(new_model(base), tmp_path, examples, wild).train()
    assert not (tmp_path / FILE).exists()
    train(base, tmp_path, examples)
    assert len(losses(tmp_path)) == SOME.steps


# The disk -----------------------------------------------------------------------------------------


@pytest.fixture
def full_disk() -> Any:
    """A function that lets no file grow beyond so many bytes, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("left", ["checkpoint", "log"])
def test_a_full_disk_is_said_and_the_last_checkpoint_kept(
    left: str, base: Path, examples: Examples, whole: Path, tmp_path: Path, full_disk: Any
) -> None:
    run = make_run(new_model(base), tmp_path, examples, SOME)
    feed = run.make_batches

    def batches(lane: int, skip: int) -> Any:
        for number, batch in enumerate(feed(lane, skip)):
            if number == 6:
                file = tmp_path / (FILE if left == "checkpoint" else "log.jsonl")
                full_disk(file.stat().st_size // 2)
            yield batch

    run.make_batches = batches
    with pytest.raises(TextMusicError) as caught:
        run.train()
    resource.setrlimit(resource.RLIMIT_FSIZE, resource.getrlimit(resource.RLIMIT_FSIZE)[1:] * 2)
    said = str(caught.value)
    assert said.startswith(f"a file in '{tmp_path}' could not be written (")
    assert "File too large" in said and "free some space and start again" in said
    assert "it continues from the checkpoint of step" in said
    assert not [*tmp_path.glob("*.partial"), *tmp_path.glob("*.old")]
    train(base, tmp_path, examples)
    same(tmp_path, whole)


# Settings -----------------------------------------------------------------------------------------


def test_what_was_left_open_stays_as_it_was_settled(
    base: Path, examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textmusic.learning.settings.bf16_is_faster", lambda: False)
    open_one = replace(SOME, bf16=None, steps=1)
    run = make_run(new_model(base), tmp_path, examples, open_one)
    assert run.training.bf16 is False
    run.train()
    monkeypatch.setattr("textmusic.learning.settings.bf16_is_faster", lambda: True)
    assert make_run(new_model(base), tmp_path, examples, open_one).training.bf16 is False
    about = json.loads((tmp_path / "training.json").read_text())
    assert (about["bf16"], about["global_batch"]) == (False, 1)


def test_a_tracker_that_is_missing_is_named(
    base: Path, examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textmusic.learning.settings.find_spec", lambda name: None)
    for name in ("tensorboard", "trackio"):
        with pytest.raises(
            TextMusicError, match=f"{name} is not installed; run pip install {name}"
        ):
            make_run(new_model(base), tmp_path, examples, replace(SOME, tracker=name))
    with pytest.raises(
        TextMusicError, match="'x' is not a known tracker; choose none, tensorboard"
    ):
        make_run(new_model(base), tmp_path, examples, replace(SOME, tracker="x"))
