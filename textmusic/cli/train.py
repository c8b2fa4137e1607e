"""The command that fine-tunes: train."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from textmusic.cli.checks import check_folder
from textmusic.cli.terminal import new_console, say
from textmusic.errors import TextMusicError
from textmusic.system.values import within

_NEEDED = ("torch", "transformers", "accelerate", "peft", "onnxruntime_genai")
_RANGES = {
    "beta": (0.001, 10), "rank": (1, 512), "cpu-hours": (0.001, 10_000),
    "max-steps": (1, 10_000_000), "learning-rate": (1e-8, 1.0), "sample-every": (0, 10_000_000),
    "pieces": (2, 10_000),
}  # fmt: skip


def check_ranges(**options: float | None) -> None:
    """Raise TextMusicError for options of training that are out of range; None: not given."""
    for option, value in options.items():
        name = option.replace("_", "-")
        if value is not None:
            within(name, value, *_RANGES[name])


def check_torch() -> None:
    """Raise TextMusicError unless everything is installed that training needs."""
    if not all(find_spec(name) for name in _NEEDED):
        raise TextMusicError("training needs torch; run pip install 'textmusic[train]'.")


def train(
    data: Annotated[Path, typer.Argument(help="Folder of prepared data.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the new model.")],
    base: Annotated[
        str | None,
        typer.Option(help="Model to start from: a folder or Hub id; default: the bundled model."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Train all weights instead of a LoRA adapter.")
    ] = False,
    rank: Annotated[int | None, typer.Option(help="LoRA rank; default 16.")] = None,
    cpu_hours: Annotated[
        float | None, typer.Option(help="Longest training time in hours; default 2 on a CPU.")
    ] = None,
    max_steps: Annotated[int | None, typer.Option(help="Most training steps.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Peak learning rate; default 1e-3, or 3e-4 with --full.")
    ] = None,
    sample: Annotated[
        str | None, typer.Option(help="Prompt for the samples written during training.")
    ] = None,
    sample_every: Annotated[
        int | None, typer.Option(help="Steps between samples; 0 for none.")
    ] = None,
    tracker: Annotated[
        str | None, typer.Option(help="Track the run in tensorboard, trackio or none.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed for the order of the data.")] = None,
    report: Annotated[
        bool,
        typer.Option(
            "--report/--no-report", help="Evaluate before and after training, on held-out pieces."
        ),
    ] = True,
    pieces: Annotated[int, typer.Option(help="Most held-out pieces to evaluate on.")] = 40,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done and how long it would take.")
    ] = False,
) -> None:
    """Fine-tune a model on your own music; if it is stopped, the same command continues it.

    For several processes, GPUs or machines: accelerate launch -m textmusic train ...
    """
    check_ranges(
        rank=rank, cpu_hours=cpu_hours, max_steps=max_steps, learning_rate=learning_rate,
        sample_every=sample_every, pieces=pieces,
    )  # fmt: skip
    if full and rank is not None:
        raise TextMusicError("--full and --rank cannot be combined; use one of them.")
    if out.resolve().name in ("before", "real"):
        raise TextMusicError(
            "the output folder can't be called 'before' or 'real'; choose another name."
        )
    check_folder(out)
    check_torch()
    from textmusic.learning.finetuning import finetune
    from textmusic.learning.proposal import Choices

    choices = Choices(
        base=base, full=full or None, rank=rank, steps=max_steps, hours=cpu_hours,
        learning_rate=learning_rate, sample=sample, sample_every=sample_every, tracker=tracker,
        seed=seed,
    )  # fmt: skip
    console = new_console()
    finetune(
        data, out, choices, pieces=pieces if report else 0, dry_run=dry_run,
        tell=lambda line: say(console, line),
    )  # fmt: skip
