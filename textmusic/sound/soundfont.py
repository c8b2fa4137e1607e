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
from textmusic.sound.modulators import KEY, VELOCITY, Modulator
from textmusic.sound.zones import Sway, Zone

WHEEL = 50.0
"""Cents of vibrato that the modulation wheel gives when it is full up (SoundFont 2.04, 8.4.9)."""
Wave = NDArray[np.float32]
BUNDLED = Path(__file__).parents[1] / "bundled" / "sounds" / "FluidR3Mono.sf3"
"""The soundfont that comes with the package; see docs/sound.md."""

# Record layouts of the format's "pdta" tables (SoundFont 2.04, section 7).
_BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
_GENERATOR = np.dtype([("name", "<u2"), ("amount", "<i2")])
_MODULATOR = np.dtype([
    ("source", "<u2"), ("target", "<u2"), ("amount", "<i2"), ("scale", "<u2"), ("shape", "<u2"),
])  # fmt: skip
_TABLES: Mapping[bytes, np.dtype[Any]] = {
    b"phdr": np.dtype([
        ("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("unused", "<u4", 3),
    ]),
    b"pbag": _BAG,
    b"pmod": _MODULATOR,
    b"pgen": _GENERATOR,
    b"inst": np.dtype([("name", "S20"), ("bag", "<u2")]),
    b"ibag": _BAG,
    b"imod": _MODULATOR,
    b"igen": _GENERATOR,
    b"shdr": np.dtype([
        ("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("loop_start", "<u4"),
        ("loop_end", "<u4"), ("rate", "<u4"), ("key", "u1"), ("cents", "i1"), ("link", "<u2"),
        ("kind", "<u2"),
    ]),
}  # fmt: skip
_COMPRESSED, _ROM = 0x10, 0x8000  # flags of a sample's kind: Ogg Vorbis (SF3); in a card's ROM

# Generators by number (section 8.1.3), with the value of one that the file leaves out.
_SWAY_PITCH, _VIBRATO, _SWEEP_PITCH, _CUTOFF, _RESONANCE = 5, 6, 7, 8, 9
_FILTER_SWEEP, _TREMOLO, _CHORUS, _REVERB, _PAN = 11, 13, 15, 16, 17
_SWAY_DELAY, _SWAY_RATE, _VIBRATO_DELAY, _VIBRATO_RATE = 21, 22, 23, 24
_SWEEP_ATTACK, _SWEEP_HOLD, _SWEEP_DECAY, _SWEEP_SUSTAIN = 26, 27, 28, 29
_DELAY, _ATTACK, _HOLD, _DECAY, _SUSTAIN, _RELEASE, _KEY_HOLD, _KEY_DECAY = range(33, 41)
_INSTRUMENT, _KEYS, _VELOCITIES, _ATTENUATION = 41, 43, 44, 48
_COARSE, _FINE, _SAMPLE, _LOOP, _SCALE, _EXCLUSIVE, _ROOT = 51, 52, 53, 54, 56, 57, 58
_LOOP_START, _LOOP_END = 2, 3
_DEFAULTS: Mapping[int, int] = {
    _CUTOFF: 13500, _SWEEP_ATTACK: -12000, _SWEEP_HOLD: -12000, _SWEEP_DECAY: -12000,
    _SWAY_DELAY: -12000, _VIBRATO_DELAY: -12000,
    _DELAY: -12000, _ATTACK: -12000, _HOLD: -12000, _DECAY: -12000, _RELEASE: -12000,
    _SCALE: 100, _ROOT: -1,
}  # fmt: skip
_ANY = (0, 127)
_UNPACKED = 1 << 24  # samples of recordings that stay unpacked: 64 MB
# A preset's value is added to the instrument's, but for the ranges, the links and these.
_NOT_ADDED = frozenset({_KEYS, _VELOCITIES, _INSTRUMENT, _SAMPLE, _LOOP, _EXCLUSIVE, _ROOT})


class SoundFont:
    """An open soundfont; its samples stay on disk until they are asked for."""

    def __init__(self, path: Path) -> None:
        """Read the tables of the file at `path`; raise ValueError or OSError if it has none."""
        self.path = path
        self._data: NDArray[np.uint8] = np.memmap(path, dtype=np.uint8, mode="r")
        if self._data[:4].tobytes() != b"RIFF" or self._data[8:12].tobytes() != b"sfbk":
            raise ValueError("not a RIFF file of the kind sfbk")
        chunks = dict(self._chunks(12, len(self._data)))
        self._samples = chunks[b"smpl"]
        self.tables = {name: chunks[name].view(layout) for name, layout in _TABLES.items()}
        self._presets = {
            (int(row["bank"]), int(row["program"])): index
            for index, row in enumerate(self.tables[b"phdr"][:-1])
        }
        self._layers: dict[int, list[_Layer]] = {}
        self._covering: dict[tuple[int, int, int], list[_Layer]] = {}
        self._waves: dict[int, Wave] = {}  # the latest that were asked for, latest last
        self._struck: dict[tuple[int, int, int, int], Zone] = {}
        self._count = 0

    def has(self, program: int, drums: bool) -> bool:
        """Whether there is such an instrument, or drum kit."""
        return (128 if drums else 0, program) in self._presets

    def zones(
        self, program: int, drums: bool, pitch: int, velocity: int, wheel: int = 0
    ) -> list[Zone]:
        """The layers that sound for one note; none where the soundfont has nothing there.

        An instrument that the soundfont lacks is replaced by its first one of that bank (the
        piano, the standard drum kit). wheel: the modulation wheel, 0 to 127, is vibrato.
        """
        bank = 128 if drums else 0
        index = self._presets.get((bank, program), self._presets.get((bank, 0)))
        if index is None:
            return []
        if index not in self._layers:
            self._layers[index] = list(self._preset_layers(index))
        key = index, pitch, velocity
        if key not in self._covering:
            layers = self._layers[index]
            self._covering[key] = [one for one in layers if one.covers(pitch, velocity)]
        return [self._zone(layer, pitch, velocity, wheel) for layer in self._covering[key]]

    def _zone(self, layer: _Layer, pitch: int, velocity: int, wheel: int) -> Zone:
        """A layer as it is for one note."""
        key = (
            layer.number, pitch if layer.by_key else 0, velocity if layer.by_velocity else 0, wheel,
        )  # fmt: skip
        if key not in self._struck:
            self._struck[key] = layer.zone(self.tables[b"shdr"], pitch, velocity, wheel)
        return self._struck[key]

    def wave(self, sample: int) -> Wave:
        """The recording of a zone's sample, mono, -1 .. 1, at the zone's rate; not to be changed.

        The latest few stay unpacked.
        """
        wave = self._waves.pop(sample, None)
        if wave is None:
            wave = self._read(sample)
        self._waves[sample] = wave
        while sum(map(len, self._waves.values())) > _UNPACKED and len(self._waves) > 1:
            del self._waves[next(iter(self._waves))]
        return wave

    def _read(self, sample: int) -> Wave:
        row = self.tables[b"shdr"][sample]
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
            start += size
            # Chunks are padded to an even size; some writers of SF3 leave that out.
            start += int(size % 2 and start < stop and self._data[start] == 0)

    def _generators(self, side: str, first: int, last: int) -> Iterator[dict[int, int]]:
        """The generators of each bag from `first` up to `last`, over those of the global bag.

        `side` is "p" (preset) or "i" (instrument); the bag that links to nothing is the global.
        """
        bags = self.tables[f"{side}bag".encode()]["generator"]
        generators = self.tables[f"{side}gen".encode()]
        link = _INSTRUMENT if side == "p" else _SAMPLE
        shared: dict[int, int] = {}
        for bag in range(first, last):
            rows = generators[int(bags[bag]) : int(bags[bag + 1])]
            found = dict(zip(rows["name"].tolist(), rows["amount"].tolist(), strict=True))
            if link in found:
                yield {**shared, **found}
            elif bag == first:
                shared = found

    def _modulators(self, side: str, first: int, last: int) -> Iterator[list[Modulator]]:
        """The modulators of each bag that `_generators` gives, with those of the global bag."""
        bags, rows = self.tables[f"{side}bag".encode()], self.tables[f"{side}mod".encode()]
        names = self.tables[f"{side}gen".encode()]["name"]
        link = _INSTRUMENT if side == "p" else _SAMPLE
        shared: list[Modulator] = []
        for bag in range(first, last):
            begin, end = (int(bags["modulator"][n]) for n in (bag, bag + 1))
            found = [Modulator(*map(int, row)) for row in rows[begin:end].tolist()]
            begin, end = (int(bags["generator"][n]) for n in (bag, bag + 1))
            if link in names[begin:end]:
                own = {one.identity for one in found}
                yield [*(one for one in shared if one.identity not in own), *found]
            elif bag == first:
                shared = found

    def _preset_layers(self, preset: int) -> Iterator[_Layer]:
        presets, instruments = self.tables[b"phdr"]["bag"], self.tables[b"inst"]["bag"]
        bags = int(presets[preset]), int(presets[preset + 1])
        outside = zip(self._generators("p", *bags), self._modulators("p", *bags), strict=True)
        for outer, outer_modulators in outside:
            index = outer[_INSTRUMENT]
            bags = int(instruments[index]), int(instruments[index + 1])
            inside = zip(self._generators("i", *bags), self._modulators("i", *bags), strict=True)
            for own, own_modulators in inside:
                row = self.tables[b"shdr"][own[_SAMPLE]]
                if int(row["kind"]) & _ROM or int(row["end"]) <= int(row["start"]):
                    continue
                self._count += 1
                modulators = tuple(
                    one for one in (*own_modulators, *outer_modulators) if not one.idle
                )
                yield _Layer(
                    self._count, outer, {**_DEFAULTS, **own}, modulators,
                    _overlap(outer.get(_KEYS), own.get(_KEYS)),
                    _overlap(outer.get(_VELOCITIES), own.get(_VELOCITIES)),
                )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Layer:
    """One sample of an instrument, as the file has it: a preset's generators and its own."""

    number: int
    outer: Mapping[int, int]
    own: Mapping[int, int]
    modulators: tuple[Modulator, ...]
    keys: tuple[int, int]
    velocities: tuple[int, int]

    def covers(self, pitch: int, velocity: int) -> bool:
        """Whether a key struck with this velocity sounds it."""
        low, high = self.velocities
        return self.keys[0] <= pitch <= self.keys[1] and low <= velocity <= high

    @property
    def by_velocity(self) -> bool:
        """Whether the velocity changes anything but the loudness."""
        return any(VELOCITY in one.sources for one in self.modulators)

    @property
    def by_key(self) -> bool:
        """Whether the key changes anything but the pitch."""
        timed = self.value(_KEY_HOLD) or self.value(_KEY_DECAY)
        return bool(timed) or any(KEY in one.sources for one in self.modulators)

    def value(self, name: int) -> int:
        """A generator: the instrument's, and the preset's is added to it."""
        return self.own.get(name, 0) + (0 if name in _NOT_ADDED else self.outer.get(name, 0))

    def zone(self, headers: Any, pitch: int, velocity: int, wheel: int) -> Zone:
        """How it sounds for one note. headers: the table of the samples."""
        moved: dict[int, float] = {}
        for one in self.modulators:
            moved[one.target] = moved.get(one.target, 0.0) + one.value(pitch, velocity)

        def value(name: int) -> float:
            return self.value(name) + moved.get(name, 0.0)

        def by_key(name: int, per_key: int) -> float:
            return _seconds(value(name) + (60 - pitch) * self.value(per_key))

        own = self.own
        row = headers[own[_SAMPLE]]
        root = own[_ROOT] if own[_ROOT] >= 0 else int(row["key"])
        cutoff = value(_CUTOFF)
        return Zone(
            sample=own[_SAMPLE],
            rate=int(row["rate"]),
            root=root if root <= 127 else 60,  # 255 marks a sample without a pitch
            cents=100.0 * value(_COARSE) + value(_FINE) + int(row["cents"]),
            cents_per_key=self.value(_SCALE),
            loop=_loop(row, own) if own.get(_LOOP, 0) & 1 else None,
            # The hardware that the format was made for applied 0.4 of it; soundfonts count on that.
            attenuation=0.04 * max(value(_ATTENUATION), 0),
            pan=float(np.clip(value(_PAN) / 500, -1, 1)),
            delay=_seconds(value(_DELAY)),
            attack=_seconds(value(_ATTACK)),
            hold=by_key(_HOLD, _KEY_HOLD),
            decay=by_key(_DECAY, _KEY_DECAY),
            sustain=float(np.clip(value(_SUSTAIN) / 10, 0, 100)),
            release=_seconds(value(_RELEASE)),
            cutoff=_hertz(cutoff),
            resonance=float(np.clip(value(_RESONANCE) / 10, 0, 96)),
            sweep_cutoff=_hertz(cutoff + value(_FILTER_SWEEP)),
            sweep_attack=_seconds(value(_SWEEP_ATTACK)),
            sweep_hold=_seconds(value(_SWEEP_HOLD)),
            sweep_decay=_seconds(value(_SWEEP_DECAY)),
            sweep_sustain=1 - float(np.clip(value(_SWEEP_SUSTAIN) / 1000, 0, 1)),
            sweep_pitch=float(value(_SWEEP_PITCH)),
            sway=Sway(
                _seconds(value(_SWAY_DELAY)), _hertz(value(_SWAY_RATE), low=-16000),
                float(value(_SWAY_PITCH)), value(_TREMOLO) / 10,
            ),
            vibrato=Sway(
                _seconds(value(_VIBRATO_DELAY)), _hertz(value(_VIBRATO_RATE), low=-16000),
                value(_VIBRATO) + WHEEL * wheel / 127,
            ),
            reverb=float(np.clip(value(_REVERB) / 1000, 0, 1)),
            chorus=float(np.clip(value(_CHORUS) / 1000, 0, 1)),
            exclusive=own.get(_EXCLUSIVE, 0),
        )  # fmt: skip


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


def _loop(row: Any, own: Mapping[int, int]) -> tuple[int, int] | None:
    # In SF3 the loop counts from the sample's own start already, in SF2 from the first sample's.
    start = 0 if int(row["kind"]) & _COMPRESSED else int(row["start"])
    first = int(row["loop_start"]) - start + own.get(_LOOP_START, 0)
    last = int(row["loop_end"]) - start + own.get(_LOOP_END, 0)
    return (first, last) if 0 <= first < last - 1 else None


def _seconds(timecents: float) -> float:
    return 0.0 if timecents <= -12000 else float(2 ** (min(timecents, 8000) / 1200))


def _hertz(cents: float, low: int = 1500) -> float:
    return float(8.176 * 2 ** (np.clip(cents, low, 13500) / 1200))
