"""Which files of a model go to the Hub, and which come back."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

# Never weights in a format that could run code when loaded.
PATTERNS = [
    "*.json", "*.onnx", "*.onnx.data", "*.safetensors", "*.model", "*.md", "sketch_counts.json.gz",
]  # fmt: skip
BELOW = ["adapter/*.json", "adapter/*.safetensors", "samples/*.mp3"]  # pushed, but not fetched
EVALUATION = ("report.json", "report.md")
DESCRIPTIONS = [
    "textmusic.json", "config.json", "recurrent.json", "vocabulary.json", "adapter_config.json",
]  # fmt: skip
CARD, CHECKSUMS = "README.md", "checksums.json"
Contents = dict[str, Path | bytes]  # by path in the repository
Kind = Literal["model", "dataset"]  # of a repository


def sha256(file: Path) -> str:
    """Of a file's bytes, in hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
