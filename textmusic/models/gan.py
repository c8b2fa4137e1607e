"""A conditional GAN over piano-roll patches: the adversarial baseline.

A Wasserstein GAN (Arjovsky et al. 2017) with gradient penalty (Gulrajani et al. 2017), its
convolutions laid out as in MuseGAN (Dong et al. 2018). Outputs are binary in training too, with the
straight-through gradient of Dong & Yang 2018 ("Convolutional generative adversarial networks with
binary neurons"): else the critic could tell real rolls by their numbers being whole.

Kernels are an octave high and move by octaves: pitches are spelt from the tonic, so a place in an
octave is a degree of the scale. What patches and conditions are: `textmusic.models.gan_patches`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.func import functional_call

from textmusic.errors import TextMusicError, first_line
from textmusic.language.controls import check_plan
from textmusic.models.gan_patches import (
    CELL,
    CELLS,
    CONDITION,
    PLANES,
    binarised,
    cells_of,
    part,
    summary,
)
from textmusic.models.weights import check_finite, check_shapes
from textmusic.music.plan import Plan
from textmusic.music.theory import TIME_SIGNATURES
from textmusic.system.whole_files import whole_file, write_text

PENALTY = 10.0  # weight of the gradient penalty, as published
FORMAT = 1
SHAPES = {"width": (1, 512), "noise": (1, 4096), "critic_steps": (1, 1000)}  # of its nets


def mask_of(conditions: Tensor) -> Tensor:
    """(B, PLANES, LENGTH, 1) True where a patch of conditions (B, CONDITION) may hold notes.

    That is in the channels that play, in the cells that the piece has, and not in their padding.
    """
    where = conditions.device
    lengths = torch.tensor([float(cells_of(m)[0]) for m in TIME_SIGNATURES], device=where)
    length = conditions[:, part("metre")] @ lengths  # (B,)
    cells = conditions[:, part("cells")] @ torch.arange(1.0, CELLS + 1, device=where)
    there = torch.arange(CELLS, device=where)[:, None] < cells[:, None, None]
    inside = there & (torch.arange(CELL, device=where) < length[:, None, None])
    playing = conditions[:, part("channels")].repeat(1, 2) > 0.5
    return playing[:, :, None, None] & inside.flatten(1)[:, None, :, None]


class Generator(nn.Module):
    """Noise and condition -> patch. Grows a cell to its quarters, those to octaves, to steps."""

    def __init__(self, noise: int, width: int) -> None:
        super().__init__()
        self.start = nn.Sequential(
            nn.Linear(noise + CONDITION, 8 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(8 * width, 4 * width * CELLS),
            nn.LeakyReLU(0.2),
        )
        self.grow = nn.Sequential(
            nn.ConvTranspose2d(4 * width, 4 * width, (4, 1), (4, 1)),  # (16, 1): quarter notes
            nn.GroupNorm(1, 4 * width),
            nn.LeakyReLU(0.2),
            nn.ConvTranspose2d(4 * width, 2 * width, (1, 6)),  # (16, 6): octaves
            nn.GroupNorm(1, 2 * width),
            nn.LeakyReLU(0.2),
            nn.ConvTranspose2d(2 * width, width, (4, 1), (4, 1)),  # (64, 6): steps
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, width, 3, padding=1),  # neighbours in time and octave
            nn.LeakyReLU(0.2),
        )
        self.finish = nn.ConvTranspose2d(width, PLANES, (1, 12), (1, 12))  # (64, 72): degrees
        nn.init.constant_(self.finish.bias, -1.0)  # rolls are nearly empty, and begin so

    def logits(self, noise: Tensor, conditions: Tensor) -> Tensor:
        """(B, PLANES, LENGTH, PITCHES); -inf where nothing may be. noise: (B, Z)."""
        hidden = self.start(torch.cat([noise, conditions], dim=1)).unflatten(1, (-1, CELLS))
        logits: Tensor = self.finish(self.grow(hidden[..., None]))
        return logits.masked_fill(~mask_of(conditions), -torch.inf)

    def forward(self, noise: Tensor, conditions: Tensor) -> Tensor:
        """Patches of zeros and ones (B, PLANES, LENGTH, PITCHES), with a gradient."""
        onset, sounds = _straight_through(self.logits(noise, conditions)).chunk(2, dim=1)
        return torch.cat([onset, onset + sounds - onset * sounds], dim=1)  # what is struck sounds


def _straight_through(logits: Tensor) -> Tensor:
    """1 where a logit is positive, else 0; the gradient is the sigmoid's."""
    soft = torch.sigmoid(logits)
    return (logits > 0).float() + soft - soft.detach()


