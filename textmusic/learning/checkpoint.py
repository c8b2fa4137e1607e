"""The checkpoint of a run: whole tensors by name in one safetensors file, however they are spread.

It appears under its name when it is whole, and once a loss has shown that its weights are good: a
kill at any moment leaves the last one, and so does a loss that is no number.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    get_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from textmusic.errors import TextMusicError, first_line, one_line

FILE, NEXT = "checkpoint.safetensors", "checkpoint.partial"
WHOLE = StateDictOptions(
    full_state_dict=True,
    cpu_offload=True,
    ignore_frozen_params=True,
    strict=False,
)


def gathered(model: Any) -> dict[str, torch.Tensor]:
    """The trained weights of a prepared model, whole; every process has to ask for them."""
    weights: dict[str, torch.Tensor] = get_model_state_dict(model, options=WHOLE)
    return weights


def tensors_of(model: Any, optimizer: Any) -> dict[str, torch.Tensor]:
    """Trained weights and the optimiser's moments, whole; every process has to ask for them.

    The main process gets them, the others nothing.
    """
    weights, moments = get_state_dict(model, optimizer, options=WHOLE)
    tensors = {f"model.{name}": value for name, value in weights.items()}
    for name, state in moments.get("state", {}).items():
        for key, value in state.items():
            tensors[f"optimizer.{name}.{key}"] = value
    # a tied matrix goes by two names; one of them is enough
    named = {value.data_ptr(): name for name, value in reversed(tensors.items())}
    return {name: tensors[name].contiguous() for name in sorted(named.values())}


def write(tensors: dict[str, torch.Tensor], kept: dict[str, Any], folder: Path) -> None:
    """A checkpoint for a run folder, to be confirmed. kept: what is no tensor, plain types."""
    try:
        save_file(tensors, folder / NEXT, metadata={"state": json.dumps(kept)})
    except BaseException:
        (folder / NEXT).unlink(missing_ok=True)
        raise


def confirm(folder: Path) -> None:
    """What `write` wrote last is the checkpoint from now on."""
    (folder / NEXT).replace(folder / FILE)


def missing(folder: Path) -> TextMusicError:
    """What is said where a run's folder has no checkpoint to begin with."""
    return TextMusicError(f"'{folder}' has no checkpoint; give the folder of a run.")


def restore(model: Any, optimizer: Any, folder: Path) -> dict[str, Any] | None:
    """Put a checkpoint back; what was kept beside the tensors, None where there is none.

    Raises TextMusicError where it is broken or another model's.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            kept: dict[str, Any] = json.loads(file.metadata()["state"])
        _put(model, optimizer, load_file(path))
    except (SafetensorError, RuntimeError, LookupError, ValueError, TypeError) as problem:
        raise TextMusicError(
            f"'{path}' is not a checkpoint of this model ({first_line(problem)}); choose another"
            " folder for the run."
        ) from None
    return kept


def _put(model: Any, optimizer: Any, tensors: dict[str, torch.Tensor]) -> None:
    weights, moments = {}, defaultdict(dict)  # type: ignore[var-annotated]
    for name, value in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "model":
            weights[rest] = value
        else:
            parameter, _, key = rest.rpartition(".")
            moments[parameter][key] = value
    unknown = set_model_state_dict(model, weights, options=WHOLE).unexpected_keys
    if unknown:
        raise ValueError(f"it has no weight {unknown[0]}")
    everywhere = replace(WHOLE, cpu_offload=False)  # else the main process alone gets it
    groups = get_optimizer_state_dict(model, optimizer, options=everywhere)["param_groups"]
    state = {"state": dict(moments), "param_groups": groups}
    set_optimizer_state_dict(model, optimizer, state, options=WHOLE)


# Files of a run -----------------------------------------------------------------------------------


def replace_folder(partial: Path, folder: Path) -> None:
    """Give a folder that is whole its name; the one that had it before goes.

    A kill between the two leaves it under the name that `mend_folder` looks for.
    """
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def mend_folder(folder: Path) -> None:
    """Undo what a kill in the middle of `replace_folder` left, and remove what was half written."""
    old, partial = (folder.with_name(f"{folder.name}.{end}") for end in ("old", "partial"))
    if old.exists() and not folder.exists():
        old.rename(folder)
    for rest in (old, partial):
        shutil.rmtree(rest, ignore_errors=True)


def trim_log(log: Path, step: int) -> None:
    """Drop the rows behind a step, which a resumed run writes again, and one that was cut short."""
    if not log.exists():
        return
    kept = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            break
        if 0 < step >= row["step"]:
            kept.append(line + "\n")
    partial = log.with_suffix(".partial")
    partial.write_text("".join(kept), encoding="utf-8")
    partial.replace(log)


def reason(problem: Exception) -> str:
    """Why a file could not be written, in the system's words."""
    if isinstance(problem, OSError) and problem.errno:
        return os.strerror(problem.errno)
    return one_line(problem)
