"""The command that fine-tunes: train."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from textmusic.cli.checks import check_folder
from textmusic.cli.terminal import new_console, say
from textmusic.errors import TextMusicError
from textmusic.language.controls import within

NEEDED = ("torch", "transformers", "accelerate", "peft", "onnxruntime_genai")


def train(
    data: Annotated[Path, typer.Argument(help="Folder that prepare wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The new model's folder.")],
    base: Annotated[
        str | None,
        typer.Option(help="What to begin with: a model folder or Hub id, else the bundled model."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Train all weights, instead of LoRA beside them.")
    ] = False,
    rank: Annotated[int | None, typer.Option(help="Of LoRA; 16 by default.")] = None,
    cpu_hours: Annotated[
        float | None, typer.Option(help="Train no longer than this; on a CPU 2 by default.")
    ] = None,
    max_steps: Annotated[int | None, typer.Option(help="Train no more steps than this.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="At its peak; by default 1e-3, with --full 3e-4.")
    ] = None,
    sample: Annotated[
        str | None, typer.Option(help="What to write now and then, to hear how it goes.")
    ] = None,
    sample_every: Annotated[
        int | None, typer.Option(help="Steps between two samples; 0 for none.")
    ] = None,
    tracker: Annotated[
        str | None, typer.Option(help="Show figures in tensorboard or trackio; or none.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the order of the data.")] = None,
    report: Annotated[
        bool,
        typer.Option("--report/--no-report", help="Measure before and after, on held-out data."),
    ] = True,
    pieces: Annotated[int, typer.Option(help="Held-out pieces in the report, at most.")] = 40,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and how long it takes.")
    ] = False,
) -> None:
    """Fine-tune a model on your own music; killed or stopped, the same command goes on.

    For several processes, GPUs or machines: accelerate launch -m textmusic train ...
    """
    for name, value, low, high in (
        ("rank", rank, 1, 512), ("cpu-hours", cpu_hours, 0.001, 10_000),
        ("max-steps", max_steps, 1, 10_000_000), ("learning-rate", learning_rate, 1e-8, 1.0),
        ("sample-every", sample_every, 0, 10_000_000), ("pieces", pieces, 2, 10_000),
    ):  # fmt: skip
        if value is not None:
            within(name, value, low, high)
    if full and rank is not None:
        raise TextMusicError("--full and --rank exclude each other; give one of them.")
    if out.resolve().name in ("before", "real"):
        raise TextMusicError("'before' and 'real' are columns of the report; name it otherwise.")
    check_folder(out)
    if not all(find_spec(name) for name in NEEDED):
        raise TextMusicError("training needs torch: pip install 'textmusic[train]'.")
    from textmusic.learning.finetuning import finetune
    from textmusic.learning.proposal import Choices

    choices = Choices(
        base, full or None, rank, max_steps, cpu_hours, learning_rate, sample, sample_every,
        tracker, seed,
    )  # fmt: skip
    console = new_console()
    finetune(
        data, out, choices, pieces=pieces if report else 0, dry_run=dry_run,
        tell=lambda line: say(console, line),
    )  # fmt: skip
