"""Synthesizers beside each other, on the same files, soundfont and processor.

    python benchmarks/synthesizers.py docs/gallery/*.mid

fluidsynth, without reverb and chorus, is what the others are compared with. Each is measured where
it is installed: fluidsynth (a program of the system), midirenderer, tinysoundfont, symusic.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE = 44100
FRAME, HOP = 2048, 512
BANDS = 64
QUIET = -60.0  # dB below a piece's loudest frame; what is softer is not compared
REPEATS = 2

Render = Callable[[Path, Path], Any]


def timgm6mb() -> Path:
    """A small SF2 that comes with pretty_midi: all synthesizers can read it."""
    spec = find_spec("pretty_midi")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).with_name("TimGM6mb.sf2")


def fluidsynth(midi: Path, font: Path) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.wav"
        subprocess.run(
            ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.5", "-r", str(RATE),
             "-T", "wav", "-O", "float", "-F", str(out), str(font), str(midi)],
            check=True, capture_output=True,
        )  # fmt: skip
        return soundfile.read(out, dtype="float32")[0].T


def textmusic(midi: Path, font: Path) -> Any:
    from symusic import Score

    from textmusic.sound.render import render

    return render(Score(midi), soundfont=font, dry=True)


def in_its_room(midi: Path, font: Path) -> Any:
    from symusic import Score

    from textmusic.sound.render import render

    return render(Score(midi), soundfont=font)


def midirenderer(midi: Path, font: Path) -> Any:
    from midirenderer import render_wave_from

    data = render_wave_from(font.read_bytes(), midi.read_bytes())
    return soundfile.read(io.BytesIO(data), dtype="float32")[0].T


def tinysoundfont(midi: Path, font: Path) -> Any:
    import tinysoundfont

    synth = tinysoundfont.Synth(samplerate=RATE)
    synth.sfload(str(font))
    sequence = tinysoundfont.Sequencer(synth)
    sequence.midi_load(str(midi))
    seconds = sequence.events[-1].t + 3 if sequence.events else 1
    blocks = [
        np.frombuffer(bytes(synth.generate(64)), dtype=np.float32).reshape(-1, 2)
        for _ in range(round(seconds * RATE) // 64)
    ]
    return np.concatenate(blocks).T


def symusic(midi: Path, font: Path) -> Any:
    from symusic import Score, Synthesizer

    return np.asarray(Synthesizer(str(font), RATE).render(Score(midi), True))


WAYS: dict[str, Render] = {
    "fluidsynth": fluidsynth,
    "textmusic": textmusic,
    "textmusic, with reverb": in_its_room,
    "midirenderer": midirenderer,
    "tinysoundfont": tinysoundfont,
    "symusic": symusic,
}


def bands(audio: Any) -> Any:
    """(frames, BANDS) in dB: power in bands that are equally wide on the mel scale."""
    mono = audio.mean(axis=0)
    mono = np.pad(mono, (0, max(FRAME - len(mono), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(mono, FRAME)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME).astype(np.float32))) ** 2
    mel = 2595 * np.log10(1 + np.fft.rfftfreq(FRAME, 1 / RATE) / 700)
    band = np.minimum((mel / mel[-1] * BANDS).astype(int), BANDS - 1)
    sums = np.zeros((len(power), BANDS))
    for n in range(BANDS):
        sums[:, n] = power[:, band == n].sum(axis=1)
    counts = np.maximum(np.bincount(band, minlength=BANDS), 1)
    return 10 * np.log10(sums / counts + 1e-12)


def apart(audio: Any, reference: Any) -> dict[str, float]:
    """How far two renderings are apart, once they are equally loud.

    spectrum: root mean square difference of the bands of a frame, dB, mean over the frames.
    envelope: mean difference of the frames' levels, dB. Both over frames that sound.
    """
    size = min(audio.shape[1], reference.shape[1])
    pair = [x[:, :size] / np.sqrt((x[:, :size] ** 2).mean()) for x in (audio, reference)]
    one, other = map(bands, pair)
    levels = [10 * np.log10((10 ** (x / 10)).sum(axis=1)) for x in (one, other)]
    sounding = levels[1] > levels[1].max() + QUIET
    floor = other[sounding].max() - 90
    one, other = (np.maximum(x[sounding], floor) for x in (one, other))
    return {
        "spectrum": float(np.sqrt(((one - other) ** 2).mean(axis=1)).mean()),
        "envelope": float(np.abs(levels[0] - levels[1])[sounding].mean()),
    }


def available(ways: dict[str, Render]) -> dict[str, Render]:
    return {
        name: way
        for name, way in ways.items()
        if name.startswith("textmusic")
        or (shutil.which(name) if name == "fluidsynth" else find_spec(name))
    }


def processor_time() -> float:
    """Seconds of this process and of those that it has started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--soundfont", type=Path, help="an SF2; default: TimGM6mb")
    parser.add_argument(
        "--json", type=Path, help="keep figures of each file; a run goes on where it stopped"
    )
    asked = parser.parse_args()
    font = asked.soundfont or timgm6mb()
    ways = available(WAYS)
    rows: dict[str, dict[str, dict[str, float]]] = {name: {} for name in ways}
    if asked.json and asked.json.exists():
        rows |= json.loads(asked.json.read_bytes())
    for midi in asked.files:
        if any(midi.name in found for found in rows.values()):
            continue
        reference = fluidsynth(midi, font)
        for name, way in ways.items():
            times = []
            try:
                for _ in range(REPEATS):
                    began = processor_time()
                    audio = way(midi, font)
                    times.append(processor_time() - began)
            except Exception as problem:
                print(f"{name}: {midi.name}: {problem!r:.200}", file=sys.stderr)
                continue
            speed = audio.shape[1] / RATE / max(min(times), 1e-6)
            rows[name][midi.name] = {**apart(audio, reference), "speed": speed}
        print(midi.name, file=sys.stderr)
        if asked.json:
            asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print("|  | spectrum, dB | envelope, dB | x real time |\n|---|---|---|---|")
    for name, by_file in rows.items():
        found = list(by_file.values())
        if found:
            middle = {key: float(np.median([row[key] for row in found])) for key in found[0]}
            print(
                f"| {name} ({len(found)}) | {middle['spectrum']:.1f} | {middle['envelope']:.1f}"
                f" | {middle['speed']:.0f} |"
            )


if __name__ == "__main__":
    main()
