"""Audio -> files: WAV, FLAC, MP3, Ogg Vorbis and Opus, with what the piece is in their tags."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textmusic.errors import TextMusicError

RATES = (44100, 48000)
"""Samples a second to choose from."""
TAGS = ("title", "comment", "artist", "genre", "software")
"""What a file can say about a piece."""

_LONGEST_TAG = 1000  # characters
_BLOCK = 1 << 16  # samples handed to the encoder at a time
_FORMATS = {
    ".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".mp3": ("MP3", None),
    ".ogg": ("OGG", "VORBIS"), ".opus": ("OGG", "OPUS"),
}  # fmt: skip
_ONLY = {".opus": 48000}  # samples a second: Opus has no 44,100


def write_audio(
    audio: NDArray[np.floating[Any]], path: str | Path, sample_rate: int = RATES[0], *,
    loop: bool = False, tags: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Write audio (channels, samples), -1 .. 1, as its suffix says: .wav, .flac, .mp3, .ogg, .opus.

    loop: say in a WAV file, to samplers and game engines, that all of it is to be repeated. tags:
    of `TAGS`; what a format has no room for is left out.

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
    if _ONLY.get(suffix, sample_rate) != sample_rate:
        raise TextMusicError(
            f"{suffix} holds no {sample_rate:,} samples a second; render {_ONLY[suffix]:,}."
        )
    name, subtype = _FORMATS[suffix]
    # By way of memory: libsndfile does not say why a disk can't be written to.
    encoded = BytesIO()
    with soundfile.SoundFile(
        encoded, "w", sample_rate, len(audio), format=name, subtype=subtype
    ) as file:
        for tag, text in (tags or {}).items():
            # a player shows a line of it, and libsndfile takes neither nothing nor a NUL
            if line := "".join(filter(str.isprintable, text))[:_LONGEST_TAG]:
                setattr(file, tag, line)
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


def sample_rate_of(suffix: str, asked: int | None = None) -> int:
    """Samples a second of a format's files, by their suffix (".opus"), where so many are asked."""
    return _ONLY.get(suffix, asked or RATES[0])
