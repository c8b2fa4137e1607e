"""Make a model shallower: python training/prune.py --base bundled --keep 6 -o runs/pruned

Leaves out one layer at a time, each time the one without which the held-out loss is lowest, prints
every loss on the way, and writes the model that is left. Training mends what was cut: --base
runs/pruned.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from rich.progress import track
from torch import nn

from textmusic.corpus.captions import Captioner
from textmusic.learning.config import RunConfig
from textmusic.learning.runs import Data, make_model, tokenizer_for, validation_batches
from textmusic.models.cutting import cut
from textmusic.models.llm import MusicLLM, save_llm
from textmusic.system.scripts import ended


@torch.no_grad()
def nats_a_note(model: MusicLLM, batches: Sequence[dict[str, Any]]) -> float:
    """Loss of plan, sketch and score together, in nats per note."""
    total = sum(
        float(model(torch.from_numpy(batch["ids"]), torch.from_numpy(batch["labels"])))
        for batch in batches
    )
    return total / sum(batch["notes"] for batch in batches)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--base", default="bundled", help="Model to cut: a folder or Hub id, or bundled."
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="Folder of prepared data.")
    parser.add_argument("--keep", type=int, default=6, help="Layers to keep.")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("runs/pruned"), help="Folder for the model."
    )
    parser.add_argument("--held-out", type=int, default=16, help="Validation windows to judge by.")
    args = parser.parse_args()
    data = Data.read(args.data)
    config = RunConfig(base=args.base)
    work = TemporaryDirectory()
    tokenizer = tokenizer_for(config, data.tokenizer, Path(work.name))
    model = make_model(config, tokenizer)
    assert isinstance(model, MusicLLM)
    batches = validation_batches(data.valid, tokenizer, Captioner(), args.held_out)
    whole = list(model.lm.base_model.layers)
    kept = list(range(len(whole)))
    print(f"all {len(whole)} layers: {nats_a_note(model, batches):.3f} nats a note")
    while len(kept) > args.keep:
        losses = {}
        for out in track(kept, f"leaving out the {len(whole) - len(kept) + 1}."):
            model.lm.base_model.layers = nn.ModuleList(whole[i] for i in kept if i != out)
            losses[out] = nats_a_note(model, batches)
        print("without " + ", ".join(f"{i}: {loss:.3f}" for i, loss in losses.items()))
        kept.remove(min(losses, key=losses.__getitem__))
        print(f"keep {kept}: {min(losses.values()):.3f} nats a note", flush=True)
    model.lm.base_model.layers = nn.ModuleList(whole)
    save_llm(cut(model, kept), args.output, tokenizer.folder)


if __name__ == "__main__":
    sys.exit(ended(main, "prune.py"))
