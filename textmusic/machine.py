"""What figures were measured on: the processor, and the packages that matter."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from textmusic.engine import cores

PACKAGES = ("numpy", "onnxruntime", "music21", "symusic", "miditok", "librosa", "torch")


def machine() -> str:
    """The processor's name, and how many cores of it there are."""
    return f"{_processor()}, {cores()} cores"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def installed() -> dict[str, str]:
    """The versions of those of `PACKAGES` that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