class Critic(nn.Module):
    """Patch and condition -> how real it seems, without a unit. No norm: it would mix the batch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.look = nn.Sequential(
            nn.Conv2d(PLANES, width, (1, 12), (1, 12)),  # (64, 6)
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, (4, 3), (4, 1), (0, 1)),  # (16, 6)
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, (1, 6)),  # (16, 1)
            nn.LeakyReLU(0.2),
            nn.Conv2d(4 * width, 4 * width, (4, 1), (4, 1)),  # (4, 1)
            nn.LeakyReLU(0.2),
        )
        self.judge = nn.Sequential(
            nn.Linear(4 * width * CELLS + CONDITION, 8 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(8 * width, 1),
        )

    def forward(self, patches: Tensor, conditions: Tensor) -> Tensor:
        """(B,) for patches (B, PLANES, LENGTH, PITCHES)."""
        seen = self.look(patches * mask_of(conditions)).flatten(1)
        verdict: Tensor = self.judge(torch.cat([seen, conditions], dim=1))
        return verdict[:, 0]


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor
) -> Tensor:
    """Mean of (norm of the critic's gradient - 1)^2 between real and fake patches.

    share: (B,) 0 to 1, how much of the real one each point between them has. It can be
    differentiated again.
    """
    share = share.view(-1, *[1] * (real.ndim - 1))
    between = (share * real + (1 - share) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty: Tensor = ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
    return penalty


class Gan(nn.Module):
    """Both nets as one model, so that one optimiser and one loop train them.

    A call is a step of the critic, and every `critic_steps`-th call is one of the generator too:
    otherwise its weights have no gradient, and an optimiser passes over them.
    """

    def __init__(
        self, *, width: int = 64, noise: int = 64, critic_steps: int = 3, seed: int = 0
    ) -> None:
        """width: channels of the widest rolls; all else is a multiple. noise: numbers a patch."""
        super().__init__()
        self.shape = {"width": width, "noise": noise, "critic_steps": critic_steps}
        torch.manual_seed(seed)
        self.generator, self.critic = Generator(noise, width), Critic(width)
        # stands in checkpoints, so that a resumed run goes on with the same noise and turn
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def forward(self, ids: Tensor, labels: Tensor) -> Tensor:
        """The critic's loss times the number of labels, which the trainer divides by.

        ids: real patches (B, PLANES, LENGTH, PITCHES), 8-bit. labels: conditions (B, CONDITION).
        The generator's loss has its gradient in the result but not its value: so the curve shows
        one thing. In evaluation mode the result is the `distance` instead.
        """
        if not self.training:
            return torch.tensor(self.distance(ids, labels) * labels.numel())
        turn = int(self.calls)
        dice = torch.Generator(ids.device).manual_seed(turn)
        noise = torch.randn(
            len(ids), self.shape["noise"], generator=dice, device=ids.device, dtype=torch.float32
        )
        share = torch.rand(len(ids), generator=dice, device=ids.device)
        its_turn = turn % self.shape["critic_steps"] == 0
        with torch.set_grad_enabled(its_turn):
            made = self.generator(noise, labels)
        real, fake = ids.float(), made.detach()
        loss = self.critic(fake, labels).mean() - self.critic(real, labels).mean()
        loss = loss + PENALTY * gradient_penalty(
            lambda patches: self.critic(patches, labels), real, fake, share
        )
        if its_turn:
            frozen = {name: weight.detach() for name, weight in self.critic.named_parameters()}
            praise = functional_call(self.critic, frozen, (made, labels)).mean()
            loss = loss - praise + praise.detach()
        self.calls += 1
        return loss * labels.numel()

    @torch.no_grad()
    def distance(self, ids: Tensor, labels: Tensor) -> float:
        """How far generated patches are from real ones under the same conditions, see `frechet`."""
        dice = torch.Generator().manual_seed(0)
        noise = torch.randn(len(ids), self.shape["noise"], generator=dice).to(ids.device)
        made = binarised(self.generator.logits(noise, labels).cpu().numpy())
        return frechet(summary(ids.cpu().numpy() > 0), summary(made))

    @torch.no_grad()
    def write(self, noise: Any, condition: Any) -> Any:
        """Logits (PLANES, LENGTH, PITCHES) of one patch, all numpy arrays."""
        device = self.critic.judge[0].weight.device
        noise, condition = (
            torch.from_numpy(np.asarray(row, dtype=np.float32)).to(device)[None]
            for row in (noise, condition)
        )
        return self.generator.logits(noise, condition)[0].cpu().numpy()


def frechet(real: Any, made: Any) -> float:
    """Fréchet distance between two sets of summaries (N, SUMMARY), a feature: 0 if alike, to 4.

    Each set is taken as a Gaussian with a diagonal covariance, in units of the spread of both
    together (Heusel et al. 2017 take whole covariances, of a network's features). It falls as the
    generator gets better, which a GAN's losses do not.
    """
    means, spreads = ([f(x, axis=0) for x in (real, made)] for f in (np.mean, np.std))
    apart = (means[0] - means[1]) ** 2 + (spreads[0] - spreads[1]) ** 2
    return float((apart / (np.concatenate([real, made]).var(axis=0) + 1e-6)).mean())


def save_gan(gan: Gan, folder: Path, plans: Sequence[Plan]) -> None:
    """Weights (model.safetensors), and gan.json: the nets' shape, and plans to draw from.

    Each file appears under its name when it is whole, gan.json last.
    """
    weights = {name: value.detach().cpu().contiguous() for name, value in gan.state_dict().items()}
    about = {"format": FORMAT, "shape": gan.shape, "plans": [asdict(plan) for plan in plans]}
    with whole_file(folder / "model.safetensors") as partial:
        save_file(weights, partial)
    write_text(folder / "gan.json", json.dumps(about))


def _description(file: Path) -> dict[str, Any]:
    """What gan.json says; raises ValueError for what is no description of a GAN."""
    about = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ValueError(f"gan.json is not of format {FORMAT}")
    shape = about.get("shape")
    if not isinstance(shape, dict) or set(shape) != set(SHAPES):
        raise ValueError(f"gan.json has no {', '.join(SHAPES)}")
    for name, (low, high) in SHAPES.items():
        if type(shape[name]) is not int or not low <= shape[name] <= high:
            raise ValueError(f"gan.json has no {name} from {low} to {high:,}")
    if not isinstance(about.get("plans"), list) or not about["plans"]:
        raise ValueError("gan.json has no plans")
    return about


def _plan(said: Any) -> Plan:
    """A plan of gan.json, whole enough to be drawn; raises ValueError for what is none."""
    if not isinstance(said, dict) or not isinstance(said.get("programs"), list):
        raise ValueError("gan.json has plans that are none")
    plan = Plan(**{**said, "programs": tuple(said["programs"])})
    try:
        check_plan(plan)
    except (TextMusicError, TypeError) as problem:
        why = str(problem).partition(";")[0]
        raise ValueError(f"gan.json has plans that are none: {why}") from None
    if not plan.programs or None in (plan.tempo, plan.time_signature, plan.bars):
        raise ValueError("gan.json has plans without instruments, tempo, metre or bars")
    return plan


def load_gan(folder: Path) -> tuple[Gan, tuple[Plan, ...]]:
    """The model and the plans of a folder that `save_gan` wrote.

    Raises TextMusicError where the folder is not whole.
    """
    try:
        about = _description(folder / "gan.json")
        plans = tuple(map(_plan, about["plans"]))
        weights = folder / "model.safetensors"
        with torch.device("meta"):
            of_shape = Gan(**about["shape"]).state_dict()
        check_shapes(of_shape, [weights])
        gan = Gan(**about["shape"])
        gan.load_state_dict(load_file(weights))
        check_finite(gan)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError,
            MemoryError, SafetensorError) as problem:  # fmt: skip
        raise TextMusicError(
            f"'{folder}' is not a complete GAN ({first_line(problem)}); train it again with"
            " training/configs/gan.json."
        ) from None
    return gan.eval(), plans
