"""What a fine-tuning run will be: settled, and said, before it starts.

choices + data -> config (defaults by the data's size) -> steps that fit the time -> Run
"""

from __future__ import annotations

import json
import math
import random
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list

from textmusic.corpus.captions import Captioner
from textmusic.errors import TextMusicError
from textmusic.learning.config import RunConfig, Training
from textmusic.learning.config_files import read_config, write_config
from textmusic.learning.examples import Examples, batches
from textmusic.learning.runs import Data, make_model, start
from textmusic.learning.settings import bf16_is_faster, this_process
from textmusic.learning.trainer import Run
from textmusic.models.llm import MusicLLM

CONFIG = "config.json"  # in the run's folder: what training/train.py --config takes, too
AROUND = 70  # ids of a caption and a plan, about
CPU_HOURS = 2.0  # at most, where nothing is said and there is no GPU
HELD_OUT = 32  # validation windows at most
RANK = 16
FILLED = 0.75  # of a batch's ids, about: its rows are of like length, and none is cut


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be chosen. None: as the run began, else by the size of the data.

    base: what `runs.make_model` takes. full: train every weight but the text rows, no LoRA.
    rank: of LoRA. steps: optimiser steps at most. hours: at most. sample: text of the pieces on
    the way, written every `sample_every` steps. All others: see `Training`.
    """

    base: str | None = None
    full: bool | None = None
    rank: int | None = None
    steps: int | None = None
    hours: float | None = None
    learning_rate: float | None = None
    sample: str | None = None
    sample_every: int | None = None
    tracker: str | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to learn from: training windows, the pieces they are of, score ids."""

    windows: int
    pieces: int
    ids: int

    @classmethod
    def of(cls, data: Data) -> Size:
        """Of the training split."""
        pieces = {(window.source, window.piece) for window in data.train}
        return cls(len(data.train), len(pieces), sum(len(window.ids) for window in data.train))

    @property
    def learnt(self) -> int:
        """Ids of once through the data, captions and plans included."""
        return self.ids + AROUND * self.windows


def suggested(size: Size, *, full: bool, gpu: bool, processes: int = 1) -> Training:
    """How to train on so much data, each process with a batch of a step.

    Little data is gone through several times, at most eight, and training stops where the held-out
    loss no longer falls; from four million ids on once is enough. Batches are small, since steps
    count more than their size where there are few.
    """
    times = min(8.0, max(1.0, 4e6 / size.learnt))
    tokens = (2048 if size.learnt < 2e6 else 4096) * (4 if gpu else 1)
    steps = max(math.ceil(times * size.learnt / (FILLED * tokens * processes)), 10)
    return Training(
        tokens=tokens,
        global_batch=processes,
        learning_rate=3e-4 if full else 1e-3,
        reading=0.4,
        reading_end=0.2,
        drills=1.0,
        patience=4,
        seed=1,
        **paced(steps),
    )


