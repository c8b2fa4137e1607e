"""Make the bundled soundfont from FluidR3Mono: General MIDI, its samples packed with Opus.

    python training/soundfont.py FluidR3Mono_GM.sf3 textmusic/bundled/sounds/FluidR3Mono.sf3

FluidR3Mono 2.315 has 24 MB; of its variations and samples this keeps the 128 programs and eight
drum kits, in 4 MB. Each sample is packed at its own rate as if that were 48,000 Hz, so that loops
and pitches stay as they are to the sample.
"""

from __future__ import annotations

import argparse
import io
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from textmusic.sound.soundfont import SoundFont
from textmusic.system.scripts import ended
from textmusic.system.whole_files import whole_file

KITS = (0, 8, 16, 24, 25, 32, 40, 48)
"""Standard, room, power, electronic, TR-808, jazz, brush, orchestra."""
FINE, COARSE = 30_000, 20_000
"""Bits a second of the instruments that most pieces have, and of all others."""
OFTEN = {0, 1, 4, 6, 11, 19, 24, 25, 26, 27, 32, 33, 34, 40, 41, 42, 43, 45, 46, 48, 52, 56, 57, 58,
         60, 61, 65, 66, 68, 70, 71, 73}  # fmt: skip
_SILENT, _FADE = 1e-3, 0.02  # of a recording's peak; seconds
_OPUS_LEAST, _OPUS_MOST = 6_000, 256_000  # what libsndfile makes of its compression level
_INSTRUMENT, _SAMPLE, _LOOP = 41, 53, 54
_COPYRIGHT = (
    "Original stereo version by Frank Wen Copyright (c) 2000-2002, 2008. Mono version by Michael"
    " Cowgill Copyright (c) 2014-17. Temple Blocks by Ethan Winer Copyright (c) 2002. Drumline"
    " Cymbals by Michael Schorsch Copyright (c) 2016. MIT License."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="FluidR3Mono_GM.sf3.")
    parser.add_argument("out", type=Path, help="File for the soundfont.")
    parser.add_argument(
        "--fine", type=int, default=FINE, help="Bits a second of the instruments most pieces have."
    )
    parser.add_argument("--coarse", type=int, default=COARSE, help="Bits a second of all others.")
    asked = parser.parse_args()
    data = subset(SoundFont(asked.source), asked.fine, asked.coarse)
    with whole_file(asked.out) as partial:
        partial.write_bytes(data)
    print(f"{asked.out}: {len(data):,} bytes")


def subset(font: SoundFont, fine: int, coarse: int) -> bytes:
    """The soundfont with the presets that are kept, as the bytes of a file."""
    tables = {name.decode(): table for name, table in font.tables.items()}
    presets = [
        row
        for row in range(len(tables["phdr"]) - 1)
        if tables["phdr"]["bank"][row] == 0
        or (tables["phdr"]["bank"][row] == 128 and tables["phdr"]["program"][row] in KITS)
    ]
    presets.sort(key=lambda row: tuple(tables["phdr"][["bank", "program"]][row]))
    instruments: dict[int, int] = {}
    samples: dict[int, int] = {}
    good: set[int] = set()

    preset_bags = _Bags(tables["pbag"], tables["pgen"], tables["pmod"], _INSTRUMENT, instruments)
    heads = []
    for row in presets:
        head = tables["phdr"][row : row + 1].copy()
        first, last = int(head["bag"][0]), int(tables["phdr"]["bag"][row + 1])
        head["bag"] = preset_bags.add(first, last)
        heads.append(head)
        if head["bank"][0] == 128 or head["program"][0] in OFTEN:
            good |= preset_bags.linked
    bags = _Bags(tables["ibag"], tables["igen"], tables["imod"], _SAMPLE, samples)
    names, fine_samples = [], set()
    for row in list(instruments):
        name = tables["inst"][row : row + 1].copy()
        first, last = int(name["bag"][0]), int(tables["inst"]["bag"][row + 1])
        name["bag"] = bags.add(first, last)
        names.append(name)
        if row in good:
            fine_samples |= bags.linked
    packed = [
        _packed(
            font.wave(sample) if sample in bags.looped else _without_silence(font, sample),
            fine if sample in fine_samples else coarse,
        )
        for sample in samples
    ]
    headers, place = [], 0
    for sample, data in zip(samples, packed, strict=True):
        header, old = tables["shdr"][sample : sample + 1].copy(), tables["shdr"][sample]
        start = 0 if int(old["kind"]) & 0x10 else int(old["start"])
        header["start"], header["end"], header["link"] = place, place + len(data), 0
        header["loop_start"], header["loop_end"] = (
            old["loop_start"] - start, old["loop_end"] - start,
        )  # fmt: skip
        header["kind"] = 1 | 0x10
        headers.append(header)
        place += len(data)
    last_preset, last_name = tables["phdr"][-1:].copy(), tables["inst"][-1:].copy()
    last_preset["bag"], last_name["bag"] = preset_bags.count, bags.count
    info = b"".join([
        _chunk("ifil", struct.pack("<HH", 3, 1)), _chunk("isng", b"EMU8000\0"),
        _text("INAM", "FluidR3Mono GM, packed for textmusic"), _text("ICOP", _COPYRIGHT),
    ])  # fmt: skip
    body = [
        _chunk("LIST", b"INFO" + info),
        _chunk("LIST", b"sdta" + _chunk("smpl", b"".join(packed))),
        _chunk("LIST", b"pdta" + b"".join([
            _chunk("phdr", _joined([*heads, last_preset])), *preset_bags.chunks("p"),
            _chunk("inst", _joined([*names, last_name])), *bags.chunks("i"),
            _chunk("shdr", _joined([*headers, tables["shdr"][-1:]])),
        ])),
    ]  # fmt: skip
    return _chunk("RIFF", b"sfbk" + b"".join(body))


