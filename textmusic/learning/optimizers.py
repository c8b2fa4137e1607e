"""How weights move: AdamW, or Muon for the matrices and AdamW for all else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from textmusic.errors import TextMusicError
from textmusic.learning.config import Training

OPTIMIZERS = ("adamw", "muon")
MOMENTUM = 0.95  # of Muon
# Jordan's quintic: five rounds bring singular values to 0.7 - 1.2, which is even enough.
QUINTIC, ROUNDS = (3.4445, -4.7750, 2.0315), 5


def make_optimizer(model: nn.Module, training: Training) -> torch.optim.Optimizer:
    """The optimizer of a run, over what of the model is to be trained.

    Matrices decay, the music rows have a rate of their own, all else neither: a group each, whose
    "rate" is in times of the run's. Raises TextMusicError where there is no such optimizer.
    """
    if training.optimizer not in OPTIMIZERS:
        raise TextMusicError(
            f"'{training.optimizer}' is not a known optimizer; choose {' or '.join(OPTIMIZERS)}."
        )
    kinds: dict[str, list[nn.Parameter]] = {"matrix": [], "rows": [], "other": []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            kinds[_kind(name, parameter)].append(parameter)
    muon = training.optimizer == "muon"
    groups = [
        {"params": kinds["matrix"], "weight_decay": training.weight_decay, "rate": 1.0,
         "muon": muon},
        {"params": kinds["rows"], "weight_decay": 0.0, "rate": training.rows_rate, "muon": False},
        {"params": kinds["other"], "weight_decay": 0.0, "rate": 1.0, "muon": False},
    ]  # fmt: skip
    make = MuonAdamW if muon else torch.optim.AdamW
    return make(
        [group for group in groups if group["params"]],
        lr=training.learning_rate,
        betas=(training.beta1, training.beta2),
        fused=True,
    )


def _kind(name: str, parameter: nn.Parameter) -> str:
    """The optimiser's group of a parameter."""
    if name == "music" or "embed" in name or "trainable_tokens" in name:
        return "rows"
    return "matrix" if parameter.ndim > 1 else "other"


class MuonAdamW(torch.optim.AdamW):
    """AdamW, but in groups with `muon` true a matrix moves by Muon (Jordan et al. 2024).

    There the momentum's singular values are made alike before the step, which is scaled as Adam's
    would be (Liu et al. 2025, arXiv 2502.16982), so that both go by one learning rate. torch's own
    Muon always computes in bfloat16, which processors without it only emulate.
    """

    param_groups: list[dict[str, Any]]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move all weights; closure: as torch has it."""
        groups = self.param_groups
        self.param_groups = [group for group in groups if not group["muon"]]
        try:
            loss = super().step(closure)
        finally:
            self.param_groups = groups
        for group in groups:
            if group["muon"]:
                self._turn(group)
        return loss

    @torch.no_grad()
    def _turn(self, group: dict[str, Any]) -> None:
        for weight in group["params"]:
            if weight.grad is None:
                continue
            state = self.state[weight]
            if not state:
                # AdamW looks for a step in every state when one is loaded
                state["step"] = torch.zeros((), dtype=torch.float32)
                state["momentum"] = torch.zeros_like(weight)
            state["step"] += 1
            state["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
            ahead = torch.lerp(weight.grad, state["momentum"], MOMENTUM)  # Nesterov's
            scale = 0.2 * max(weight.shape) ** 0.5
            weight.mul_(1 - group["lr"] * group["weight_decay"])
            weight.add_(evened(ahead), alpha=-group["lr"] * scale)


def evened(matrix: Tensor, rounds: int = ROUNDS) -> Tensor:
    """A matrix (N, M) with its singular vectors, and singular values that are all about 1.

    By Newton and Schulz's iteration: products of matrices alone.
    """
    a, b, c = QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(rounds):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


def check_whole(optimizer: torch.optim.Optimizer, sharded: bool) -> None:
    """Raise TextMusicError where matrices are cut over processes, and Muon needs them whole."""
    if sharded and isinstance(optimizer, MuonAdamW):
        raise TextMusicError(
            'Muon does not work with FSDP, which shards the matrices; use "adamw".'
        )
