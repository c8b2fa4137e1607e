"""Where a model lies: bundled, in a folder, or on the Hub."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from textmusic.engines.adapter_files import FILES, is_adapter, read_origin, weights_hash
from textmusic.engines.folder import is_trained, read_config
from textmusic.engines.onnx import OnnxEngine
from textmusic.engines.protocol import Engine
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


def called(model: str | PathLike[str] | None) -> str:
    """The name of a model in reports: "textmusic-default", that of its folder, or its Hub id."""
    name = str(model or "default").removeprefix("textmusic-")
    if name in BUNDLED:
        return f"textmusic-{name}"
    path = Path(str(model))
    return path.resolve().name if path.exists() else str(model)


def _found(model: str | PathLike[str] | None, revision: str | None) -> tuple[Path, str]:
    name = str(model or "default").removeprefix("textmusic-")
    if name in BUNDLED:
        folder = Path(str(resources.files("textmusic") / "bundled" / BUNDLED[name]))
        if not (folder / "textmusic.json").exists():
            raise TextMusicError(
                f"the bundled model '{name}' is missing from this installation; reinstall"
                " textmusic or give a model with --model."
            )
        return folder, called(model)
    assert model is not None
    path = Path(model)
    if path.exists():
        return path, called(model)
    from textmusic.hub.fetch import fetch

    return fetch(str(model), revision), called(model)


def open_engine(folder: Path, *, threads: int | None = None) -> Engine:
    """The engine that a model folder asks for. threads: cores to use; by default all."""
    if is_trained(folder):
        try:
            from textmusic.models.torch_engine import open_trained
        except ModuleNotFoundError:
            raise TextMusicError(
                f"'{folder}' is a model in training format, which needs torch; run pip"
                " install 'textmusic[train]', or export it with training/export.py."
            ) from None
        return open_trained(folder, threads=threads)
    if read_config(folder).get("architecture") == "recurrent":
        from textmusic.engines.recurrent import RecurrentEngine

        return RecurrentEngine(folder, threads=threads)
    return OnnxEngine(folder, threads=threads)


def assembled(folder: Path, name: str, find: Callable[[str], Path]) -> Path:
    """The folder of the model that an adapter makes of its base; kept, for the next time.

    find: gives the folder of the base. Raises TextMusicError where that is another than the adapter
    was trained on, and where the train extra is missing.
    """
    origin = read_origin(folder, name)
    base = find(origin.base)
    if weights_hash(base) != origin.sha256:
        raise TextMusicError(
            f"'{name}' is an adapter for another version of '{origin.base}' (the SHA-256 of the"
            " weights differs); use the one it was trained on."
        )
    mark = hashlib.sha256(b"".join((folder / file).read_bytes() for file in FILES)).hexdigest()
    target = _cache() / mark
    if not (target / "config.json").exists():
        try:
            from textmusic.models.adapter import assemble
        except ModuleNotFoundError:
            raise TextMusicError(
                f"'{name}' is an adapter, which needs torch; run pip install 'textmusic[train]'."
            ) from None
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as work:
            made = Path(work) / "model"
            assemble(folder, base, made)
            (made / "adapter").mkdir()
            for file in FILES:
                shutil.copy(folder / file, made / "adapter" / file)
            if (folder / "README.md").exists():
                shutil.copy(folder / "README.md", made)
            if not target.exists():
                made.rename(target)
    return target


def _cache() -> Path:
    """Beside what is fetched from the Hub."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE).parent / "textmusic-adapters"


def text_tokenizer(base: str | None) -> Path:
    """The tokenizer.json of a base LLM; by default the bundled model's, which is SmolLM2's."""
    if base is None or Path(base).exists():
        path = locate(base, None)[0] / "tokenizer.json"
        if not path.exists():
            raise TextMusicError(
                f"'{base}' has no tokenizer.json; give the folder or Hub id of an LLM."
            )
        return path
    from textmusic.hub.fetch import fetch_tokenizer

    return fetch_tokenizer(base)
