"""A model with a changed music vocabulary: old rows are kept, new rows start from related ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from textmusic.models.llm import MusicLLM
from textmusic.music.chords import QUALITIES

OCTAVES = (48, 60)  # where the tones of a chord are looked up: the middle of the keyboard
NOISE = 0.1  # of the spread of all rows, so that no two rows start equal


def grown(model: MusicLLM, had: Sequence[str], wanted: Sequence[str], *, seed: int = 0) -> MusicLLM:
    """The model with rows for another vocabulary, in its order.

    had, wanted: music tokens before and after. A token that the model had keeps its row. A new one
    begins with the mean of the rows that it resembles, plus a little noise: a chord of its pitches,
    a bar that is named in the sketch of that bar, a beat of its position.
    """
    lm, offset = model.lm, model.offset
    old: Tensor = lm.get_input_embeddings().weight.detach()[offset:].clone()
    index = {token: i for i, token in enumerate(had)}
    noise = torch.Generator().manual_seed(seed)
    rows = []
    for token in wanted:
        if token in index:
            rows.append(old[index[token]])
            continue
        kin = [index[other] for other in resembled(token) if other in index]
        mean = old[kin].mean(0) if kin else old.mean(0)
        rows.append(mean + torch.randn(old.shape[1], generator=noise) * old.std() * NOISE)
    lm.resize_token_embeddings(offset + len(wanted), mean_resizing=False)
    with torch.no_grad():
        lm.get_input_embeddings().weight[offset:] = torch.stack(rows)
    return MusicLLM(lm, offset)


def resembled(token: str) -> list[str]:
    """Older tokens that a token of format 3 resembles; [] for none."""
    kind, _, value = token.partition("_")
    if kind == "Chord" and value != "none":
        root, _, quality = value.partition("-")
        steps = QUALITIES[quality][0]
        return [f"Pitch_{octave + int(root) + step}" for octave in OCTAVES for step in steps]
    if kind in ("Like", "Vary"):
        return [f"Bar_{value}"]
    if kind == "Beat":
        return [f"Position_{12 * int(value)}"]
    if token == "New":
        return [f"Bar_{n}" for n in range(1, 17)]
    return {"<|sketch|>": ["<|score|>"], "<|fill|>": ["<|score|>"]}.get(token, [])
