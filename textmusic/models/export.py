"""A trained LLM as the quantised ONNX folder that `OnnxEngine` runs, and back again.

onnxruntime-genai's model builder writes the decoder graph (grouped-query attention, 8- or 4-bit
MatMulNBits). It is given the trunk alone: the graph takes embeddings, so that the text rows stay
out of it, and its head is the music rows, so that no text logit is ever computed.
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from textmusic.engines.folder import format_of, read_config
from textmusic.engines.onnx import Embeddings
from textmusic.errors import TextMusicError
from textmusic.models.llm import CONTEXT, MusicLLM, context_of, head_width, load_llm
from textmusic.tokens.tokenizer import copy_tokenizer

PRECISIONS = ("int8", "int4", "fp32")
GRAPH = ("model.onnx", "model.onnx.data")  # the files of a graph: what is computed, and weights


def export_onnx(
    model: MusicLLM,
    folder: Path,
    tokenizer_folder: Path,
    *,
    name: str,
    precision: str = "int8",
    context: int = CONTEXT,
) -> None:
    """Write model.onnx, embeddings.safetensors, textmusic.json and the tokenizer files.

    context: ids that the engine looks back on at most; the length trained on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.settle()
    lm = model.lm
    with tempfile.TemporaryDirectory() as work:
        _save_trunk(model, Path(work) / "trunk", tokenizer_folder)
        _build(Path(work) / "trunk", Path(work) / "onnx", precision)
        for part in GRAPH:
            shutil.move(str(Path(work) / "onnx" / part), folder / part)
    save_embeddings(lm.get_input_embeddings().weight.detach().float().numpy(), folder)
    config = {
        "format": format_of(tokenizer_folder),
        "name": name,
        "precision": precision,
        "context": context_of(lm.config, context),
        "layers": lm.config.num_hidden_layers,
        "kv_heads": lm.config.num_key_value_heads,
        "head_width": head_width(lm.config),
        "offset": model.offset,
        "llm": _plain_config(lm.config),
    }
    copy_tokenizer(tokenizer_folder, folder)
    # last, since it is what makes the folder a model
    (folder / "textmusic.json").write_text(json.dumps(config, indent=1) + "\n")


def save_embeddings(weight: np.ndarray[Any, np.dtype[np.float32]], folder: Path) -> None:
    """The embedding rows (V, D) as 8-bit integers with a float scale a row."""
    scale = np.abs(weight).max(axis=1, keepdims=True) / 127
    scale[scale == 0] = 1
    quantised = np.rint(weight / scale).astype(np.int8)
    save_file(
        {"quantised": quantised, "scale": scale.astype(np.float32)},
        folder / "embeddings.safetensors",
    )


def _save_trunk(model: MusicLLM, folder: Path, tokenizer_folder: Path) -> None:
    """The layers with the music rows as a small LM of its own."""
    from transformers import AutoModelForCausalLM

    config = copy.deepcopy(model.lm.config)
    rows = model.rows.detach()
    config.vocab_size, config.tie_word_embeddings = len(rows), False
    config.bos_token_id, config.eos_token_id, config.pad_token_id = 0, 2, 0
    trunk = AutoModelForCausalLM.from_config(config)
    state = {k: v for k, v in model.lm.state_dict().items() if "embed" not in k and "head" not in k}
    state["model.embed_tokens.weight"] = state["lm_head.weight"] = rows.contiguous()
    trunk.load_state_dict(state)
    trunk.float().save_pretrained(folder)
    # the builder insists on a text tokenizer beside the weights, though the graph never sees text
    shutil.copy(tokenizer_folder / "tokenizer.json", folder / "tokenizer.json")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"})
    )


def _build(trunk: Path, folder: Path, precision: str) -> None:
    """Run the builder through its command line, which is what its makers keep stable."""
    command = [sys.executable, "-P", "-m", "onnxruntime_genai.models.builder"]
    command += ["-i", str(trunk), "-o", str(folder), "-p", precision, "-e", "cpu"]
    command += ["--extra_options", "exclude_embeds=true", "int4_block_size=32"]
    command += ["int4_accuracy_level=4"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1][:200].rstrip(".")
        raise TextMusicError(
            f"the model could not be exported ({last}); free some space in"
            f" '{tempfile.gettempdir()}' and export it again."
        )


