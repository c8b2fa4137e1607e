"""Other models that write MIDI: their published sizes, and their own ways of writing a note.

The time per note depends on a model's shape and on how it is called, not on its weights. So the
weights are random, and nothing is downloaded. Each peer is driven as its own code drives it on a
CPU, batch 1. Sources: Text2midi (Bhandari et al., AAAI 2025), MIDI-LLM (Wu et al., 2025),
midi-model (SkyTNT), the Anticipatory Music Transformer (Thickstun et al., TMLR 2024).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import init_empty_weights
from speed import Spread, spread, timed
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    DynamicCache,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaModel,
    T5Config,
    T5EncoderModel,
)

from textmusic.engines.folder import read_config
from textmusic.models.export import import_onnx
from textmusic.system.machine import cores

_BLOCK = 1 << 20  # weights drawn; the same ones fill the rest of a matrix


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a transformer."""

    layers: int
    width: int
    heads: int
    inner: int
    vocabulary: int
    kv_heads: int | None = None  # by default as many as heads


class Peer(Protocol):
    """A model that has written some notes and can be asked for more."""

    notes_per_step: float
    context: float  # notes it can look back on at most

    def step(self, notes: int) -> Callable[[], object]:
        """The function that does one step after this many notes; preparing it is not timed."""


def note_costs(peer: Peer, notes: Sequence[int], repeats: int) -> dict[int, Spread]:
    """Seconds per note after each number of notes, up to the peer's context."""
    torch.set_num_threads(cores())
    costs = {}
    with torch.inference_mode():
        for n in sorted({min(n, int(peer.context)) for n in notes}):
            work = peer.step(n)
            work()
            costs[n] = spread([s / peer.notes_per_step for s in timed(work, repeats)])
    return costs


def new_peer(name: str, tokens_per_note: float, *, tiny: bool = False) -> Peer:
    """A peer by name.

    tokens_per_note: of plain REMI. tiny: the same architecture, as small as possible.
    """
    small = Shape(2, 32, 4, 48, 64)
    match name, tiny:
        case "Text2midi", False:
            return Text2Midi(tokens_per_note)
        case "Text2midi", True:
            return Text2Midi(tokens_per_note, small, small, longest=64)
        case "MIDI-LLM", False:
            return CachedLM.midi_llm()
        case "MIDI-LLM", True:
            return CachedLM.midi_llm(small)
        case "SkyTNT midi-model", False:
            return MidiModel()
        case "SkyTNT midi-model", True:
            return MidiModel(small, small, longest=64)
        case "Anticipatory", False:
            return Anticipation()
        case "Anticipatory", True:
            return Anticipation(small, longest=64)
        case _:
            raise ValueError(f"'{name}' is not a peer; choose one of PEERS.")


def peer_costs(
    name: str, tokens_per_note: float, notes: Sequence[int], repeats: int, tiny: bool
) -> tuple[dict[int, Spread], float]:
    """A peer's time per note, and how many notes its context holds."""
    peer = new_peer(name, tokens_per_note, tiny=tiny)
    return note_costs(peer, notes, repeats), peer.context


def own_costs(
    folder: Path, ids_per_note: float, notes: Sequence[int], repeats: int
) -> tuple[dict[int, Spread], float]:
    """As `peer_costs`, of our own weights (an exported folder) in torch and float32."""
    lm = import_onnx(folder).lm.eval()
    context = read_config(folder)["context"]
    peer = CachedLM(lm, ids_per_note, context=context, top_p=0.95, ids_per_step=4)
    return note_costs(peer, notes, repeats), peer.context


def filled(model: Any, dtype: torch.dtype = torch.float32) -> Any:
    """A model built under `init_empty_weights`, filled with random weights and ready to run."""
    block = torch.empty(_BLOCK).normal_(0, 0.02, generator=torch.Generator().manual_seed(0))
    block = block.to(dtype)
    for module in model.modules():
        for name, weight in module._parameters.items():
            if weight is not None:
                times = -(-weight.numel() // _BLOCK)
                numbers = block.repeat(times)[: weight.numel()].view(weight.shape)
                if weight.dim() == 1:  # norms and biases
                    numbers = torch.ones_like(numbers)
                module._parameters[name] = nn.Parameter(numbers, requires_grad=False)
    if hasattr(model, "tie_weights"):
        model.tie_weights()
    return model.eval()


def llama(shape: Shape, **more: Any) -> LlamaConfig:
    """The configuration of a Llama of some shape."""
    return LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads or shape.heads,
        intermediate_size=shape.inner,
        **more,
    )


