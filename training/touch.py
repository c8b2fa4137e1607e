"""Learn how loud notes are played: python training/touch.py CORPORA DATA [--test]

CORPORA holds pop909 and groove, with the velocities of their players; DATA is the prepared corpus,
whose split they keep. The network for parts with pitches learns from pop909, the one for drums from
groove: each note's deviation from its piece's mean velocity, from what is written alone. What is
kept is what does best on the validation pieces; --test measures that once on the test pieces.
Needs scikit-learn, which the extra `audio` brings.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from safetensors.numpy import load_file, save_file
from symusic import Score

from textmusic.music.notes import Floats, Notes, notes_of
from textmusic.performing.features import DRUM_SOUNDS, Metre, Past, drums, melodic
from textmusic.performing.touch import MODEL
from textmusic.system.scripts import ended

OUTPUT = Path(__file__).parent.parent / "textmusic" / "bundled" / MODEL
SOURCES = {"melodic": "pop909", "drums": "groove"}
SPLITS = ("train", "valid", "test")
LAYERS = ((16,), (48, 24))
"""Sizes of hidden layers that are tried; the best on the validation pieces is kept."""
MOST_NOTES = 300_000
Predict = Callable[[Floats], Floats]


class Piece(NamedTuple):
    """features: (N, F). velocity, rule: N. rule: what a plain rule of accents gives."""

    features: Floats
    velocity: Floats
    rule: Floats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="Folder of corpora.")
    parser.add_argument("data", type=Path, help="Folder of prepared data.")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT, help="File to write.")
    parser.add_argument("--only", choices=SOURCES, help="Keep the other network of the file.")
    parser.add_argument("--test", action="store_true", help="Measure on the test pieces, too.")
    asked = parser.parse_args()
    tensors: dict[str, np.ndarray] = load_file(asked.output) if asked.only else {}
    for kind, source in SOURCES.items():
        if asked.only not in (None, kind):
            continue
        pieces = read(asked.corpora / source, kind, splits(asked.data, source))
        counts = ", ".join(f"{name} {len(pieces[name])}" for name in SPLITS)
        print(f"{kind} parts, {source}: {counts} pieces")
        found, predict = fit(pieces)
        tensors |= {f"{kind}.{name}": array for name, array in found.items()}
        for name in SPLITS[1:] if asked.test else SPLITS[1:2]:
            table(name, pieces[name], predict, ridge(pieces["train"]))
    save_file(tensors, asked.output)
    print(f"{asked.output}: {asked.output.stat().st_size:,} bytes")


def splits(data: Path, source: str) -> dict[str, str]:
    """The split of each piece of a source."""
    found = {}
    for name in SPLITS:
        columns = pq.read_table(data / f"{name}.parquet", columns=["piece", "source"]).to_pydict()
        rows = zip(columns["piece"], columns["source"], strict=True)
        found |= {piece: name for piece, of in rows if of == source}
    return found


def read(folder: Path, kind: str, split: dict[str, str]) -> dict[str, list[Piece]]:
    """The pieces of a corpus, by split."""
    lines = (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    metres = {row["id"]: row["time_signature"] for row in map(json.loads, lines)}
    found: dict[str, list[Piece]] = defaultdict(list)
    with zipfile.ZipFile(folder / "midi.zip") as files:
        for name in sorted(split):
            score = Score.from_midi(files.read(f"{name}.mid"))
            notes = notes_of(score)
            if len(score.time_signatures) > 1:  # what comes behind a change has other bars
                end = score.time_signatures[1].time / score.ticks_per_quarter
                notes = notes.chosen(notes.start < end - 1e-6)
            if len(notes) >= 20:
                found[split[name]].append(piece_of(notes, kind, Metre.of(metres[name])))
    return found


def piece_of(notes: Notes, kind: str, metre: Metre) -> Piece:
    """A piece's features, bar by bar as it is performed."""
    past = Past()
    features, velocity, rule = [], [], []
    for bar, own in bars_of(notes, metre):
        start = own.start - bar * metre.length
        if kind == "drums":
            features.append(drums(start, own.pitch, metre, bar, past))
            rule.append(drum_rule(start, own, metre))
        else:
            features.append(melodic(start, own.duration, own.pitch, metre, bar, past))
            rule.append(melodic_rule(start, own, metre, bar))
        velocity.append(own.velocity)
    return Piece(
        np.concatenate(features).astype(np.float32), np.concatenate(velocity).astype(np.float32),
        np.concatenate(rule),
    )  # fmt: skip


def bars_of(notes: Notes, metre: Metre) -> Iterator[tuple[int, Notes]]:
    places = np.floor(notes.start / metre.length + 1e-6).astype(int)
    for bar in np.unique(places):
        own = notes.chosen(places == bar)
        yield int(bar), own.chosen(np.lexsort((own.pitch, own.start)))


