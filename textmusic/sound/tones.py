"""One layer of a soundfont -> its sound: read, looped, bent, filtered, shaped. In numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from textmusic.sound.soundfont import Wave
from textmusic.sound.voices import FADE
from textmusic.sound.zones import Sway, Zone


def falling(length: int) -> Wave:
    """From 1 to 0 in a straight line in dB: how a sound that is let go fades."""
    fall = np.linspace(0, -FADE, length, dtype=np.float32)
    return np.asarray(10 ** (fall / 20) - 10 ** (-FADE / 20), dtype=np.float32)


def tone_of(
    zone: Zone, wave: Wave, pitch: int, length: int, sample_rate: int, bend: Wave | None = None
) -> Wave:
    """A layer's sound at one pitch while the key is held: at most `length` samples, mono.

    bend: (length,) cents that are added to the pitch.
    """
    cents = (pitch - zone.root) * zone.cents_per_key + zone.cents
    step = 2 ** (cents / 1200) * zone.rate / sample_rate
    time = np.arange(length, dtype=np.float32) / np.float32(sample_rate)
    moved = _moved(zone, time) if bend is None else _moved(zone, time) + bend
    if np.ndim(moved) or moved:
        cents_moved = np.broadcast_to(moved, length).astype(np.float64)  # places need all digits
        places = np.cumsum(step * 2 ** (cents_moved / 1200))
        where = np.concatenate([np.zeros(1), places[:-1]])
    else:
        where = np.arange(length) * step
    tone = _resampled(wave, zone.loop, where)
    time = time[: len(tone)]
    sound = _filtered(tone, zone, time, sample_rate) * _envelope(zone, time)
    if zone.sway.decibels:
        sound *= 10 ** (_swaying(zone.sway, time) * np.float32(zone.sway.decibels / 20))
    return np.asarray(sound, dtype=np.float32)


def _moved(zone: Zone, time: Wave) -> Wave | float:
    """Cents by which a layer's oscillators and envelope move its pitch."""
    moved: Wave | float = 0.0
    for sway in (zone.vibrato, zone.sway):
        if sway.cents:
            moved = moved + np.float32(sway.cents) * _swaying(sway, time)
    if zone.sweep_pitch:
        moved = moved + np.float32(zone.sweep_pitch) * _swept(zone, time)
    return moved


def _swaying(sway: Sway, time: Wave) -> Wave:
    """A triangle that begins at 0 and rises first: -1 .. 1."""
    turns = np.maximum(time - np.float32(sway.delay), 0) * np.float32(sway.rate)
    return np.asarray(1 - np.abs((turns + 0.75) % 1 * 4 - 2), dtype=np.float32)


def _swept(zone: Zone, time: Wave) -> Wave:
    """The second envelope, 0 .. 1: attack, hold, and a straight line down to what stays."""
    rise = np.clip(time / max(zone.sweep_attack, 1e-3), 0, 1)
    since = time - np.float32(zone.sweep_attack + zone.sweep_hold)
    gone = np.clip(since / max(zone.sweep_decay, 1e-3), 0, 1)
    return np.asarray(rise * np.maximum(1 - gone, zone.sweep_sustain), dtype=np.float32)


def _resampled(wave: Wave, loop: tuple[int, int] | None, where: NDArray[np.float64]) -> Wave:
    """`wave` read at the places `where`, by 4-point (Catmull-Rom) interpolation."""
    if loop is not None and loop[1] <= len(wave):
        first, last = loop
        past = where >= last
        where[past] = first + (where[past] - first) % (last - first)
        source = np.concatenate([wave[:last], np.resize(wave[first:last], 3)])
    else:
        where = where[: int(np.searchsorted(where, len(wave)))]
        source = np.concatenate([wave, np.zeros(3, dtype=np.float32)])
    whole = where.astype(np.intp)
    between = (where - whole).astype(np.float32)
    before, here = source[np.maximum(whole - 1, 0)], source[whole]
    after, beyond = source[whole + 1], source[whole + 2]
    slope, cubic = (after - before) / 2, (beyond - before) / 2 + 1.5 * (here - after)
    square = before - 2.5 * here + 2 * after - beyond / 2
    return np.asarray(here + between * (slope + between * (square + between * cubic)), np.float32)


def _envelope(zone: Zone, time: Wave) -> Wave:
    """Level over time, 0 .. 1: delay, attack (a ramp), hold, decay (a straight line in dB)."""
    since = time - np.float32(zone.delay)
    rise = np.clip(since / max(zone.attack, 1e-3), 0, 1)
    decaying = np.maximum(since - np.float32(zone.attack + zone.hold), 0)
    fall = np.minimum(100 * decaying / max(zone.decay, 1e-3), zone.sustain)
    return np.asarray(rise * 10 ** (-fall / 20), dtype=np.float32)


def _filtered(tone: Wave, zone: Zone, time: Wave, sample_rate: int) -> Wave:
    """`tone` through the layer's low-pass filter, gliding from its first cutoff to its last.

    The glide is a cross-fade of the two ends: a plucked string loses its brightness, and that
    is what the ear follows.
    """
    audible = 0.45 * sample_rate
    if min(zone.cutoff, zone.sweep_cutoff) >= audible or not len(tone):
        return tone
    spectrum = np.fft.rfft(tone, _fast_length(len(tone) + 2048))
    hertz = np.linspace(0, sample_rate / 2, len(spectrum))

    def low_pass(cutoff: float) -> Wave:
        ratio = hertz / cutoff
        damping = np.sqrt(2) * 10 ** (-zone.resonance / 20)
        passed = np.fft.irfft(spectrum / (1 - ratio**2 + 1j * damping * ratio))
        return passed[: len(tone)].astype(np.float32)

    dark = low_pass(zone.cutoff)
    if zone.cutoff == zone.sweep_cutoff:
        return dark
    bright = _swept(zone, time)
    return np.asarray(dark + bright * (low_pass(zone.sweep_cutoff) - dark), dtype=np.float32)


def _fast_length(length: int) -> int:
    """The next length of the form 2^n or 3 * 2^n: quick to transform."""
    power = 1 << (length - 1).bit_length()
    return power * 3 // 4 if length <= power * 3 // 4 else power
