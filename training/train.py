"""Train a model: accelerate launch training/train.py --config training/configs/cpu.json

Resumes by itself from the checkpoint in the run folder. Any field of the config's "training" part
can be given as an option: --steps 20 --learning_rate 3e-4.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from accelerate import PartialState

from textmusic.caption import Captioner
from textmusic.learning.dataset import Examples, batches, collate, read_windows
from textmusic.learning.trainer import Run, Training
from textmusic.models.export import import_onnx
from textmusic.models.llm import load_llm, new_llm, save_llm, with_lora
from textmusic.pipeline import locate
from textmusic.tokenizer import Tokenizer


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--run", type=Path, default=Path("runs/default"))
    parser.add_argument("--base", help="Hub id or folder of an LLM, a model folder, or 'bundled'")
    for field in fields(Training):
        if "bool" in str(field.type):
            parser.add_argument(f"--{field.name}", action=argparse.BooleanOptionalAction)
        else:
            kind = int if "int" in str(field.type) else float
            parser.add_argument(f"--{field.name}", type=kind)
    return parser.parse_args()


def validation_batches(
    data: Path, tokenizer: Tokenizer, captioner: Captioner, size: int
) -> list[dict[str, Any]]:
    """The same held-out examples for every run: nothing varied, captions from a fixed seed."""
    windows = read_windows(data / "valid.parquet")
    rng = random.Random(0)
    sources = sorted({w.source for w in windows})
    examples = Examples(
        windows, tokenizer, captioner, weights=dict.fromkeys(sources, 1.0), vary=False
    )
    drawn = sorted(
        (examples.make(examples.draw(rng), rng) for _ in range(size)), key=lambda e: len(e.ids)
    )
    return [collate(drawn[i : i + 4]) for i in range(0, size, 4)]


def main() -> None:
    args = arguments()
    config = json.loads(args.config.read_text())
    options = {f.name: getattr(args, f.name) for f in fields(Training)}
    training = Training(**config["training"] | {k: v for k, v in options.items() if v is not None})
    tokenizer = Tokenizer(Path(args.data / "tokenizer"))
    base = args.base or config["base"]
    if base == "bundled" or (Path(base) / "textmusic.json").exists():
        model = import_onnx(locate(None if base == "bundled" else base, None)[0])
    elif (Path(base) / "vocabulary.json").exists():
        model = load_llm(Path(base))
    else:
        model = new_llm(
            base,
            len(tokenizer.vocabulary),
            layers=config.get("layers"),
            pretrained=config.get("pretrained", True),
        )
    if config.get("lora"):
        model = with_lora(model, config["lora"])
    else:
        model.freeze_text_rows()
    captioner = Captioner()
    examples = Examples(
        read_windows(args.data / "train.parquet"),
        tokenizer,
        captioner,
        weights=config.get("mix"),
        permissive=config.get("permissive", False),
    )
    feed = partial(
        batches,
        examples,
        tokens=training.tokens,
        reading=training.reading_at,
        seed=training.seed + 1000 * PartialState().process_index,  # each process has its own
    )
    run = Run(
        model,
        args.run,
        training,
        lambda skip: feed(skip=skip),
        validation_batches(args.data, tokenizer, captioner, config.get("held_out", 32)),
        partial(save_llm, tokenizer_folder=tokenizer.folder),
    )
    best = run.train()
    print(f"best held-out loss: {best:.4f} nats per plan or score id; model in {args.run / 'best'}")


if __name__ == "__main__":
    main()
