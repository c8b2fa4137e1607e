"""One training loop for every model: accelerate around, safetensors checkpoints, a loss curve."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors.torch import load_file, save_file
from torch import nn

from textmusic.errors import TextMusicError
from textmusic.learning.dataset import IGNORED

Batch = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Training:
    """What a run does. The fields are the keys of the config files in training/configs."""

    steps: int = 1000  # optimiser steps in all
    tokens: int = 4096  # ids in a batch, about
    learning_rate: float = 6e-4  # peak; linear warm-up, then a cosine down to a tenth
    warmup: int = 30  # steps
    weight_decay: float = 0.01  # matrices only, embeddings left out
    clip: float = 1.0  # largest gradient norm
    reading: float = 0.5  # share of examples that are caption and plan alone, at the start
    reading_end: float = 0.2  # ... and at the end of the run
    evaluate_every: int = 100  # steps
    save_every: int = 50  # steps; what a kill loses at most
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
    batches from the skip-th on. save_model(folder) writes the model in its own format.
    """

    def __init__(
        self,
        model: nn.Module,
        folder: Path,
        training: Training,
        make_batches: Callable[[int], Iterator[Batch]],
        validation: list[Batch],
        save_model: Callable[[Path], None],
        accelerator: Accelerator | None = None,
    ) -> None:
        self.training, self.folder = training, folder
        self.make_batches, self.validation, self.save_model = make_batches, validation, save_model
        self.accelerator = accelerator or Accelerator()
        decay = [p for n, p in model.named_parameters() if p.requires_grad and _decays(n, p)]
        rest = [p for n, p in model.named_parameters() if p.requires_grad and not _decays(n, p)]
        groups = [
            {"params": decay, "weight_decay": training.weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(
            groups, lr=training.learning_rate, betas=(0.9, 0.95), fused=True
        )
        self.plain = model
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.step, self.spent, self.best = 0, 0.0, math.inf
        folder.mkdir(parents=True, exist_ok=True)
        self._resume()

    @property
    def done(self) -> float:
        """Share of the run that is behind us: by time where hours are given, else by steps."""
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
            began, spent = time.monotonic(), self.spent
            while self.done < 1.0:
                loss, count = self._one_step(next(feed))
                self.spent = spent + time.monotonic() - began
                self.step += 1
                self._log(step=self.step, loss=loss, ids=count, seconds=round(self.spent, 1))
                progress.update(task, completed=self.step, figures=f"loss {loss:.3f}")
                if self.step % t.evaluate_every == 0 or self.done >= 1.0:
                    self._evaluate()
                if self.step % t.save_every == 0 or self.done >= 1.0:
                    self.save()
        return self.best

    def _one_step(self, batch: Batch) -> tuple[float, int]:
        self.model.train()
        factor = schedule(self.done, self.training.warmup / self.training.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = self.training.learning_rate * factor
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
        return float(loss.detach()), int(ids.numel())

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
        self._log(step=self.step, held_out=loss, seconds=round(self.spent, 1),
                  nats_per_note=round(total / max(notes, 1), 4))  # fmt: skip
        if loss < self.best and self.accelerator.is_main_process:
            self.best = loss
            self.save_model(self.folder / "best")
            self.curve()

    def _tensors(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        device = self.accelerator.device
        return torch.from_numpy(batch["ids"]).to(device), torch.from_numpy(batch["labels"]).to(
            device
        )

    def save(self) -> None:
        """Everything a resumed run needs, in one safetensors file that appears when whole."""
        if not self.accelerator.is_main_process:
            return
        tensors = {
            f"model.{name}": p.detach().contiguous()
            for name, p in self.plain.named_parameters()
            if p.requires_grad
        }
        for index, state in self.optimizer.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"optimizer.{index}.{name}"] = torch.as_tensor(value).contiguous()
        state = {"step": self.step, "spent": self.spent, "best": self.best}
        partial = self.folder / "checkpoint.partial"
        save_file(tensors, partial, metadata={"state": json.dumps(state)})
        partial.replace(self.folder / "checkpoint.safetensors")

    def _resume(self) -> None:
        path = self.folder / "checkpoint.safetensors"
        if not path.exists():
            (self.folder / "training.json").write_text(json.dumps(asdict(self.training), indent=1))
            return
        tensors = load_file(path)
        parameters = dict(self.plain.named_parameters())
        with torch.no_grad():
            for name, value in tensors.items():
                if name.startswith("model."):
                    parameters[name.removeprefix("model.")].copy_(value)
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("optimizer."):
                _, index, key = name.split(".", 2)
                state.setdefault(int(index), {})[key] = value
        current = self.optimizer.state_dict()
        self.optimizer.load_state_dict({"state": state, "param_groups": current["param_groups"]})
        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            kept = json.loads(file.metadata()["state"])
        self.step, self.spent, self.best = kept["step"], kept["spent"], kept["best"]

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
        axes.set(xlabel="step", ylabel="loss, nats per plan or score id")
        axes.legend()
        figure.savefig(self.folder / "curve.png", dpi=110)


def _decays(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim > 1 and "embed" not in name
