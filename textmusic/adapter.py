"""LoRA adapters: a few megabytes that turn their base into another model.

    base.json (which base, and its hash) + adapter_model.safetensors + base -> a model's folder

A model's folder has its adapter in `adapter/`; a repository may hold that alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textmusic.errors import TextMusicError

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
    except (OSError, ValueError, LookupError, TypeError):
        raise TextMusicError(
            f"'{name}' holds no adapter to a model of textmusic ({', '.join(FILES)}); share the"
            " whole model instead."
        ) from None
    return origin


def weights_hash(folder: Path) -> str:
    """SHA-256 over those of a model's files with weights, in the order of their names."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")) + sorted(folder.glob("*.onnx*")):
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


def assembled(folder: Path, name: str, find: Callable[[str], Path]) -> Path:
    """The folder of the model that an adapter makes of its base; kept, for the next time.

    find: gives the folder of the base. Raises TextMusicError where that is another than the adapter
    was trained on, and where the train extra is missing.
    """
    origin = read_origin(folder, name)
    base = find(origin.base)
    if weights_hash(base) != origin.sha256:
        raise TextMusicError(
            f"'{name}' is an adapter to another '{origin.base}' than there is here (its weights"
            " have another SHA-256); find the one that it was trained on."
        )
    mark = hashlib.sha256(b"".join((folder / file).read_bytes() for file in FILES)).hexdigest()
    target = _cache() / mark
    if not (target / "config.json").exists():
        try:
            from textmusic.models.adapter import assemble
        except ModuleNotFoundError:
            raise TextMusicError(
                f"'{name}' is an adapter, which needs torch: pip install 'textmusic[train]'."
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
