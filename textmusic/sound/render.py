"""Score -> audio: play a score's notes with a soundfont, in a room, at one loudness.

symusic has a synthesizer of its own, and a faster one, but it plays every note equally loud and
never lets a sound fade; docs/sound.md compares it and others.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from symusic import Score

from textmusic.music.theory import DRUMS
from textmusic.sound.loudness import levelling
from textmusic.sound.mixer import CHORUS, REVERB, Effects, Mixer
from textmusic.sound.room import SECONDS, Chorus, around
from textmusic.sound.soundfont import BUNDLED, Wave, open_soundfont
from textmusic.sound.voices import RELEASE_TAIL, Part, VoiceStrike, choked, voice_strikes

SAMPLE_RATE = 44100
TAIL = RELEASE_TAIL + SECONDS
"""Seconds at most that a piece rings on, the room with it."""

_STRETCH = 1 << 20  # samples that are mixed at a time: the sends of a whole piece would fill memory
_SILENCE = 1.0  # seconds of audio for a score without notes
_END = 0.05  # seconds in which the very last of a piece fades


class Stem(NamedTuple):
    """One part of a piece alone, as it is in the mix. program: of General MIDI, 128 for drums."""

    name: str
    audio: Wave
    program: int


def render(
    score: Score, *, soundfont: str | Path | None = None, sample_rate: int = SAMPLE_RATE,
    loop: float | None = None, dry: bool = False,
) -> Wave:  # fmt: skip
    """Play a score.

    Args:
        score: what to play. Notes, velocities, programs, drum kits and tempo changes count, and of
            the controllers pedal, volume, expression, pan, modulation wheel, pitch bend and the
            sends to reverb and chorus.
        soundfont: an SF2 or SF3 file; else the one TEXTMUSIC_SOUNDFONT names; else the bundled one.
        sample_rate: samples per second.
        loop: after so many seconds the score begins again, and what then still sounds is heard in
            its beginning; the audio is one round, and lasts just that long.
        dry: without the room.

    Returns:
        float32, (2, samples): left and right, at -16 LUFS with true peaks below -1 dB. A score
        without notes gives a second of silence.

    Raises:
        TextMusicError: the soundfont is missing or broken.
    """
    playing = _Playing(score, soundfont, sample_rate, loop, dry)
    audio = playing.whole()
    return audio * playing.factors(audio)


def unlevelled(
    score: Score, *, soundfont: str | Path | None = None, sample_rate: int = SAMPLE_RATE,
    dry: bool = False,
) -> Wave:  # fmt: skip
    """What `render` makes of a score before it sets the loudness."""
    return _Playing(score, soundfont, sample_rate, None, dry).whole()


def render_stems(
    score: Score, *, soundfont: str | Path | None = None, sample_rate: int = SAMPLE_RATE,
    loop: float | None = None, dry: bool = False,
) -> tuple[Wave, list[Stem]]:  # fmt: skip
    """`render`, and each part alone as it is in there: the parts add up to the whole."""
    playing = _Playing(score, soundfont, sample_rate, loop, dry)
    parts: dict[Part, list[VoiceStrike]] = {}
    for strike in playing.strikes:
        parts.setdefault(strike.part, []).append(strike)
    audio = playing.whole()
    factors = playing.factors(audio)
    stems = [
        Stem(
            part.name,
            playing.ended(playing.heard(struck), audio.shape[1]) * factors,
            DRUMS if part.drums else part.program,
        )
        for part, struck in parts.items()
    ]
    return audio * factors, stems


class _Playing:
    """One score with one soundfont, and what is made of it."""

    def __init__(
        self, score: Score, soundfont: str | Path | None, rate: int, loop: float | None, dry: bool
    ) -> None:
        font = open_soundfont(soundfont_path(soundfont))
        self._font, self._rate, self._dry = font, rate, dry
        self._loop = None if loop is None else max(round(loop * rate), 1)
        self._begin = 0  # the sample that is heard first
        strikes = voice_strikes(score, font)
        self.last_note = max((strike.stop for strike in strikes), default=0.0)
        if self._loop is not None:
            before = math.ceil((self.last_note + RELEASE_TAIL) * rate / self._loop)
            strikes = _rounds(strikes, before, self._loop / rate)
            self._begin = before * self._loop
        self.strikes = choked(strikes)

    def whole(self) -> Wave:
        """The mix, (2, samples), before its loudness is set."""
        audio = self.heard(self.strikes)
        if self._loop is not None or not self.strikes:
            return audio
        return self.ended(audio, length_of(audio, round(self.last_note * self._rate)))

    def ended(self, audio: Wave, length: int) -> Wave:
        """The first `length` samples; they fade at their end, but for a loop."""
        return audio if self._loop is not None else faded(audio[:, :length], self._rate)

    def heard(self, strikes: Sequence[VoiceStrike]) -> Wave:
        """These strikes in their room, (2, samples)."""
        rate = self._rate
        if self._loop is not None:
            return self._round(strikes, self._loop)
        if not strikes:
            return np.zeros((2, round(_SILENCE * rate)), dtype=np.float32)
        tail = RELEASE_TAIL if self._dry else TAIL
        audio = np.zeros((2, round((self.last_note + tail) * rate)), dtype=np.float32)
        mixer, effects = Mixer(self._font, rate), Effects(rate, dry=self._dry)
        for first in range(0, audio.shape[1], _STRETCH):
            stop = min(first + _STRETCH, audio.shape[1])
            sounding = [s for s in strikes if s.start * rate < stop and s.end * rate + 1 > first]
            audio[:, first:stop] = effects(mixer.mix(sounding, first, stop - first))
        return audio

    def factors(self, audio: Wave) -> Wave | float:
        """What the mix is multiplied by, for its loudness."""
        if self._loop is None:
            return levelling(audio, self._rate)
        times = max(3, math.ceil(1.2 * self._rate / self._loop))
        factors = levelling(np.tile(audio, times), self._rate)
        return factors if isinstance(factors, float) else factors[self._loop : 2 * self._loop]

    def _round(self, strikes: Sequence[VoiceStrike], length: int) -> Wave:
        """One round of what is repeated without end, once all that rings over is in it."""
        rate = self._rate
        sounding = [strike for strike in strikes if strike.end * rate > self._begin]
        mixed = Mixer(self._font, rate).mix(sounding, self._begin, length)
        heard = mixed[:2]
        if mixed[CHORUS].any():
            sent = np.tile(mixed[CHORUS], max(2, math.ceil(0.1 * rate / length) + 1))
            heard = heard + Chorus(rate)(sent)[:, -length:]
        return heard if self._dry else heard + around(mixed[REVERB], rate)


def _rounds(strikes: Sequence[VoiceStrike], before: int, period: float) -> list[VoiceStrike]:
    """The strikes in `before` rounds and one more; controllers go round with them."""
    parts = {
        strike.part: replace(
            strike.part,
            level=strike.part.level.repeated(before + 1, period),
            bend=strike.part.bend.repeated(before + 1, period),
        )
        for strike in strikes
    }
    return [
        replace(
            strike, part=parts[strike.part],
            start=strike.start + k * period, stop=strike.stop + k * period,
        )
        for k in range(before + 1)
        for strike in strikes
    ]  # fmt: skip


def length_of(audio: Wave, last_note: int, loudest: float | None = None) -> int:
    """How many samples there are without the silence behind the last sound.

    last_note: in samples; nothing before it goes. loudest: the largest sample of the whole piece,
    where `audio` is only its end.
    """
    if loudest is None:
        loudest = float(np.abs(audio).max(initial=0.0))
    heard = np.flatnonzero(np.abs(audio[:, last_note:]).max(axis=0, initial=0.0) > 1e-4 * loudest)
    return last_note + (int(heard[-1]) + 1 if len(heard) else 0)


def faded(audio: Wave, rate: int) -> Wave:
    """Audio whose last twentieth of a second falls to nothing."""
    length = min(round(_END * rate), audio.shape[1])
    audio = audio.copy()
    if length:
        audio[:, -length:] *= np.linspace(1, 0, length, dtype=np.float32)
    return audio


def soundfont_path(soundfont: str | Path | None = None) -> Path:
    """The soundfont to play with: the argument, else TEXTMUSIC_SOUNDFONT, else the bundled one."""
    named = soundfont or os.environ.get("TEXTMUSIC_SOUNDFONT")
    return Path(named).expanduser() if named else BUNDLED
