"""Checks of what was given on a command line, before anything is loaded or written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from textmusic.errors import TextMusicError
from textmusic.result.formats import AUDIO_FORMATS, FORMATS, NEEDED
from textmusic.system.values import within


def read_formats(said: str) -> tuple[str, ...]:
    """The formats of a comma-separated list, each once."""
    kinds = dict.fromkeys(kind.strip().lower().lstrip(".") for kind in said.split(","))
    kinds.pop("", None)
    kinds = {"sheet.svg" if kind == "sheet" else kind: None for kind in kinds}
    for kind in kinds:
        if kind not in FORMATS:
            raise TextMusicError(f"'{kind}' is not a format; choose from {', '.join(FORMATS)}.")
    if not kinds:
        raise TextMusicError(f"no format given; choose from {', '.join(FORMATS)}.")
    for kind in kinds:  # before a piece is written that could not be kept
        for library in NEEDED.get(kind, ()):
            from textmusic.drawing.sheet_music import require

            require(library)
    return tuple(kinds)


def check_seed(seed: int | None, variations: int = 1) -> None:
    """Raise TextMusicError unless the seed and those after it can be used."""
    if seed is not None:
        from textmusic.tokens import sampling

        sampling.check_seed(seed, variations)


def check_performance(amount: float | None) -> None:
    """Raise TextMusicError for an amount of performance that is not from 0 to 1."""
    if amount is not None:
        within("performance", amount, 0, 1)


def check_threads(threads: int | None) -> None:
    """Raise TextMusicError for a number of threads that makes no sense."""
    if threads is not None:
        within("threads", threads, 1, 1024)


def check_folder(folder: Path) -> None:
    """Raise TextMusicError unless files can be written into a folder, which need not exist yet."""
    place = folder.absolute()
    try:
        while not place.exists():
            place = place.parent
        usable = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    except OSError:  # below a regular file, or in a folder that can't be looked into
        usable = False
    if not usable:
        raise TextMusicError(f"'{folder}' can't be written to; choose another folder with -o.")


def check_sample_rate(rate: int) -> None:
    """Raise TextMusicError for a number of samples a second that files are not written with."""
    from textmusic.sound.audio_files import RATES

    if rate not in RATES:
        raise TextMusicError(f"{rate} is not a sample rate; choose {' or '.join(map(str, RATES))}.")


def check_soundfont(kinds: Iterable[str], soundfont: Path | None) -> None:
    """Raise TextMusicError if there will be audio and the soundfont is missing or broken."""
    if any(kind in AUDIO_FORMATS for kind in kinds):
        from textmusic.sound.render import soundfont_path
        from textmusic.sound.soundfont import open_soundfont

        open_soundfont(soundfont_path(soundfont))
