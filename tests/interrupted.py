"""A training run that is killed in the middle."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest


class StoppedError(Exception):
    """Stands for a kill."""


def train_two_steps(run: Any) -> None:
    """Train a run until its third batch is asked for, where it is stopped."""
    feed = run.make_batches

    def two_batches(lane: int, skip: int) -> Iterator[dict[str, Any]]:
        yield from itertools.islice(feed(lane, skip), 2)
        raise StoppedError

    run.make_batches = two_batches
    with pytest.raises(StoppedError):
        run.train()
