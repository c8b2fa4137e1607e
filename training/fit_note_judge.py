"""Fit the small network that tells notes from overtones and noise.

    python training/fit_note_judge.py --data data/prepared --soundfont other.sf2

Renders pieces of the training split, takes every candidate of theirs, and learns which are notes.
Needs scikit-learn. Writes textmusic/bundled/transcription/notes.safetensors, or what --out names.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic import Score

from textmusic.corpus.windows import Window, read_windows
from textmusic.music.notes import Notes, notes_of, to_score
from textmusic.music.theory import DRUMS
from textmusic.sound.render import render
from textmusic.system.scripts import ended
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.transcription.activations import FRAME, LOWEST, activations
from textmusic.transcription.activations import RATE as HEARD_RATE
from textmusic.transcription.candidates import Candidates, candidates_of
from textmusic.transcription.polyphony import JUDGE

Floats = NDArray[np.float64]
Wave = NDArray[np.float32]
RATE = 44100
SECONDS = 20.0  # of each excerpt
UNISON = 0.05  # seconds within which notes of one pitch begin together
FEWEST = 12  # notes of an excerpt
TICKS = 960  # of a played score, a quarter note at 120: half a millisecond
KINDS = ("melody", "piano", "guitar", "ensemble")
SPOILT = ("clean", "noise 20 dB", "noise 10 dB", "reverb", "detuned", "timing")
HUMMED = 0.18  # seconds from note to note, nine times in ten, where a melody is hummed
VOICE = (45, 76)  # MIDI pitches that people hum


@dataclass(frozen=True, slots=True)
class Played:
    """What is heard in a recording. notes: (N, 4) onset and end in seconds, pitch, program.

    kind: of `KINDS`, or "hummed". tempo: quarter notes a minute.
    """

    name: str
    kind: str
    notes: Floats
    tempo: float
    metre: str
    key: str | None

    @property
    def heard(self) -> Floats:
        """The notes as they can be told apart: what is struck in unison is one."""
        order = np.lexsort((-self.notes[:, 1], self.notes[:, 0], self.notes[:, 2]))
        rows = self.notes[order]
        again = (np.diff(rows[:, 2]) == 0) & (np.diff(rows[:, 0]) < UNISON)
        rows = rows[np.append(True, ~again)]
        return rows[np.lexsort((rows[:, 2], rows[:, 0]))]

    @property
    def score(self) -> Score:
        """The notes as played, a quarter note being half a second."""
        start, end, pitch, program = self.notes.T
        columns = Notes(
            start * 2, (end - start) * 2, pitch.astype(np.int64),
            np.full(len(start), 80, dtype=np.int64), program.astype(np.int64),
        )  # fmt: skip
        return to_score(columns, "4/4", 120.0, TICKS)


def kind_of(window: Window) -> str | None:
    """Which kind of playing a window is, if any."""
    programs = window.plan.programs or ()
    if DRUMS in programs or not 1 <= len(programs) <= 4 or any(p >= 112 for p in programs):
        return None
    if len(programs) > 1:
        return "ensemble"
    return "piano" if programs[0] < 6 else "melody"


def single(notes: Floats) -> bool:
    """Whether hardly two notes sound at once."""
    return bool(np.mean(notes[1:, 0] < notes[:-1, 1] - 0.03) < 0.03)


def excerpts(data: Path, split: str, each: int, seed: int) -> Iterator[Played]:
    """So many excerpts of each kind, of different pieces, the sources in turn."""
    tokenizer = Tokenizer(data / "tokenizer")
    rng = random.Random(seed)
    found: dict[str, dict[str, list[Window]]] = {k: defaultdict(list) for k in KINDS}
    windows = read_windows(data / f"{split}.parquet")
    rng.shuffle(windows)
    seen = set()
    for window in windows:
        kind = kind_of(window)
        if kind and window.piece not in seen and window.plan.time_signature != "2/2":
            seen.add(window.piece)
            if kind == "piano" and _for_guitar(tokenizer, window) and len(seen) % 2:
                kind = "guitar"
            found[kind][window.source].append(window)
    for kind, by_source in found.items():
        left = each
        while left and any(by_source.values()):
            for source in sorted(by_source):
                played = None
                while by_source[source] and played is None and left:
                    played = _excerpt(tokenizer, by_source[source].pop(), kind)
                if played is not None:
                    left -= 1
                    yield played


def _for_guitar(tokenizer: Tokenizer, window: Window) -> bool:
    """Whether a guitar can play what a piano has: its range, six strings. Corpora have no guitar
    alone."""
    notes = notes_of(tokenizer.decode_score(window.ids, window.plan))
    sounding = max(int(np.sum((notes.start <= t) & (notes.end > t))) for t in notes.start)
    return notes.pitch.min() >= 40 and notes.pitch.max() <= 88 and sounding <= 6


def _excerpt(tokenizer: Tokenizer, window: Window, kind: str) -> Played | None:
    plan = window.plan
    tempo = plan.tempo or 120.0
    notes = notes_of(tokenizer.decode_score(window.ids, plan)).sorted()
    start, end = (times * 60 / tempo for times in (notes.start, notes.end))
    program = np.full(len(start), 24) if kind == "guitar" else notes.program
    rows = np.stack([start, end, notes.pitch, program], axis=1).astype(np.float64)
    rows[:, :2] -= rows[:, 0].min() - 0.25
    rows = rows[rows[:, 0] < SECONDS - 0.5]
    rows[:, 1] = np.minimum(rows[:, 1], SECONDS)
    if len(rows) < FEWEST or (kind == "melody" and not single(rows)):
        return None
    return Played(window.piece, kind, rows, tempo, plan.time_signature or "4/4", plan.key)


def recording(
    played: Played, spoilt: str, soundfont: Path | None, seed: int
) -> tuple[Wave, Played]:
    """The excerpt as heard, mono at `RATE`, and what is played in it.

    spoilt: one of `SPOILT`.
    """
    rng = np.random.default_rng(seed)
    if spoilt == "timing":
        played = unsteady(played, rng)
    if played.kind == "hummed":
        audio = hummed(played, rng)
    else:
        audio = render(played.score, soundfont=soundfont, sample_rate=RATE).mean(axis=0)
    if spoilt.startswith("noise"):
        audio = noisy(audio, float(spoilt.split()[1]), rng)
    elif spoilt == "reverb":
        audio = echoing(audio, rng)
    elif spoilt == "detuned":
        cents = rng.choice([-1, 1]) * rng.uniform(15, 35)
        audio, played = detuned(audio, cents), faster(played, cents)
    return (audio * (0.5 / max(float(np.abs(audio).max()), 1e-9))).astype(np.float32), played


def unsteady(played: Played, rng: np.random.Generator) -> Played:
    """Each note up to some 30 ms off, over a tempo that sways by 4 per cent."""

    def swayed(times: Floats) -> Floats:
        period = 8.0
        return times + 0.04 * period / (2 * np.pi) * np.sin(2 * np.pi * times / period)

    notes = played.notes.copy()
    off = rng.normal(0, 0.012, len(notes)).clip(-0.03, 0.03)
    notes[:, 0] = np.maximum(swayed(notes[:, 0]) + off, 0.0)
    notes[:, 1] = np.maximum(swayed(notes[:, 1]) + off, notes[:, 0] + 0.03)
    return replace(played, notes=notes)


def noisy(audio: Wave, decibels: float, rng: np.random.Generator) -> Wave:
    """With noise of a room so far below it: half white, half falling by 3 dB an octave."""
    white = rng.normal(size=len(audio))
    spectrum = np.fft.rfft(rng.normal(size=len(audio)))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(len(audio)), 20 / RATE))
    pink = np.fft.irfft(spectrum, len(audio))
    noise = white / white.std() + pink / pink.std()
    level = np.sqrt(np.mean(audio**2)) * 10 ** (-decibels / 20)
    return (audio + noise / noise.std() * level).astype(np.float32)


def echoing(audio: Wave, rng: np.random.Generator, seconds: float = 1.2) -> Wave:
    """In a hall: noise that falls by 60 dB in so many seconds, a quarter as strong as the sound."""
    length = int(seconds * RATE)
    tail = rng.normal(size=length) * 10 ** (-3 * np.arange(length) / length)
    size = 1 << (len(audio) + length).bit_length()
    wet = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(tail, size), size)[: len(audio)]
    wet *= np.sqrt(0.25 * np.mean(audio**2) / np.mean(wet**2))
    return (audio + wet).astype(np.float32)


def detuned(audio: Wave, cents: float) -> Wave:
    """Played faster, and so higher by so many hundredths of a semitone."""
    places = np.arange(len(audio)) * 2 ** (cents / 1200)
    return np.interp(places, np.arange(len(audio)), audio, right=0.0).astype(np.float32)


def faster(played: Played, cents: float) -> Played:
    """What is played in a recording that was made faster so."""
    ratio = 2 ** (cents / 1200)
    notes = played.notes.copy()
    notes[:, :2] /= ratio
    return replace(played, notes=notes, tempo=played.tempo * ratio)


def hummed(played: Played, rng: np.random.Generator) -> Wave:
    """A voice on one vowel: few overtones, vibrato, slides between notes, breath."""
    notes = played.notes
    length = int((notes[:, 1].max() + 0.5) * RATE)
    times = np.arange(length) / RATE
    pitch, level = np.zeros(length), np.zeros(length)
    before = None
    for start, end, midi, _ in notes:
        first, last = int(start * RATE), min(int(end * RATE), length)
        inside = np.arange(last - first) / RATE
        slide = rng.uniform(0.03, 0.07)
        bend = 0.0 if before is None else before - midi
        mine = midi + rng.normal(0, 0.12) + np.clip(bend, -4, 4) * np.exp(-inside / (slide / 3))
        depth = 0.3 * np.minimum(inside / 0.3, 1)  # vibrato sets in after the beginning
        pitch[first:last] = mine + depth * np.sin(2 * np.pi * rng.uniform(4.8, 6) * inside)
        shape = np.minimum(inside / 0.03, 1) * np.minimum((inside[::-1] + 1e-3) / 0.05, 1)
        level[first:last] = shape * rng.uniform(0.7, 1)
        before = midi
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    voice = sum(np.sin(k * phase) * strength for k, strength in ((1, 1), (2, 0.4), (3, 0.15)))
    breath = rng.normal(size=length) * 0.02
    del times
    return (voice * level + breath).astype(np.float32)


def as_hummed(played: Played) -> Played:
    """A melody in the range of a voice, slow enough for one, each note let go before the next."""
    notes = played.notes[np.argsort(played.notes[:, 0])].copy()
    slower = max(1.0, HUMMED / max(float(np.quantile(np.diff(notes[:, 0]), 0.1)), 0.02))
    notes[:, :2] *= slower
    notes = notes[notes[:, 0] < SECONDS - 0.5]
    while notes[:, 2].mean() > sum(VOICE) / 2 + 6:
        notes[:, 2] -= 12
    while notes[:, 2].mean() < sum(VOICE) / 2 - 6:
        notes[:, 2] += 12
    ends = np.append(notes[1:, 0], np.inf)
    notes[:, 1] = np.maximum(np.minimum(notes[:, 1], ends - 0.02), notes[:, 0] + 0.05)
    return replace(played, kind="hummed", notes=notes, tempo=played.tempo / slower)


NEAR = 0.05  # seconds from a note to the candidate that is it
LATE = 0.008  # seconds by which frames are behind, as it was fitted
UNITS = 24


def labels_of(found: Candidates, notes: Floats) -> Floats:
    """(candidates,) 1 for the one that is nearest to each note, 0 for all others."""
    at, pitch = found.first * FRAME - LATE, found.key + LOWEST
    labels = np.zeros(len(found))
    for start, _, midi, _ in notes:
        near = np.flatnonzero((pitch == midi) & (np.abs(at - start) < NEAR) & (labels == 0))
        if len(near):
            labels[near[np.argmin(np.abs(at[near] - start))]] = 1
    return labels


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="A prepared corpus.")
    parser.add_argument("--soundfont", type=Path, help="The second one.")
    parser.add_argument("--each", type=int, default=24, help="Pieces of each kind.")
    parser.add_argument("--out", type=Path, default=JUDGE, help="Where the network is written.")
    options = parser.parse_args(argv)
    features, labels = [], []
    for number, played in enumerate(excerpts(options.data, "train", options.each, seed=1)):
        for way, spoilt in enumerate(SPOILT):
            if (number + way) % 3:
                continue
            fonts = [None, options.soundfont] if spoilt == "clean" else [options.soundfont]
            for font in fonts:
                audio, heard = recording(played, spoilt, font, 1000 * number + way)
                found = candidates_of(activations(_resampled(audio)))
                features.append(found.features)
                labels.append(labels_of(found, heard.heard))
    _save(_fitted(np.concatenate(features), np.concatenate(labels)), options.out)


def _resampled(audio: Any) -> Any:
    import soxr

    return soxr.resample(audio, RATE, HEARD_RATE)


def _fitted(features: Floats, labels: Floats) -> dict[str, Any]:
    from sklearn.neural_network import MLPClassifier

    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    net = MLPClassifier((UNITS,), max_iter=80, random_state=0, alpha=1e-3, early_stopping=True)
    net.fit((features - mean) / scale, labels)
    return {
        "mean": mean, "scale": scale, "in": net.coefs_[0], "in bias": net.intercepts_[0],
        "out": net.coefs_[1], "out bias": net.intercepts_[1],
    }  # fmt: skip


def _save(weights: dict[str, Any], path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({name: array.astype(np.float32) for name, array in weights.items()}, path)


if __name__ == "__main__":
    sys.exit(ended(main, "fit_note_judge.py"))
