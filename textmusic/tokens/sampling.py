"""Masked logits -> id; seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textmusic.errors import TextMusicError
from textmusic.system.values import real, whole

MAX_SEED = 2**32 - 1
# Harmony is drawn nearly as the model believes: what cuts off the unlikely also cuts off the chords
# that are not the tonic's, and the music stands still.
SKETCH_HEAT = 1.05  # times the temperature
SKETCH_CUT = 0.4  # of what top-p leaves out
# So is when something sounds. Drawn as pitches are, a bar moves as the one before it in 93 % of its
# sixteenths; in real music, in 87 %.
RHYTHM_HEAT = 1.05
RHYTHM_CUT = 0.2


@dataclass(frozen=True, slots=True)
class Sampling:
    """How ids are drawn.

    temperature: 0 always takes the likeliest id, 1 draws from the model's own distribution; at most
    2. top_p: draw only from the likeliest ids that hold this share of the probability, in (0, 1].
    harmony_strength: 0 leaves the notes to the model; towards 1 the sketch's chords weigh more.
    form_strength: the same for bars that repeat others in the sketch. melody_strength: 0 leaves
    melodies to the model; towards 1 they move by step more often, and avoid tones that clash.
    line_strength: 0 leaves it to the model whether parts rest, overlap or strike chords; towards 1
    those that play one note after another go on so, and a drummer in a band keeps to a kit.
    plan_temperature: as temperature, for what of the plan is left open. sketch_temperature,
    sketch_top_p: as the first two, for the sketch; rhythm_temperature, rhythm_top_p: for what of
    the notes is no pitch and no length, so for when something sounds; None takes them from those.
    sketch_counts: the share of counted sketches in what is expected of a sketch, where the model
    has such counts.
    """

    temperature: float = 0.95
    top_p: float = 0.95
    harmony_strength: float = 0.85
    form_strength: float = 0.6
    melody_strength: float = 0.6
    line_strength: float = 1.0
    plan_temperature: float = 0.7
    sketch_temperature: float | None = None
    sketch_top_p: float | None = None
    sketch_counts: float = 0.5
    rhythm_temperature: float | None = None
    rhythm_top_p: float | None = None

    def __post_init__(self) -> None:
        real("temperature", self.temperature, 0, 2)
        real("temperature", self.plan_temperature, 0, 2)
        for temperature in (self.sketch_temperature, self.rhythm_temperature):
            if temperature is not None:
                real("temperature", temperature, 0, 2)
        for top_p in (self.top_p, self.sketch_top_p, self.rhythm_top_p):
            if top_p is not None and real("top-p", top_p, 0, 1) == 0:
                raise TextMusicError(
                    "top-p 0 is out of range; choose a number above 0 and up to 1."
                )
        real("harmony strength", self.harmony_strength, 0, 1)
        real("form strength", self.form_strength, 0, 1)
        real("melody strength", self.melody_strength, 0, 1)
        real("line strength", self.line_strength, 0, 1)
        real("sketch counts", self.sketch_counts, 0, 1)

    def of_plan(self) -> Sampling:
        """How the plan is drawn."""
        return replace(self, temperature=self.plan_temperature)

    def of_sketch(self) -> Sampling:
        """How the sketch is drawn."""
        told = self.sketch_temperature, self.sketch_top_p
        return self._freer(*told, SKETCH_HEAT, SKETCH_CUT)

    def of_rhythm(self) -> Sampling:
        """How the ids of the notes are drawn that are no pitches or lengths."""
        told = self.rhythm_temperature, self.rhythm_top_p
        return self._freer(*told, RHYTHM_HEAT, RHYTHM_CUT)

    def _freer(
        self, temperature: float | None, top_p: float | None, heat: float, cut: float
    ) -> Sampling:
        if temperature is None:
            temperature = min(self.temperature * heat, 2.0)
        if top_p is None:
            top_p = 1 - (1 - self.top_p) * cut
        return replace(self, temperature=temperature, top_p=top_p)


def read_sampling(data: Mapping[str, Any]) -> Sampling:
    """The sampling that a file names, with what it does not name as it was when it was written.

    Before the melody had a guide, the sketch was drawn as the notes were, and for some time after
    that rhythm as pitches were; lines have a guide only since later. Notes can differ all the same
    where guides have changed since.
    Raises TypeError for unknown fields, TextMusicError for values out of range.
    """
    if "melody_strength" not in data:
        data = {
            **data, "melody_strength": 0, "sketch_temperature": data.get("temperature"),
            "sketch_top_p": data.get("top_p"),
        }  # fmt: skip
    as_pitches = {
        "rhythm_temperature": data.get("temperature"), "rhythm_top_p": data.get("top_p"),
    }  # fmt: skip
    return Sampling(**{"sketch_counts": 0, "line_strength": 0, **as_pitches, **data})


def choose(
    logits: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    sampling: Sampling,
    rng: np.random.Generator,
) -> int:
    """An allowed id, drawn by nucleus sampling (Holtzman et al. 2020). logits, allowed: (M,)."""
    # array methods, not numpy's functions, whose overhead doubles the cost
    ids = allowed.nonzero()[0]
    if len(ids) == 1:
        return int(ids[0])
    scores = logits[ids].astype(np.float64)
    if sampling.temperature == 0:
        return int(ids[scores.argmax()])
    scores = (scores - scores.max()) / sampling.temperature
    probabilities = np.exp(scores)
    probabilities /= probabilities.sum()
    order = (-probabilities).argsort(kind="stable")
    cumulative = probabilities[order].cumsum()
    keep = int(cumulative.searchsorted(sampling.top_p)) + 1
    threshold = rng.random() * cumulative[min(keep, len(order)) - 1]
    return int(ids[order[min(int(cumulative.searchsorted(threshold)), len(order) - 1)]])


def surprise(logits: NDArray[np.float32], music_id: int) -> float:
    """-log p of an id by the model alone, in nats. logits: (M,)."""
    return log_sum(logits) - float(logits[music_id])


def log_sum(logits: NDArray[np.float32]) -> float:
    """The logarithm of the sum of what logits (M,) are the logarithms of."""
    top = float(logits.max())
    return top + float(np.log(np.exp(logits - top).sum()))


def reweighed(
    logits: NDArray[np.float32], ids: NDArray[np.intp], after: NDArray[np.float32]
) -> NDArray[np.float32]:
    """A copy in which ids have other logits; together they stay as likely as they were."""
    guided = logits.copy()
    guided[ids] = after + (log_sum(logits[ids]) - log_sum(after))
    return guided


def check_seed(seed: object, pieces: int = 1) -> int:
    """A seed that can be used, as those of the pieces after it can; raises TextMusicError else."""
    return whole("seed", seed, 0, MAX_SEED - pieces + 1)


def drawn(n: int) -> int:
    """A random seed; the n - 1 seeds after it are valid, too."""
    return int(np.random.default_rng().integers(1, 2**31 - n))
