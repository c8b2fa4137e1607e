"""Read an SF2 or SF3 soundfont: which recorded sample sounds for a key, and how it is shaped.

Knows the file format and nothing of scores; `textmusic.sound.render` turns its zones into sound.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textmusic.errors import TextMusicError

Wave = NDArray[np.float32]

# Record layouts of the format's "pdta" tables (SoundFont 2.04, section 7).
_BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
_GENERATOR = np.dtype([("name", "<u2"), ("amount", "<i2")])
_TABLES: Mapping[bytes, np.dtype[Any]] = {
    b"phdr": np.dtype([
        ("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("unused", "<u4", 3),
    ]),
    b"pbag": _BAG,
    b"pgen": _GENERATOR,
    b"inst": np.dtype([("name", "S20"), ("bag", "<u2")]),
    b"ibag": _BAG,
    b"igen": _GENERATOR,
    b"shdr": np.dtype([
        ("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("loop_start", "<u4"),
        ("loop_end", "<u4"), ("rate", "<u4"), ("key", "u1"), ("cents", "i1"), ("link", "<u2"),
        ("kind", "<u2"),
    ]),
}  # fmt: skip
_COMPRESSED, _ROM = 0x10, 0x8000  # flags of a sample's kind: Ogg Vorbis (SF3); in a card's ROM

# Generators by number (section 8.1.3), with the value of one that the file leaves out.
_CUTOFF, _RESONANCE, _FILTER_SWEEP, _PAN = 8, 9, 11, 17
_SWEEP_HOLD, _SWEEP_DECAY, _SWEEP_SUSTAIN = 27, 28, 29
_DELAY, _ATTACK, _HOLD, _DECAY, _SUSTAIN, _RELEASE = range(33, 39)
_INSTRUMENT, _KEYS, _VELOCITIES, _ATTENUATION = 41, 43, 44, 48
_COARSE, _FINE, _SAMPLE, _LOOP, _SCALE, _EXCLUSIVE, _ROOT = 51, 52, 53, 54, 56, 57, 58
_DEFAULTS: Mapping[int, int] = {
    _CUTOFF: 13500, _SWEEP_HOLD: -12000, _SWEEP_DECAY: -12000,
    _DELAY: -12000, _ATTACK: -12000, _HOLD: -12000, _DECAY: -12000, _RELEASE: -12000,
    _SCALE: 100, _ROOT: -1,
}  # fmt: skip
_ANY = (0, 127)
# A preset's value is added to the instrument's, but for the ranges, the links and these.
_NOT_ADDED = frozenset({_KEYS, _VELOCITIES, _INSTRUMENT, _SAMPLE, _LOOP, _EXCLUSIVE, _ROOT})


@dataclass(frozen=True, slots=True)
class Zone:
    """One layer of an instrument: a sample and its shaping.

    Times are in seconds, levels in decibels below full, frequencies in hertz.
    """

    keys: tuple[int, int]
    velocities: tuple[int, int]
    sample: int
    rate: int
    """The sample's own rate, in hertz."""
    root: int
    """The MIDI key at which the sample sounds at its own rate."""
    cents: float
    cents_per_key: int
    loop: tuple[int, int] | None
    """First sample and one past the last, counted from the sample's start."""
    attenuation: float
    pan: float
    """-1 (left) .. 1 (right)."""
    delay: float
    attack: float
    hold: float
    decay: float
    """Time in which the level would fall by 100 dB."""
    sustain: float
    release: float
    """Time in which the level would fall by 100 dB after the key is let go."""
    cutoff: float
    resonance: float
    """Height of the filter's peak, in decibels."""
    sweep_cutoff: float
    """Where the filter starts from; it closes (or opens) to `cutoff`."""
    sweep_hold: float
    sweep_decay: float
    sweep_sustain: float
    """0 .. 1: how much of the sweep stays."""
    exclusive: int
    """Notes of the same class cut each other off, as hi-hats do; 0 = none."""

    def covers(self, pitch: int, velocity: int) -> bool:
        """Whether a key struck with this velocity sounds this layer."""
        low, high = self.velocities
        return self.keys[0] <= pitch <= self.keys[1] and low <= velocity <= high


