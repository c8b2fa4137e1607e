"""Inputs broken in the ways in which they break: files cut, texts repeated, folders mixed up."""

from __future__ import annotations

import io
import json
import random
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

# What programs send where something else is wanted.
WRONG_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, float("nan"), 10**310, "", "x", "9" * 310, "a" * 3_000, "\0",
    "D minor", ["a"], [], {"a": 1}, {}, [[[[]]]], [1, 2],
)  # fmt: skip
# Right values of all fields of all endpoints; FILE and RECORDING stand for uploads.
FILE, RECORDING = "a MIDI file", "a recording"
CALLS: dict[str, dict[str, Any]] = {
    "understand": {"text": "piano", "key": "", "tempo": "", "bars": 1, "chords": "", "form": ""},
    "generate": {
        "text": "piano", "key": "", "tempo": "", "bars": 1, "seed": 1, "model": "", "chords": "",
        "form": "",
    },
    "continue": {
        "midi": FILE, "bars": 1, "text": "", "seed": 1, "model": "", "chords": "", "form": "",
    },
    "rewrite": {
        "midi": FILE, "bars": "2", "instruments": "", "text": "", "seed": 1, "model": "",
        "chords": "", "form": "",
    },
    "add": {"midi": FILE, "instruments": "flute", "text": "", "bars": "1", "seed": 1, "model": ""},
    "vary": {
        "midi": FILE, "text": "", "variation": 1, "seed": 1, "model": "", "with_theme": False,
    },
    "harmonise": {
        "melody": FILE, "chords": "", "instrument": "", "style": "chorale", "pick": 0, "text": "",
        "seed": 1, "model": "",
    },
    "practise": {
        "instrument": "violin", "grade": 1, "key": "G", "bars": 4, "text": "", "seed": 1,
        "model": "",
    },
    "compare": {"text": "piano, 1 bar", "first": "", "second": "default", "seed": 1},
    "similar": {"text": "", "midi": FILE, "top": 1},
    "originality": {"midi": FILE, "other": FILE},
    "transcribe": {"recording": RECORDING, "denoise": False, "tempo": 0, "time_signature": ""},
}  # fmt: skip
ODD_WORDS = (
    "9" * 310 + " bars", "0 bars", "-3 bars", "1e9 bpm", "12/0", "no ", "without drums ", "钢琴",
    "一百", "\u200d", "\ufdfd" * 20, "𝄞", "a" * 500, "C" + "#" * 40, "|" * 30, "I-V-vi-IV ", "or ",
    "not not not ", "in " * 30, "3/4 ", "&" * 9, "\n\n", "AABA" * 30, "verse ", "١٢٠", "½", "²",
    "1,000,000 bars",
)  # fmt: skip
ROW_FAULTS = ("one row", "narrow", "no width", "one dimension", "NaN", "floats", "no scale")
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF)


def wrong_calls() -> list[tuple[str, str, Any]]:
    """(endpoint, field, value): endpoints in turn, so that the first few are of all of them."""
    return [
        (name, field_, value) for value in WRONG_VALUES for name, fields in CALLS.items()
        for field_ in fields
    ]  # fmt: skip


def mutated_bytes(data: bytes, rng: random.Random) -> bytes:
    """A file with one to eight faults: bytes changed, cut, put in, repeated, or its end lost."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(max(len(found), 1))
        length = rng.choice((1, 1, 2, 4, 16, 64))
        match rng.randrange(7):
            case 0 | 1:
                found[place : place + 1] = bytes([rng.randrange(256)])
            case 2:
                found[place : place + 1] = bytes([rng.choice(EXTREMES)])
            case 3:
                del found[place : place + length]
            case 4:
                found[place:place] = rng.randbytes(length)
            case 5:
                found[place:place] = found[place : place + length] * rng.randint(1, 20)
            case 6 if rng.random() < 0.3:
                del found[place:]
    return bytes(found)


def mutated_text(text: str, other: str, rng: random.Random) -> str:
    """A text with others' words in it, odd ones, words repeated, exchanged and cut."""
    words = text.split()
    for _ in range(rng.randint(1, 5)):
        place = rng.randrange(len(words) + 1)
        match rng.randrange(6):
            case 0:
                words.insert(place, rng.choice(ODD_WORDS))
            case 1:
                words[place:place] = other.split()
            case 2:
                words[place : place + 2] *= rng.randint(2, 40)
            case 3:
                rng.shuffle(words)
            case 4:
                words.insert(place, chr(rng.randrange(0x20, 0x30000)))
            case 5:
                words = list(" ".join(words)[: rng.randint(0, 2_000)].split(" "))
    return " ".join(words)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


