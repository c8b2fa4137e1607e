"""One training loop for every model: accelerate around, safetensors checkpoints, a loss curve."""

from __future__ import annotations

import copy
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, broadcast
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    get_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from textmusic.errors import TextMusicError
from textmusic.learning.dataset import IGNORED

Batch = dict[str, Any]
# Checkpoints hold whole tensors by name, however they are spread while training.
WHOLE = StateDictOptions(
    full_state_dict=True,
    cpu_offload=True,
    ignore_frozen_params=True,
    strict=False,
)
MINUTES_BETWEEN_CHECKPOINTS = 4.0
# Dense bfloat16 operations a second, from the makers' data sheets.
BF16_PEAK = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40": 181e12, "L4": 121e12,
             "A10": 125e12, "4090": 165e12, "3090": 71e12}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Training:
    """What a run does. The fields are the keys of the config files in training/configs."""

    steps: int = 1000  # optimiser steps in all
    tokens: int = 4096  # ids in a batch, about
    learning_rate: float = 6e-4  # peak; linear warm-up, then a cosine down to a tenth
    rows_rate: float = 1.0  # learning rate of the music rows, in times of the rest's
    warmup: int = 30  # steps
    weight_decay: float = 0.01  # matrices only, embeddings left out
    clip: float = 1.0  # largest gradient norm
    beta1: float = 0.9  # AdamW's decay of past gradients; 0 for a GAN, whose target moves
    beta2: float = 0.95  # ... and of their squares
    reading: float = 0.5  # share of examples that are caption and plan alone, at the start
    reading_end: float = 0.2  # ... and at the end of the run
    drills: float = 0.0  # single mood words and scenes for each example, see Examples.drill
    evaluate_every: int = 100  # steps
    save_every: int = 50  # steps; a checkpoint is written after 4 minutes in any case
    patience: int | None = None  # evaluations without a better held-out loss before it stops
    bf16: bool | None = None  # compute in bfloat16; None: where that is faster on this machine
    compile: bool = False  # torch.compile, which pays on GPUs
    hours: float | None = None  # stop after so long, with the schedule bent to end there
    seed: int = 1

    def reading_at(self, step: int) -> float:
        """Share of reading lessons at a step."""
        return self.reading + (self.reading_end - self.reading) * min(step / self.steps, 1.0)


def schedule(done: float, warmup: float) -> float:
    """Learning-rate factor at a share `done` (0-1) of the run."""
    if done < warmup:
        return max(done / warmup, 0.02)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * min((done - warmup) / (1 - warmup), 1.0)))


