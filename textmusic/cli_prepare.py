"""The command that makes training data of a folder of music: prepare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textmusic.checks import check_folder
from textmusic.controls import within
from textmusic.errors import TextMusicError
from textmusic.terminal import new_console, say


def prepare(
    folder: Annotated[
        Path, typer.Argument(help="MIDI, MusicXML, ABC, kern, zip archives; folders in folders.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the data.")] = Path("data"),
    base: Annotated[
        str | None,
        typer.Option(help="Model folder or Hub id of the LLM to be trained; else the bundled one."),
    ] = None,
    longest: Annotated[
        int, typer.Option(help="Music tokens in a stretch at most, 100 to 8192.")
    ] = 1920,
    valid: Annotated[int, typer.Option(help="Percent of the tunes for validation.")] = 2,
    test: Annotated[int, typer.Option(help="Percent of the tunes for the test.")] = 4,
    workers: Annotated[int | None, typer.Option(help="Processes; else one a core.")] = None,
    ray: Annotated[
        str | None,
        typer.Option(help="Ray cluster that reads: local (started here), auto, or HOST:PORT."),
    ] = None,
) -> None:
    """Make training data of a folder of music.

    Descriptions may stand in captions.csv (file,text and, if you like, key, tempo, time_signature,
    instruments, mood, genre) or captions.jsonl, or in piece.txt beside piece.mid. Stopped and run
    again, it goes on where it was.
    """
    within("longest", longest, 100, 8192)
    within("valid", valid, 0, 50)
    within("test", test, 0, 50)
    if workers is not None:
        within("workers", workers, 1, 256)
    check_folder(out)
    if folder.resolve() == out.resolve():
        raise TextMusicError("the data can't go into the folder they are made of; choose -o.")
    from textmusic.learning.preparation import prepare as prepared
    from textmusic.learning.summary import show

    shares = {"valid": valid, "test": test}
    summary = prepared(
        folder, out, base=base, longest=longest, shares=shares, workers=workers, ray=ray
    )
    console = new_console()
    show(summary, console)
    say(console, f"in {out}: train, valid and test.parquet, summary.json; look at preview.html")
