"""How fast this machine trains, and where the time goes: python training/profile_trainer.py

Steps of the same model, each way in turn in one run: float32 and bfloat16, torch's attention and
attention in blocks (`textmusic.models.attention`), compiled if --compile. Prints ids a processor
second of one core (the best of the rounds; with more --threads a second of the clock, of a machine
that does nothing else), the share of what matrix products give here at their best, what the trainer
would choose, and a profile of that choice. Writes nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from rich.progress import track
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from textmusic.learning.config import RunConfig
from textmusic.learning.runs import make_model
from textmusic.learning.settings import bf16_is_faster
from textmusic.models.attention import blocks_are_faster, use_blocks
from textmusic.models.llm import MusicLLM
from textmusic.system.scripts import ended
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.writing.loading import locate

SHAPES = ((4, 512), (2, 1024), (1, 1800))  # sequences, ids in each
# Kinds of work, by how the names of torch's operations begin.
KINDS = {
    "products of matrices": ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm",
                             "aten::_addmm", "mkldnn", "aten::mkldnn"),
    "attention (torch's own)": ("aten::_scaled_dot", "aten::_flash"),
    "softmax and loss": ("aten::_softmax", "aten::_log_softmax", "aten::nll", "aten::softmax"),
    "optimiser, clipping": ("aten::_fused_adam", "aten::_foreach", "aten::linalg_vector_norm"),
    "copies, conversions": ("aten::copy_", "aten::cat", "aten::fill_", "aten::clone",
                            "aten::zero_", "aten::index", "aten::embedding", "aten::_index"),
}  # fmt: skip
ELEMENTWISE = "sums, products and other passes over elements"


@dataclass(frozen=True, slots=True)
class Way:
    """A way to take a step."""

    bf16: bool
    blocks: bool
    compiled: bool = False

    def __str__(self) -> str:
        """What it is called in the table."""
        kind = "bfloat16" if self.bf16 else "float32"
        more = ", attention in blocks" if self.blocks else ", torch's attention"
        return kind + more + (", compiled" if self.compiled else "")

    @property
    def computing(self) -> AbstractContextManager[Any]:
        """The precision."""
        return torch.autocast("cpu", torch.bfloat16, enabled=self.bf16)


class Trainer:
    """A model and its optimiser, to be timed."""

    def __init__(self, base: str, way: Way) -> None:
        """base: as in a config; its weights are left as they are on disk."""
        folder = locate(None if base == "bundled" else base, None)[0]
        model = make_model(RunConfig(base=base), Tokenizer(folder))
        assert isinstance(model, MusicLLM)
        self.way, self.model = way, model
        if way.blocks:
            use_blocks(model.lm)
        self.learnt = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.learnt, lr=1e-6, fused=True)
        self.forward = torch.compile(model, dynamic=False) if way.compiled else model

    def batch(self, sequences: int, length: int) -> tuple[Tensor, Tensor]:
        """Music ids at random, and labels."""
        torch.manual_seed(0)
        music = len(self.model.rows)
        ids = torch.randint(0, music, (sequences, length))
        return ids + self.model.offset, ids.roll(-1, 1)

    def step(self, ids: Tensor, labels: Tensor) -> None:
        """One whole step, as the trainer takes it."""
        with self.way.computing:
            loss = self.forward(ids, labels)
        (loss / ids.numel()).backward()
        torch.nn.utils.clip_grad_norm_(self.learnt, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def operations(self, sequences: int, length: int) -> float:
        """Multiplications and additions of matrix products in a step."""
        config = self.model.lm.config
        weights = sum(p.numel() for p in self.learnt)
        looked_at = length * (length + 1) / 2 * config.hidden_size * config.num_hidden_layers
        return 6 * weights * sequences * length + 12 * looked_at * sequences


def seconds(action: Any, *arguments: Any) -> float:
    """How long it takes once, by the processor or, with several threads, by the clock."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    began = clock()
    action(*arguments)
    return clock() - began


def peak(bf16: bool) -> float:
    """Most operations a second of a product as the layers have it."""
    kind = torch.bfloat16 if bf16 else torch.float32
    a, b = torch.ones(2048, 576, dtype=kind), torch.ones(576, 1536, dtype=kind)
    return 2 * 2048 * 576 * 1536 / min(seconds(torch.mm, a, b) for _ in range(20))


def profiled(trainer: Trainer, shape: tuple[int, int]) -> dict[str, float]:
    """Share of a step's time by kind of work."""
    ids, labels = trainer.batch(*shape)
    with profile(activities=[ProfilerActivity.CPU]) as found:
        trainer.step(ids, labels)
    spent: dict[str, float] = defaultdict(float)
    for event in found.key_averages():
        kind = next((k for k, names in KINDS.items() if event.key.startswith(names)), ELEMENTWISE)
        spent[kind] += event.self_cpu_time_total
    total = sum(spent.values())
    return {kind: spent[kind] / total for kind in sorted(spent, key=lambda k: -spent[k])}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--base", default="bundled", help="Model to train: a folder or Hub id, or bundled."
    )
    parser.add_argument("--rounds", type=int, default=3, help="Timed steps of each way and shape.")
    parser.add_argument(
        "--compile", action="store_true", help="Try torch.compile too; it takes minutes."
    )
    parser.add_argument("--threads", type=int, default=1, help="Processor cores to use.")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    chosen_bf16 = bf16_is_faster()
    chosen = Way(chosen_bf16, blocks_are_faster(torch.bfloat16 if chosen_bf16 else torch.float32))
    ways = [Way(False, False), Way(False, True)]
    if chosen_bf16:  # elsewhere it is emulated, and a step takes minutes
        ways += [Way(True, False), Way(True, True)]
    ways += [Way(chosen.bf16, chosen.blocks, compiled=True)] if args.compile else []
    trainers = {way: Trainer(args.base, way) for way in ways}
    best: dict[tuple[Way, tuple[int, int]], float] = {}
    turns = [(r, w, s) for r in range(args.rounds + 1) for s in SHAPES for w in ways]
    for number, way, shape in track(turns, "steps"):
        took = seconds(trainers[way].step, *trainers[way].batch(*shape))
        if number:  # the first one warms up
            best[way, shape] = min(took, best.get((way, shape), took))
    peaks = {bf16: peak(bf16) for bf16 in {way.bf16 for way in ways}}
    print(
        f"| ids a second, threads: {args.threads} | "
        + " | ".join(f"{b} x {t}" for b, t in SHAPES)
        + " |"
    )
    print("|---" * (len(SHAPES) + 1) + "|")
    for way in ways:
        cells = []
        for b, t in SHAPES:
            share = trainers[way].operations(b, t) / best[way, (b, t)] / peaks[way.bf16]
            cells.append(f"{b * t / best[way, (b, t)]:,.0f} ({share:.0%} of the peak)")
        print(f"| {way} | " + " | ".join(cells) + " |")
    for bf16, most in peaks.items():
        print(f"peak of {'bfloat16' if bf16 else 'float32'}: {most / 1e9:,.0f} GFLOP/s")
    print(f"the trainer chooses here: {chosen}\n")
    for kind, share in profiled(trainers[chosen], SHAPES[0]).items():
        print(f"{share:6.1%}  {kind}")


if __name__ == "__main__":
    sys.exit(ended(main, "profile_trainer.py"))
