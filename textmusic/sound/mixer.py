"""Plays strikes with one soundfont, all at once or one stretch of time after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from textmusic.sound.room import Chorus, Reverb
from textmusic.sound.soundfont import SoundFont, Wave
from textmusic.sound.tones import falling, tone_of
from textmusic.sound.voices import SHORTEST_RELEASE, Part, VoiceStrike
from textmusic.sound.zones import Zone

_KEPT = 1 << 23  # samples of tones that a mixer keeps: 32 MB
_GLIDE = 0.01  # seconds in which a part's level follows its controllers
LEFT, RIGHT, REVERB, CHORUS = range(4)
"""The rows of what is mixed: two sides, and what goes to the two effects."""


class Mixer:
    """Adds up the sounds of strikes. It keeps tones, and knows no time."""

    def __init__(self, font: SoundFont, sample_rate: int) -> None:
        self._font, self._rate = font, sample_rate
        # Of each layer and pitch: for how many samples it was made, and its sound. Latest last.
        self._tones: dict[tuple[Zone, int], tuple[int, Wave]] = {}

    def mix(self, strikes: Iterable[VoiceStrike], first: int, length: int) -> Wave:
        """What sounds in the `length` samples from sample `first` on.

        float32, (4, length): left, right, what goes to the reverb and to the chorus.
        """
        audio = np.zeros((4, length), dtype=np.float32)
        unsteady: dict[Part, list[VoiceStrike]] = {}
        steady = []
        for strike in strikes:
            if strike.part.steady:
                steady.append(strike)
            else:
                unsteady.setdefault(strike.part, []).append(strike)
        self._mix(audio, first, steady)
        for part, struck in unsteady.items():
            own = np.zeros_like(audio)
            self._mix(own, first, struck)
            audio += own * self._level(part, first, length)
        return audio

    def _mix(self, audio: Wave, first: int, strikes: Sequence[VoiceStrike]) -> None:
        layers: dict[tuple[Zone, int, Part | None], list[VoiceStrike]] = {}
        for strike in strikes:
            bent = strike.part if len(strike.part.bend.times) > 1 else None
            layers.setdefault((strike.zone, strike.pitch, bent), []).append(strike)
        for (_, _, bent), struck in layers.items():
            for together in [struck] if bent is None else [[strike] for strike in struck]:
                self._add(audio, first, together, bent)

    def _level(self, part: Part, first: int, length: int) -> Wave:
        """A part's level in each sample; it glides where a controller jumps."""
        curve, rate = part.level, self._rate
        glide = round(_GLIDE * rate)
        places = np.array([-1e12, *(time * rate for time in curve.times[1:])])
        values = np.asarray(curve.values, dtype=np.float32)
        samples = np.arange(first - glide, first + length)
        level = values[np.searchsorted(places, samples + 0.5, side="right") - 1]
        total = np.cumsum(level, dtype=np.float64)
        return np.asarray((total[glide:] - total[:-glide]) / glide, dtype=np.float32)

    def _add(self, audio: Wave, first: int, struck: list[VoiceStrike], bent: Part | None) -> None:
        """Add every strike of one layer and pitch to `audio`, in place."""
        zone, release, rate = struck[0].zone, struck[0].release, self._rate
        letting_go = falling(max(round(release * rate), 2))
        longest = max(strike.stop - strike.start for strike in struck)
        length = round((longest + release) * rate)
        if bent is None:
            tone = self._tone(zone, struck[0].pitch, length)
        else:
            tone = self._bent(zone, struck[0], length, bent)
        for strike in struck:
            start = round(strike.start * rate)
            held = round((strike.stop - strike.start) * rate)
            sound = tone[: held + len(letting_go)] * np.float32(
                strike.gain * (strike.part.level.values[0] if strike.part.steady else 1)
            )
            sound[held:] *= letting_go[: max(len(sound) - held, 0)]
            if strike.cut < np.inf:
                cut, fade = (
                    round(strike.cut * rate) - start,
                    falling(round(SHORTEST_RELEASE * rate)),
                )
                sound = sound[: cut + len(fade)]
                sound[cut:] *= fade[: max(len(sound) - cut, 0)]
            sound = sound[max(first - start, 0) : max(first + audio.shape[1] - start, 0)]
            begin = max(start - first, 0)
            stretch = audio[:, begin : begin + len(sound)]
            angle = (strike.pan + 1) * np.pi / 4  # equal power from left to right
            shares = (
                np.cos(angle) * np.sqrt(2), np.sin(angle) * np.sqrt(2), strike.reverb,
                strike.chorus,
            )  # fmt: skip
            for row, share in zip(stretch, shares, strict=True):
                if share > 1e-4:
                    row += np.float32(share) * sound

    def _tone(self, zone: Zone, pitch: int, length: int) -> Wave:
        """`tone_of` for at least `length` samples; the latest few are kept."""
        made, tone = self._tones.pop((zone, pitch), (0, np.zeros(0, dtype=np.float32)))
        if made < length:
            made = length
            tone = tone_of(zone, self._font.wave(zone.sample), pitch, length, self._rate)
        self._tones[zone, pitch] = made, tone
        while sum(len(kept) for _, kept in self._tones.values()) > _KEPT and len(self._tones) > 1:
            del self._tones[next(iter(self._tones))]
        return tone

    def _bent(self, zone: Zone, strike: VoiceStrike, length: int, part: Part) -> Wave:
        """One strike's sound, as the pitch wheel bends it."""
        places = np.array([-1e12, *(time * self._rate for time in part.bend.times[1:])])
        samples = round(strike.start * self._rate) + np.arange(length)
        cents = 100 * np.asarray(part.bend.values, dtype=np.float32)
        bend = cents[np.searchsorted(places, samples + 0.5, side="right") - 1]
        wave = self._font.wave(zone.sample)
        return tone_of(zone, wave, strike.pitch, length, self._rate, bend)


class Effects:
    """Dry sound and sends -> what is heard, piece by piece: the room and the chorus."""

    def __init__(self, sample_rate: int, *, dry: bool = False) -> None:
        """dry: no reverb."""
        self._reverb = None if dry else Reverb(sample_rate)
        self._chorus: Chorus | None = None
        self._rate = sample_rate
        self._place = 0

    def __call__(self, mixed: Wave) -> Wave:
        """(4, samples), as `Mixer.mix` gives it -> (2, samples)."""
        heard = mixed[:2]
        if self._chorus is None and mixed[CHORUS].any():
            self._chorus = Chorus(self._rate, self._place)
        if self._chorus is not None:
            heard = heard + self._chorus(mixed[CHORUS])
        if self._reverb is not None:
            heard = heard + self._reverb(mixed[REVERB])
        self._place += mixed.shape[1]
        return heard
