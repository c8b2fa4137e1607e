"""The command that listens: transcribe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textmusic.cli.options import ResultOptions
from textmusic.cli.pieces import keep_pieces
from textmusic.language.controls import parse_tempo
from textmusic.system.progress import progress_bar


def transcribe(
    file: Annotated[
        Path, typer.Argument(help="Recording: WAV, FLAC, MP3, Ogg or AIFF, up to 10 minutes.")
    ],
    *,
    tempo: Annotated[
        str | None,
        typer.Option(help="Quarter notes per minute, where they are known; default: found."),
    ] = None,
    metre: Annotated[
        str | None, typer.Option(help="Time signature, where it is known; default: found.")
    ] = None,
    denoise: Annotated[
        bool, typer.Option(help="Turn steady noise down before listening; seldom helps.")
    ] = False,
    results: ResultOptions,
) -> None:
    """Write down what is heard in a recording: one voice, or one instrument, or a few.

    A mix with drums is refused. The other commands take recordings, too (audio-in extra).
    """
    results.check()
    beat = None if tempo is None else parse_tempo(tempo)
    from textmusic.writing.hearing import piece_heard, transcription_of

    with progress_bar("listening", "windows") as step:
        made = transcription_of(file, denoise=denoise, tempo=beat, metre=metre, on_step=step)
    keep_pieces([piece_heard(made)], results, f"{file.stem}-transcribed")
