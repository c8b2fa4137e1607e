"""The command that learns a taste: prefer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textmusic.cli.checks import check_folder
from textmusic.cli.options import Model
from textmusic.cli.terminal import new_console, say
from textmusic.cli.train import check_ranges, check_torch


def prefer(
    votes: Annotated[
        list[Path], typer.Argument(help="Databases that listen or serve --feedback wrote.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the adapter.")],
    model: Model = None,
    any_model: Annotated[
        bool, typer.Option("--any-model", help="Also use pieces that another model wrote.")
    ] = False,
    beta: Annotated[
        float | None,
        typer.Option(help="How strongly to hold to the base model, per nat; default 0.05."),
    ] = None,
    rank: Annotated[int | None, typer.Option(help="LoRA rank; default 16.")] = None,
    cpu_hours: Annotated[
        float | None, typer.Option(help="Longest training time in hours; default 2 on a CPU.")
    ] = None,
    max_steps: Annotated[
        int | None,
        typer.Option(help="Most training steps; default: three times through the pairs."),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Peak learning rate; default 5e-4.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed for the order of the pairs.")] = None,
) -> None:
    """Train an adapter on the pieces you preferred; if stopped, the same command continues it."""
    check_ranges(
        beta=beta, rank=rank, cpu_hours=cpu_hours, max_steps=max_steps, learning_rate=learning_rate
    )
    check_folder(out)
    check_torch()
    from textmusic.learning import preference
    from textmusic.learning.proposal import Choices

    choices = Choices(
        base=model, rank=rank, steps=max_steps, hours=cpu_hours, learning_rate=learning_rate,
        seed=seed,
    )  # fmt: skip
    console = new_console()
    preference.prefer(
        votes, out, choices, beta=beta, any_model=any_model, tell=lambda line: say(console, line)
    )
