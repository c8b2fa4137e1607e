"""A training run of a tiny random model on a few real pieces."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from textmusic.learning.config import Training
from textmusic.learning.examples import Examples, batches, collate
from textmusic.learning.trainer import Run
from textmusic.models.llm import MusicLLM, save_llm

STEPS = Training(
    steps=2, tokens=600, learning_rate=1e-2, warmup=0, evaluate_every=2, save_every=1, seed=1,
    bf16=False, ahead=False,
)  # fmt: skip


def make_run(
    model: MusicLLM,
    folder: Path,
    examples: Examples,
    training: Training = STEPS,
    branch_of: Path | None = None,
) -> Run:
    """The run of a model in a folder, from its beginning or its checkpoint."""

    def feed(lane: int, skip: int) -> Iterator[dict[str, Any]]:
        return batches(
            examples, tokens=training.tokens, reading=training.reading_at,
            seed=training.seed + 1000 * lane, skip=skip,
        )  # fmt: skip

    rng = random.Random(0)
    held_out = [collate([examples.make(examples.draw(rng), rng) for _ in range(2)])]
    save = partial(save_llm, tokenizer_folder=examples.tokenizer.folder)
    return Run(model, folder, training, feed, held_out, save, branch_of=branch_of)


def losses(folder: Path, kind: str = "loss") -> list[float]:
    """The losses of a run's log; kind: or "held_out"."""
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [row[kind] for row in rows if kind in row]


def load_lora(base: MusicLLM, folder: Path) -> MusicLLM:
    """The model that LoRA was trained on, with an adapter folder that `save_llm` wrote."""
    from peft import PeftModel

    return MusicLLM(PeftModel.from_pretrained(base.lm, folder), base.offset)
