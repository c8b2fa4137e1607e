"""Train in as many processes as accelerate starts: launched.py CONFIG DATA RUN [STOP].

STOP: the step before which all of them end, as if they were killed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from textmusic.learning.config_files import read_config
from textmusic.learning.runs import Data, start
from textmusic.learning.trainer import Run


def stopping(run: Run, stop: int) -> None:
    """Let a run end before it learns from the batch of a step."""
    learn = run._one_step

    def one_step(batches: Sequence[Any]) -> tuple[float, int]:
        if run.step == stop:
            os._exit(0)
        return learn(batches)

    run._one_step = one_step  # type: ignore[method-assign]


def main() -> None:
    """As the arguments say."""
    torch.set_num_threads(1)
    config, data, folder = (Path(argument) for argument in sys.argv[1:4])
    run = start(read_config(config), Data.read(data), folder)
    if len(sys.argv) > 4:
        stopping(run, int(sys.argv[4]))
    run.train()


if __name__ == "__main__":
    main()
