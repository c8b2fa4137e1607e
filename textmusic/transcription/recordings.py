"""A recording's file -> its sound, mono and within limits: decoded piece by piece.

WAV, FLAC, MP3, Ogg (Vorbis, Opus) and AIFF are read by libsndfile; other formats, video among
them, are told from what they begin with.
"""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textmusic.errors import TextMusicError
from textmusic.transcription.activations import RATE

Wave = NDArray[np.float32]
SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff")
"""Of recordings that can be read."""
LONGEST = 600.0  # seconds of a recording
SHORTEST = 0.5
LARGEST = 400_000_000  # bytes of its file: ten minutes of stereo at 96 kHz and 24 bits
INSTALL = "pip install 'textmusic[audio-in]'"

_BLOCK = 1 << 18  # samples of each channel that are decoded at a time
_RATES = (4_000, 384_000)  # samples a second that are believed
_OTHERS = (".m4a", ".aac", ".mp4", ".mov", ".mkv", ".webm", ".wma", ".avi", ".3gp", ".amr")


class UnfitError(ValueError):
    """A recording that can't be transcribed; says why, behind its name: "is silent".

    A remedy may follow, behind "; ".
    """

    def of(self, name: str) -> str:
        """The whole sentence about the file of a name."""
        what, _, remedy = str(self).partition("; ")
        return f"'{name}' {what}; {remedy or 'choose another recording'}."


@dataclass(frozen=True, slots=True)
class Recording:
    """What a file holds. audio: (samples,) mono at `RATE`."""

    audio: Wave

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.audio) / RATE


def can_be_heard() -> bool:
    """Whether what reads recordings and follows voices is installed: the audio-in extra."""
    return all(importlib.util.find_spec(name) for name in ("soxr", "swift_f0"))


def is_recording(path: Path) -> bool:
    """Whether a file's name is that of a recording, one that can't be read among them."""
    return path.suffix.lower() in (*SUFFIXES, *_OTHERS)


def read_recording(source: Path | bytes, suffix: str = "") -> Recording:
    """The sound of a file, or of the bytes of one. suffix: of its name.

    Raises UnfitError for what can't be read, is too long, too short or silent, and TextMusicError
    where what reads it is not installed.
    """
    import soundfile

    try:
        import soxr
    except ImportError:
        raise TextMusicError(f"recordings need the audio-in extra; run {INSTALL}.") from None
    if suffix in _OTHERS:
        raise UnfitError(
            f"is {suffix}, which can't be read; save the sound as WAV, FLAC, MP3 or Ogg"
        )
    if not (len(source) if isinstance(source, bytes) else _size(source)):
        raise UnfitError("is empty")
    try:
        file = soundfile.SoundFile(BytesIO(source) if isinstance(source, bytes) else source)
    except (soundfile.LibsndfileError, TypeError, OSError, ValueError):
        raise UnfitError("is not a sound file, or is broken") from None
    with file:
        rate, length = file.samplerate, file.frames
        if not _RATES[0] <= rate <= _RATES[1]:
            raise UnfitError(f"has {rate:,} samples a second, which no recording has")
        if length > LONGEST * rate:
            raise _too_long(length / rate)
        parts, read = [], 0
        stream = soxr.ResampleStream(rate, RATE, 1, dtype="float32")
        try:
            while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
                read += len(block)
                if read > LONGEST * rate:  # what a file says of its length can be wrong
                    raise _too_long(None)
                parts.append(stream.resample_chunk(_finite(block.mean(axis=1))))
        except (soundfile.LibsndfileError, RuntimeError):
            if not read:
                raise UnfitError("is not a sound file, or is broken") from None
        parts.append(stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
    audio = np.concatenate(parts)
    if len(audio) < SHORTEST * RATE:
        raise UnfitError(f"is shorter than {SHORTEST:g} s")
    return Recording(audio)


def _size(path: Path) -> int:
    try:
        size = path.stat().st_size
    except OSError as problem:
        raise UnfitError(f"can't be read ({problem.strerror})") from None
    if size > LARGEST:
        raise UnfitError(f"is {size / 1e6:,.0f} MB, at most {LARGEST / 1e6:.0f} can be read")
    return size


def _too_long(seconds: float | None) -> UnfitError:
    most = round(LONGEST / 60)
    if seconds is None:
        return UnfitError(f"lasts more than the {most} minutes that can be transcribed")
    minutes = math.ceil(seconds / 6) / 10  # just over ten minutes are no ten
    return UnfitError(f"lasts {minutes:,g} minutes, more than the {most} that can be transcribed")


def _finite(samples: Wave) -> Wave:
    """Samples without what is no number: float files can hold anything."""
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -8.0, 8.0)
