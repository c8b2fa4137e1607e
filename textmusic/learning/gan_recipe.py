"""The training run of a GAN: the same loop as any other model's, with patches for ids."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from accelerate.utils import DistributedDataParallelKwargs

from textmusic.learning.dataset import Examples, with_genre
from textmusic.learning.patches import batches, collate, lessons
from textmusic.learning.settings import Training
from textmusic.learning.trainer import Run
from textmusic.models.gan import Gan, save_gan
from textmusic.plan import Plan

PLANS = 1000  # of the training set that stand in a model folder, to fill open fields from


def start_gan(
    config: dict[str, Any], training: Training, examples: Examples, valid: Examples, folder: Path
) -> Run:
    """The run that a config describes, from its beginning or from the folder's checkpoint.

    Keys: `gan` (arguments of `Gan`) and `held_out` (validation windows). The held-out figure is
    `Gan.distance`; training.tokens counts steps, of which a patch has 64.
    """
    feed = partial(
        batches,
        examples,
        tokens=training.tokens,
    )
    return Run(
        Gan(seed=training.seed, **config["gan"]),
        folder,
        replace(training, bf16=False),  # the penalty differentiates twice: bfloat16 is too coarse
        lambda lane, skip: feed(seed=training.seed + 1000 * lane, skip=skip),
        [held_out(valid, config.get("held_out", 64))],
        partial(save_gan, plans=some_plans(examples, PLANS)),
        # most steps are the critic's alone, and the generator's weights have no gradient then
        handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        unit="a distance for held out, the critic's for training",
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
