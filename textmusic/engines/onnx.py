"""`OnnxEngine` runs a quantised graph on the CPU with onnxruntime.

Its text and music embeddings stand beside the graph in a memory-mapped file, of which only the rows
that occur are ever read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textmusic.engines.folder import broken, read_config
from textmusic.engines.protocol import Engine, Floats32, Ids
from textmusic.errors import TextMusicError
from textmusic.system.machine import cores


class Embeddings:
    """Rows of the embedding matrix, kept as 8-bit integers with a scale a row."""

    def __init__(self, path: Path) -> None:
        from safetensors import safe_open

        try:
            with safe_open(path, "numpy") as file:
                self._quantised = file.get_tensor("quantised")  # (V, D) int8
                self._scale = file.get_tensor("scale")  # (V, 1) float32
        except Exception as problem:  # the library's own exception type is not exported
            raise TextMusicError(broken(path.parent, problem)) from None
        rows = self._quantised.shape[0] if self._quantised.ndim == 2 else -1
        if self._quantised.dtype != np.int8 or self._scale.shape != (rows, 1):
            raise TextMusicError(broken(path.parent, f"{path.name} holds no 8-bit rows"))
        if not np.isfinite(self._scale).all():
            raise TextMusicError(broken(path.parent, f"{path.name} has scales that are no numbers"))

    def __len__(self) -> int:
        return int(self._quantised.shape[0])

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return int(self._quantised.shape[1])

    def __getitem__(self, ids: Ids) -> Floats32:
        return np.asarray(self._quantised[ids] * self._scale[ids], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Binding:
    """Buffers for steps of one shape, bound once: the graph reads and writes them and the cache."""

    run: Any  # onnxruntime's IOBinding
    embeddings: Floats32  # (B, T, D)
    logits: Floats32  # (B, T, M)


class OnnxEngine:
    """A decoder graph with a key-value cache that is written in place."""

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        """folder: config.json, model.onnx (and .data), embeddings.safetensors.

        threads: cores to use; by default all that this process may.
        """
        config = read_config(folder)
        self.context: int = config["context"]
        self._heads, self._width = config["kv_heads"], config["head_width"]
        self._session = open_session(folder, "model.onnx", threads or cores())
        self._embeddings = Embeddings(folder / "embeddings.safetensors")
        inputs = {i.name: i.shape for i in self._session.get_inputs()}
        outputs = {o.name: o.shape for o in self._session.get_outputs()}
        self._past = [name for name in inputs if name.startswith("past_key_values.")]
        self.music: int = len(self._embeddings) - config["offset"]
        fits = (
            bool(self._past)
            and fixed_end(inputs, "inputs_embeds") == self._embeddings.width
            and all(inputs[name][1:2] == [self._heads] for name in self._past)
            and fixed_end(outputs, "logits") == self.music > 0
        )
        if not fits:
            raise TextMusicError(broken(folder, "model.onnx is of other sizes than its files"))
        self.reserve(1)
        check_logits(folder, self, config["offset"])
        self._check_context(folder)

    def _check_context(self, folder: Path) -> None:
        """Raise TextMusicError unless the graph has a last place of the context, as it should."""
        self._lengths[0] = self.context - 1
        try:
            self.step(np.zeros(1, dtype=np.int64))
        except Exception:  # onnxruntime raises its own types for each cause
            problem = f"model.onnx has no context of {self.context:,}"
            raise TextMusicError(broken(folder, problem)) from None
        self.reserve(1)

    def reserve(self, slots: int) -> None:
        """Make room for this many sequences; clears all slots.

        Memory is only used once it is written to.
        """
        shape = (len(self._past), slots, self._heads, self.context, self._width)
        self._cache = np.zeros(shape, dtype=np.float32)
        self._lengths = np.zeros(slots, dtype=np.int64)
        self._bound: tuple[tuple[int, int, int], _Binding] | None = None

    def prefill(self, slots: range, ids: Ids) -> Floats32:
        """Read one sequence (T,) into slots, which are cleared first; music logits (M,)."""
        logits: Floats32 = self._read(slots[0], ids)[-1]
        for slot in slots[1:]:
            self.move(slots[0], slot)
        return logits

    def step(self, ids: Ids) -> Floats32:
        """Read one more id in each of the first B slots, (B,); music logits (B, M)."""
        if self._lengths[: len(ids)].max() >= self.context:
            raise ValueError(f"a slot holds {self.context} ids, more do not fit the context")
        self._lengths[: len(ids)] += 1
        return np.asarray(self._run(ids[:, None], slice(0, len(ids)))[:, -1])

    def extend(self, slot: int, ids: Ids) -> None:
        """Read more ids (T,) into a slot, without computing logits."""
        if self._lengths[slot] + len(ids) > self.context:
            raise ValueError(f"{len(ids)} more ids do not fit the context of {self.context}")
        self._lengths[slot] += len(ids)
        self._run(ids[None], slice(slot, slot + 1))

    def reread(self, slot: int, ids: Ids, kept: int) -> None:
        """Let a slot hold a sequence (T,) instead, whose first `kept` ids are those it holds."""
        self._lengths[slot] = kept
        self.extend(slot, ids[kept:])

    def move(self, source: int, target: int) -> None:
        """Copy one slot's contents to another slot."""
        length = self._lengths[source]
        self._cache[:, target, :, :length] = self._cache[:, source, :, :length]
        self._lengths[target] = length

    def length(self, slot: int) -> int:
        """How many ids a slot holds."""
        return int(self._lengths[slot])

    def logits(self, ids: Ids) -> Floats32:
        """Music logits (T, M) at every place of ids (T,): for measuring a model."""
        return self._read(0, ids)

    def _read(self, slot: int, ids: Ids) -> Floats32:
        if len(ids) > self.context:
            raise ValueError(f"{len(ids)} ids do not fit the context of {self.context}")
        self._lengths[slot] = len(ids)
        return np.asarray(self._run(ids[None], slice(slot, slot + 1))[0])

    def _run(self, ids: Ids, slots: slice) -> Floats32:
        """Music logits (B, T, M) of ids (B, T), the latest of what the slots then hold.

        The graph counts the ones in a row of the mask to know how many ids the row holds; sequences
        of different lengths lie side by side.
        """
        lengths = self._lengths[slots]
        mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
        shape = (slots.start, slots.stop, ids.shape[1])
        if self._bound is None or self._bound[0] != shape:
            self._bound = (shape, self._bind(slots, ids.shape[1]))
        bound = self._bound[1]
        bound.embeddings[:] = self._embeddings[ids]
        bound.run.bind_cpu_input("attention_mask", mask)
        self._session.run_with_iobinding(bound.run)
        return bound.logits.copy()

    def _bind(self, slots: slice, length: int) -> _Binding:
        """Buffers for `length` ids in each of some slots; binding costs as much as several layers.

        So a step of the same shape as the one before is not bound again, except for its mask.
        """
        batch = slots.stop - slots.start
        run = self._session.io_binding()
        embeddings = np.empty((batch, length, self._embeddings.width), dtype=np.float32)
        logits = np.empty((batch, length, self.music), dtype=np.float32)
        run.bind_input("inputs_embeds", *_place(embeddings))
        run.bind_output("logits", *_place(logits))
        for name, cache in zip(self._past, self._cache, strict=True):
            run.bind_input(name, *_place(cache[slots]))  # read and written in place
            run.bind_output(name.replace("past_key_values", "present"), *_place(cache[slots]))
        return _Binding(run, embeddings, logits)


