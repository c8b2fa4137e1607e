"""What audio sounds like, in numbers, and a soundfont whose sound is known."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import soundfile

from textmusic.sound.render import SAMPLE_RATE


def level(audio: np.ndarray, start: float, stop: float) -> float:
    """Root mean square between two times in seconds."""
    cut = audio[:, round(start * SAMPLE_RATE) : round(stop * SAMPLE_RATE)]
    return float(np.sqrt(np.mean(cut**2)))


def frequency(audio: np.ndarray) -> float:
    """The strongest frequency, in hertz."""
    mono = audio.mean(axis=0)
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono)), 8 * len(mono)))
    return float(np.argmax(spectrum) * SAMPLE_RATE / (8 * len(mono)))


def sine_soundfont(
    path: Path, *, rate: int = 32000, compressed: bool = False, exclusive: int = 0
) -> Path:
    """A soundfont of one looped 500 Hz sine, recorded as key 72; loud and soft zones alike."""
    wave = 0.5 * np.sin(2 * np.pi * 500 * np.arange(rate) / rate)
    start, end, kind = 0, rate, 1
    samples = (wave * 32767).astype("<i2").tobytes() + bytes(92)
    if compressed:
        packed = io.BytesIO()
        soundfile.write(packed, wave, rate, format="OGG", subtype="VORBIS")
        samples, kind = packed.getvalue(), 0x11
        start, end = 0, len(samples)
    loop = rate // 10 * 2, rate // 10 * 8  # both at a whole number of periods
    generators = [(54, 1), (38, -2400), (57, exclusive), (53, 0)]  # looped; 1/4 s release; sample

    def chunk(name: bytes, body: bytes) -> bytes:
        return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)

    def header(name: str, *numbers: int, form: str) -> bytes:
        return struct.pack(f"<20s{form}", name.encode(), *numbers)

    pdta = b"".join(
        [
            chunk(
                b"phdr",
                header("sine", 0, 0, 0, 0, 0, 0, form="HHHIII")
                + header("sine drums", 0, 128, 1, 0, 0, 0, form="HHHIII")
                + header("EOP", 0, 0, 2, 0, 0, 0, form="HHHIII"),
            ),
            chunk(b"pbag", struct.pack("<6H", 0, 0, 1, 0, 2, 0)),
            chunk(b"pmod", bytes(10)),
            chunk(b"pgen", struct.pack("<6H", 41, 0, 41, 0, 0, 0)),
            chunk(b"inst", header("sine", 0, form="H") + header("EOI", 1, form="H")),
            chunk(b"ibag", struct.pack("<4H", 0, 0, len(generators), 0)),
            chunk(b"imod", bytes(10)),
            chunk(b"igen", b"".join(struct.pack("<Hh", *g) for g in [*generators, (0, 0)])),
            chunk(
                b"shdr",
                header("sine", start, end, *loop, rate, 72, 0, 0, kind, form="IIIIIBbHH")
                + header("EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0, form="IIIIIBbHH"),
            ),
        ]
    )
    body = b"sfbk" + chunk(b"LIST", b"INFO" + chunk(b"ifil", struct.pack("<HH", 2, 4)))
    body += chunk(b"LIST", b"sdta" + chunk(b"smpl", samples)) + chunk(b"LIST", b"pdta" + pdta)
    path.write_bytes(chunk(b"RIFF", body))
    return path