class _Bags:
    """Bags with their generators and modulators, copied with the links of those that are kept."""

    def __init__(
        self, bags: Any, generators: Any, modulators: Any, link: int, numbers: dict[int, int]
    ) -> None:
        """link: the generator that names what is linked. numbers: old index -> new, filled."""
        self._old = bags, generators, modulators
        self._link, self._numbers = link, numbers
        self._bags: list[Any] = []
        self._generators: list[Any] = []
        self._modulators: list[Any] = []
        self._places = [0, 0]
        self.linked: set[int] = set()
        """What the last bags that were added link to, by old index."""
        self.looped: set[int] = set()
        """What any bag repeats, by old index."""

    @property
    def count(self) -> int:
        return len(self._bags)

    def add(self, first: int, last: int) -> int:
        """Copy the bags from `first` up to `last`; gives the first one's new index."""
        bags, generators, modulators = self._old
        begin, self.linked = self.count, set()
        looping = False
        for bag in range(first, last):
            new = bags[bag : bag + 1].copy()
            new["generator"], new["modulator"] = self._places
            self._bags.append(new)
            g = generators[int(bags["generator"][bag]) : int(bags["generator"][bag + 1])].copy()
            modes = g["amount"][g["name"] == _LOOP]
            if self._link not in g["name"] and len(modes):
                looping = bool(modes[-1] & 1)  # of the bag for all
            for n in np.flatnonzero(g["name"] == self._link):
                old = int(g["amount"][n])
                self.linked.add(old)
                if modes[-1] & 1 if len(modes) else looping:
                    self.looped.add(old)
                g["amount"][n] = self._numbers.setdefault(old, len(self._numbers))
            m = modulators[int(bags["modulator"][bag]) : int(bags["modulator"][bag + 1])]
            self._generators.append(g)
            self._modulators.append(m)
            self._places = [self._places[0] + len(g), self._places[1] + len(m)]
        return begin

    def chunks(self, side: str) -> list[bytes]:
        last = self._old[0][-1:].copy()
        last["generator"], last["modulator"] = self._places
        _, generators, modulators = self._old
        return [
            _chunk(f"{side}bag", _joined([*self._bags, last])),
            _chunk(f"{side}mod", _joined([*self._modulators, modulators[-1:]])),
            _chunk(f"{side}gen", _joined([*self._generators, generators[-1:]])),
        ]


def _without_silence(font: SoundFont, sample: int) -> Any:
    """A recording up to where it is 60 dB below its peak for good."""
    wave = font.wave(sample).copy()
    loud = np.flatnonzero(np.abs(wave) > _SILENT * np.abs(wave).max())
    fade = round(_FADE * int(font.tables[b"shdr"]["rate"][sample]))
    wave = wave[: int(loud[-1]) + fade + 1] if len(loud) else wave
    fade = min(fade, len(wave))
    wave[-fade:] *= np.linspace(1, 0, fade)
    return wave


def _packed(wave: Any, bits: int) -> bytes:
    """A recording in Opus, mono."""
    file = io.BytesIO()
    level = 1 - (bits - _OPUS_LEAST) / (_OPUS_MOST - _OPUS_LEAST)
    with soundfile.SoundFile(
        file, "w", 48000, 1, format="OGG", subtype="OPUS", compression_level=level
    ) as out:
        out.write(wave)
    return file.getvalue()


def _joined(rows: Sequence[Any]) -> bytes:
    return b"".join(row.tobytes() for row in rows)


def _chunk(name: str, body: bytes) -> bytes:
    return name.encode() + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def _text(name: str, text: str) -> bytes:
    return _chunk(name, text.encode() + b"\0")


if __name__ == "__main__":
    sys.exit(ended(main, "soundfont.py"))
