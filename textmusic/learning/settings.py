"""What of a run's settings is fixed when it starts: the schedule, what suits this machine."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from warnings import filterwarnings

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, parse_flag_from_env
from transformers.utils.logging import disable_progress_bar

from textmusic.errors import TextMusicError
from textmusic.learning.config import Training
from textmusic.models.attention import blocks_are_faster

# Packages that show figures while they come in, and what each needs.
TRACKERS = {"none": (), "tensorboard": ("tensorboard", "tensorboardX"), "trackio": ("trackio",)}


def schedule(done: float, warmup: float, decay: float) -> float:
    """Learning-rate factor at a share `done` (0-1) of the run: warm-up, hold, decay, all linear.

    warmup, decay: their shares of the run. A run that is still held can be prolonged (Hu et al.
    2024, arXiv 2404.06395, call it WSD): nothing of what was learnt depends on where it will end.
    """
    if done < warmup:
        return max(done / warmup, 0.02)
    return max(min((1 - done) / decay, 1.0), 0.0) if decay else 1.0


def check_tracker(name: str) -> None:
    """Raise TextMusicError where there is no such tracker, or it is not installed."""
    needs = TRACKERS.get(name)
    if needs is None:
        raise TextMusicError(f"'{name}' is not a known tracker; choose {', '.join(TRACKERS)}.")
    if needs and not any(find_spec(package) for package in needs):
        raise TextMusicError(
            f"{name} is not installed; run pip install {needs[0]}, or leave out --tracker."
        )


def settled(training: Training, folder: Path) -> Training:
    """What was left open, as an earlier start of the run had it, else as suits this machine.

    Raises TextMusicError where the batches of a step can't be shared out, or the tracker is
    missing.
    """
    check_tracker(training.tracker)
    processes = this_process().num_processes
    before = _read(folder / "training.json")
    bf16 = training.bf16 if training.bf16 is not None else before.get("bf16")
    bf16 = bf16_is_faster() if bf16 is None else bf16
    blocks = training.blocks if training.blocks is not None else before.get("blocks")
    if blocks is None:
        blocks = this_process().device.type == "cpu" and blocks_are_faster(
            torch.bfloat16 if bf16 else torch.float32
        )
    batches = training.global_batch or before.get("global_batch") or processes
    choice: list[Any] = [bf16, blocks, batches]
    broadcast_object_list(choice)  # it is measured, and has to be the same everywhere
    bf16, blocks, batches = choice
    if batches % processes:
        raise TextMusicError(
            f"a step of {batches} batches can't be divided among {processes} processes; set"
            " global_batch to a multiple of the processes."
        )
    return replace(training, bf16=bf16, blocks=blocks, global_batch=batches)


def this_process() -> PartialState:
    """This process among those that were started together, as accelerate sees it.

    Whoever asks first settles it, and accelerate looks for processes on CPUs only if it is told to.
    """
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    told = parse_flag_from_env("ACCELERATE_USE_CPU")
    return PartialState(cpu=told or (several and not torch.accelerator.is_available()))


def quieten() -> None:
    """Let libraries say nothing that a person who trains could do nothing about."""
    disable_progress_bar()  # transformers': loading takes a moment only
    filterwarnings(
        "ignore", message=".*is_gradient_checkpointing", category=FutureWarning
    )  # peft's


def _read(path: Path) -> dict[str, Any]:
    """A JSON object, empty where there is none."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


@cache
def bf16_is_faster() -> bool:
    """Whether this machine multiplies matrices clearly faster in bfloat16 than in float32."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))

    def seconds(kind: torch.dtype) -> float:
        a, b = torch.ones(512, 576, dtype=kind), torch.ones(576, 1536, dtype=kind)
        best = math.inf
        for _ in range(6):  # the first ones warm up
            began = time.perf_counter()
            a @ b
            best = min(best, time.perf_counter() - began)
        return best

    return seconds(torch.bfloat16) < 0.7 * seconds(torch.float32)
