"""The training run of a GAN: the same loop as any other model's, with patches for ids."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from accelerate.utils import DistributedDataParallelKwargs
from numpy.typing import NDArray

from textmusic.corpus.windows import Window, with_genre
from textmusic.engines.protocol import Floats32
from textmusic.learning.config import RunConfig, Training, given
from textmusic.learning.examples import Examples
from textmusic.learning.trainer import Run
from textmusic.models.gan import Gan, save_gan
from textmusic.models.gan_patches import (
    LENGTH,
    Bools,
    condition,
    patches_of,
    roll_of,
    summary,
)
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.tokens.tokenizer import Tokenizer

HELD_OUT = 64  # validation windows, where the config does not say
PLANS = 1000  # of the training set that stand in a model folder, to fill open fields from


def start_gan(
    config: RunConfig, training: Training, examples: Examples, valid: Examples, folder: Path
) -> Run:
    """The run that a config describes, from its beginning or from the folder's checkpoint.

    training: the config's, as the run has it; its `tokens` count steps, of which a patch has 64.
    The held-out figure is `Gan.distance`.
    """
    feed = partial(
        batches,
        examples,
        tokens=training.tokens,
    )
    return Run(
        Gan(seed=training.seed, **given(config.gan)),
        folder,
        replace(training, bf16=False),  # the penalty differentiates twice: bfloat16 is too coarse
        lambda lane, skip: feed(seed=training.seed + 1000 * lane, skip=skip),
        [held_out(valid, config.held_out or HELD_OUT)],
        partial(save_gan, plans=some_plans(examples, PLANS)),
        # most steps are the critic's alone, and the generator's weights have no gradient then
        handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        unit="held-out: a distance; training: the critic's loss",
    )


def held_out(examples: Examples, size: int) -> dict[str, Any]:
    """The patches of so many windows as one batch, the same for every run."""
    rng = random.Random(0)
    drawn = [lessons(examples.draw(rng), examples.tokenizer, rng) for _ in range(size)]
    patches, conditions = (np.concatenate(column) for column in zip(*drawn, strict=True))
    return collate(patches, conditions)


def some_plans(examples: Examples, size: int) -> list[Plan]:
    """Plans of windows drawn by weight: what plans are like, and how often."""
    rng = random.Random(0)
    return [with_genre(examples.draw(rng), rng) for _ in range(size)]


def lessons(window: Window, tokenizer: Tokenizer, rng: random.Random) -> tuple[Bools, Floats32]:
    """Every patch of a window (N, PLANES, LENGTH, PITCHES), and its condition (N, CONDITION)."""
    plan = with_genre(window, rng)
    notes = notes_of(tokenizer.decode_score(list(window.ids), plan))
    patches = patches_of(roll_of(notes, plan), plan)
    summaries: list[Floats32 | None] = [None, *summary(patches)]
    conditions = [condition(plan, i, summaries[i]) for i in range(len(patches))]
    return patches, np.stack(conditions)


def collate(patches: NDArray[Any], conditions: Floats32) -> dict[str, Any]:
    """A batch as the trainer takes it: "ids" are patches (8-bit), "labels" their conditions.

    "size" is how many steps it has. "notes" is 0: no figure a note is computed of a GAN.
    """
    size = len(patches) * LENGTH
    return {"ids": patches.astype(np.uint8), "labels": conditions, "notes": 0, "size": size}


def batches(
    examples: Examples, *, tokens: int, seed: int, windows: int = 64, skip: int = 0
) -> Iterator[dict[str, Any]]:
    """Endless batches of `tokens` steps: tokens // LENGTH patches.

    Patches of so many windows, drawn by the weights of their sources, are shuffled together. The
    same seed gives the same batches; `skip` of them are passed over, for resuming.
    """
    size, index = max(tokens // LENGTH, 1), 0
    for pool in count():
        rng = random.Random(f"{seed}/{pool}")
        drawn = [lessons(examples.draw(rng), examples.tokenizer, rng) for _ in range(windows)]
        patches, conditions = (np.concatenate(column) for column in zip(*drawn, strict=True))
        order = rng.sample(range(len(patches)), len(patches))
        for begin in range(0, max(len(order) - size, 0) + 1, size):
            index += 1
            if index > skip:
                chosen = order[begin : begin + size]
                yield collate(patches[chosen], conditions[chosen])
