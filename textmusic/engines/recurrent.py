"""The engine of the recurrent baseline: a state for each slot instead of a cache.

Like `OnnxEngine` it knows no music: ids in, logits out, by onnxruntime, without torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from textmusic.engines.folder import broken, read_config
from textmusic.engines.onnx import check_logits, fixed_end, open_session
from textmusic.engines.protocol import Floats32, Ids
from textmusic.errors import TextMusicError
from textmusic.system.machine import cores


class RecurrentEngine:
    """A text encoder and a music decoder, as `models.recurrent_export` writes them."""

    context = 1 << 20  # ids; the state is of one size, however many were read

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        """folder: textmusic.json, encoder.onnx, decoder.onnx. threads: cores; by default all."""
        config = read_config(folder)
        self._offset, self._shape = config["offset"], (config["layers"], config["hidden"])
        self._encoder = open_session(folder, "encoder.onnx", threads or cores())
        self._decoder = open_session(folder, "decoder.onnx", threads or cores())
        self._kinds = ("h", "c") if config["cell"] == "lstm" else ("h",)
        width = fixed_end({o.name: o.shape for o in self._decoder.get_outputs()}, "logits")
        if width is None:
            raise TextMusicError(broken(folder, "decoder.onnx has no logits"))
        self.music: int = width
        self.reserve(1)
        check_logits(folder, self, self._offset)

    def reserve(self, slots: int) -> None:
        """Make room for this many sequences; clears all slots."""
        layers, hidden = self._shape
        self._states = {k: np.zeros((layers, slots, hidden), np.float32) for k in self._kinds}
        self._lengths = np.zeros(slots, dtype=np.int64)

    def prefill(self, slots: range, ids: Ids) -> Floats32:
        """Read one sequence (T,) into slots, which are cleared first; music logits (M,)."""
        logits, states = self._read(ids)
        for kind, state in states.items():
            self._states[kind][:, slots.start : slots.stop] = state
        self._lengths[slots.start : slots.stop] = len(ids)
        return np.asarray(logits[-1])

    def step(self, ids: Ids) -> Floats32:
        """Read one more id in each of the first B slots, (B,); music logits (B, M)."""
        before = {kind: state[:, : len(ids)] for kind, state in self._states.items()}
        logits, after = self._run(self._decoder, ids[None] - self._offset, before)
        for kind, state in after.items():
            self._states[kind][:, : len(ids)] = state
        self._lengths[: len(ids)] += 1
        return np.asarray(logits[0])

    def extend(self, slot: int, ids: Ids) -> None:
        """Read more ids (T,) into a slot, without computing logits."""
        before = {kind: state[:, slot : slot + 1] for kind, state in self._states.items()}
        _, after = self._run(self._decoder, ids[:, None] - self._offset, before)
        for kind, state in after.items():
            self._states[kind][:, slot : slot + 1] = state
        self._lengths[slot] += len(ids)

    def reread(self, slot: int, ids: Ids, kept: int) -> None:
        """Let a slot hold a sequence (T,) instead, whose first `kept` ids are those it holds."""
        self.prefill(range(slot, slot + 1), ids)  # its state can't be taken back

    def move(self, source: int, target: int) -> None:
        """Copy one slot's contents to another slot."""
        for state in self._states.values():
            state[:, target] = state[:, source]
        self._lengths[target] = self._lengths[source]

    def length(self, slot: int) -> int:
        """How many ids a slot holds."""
        return int(self._lengths[slot])

    def logits(self, ids: Ids) -> Floats32:
        """Music logits (T, M) at every place of ids (T,); 0 at the text's."""
        found, _ = self._read(ids)
        out = np.zeros((len(ids), found.shape[1]), dtype=np.float32)
        out[len(ids) - len(found) :] = found
        return out

    def _read(self, ids: Ids) -> tuple[Floats32, dict[str, Floats32]]:
        """Logits (S, M) at the music places of ids (T,), and the state behind them."""
        start = int(np.argmax(ids >= self._offset))
        layers, hidden = self._shape
        nothing = {kind: np.zeros((layers, 1, hidden), np.float32) for kind in self._kinds}
        text = np.append(self._offset, ids[:start])  # the row behind the text's begins every text
        _, states = self._run(self._encoder, text[:, None], nothing)
        logits, states = self._run(self._decoder, ids[start:, None] - self._offset, states)
        return np.asarray(logits[:, 0]), states

    def _run(
        self, session: Any, ids: Ids, states: dict[str, Floats32]
    ) -> tuple[Floats32, dict[str, Floats32]]:
        """Logits (T, B, M), of the encoder none, and the states after ids (T, B)."""
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(names, {"ids": ids, **states}), strict=True))
        after = {kind: found[f"{kind}_next"] for kind in self._kinds}
        return found.get("logits", np.zeros((0, 0, 0), np.float32)), after