# Model folders ------------------------------------------------------------------------------------


def mutated_folder(source: Path, other: Path, target: Path, rng: random.Random) -> str:
    """Copy a model's folder with one fault; says which. other: a model whose files are mixed in."""
    shutil.copytree(source, target)
    files = sorted(path for path in target.iterdir() if path.suffix != ".md")
    file = rng.choice(files)
    match rng.randrange(8):
        case 0 | 1 | 2:
            return _change_json(target / "textmusic.json", rng)
        case 3:
            return _change_list(target / "vocabulary.json", rng)
        case 4:
            return _change_rows(target / "embeddings.safetensors", rng)
        case 5:
            file.unlink()
            return f"{file.name} is missing"
        case 6:
            shutil.copy(rng.choice([path for path in other.iterdir() if path.is_file()]), file)
            return f"{file.name} is another file"
        case _:
            if file.suffix == ".data":  # any weights are weights
                file.write_bytes(file.read_bytes()[: rng.randrange(1_000)])
            else:
                file.write_bytes(mutated_bytes(file.read_bytes(), rng))
            return f"{file.name} is damaged"


def _change_json(file: Path, rng: random.Random) -> str:
    if rng.random() < 0.15:
        file.write_text("[" * 100_000)
        return f"{file.name} is nested"
    found = json.loads(file.read_text(encoding="utf-8"))
    name = rng.choice(["format", "context", "kv_heads", "head_width", "offset", "layers", "name"])
    value = rng.choice((*WRONG_VALUES, 1e12, 8, 17, 300, 1_000_000))
    found[name] = value
    file.write_text(json.dumps(found))
    return f"{file.name}: {name} is {str(value)[:40]}"


def _change_list(file: Path, rng: random.Random) -> str:
    found = json.loads(file.read_text(encoding="utf-8"))
    what = rng.choice(["shuffled", "shorter", "longer", "a number", "twice", "nested"])
    match what:
        case "shuffled":
            rng.shuffle(found)
        case "shorter":
            del found[rng.randrange(len(found)) :]
        case "longer":
            found.append("Pitch_200")
        case "a number":
            found[rng.randrange(len(found))] = 5
        case "twice":
            found[rng.randrange(len(found))] = found[rng.randrange(len(found))]
    file.write_text("[" * 100_000 if what == "nested" else json.dumps(found))
    return f"{file.name}: {what}"


def _change_rows(file: Path, rng: random.Random) -> str:
    from safetensors.numpy import load_file, save_file

    found = load_file(file)
    rows, scale = found["quantised"], found["scale"]
    what = rng.choice(ROW_FAULTS)
    match what:
        case "one row":
            rows, scale = rows[:1], scale[:1]
        case "narrow":
            rows = rows[:, :-1]
        case "no width":
            rows = rows[:, :0]
        case "one dimension":
            rows = rows.reshape(-1)
        case "NaN":
            scale = np.where(np.arange(len(scale))[:, None] % 7 == 3, np.nan, scale)
        case "floats":
            rows = rows.astype(np.float32)
        case "no scale":
            scale = scale[:0]
    changed = {"quantised": rows, "scale": scale.astype(np.float32)}
    save_file({name: np.ascontiguousarray(value) for name, value in changed.items()}, file)
    return f"{file.name}: {what}"
