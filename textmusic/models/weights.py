"""Weights in a folder that anybody may have made: looked at before they are loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn


def check_shapes(
    wanted: Mapping[str, Tensor], files: Iterable[Path], spared: Collection[str] = ()
) -> None:
    """Raise ValueError unless safetensors files hold exactly what a model has, in its shapes.

    Only their headers are read. wanted: the model's, which may be on the meta device. spared: what
    may be absent, since it is another tensor again. Raises OSError and SafetensorError, too.
    """
    found: dict[str, list[int]] = {}
    for path in files:
        with safe_open(path, "pt") as file:
            found |= {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    lacking = sorted(set(wanted) - set(found) - set(spared))
    if lacking:
        raise ValueError(f"its weights lack {lacking[0]}")
    for name, shape in sorted(found.items()):
        if name not in wanted:
            raise ValueError(f"its weights have {name}, which is no part of it")
        if list(wanted[name].shape) != list(shape):
            raise ValueError(f"its weights have another shape in {name}")


def check_finite(model: nn.Module) -> None:
    """Raise ValueError where a weight is no number."""
    for name, weight in model.state_dict().items():
        if weight.is_floating_point() and not bool(torch.isfinite(weight).all()):
            raise ValueError(f"its weights are no numbers in {name}")