class SoundFont:
    """An open soundfont; its samples stay on disk until they are asked for."""

    def __init__(self, path: Path) -> None:
        """Read the tables of the file at `path`; raise ValueError or OSError if it has none."""
        self._data: NDArray[np.uint8] = np.memmap(path, dtype=np.uint8, mode="r")
        if self._data[:4].tobytes() != b"RIFF" or self._data[8:12].tobytes() != b"sfbk":
            raise ValueError("not a RIFF file of the kind sfbk")
        chunks = dict(self._chunks(12, len(self._data)))
        self._samples = chunks[b"smpl"]
        self._tables = {name: chunks[name].view(layout) for name, layout in _TABLES.items()}
        self._presets = {
            (int(row["bank"]), int(row["program"])): index
            for index, row in enumerate(self._tables[b"phdr"][:-1])
        }
        self._zones: dict[int, list[Zone]] = {}

    def zones(self, program: int, drums: bool, pitch: int, velocity: int) -> list[Zone]:
        """The layers that sound for one note; none where the soundfont has nothing there.

        An instrument that the soundfont lacks is replaced by its first one of that bank (the
        piano, the standard drum kit).
        """
        bank = 128 if drums else 0
        index = self._presets.get((bank, program), self._presets.get((bank, 0)))
        if index is None:
            return []
        if index not in self._zones:
            self._zones[index] = list(self._preset_zones(index))
        return [zone for zone in self._zones[index] if zone.covers(pitch, velocity)]

    def wave(self, sample: int) -> Wave:
        """The recording of a zone's sample, mono, -1 .. 1, at the zone's rate."""
        row = self._tables[b"shdr"][sample]
        start, end = int(row["start"]), int(row["end"])
        if int(row["kind"]) & _COMPRESSED:
            import soundfile

            packed = io.BytesIO(self._samples[start:end].tobytes())
            return np.asarray(soundfile.read(packed, dtype="float32")[0], dtype=np.float32)
        pcm = self._samples[2 * start : 2 * end].view("<i2")
        return pcm.astype(np.float32) / np.float32(32768.0)

    def _chunks(self, start: int, stop: int) -> Iterator[tuple[bytes, NDArray[np.uint8]]]:
        """Every chunk between two offsets, those inside lists too."""
        while start + 8 <= stop:
            name = self._data[start : start + 4].tobytes()
            size = int.from_bytes(self._data[start + 4 : start + 8].tobytes(), "little")
            start += 8
            if start + size > len(self._data):
                raise ValueError("the file ends too early")
            if name == b"LIST":
                yield from self._chunks(start + 4, start + size)
            else:
                yield name, self._data[start : start + size]
            start += size + size % 2  # chunks are padded to an even size

    def _generators(self, side: str, first: int, last: int) -> Iterator[dict[int, int]]:
        """The generators of each bag from `first` up to `last`, over those of the global bag.

        `side` is "p" (preset) or "i" (instrument); the bag that links to nothing is the global.
        """
        bags = self._tables[f"{side}bag".encode()]["generator"]
        generators = self._tables[f"{side}gen".encode()]
        link = _INSTRUMENT if side == "p" else _SAMPLE
        shared: dict[int, int] = {}
        for bag in range(first, last):
            rows = generators[int(bags[bag]) : int(bags[bag + 1])]
            found = dict(zip(rows["name"].tolist(), rows["amount"].tolist(), strict=True))
            if link in found:
                yield {**shared, **found}
            elif bag == first:
                shared = found

    def _preset_zones(self, preset: int) -> Iterator[Zone]:
        presets, instruments = self._tables[b"phdr"]["bag"], self._tables[b"inst"]["bag"]
        for outer in self._generators("p", int(presets[preset]), int(presets[preset + 1])):
            index = outer[_INSTRUMENT]
            for own in self._generators("i", int(instruments[index]), int(instruments[index + 1])):
                zone = self._zone(outer, own)
                if zone is not None:
                    yield zone

    def _zone(self, outer: Mapping[int, int], own: Mapping[int, int]) -> Zone | None:
        """One layer, from a preset's generators and an instrument's; None if it can't sound."""
        added = {name: value for name, value in outer.items() if name not in _NOT_ADDED}
        merged = {**_DEFAULTS, **own}

        def value(name: int) -> int:
            return merged.get(name, 0) + added.get(name, 0)

        row = self._tables[b"shdr"][own[_SAMPLE]]
        if int(row["kind"]) & _ROM or int(row["end"]) <= int(row["start"]):
            return None
        root = merged[_ROOT] if merged[_ROOT] >= 0 else int(row["key"])
        cutoff = value(_CUTOFF)
        return Zone(
            keys=_overlap(outer.get(_KEYS), own.get(_KEYS)),
            velocities=_overlap(outer.get(_VELOCITIES), own.get(_VELOCITIES)),
            sample=own[_SAMPLE],
            rate=int(row["rate"]),
            root=root if root <= 127 else 60,  # 255 marks a sample without a pitch
            cents=100.0 * value(_COARSE) + value(_FINE) + int(row["cents"]),
            cents_per_key=value(_SCALE),
            loop=_loop(row) if merged.get(_LOOP, 0) & 1 else None,
            # The hardware that the format was made for applied 0.4 of it; soundfonts count on that.
            attenuation=0.04 * max(value(_ATTENUATION), 0),
            pan=float(np.clip(value(_PAN) / 500, -1, 1)),
            delay=_seconds(value(_DELAY)),
            attack=_seconds(value(_ATTACK)),
            hold=_seconds(value(_HOLD)),
            decay=_seconds(value(_DECAY)),
            sustain=float(np.clip(value(_SUSTAIN) / 10, 0, 100)),
            release=_seconds(value(_RELEASE)),
            cutoff=_hertz(cutoff),
            resonance=float(np.clip(value(_RESONANCE) / 10, 0, 96)),
            sweep_cutoff=_hertz(cutoff + value(_FILTER_SWEEP)),
            sweep_hold=_seconds(value(_SWEEP_HOLD)),
            sweep_decay=_seconds(value(_SWEEP_DECAY)),
            sweep_sustain=1 - float(np.clip(value(_SWEEP_SUSTAIN) / 1000, 0, 1)),
            exclusive=merged.get(_EXCLUSIVE, 0),
        )


