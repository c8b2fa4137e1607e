"""Bars -> audio while the piece is still being written.

What a bar settles is handed out at once and never changes: a sound depends on what was struck
before it alone (`voices.choked`), and the room on what was heard before, so that no later bar
reaches back. Notes that ring over the end of a bar go on in the next piece of audio; put together,
the pieces are what `render` makes of the finished score, before it sets the loudness. A performance
changes none of that: it is made bar by bar as well (`performing.performer`).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import numpy as np

from textmusic.music.notes import score_of
from textmusic.music.plan import Plan, seconds_of
from textmusic.music.playing import Playing
from textmusic.music.theory import quarters_per_bar
from textmusic.result.generation import Generation, finish
from textmusic.sound.loudness import LOOK, TARGET, limiting, loudness
from textmusic.sound.mixer import Effects, Mixer
from textmusic.sound.render import SAMPLE_RATE, TAIL, faded, length_of, soundfont_path
from textmusic.sound.soundfont import Wave, open_soundfont
from textmusic.sound.voices import RELEASE_TAIL, VoiceStrike, choked, voice_strikes
from textmusic.system.streams import Stream
from textmusic.writing.live_performance import LivePerformance, longest
from textmusic.writing.written import Bar

ROOM = 2.0
"""LU by which the first bar that sounds is below `TARGET`, because later ones are louder more often
than not. A later one may be as much above it."""
MOST = 30.0
"""The most that a first bar is lifted by: 30 dB."""
_GLIDE = 0.25  # seconds in which a bar is turned down

_EARLY = 2e-4  # seconds, under a tick: symusic rounds them
_SLACK = 8  # samples that a note may begin before its bar: symusic's seconds are rounded
HEADER = 44  # bytes of a WAV file before its samples
_BYTES = 4  # of a sample: 16 bits for each of two sides


class LiveAudio:
    """The sound of one piece, bar by bar. It keeps the notes that still ring and no audio."""

    def __init__(
        self, *, soundfont: str | Path | None = None, sample_rate: int = SAMPLE_RATE,
        dry: bool = False, performance: float = 0.0, seed: int = 0,
    ) -> None:  # fmt: skip
        """soundfont, sample_rate, dry: as for `render`, and TextMusicError as there.

        performance: how much of one it is, 0 to 1. seed: of the piece.
        """
        self._performance, self._seed = performance, seed
        self._performing: LivePerformance | None = None
        self._font = open_soundfont(soundfont_path(soundfont))
        self._mixer, self._rate = Mixer(self._font, sample_rate), sample_rate
        self._effects, self._tail = Effects(sample_rate, dry=dry), RELEASE_TAIL if dry else TAIL
        self._loudest = 0.0
        self._ringing: list[VoiceStrike] = []
        self._settled = 0  # samples handed out
        self._last_note = 0.0  # seconds

    def add(self, bar: Bar) -> Wave:
        """What is settled now that this bar is known: float32, (2, samples).

        To be called with each bar of a piece in turn. The last one's audio holds the tail too. The
        loudness is as the notes have it: samples may lie beyond -1 .. 1.
        """
        score = finish(score_of(bar.notes, bar.plan), bar.plan)
        if self._performance:
            if self._performing is None:
                playing = Playing.of(bar.plan, self._seed, self._performance)
                self._performing = LivePerformance(score, bar, playing)
            score = self._performing.add(score, bar)
        struck = voice_strikes(score, self._font, bar.plan.programs or ())
        if self._performing is not None:
            struck = self._still_held(struck, self._performing.begins(bar))
        self._last_note = max([self._last_note, *(strike.stop for strike in struck)])
        sounding = choked(self._ringing + struck)
        if bar.last:
            until = round((self._last_note + self._tail) * self._rate)
        else:
            assert bar.plan.time_signature is not None
            if self._performing is not None:
                seconds = self._performing.ends(bar)
            else:
                quarters = (bar.index + 1) * quarters_per_bar(bar.plan.time_signature)
                seconds = quarters * score.tempos[0].mspq / 1e6  # as a MIDI file rounds the tempo
            until = int(seconds * self._rate) - _SLACK
        mixed = self._mixer.mix(sounding, self._settled, max(until - self._settled, 0))
        audio = self._effects(mixed)
        self._loudest = max(self._loudest, float(np.abs(audio).max(initial=0.0)))
        if bar.last:
            last_note = max(round(self._last_note * self._rate) - self._settled, 0)
            return faded(audio[:, : length_of(audio, last_note, self._loudest)], self._rate)
        self._ringing = [strike for strike in sounding if strike.end * self._rate + 1 > until]
        self._settled = until
        return audio

    def _still_held(self, struck: list[VoiceStrike], begins: float) -> list[VoiceStrike]:
        """The bar's own strikes of those that were struck before it and are held into it, too.

        Only now is it known when the latter end: the bar's tempo and its pedal decide.
        """
        own = [strike for strike in struck if strike.start > begins - _EARLY]
        stops = {_key(s): s.stop for s in struck if s.start <= begins - _EARLY}
        self._ringing = [
            replace(strike, stop=stops.get(_key(strike), strike.stop)) for strike in self._ringing
        ]
        return own


def _key(strike: VoiceStrike) -> tuple[int, int, int]:
    return strike.instrument, strike.pitch, round(strike.start * 1000)


class Level:
    """The loudness of audio whose end is not known yet.

    The first bar that sounds sets it, `ROOM` below the target, because pieces grow. A later bar
    that is still too loud turns it down from there on, and it stays down: a piece never gets louder
    by itself. The limiter is the one of the whole rendering, and needs to see a little of what
    follows, so that this much of a bar comes with the next one.
    """

    def __init__(self, sample_rate: int = SAMPLE_RATE) -> None:
        self._rate, self._gain = sample_rate, np.inf
        self._reach = 2 * round(LOOK * sample_rate)
        self._before = self._waiting = np.zeros((2, 0), dtype=np.float32)

    def __call__(self, audio: Wave, *, last: bool = False) -> Wave:
        """The next piece of audio (2, samples) as it is to be played, within -`PEAK` .. `PEAK`."""
        self._waiting = np.concatenate([self._waiting, audio * self._gains(audio)], axis=1)
        known = self._before.shape[1]
        whole = np.concatenate([self._before, self._waiting], axis=1)
        stop = whole.shape[1] - (0 if last else self._reach)
        if stop <= known:
            return np.zeros((2, 0), dtype=np.float32)
        held = whole * limiting(whole, 1.0, self._rate)
        self._before = whole[:, max(stop - self._reach, 0) : stop]
        self._waiting = whole[:, stop:]
        return np.asarray(held[:, known:stop], dtype=np.float32)

    def _gains(self, audio: Wave) -> Wave:
        """What each sample of the next bar is multiplied by."""
        loud = loudness(audio, self._rate)
        length = audio.shape[1]
        if loud == -np.inf:
            return np.full(length, 0.0 if self._gain == np.inf else self._gain, dtype=np.float32)
        if self._gain == np.inf:
            self._gain = min(10 ** ((TARGET - ROOM - loud) / 20), MOST)
        before = self._gain
        self._gain = min(before, 10 ** ((TARGET + ROOM - loud) / 20))
        gains = np.full(length, self._gain, dtype=np.float32)
        glide = min(round(_GLIDE * self._rate), length)
        gains[:glide] = np.linspace(before, self._gain, glide)
        return gains


class LiveWav:
    """Audio -> a WAV file, handed on as it comes: 16 bits, stereo.

    Its length stands at its beginning, before it is known: as long as the piece may at most ring.
    """

    def __init__(
        self, write: Callable[[bytes], object], plan: Plan, sample_rate: int = SAMPLE_RATE
    ) -> None:
        """write: takes the bytes of the file, in order. plan: the piece's, complete."""
        self._write = write
        self._left = math.ceil((seconds_of(plan) * longest(plan) + TAIL) * sample_rate)  # samples
        size = self._left * _BYTES
        self.length = HEADER + size  # bytes of the whole file
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
    stream: Generator[Bar, None, Generation], soundfont: str | Path | None = None, *,
    dry: bool = False, performance: float = 0.0, seed: int = 0,
) -> Generator[tuple[Bar, Wave], None, Generation]:  # fmt: skip
    """A stream of bars with the sound of each; see `TextToMusic.stream_audio`."""
    sound = LiveAudio(soundfont=soundfont, dry=dry, performance=performance, seed=seed)
    level = Level()
    bars = Stream(stream)
    for bar in bars:
        yield bar, level(sound.add(bar), last=bar.last)
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
