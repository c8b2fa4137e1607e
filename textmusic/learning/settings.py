"""The settings of a training run: those of its config file, and those fixed when it starts."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, parse_flag_from_env

from textmusic.errors import TextMusicError
from textmusic.models.attention import blocks_are_faster

# Packages that show figures while they come in, and what each needs.
TRACKERS = {"none": (), "tensorboard": ("tensorboard", "tensorboardX"), "trackio": ("trackio",)}


@dataclass(frozen=True, slots=True)
class Training:
    """What a run does. The fields are the keys of the config files in training/configs."""

    steps: int = 1000  # optimiser steps in all
    tokens: int = 4096  # ids in a batch, about
    global_batch: int | None = None  # batches in a step, over all processes; None: one each
    optimizer: str = "adamw"  # or "muon" for the matrices, see learning.optimizers
    learning_rate: float = 6e-4  # peak; see `schedule`
    rows_rate: float = 1.0  # learning rate of the music rows, in times of the rest's
    warmup: int = 30  # steps
    decay: float = 0.4  # share of the run, at its end, in which the rate falls to nothing
    weight_decay: float = 0.01  # matrices only, embeddings left out
    clip: float = 1.0  # largest gradient norm
    beta1: float = 0.9  # AdamW's decay of past gradients; 0 for a GAN, whose target moves
    beta2: float = 0.95  # ... and of their squares
    reading: float = 0.5  # share of examples that are caption and plan alone, at the start
    reading_end: float = 0.2  # ... and at the end of the run
    drills: float = 0.0  # single mood words and scenes for each example, see Examples.drill
    evaluate_every: int = 100  # steps
    save_every: int = 50  # steps; a checkpoint is written after 4 minutes in any case
    patience: int | None = None  # evaluations without a better held-out loss before it stops
    bf16: bool | None = None  # compute in bfloat16; None: where that is faster on this machine
    blocks: bool | None = None  # attention in blocks, see models.attention; None: where faster
    ahead: bool = True  # batches are written in a process beside, where that can be
    compile: bool = False  # torch.compile, which pays on GPUs
    hours: float | None = None  # stop after so long, with the schedule bent to end there
    sample_every: int = 0  # steps between pieces that the model writes on the way; 0: none
    tracker: str = "none"  # one of TRACKERS
    seed: int = 1

    def reading_at(self, step: int) -> float:
        """Share of reading lessons at a step."""
        return self.reading + (self.reading_end - self.reading) * min(step / self.steps, 1.0)


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