def read(config: Any, length: int, dtype: torch.dtype) -> DynamicCache:
    """A cache filled as if `length` ids had been read."""
    cache = DynamicCache(config=config)
    width = config.hidden_size // config.num_attention_heads
    for layer in range(config.num_hidden_layers):
        shape = (1, config.num_key_value_heads, length, width)
        cache.update(torch.randn(shape, dtype=dtype), torch.randn(shape, dtype=dtype), layer)
    return cache


def forget(cache: DynamicCache, length: int) -> None:
    """Cut a cache to its first `length` ids."""
    if cache.get_seq_length() > length:
        cache.crop(length - cache.get_seq_length())


class Text2Midi:
    """A T5 encoder and a decoder with post-norm; a step is a token.

    No cache: every step reads the text and all tokens so far anew, and draws at every place.
    """

    def __init__(
        self,
        tokens_per_note: float,
        encoder: Shape = Shape(12, 768, 12, 2048, 32128),
        decoder: Shape = Shape(18, 768, 8, 1024, 526),
        *,
        text: int = 8,
        longest: int = 2048,
    ) -> None:
        """text: ids of the prompt. longest: tokens that its positions reach to."""
        self.notes_per_step, self.context = 1 / tokens_per_note, longest / tokens_per_note
        config = T5Config(
            vocab_size=encoder.vocabulary, d_model=encoder.width, d_ff=encoder.inner,
            d_kv=encoder.width // encoder.heads, num_layers=encoder.layers,
            num_heads=encoder.heads, feed_forward_proj="gated-gelu",
        )  # fmt: skip
        with init_empty_weights(include_buffers=False):
            self._encoder = T5EncoderModel(config)
            layer = nn.TransformerDecoderLayer(
                decoder.width, decoder.heads, decoder.inner, batch_first=True, norm_first=False
            )
            norm = nn.LayerNorm(decoder.width)
            self._decoder = nn.TransformerDecoder(layer, decoder.layers, norm)
            self._embedding = nn.Embedding(decoder.vocabulary, decoder.width)
            self._projection = nn.Linear(decoder.width, decoder.vocabulary)
        for part in (self._encoder, self._decoder, self._embedding, self._projection):
            filled(part)
        place = torch.arange(longest)[:, None]
        turn = torch.exp(torch.arange(0, decoder.width, 2) * (-math.log(1e4) / decoder.width))
        self._positions = torch.stack([(place * turn).sin(), (place * turn).cos()], -1).flatten(1)
        self._text = torch.ones((1, text), dtype=torch.long)

    def step(self, notes: int) -> Callable[[], object]:
        """One token more when so many notes are written."""
        length = min(max(1, round(notes / self.notes_per_step)), len(self._positions))
        tokens = torch.ones((1, length), dtype=torch.long)

        def work() -> Tensor:
            memory = self._encoder(self._text).last_hidden_state
            width = self._positions.shape[1]
            hidden = self._embedding(tokens) * math.sqrt(width) + self._positions[:length]
            mask = nn.Transformer.generate_square_subsequent_mask(length)
            hidden = self._decoder(hidden, memory, tgt_mask=mask, tgt_is_causal=True)
            chances = F.log_softmax(self._projection(hidden), dim=-1).exp()
            drawn = torch.multinomial(chances.flatten(0, 1), 1)[-1]
            return torch.cat((tokens, drawn[None]), dim=1)

        return work


class CachedLM:
    """A causal LM with a key-value cache, driven by transformers' `generate`; a step is some ids.

    MIDI-LLM is one (three ids a note, bfloat16), and so is our own model in torch.
    """

    def __init__(
        self, lm: Any, ids_per_note: float, *, context: int, top_p: float, ids_per_step: int = 3
    ) -> None:
        """context: ids that the model looks back on at most."""
        self._lm, self._ids, self._top_p = lm, ids_per_step, top_p
        self._longest = context - ids_per_step - 1
        self.notes_per_step, self.context = ids_per_step / ids_per_note, context / ids_per_note
        self._ids_per_note = ids_per_note

    @classmethod
    def midi_llm(
        cls,
        shape: Shape = Shape(16, 2048, 32, 8192, 183_286, kv_heads=8),
        dtype: torch.dtype = torch.bfloat16,
    ) -> CachedLM:
        """MIDI-LLM: Llama 3.2 1B with 55,030 music ids more. It writes 2,046 ids at most."""
        with init_empty_weights(include_buffers=False):
            lm = LlamaForCausalLM(llama(shape, tie_word_embeddings=True, rope_theta=5e5))
        return cls(filled(lm, dtype), 3, context=2046, top_p=0.98)

    def step(self, notes: int) -> Callable[[], object]:
        """Some ids more when so many notes are written."""
        length = min(max(1, round(notes * self._ids_per_note)), self._longest)
        ids = torch.ones((1, length + 1), dtype=torch.long)
        cache = read(self._lm.config, length, self._lm.dtype)

        def work() -> Tensor:
            forget(cache, length)
            written: Tensor = self._lm.generate(
                ids, attention_mask=torch.ones_like(ids), past_key_values=cache, do_sample=True,
                top_p=self._top_p, top_k=0, min_new_tokens=self._ids, max_new_tokens=self._ids,
                pad_token_id=0,
            )  # fmt: skip
            return written

        return work


