"""A soundfont's modulators: what the velocity and the key of a note change beside its loudness.

Those that follow a controller while a note sounds are left out; volume, expression, pan, pitch
wheel, pedal, modulation wheel and the sends have ways of their own in `voices`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

NOTHING, VELOCITY, KEY = 0, 2, 3
"""Sources by their number in the format."""
_LINEAR, _CONCAVE, _CONVEX, _SWITCH = range(4)
_INDEX, _CONTROLLER, _FALLING, _BIPOLAR, _SHAPE = 0x7F, 0x80, 0x100, 0x200, 10
_FILTER = 8
_USUAL_FILTER = 0x0102
"""Velocity, falling: the source of a default modulator that closes the filter of soft notes."""


@dataclass(frozen=True, slots=True)
class Modulator:
    """One row of the format's list (SoundFont 2.04, section 8.2): source -> target, by an amount.

    scale: a second source that the first is multiplied by.
    """

    source: int
    target: int
    amount: int
    scale: int
    shape: int

    @property
    def identity(self) -> tuple[int, int, int]:
        """Of two with the same, the more local one counts."""
        return self.source, self.target, self.scale

    @property
    def sources(self) -> tuple[int, int]:
        """What it looks at."""
        return self.source & _INDEX, self.scale & _INDEX

    @property
    def idle(self) -> bool:
        """Whether it changes nothing here.

        The default that closes the filter of soft notes is nothing in common synthesizers, and
        soundfonts are tuned with these: it is nothing here, too.
        """
        usual = self.target == _FILTER and self.source == _USUAL_FILTER
        followed = (self.source | self.scale) & _CONTROLLER
        known = {*self.sources} <= {NOTHING, VELOCITY, KEY} and self.source != NOTHING
        return usual or bool(followed) or not known or not self.amount

    def value(self, pitch: int, velocity: int) -> float:
        """What is added to the target for one note, in the target's own unit."""
        scale = _read(self.scale, pitch, velocity) if self.scale else 1.0
        return self.amount * _read(self.source, pitch, velocity) * scale


def _read(source: int, pitch: int, velocity: int) -> float:
    """A source's value, 0 .. 1, or -1 .. 1 if it is bipolar."""
    x = (velocity if source & _INDEX == VELOCITY else pitch) / 127
    if source & _FALLING:
        x = 1 - x
    shape = source >> _SHAPE
    if source & _BIPOLAR:
        side = 2 * x - 1
        return math.copysign(_curve(abs(side), shape), side)
    return _curve(x, shape)


def _curve(x: float, shape: int) -> float:
    if shape == _SWITCH:
        return float(x >= 0.5)
    if shape == _CONCAVE:
        return 1 - _curve(1 - x, _CONVEX)
    if shape == _CONVEX:
        # 96 dB over the range, as the loudness has them.
        return 1.0 if x >= 1 else 0.0 if x <= 0 else min(-40 / 96 * math.log10(1 - x), 1.0)
    return x
