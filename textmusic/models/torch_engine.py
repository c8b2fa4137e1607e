"""The engine of a folder that training wrote: the LLM in torch, with a preallocated cache.

Like `OnnxEngine` it knows no music: ids in, logits out. On a CPU all is in 32 bits, exactly what
was trained. On CUDA the layers are in bfloat16, and a step is always of one shape, recorded once as
a CUDA graph; the recording and its replay have never run on such hardware.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AttentionInterface
from transformers.utils.logging import disable_progress_bar

from textmusic.engines.protocol import Engine, Floats32, Ids
from textmusic.errors import TextMusicError
from textmusic.models.llm import MusicLLM, context_of, head_width, load_llm
from textmusic.system.machine import cores

ATTENTION = "textmusic"  # the name under which transformers' models find `attend`
Step = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class CacheView:
    """Where new ids go, and what they may look back on.

    cache: keys and values, (2, layers, slots, heads, places, width). slot: the one that reads a
    sequence, from place `begin` on; None: the first B slots read one id each, at `places` (B,), and
    look back on what `seen` (B, 1, 1, S) says of their first S places.
    """

    cache: Tensor
    slot: int | None = None
    begin: int = 0
    places: Tensor | None = None
    seen: Tensor | None = None


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: None,
    *,
    reading: CacheView,
    scaling: float | None = None,
    **more: Any,
) -> tuple[Tensor, None]:
    """Attention over what the slots hold, in which the new keys and values are kept.

    query: (B, heads, T, width); key, value: (B, key heads, T, width). Returns (B, T, heads, width)
    and no weights, as transformers wants it.
    """
    if any(more.get(name) is not None for name in ("sliding_window", "softcap", "s_aux")):
        raise _unsupported(module)
    keys, values = reading.cache[:, module.layer_idx]  # (slots, key heads, places, width)
    if reading.slot is not None:
        begin, end = reading.begin, reading.begin + key.shape[2]
        keys[reading.slot, :, begin:end] = key[0]
        values[reading.slot, :, begin:end] = value[0]
        seen = None  # all that comes before: where nothing does, torch has a faster way
        if begin:
            places = torch.arange(end, device=key.device)
            seen = places <= places[begin:, None]
            key, value = (each[None, reading.slot, :, :end] for each in (keys, values))
        out = F.scaled_dot_product_attention(
            query, key, value, attn_mask=seen, is_causal=seen is None, scale=scaling,
            enable_gqa=True,
        )  # fmt: skip
        return out.transpose(1, 2), None
    assert reading.seen is not None
    rows = torch.arange(len(key), device=key.device)
    keys[rows, :, reading.places], values[rows, :, reading.places] = key[:, :, 0], value[:, :, 0]
    span = reading.seen.shape[-1]
    # the queries that share a key head stand as rows beside each other: no key is copied for them
    out = F.scaled_dot_product_attention(
        query.reshape(len(query), keys.shape[1], -1, query.shape[-1]),
        keys[: len(key), :, :span],
        values[: len(key), :, :span],
        attn_mask=reading.seen,
        scale=scaling,
    )
    return out.reshape(len(query), 1, query.shape[1], -1), None


class TorchEngine:
    """A causal LM of transformers, its keys and values in places of our own."""

    def __init__(
        self,
        model: MusicLLM,
        device: torch.device,
        *,
        dtype: torch.dtype = torch.float32,
        fixed: bool = False,
    ) -> None:
        """dtype: of the layers; the head stays in 32 bits.

        fixed: every step is one of all slots over the whole context. What is wasted by that is less
        than what a GPU waits for steps of ever new shapes.
        """
        self.context: int = context_of(model.lm.config)
        self._device, self._dtype, self._fixed = device, dtype, fixed
        self._rows = model.rows.detach().float().to(device)
        self.music: int = len(self._rows)
        AttentionInterface.register(ATTENTION, attend)
        model.lm.set_attn_implementation(ATTENTION)
        if model.lm.config._attn_implementation != ATTENTION:
            raise _unsupported(model.lm)
        self._trunk: Any = model.lm.base_model.eval().to(device)
        for weight in self._trunk.parameters():  # not the buffers: rotation needs all its bits
            weight.data = weight.data.to(dtype)
        config = model.lm.config
        self._shape = config.num_hidden_layers, config.num_key_value_heads, head_width(config)
        self._cache = torch.zeros(0)
        self.reserve(1)

    @torch.inference_mode()
    def reserve(self, slots: int) -> None:
        """Make room for this many sequences; clears all slots.

        Raises TextMusicError where the memory does not hold so many.
        """
        layers, heads, width = self._shape
        # one place more than a slot ever holds, for full slots to write to while they rest
        shape = (2, layers, slots, heads, self.context + 1, width)
        if self._cache.shape != shape:
            self._one_shape: Step | None = None
            self._cache = torch.zeros(0)  # free the old one first
            try:
                self._cache = torch.zeros(shape, dtype=self._dtype, device=self._device)
            except torch.OutOfMemoryError:
                raise TextMusicError(
                    f"the GPU has too little memory for {slots} pieces at once; use fewer --slots."
                ) from None
        self._lengths = np.zeros(slots, dtype=np.int64)

    @torch.inference_mode()
    def prefill(self, slots: range, ids: Ids) -> Floats32:
        """Read one sequence (T,) into slots, which are cleared first; music logits (M,)."""
        logits = self._head(self._read(slots[0], ids)[-1])
        for slot in slots[1:]:
            self.move(slots[0], slot)
        return logits

    @torch.inference_mode()
    def step(self, ids: Ids) -> Floats32:
        """Read one more id in each of the first B slots, (B,); music logits (B, M)."""
        active = len(ids)
        places = self._lengths.copy()
        if places[:active].max() >= self.context:
            raise ValueError(f"a slot holds {self.context} ids, more do not fit the context")
        self._lengths[:active] += 1
        if not self._fixed:
            span = int(self._lengths[:active].max())
            new, behind = self._on_device(ids), self._on_device(places[:active])
            return self._head(self._hidden(new, behind, span))
        every = np.zeros_like(places)
        every[:active] = ids
        if self._one_shape is None:
            self._one_shape = self._recorded()
        hidden = self._one_shape(self._on_device(every), self._on_device(places))
        return self._head(hidden[:active])

    @torch.inference_mode()
    def extend(self, slot: int, ids: Ids) -> None:
        """Read more ids (T,) into a slot, without computing logits."""
        begin = int(self._lengths[slot])
        if begin + len(ids) > self.context:
            raise ValueError(f"{len(ids)} more ids do not fit the context of {self.context}")
        self._read(slot, ids, begin)

    def reread(self, slot: int, ids: Ids, kept: int) -> None:
        """Let a slot hold a sequence (T,) instead, whose first `kept` ids are those it holds."""
        self._lengths[slot] = kept
        self.extend(slot, ids[kept:])

    @torch.inference_mode()
    def move(self, source: int, target: int) -> None:
        """Copy one slot's contents to another slot."""
        length = int(self._lengths[source])
        self._cache[:, :, target, :, :length] = self._cache[:, :, source, :, :length]
        self._lengths[target] = length

    def length(self, slot: int) -> int:
        """How many ids a slot holds."""
        return int(self._lengths[slot])

    @torch.inference_mode()
    def logits(self, ids: Ids) -> Floats32:
        """Music logits (T, M) at every place of ids (T,): for measuring a model."""
        return self._head(self._read(0, ids))

    def _read(self, slot: int, ids: Ids, begin: int = 0) -> Tensor:
        """Hidden states (T, D) of ids (T,) that a slot then holds, behind its first `begin`."""
        if len(ids) > self.context:
            raise ValueError(f"{len(ids)} ids do not fit the context of {self.context}")
        self._lengths[slot] = begin + len(ids)
        read = self._on_device(ids)[None]
        places = torch.arange(begin, begin + len(ids), device=self._device)[None]
        return self._run(read, places, CacheView(self._cache, slot=slot, begin=begin))[0]

    def _hidden(self, ids: Tensor, places: Tensor, span: int) -> Tensor:
        """Hidden states (B, D) of one more id (B,) in each of the first B slots.

        places: how many ids each slot held, (B,). span: of how many places to read the cache.
        """
        seen = torch.arange(span, device=places.device) <= places[:, None]
        reading = CacheView(self._cache, places=places, seen=seen[:, None, None])
        return self._run(ids[:, None], places[:, None], reading)[:, 0]

    def _run(self, ids: Tensor, places: Tensor, reading: CacheView) -> Tensor:
        found = self._trunk(input_ids=ids, position_ids=places, use_cache=False, reading=reading)
        hidden: Tensor = found.last_hidden_state
        return hidden

    def _on_device(self, ids: Ids) -> Tensor:
        return torch.from_numpy(ids).to(self._device)

    def _head(self, hidden: Tensor) -> Floats32:
        return np.asarray((hidden.float() @ self._rows.T).cpu().numpy(), dtype=np.float32)

    def _recorded(self) -> Step:
        """A step of all slots over the whole context, on CUDA as a graph that is played again.

        A graph spares the launch of some hundred small kernels a step.
        """

        def one_shape(ids: Tensor, places: Tensor) -> Tensor:
            return self._hidden(ids, places, self.context)

        if self._device.type != "cuda":
            return one_shape
        ids = torch.zeros(len(self._lengths), dtype=torch.int64, device=self._device)
        places = torch.full_like(ids, self.context)  # the place that no slot keeps
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # libraries set themselves up in the first runs
            for _ in range(3):
                one_shape(ids, places)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            hidden = one_shape(ids, places)

        def replayed(new_ids: Tensor, new_places: Tensor) -> Tensor:
            ids.copy_(new_ids)
            places.copy_(new_places)
            graph.replay()
            return hidden

        return replayed


def open_trained(folder: Path, *, threads: int | None = None) -> Engine:
    """The engine of an LLM's folder as `save_llm` wrote it, on a GPU where there is one.

    threads: cores to use; by default all. Raises TextMusicError where the folder is not whole.
    """
    disable_progress_bar()  # loading takes a moment only, and the terminal has a bar of its own
    model = load_llm(folder)
    if torch.cuda.is_available():
        return TorchEngine(model, torch.device("cuda"), dtype=torch.bfloat16, fixed=True)
    torch.set_num_threads(threads or cores())
    return TorchEngine(model, torch.device("cpu"))


def _unsupported(module: Any) -> TextMusicError:
    return TextMusicError(
        f"the torch engine does not support {type(module).__name__} layers; export the model with"
        " training/export.py."
    )
