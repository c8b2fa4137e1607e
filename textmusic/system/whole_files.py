"""Files that are written whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textmusic.errors import TextMusicError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary name for the block to write to; when the block ends, the file gets its own name.

    The folder is created if necessary, and no partial file is left behind. Raises TextMusicError
    where the folder cannot be written or the disk is full.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
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
    """A `whole_file` with a text, in UTF-8."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
