"""How a script of a checkout ends."""

from __future__ import annotations

import sys
from collections.abc import Callable

from textmusic.errors import TextMusicError


def ended(main: Callable[[], int | None], name: str) -> int:
    """Run a script's main function and return the exit code: its own, or else 0.

    Where it raises TextMusicError, the sentence is written to stderr behind the script's name, and
    the code is 2, as with the commands of textmusic.
    """
    try:
        return main() or 0
    except TextMusicError as problem:
        sys.stderr.write(f"{name}: {problem}\n")
        return 2
