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
    str | None, typer.Option(help="Model folder or Hugging Face Hub id; else the bundled model.")
]
Soundfont = Annotated[
    Path | None,
    typer.Option(help="SF2 or SF3 file to play with; else TEXTMUSIC_SOUNDFONT, else TimGM6mb."),
]
Formats = Annotated[
    str, typer.Option("--format", help="Of mid, wav, flac, mp3, svg, png, json, musicxml.")
]
Chords = Annotated[str | None, typer.Option(help='As in "Am F C G", or I-V-vi-IV.')]
Form = Annotated[str | None, typer.Option(help='As in AABA, or "verse chorus verse chorus".')]
Temperature = Annotated[
    float | None, typer.Option(help="How freely to choose, 0 (not at all) to 2.")
]
TopP = Annotated[
    float | None, typer.Option(help="Choose among the likeliest with this share, up to 1.")
]
HarmonyStrength = Annotated[
    float | None, typer.Option(help="How much chords weigh on notes, 0 (not at all) to 1.")
]
FormStrength = Annotated[
    float | None, typer.Option(help="How much bars that come back do, 0 to 1.")
]
