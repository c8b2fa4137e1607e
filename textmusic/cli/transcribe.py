"""The command that listens: transcribe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textmusic.cli.options import ResultOptions
from textmusic.cli.terminal import new_console, say
from textmusic.language.controls import parse_tempo
from textmusic.system.progress import progress_bar


def transcribe(
    file: Annotated[
        Path, typer.Argument(help="Recording: WAV, FLAC, MP3, Ogg or AIFF, up to 10 minutes.")
    ],
    *,
    tempo: Annotated[
        str | None,
        typer.Option(help="Quarter notes per minute, if you know them; default: detected."),
    ] = None,
    time_signature: Annotated[
        str | None, typer.Option(help="For example 6/8, if you know it; default: detected.")
    ] = None,
    denoise: Annotated[bool, typer.Option(help="Turn steady noise down before listening.")] = False,
    results: ResultOptions,
) -> None:
    """Write down what is heard in a recording: one voice, or one instrument, or a few.

    A mix with drums is refused. The other commands take recordings, too (audio-in extra).
    """
    results.check()
    beat = None if tempo is None else parse_tempo(tempo)
    from textmusic.writing.hearing import piece_heard, transcription_of

    with progress_bar("listening", "windows") as step:
        made = transcription_of(
            file, denoise=denoise, tempo=beat, metre=time_signature, on_step=step
        )
    piece, found, console = piece_heard(made), made.account, new_console()
    tempo_said = f"{found.tempo:.0f} bpm" + (" at first" if found.tempi > 1 else "")
    say(
        console,
        f"{piece.plan.bars} bars of {found.metre} in {found.key}, {tempo_said},"
        f" {found.notes:,} notes",
    )
    for remark in piece.report.remarks:
        say(console, f"note: {remark}")
    for path in results.save(piece, results.unused(f"{file.stem}-transcribed")):
        say(console, str(path))
