"""The LLM for training: a pretrained causal LM with music rows behind its text rows.

Only the music head is ever computed: logits are over the music ids alone, since nothing else is
predicted. On disk a model is a standard Hugging Face folder of a causal LM whose vocabulary is text
rows then music rows, so any Llama loader reads it.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoConfig, AutoModelForCausalLM

from textmusic.engines.folder import broken, is_trained, read_config
from textmusic.errors import TextMusicError
from textmusic.models.weights import check_finite, check_shapes
from textmusic.tokens.tokenizer import IGNORED, copy_tokenizer

CONTEXT = 2048  # ids in an engine's context at most; the length trained on


class MusicLLM(nn.Module):
    """A causal LM that reads text and music ids, and predicts music ids only."""

    def __init__(self, lm: Any, offset: int) -> None:
        super().__init__()
        self.lm = lm
        self.offset = offset
        self.music: nn.Parameter | None = None  # the music rows while they alone are trained

    @property
    def rows(self) -> Tensor:
        """The music rows (M, D) of the tied embedding: input and head in one."""
        if self.music is not None:
            return self.music
        weight: Tensor = self.lm.get_input_embeddings().weight
        return weight[self.offset :]

    def forward(self, ids: Tensor, labels: Tensor) -> Tensor:
        """Summed loss in nats over the labelled places. ids, labels: (B, T), -100 is ignored."""
        hidden = self._hidden(ids)  # (B, T, D)
        counted = labels != IGNORED
        logits = hidden[counted] @ self.rows.T  # (N, M)
        return F.cross_entropy(logits.float(), labels[counted], reduction="sum")

    def row_losses(self, ids: Tensor, labels: Tensor) -> Tensor:
        """(B,) loss in nats over the labelled places of each row: its -log p.

        The head is computed in float32: what counts is a small difference between large sums.
        """
        hidden, counted = self._hidden(ids), labels != IGNORED
        with torch.autocast(ids.device.type, enabled=False):
            logits = hidden[counted].float() @ self.rows.float().T
            each = F.cross_entropy(logits, labels[counted], reduction="none")
        total = torch.zeros(len(ids), device=each.device)
        return total.index_add(0, counted.nonzero()[:, 0], each)

    def logits(self, ids: Tensor) -> Tensor:
        """Music logits (B, T, M) at every place."""
        return self._hidden(ids) @ self.rows.T

    def _hidden(self, ids: Tensor) -> Tensor:
        lm = self.lm.get_base_model() if self.has_lora else self.lm
        if self.music is None:
            read = {"input_ids": ids}
        else:
            text = lm.get_input_embeddings()(ids)
            music = F.embedding((ids - self.offset).clamp(min=0), self.music)
            read = {"inputs_embeds": torch.where((ids >= self.offset)[..., None], music, text)}
        hidden: Tensor = lm.base_model(**read, use_cache=False).last_hidden_state
        return hidden

    @property
    def has_lora(self) -> bool:
        """Whether the LM is wrapped by peft, see `with_lora`."""
        return hasattr(self.lm, "merge_and_unload")

    def freeze_text_rows(self) -> None:
        """Freeze the text embedding, so that words not met in training keep their meaning.

        The music rows become a parameter of their own, so that no step touches the text rows.
        """
        weight = self.lm.get_input_embeddings().weight
        self.music = nn.Parameter(weight.detach()[self.offset :].clone())
        weight.requires_grad_(False)

    def settle(self) -> None:
        """Write the music rows that were trained back into the LM's embedding."""
        if self.music is not None:
            with torch.no_grad():
                self.lm.get_input_embeddings().weight[self.offset :] = self.music


