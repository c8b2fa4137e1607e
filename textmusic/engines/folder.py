"""A model's folder: what its files say of it, before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from textmusic.errors import TextMusicError, first_line
from textmusic.tokens.tokenizer import is_interleaved

# Sizes that textmusic.json may name: what lies outside is a broken file, and no larger model.
SIZES = {
    "offset": (1, 1 << 20), "context": (64, 1 << 17), "kv_heads": (1, 256),
    "head_width": (1, 1024),
}  # fmt: skip
# The same of the config.json of an LLM as training writes it.
TRAINED_SIZES = {
    "vocab_size": (2, 1 << 21), "hidden_size": (1, 1 << 14), "num_hidden_layers": (1, 256),
    "num_attention_heads": (1, 256), "intermediate_size": (1, 1 << 17),
    "max_position_embeddings": (64, 1 << 20),
}  # fmt: skip
RECURRENT_SIZES = {"offset": (1, 1 << 20), "layers": (1, 64), "hidden": (1, 16_384)}
CELLS = ("lstm", "gru", "rnn")
# Formats of the sequence. 3: a sketch before the score, running status. 4: the sketch's rows are
# said again in the score, see `tokens.interleaving`.
OLDEST, INTERLEAVED = 3, 4
FORMAT = INTERLEAVED


def format_of(tokenizer_folder: Path) -> int:
    """The format of the sequences that a folder with tokenizer files stands for."""
    return INTERLEAVED if is_interleaved(tokenizer_folder) else OLDEST


def is_trained(folder: Path) -> bool:
    """Whether a model folder holds an LLM as training wrote it, not exported."""
    return (folder / "config.json").exists() and not (folder / "textmusic.json").exists()


def read_config(folder: Path, *, older: bool = False) -> dict[str, Any]:
    """The contents of textmusic.json; for a folder that training wrote, the entries that it has.

    older: also accept a model of an older format, whose weights training can start from.
    """
    if is_trained(folder):
        return {"offset": _trained_offset(folder)}
    if (folder / "recurrent.json").exists() and not (folder / "textmusic.json").exists():
        raise TextMusicError(
            f"'{folder}' is a recurrent model in training format; export it with"
            " training/export.py."
        )
    try:
        config = json.loads((folder / "textmusic.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TextMusicError(
            f"'{folder}' is not a complete textmusic model (it has no textmusic.json); give"
            " another folder, or download it again."
        ) from None
    except (OSError, ValueError, RecursionError) as problem:
        raise TextMusicError(broken(folder, problem)) from None
    if not isinstance(config, dict) or type(config.get("format")) is not int:
        raise TextMusicError(broken(folder, "textmusic.json does not describe a model"))
    if config["format"] > FORMAT:
        raise TextMusicError(
            f"'{folder}' was made by a newer textmusic; pip install --upgrade textmusic."
        )
    if config["format"] < OLDEST and not older:
        raise TextMusicError(
            f"'{folder}' was made by an older textmusic, which uses an older note format; use a"
            " newer model, or the textmusic version that made it."
        )
    recurrent = config.get("architecture") == "recurrent"
    for name, (low, high) in (RECURRENT_SIZES if recurrent else SIZES).items():
        size = config.get(name)
        if type(size) is not int or not low <= size <= high:
            wrong = f"textmusic.json has no {name} from {low} to {high:,}"
            raise TextMusicError(broken(folder, wrong))
    if recurrent and config.get("cell") not in CELLS:
        raise TextMusicError(broken(folder, f"textmusic.json has no cell of {', '.join(CELLS)}"))
    return config


def _trained_offset(folder: Path) -> int:
    """Where the music rows begin in a folder that training wrote."""
    try:
        names = ("config.json", "vocabulary.json")
        llm, vocabulary = (json.loads((folder / n).read_text(encoding="utf-8")) for n in names)
        if not isinstance(llm, dict) or not isinstance(vocabulary, list):
            raise ValueError("config.json or vocabulary.json does not describe a model")
        for name, (low, high) in TRAINED_SIZES.items():
            size = llm.get(name)
            if type(size) is not int or not low <= size <= high:
                raise ValueError(f"config.json has no {name} from {low} to {high:,}")
        offset = int(llm["vocab_size"]) - len(vocabulary)
        if not SIZES["offset"][0] <= offset <= SIZES["offset"][1]:
            raise ValueError("vocabulary.json is from another model")
        return offset
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as problem:
        raise TextMusicError(broken(folder, problem)) from None


def broken(folder: Path, problem: object) -> str:
    """The error message for a folder that is not a complete textmusic model."""
    why = first_line(problem)
    return f"'{folder}' is not a complete textmusic model ({why}); download it again."
