"""A trained LLM as a standard folder: plain transformers loads it, and so do servers of LLMs.

The weights are as trained, text rows then music rows, tied: input and head in one. Training asks
for music ids alone, so what such a head says of text ids means nothing, and is loud. It has no bias
to silence them with; whoever generates allows the ids of scores only. `grammar.json` lists them for
servers, and generation_config.json suppresses all others where transformers generates.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path

from transformers import GenerationConfig

from textmusic.errors import TextMusicError
from textmusic.models.llm import MusicLLM, context_of
from textmusic.tokens.folding import END
from textmusic.tokens.layout import layout_of
from textmusic.tokens.sampling import Sampling
from textmusic.tokens.score_grammar import FOLLOWERS, allowed_ids
from textmusic.tokens.tokenizer import Tokenizer


def export_llama(model: MusicLLM, folder: Path, tokenizer_folder: Path) -> None:
    """Write config.json, model.safetensors, generation_config.json, the tokenizer and grammar.json.

    The weights keep 32 bits; servers round them as they like.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(tokenizer_folder)
    end = model.offset + tokenizer.index[END]
    model.settle()
    model.lm.save_pretrained(folder)
    config = copy.deepcopy(model.lm.config)
    config.bos_token_id, config.eos_token_id, config.pad_token_id = None, end, end
    config.max_position_embeddings = context_of(config)
    # transformers 4, which servers may bring, knows no rope_parameters and would take its default
    config.rope_theta = config.rope_parameters["rope_theta"]
    config.save_pretrained(folder)
    allowed = allowed_ids(tokenizer)
    defaults = Sampling()
    GenerationConfig(
        do_sample=True,
        temperature=defaults.temperature,
        top_p=defaults.top_p,
        top_k=0,
        suppress_tokens=sorted(set(range(config.vocab_size)) - set(allowed)),
        eos_token_id=end,
        pad_token_id=end,
    ).save_pretrained(folder)
    _save_tokenizer(tokenizer, folder, model.offset)
    spans = layout_of(tokenizer.vocabulary).spans
    grammar = {
        "allowed_token_ids": allowed,
        "eos_token_id": end,
        "interleaved": tokenizer.interleaved,
        "kinds": {k: [model.offset + i for i in spans[k]] for k in FOLLOWERS | {END: ()}},
        "followers": FOLLOWERS,
    }
    (folder / "grammar.json").write_text(json.dumps(grammar) + "\n", encoding="utf-8")


def _save_tokenizer(tokenizer: Tokenizer, folder: Path, offset: int) -> None:
    """The text tokenizer with a token for every music id behind the text ids.

    Only `<|end|>` is special: answers that are shown as text keep all the others.
    """
    from tokenizers import AddedToken
    from tokenizers import Tokenizer as Text

    text = Text.from_file(str(tokenizer.folder / "tokenizer.json"))
    text.add_tokens(
        [AddedToken(t, normalized=False, special=t == END) for t in tokenizer.vocabulary]
    )
    ids = [text.token_to_id(token) for token in tokenizer.vocabulary]
    if ids != list(range(offset, offset + len(ids))):
        raise TextMusicError(
            f"'{tokenizer.folder}' has a text tokenizer whose size does not match the model; give"
            " a folder written by training."
        )
    state = json.loads(text.to_str())
    state["post_processor"] = None  # what begins every text with a token of the pretrained model
    (folder / "tokenizer.json").write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "pad_token": END,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
