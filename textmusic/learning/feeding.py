"""Training batches written ahead, in a process beside the training: the model does not wait."""

from __future__ import annotations

import gc
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

Batch = dict[str, Any]
AHEAD = 8  # batches; a pool of examples takes a few steps' time to write


class _Stream(IterableDataset[Batch]):
    """Batches as torch's DataLoader wants them."""

    def __init__(self, make: Callable[[], Iterator[Batch]]) -> None:
        self.make = make

    def __iter__(self) -> Iterator[Batch]:
        return self.make()


def can_fork() -> bool:
    """Whether a process can be split off that has all the windows without a copy of them."""
    return sys.platform != "darwin" and "fork" in multiprocessing.get_all_start_methods()


def ahead(make: Callable[[], Iterator[Batch]]) -> Iterator[Batch]:
    """The batches of make(), in the same order, up to `AHEAD` of them written before they are due.

    Where processes can't be forked they are written when they are due.
    """
    if not can_fork():
        return make()
    loader = DataLoader(
        _Stream(make),
        batch_size=None,
        num_workers=1,
        prefetch_factor=AHEAD,
        collate_fn=_as_tensors,
        worker_init_fn=_begin,
        multiprocessing_context="fork",
    )
    return map(_as_arrays, iter(loader))


def _begin(_: int) -> None:
    gc.freeze()  # a collection would write to every window, and so copy it


def _as_tensors(batch: Batch) -> Batch:
    # Tensors travel in shared memory. Arrays would fill the pipe between the two, and a process
    # that waits for room in it does not notice that the training was killed.
    return {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in batch.items()}


def _as_arrays(batch: Batch) -> Batch:
    return {k: v.numpy() if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