def paced(steps: int) -> dict[str, Any]:
    """The fields of `Training` that go by the steps of a run."""
    return {
        "steps": steps,
        "warmup": max(steps // 20, 2),
        "evaluate_every": max(steps // 8, 1),
        "sample_every": max(steps // 4, 1),
        "save_every": min(max(steps // 40, 1), 20),
    }


def configured(choices: Choices, data: Data, run: Path) -> RunConfig:
    """The config of a run: as the folder has it, if it was begun, else with the defaults.

    Raises TextMusicError where a choice does not fit what was begun.
    """
    size = Size.of(data)
    if not data.valid:
        raise TextMusicError(
            "there is no validation data; prepare at least three tunes, or raise --valid."
        )
    before = _begun(run)
    if before is None:
        full = bool(choices.full)
        training = suggested(
            size, full=full, gpu=torch.cuda.is_available(), processes=this_process().num_processes
        )
        config = RunConfig(
            base=choices.base or "default",
            lora=None if full else choices.rank or RANK,
            held_out=min(HELD_OUT, max(len(data.valid), 4)),
            data=asdict(size),
            training=training,
        )
    else:
        config = before
        base, rank = config.base, config.lora
        if choices.base not in (None, base):
            raise otherwise(run, f"base {base}")
        if (choices.full and rank) or choices.rank not in (None, rank):
            raise otherwise(run, f"LoRA of rank {rank}" if rank else "all weights")
        if config.data != asdict(size):
            windows = (config.data or {}).get("windows", 0)
            raise otherwise(run, f"{windows:,} windows of different data")
    named = ("steps", "hours", "learning_rate", "sample_every", "tracker", "seed")
    given = {name: v for name in named if (v := getattr(choices, name)) is not None}
    paces = paced(choices.steps) if choices.steps is not None else {}
    return replace(
        config,
        training=replace(config.training, **paces | given),
        sample=choices.sample or config.sample or a_caption(data),
    )


def _begun(run: Path) -> RunConfig | None:
    path = run / CONFIG
    if not path.exists():
        return None
    try:
        return read_config(path)
    except TextMusicError:
        raise TextMusicError(f"'{path}' can't be read; delete '{run}' to start over.") from None


def otherwise(run: Path, what: str) -> TextMusicError:
    """The problem with a run that was begun with something else than is asked for now."""
    return TextMusicError(
        f"'{run}' has a run that started with {what}; choose another folder with -o, or delete it."
    )


def a_caption(data: Data) -> str:
    """What a person might say of the first held-out piece."""
    examples = Examples(data.valid[:1], data.tokenizer, Captioner(), vary=False)
    return examples.caption(data.valid[0], random.Random(0))


def seconds_a_step(model: MusicLLM, training: Training, data: Data) -> float:
    """How long a step takes on this machine: of one batch, forwards and backwards, scaled up.

    The first of three is left out: it warms up.
    """
    examples = Examples(data.train, data.tokenizer, Captioner())
    feed = batches(
        examples, tokens=training.tokens, reading=lambda _: 0.0, seed=training.seed,
        drills=training.drills,
    )  # fmt: skip
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bf16 = bf16_is_faster() if training.bf16 is None else training.bf16
    model.to(device).train()
    spent, size = 0.0, 0
    for number in range(3):
        batch = next(feed)
        began = time.perf_counter()
        ids, labels = (torch.from_numpy(batch[name]).to(device) for name in ("ids", "labels"))
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            loss = model(ids, labels)
        loss.backward()
        model.zero_grad(set_to_none=True)
        if device.type == "cuda":
            torch.cuda.synchronize()
        if number:
            spent, size = spent + time.perf_counter() - began, size + batch["ids"].size
    return spent / size * training.tokens * FILLED


def seconds_so_far(run: Path) -> float | None:
    """How long a step of a run has taken until now; None where none is logged."""
    log = run / "log.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    for line in reversed(lines):
        try:
            row = json.loads(line)
        except ValueError:  # cut short by a kill
            continue
        return row["seconds"] / row["step"] if row["step"] else None
    return None


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds of a step, of a look at the held-out windows, of a sample; known before a run."""

    step: float
    look: float
    sample: float = 12.0  # 8 bars by torch; a guess, as it depends on what is written

    @classmethod
    def of(cls, config: RunConfig, data: Data, a_step: float) -> Estimate:
        """From the seconds of a step. Forwards alone takes a third of the time."""
        a_window = sum(len(w.ids) + AROUND for w in data.valid) / len(data.valid)
        share = (config.held_out or HELD_OUT) * a_window / config.training.tokens / FILLED
        return cls(a_step, share * a_step / 3)

    def beside(self, training: Training) -> float:
        """Seconds that go into looks and samples."""
        looks = training.steps // training.evaluate_every + 1
        every = training.sample_every
        return looks * self.look + (training.steps // every if every else 0) * self.sample

    def seconds(self, training: Training) -> float:
        """Of a whole run."""
        whole = training.steps * self.step + self.beside(training)
        return min(float(whole), (training.hours or math.inf) * 3600)


def fitted(training: Training, estimate: Estimate) -> Training:
    """The same with as many steps as fit into its hours."""
    if not training.hours:
        return training
    room = training.hours * 3600 - estimate.beside(training)
    steps = int(room / estimate.step)
    if steps < 1:
        raise TextMusicError(
            f"one step takes {estimate.step:.0f} s here, so {training.hours:g} hours are too"
            " short; raise --cpu-hours."
        )
    return replace(training, **paced(steps)) if steps < training.steps else training


@dataclass(frozen=True, slots=True)
class Proposal:
    """A run that could start, and what is said of it. begun: the step that it goes on from."""

    config: RunConfig
    model: MusicLLM
    data: Data
    folder: Path
    seconds: float
    begun: bool

    @property
    def base(self) -> str:
        """What is trained, as `runs.make_model` takes it."""
        assert self.config.base is not None
        return self.config.base

    def start(self) -> Run:
        """The run, its config kept beside it."""
        if this_process().is_main_process:
            write_config(self.config, self.folder / CONFIG)
        return start(self.config, self.data, self.folder, self.model)


def propose(choices: Choices, data: Data, run: Path) -> Proposal:
    """What would be done, and how long it would take.

    Raises TextMusicError where a choice, the base or the data do not fit each other.
    """
    begun = (run / CONFIG).exists()
    config = configured(choices, data, run)
    model = make_model(config, data.tokenizer)
    measured = [seconds_so_far(run) or seconds_a_step(model, config.training, data)]
    broadcast_object_list(measured)  # every process has its own, and one has to count
    estimate = Estimate.of(config, data, measured[0])
    if not begun:
        training = config.training
        if choices.steps is None and choices.hours is None and not torch.cuda.is_available():
            training = replace(training, hours=CPU_HOURS)
        config = replace(config, training=fitted(training, estimate))
    return Proposal(config, model, data, run, estimate.seconds(config.training), begun)


def described(proposal: Proposal, report_minutes: float) -> list[tuple[str, str]]:
    """What a run will do, in words: pairs of a subject and what is said of it."""
    training, size = proposal.config.training, Size.of(proposal.data)
    weights = sum(p.numel() for p in proposal.model.parameters() if p.requires_grad)
    rank = proposal.config.lora
    how = f"LoRA of rank {rank} and the music rows" if rank else "all except the text rows"
    a_step = round(FILLED * training.tokens * (training.global_batch or 1))
    learnt = training.steps * a_step
    end = f", or {training.hours:g} hours" if training.hours else ""
    return [
        ("data", f"{size.pieces:,} pieces in {size.windows:,} windows, {size.ids:,} ids;"
                 f" {len(proposal.data.valid):,} windows held out for validation"),
        ("base", proposal.base),
        ("trains", f"{how}: {weights / 1e6:.1f} million weights,"
                   f" learning rate {training.learning_rate:g}"),
        ("steps", f"{training.steps:,} of about {a_step:,} ids{end}: about"
                  f" {learnt / size.learnt:.1f} passes through the data; stops earlier if the"
                  " held-out loss no longer falls"),
        ("time", f"about {minutes(proposal.seconds)} to train here, and"
                 f" {report_minutes:.0f} min for export and report"),
        ("run", f"{proposal.folder}; if it is stopped, the same command continues from there"),
    ]  # fmt: skip


def minutes(seconds: float) -> str:
    """A time in the unit that fits."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
