"""Bars -> audio while the piece is still being written.

What a bar settles is handed out at once and never changes: a sound depends on what was struck
before it alone (`render.choked`), so no later bar reaches back. Notes that ring over the end of a
bar go on in the next piece of audio; put together, the pieces are what `render` makes of the
finished score, before it sets the loudness.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np

from textmusic.music.notes import score_of
from textmusic.music.plan import Plan, seconds_of
from textmusic.music.theory import quarters_per_bar
from textmusic.result.generation import Generation, finish
from textmusic.sound.render import (
    PEAK,
    RELEASE_TAIL,
    SAMPLE_RATE,
    Mixer,
    VoiceStrike,
    choked,
    soundfont_path,
    voice_strikes,
    without_dead_air,
)
from textmusic.sound.soundfont import Wave, open_soundfont
from textmusic.system.streams import Stream
from textmusic.writing.written import Bar

HEADROOM = 0.5
"""The first bar that sounds is played at this share of `PEAK`: later ones may be twice as loud."""

_SLACK = 8  # samples that a note may begin before its bar: symusic's seconds are rounded
_BYTES = 4  # of a sample: 16 bits for each of two sides


class LiveAudio:
    """The sound of one piece, bar by bar. It keeps the notes that still ring and no audio."""

    def __init__(
        self, *, soundfont: str | Path | None = None, sample_rate: int = SAMPLE_RATE
    ) -> None:
        """soundfont, sample_rate: as for `render`, and TextMusicError as there."""
        self._font = open_soundfont(soundfont_path(soundfont))
        self._mixer, self._rate = Mixer(self._font, sample_rate), sample_rate
        self._ringing: list[VoiceStrike] = []
        self._settled = 0  # samples handed out
        self._last_note = 0.0  # seconds

    def add(self, bar: Bar) -> Wave:
        """What is settled now that this bar is known: float32, (2, samples).

        To be called with each bar of a piece in turn. The last one's audio holds the tail too. The
        loudness is as the notes have it: samples may lie beyond -1 .. 1.
        """
        score = finish(score_of(bar.notes, bar.plan), bar.plan)
        struck = voice_strikes(score, self._font)
        self._last_note = max([self._last_note, *(strike.stop for strike in struck)])
        sounding = choked(self._ringing + struck)
        if bar.last:
            until = round((self._last_note + RELEASE_TAIL) * self._rate)
        else:
            assert bar.plan.time_signature is not None
            quarters = (bar.index + 1) * quarters_per_bar(bar.plan.time_signature)
            seconds = quarters * score.tempos[0].mspq / 1e6  # the tempo as a MIDI file rounds it
            until = int(seconds * self._rate) - _SLACK
        audio = self._mixer.mix(sounding, self._settled, max(until - self._settled, 0))
        if bar.last:
            last_note = round(self._last_note * self._rate)
            return without_dead_air(audio, max(last_note - self._settled, 0))
        self._ringing = [strike for strike in sounding if strike.end * self._rate + 1 > until]
        self._settled = until
        return audio


class Level:
    """The loudness of audio whose end is not known yet.

    The first sound sets it, with room for what is louder. What still passes `PEAK` turns it down
    from there on, and it stays down: a piece never gets louder by itself.
    """

    def __init__(self) -> None:
        self._gain = np.inf

    def __call__(self, audio: Wave) -> Wave:
        """The next piece of audio (2, samples) as it is to be played, within -`PEAK` .. `PEAK`."""
        loudest = np.maximum.accumulate(np.abs(audio).max(axis=0, initial=0.0))
        if not loudest.any():
            return audio
        if self._gain == np.inf:
            self._gain = HEADROOM * PEAK / float(loudest[-1])
        gain = np.minimum(self._gain, PEAK / np.maximum(loudest, 1e-9)).astype(np.float32)
        self._gain = float(gain[-1])
        return audio * gain


class LiveWav:
    """Audio -> a WAV file, handed on as it comes: 16 bits, stereo.

    Its length stands at its beginning, before it is known: as long as the piece may at most ring.
    """

    def __init__(
        self, write: Callable[[bytes], object], plan: Plan, sample_rate: int = SAMPLE_RATE
    ) -> None:
        """write: takes the bytes of the file, in order. plan: the piece's, complete."""
        self._write = write
        self._left = math.ceil((seconds_of(plan) + RELEASE_TAIL) * sample_rate)  # samples
        size = self._left * _BYTES
        chunk = struct.pack("<HHIIHH", 1, 2, sample_rate, sample_rate * _BYTES, _BYTES, 16)
        write(b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + struct.pack("<I", len(chunk)))
        write(chunk + b"data" + struct.pack("<I", size))

    def add(self, audio: Wave) -> None:
        """Write audio (2, samples), -1 .. 1."""
        audio = audio[:, : self._left]
        self._left -= audio.shape[1]
        self._write(np.rint(np.clip(audio.T, -1, 1) * 32767).astype("<i2").tobytes())

    def close(self) -> None:
        """Fill up with silence to the stated length."""
        self._write(bytes(self._left * _BYTES))
        self._left = 0


def sounding(
    stream: Generator[Bar, None, Generation], soundfont: str | Path | None = None
) -> Generator[tuple[Bar, Wave], None, Generation]:
    """A stream of bars with the sound of each; see `TextToMusic.stream_audio`."""
    sound, level = LiveAudio(soundfont=soundfont), Level()
    bars = Stream(stream)
    for bar in bars:
        yield bar, level(sound.add(bar))
    return bars.result


def relay(
    stream: Generator[tuple[Bar, Wave], None, Generation],
    write: Callable[[bytes], object],
    on_bar: Callable[[int, int], None],
) -> Generation:
    """Write what `TextToMusic.stream_audio` yields as a WAV file; gives what it returns.

    on_bar: called with (bars written, bars in all) after each bar.
    """
    wav, bars = None, Stream(stream)
    for bar, audio in bars:
        wav = wav or LiveWav(write, bar.plan)
        wav.add(audio)
        on_bar(bar.index + 1, bar.total)
    return bars.result
