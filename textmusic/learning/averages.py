"""A moving average of the weights, which is the better model while the learning rate is held.

It lies in the optimiser's state: in the checkpoint therefore, and sharded as the weights are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.optim import Optimizer

KEY = "average"  # of a parameter's state


@torch.no_grad()
def follow(optimizer: Optimizer, ema: float, step: int) -> None:
    """Move the average towards the weights after a step, the first of which is 1.

    ema: what the average keeps of itself, 0 to 1, less in a run's first steps; 0: there is none.
    """
    share = max(1 - ema, 9 / (step + 9))
    for weight, state in optimizer.state.items():
        if not ema:
            state.pop(KEY, None)
        elif KEY in state:
            state[KEY].lerp_(weight, share)
        else:
            state[KEY] = weight.detach().clone()


@contextmanager
def in_place(optimizer: Optimizer) -> Iterator[None]:
    """Let the average, where there is one, stand in the model in place of its weights."""
    _exchange(optimizer)
    try:
        yield
    finally:
        _exchange(optimizer)


@torch.no_grad()
def _exchange(optimizer: Optimizer) -> None:
    for weight, state in optimizer.state.items():
        if KEY in state:
            held = weight.detach().clone()
            weight.copy_(state[KEY])
            state[KEY].copy_(held)
