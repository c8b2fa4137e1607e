"""What a corpus says of its pieces: metadata.jsonl, licences, tune names.

A corpus folder holds `<id>.mid` files, or a flat `midi.zip` of them, and `metadata.jsonl` (a JSON
object a piece: id, genre, key, tempo_bpm, velocity, licence ...).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from textmusic.corpus.files import opened

NO_PUBLIC_LICENCE = "no public licence named"


def read_metadata(folder: Path) -> list[dict[str, Any]]:
    """The pieces of a corpus folder, default-weights licences only."""
    lines = (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line]
    return [row for row in rows if not row["licence"].startswith(NO_PUBLIC_LICENCE)]


def tune_names(folder: Path) -> dict[str, str]:
    """Piece id -> name of the tune it was arranged from (sources.tsv), where a corpus says so."""
    table = folder / "sources.tsv"
    if not table.exists():
        return {}
    rows = [line.split("\t") for line in table.read_text().splitlines()[1:]]
    return {row[0]: f"{row[1]}/{row[2].replace('_', '-')}" for row in rows}


def read_midi(folder: Path, piece: str) -> bytes:
    """The MIDI file of a piece of a corpus folder."""
    packed = folder / "midi.zip"
    if packed.exists():
        return opened(packed).read(f"{piece}.mid")
    return (folder / f"{piece}.mid").read_bytes()
