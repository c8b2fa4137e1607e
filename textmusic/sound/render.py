"""Score -> audio: play a score's notes with a soundfont, in numpy.

symusic has a synthesizer of its own, and a faster one, but it plays every note equally loud and
never lets a sound fade: no velocity, no envelope, no release (measured with 0.5.9). Generated
music carries its dynamics in velocities, so they must be heard.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.music.theory import DRUMS
from textmusic.sound.soundfont import SoundFont, Wave, Zone, open_soundfont

SAMPLE_RATE = 44100
PEAK = 10 ** (-1 / 20)
"""-1 dBFS: room for the overshoot of lossy formats."""
RELEASE_TAIL = 3.0
"""Seconds at most that sound rings on after the last note has ended."""

_FADE = 60.0  # dB below the note's level at which its release is taken as silence
_SHORTEST_RELEASE = 0.02  # seconds; a sound cut off at once clicks
_KEPT = 1 << 23  # samples of tones that a mixer keeps: 32 MB
_SILENCE = 1.0  # seconds of audio for a score without notes
_BLOCK = 1 << 16  # samples handed to the encoder at a time
_FORMATS = {
    ".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".mp3": ("MP3", None),
    ".ogg": ("OGG", "VORBIS"), ".opus": ("OGG", "OPUS"),
}  # fmt: skip
_RATES = {".opus": 48000}  # samples a second: Opus has no 44,100


@dataclass(frozen=True, slots=True)
class VoiceStrike:
    """One note on one layer; times in seconds."""

    zone: Zone
    instrument: int
    """Its program; 128 is the drum kit."""
    pitch: int
    start: float
    stop: float
    gain: float
    cut: float = np.inf
    """When a later note of its exclusive class cuts it off."""

    @property
    def release(self) -> float:
        """How long it rings on after `stop`."""
        full = max(self.zone.release * _FADE / 100, _SHORTEST_RELEASE)
        return min(full, RELEASE_TAIL)

    @property
    def end(self) -> float:
        """From when on it is silent."""
        return min(self.stop + self.release, self.cut + _SHORTEST_RELEASE)


def render(
    score: Score, *, soundfont: str | Path | None = None, sample_rate: int = SAMPLE_RATE,
    loop: float | None = None,
) -> Wave:  # fmt: skip
    """Play a score.

    Args:
        score: what to play. Notes, velocities, programs, drums and tempo changes count; pedals,
            bends and controllers don't.
        soundfont: an SF2 or SF3 file; else the one TEXTMUSIC_SOUNDFONT names; else TimGM6mb.
        sample_rate: samples per second.
        loop: after so many seconds the score begins again, and what then still sounds is heard in
            its beginning; the audio is one round, and lasts just that long.

    Returns:
        float32, (2, samples): left and right, the loudest sample at -1 dBFS. A score without
        notes gives a second of silence.

    Raises:
        TextMusicError: the soundfont is missing or broken.
    """
    font = open_soundfont(soundfont_path(soundfont))
    strikes = voice_strikes(score, font)
    if loop is not None:
        return _normalised(_round(strikes, Mixer(font, sample_rate), loop, sample_rate))
    strikes = choked(strikes)
    if not strikes:
        return np.zeros((2, round(_SILENCE * sample_rate)), dtype=np.float32)
    last_note = max(strike.stop for strike in strikes)
    length = round((last_note + RELEASE_TAIL) * sample_rate)
    audio = Mixer(font, sample_rate).mix(strikes, 0, length)
    return _normalised(without_dead_air(audio, round(last_note * sample_rate)))


def _round(strikes: Sequence[VoiceStrike], mixer: Mixer, seconds: float, sample_rate: int) -> Wave:
    """One round of what is repeated without end, once all that rings over is in it."""
    length = max(round(seconds * sample_rate), 1)
    period = length / sample_rate
    last = max((strike.stop for strike in strikes), default=0.0) + RELEASE_TAIL
    before = math.ceil(last / period)
    rounds = [
        replace(strike, start=strike.start + k * period, stop=strike.stop + k * period)
        for k in range(before + 1)
        for strike in strikes
    ]
    heard = [strike for strike in choked(rounds) if strike.end > before * period]
    return mixer.mix(heard, before * length, length)


def write_audio(
    audio: NDArray[np.floating[Any]], path: str | Path, sample_rate: int = SAMPLE_RATE, *,
    loop: bool = False,
) -> None:  # fmt: skip
    """Write audio (channels, samples), -1 .. 1, as its suffix says: .wav, .flac, .mp3, .ogg, .opus.

    loop: say in a WAV file, to samplers and game engines, that all of it is to be repeated.

    Raises:
        TextMusicError: another suffix, or .opus at another rate than `sample_rate_of`.
        OSError: the file can't be written.
    """
    import soundfile

    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise TextMusicError(
            f"can't write audio as {suffix or path.name!r}; use {', '.join(_FORMATS)}."
        )
    if _RATES.get(suffix, sample_rate) != sample_rate:
        raise TextMusicError(
            f"{suffix} holds no {sample_rate:,} samples a second; render {_RATES[suffix]:,}."
        )
    name, subtype = _FORMATS[suffix]
    # By way of memory: libsndfile does not say why a disk can't be written to.
    encoded = BytesIO()
    with soundfile.SoundFile(
        encoded, "w", sample_rate, len(audio), format=name, subtype=subtype
    ) as file:
        for start in range(0, audio.shape[1], _BLOCK):
            file.write(audio[:, start : start + _BLOCK].T)
    if loop and suffix == ".wav":
        _mark_loop(encoded, audio.shape[1], sample_rate)
    path.write_bytes(encoded.getbuffer())


def _mark_loop(wav: BytesIO, length: int, sample_rate: int) -> None:
    """Add a sampler chunk to a WAV file: one loop without end, over all its samples."""
    nanoseconds, middle_c = round(1e9 / sample_rate), 60
    sampler = struct.pack("<9I", 0, 0, nanoseconds, middle_c, 0, 0, 0, 1, 0)
    sampler += struct.pack("<6I", 0, 0, 0, length - 1, 0, 0)
    size = wav.seek(0, os.SEEK_END)
    wav.write(b"\0" * (size % 2) + b"smpl" + struct.pack("<I", len(sampler)) + sampler)
    size = wav.tell()
    wav.seek(4)
    wav.write(struct.pack("<I", size - 8))


def sample_rate_of(suffix: str) -> int:
    """Samples a second that files of a format have, by their suffix (".opus")."""
    return _RATES.get(suffix, SAMPLE_RATE)


def soundfont_path(soundfont: str | Path | None = None) -> Path:
    """The soundfont to play with: the argument, else TEXTMUSIC_SOUNDFONT, else TimGM6mb.

    Raises:
        TextMusicError: none is named, and pretty_midi, which ships TimGM6mb, is not installed.
    """
    named = soundfont or os.environ.get("TEXTMUSIC_SOUNDFONT")
    if named:
        return Path(named).expanduser()
    spec = find_spec("pretty_midi")  # found, not imported: importing it costs a fifth of a second
    if spec is None or spec.origin is None:
        raise TextMusicError(
            "there is no soundfont; give one with --soundfont, or install pretty_midi."
        )
    return Path(spec.origin).with_name("TimGM6mb.sf2")


def voice_strikes(score: Score, font: SoundFont) -> list[VoiceStrike]:
    """What a soundfont plays for each note of a score."""
    strikes = []
    for track in score.to("second").tracks:
        instrument = DRUMS if track.is_drum else track.program
        strikes += [
            VoiceStrike(zone, instrument, note.pitch, note.time, note.time + note.duration, gain)
            for note in track.notes
            if note.velocity > 0  # in MIDI, the end of another note
            for zone in font.zones(track.program, track.is_drum, note.pitch, note.velocity)
            # 40 dB over the velocities: the curve that the soundfont format prescribes.
            for gain in [(note.velocity / 127) ** 2 * 10 ** (-zone.attenuation / 20)]
        ]
    return strikes


def choked(strikes: list[VoiceStrike]) -> list[VoiceStrike]:
    """The strikes, each cut off by the next one of its instrument and exclusive class.

    What sounds at a time depends on what was struck until then, and on nothing that follows.
    """
    result = []
    starts: dict[tuple[int, int], tuple[float, float]] = {}  # the two that follow, of each class
    for strike in sorted(strikes, key=lambda strike: strike.start, reverse=True):
        if strike.zone.exclusive:
            group = strike.instrument, strike.zone.exclusive
            start, later = starts.get(group, (np.inf, np.inf))
            if strike.start < start:
                start, later = strike.start, start
            starts[group] = start, later
            strike = replace(strike, cut=min(strike.cut, later))
        result.append(strike)
    return result


class Mixer:
    """Plays strikes with one soundfont, all at once or one stretch of time after the other."""

    def __init__(self, font: SoundFont, sample_rate: int = SAMPLE_RATE) -> None:
        self._font, self._rate = font, sample_rate
        # Of each layer and pitch: for how many samples it was made, and its sound. Latest last.
        self._tones: dict[tuple[Zone, int], tuple[int, Wave]] = {}

    def mix(self, strikes: Iterable[VoiceStrike], first: int, length: int) -> Wave:
        """What sounds in the `length` samples from sample `first` on: float32, (2, length)."""
        audio = np.zeros((2, length), dtype=np.float32)
        layers: dict[tuple[Zone, int], list[VoiceStrike]] = {}
        for strike in strikes:
            layers.setdefault((strike.zone, strike.pitch), []).append(strike)
        for struck in layers.values():
            self._add(audio, first, struck)
        return audio

    def _add(self, audio: Wave, first: int, struck: list[VoiceStrike]) -> None:
        """Add every strike of one layer and pitch to `audio` (2, samples), in place."""
        zone, release, rate = struck[0].zone, struck[0].release, self._rate
        letting_go = _falling(max(round(release * rate), 2))
        longest = max(strike.stop - strike.start for strike in struck)
        tone = self._tone(zone, struck[0].pitch, round((longest + release) * rate))
        angle = (zone.pan + 1) * np.pi / 4  # equal power from left to right
        sides = np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)[:, None] * np.sqrt(2)
        for strike in struck:
            start = round(strike.start * rate)
            held = round((strike.stop - strike.start) * rate)
            sound = tone[: held + len(letting_go)] * strike.gain
            sound[held:] *= letting_go[: max(len(sound) - held, 0)]
            if strike.cut < np.inf:
                cut, fade = (
                    round(strike.cut * rate) - start,
                    _falling(round(_SHORTEST_RELEASE * rate)),
                )
                sound = sound[: cut + len(fade)]
                sound[cut:] *= fade[: max(len(sound) - cut, 0)]
            sound = sound[max(first - start, 0) : max(first + audio.shape[1] - start, 0)]
            begin = max(start - first, 0)
            audio[:, begin : begin + len(sound)] += sides * sound

    def _tone(self, zone: Zone, pitch: int, length: int) -> Wave:
        """`_tone` for at least `length` samples; the latest few are kept."""
        made, tone = self._tones.pop((zone, pitch), (0, np.zeros(0, dtype=np.float32)))
        if made < length:
            made = length
            tone = _tone(zone, self._font.wave(zone.sample), pitch, length, self._rate)
        self._tones[zone, pitch] = made, tone
        while sum(len(kept) for _, kept in self._tones.values()) > _KEPT and len(self._tones) > 1:
            del self._tones[next(iter(self._tones))]
        return tone


def _falling(length: int) -> Wave:
    """From 1 to 0 in a straight line in dB: how a sound that is let go fades."""
    fall = np.linspace(0, -_FADE, length, dtype=np.float32)
    return np.asarray(10 ** (fall / 20) - 10 ** (-_FADE / 20), dtype=np.float32)


def _tone(zone: Zone, wave: Wave, pitch: int, length: int, sample_rate: int) -> Wave:
    """A layer's sound at one pitch while the key is held: at most `length` samples, mono."""
    cents = (pitch - zone.root) * zone.cents_per_key + zone.cents
    step = 2 ** (cents / 1200) * zone.rate / sample_rate
    tone = _resampled(wave, zone.loop, step, length)
    time = np.arange(len(tone), dtype=np.float32) / np.float32(sample_rate)
    return _filtered(tone, zone, time, sample_rate) * _envelope(zone, time)


