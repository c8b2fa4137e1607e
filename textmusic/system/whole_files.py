"""Files that are written whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import get_ident

from textmusic.errors import TextMusicError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary name for the block to write to; when the block ends, the file gets its own name.

    The folder is created if necessary, and no partial file is left behind. Raises TextMusicError
    where the folder cannot be written or the disk is full.
    """
    partial = path.with_name(f".{os.getpid()}-{get_ident()}.part{path.suffix}")
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
        with suppress(OSError):  # it has its own name now, or never came to be
            partial.unlink()


def write_text(path: Path, text: str) -> None:
    """A `whole_file` with a text, in UTF-8."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
