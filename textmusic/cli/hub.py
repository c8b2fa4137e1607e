"""The command that shares a model or prepared data: push."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textmusic.cli.terminal import new_console, say
from textmusic.errors import TextMusicError


def push(
    model: Annotated[
        str,
        typer.Argument(help="Model folder, default, lstm or Hub id, or a folder of prepared data."),
    ],
    repo: Annotated[str, typer.Argument(help="Repository on the Hugging Face Hub: user/name.")],
    private: Annotated[
        bool, typer.Option("--private", help="Visible only to you or your organisation.")
    ] = False,
    revision: Annotated[
        str | None, typer.Option(help="Branch to push to, created if necessary; default: main.")
    ] = None,
    evaluation: Annotated[
        Path | None,
        typer.Option(help="Folder that evaluate wrote, to publish its figures with the model."),
    ] = None,
    samples: Annotated[
        int, typer.Option(help="Sample pieces to generate for the model's page, 0 to 4.")
    ] = 0,
    adapter: Annotated[
        bool, typer.Option("--adapter", help="Push only the LoRA adapter, not the whole model.")
    ] = False,
    any_licence: Annotated[
        bool,
        typer.Option(
            "--any-licence", help="Share data even if a licence forbids it or is not stated."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be pushed, and push nothing.")
    ] = False,
) -> None:
    """Share a model or prepared data, with a card, on the Hugging Face Hub."""
    from textmusic.hub.dataset import is_prepared, push_dataset

    if is_prepared(Path(model)):
        if evaluation is not None or samples or adapter:
            raise TextMusicError(
                f"'{model}' is prepared data; leave out --evaluation, --samples and --adapter,"
                " which are for models."
            )
        pushed = push_dataset(
            Path(model), repo, private=private, revision=revision, any_licence=any_licence,
            dry_run=dry_run,
        )  # fmt: skip
    else:
        from textmusic.writing.text_to_music import TextToMusic

        pushed = TextToMusic.from_pretrained(model).push_to_hub(
            repo, private=private, revision=revision, evaluation=evaluation, samples=samples,
            adapter=adapter, dry_run=dry_run,
        )  # fmt: skip
    console = new_console()
    for path, size in pushed.files.items():
        say(console, f"{size / 1e6:10.3f} MB  {path}")
    typer.echo(f"\n{pushed.metadata}\n")
    say(console, pushed.url or f"nothing was pushed to {repo}")
