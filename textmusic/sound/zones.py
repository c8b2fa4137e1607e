"""The layers of a soundfont's instruments, in seconds, hertz and decibels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sway:
    """A slow oscillation, a triangle: from when on it goes, how fast, and what it moves."""

    delay: float
    rate: float
    cents: float
    decibels: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Zone:
    """One layer of an instrument: a sample and its shaping.

    Times are in seconds, levels in decibels below full, frequencies in hertz. The same layer at
    the same velocity is one object: it is looked up by what it is, not by what is in it.
    """

    sample: int
    rate: int
    """The sample's own rate, in hertz."""
    root: int
    """The MIDI key at which the sample sounds at its own rate."""
    cents: float
    cents_per_key: int
    loop: tuple[int, int] | None
    """First sample and one past the last, counted from the sample's start."""
    attenuation: float
    pan: float
    """-1 (left) .. 1 (right)."""
    delay: float
    attack: float
    hold: float
    decay: float
    """Time in which the level would fall by 100 dB."""
    sustain: float
    release: float
    """Time in which the level would fall by 100 dB after the key is let go."""
    cutoff: float
    resonance: float
    """Height of the filter's peak, in decibels."""
    sweep_cutoff: float
    """Where the filter starts from; it closes (or opens) to `cutoff`."""
    sweep_attack: float
    sweep_hold: float
    sweep_decay: float
    sweep_sustain: float
    """0 .. 1: how much of the sweep stays."""
    sweep_pitch: float
    """Cents by which the same envelope bends the pitch."""
    sway: Sway
    vibrato: Sway
    reverb: float
    """0 .. 1: the share that goes to the reverb, beside the part's own."""
    chorus: float
    exclusive: int
    """Notes of the same class cut each other off, as hi-hats do; 0 = none."""
