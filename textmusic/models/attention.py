"""Causal attention in blocks of queries, for training on CPUs.

torch's own attention (2.13) spends most of its time on a CPU outside the matrix units. A block of
queries, the heads that share a key head stacked as its rows, is two plain products of matrices with
a softmax between them, which those units take at full speed; what the causal mask hides of later
blocks is never computed.
"""

from __future__ import annotations

import math
import time
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AttentionInterface

BLOCKS = "textmusic-blocks"  # the name under which transformers' models find it
BLOCK = 128  # queries


def in_blocks(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """Causal attention. query: (B, H, T, D); key, value: (B, G, T, D), G divides H. (B, H, T, D).

    The same as torch's scaled_dot_product_attention(is_causal=True, enable_gqa=True).
    """
    batch, heads, length, width = query.shape
    groups = key.shape[1]
    share = heads // groups
    query = (query * scale).view(batch, groups, share, length, width)
    key = key.reshape(batch * groups, length, width).mT
    value = value.reshape(batch * groups, length, width)
    blocks = []
    for begin in range(0, length, BLOCK):
        end = min(begin + BLOCK, length)
        rows = query[:, :, :, begin:end].reshape(batch * groups, -1, width)
        later = torch.full((end - begin, end), -math.inf, dtype=query.dtype).triu(begin + 1)
        scores = torch.baddbmm(later.repeat(share, 1), rows, key[:, :, :end])
        block = torch.bmm(scores.softmax(-1), value[:, :end])
        blocks.append(block.view(batch, groups, share, end - begin, width))
    return torch.cat(blocks, dim=3).view(batch, heads, length, width)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: None,
    *,
    scaling: float | None = None,
    **more: Any,
) -> tuple[Tensor, None]:
    """`in_blocks` as transformers calls it; returns (B, T, H, D) and no weights."""
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return in_blocks(query, key, value, scale).transpose(1, 2), None


def use_blocks(lm: Any) -> bool:
    """Let a causal LM attend in blocks, if its kind supports that; returns whether it does.

    Only for whole sequences padded on the right: there is no mask and no cache.
    """
    config = lm.config
    if any(getattr(config, name, None) for name in ("sliding_window", "attn_logit_softcapping")):
        return False
    AttentionInterface.register(BLOCKS, attend)
    lm.set_attn_implementation(BLOCKS)
    return bool(lm.config._attn_implementation == BLOCKS)


@cache
def blocks_are_faster(kind: torch.dtype) -> bool:
    """Whether this machine's CPU trains faster with blocks than with torch's own attention."""
    query = torch.randn(2, 9, 512, 64, dtype=kind, requires_grad=True)
    key, value = (torch.randn(2, 3, 512, 64, dtype=kind, requires_grad=True) for _ in range(2))

    def seconds(blocks: bool) -> float:
        began = time.perf_counter()
        if blocks:
            out = in_blocks(query, key, value, 0.125)
        else:
            out = F.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
        out.sum().backward()
        return time.perf_counter() - began

    # in turn, so that other work on the machine meets both; the first ones warm up
    rounds = [(seconds(blocks=True), seconds(blocks=False)) for _ in range(8)]
    return min(ours for ours, _ in rounds) < min(theirs for _, theirs in rounds)
