"""An adapter and its base as one model.

The layout of an adapter is ours (`with_lora`), never read from its file: of its config only the
rank is taken.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from peft import set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers.utils.logging import disable_progress_bar

from textmusic.engines.adapter_files import CONFIG, WEIGHTS
from textmusic.errors import TextMusicError, one_line
from textmusic.models.export import open_llm
from textmusic.models.llm import merge_lora, save_llm, with_lora
from textmusic.tokens.sketch_counts import counts_file

MAX_RANK = 1024


def assemble(adapter: Path, base: Path, folder: Path) -> None:
    """Write the model that an adapter makes of its base, as training writes one.

    Raises TextMusicError where the adapter does not fit.
    """
    disable_progress_bar()  # it takes a moment only, and the terminal has a bar of its own
    try:
        rank = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))["r"]
        if type(rank) is not int or not 0 < rank <= MAX_RANK:
            raise ValueError(f"rank {rank}")
        model = with_lora(open_llm(base), rank)
        stored = load_file(adapter / WEIGHTS)
        loaded = set_peft_model_state_dict(model.lm, stored)
        strange = [*loaded.unexpected_keys, *(k for k in loaded.missing_keys if "lora_" in k)]
        if strange:
            raise ValueError(f"{len(strange)} weights, as {strange[0]}")
    except (OSError, ValueError, LookupError, TypeError, RuntimeError, SafetensorError) as problem:
        why = one_line(problem, 200)
        raise TextMusicError(
            f"'{adapter}' does not fit its base model ({why}); download it again."
        ) from None
    save_llm(merge_lora(model), folder, base)
    if counts := counts_file(base):
        shutil.copy(counts, folder / counts.name)
