"""Files that are written whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from textmusic.errors import TextMusicError


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file under a temporary name, then give it its own name.

    Raises TextMusicError where the folder cannot be written or the disk is full; no partial file
    is left behind.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        partial.replace(path)
    except TextMusicError as problem:  # of a writer, who knows the temporary name only
        raise TextMusicError(str(problem).replace(str(partial), str(path))) from None
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise TextMusicError(
            f"'{path}' could not be written ({reason}); choose another folder with -o or free some"
            " space."
        ) from None
    finally:
        if partial.exists():
            partial.unlink()


def write_text(path: Path, text: str) -> None:
    """`write_whole` for a text, in UTF-8."""

    def write(partial: Path) -> None:
        partial.write_text(text, encoding="utf-8")

    write_whole(path, write)
