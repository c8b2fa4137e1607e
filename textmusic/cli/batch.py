"""The command for many prompts: batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textmusic.cli.checks import (
    check_folder,
    check_performance,
    check_sample_rate,
    check_seed,
    check_soundfont,
    read_formats,
)
from textmusic.cli.options import (
    FORMAT,
    FORMAT_LIST,
    OUT,
    SAMPLE_RATE,
    Dry,
    FirstSeed,
    Loop,
    Model,
    Out,
    Performance,
    Ray,
    SampleRate,
    SamplingOptions,
    Soundfont,
    Workers,
)
from textmusic.cli.terminal import plain
from textmusic.errors import TextMusicError
from textmusic.language.notes import note_for
from textmusic.result.formats import AUDIO_FORMATS
from textmusic.system.progress import progress_bar
from textmusic.system.values import within


def batch(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON lines or parquet with text and controls, or plain text with one prompt per"
            " line."
        ),
    ],
    *,
    out: Out = OUT,
    audio: Annotated[
        bool,
        typer.Option("--audio/--no-audio", help="Write audio and pictures, or only mid and json."),
    ] = True,
    formats: Annotated[str | None, FORMAT] = None,
    seed: FirstSeed = 0,
    text_only: Annotated[
        bool, typer.Option("--text-only", help="Ignore everything in the file but the text.")
    ] = False,
    workers: Workers = None,
    slots: Annotated[
        int | None,
        typer.Option(help="Pieces that each process writes side by side; default 8, more on GPUs."),
    ] = None,
    ray: Ray = None,
    loop: Loop = False,
    how: SamplingOptions,
    soundfont: Soundfont = None,
    dry: Dry = False,
    performance: Performance = None,
    sample_rate: SampleRate = SAMPLE_RATE,
    model: Model = None,
) -> None:
    """Write music for every prompt in a file: 0001.mid, 0001.json, ...

    Run the same command again to continue where it stopped. Fields of a JSON line, or columns:
    text, key, tempo, time_signature, instruments (a list), bars, seconds, mood, genre, density,
    chords, form, seed, loop (true or false), performance (0 to 1), and id or name, which names the
    files; other fields are reported and ignored. Formats that are added later are made from the
    MIDI files that are there.
    """
    from textmusic.engines.protocol import SLOTS
    from textmusic.performing.performance import PERFORMANCE
    from textmusic.writing.batch import (
        MAX_SLOTS,
        MAX_WORKERS,
        Settings,
        Tally,
        made_otherwise,
        pending,
        run,
    )
    from textmusic.writing.jobs import read_jobs, unknown_fields

    kinds = read_formats(formats or (FORMAT_LIST if audio else "mid,json"))
    if not audio:
        kinds = tuple(kind for kind in kinds if kind not in AUDIO_FORMATS)
    if not kinds:
        raise TextMusicError("--no-audio leaves nothing to write; add another format to --format.")
    if workers is not None:
        within("workers", workers, 1, MAX_WORKERS)
    if slots is not None:
        within("slots", slots, 1, MAX_SLOTS)
    check_seed(seed)
    jobs = read_jobs(file, seed=seed, text_only=text_only)
    check_folder(out)
    check_sample_rate(sample_rate)
    check_performance(performance)
    check_soundfont(kinds, soundfont)
    for said_of_fields in unknown_fields(job.record for job in jobs):
        typer.echo(plain(said_of_fields), err=True)
    settings = Settings(
        out, kinds, model, soundfont, how.sampling(), slots or SLOTS, loop, dry, sample_rate,
        PERFORMANCE if performance is None else performance,
    )  # fmt: skip
    todo = pending(jobs, settings)
    waiting = {job.number for job in todo}
    if other := made_otherwise([job for job in jobs if job.number not in waiting], settings):
        typer.echo(
            f"note: {other:,} of the pieces that are there were written with another seed, model or"
            " sampling, and stay; for new ones choose another folder with -o.", err=True,
        )  # fmt: skip
    tally = Tally(prompts=len(jobs), skipped=len(jobs) - len(todo))
    try:
        with progress_bar("writing", "prompts") as step:
            for outcome in run(todo, settings, workers=workers, ray=ray):
                tally.add(outcome)
                said = [f"not used: {note_for(note, note)}" for note in outcome.unused]
                if outcome.problem is not None:
                    said.append(f"failed: {outcome.problem}")
                for words in said:
                    typer.echo(plain(f"prompt {outcome.number} {words}"), err=True)
                step(tally.done, len(todo))
    finally:
        typer.echo(tally.summary())
    if tally.failed:
        raise typer.Exit(1)