def melodic_rule(start: Floats, notes: Notes, metre: Metre, bar: int) -> Floats:
    """Accents by metre, an arch over four bars, the top note louder, high notes louder.

    As the rules of the KTH system have it (Friberg, Bresin & Sundberg 2006), with round numbers.
    """
    together = np.abs(start[:, None] - start[None, :]) < 1e-6
    top = np.where(together, notes.pitch[None, :], 0).max(axis=1)
    arch = 4.0 * (bar % 4 in (1, 2))
    return 8 * metre.weight(start) + arch + 8 * (notes.pitch >= top) + (notes.pitch - 60) / 6


def drum_rule(start: Floats, notes: Notes, metre: Metre) -> Floats:
    """Accents by metre; kick and snare louder on beats, hi-hat and ride softer."""
    sound = {key: name for name, keys in DRUM_SOUNDS.items() for key in keys}
    names = [sound.get(int(pitch), "other") for pitch in notes.pitch]
    loud = {"kick": 10, "snare": 20, "crash": 20, "low tom": 10, "middle tom": 10, "high tom": 10,
            "closed hi-hat": -15, "pedal hi-hat": -20, "ride": -10}  # fmt: skip
    return np.array([loud.get(name, 0) for name in names]) + 25 * metre.weight(start)


def fit(pieces: dict[str, list[Piece]]) -> tuple[dict[str, np.ndarray], Predict]:
    """The network that does best on the validation pieces, as arrays and as a function."""
    from sklearn.neural_network import MLPRegressor

    features, wanted = together(pieces["train"])
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    chosen = np.random.default_rng(0).permutation(len(features))[:MOST_NOTES]
    best = None
    for layers in LAYERS:
        model = MLPRegressor(
            hidden_layer_sizes=layers, early_stopping=True, batch_size=2000, max_iter=25,
            learning_rate_init=3e-3, alpha=1e-3, random_state=0,
        )  # fmt: skip
        model.fit((features[chosen] - mean) / scale, wanted[chosen])

        def predict(rows: Floats, model: MLPRegressor = model) -> Floats:
            return np.asarray(model.predict((rows - mean) / scale))

        error, agreement = measured(pieces["valid"], predict)
        print(f"  layers {layers}: correlation {agreement:.3f}, mean error {error:.2f}")
        if best is None or error < best[0]:
            best = error, model, predict
    assert best is not None
    _, model, predict = best
    arrays = {"mean": mean, "scale": scale}
    for number, (weight, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        arrays |= {f"weight{number}": weight, f"bias{number}": bias}
    return {name: np.ascontiguousarray(a, dtype=np.float32) for name, a in arrays.items()}, predict


def ridge(pieces: list[Piece]) -> Predict:
    """A linear model of the same features, to compare."""
    from sklearn.linear_model import Ridge

    features, wanted = together(pieces)
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = Ridge(10.0).fit((features - mean) / scale, wanted)
    return lambda rows: np.asarray(model.predict((rows - mean) / scale))


def together(pieces: list[Piece]) -> tuple[Floats, Floats]:
    """All features, and each note's deviation from its piece's mean."""
    wanted = [piece.velocity - piece.velocity.mean() for piece in pieces]
    return np.concatenate([piece.features for piece in pieces]), np.concatenate(wanted)


def measured(pieces: list[Piece], predict: Predict) -> tuple[float, float]:
    """(mean absolute error, correlation), each a mean over pieces; in velocities of 1 to 127."""
    return scored(pieces, [predict(piece.features) for piece in pieces])


def scored(pieces: list[Piece], said: list[Floats]) -> tuple[float, float]:
    errors, agreements = [], []
    for piece, guess in zip(pieces, said, strict=True):
        wanted, guess = piece.velocity - piece.velocity.mean(), guess - guess.mean()
        errors.append(np.abs(guess - wanted).mean())
        if guess.std() > 0 and wanted.std() > 0:
            agreements.append(np.corrcoef(guess, wanted)[0, 1])
    return float(np.mean(errors)), float(np.mean(agreements)) if agreements else 0.0


def fitted_rule(pieces: list[Piece]) -> list[Floats]:
    """The rule, its strength chosen for each piece: the best that it could do."""
    found = []
    for piece in pieces:
        rule, wanted = piece.rule - piece.rule.mean(), piece.velocity - piece.velocity.mean()
        slope = (rule * wanted).sum() / max((rule**2).sum(), 1e-9)
        found.append(slope * rule)
    return found


def table(name: str, pieces: list[Piece], predict: Predict, linear: Predict) -> None:
    print(f"  {name} pieces: mean error, correlation")
    rows = {
        "flat": scored(pieces, [np.zeros(len(piece.velocity)) for piece in pieces]),
        "rule": scored(pieces, [piece.rule for piece in pieces]),
        "rule, strength fitted to each piece": scored(pieces, fitted_rule(pieces)),
        "linear": measured(pieces, linear),
        "learnt": measured(pieces, predict),
    }
    for row, (error, agreement) in rows.items():
        print(f"    {row:36} {error:6.2f} {agreement:6.3f}")


if __name__ == "__main__":
    sys.exit(ended(main, "touch.py"))
