"""Prompts in a file, and the command that writes them all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from textmusic.cli.main import main

LINES: list[dict[str, Any]] = [
    {"text": "calm piano", "bars": 2, "key": "D minor"},
    {"text": "", "bars": 2},
    {"text": "duo", "bars": 3, "instruments": ["violin", 32], "mood": [2, 1], "seed": 99},
    {"text": "a tune", "bars": 2, "tempo_bpm": [90, 120], "programs": [[0, 1]], "valence": [4, 5]},
]


def write_lines(path: Path, lines: list[dict[str, Any]] = LINES) -> Path:
    """A file of prompts, a line each."""
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n", encoding="utf-8")
    return path


def batch(*args: str | Path) -> int:
    """The command; its exit code."""
    return main(["batch", *map(str, args)])


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed last."""
    return capsys.readouterr().out.splitlines()[-1]
