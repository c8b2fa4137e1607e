"""A config file and prepared data -> a training run."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from textmusic.caption import Captioner
from textmusic.learning.corpus import Window
from textmusic.learning.dataset import Examples, batches, collate, read_windows
from textmusic.learning.gan_recipe import start_gan
from textmusic.learning.trainer import Run, Training
from textmusic.models.export import open_llm
from textmusic.models.llm import MusicLLM, new_llm, save_llm, with_lora
from textmusic.models.recurrent import MusicRNN, Shape, save_recurrent
from textmusic.pipeline import locate
from textmusic.tokenizer import Tokenizer, captions_file, check_vocabulary, create_tokenizer


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
    but the text rows is trained), or instead of all these `recurrent` (fields of
    `models.recurrent.Shape`: cell, width, hidden, layers) or `gan` (arguments of
    `models.gan.Gan`: width, noise, critic_steps); `mix` (weight by source), `permissive`,
    `held_out` (validation windows) and `training` (fields of `Training`).
    """
    training = Training(**config["training"])
    captioner = Captioner()
    tokenizer = data.tokenizer
    if "recurrent" in config:
        tokenizer = create_tokenizer(captions_file(), folder / "tokenizer")
        check_vocabulary(tokenizer, data.tokenizer)
    examples = Examples(
        data.train,
        tokenizer,
        captioner,
        weights=config.get("mix"),
        permissive=config.get("permissive", False),
    )
    if "gan" in config:
        held_out = held_out_examples(data.valid, tokenizer, captioner)
        return start_gan(config, training, examples, held_out, folder)
    feed = partial(
        batches,
        examples,
        tokens=training.tokens,
        reading=training.reading_at,
        drills=training.drills,
        seed=training.seed + 1000 * PartialState().process_index,  # each process has its own
    )
    return Run(
        make_model(config, tokenizer),
        folder,
        training,
        lambda skip: feed(skip=skip),
        validation_batches(data.valid, tokenizer, captioner, config.get("held_out", 32)),
        partial(
            save_recurrent if "recurrent" in config else save_llm,
            tokenizer_folder=tokenizer.folder,
        ),
    )


def make_model(config: dict[str, Any], tokenizer: Tokenizer) -> MusicLLM | MusicRNN:
    """The model to begin with: of an LLM, the text rows or everything but LoRA is frozen."""
    music = len(tokenizer.vocabulary)
    if "recurrent" in config:
        torch.manual_seed(config["training"].get("seed", 1))
        return MusicRNN(Shape(tokenizer.offset, music, **config["recurrent"]))
    base = config["base"]
    if base == "bundled":
        model = open_llm(locate(None, None)[0])
    elif (Path(base) / "vocabulary.json").exists():  # a music model, whether exported or not
        model = open_llm(Path(base))
    else:
        model = new_llm(
            base,
            music,
            layers=config.get("layers"),
            pretrained=config.get("pretrained", True),
        )
    if config.get("lora"):
        return with_lora(model, config["lora"])
    model.freeze_text_rows()
    return model


def validation_batches(
    windows: Sequence[Window], tokenizer: Tokenizer, captioner: Captioner, size: int
) -> list[dict[str, Any]]:
    """The same held-out examples for every run: nothing varied, captions from a fixed seed."""
    rng = random.Random(0)
    examples = held_out_examples(windows, tokenizer, captioner)
    drawn = sorted(
        (examples.make(examples.draw(rng), rng) for _ in range(size)), key=lambda e: len(e.ids)
    )
    return [collate(drawn[i : i + 4]) for i in range(0, size, 4)]


def held_out_examples(
    windows: Sequence[Window], tokenizer: Tokenizer, captioner: Captioner
) -> Examples:
    """Examples with nothing varied, every source as often as any other."""
    weights = dict.fromkeys(sorted({w.source for w in windows}), 1.0)
    return Examples(windows, tokenizer, captioner, weights=weights, vary=False)
