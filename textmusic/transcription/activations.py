"""What the Basic Pitch network hears: for each frame and key, whether a note sounds or begins.

Bittner et al. 2022, "A Lightweight Instrument-Agnostic Model for Polyphonic Note Transcription and
Multipitch Estimation" (arXiv 2203.09893); the weights are Spotify's, under Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]
RATE = 22050  # samples a second that the network takes
HOP = 256  # samples from frame to frame
FRAME = HOP / RATE  # seconds
LOWEST = 21  # MIDI pitch of the first of the 88 keys
KEYS = 88
NETWORK = Path(__file__).parents[1] / "bundled" / "transcription" / "basic-pitch.onnx"

_WINDOW = 2 * RATE - HOP  # samples that it hears at once
_MARGIN = 15  # frames at either end of a window that know too little of what is around them
_STEP = 172 - 2 * _MARGIN - 1  # frames that a window adds; one less than it has, for a whole grid
_TOGETHER = 8  # windows in one run: more are no quicker, and take memory


@dataclass(frozen=True, slots=True)
class Activations:
    """(frames, 88) each, 0 to 1, a frame every `FRAME` seconds: sounding, and beginning."""

    sounding: NDArray[np.float32]
    beginning: NDArray[np.float32]


def activations(audio: Wave, on_step: Callable[[int, int], None] | None = None) -> Activations:
    """What is heard in audio (samples,) at `RATE`. on_step: is told (windows done, in all)."""
    session = _session()
    frames = max(1, -(-len(audio) // HOP))
    windows = -(-frames // _STEP)
    found: list[list[NDArray[np.float32]]] = [[], []]
    for first in range(0, windows, _TOGETHER):
        count = min(_TOGETHER, windows - first)
        batch = np.zeros((count, _WINDOW, 1), dtype=np.float32)
        for row in range(count):
            begin = ((first + row) * _STEP - _MARGIN) * HOP
            part = audio[max(begin, 0) : begin + _WINDOW]
            batch[row, max(-begin, 0) : max(-begin, 0) + len(part), 0] = part
        outputs = session.run(list(_OUTPUTS), {_INPUT: batch})
        for parts, output in zip(found, outputs, strict=True):
            parts.append(output[:, _MARGIN : _MARGIN + _STEP].reshape(-1, KEYS))
        if on_step:
            on_step(first + count, windows)
    sounding, beginning = (np.concatenate(parts)[:frames] for parts in found)
    return Activations(sounding, beginning)


_INPUT = "serving_default_input_2:0"
_OUTPUTS = ("StatefulPartitionedCall:1", "StatefulPartitionedCall:2")


@lru_cache(maxsize=1)
def _session() -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # the same sums in the same order on every machine
    options.log_severity_level = 4
    return ort.InferenceSession(str(NETWORK), options, providers=["CPUExecutionProvider"])
