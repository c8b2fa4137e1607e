"""A shallower model made of some layers of a deeper one, for further training.

All layers of a transformer add to one residual stream, so leaving one out disturbs the others
little (Men et al. 2024, ShortGPT, arXiv 2403.03853); further training repairs the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from textmusic.errors import TextMusicError
from textmusic.models.llm import MusicLLM


def cut(model: MusicLLM, kept: Sequence[int]) -> MusicLLM:
    """The model with only the given layers, counted from 0, in that order.

    Raises TextMusicError where it has no such layer, or its layers are not found.
    """
    lm = model.lm
    layers = getattr(lm.base_model, "layers", None)
    if not isinstance(layers, nn.ModuleList):
        raise TextMusicError(
            f"the layers of a {type(lm).__name__} can't be found; train the whole model."
        )
    missing = sorted(set(kept) - set(range(len(layers))))
    if missing or not kept:
        raise TextMusicError(
            f"layers {list(kept)} do not exist; choose from 0 to {len(layers) - 1}."
        )
    lm.base_model.layers = nn.ModuleList(layers[i] for i in kept)
    lm.config.num_hidden_layers = len(kept)
    for place, layer in enumerate(lm.base_model.layers):
        layer.self_attn.layer_idx = place
    kinds = getattr(lm.config, "layer_types", None)
    if kinds:
        lm.config.layer_types = [kinds[i] for i in kept]
    return model
