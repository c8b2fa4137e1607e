"""Options that several commands have, in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textmusic.result.formats import DEFAULT_FORMATS

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
OUT = Path("out")
FORMAT_LIST = ",".join(DEFAULT_FORMATS)
Model = Annotated[
    str | None,
    typer.Option(help="Model folder or Hugging Face Hub id; default: the bundled model."),
]
Soundfont = Annotated[
    Path | None,
    typer.Option(help="SF2 or SF3 soundfont; default: TEXTMUSIC_SOUNDFONT, or else TimGM6mb."),
]
Formats = Annotated[
    str,
    typer.Option(
        "--format",
        help="File formats, separated by commas: mid, wav, flac, mp3, svg, png, json, musicxml.",
    ),
]
Chords = Annotated[str | None, typer.Option(help='For example "Am F C G" or I-V-vi-IV.')]
Form = Annotated[str | None, typer.Option(help='For example AABA or "verse chorus verse chorus".')]
Temperature = Annotated[
    float | None, typer.Option(help="Sampling temperature, 0 (always the likeliest) to 2.")
]
TopP = Annotated[
    float | None,
    typer.Option(help="Sample from the likeliest tokens with this total probability, up to 1."),
]
HarmonyStrength = Annotated[
    float | None, typer.Option(help="How closely notes follow the chords, 0 (not at all) to 1.")
]
FormStrength = Annotated[
    float | None,
    typer.Option(help="How closely repeated bars follow the originals, 0 (not at all) to 1."),
]