class Run:
    """A training run in a folder: checkpoint.safetensors, log.jsonl, curve.png, best/.

    model(ids, labels) returns the summed loss in nats. make_batches(skip) gives training
    batches from the skip-th on. save_model(model, folder) writes the model in its own format.
    It runs alike on a CPU, a GPU, and many processes (DDP or FSDP, as accelerate is configured).
    """

    def __init__(
        self,
        model: nn.Module,
        folder: Path,
        training: Training,
        make_batches: Callable[[int], Iterator[Batch]],
        validation: list[Batch],
        save_model: Callable[[Any, Path], None],
        accelerator: Accelerator | None = None,
        unit: str = "nats per plan or score id",
    ) -> None:
        self.training, self.folder, self.unit = training, folder, unit
        self.make_batches, self.validation, self.save_model = make_batches, validation, save_model
        bf16 = bf16_is_faster() if training.bf16 is None else training.bf16
        self.accelerator = accelerator or Accelerator(mixed_precision="bf16" if bf16 else "no")
        kinds: dict[str, list[nn.Parameter]] = {"matrix": [], "rows": [], "other": []}
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                kinds[_kind(name, parameter)].append(parameter)
        groups = [
            {"params": kinds["matrix"], "weight_decay": training.weight_decay, "rate": 1.0},
            {"params": kinds["rows"], "weight_decay": 0.0, "rate": training.rows_rate},
            {"params": kinds["other"], "weight_decay": 0.0, "rate": 1.0},
        ]
        optimizer = torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=training.learning_rate,
            betas=(training.beta1, training.beta2),
            fused=True,
        )
        # Sharded weights can't be written by the model's own code: an unsharded copy does that.
        sharded = self.accelerator.distributed_type == DistributedType.FSDP
        self.plain = copy.deepcopy(model) if sharded else model
        ready = torch.compile(model, dynamic=True) if training.compile else model
        self.model, self.optimizer = self.accelerator.prepare(ready, optimizer)
        self.step, self.spent, self.best, self.worse = 0, 0.0, math.inf, 0
        folder.mkdir(parents=True, exist_ok=True)
        self._resume()

    @property
    def done(self) -> float:
        """Share of the run that is behind us: by time where hours are given, else by steps."""
        if self.training.patience is not None and self.worse >= self.training.patience:
            return 1.0
        share = self.step / self.training.steps
        if self.training.hours:
            share = max(share, self.spent / 3600 / self.training.hours)
        return min(share, 1.0)

    def train(self) -> float:
        """Run to the end; returns the best held-out loss (nats per labelled id)."""
        t = self.training
        columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn(),
                   TimeRemainingColumn(), TextColumn("{task.fields[figures]}"))  # fmt: skip
        feed = self.make_batches(self.step)
        with Progress(*columns, disable=not self.accelerator.is_main_process) as progress:
            task = progress.add_task("training", total=t.steps, completed=self.step, figures="")
            began, spent, saved = time.monotonic(), self.spent, time.monotonic()
            while self.done < 1.0:
                before = self.spent
                loss, count = self._one_step(next(feed))
                self.spent = self._agreed(spent + time.monotonic() - began)
                self.step += 1
                speed = count / (self.spent - before) * self.accelerator.num_processes
                self._log(step=self.step, loss=loss, ids=count, seconds=round(self.spent, 1),
                          **self._speed(speed))  # fmt: skip
                figures = f"loss {loss:.3f}, {speed:,.0f} ids/s"
                progress.update(task, completed=self.step, figures=figures)
                if self.step % t.evaluate_every == 0 or self.done >= 1.0:
                    self._evaluate()
                late = time.monotonic() - saved > MINUTES_BETWEEN_CHECKPOINTS * 60
                if self.step % t.save_every == 0 or late or self.done >= 1.0:
                    self.save()
                    saved = time.monotonic()
        return self.best

    def _one_step(self, batch: Batch) -> tuple[float, int]:
        self.model.train()
        factor = schedule(self.done, self.training.warmup / self.training.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = self.training.learning_rate * group["rate"] * factor
        ids, labels = self._tensors(batch)
        count = int((labels != IGNORED).sum())
        loss = self.model(ids, labels) / count
        if not torch.isfinite(loss):
            raise TextMusicError(
                f"the loss is not a number at step {self.step}; the last checkpoint is whole:"
                " resume with a lower learning_rate."
            )
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.training.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(loss.detach()), batch.get("size", int(ids.numel()))

    @torch.no_grad()
    def _evaluate(self) -> None:
        self.model.eval()
        total, count, notes = 0.0, 0, 0
        for batch in self.validation:
            ids, labels = self._tensors(batch)
            total += float(self.model(ids, labels))
            count += int((labels != IGNORED).sum())
            notes += batch["notes"]
        loss = total / count
        a_note = {"nats_per_note": round(total / notes, 4)} if notes else {}
        self._log(step=self.step, held_out=loss, seconds=round(self.spent, 1), **a_note)
        better = loss < self.best
        self.best, self.worse = min(loss, self.best), 0 if better else self.worse + 1
        if better:
            if self.plain is not self.accelerator.unwrap_model(
                self.model, keep_torch_compile=False
            ):
                self._gather()
            if self.accelerator.is_main_process:
                self.save_model(self.plain, self.folder / "best")
                self.curve()

    def _tensors(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        device = self.accelerator.device
        return torch.from_numpy(batch["ids"]).to(device), torch.from_numpy(batch["labels"]).to(
            device
        )

    def _agreed(self, seconds: float) -> float:
        """The main process's clock: all processes have to stop at the same step."""
        if self.accelerator.num_processes == 1:
            return seconds
        clock = torch.tensor(seconds, dtype=torch.float64, device=self.accelerator.device)
        return float(broadcast(clock))

    def _gather(self) -> None:
        """Bring the sharded weights together in `plain`."""
        whole = get_model_state_dict(self.model, options=WHOLE)
        if self.accelerator.is_main_process:
            self.plain.load_state_dict(whole, strict=False)

    def save(self) -> None:
        """Everything a resumed run needs, in one safetensors file that appears when whole."""
        model, optimizer = get_state_dict(self.model, self.optimizer.optimizer, options=WHOLE)
        if not self.accelerator.is_main_process:
            return
        tensors = {f"model.{name}": value for name, value in model.items()}
        for name, state in optimizer["state"].items():
            for key, value in state.items():
                tensors[f"optimizer.{name}.{key}"] = value
        # a tied matrix goes by two names; one of them is enough
        named = {value.data_ptr(): name for name, value in reversed(tensors.items())}
        tensors = {name: tensors[name].contiguous() for name in sorted(named.values())}
        kept = {"step": self.step, "spent": self.spent, "best": self.best, "worse": self.worse}
        partial = self.folder / "checkpoint.partial"
        save_file(tensors, partial, metadata={"state": json.dumps(kept)})
        partial.replace(self.folder / "checkpoint.safetensors")

    def _resume(self) -> None:
        path = self.folder / "checkpoint.safetensors"
        if not path.exists():
            if self.accelerator.is_main_process:
                settings = json.dumps(asdict(self.training), indent=1)
                (self.folder / "training.json").write_text(settings)
            return
        weights, moments = {}, defaultdict(dict)  # type: ignore[var-annotated]
        for name, value in load_file(path).items():
            kind, _, rest = name.partition(".")
            if kind == "model":
                weights[rest] = value
            else:
                parameter, _, key = rest.rpartition(".")
                moments[parameter][key] = value
        inner = self.optimizer.optimizer
        set_model_state_dict(self.model, weights, options=WHOLE)
        everywhere = replace(WHOLE, cpu_offload=False)  # else the main process alone gets it
        groups = get_optimizer_state_dict(self.model, inner, options=everywhere)["param_groups"]
        state = {"state": dict(moments), "param_groups": groups}
        set_optimizer_state_dict(self.model, inner, state, options=WHOLE)
        with safe_open(path, "pt") as file:
            kept = json.loads(file.metadata()["state"])
        self.step, self.spent, self.best = kept["step"], kept["spent"], kept["best"]
        self.worse = kept.get("worse", 0)

    def _speed(self, speed: float) -> dict[str, float]:
        """Ids a second, and on a known GPU the share of its peak: 6 operations a weight and id."""
        figures = {"ids_per_second": round(speed, 1)}
        device = self.accelerator.device
        if device.type == "cuda":
            name = torch.cuda.get_device_name(device)
            peak = next((peak for gpu, peak in BF16_PEAK.items() if gpu in name), None)
            weights = sum(p.numel() for p in self.plain.parameters() if p.requires_grad)
            if peak is not None:
                figures["share_of_peak"] = round(
                    6 * weights * speed / peak / self.accelerator.num_processes, 4
                )
        return figures

    def _log(self, **figures: Any) -> None:
        if self.accelerator.is_main_process:
            with (self.folder / "log.jsonl").open("a") as log:
                log.write(json.dumps(figures) + "\n")

    def curve(self) -> None:
        """Draw training and held-out loss against steps into curve.png."""
        from matplotlib.figure import Figure

        rows = [json.loads(line) for line in (self.folder / "log.jsonl").read_text().splitlines()]
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.subplots()
        losses = [(r["step"], r["loss"]) for r in rows if "loss" in r]
        smooth, value = [], losses[0][1]
        for _, loss in losses:
            value = 0.95 * value + 0.05 * loss
            smooth.append(value)
        axes.plot([s for s, _ in losses], smooth, label="training (smoothed)")
        held = [(r["step"], r["held_out"]) for r in rows if "held_out" in r]
        axes.plot([s for s, _ in held], [v for _, v in held], "o-", label="held out")
        axes.set(xlabel="step", ylabel=f"loss, {self.unit}")
        axes.legend()
        figure.savefig(self.folder / "curve.png", dpi=110)


@cache
def bf16_is_faster() -> bool:
    """Whether this machine multiplies matrices clearly faster in bfloat16 than in float32."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))

    def seconds(kind: torch.dtype) -> float:
        a, b = torch.ones(512, 576, dtype=kind), torch.ones(576, 1536, dtype=kind)
        best = math.inf
        for _ in range(6):  # the first ones warm up
            began = time.perf_counter()
            a @ b
            best = min(best, time.perf_counter() - began)
        return best

    return seconds(torch.bfloat16) < 0.7 * seconds(torch.float32)


def _kind(name: str, parameter: nn.Parameter) -> str:
    if name == "music" or "embed" in name or "trainable_tokens" in name:
        return "rows"
    return "matrix" if parameter.ndim > 1 else "other"
