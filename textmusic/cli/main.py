"""The command line: one small function per command, heavy imports wait until one runs."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from textmusic.cli.batch import batch
from textmusic.cli.checks import check_seed, check_threads
from textmusic.cli.composing import add, harmonise, rewrite, vary
from textmusic.cli.figures import compare, evaluate, listen
from textmusic.cli.grouped import ungrouped
from textmusic.cli.hub import push
from textmusic.cli.library import originality, similar
from textmusic.cli.options import (
    HOST,
    PORT,
    ControlOptions,
    Host,
    Loop,
    Model,
    Port,
    ResultOptions,
    SamplingOptions,
    Seed,
    Threads,
)
from textmusic.cli.pieces import adjust, go_on, keep_pieces, replay
from textmusic.cli.practise import practise
from textmusic.cli.prefer import prefer
from textmusic.cli.prepare import prepare
from textmusic.cli.terminal import new_console, plain, say
from textmusic.cli.train import train
from textmusic.cli.transcribe import transcribe
from textmusic.errors import TextMusicError
from textmusic.language.controls import well_formed
from textmusic.system.progress import progress_bar
from textmusic.system.values import within

app = typer.Typer(
    name="textmusic",
    help="Turn a description into music.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 in part, 2 not possible, 130 stopped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without ✓ is no reason to fail
            stream.reconfigure(errors="replace")
    try:
        app(args=None if argv is None else list(argv), prog_name="textmusic")
    except TextMusicError as problem:
        sentence = plain(str(problem)).rstrip(".")
        typer.echo(f"textmusic: {sentence}{'' if sentence.endswith('?') else '.'}", err=True)
        return 2
    except SystemExit as end:
        if end.code == 130:
            typer.echo("textmusic: stopped; finished work is kept.", err=True)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _show_version(wanted: bool) -> None:
    if wanted:
        from textmusic.version import __version__

        typer.echo(f"textmusic {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Turn a description into music."""


def generate(
    text: Annotated[str, typer.Argument(help='Description; "" leaves everything to the model.')],
    *,
    wanted: ControlOptions,
    seed: Seed = None,
    how: SamplingOptions,
    variations: Annotated[int, typer.Option(help="Number of pieces, 1 to 16.")] = 1,
    best_of: Annotated[
        int, typer.Option(help="Write this many pieces, 1 to 16, and keep the best.")
    ] = 1,
    play: Annotated[
        bool, typer.Option("--play", help="Play the piece while it is being written.")
    ] = False,
    loop: Loop = False,
    results: ResultOptions,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Write music for a description, and report what was asked for and what came out."""
    plan, outline = wanted.controls.plan(), wanted.controls.outline()
    from textmusic.writing.rewriting import MOST_VARIATIONS

    many = max(variations, best_of)
    within("variations", variations, 1, MOST_VARIATIONS)
    within("best-of", best_of, 1, MOST_VARIATIONS)
    if variations > 1 and best_of > 1:
        raise TextMusicError("--variations and --best-of cannot be combined; use one of them.")
    if play and many > 1:
        raise TextMusicError("--play plays only one piece; leave out --variations and --best-of.")
    check_seed(seed, many)
    check_threads(threads)
    results.check(playing=play)
    from textmusic.sound.player import Player, find_player

    player = Player(find_player()) if play else None

    from textmusic.language.prompt import check_length, looping

    plan = looping(plan) if loop else plan
    sampling = how.sampling()
    text = well_formed(text)
    check_length(text)  # a text that is too long is said before the model is loaded

    from textmusic.writing.text_to_music import TextToMusic

    began = time.perf_counter()
    music = TextToMusic.from_pretrained(model, threads=threads)
    with player or nullcontext():
        with progress_bar("writing", "bars") as step:
            if player:
                from textmusic.writing.live_audio import relay

                stream = music.stream_audio(
                    text, controls=plan, seconds=wanted.seconds, outline=outline, seed=seed,
                    sampling=sampling, soundfont=results.soundfont, dry=results.dry,
                    performance=results.amount,
                )  # fmt: skip
                generations = [relay(stream, player.write, step)]
            else:
                generations = music.generate_many(
                    text, many, controls=plan, seconds=wanted.seconds,
                    outline=outline, seed=seed, sampling=sampling, on_bar=step,
                )  # fmt: skip
        if best_of > 1:
            generations = [min(generations, key=lambda generation: generation.rank)]
        if loop or generations[0].prompt.loop:
            generations = [generation.looped() for generation in generations]
        keep_pieces(generations, results, called="variation")
        notes = sum(generation.report.notes for generation in generations)
        say(new_console(), f"{notes:,} notes in {time.perf_counter() - began:.1f} s")
        problem = player.finish() if player else None
    if problem:
        typer.echo(
            plain(f"textmusic: {problem}; the files were written, so play those instead."), err=True
        )
        raise typer.Exit(1)


def serve(
    host: Host = HOST,
    port: Port = PORT,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Model folder or Hub id to offer besides the bundled models; can be repeated."
        ),
    ] = None,
    mcp: Annotated[
        bool,
        typer.Option(
            "--mcp", help="Also offer the page's functions to AI assistants over MCP (mcp extra)."
        ),
    ] = False,
    proxy: Annotated[
        str | None,
        typer.Option(
            help="Address of the reverse proxy in front, whose X-Forwarded-For header is believed,"
            " or its network; separate several by commas."
        ),
    ] = None,
    feedback: Annotated[
        Path | None,
        typer.Option(help="Database for thumbs up and down, which textmusic prefer learns from."),
    ] = None,
    threads: Threads = None,
) -> None:
    """Open the web page."""
    within("port", port, 1, 65535)
    check_threads(threads)
    from textmusic.page import layout
    from textmusic.writing.writers import load_models

    layout.serve(
        load_models(model or (), threads=threads), mcp=mcp, proxy=proxy, feedback=feedback,
        host=host, port=port,
    )  # fmt: skip


def info(model: Model = None) -> None:
    """Print the model's card."""
    from textmusic.engines.folder import read_config
    from textmusic.writing.loading import locate

    folder, name = locate(model, None)
    read_config(folder)
    try:
        card = (folder / "README.md").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        card = f"The model {name} has no card (README.md)."
    typer.echo(card)


for command in (
    generate, practise, serve, info, batch, replay, adjust, rewrite, add, vary, harmonise,
    transcribe, similar, originality, prepare, train, prefer, evaluate, compare, listen, push,
):  # fmt: skip
    app.command()(ungrouped(command))
app.command("continue")(ungrouped(go_on))