def _resampled(wave: Wave, loop: tuple[int, int] | None, step: float, length: int) -> Wave:
    """`wave` read at `step` samples a sample, by 4-point (Catmull-Rom) interpolation."""
    if loop is not None and loop[1] <= len(wave):
        first, last = loop
        where = np.arange(length) * step
        past = where >= last
        where[past] = first + (where[past] - first) % (last - first)
        source = np.concatenate([wave[:last], np.resize(wave[first:last], 3)])
    else:
        where = np.arange(min(length, int(len(wave) / step))) * step
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
    gone = np.clip((time - zone.sweep_hold) / max(zone.sweep_decay, 1e-3), 0, 1)
    bright = np.maximum(1 - gone, zone.sweep_sustain).astype(np.float32)
    return np.asarray(dark + bright * (low_pass(zone.sweep_cutoff) - dark), dtype=np.float32)


def _fast_length(length: int) -> int:
    """The next length of the form 2^n or 3 * 2^n: quick to transform."""
    power = 1 << (length - 1).bit_length()
    return power * 3 // 4 if length <= power * 3 // 4 else power


def without_dead_air(audio: Wave, last_note: int) -> Wave:
    """Drop the silence after the last release; nothing before `last_note` (in samples) goes."""
    loud = np.flatnonzero(np.abs(audio[:, last_note:]).max(axis=0) > 1e-4)
    return audio[:, : last_note + (int(loud[-1]) + 1 if len(loud) else 0)]


def _normalised(audio: Wave) -> Wave:
    """Scale `audio` in place, so that its loudest sample is at `PEAK`."""
    peak = max(float(audio.max(initial=0.0)), -float(audio.min(initial=0.0)))
    if peak > 1e-6:  # below this there is nothing to hear, and lifting it would lift rounding
        audio *= np.float32(PEAK / peak)
    return audio
