"""What a model writes while it is being trained."""

from __future__ import annotations

import copy
from pathlib import Path

from textmusic.models.llm import MusicLLM, merge_lora
from textmusic.models.torch_engine import TorchEngine
from textmusic.music.plan import Plan
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.writing.text_to_music import TextToMusic

BARS, SEED = 8, 1  # of every sample, so that they compare


def write_sample(model: MusicLLM, stem: Path, *, tokenizer: Tokenizer, text: str) -> None:
    """Write a piece to a text as the model is now, 8 bars: <stem>.mid, and .json with its plan.

    It is a copy that writes: the engine has its own way to look back.
    """
    model.settle()
    device = next(model.parameters()).device
    plain = merge_lora(model) if model.has_lora else MusicLLM(copy.deepcopy(model.lm), model.offset)
    music = TextToMusic(TorchEngine(plain, device), tokenizer, stem.name)
    piece = music.generate(text, controls=Plan(bars=BARS), seed=SEED)
    piece.save(stem.parent, formats=("mid", "json"), stem=stem.name)
