"""How loud each note is played: learnt deviations from what is written, within its order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from textmusic.music.notes import Floats, Ints

CAP = 12.0
"""The most that a velocity deviates from the written one. So what is written three levels of eight
apart never changes places, wherever it stands in a piece."""
_SPREAD = 12.0  # standard deviation of written velocities that halves what is added
_CHANCE = 1.5  # standard deviation of what nothing foretells
_WIDER = {"melodic": 1.5, "drums": 1.0}
"""What is foretold is a mean over performances, and flatter than any of them. Drums are capped."""
MODEL = "touch.safetensors"


@dataclass(frozen=True, slots=True)
class TouchModel:
    """A small network: features -> deviation from the part's mean velocity.

    mean, scale: of the features. layers: weights and biases, with max(0, x) between them.
    """

    mean: Floats
    scale: Floats
    layers: tuple[tuple[Floats, Floats], ...]

    def __call__(self, features: Floats) -> Floats:
        """(N, F) features -> N velocities, 0 on the average."""
        values = (features - self.mean) / self.scale
        for number, (weight, bias) in enumerate(self.layers):
            values = (np.maximum(values, 0) if number else values) @ weight + bias
        return np.asarray(values[:, 0], dtype=np.float64)


@cache
def touch_model(kind: str) -> TouchModel:
    """The model of a kind of part: "melodic" or "drums"."""
    from safetensors.numpy import load_file

    file = Path(str(resources.files("textmusic"))) / "bundled" / MODEL
    found = {name: array.astype(np.float64) for name, array in load_file(file).items()}
    layers: list[tuple[Floats, Floats]] = []
    while (name := f"{kind}.weight{len(layers)}") in found:
        layers.append((found[name], found[f"{kind}.bias{len(layers)}"]))
    return TouchModel(found[f"{kind}.mean"], found[f"{kind}.scale"], tuple(layers))


def deviation_of(kind: str, features: Floats) -> Floats:
    """How far each note of a kind of part is from the mean velocity, in a full performance."""
    return _WIDER[kind] * touch_model(kind)(features)


@dataclass(slots=True)
class Written:
    """What a part's written velocities have been so far, for how much there is left to add."""

    notes: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, velocity: Ints) -> float:
        """Take in a bar; gives the share of a deviation that is played, 0 to 1.

        The more the writing says itself, the less is added to it.
        """
        self.notes += len(velocity)
        self.total += float(velocity.sum())
        self.squares += float((velocity.astype(np.float64) ** 2).sum())
        mean = self.total / self.notes
        variance = max(self.squares / self.notes - mean**2, 0.0)
        return 1 / (1 + variance / _SPREAD**2)


def played(
    velocity: Ints, deviation: Floats, amount: float, dice: np.random.Generator
) -> Ints:  # fmt: skip
    """The velocities of one part's bar. deviation: of each note at amount 1."""
    chance = _CHANCE * dice.standard_normal(len(velocity))
    wanted = velocity + amount * np.clip(deviation + chance, -CAP, CAP)
    return np.clip(np.rint(in_order(velocity, wanted)), 1, 127).astype(np.int64)


def in_order(velocity: Ints, wanted: Floats) -> Floats:
    """The wanted velocities, changed so far that no note is louder than one written louder."""
    result = wanted.copy()
    levels = np.unique(velocity)
    for level in levels[1:]:
        below, here = velocity < level, velocity == level
        loudest, softest = result[below].max(), result[here].min()
        if loudest > softest:
            between = (loudest + softest) / 2
            result[below] = np.minimum(result[below], between)
            result[here] = np.maximum(result[here], between)
    return result