def new_llm(
    base: str, vocabulary: int, *, layers: int | None = None, pretrained: bool = True, seed: int = 0
) -> MusicLLM:
    """A base LM (Hub id or folder) cut to its first `layers`, with music rows appended.

    New rows start at the mean of the text rows plus a little noise, so that no music id is an
    outlier at step 0. pretrained=False gives the same shape at random, for comparison.
    """
    config = AutoConfig.from_pretrained(base)
    if layers is not None:
        config.num_hidden_layers = layers
    torch.manual_seed(seed)
    if pretrained:
        lm = AutoModelForCausalLM.from_pretrained(base, config=config, dtype=torch.float32)
    else:
        lm = AutoModelForCausalLM.from_config(config)
    if not lm.config.tie_word_embeddings:
        lm.config.tie_word_embeddings = True
        lm.tie_weights()
    offset = lm.get_input_embeddings().num_embeddings
    lm.resize_token_embeddings(offset + vocabulary, mean_resizing=False)
    weight = lm.get_input_embeddings().weight
    with torch.no_grad():
        text = weight[:offset]
        noise = torch.randn(vocabulary, text.shape[1]) * text.std() * 0.2
        weight[offset:] = text.mean(0) + noise
    return MusicLLM(lm, offset)


def context_of(config: Any, most: int = CONTEXT) -> int:
    """Ids in the context of an LM with this configuration, up to `most`."""
    return min(most, int(config.max_position_embeddings))


def head_width(config: Any) -> int:
    """Width of an attention head of an LM with this configuration."""
    width = getattr(config, "head_dim", None)
    return int(width or config.hidden_size // config.num_attention_heads)


def load_llm(folder: Path) -> MusicLLM:
    """The model of a folder written by `save_llm`.

    Raises TextMusicError where there is none, or its weights are not those of its configuration. No
    code of the folder is run.
    """
    if not (folder / "config.json").exists():
        raise TextMusicError(f"'{folder}' has no model; give a folder written by training.")
    if is_trained(folder):
        read_config(folder)  # sizes that are none are told before anything is loaded
    try:
        return _loaded(folder)
    except Exception as problem:  # transformers raises many kinds for a broken configuration
        raise TextMusicError(broken(folder, problem)) from None


def _loaded(folder: Path) -> MusicLLM:
    music = len(json.loads((folder / "vocabulary.json").read_text(encoding="utf-8")))
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    with torch.device("meta"):  # takes no memory, whatever sizes are stated
        shape = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    tied = {"lm_head.weight"} if config.tie_word_embeddings else set()
    check_shapes(shape.state_dict(), sorted(folder.glob("*.safetensors")), tied)
    lm = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, trust_remote_code=False, use_safetensors=True
    )
    check_finite(lm)
    return MusicLLM(lm, lm.get_input_embeddings().num_embeddings - music)


def save_llm(model: MusicLLM, folder: Path, tokenizer_folder: Path) -> None:
    """Weights (safetensors), config and tokenizer files as one model folder.

    LoRA is merged into the weights, so that the folder is one like any other; the adapter alone
    lies in its folder `adapter`, see `adapter.assemble`.
    """
    model.settle()
    if model.has_lora:
        # the trained rows are in it anyway; the text rows are the base model's
        model.lm.save_pretrained(folder / "adapter", save_embedding_layers=False)
        model = merge_lora(model)
    model.lm.save_pretrained(folder)
    copy_tokenizer(tokenizer_folder, folder)


def with_lora(model: MusicLLM, rank: int) -> MusicLLM:
    """The model with LoRA on its linear layers, and its music rows trainable (peft)."""
    from peft import LoraConfig, get_peft_model

    total = model.lm.get_input_embeddings().num_embeddings
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        target_modules="all-linear",
        exclude_modules=["lm_head"],
        trainable_token_indices={"embed_tokens": list(range(model.offset, total))},
        task_type="CAUSAL_LM",
    )
    return MusicLLM(get_peft_model(model.lm, config), model.offset)


def merge_lora(model: MusicLLM) -> MusicLLM:
    """A copy with its LoRA and its trained rows folded into the weights: an ordinary model."""
    return MusicLLM(copy.deepcopy(model.lm).merge_and_unload(), model.offset)