def _plain_config(config: Any) -> dict[str, Any]:
    """The LM's configuration without what only says where it was made."""
    kept = (int, float, str, bool, dict)
    return {
        name: value
        for name, value in config.to_dict().items()
        if isinstance(value, kept) and not name.startswith("_")
    }


def open_llm(folder: Path, *, older: bool = False) -> MusicLLM:
    """The LLM of a folder that training or `export_onnx` wrote; older: see `import_onnx`."""
    if (folder / "textmusic.json").exists():
        return import_onnx(folder, older=older)
    return load_llm(folder)


def import_onnx(folder: Path, *, older: bool = False) -> MusicLLM:
    """The LLM of an exported folder, its weights as the quantised graph holds them.

    This is where fine-tuning starts from when all there is of a model is what was bundled. older:
    whether its ids may be those of an older format, as `growing` wants it.
    """
    import onnx_ir
    from transformers import AutoConfig, AutoModelForCausalLM

    config = read_config(folder, older=older)
    if "llm" not in config:
        raise TextMusicError(f"'{folder}' is not an LLM; give the folder of one.")
    llm = dict(config["llm"])
    lm_config = AutoConfig.for_model(llm.pop("model_type"), **llm)
    lm = AutoModelForCausalLM.from_config(lm_config).float()
    stored = Embeddings(folder / "embeddings.safetensors")
    rows = stored[np.arange(lm_config.vocab_size)]
    state = {"model.embed_tokens.weight": torch.from_numpy(rows)}
    with _own_files(folder) as place:
        values = onnx_ir.load(place / "model.onnx").graph.initializers
        for name, value in values.items():
            if name.endswith(("weight_Q8", "weight_Q4")):
                scales = values[name[:-2] + "scales"].const_value.numpy()
                weight = _dequantised(value.const_value.numpy(), scales, bits=int(name[-1]))
                state |= _linear(name, torch.from_numpy(weight), lm_config)
            elif name.endswith("norm.weight"):
                norm = torch.from_numpy(np.array(value.const_value.numpy(), dtype=np.float32))
                target = "model.norm.weight" if "final_norm" in name else name
                state[target] = norm
    missing, unexpected = lm.load_state_dict(state, strict=False)
    if unexpected or set(missing) - {"lm_head.weight"}:
        raise TextMusicError(
            f"'{folder}' has no graph that training can start from; export it again."
        )
    return MusicLLM(lm, config["offset"])


@contextmanager
def _own_files(folder: Path) -> Iterator[Path]:
    """The folder of a graph and its weights, a copy of both where they are links.

    onnx_ir refuses weights that lie outside the graph's folder, as those in the Hub's cache do.
    """
    files = [folder / name for name in GRAPH]
    if not any(file.is_symlink() for file in files):
        yield folder
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as copied:
        for file in files:
            shutil.copy(file, copied)
        yield Path(copied)


def _dequantised(packed: Any, scales: Any, *, bits: int) -> Any:
    """(N, K) floats of MatMulNBits weights (N, blocks, bytes), symmetric around the middle."""
    values = packed
    if bits == 4:  # two to a byte, the lower half first
        values = np.stack([packed & 15, packed >> 4], axis=-1).reshape(*packed.shape[:2], -1)
    centred = values.astype(np.float32) - (1 << (bits - 1))
    return (centred * scales.reshape(*packed.shape[:2], 1)).reshape(len(packed), -1)


def _linear(name: str, weight: torch.Tensor, config: Any) -> dict[str, torch.Tensor]:
    """A graph's weight under the names that the LM gives it; query, key and value come as one."""
    if name.startswith("lm_head"):
        return {}  # the music rows of the embedding
    stem = name.partition(".MatMul")[0].replace(".attn.", ".self_attn.")
    if not stem.endswith("qkv_proj"):
        return {f"{stem}.weight": weight}
    keys = (
        len(weight)
        * config.num_key_value_heads
        // (config.num_attention_heads + 2 * config.num_key_value_heads)
    )
    parts = weight.split([len(weight) - 2 * keys, keys, keys])
    stem = stem.removesuffix("qkv_proj")
    return {f"{stem}{p}_proj.weight": w for p, w in zip("qkv", parts, strict=True)}
