"""LoRA adapters: a few megabytes that turn their base into another model.

    base.json (which base, and its hash) + adapter_model.safetensors + base -> a model's folder

A model's folder has its adapter in `adapter/`; a repository may hold that alone.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from textmusic.errors import TextMusicError
from textmusic.music.known_runs import FILE as KNOWN_RUNS

CONFIG, WEIGHTS, BASE = "adapter_config.json", "adapter_model.safetensors", "base.json"
FILES = (CONFIG, WEIGHTS, BASE)


@dataclass(frozen=True, slots=True)
class Origin:
    """What an adapter belongs to: a model that `--model` takes, and `weights_hash` of it."""

    base: str
    sha256: str


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter, and no model."""
    return (folder / CONFIG).exists() and not (folder / "config.json").exists()


def read_origin(folder: Path, name: str) -> Origin:
    """The base of an adapter. Raises TextMusicError where the folder does not say, or lacks files.

    name: what the adapter is called.
    """
    try:
        (folder / WEIGHTS).stat()
        said = json.loads((folder / BASE).read_text(encoding="utf-8"))
        origin = Origin(said["base"], said["sha256"])
        if not (isinstance(origin.base, str) and isinstance(origin.sha256, str)):
            raise TypeError("base.json")
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        raise TextMusicError(
            f"'{name}' has no adapter for a textmusic model ({', '.join(FILES)}); share the whole"
            " model instead."
        ) from None
    return origin


def weights_hash(folder: Path) -> str:
    """SHA-256 over those of a model's files with weights, in the order of their names."""
    digest = hashlib.sha256()
    weights = [file for file in sorted(folder.glob("*.safetensors")) if file.name != KNOWN_RUNS]
    for file in weights + sorted(folder.glob("*.onnx*")):
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()