def _place(array: Floats32) -> tuple[str, int, Any, tuple[int, ...], int]:
    """An array's address, in the form that onnxruntime's bindings expect."""
    return "cpu", 0, np.float32, array.shape, array.ctypes.data


def fixed_end(shapes: Mapping[str, Sequence[Any]], name: str) -> int | None:
    """The last dimension of a graph's input or output; None where it has none, or an open one."""
    shape = shapes.get(name) or [None]
    return shape[-1] if isinstance(shape[-1], int) else None


def check_logits(folder: Path, engine: Engine, offset: int) -> None:
    """Let an engine read one id of a text and one of music; TextMusicError if it can't.

    Weights that are no numbers, and graphs of another model, show themselves.
    """
    ids = np.array([0, offset], dtype=np.int64)
    try:
        found = engine.prefill(range(1), ids)
    except Exception:  # onnxruntime raises its own types for each cause
        raise TextMusicError(broken(folder, "its graph can't be run in these sizes")) from None
    if found.shape != (engine.music,) or not np.isfinite(found).all():
        raise TextMusicError(broken(folder, "its weights give no numbers"))
    engine.reserve(1)


def open_session(folder: Path, name: str, threads: int) -> Any:
    """An onnxruntime session of a graph in a model folder; TextMusicError if that is not whole."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what goes wrong is raised, too
    try:
        return ort.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
    except Exception:  # onnxruntime raises its own types for each cause
        why = "can't be opened, nor its weights" if (folder / name).exists() else "is missing"
        raise TextMusicError(broken(folder, f"{name} {why}")) from None
