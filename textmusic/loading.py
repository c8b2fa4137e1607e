"""Where a model lies: bundled, in a folder, or on the Hub."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from textmusic.adapter import assembled, is_adapter
from textmusic.errors import TextMusicError

if TYPE_CHECKING:
    from os import PathLike

BUNDLED = {"default": ".", "lstm": "lstm"}  # folders below textmusic/bundled


def locate(model: str | PathLike[str] | None, revision: str | None) -> tuple[Path, str]:
    """(folder, name) of a model: a bundled one, a folder, or a Hub id (downloaded).

    Bundled are "default", which None means too, and "lstm", or as reports call them,
    "textmusic-default" and "textmusic-lstm"; a folder of such a name is "./lstm". An adapter is
    joined with its base, which can't be an adapter itself.
    """
    folder, name = _found(model, revision)
    if not is_adapter(folder):
        return folder, name
    return assembled(folder, name, lambda base: _found(base, None)[0]), name


def _found(model: str | PathLike[str] | None, revision: str | None) -> tuple[Path, str]:
    name = str(model or "default").removeprefix("textmusic-")
    if name in BUNDLED:
        folder = Path(str(resources.files("textmusic") / "bundled" / BUNDLED[name]))
        if not (folder / "textmusic.json").exists():
            raise TextMusicError(
                f"the bundled model '{name}' is missing from this installation; reinstall"
                " textmusic or give a model with --model."
            )
        return folder, f"textmusic-{name}"
    assert model is not None
    path = Path(model)
    if path.exists():
        return path, path.resolve().name
    from textmusic.hub import fetch

    return fetch(str(model), revision), str(model)