@lru_cache(maxsize=4)
def open_soundfont(path: Path) -> SoundFont:
    """Open a soundfont; the last few stay open, because an app renders again and again.

    Raises:
        TextMusicError: no such file, or a file that is not a whole SF2 or SF3.
    """
    remedy = "choose another with --soundfont or TEXTMUSIC_SOUNDFONT, or give none."
    if not path.is_file():
        raise TextMusicError(f"there is no soundfont at {path}; {remedy}")
    try:
        return SoundFont(path)
    except (KeyError, ValueError, OSError) as problem:
        raise TextMusicError(
            f"{path} is not a complete SF2 or SF3 soundfont; {remedy}"
        ) from problem


def _overlap(*ranges: int | None) -> tuple[int, int]:
    """The keys (or velocities) that all ranges allow; each packs low and high in two bytes."""
    pairs = [(packed & 0xFF, packed >> 8 & 0xFF) for packed in ranges if packed is not None]
    low, high = zip(_ANY, *pairs, strict=True)
    return max(low), min(high)


def _loop(row: Any) -> tuple[int, int] | None:
    # In SF3 the loop counts from the sample's own start already, in SF2 from the first sample's.
    start = 0 if int(row["kind"]) & _COMPRESSED else int(row["start"])
    first, last = int(row["loop_start"]) - start, int(row["loop_end"]) - start
    return (first, last) if 0 <= first < last - 1 else None


def _seconds(timecents: int) -> float:
    return 0.0 if timecents <= -12000 else float(2 ** (min(timecents, 8000) / 1200))


def _hertz(cents: int) -> float:
    return float(8.176 * 2 ** (np.clip(cents, 1500, 13500) / 1200))
