"""Fit the small network that tells notes from overtones and noise.

    python training/fit_note_judge.py --data data/prepared --soundfont other.sf2

Renders pieces of the training split, takes every candidate of theirs, and learns which are notes.
Needs scikit-learn. Writes textmusic/bundled/transcription/notes.safetensors.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from recorded import RATE, SPOILT, Floats, excerpts, recording

from textmusic.system.scripts import ended
from textmusic.transcription.activations import FRAME, LOWEST, activations
from textmusic.transcription.activations import RATE as HEARD_RATE
from textmusic.transcription.candidates import Candidates, candidates_of
from textmusic.transcription.polyphony import JUDGE

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
    _save(_fitted(np.concatenate(features), np.concatenate(labels)))


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


def _save(weights: dict[str, Any]) -> None:
    from safetensors.numpy import save_file

    save_file({name: array.astype(np.float32) for name, array in weights.items()}, JUDGE)


if __name__ == "__main__":
    sys.exit(ended(main, "fit_note_judge.py"))
