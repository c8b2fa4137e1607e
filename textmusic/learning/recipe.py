"""A config file and prepared data -> a training run."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from accelerate import PartialState

from textmusic.caption import Captioner
from textmusic.learning.corpus import Window
from textmusic.learning.dataset import Examples, batches, collate, read_windows
from textmusic.learning.trainer import Run, Training
from textmusic.models.export import import_onnx
from textmusic.models.llm import MusicLLM, load_llm, new_llm, save_llm, with_lora
from textmusic.pipeline import locate
from textmusic.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Data:
    """What training/prepare.py wrote, read once: several runs may share it."""

    tokenizer: Tokenizer
    train: Sequence[Window]
    valid: Sequence[Window]

    @classmethod
    def read(cls, folder: Path) -> Data:
        """Raises TextMusicError where a file is missing."""
        return cls(
            Tokenizer(folder / "tokenizer"),
            read_windows(folder / "train.parquet"),
            read_windows(folder / "valid.parquet"),
        )


def read_config(path: Path, **changes: Any) -> dict[str, Any]:
    """A config file; `changes` that are not None win over its "training" part."""
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    config["training"] |= {name: v for name, v in changes.items() if v is not None}
    return config


def start(config: dict[str, Any], data: Data, folder: Path) -> Run:
    """The run that a config describes, from its beginning or from the folder's checkpoint.

    Keys: `base` (Hub id or folder of an LLM, a model folder, or "bundled"), `layers` (the first so
    many are kept), `pretrained` (false: the same shape at random), `lora` (rank; else everything
    but the text rows is trained), `mix` (weight by source), `permissive`, `held_out` (validation
    windows) and `training` (fields of `Training`).
    """
    training = Training(**config["training"])
    captioner = Captioner()
    examples = Examples(
        data.train,
        data.tokenizer,
        captioner,
        weights=config.get("mix"),
        permissive=config.get("permissive", False),
    )
    feed = partial(
        batches,
        examples,
        tokens=training.tokens,
        reading=training.reading_at,
        drills=training.drills,
        seed=training.seed + 1000 * PartialState().process_index,  # each process has its own
    )
    return Run(
        make_model(config, len(data.tokenizer.vocabulary)),
        folder,
        training,
        lambda skip: feed(skip=skip),
        validation_batches(data, captioner, config.get("held_out", 32)),
        partial(save_llm, tokenizer_folder=data.tokenizer.folder),
    )


def make_model(config: dict[str, Any], vocabulary: int) -> MusicLLM:
    """The LLM to begin with, its text rows frozen or everything but LoRA."""
    base = config["base"]
    if base == "bundled" or (Path(base) / "textmusic.json").exists():
        model = import_onnx(locate(None if base == "bundled" else base, None)[0])
    elif (Path(base) / "vocabulary.json").exists():
        model = load_llm(Path(base))
    else:
        model = new_llm(
            base,
            vocabulary,
            layers=config.get("layers"),
            pretrained=config.get("pretrained", True),
        )
    if config.get("lora"):
        return with_lora(model, config["lora"])
    model.freeze_text_rows()
    return model


def validation_batches(data: Data, captioner: Captioner, size: int) -> list[dict[str, Any]]:
    """The same held-out examples for every run: nothing varied, captions from a fixed seed."""
    rng = random.Random(0)
    sources = sorted({w.source for w in data.valid})
    examples = Examples(
        data.valid, data.tokenizer, captioner, weights=dict.fromkeys(sources, 1.0), vary=False
    )
    drawn = sorted(
        (examples.make(examples.draw(rng), rng) for _ in range(size)), key=lambda e: len(e.ids)
    )
    return [collate(drawn[i : i + 4]) for i in range(0, size, 4)]
