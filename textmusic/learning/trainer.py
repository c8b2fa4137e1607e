"""One training loop for every model: accelerate around, safetensors checkpoints, a loss curve."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, broadcast, reduce
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors import SafetensorError
from torch import nn

from textmusic.errors import TextMusicError
from textmusic.learning import averages, checkpoint
from textmusic.learning.config import Training
from textmusic.learning.curve import draw
from textmusic.learning.feeding import ahead
from textmusic.learning.lock import held
from textmusic.learning.optimizers import check_whole, make_optimizer
from textmusic.learning.settings import schedule, settled
from textmusic.system.whole_files import write_text
from textmusic.tokens.tokenizer import IGNORED

Batch = dict[str, Any]
INPUTS = ("ids", "labels", "margins")  # of a model, as far as a batch has them
MINUTES_BETWEEN_CHECKPOINTS = 4.0
# Dense bfloat16 operations a second, from the makers' data sheets.
BF16_PEAK = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40": 181e12, "L4": 121e12,
             "A10": 125e12, "4090": 165e12, "3090": 71e12}  # fmt: skip


class Run:
    """A training run in a folder: checkpoint.safetensors, log.jsonl, curve.png, best/, samples/.

    model(ids, labels) returns the summed loss in nats over the labelled ids. Batches that count
    "pairs" have "margins" too, which are a third input, and the loss is summed over the pairs.
    make_batches(lane, skip) gives the training batches of a lane, from the skip-th on: a step takes
    one of each of `global_batch` lanes, and each process has its share of the lanes, so that a run
    does not depend on how many there are.
    save_model(model, folder) writes the model in its own format, sample(model, stem) a piece.
    It runs alike on a CPU, a GPU, and many processes (DDP or FSDP, as accelerate is configured).
    """

    def __init__(
        self,
        model: nn.Module,
        folder: Path,
        training: Training,
        make_batches: Callable[[int, int], Iterator[Batch]],
        validation: list[Batch],
        save_model: Callable[[Any, Path], None],
        *,
        sample: Callable[[Any, Path], None] | None = None,
        handlers: Sequence[Any] = (),
        branch_of: Path | None = None,
        unit: str = "nats per plan or score id",
    ) -> None:
        """handlers: accelerate's, for models that need them.

        branch_of: folder of a run whose newest checkpoint is where this one begins, at step 0.
        """
        self.folder, self.unit, self.sample = folder, unit, sample
        self.make_batches, self.validation, self.save_model = make_batches, validation, save_model
        self.training = training = settled(training, folder)
        self.accelerator = Accelerator(
            mixed_precision="bf16" if training.bf16 else "no",
            log_with=None if training.tracker == "none" else training.tracker,
            project_dir=str(folder),
            kwargs_handlers=list(handlers),
        )
        optimizer = make_optimizer(model, training)
        # Sharded weights can't be written by the model's own code: an unsharded copy does that.
        sharded = self.accelerator.distributed_type == DistributedType.FSDP
        check_whole(optimizer, sharded)
        self.plain = copy.deepcopy(model) if sharded else model
        ready = torch.compile(model, dynamic=True) if training.compile else model
        self.model, self.optimizer = self.accelerator.prepare(ready, optimizer)
        self.step, self.spent, self.best, self.worse = 0, 0.0, math.inf, 0
        self.clock = time.monotonic  # what `hours` are counted by
        self.saved: int | None = None  # step of the checkpoint that is on disk
        self.written: int | None = None  # ... of one that the next loss has to confirm
        self._resume(branch_of)

    @property
    def done(self) -> float:
        """Share of the run that is behind us: by time where hours are given, else by steps."""
        if self.training.patience is not None and self.worse >= self.training.patience:
            return 1.0
        share = self.step / self.training.steps
        if self.training.hours:
            share = max(share, self.spent / 3600 / self.training.hours)
        return min(share, 1.0)

    @property
    def lanes(self) -> range:
        """The lanes of this process."""
        assert self.training.global_batch is not None
        return range(
            self.accelerator.process_index,
            self.training.global_batch,
            self.accelerator.num_processes,
        )

    def train(self) -> float:
        """Run to the end; returns the best held-out loss (nats per labelled id).

        Raises TextMusicError where the loss is no number, the disk is full, or another process
        trains in the folder. The checkpoint on disk is whole then, and from before.
        """
        if self.done < 1.0:
            alone = held(self.folder) if self.accelerator.is_main_process else nullcontext()
            with self._in_words(), alone, self._tracked():
                self._tidy()
                self._train()
        return self.best

    def _train(self) -> None:
        t = self.training
        feeds = self._feeds()
        columns = (TextColumn("training"), BarColumn(), TimeRemainingColumn(),
                   TextColumn("{task.fields[figures]}"))  # fmt: skip
        quiet = not self.accelerator.is_main_process
        with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
            task = progress.add_task("training", total=1.0, figures="")
            began, spent, saved = self.clock(), self.spent, time.monotonic()
            if self.step:
                progress.console.print(f"going on from step {self.step}", highlight=False)
            else:
                self._evaluate(progress)  # what is there before anything is learnt
            while self.done < 1.0:
                at = time.monotonic()
                due = [next(feed) for feed in feeds]
                waited = time.monotonic() - at
                loss, count = self._one_step(due)
                speed = count / (time.monotonic() - at)
                self.spent = self._agreed(spent + self.clock() - began)
                self.step += 1
                self._log(step=self.step, loss=loss, ids=count, seconds=round(self.spent, 1),
                          waited=round(waited, 4), **self._speed(speed))  # fmt: skip
                figures = f"step {self.step} of {t.steps}, loss {loss:.3f}, {speed:,.0f} ids/s"
                progress.update(task, completed=self.done, figures=figures)
                looked = self.step % t.evaluate_every == 0 or self.done >= 1.0
                if looked:
                    self._evaluate(progress)
                late = time.monotonic() - saved > MINUTES_BETWEEN_CHECKPOINTS * 60
                if self._agreed(self.step % t.save_every == 0 or late or self.done >= 1.0):
                    self.save()
                    saved = time.monotonic()
                    if looked:
                        self._confirm()
                if self.sample and t.sample_every and self.step % t.sample_every == 0:
                    self._write_sample()

    def _feeds(self) -> list[Iterator[Batch]]:
        """The batches of each of this process's lanes, from the next step on."""
        makers = [partial(self.make_batches, lane, self.step) for lane in self.lanes]
        return [ahead(make) if self.training.ahead else make() for make in makers]

    def _one_step(self, batches: Sequence[Batch]) -> tuple[float, int]:
        """Learn from a batch of each lane, as from one; the loss, and how many ids there were."""
        self.model.train()
        t = self.training
        factor = schedule(self.done, t.warmup / t.steps, t.decay)
        for group in self.optimizer.param_groups:
            group["lr"] = t.learning_rate * group["rate"] * factor
        labelled, size = self._summed(
            sum(_counted(batch) for batch in batches),
            sum(batch.get("size", batch["ids"].size) for batch in batches),
        )
        total, processes = 0.0, self.accelerator.num_processes
        for lane, batch in zip(self.lanes, batches, strict=True):
            # What a model draws depends on its place alone, so that a resumed run draws the same.
            torch.manual_seed((self.training.seed << 40) + (self.step << 16) + lane)
            last = lane == self.lanes[-1]
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                loss = self.model(*self._tensors(batch))
                # DDP and FSDP take the mean over the processes
                self.accelerator.backward(loss * processes / labelled)
            total += float(loss.detach())
        (total,) = self._summed(total)
        loss = total / labelled
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.training.clip)
        if not (math.isfinite(loss) and math.isfinite(_whole(norm))):
            raise self._no_number()
        self._confirm()
        self.optimizer.step()
        averages.follow(self.optimizer.optimizer, self.training.ema, self.step + 1)
        self.optimizer.zero_grad(set_to_none=True)
        return loss, int(size)

    def _evaluate(self, progress: Progress) -> None:
        """Measure the model that would be used, and save it if it is the best so far."""
        with averages.in_place(self.optimizer.optimizer):
            self._measure(progress)

    @torch.no_grad()
    def _measure(self, progress: Progress) -> None:
        self.model.eval()
        total, count, notes = 0.0, 0, 0
        for batch in self.validation:
            total += float(self.model(*self._tensors(batch)))
            count += _counted(batch)
            notes += batch["notes"]
        loss = total / count
        if not math.isfinite(loss):
            raise self._no_number()
        a_note = {"nats_per_note": round(total / notes, 4)} if notes else {}
        self._log(step=self.step, held_out=loss, seconds=round(self.spent, 1), **a_note)
        better = loss < self.best
        self.best, self.worse = min(loss, self.best), 0 if better else self.worse + 1
        if self.accelerator.is_main_process:
            said = f"step {self.step}: held-out loss {loss:.4f}{'' if better else ', not better'}"
            progress.console.print(said, highlight=False)
        if better:
            if self.plain is not self.accelerator.unwrap_model(
                self.model, keep_torch_compile=False
            ):
                self._gather()
            if self.accelerator.is_main_process:
                partial = self.folder / "best.partial"
                self.save_model(self.plain, partial)
                checkpoint.replace_folder(partial, self.folder / "best")
                if self.step:
                    draw(self.folder / "log.jsonl", self.folder / "curve.png", self.unit)

    def _write_sample(self) -> None:
        with averages.in_place(self.optimizer.optimizer):
            if self.plain is not self.accelerator.unwrap_model(
                self.model, keep_torch_compile=False
            ):
                self._gather()
            if self.accelerator.is_main_process and self.sample:
                self.sample(self.plain, self.folder / "samples" / f"{self.step:06}")

    def _tensors(self, batch: Batch) -> list[torch.Tensor]:
        device = self.accelerator.device
        return [torch.from_numpy(batch[name]).to(device) for name in INPUTS if name in batch]

    def _summed(self, *values: float) -> tuple[float, ...]:
        """Sums over all processes."""
        if self.accelerator.num_processes == 1:
            return values
        here = torch.tensor(values, dtype=torch.float64, device=self.accelerator.device)
        return tuple(reduce(here, "sum").tolist())

    def _agreed(self, value: float) -> float:
        """What the main process says, its clock above all: all have to stop at the same step."""
        if self.accelerator.num_processes == 1:
            return value
        said = torch.tensor(value, dtype=torch.float64, device=self.accelerator.device)
        return float(broadcast(said))

    def _gather(self) -> None:
        """Bring the sharded weights together in `plain`."""
        whole = checkpoint.gathered(self.model)
        if self.accelerator.is_main_process:
            self.plain.load_state_dict(whole, strict=False)

    def save(self) -> None:
        """Write everything a resumed run needs; it counts from the next finite loss on."""
        tensors = checkpoint.tensors_of(self.model, self.optimizer.optimizer)
        if self.accelerator.is_main_process:
            kept = {name: getattr(self, name) for name in ("step", "spent", "best", "worse")}
            checkpoint.write(tensors, kept, self.folder)
        self.written = self.step

    def _confirm(self) -> None:
        if self.written is not None:
            if self.accelerator.is_main_process:
                checkpoint.confirm(self.folder)
            self.saved, self.written = self.written, None

    def _resume(self, branch_of: Path | None) -> None:
        kept = checkpoint.restore(self.model, self.optimizer.optimizer, self.folder)
        if kept is None and branch_of is not None:
            if not checkpoint.restore(self.model, self.optimizer.optimizer, branch_of):
                raise checkpoint.missing(branch_of)
        elif kept is not None:
            self.step, self.spent, self.best = kept["step"], kept["spent"], kept["best"]
            self.worse, self.saved = kept.get("worse", 0), self.step
        with self._in_words():
            self.folder.mkdir(parents=True, exist_ok=True)

    def _tidy(self) -> None:
        """Put away what an interrupted process has left; only once no other one trains there."""
        if self.accelerator.is_main_process:
            (self.folder / checkpoint.NEXT).unlink(missing_ok=True)
            checkpoint.mend_folder(self.folder / "best")
            checkpoint.trim_log(self.folder / "log.jsonl", self.step)
            write_text(self.folder / "training.json", json.dumps(asdict(self.training)))
        self.accelerator.wait_for_everyone()

    # What goes wrong ------------------------------------------------------------------------------

    def _no_number(self) -> TextMusicError:
        return TextMusicError(
            f"the loss is not a number at step {self.step}; start again with a lower learning rate"
            f" than {self.training.learning_rate:g}; {self.where_it_goes_on()}."
        )

    def where_it_goes_on(self) -> str:
        """Where the next start continues from, as the end of a sentence."""
        if self.saved is None:
            return "there is no checkpoint yet, so it starts over"
        return f"it continues from the checkpoint of step {self.saved}"

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Say in a sentence that a file of the run could not be written."""
        try:
            yield
        except (OSError, SafetensorError) as problem:
            checkpoint.mend_folder(self.folder / "best")
            raise TextMusicError(
                f"a file in '{self.folder}' could not be written ({checkpoint.reason(problem)});"
                f" free some space and start again; {self.where_it_goes_on()}."
            ) from None

    # Figures --------------------------------------------------------------------------------------

    @contextmanager
    def _tracked(self) -> Iterator[None]:
        """Send what is logged to the tracker, if one was chosen."""
        if self.training.tracker != "none":
            about = {k: v for k, v in asdict(self.training).items() if v is not None}
            self.accelerator.init_trackers("textmusic", config=about)
        try:
            yield
        finally:
            for tracker in self.accelerator.trackers:
                tracker.finish()

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
        shown = {name: value for name, value in figures.items() if name != "step"}
        self.accelerator.log(shown, step=figures["step"])


def _counted(batch: Batch) -> int:
    """What of a batch its loss is a mean over: labelled ids, or pairs."""
    return int(batch["pairs"] if "pairs" in batch else (batch["labels"] != IGNORED).sum())


def _whole(norm: Any) -> float:
    """A norm as a number, whether its parts lie in one process or in many."""
    return float(norm.full_tensor() if hasattr(norm, "full_tensor") else norm)