class MidiModel:
    """SkyTNT's tv2o-medium: a network over events, and one over the eight tokens of an event.

    Both have a cache. A step is an event; nearly all events are notes.
    """

    notes_per_step = 1.0

    def __init__(
        self,
        events: Shape = Shape(12, 1024, 16, 4096, 3406),
        tokens: Shape = Shape(3, 1024, 4, 1024, 3406),
        *,
        longest: int = 4096,
        tokens_per_event: int = 8,
    ) -> None:
        """longest: events that it looks back on at most."""
        self.context, self._tokens_per_event = float(longest), tokens_per_event
        with init_empty_weights(include_buffers=False):
            self._net = LlamaModel(llama(events, max_position_embeddings=longest))
            self._token_net = LlamaModel(llama(tokens, max_position_embeddings=longest))
            self._head = nn.Linear(events.width, events.vocabulary, bias=False)
        for part in (self._net, self._token_net, self._head):
            filled(part)

    def step(self, notes: int) -> Callable[[], object]:
        """One event more when so many notes are written."""
        length = min(max(1, notes), int(self.context) - 1)
        cache = read(self._net.config, length, torch.float32)
        event = torch.ones((1, 1, self._tokens_per_event), dtype=torch.long)

        def work() -> Tensor:
            forget(cache, length)
            merged = self._net.embed_tokens(event).sum(dim=-2)
            hidden = self._net(inputs_embeds=merged, past_key_values=cache, use_cache=True)
            read_next = hidden.last_hidden_state[:, -1:]
            inner, drawn = DynamicCache(config=self._token_net.config), []
            for _ in range(self._tokens_per_event):
                out = self._token_net(
                    inputs_embeds=read_next, past_key_values=inner, use_cache=True
                )
                drawn.append(self._draw(self._head(out.last_hidden_state)[:, -1]))
                read_next = self._token_net.embed_tokens(drawn[-1])
            return torch.cat(drawn, dim=1)

        return work

    def _draw(self, logits: Tensor) -> Tensor:
        """An id (1, 1) of logits (1, V): allowed ones only, then top-p 0.98 and top-k 20."""
        allowed = torch.zeros(logits.shape[-1], dtype=torch.int64)
        allowed[list(range(len(allowed) // 2))] = 1
        chances = torch.softmax(logits, dim=-1) * allowed
        chances, ids = torch.sort(chances, dim=-1, descending=True)
        chances[torch.cumsum(chances, dim=-1) - chances > 0.98] = 0
        few = torch.zeros(chances.shape[-1])
        few[:20] = 1
        chances = chances * few
        chances /= chances.sum(dim=-1, keepdim=True)
        return torch.gather(ids, -1, torch.multinomial(chances, 1))


class Anticipation:
    """The Anticipatory Music Transformer, small: GPT-2; a step is a note of three ids.

    No cache: every id reads all before it anew, of which it keeps the latest 1,017.
    """

    notes_per_step = 1.0

    def __init__(
        self, shape: Shape = Shape(12, 768, 12, 3072, 55_028), *, longest: int = 1024
    ) -> None:
        """longest: ids that it looks back on at most, with the one that names the mode."""
        self._window = longest - 7
        self.context = self._window / 3
        config = GPT2Config(
            vocab_size=shape.vocabulary, n_positions=longest, n_embd=shape.width,
            n_layer=shape.layers, n_head=shape.heads, n_inner=shape.inner, bos_token_id=None,
            eos_token_id=None,
        )  # fmt: skip
        with init_empty_weights(include_buffers=False):
            lm = GPT2LMHeadModel(config)
        self._lm = filled(lm)

    def step(self, notes: int) -> Callable[[], object]:
        """One note more when so many are written."""
        before = [1] * (1 + min(3 * notes, self._window))

        def work() -> list[int]:
            ids: list[int] = []
            for _ in range(3):
                logits = self._lm(torch.tensor([before + ids])).logits[0, -1]
                logits[len(logits) // 2 :] = -torch.inf  # ids of another kind
                ordered, places = torch.sort(logits, descending=True)
                beyond = torch.cumsum(F.softmax(ordered, dim=-1), dim=-1) > 0.98
                logits[places[1:][beyond[:-1]]] = -torch.inf
                ids.append(int(torch.multinomial(F.softmax(logits, dim=-1), 1)))
            return ids

        return work
