"""A trained recurrent model as the ONNX folder that `RecurrentEngine` runs."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from textmusic.engines.folder import format_of
from textmusic.models.recurrent import MusicRNN
from textmusic.tokens.tokenizer import copy_tokenizer

# In which order ONNX wants the gates that torch keeps as lstm: i f g o, gru: r z n.
GATES = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}
OPERATORS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}


def export_recurrent(
    model: MusicRNN, folder: Path, tokenizer_folder: Path, *, name: str, precision: str = "int8"
) -> None:
    """Write encoder.onnx, decoder.onnx, textmusic.json and the tokenizer files.

    precision: "int8" quantises weights (onnxruntime's dynamic quantisation; of the three cells it
    knows LSTM alone, the others keep 32 bits there), "fp32" none.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder.mkdir(parents=True, exist_ok=True)
    for part in ("encoder", "decoder"):
        graph = _graph(model, part)
        target = folder / f"{part}.onnx"
        if precision == "fp32":
            onnx.save(graph, target)
            continue
        with tempfile.TemporaryDirectory() as work:
            exact = Path(work) / "exact.onnx"
            onnx.save(graph, exact)
            quantize_dynamic(
                exact,
                target,
                weight_type=QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=["LSTM", "MatMul", "Gather"],
                extra_options={"MatMulConstBOnly": True},
            )
    shape = model.shape
    config = {
        "format": format_of(tokenizer_folder),
        "architecture": "recurrent",
        "cell": shape.cell,
        "name": name,
        "precision": precision,
        "layers": shape.layers,
        "hidden": shape.hidden,
        "offset": model.offset,
    }
    (folder / "textmusic.json").write_text(json.dumps(config, indent=1) + "\n")
    copy_tokenizer(tokenizer_folder, folder)


def _graph(model: MusicRNN, part: str) -> Any:
    """ids (T, B) and state (layers, B, H), for LSTM cells too -> logits (T, B, M) and state."""
    from onnx import TensorProto, helper, numpy_helper

    shape = model.shape
    weights = {n: v.detach().cpu().numpy() for n, v in model.state_dict().items()}
    embed = "text_embed.weight" if part == "encoder" else "music_embed.weight"
    constants = {"rows": weights[embed], "axis": np.array([1], dtype=np.int64)}
    nodes = [helper.make_node("Gather", ["rows", "ids"], ["x0"])]
    kinds = ("h", "c") if shape.cell == "lstm" else ("h",)
    for kind in kinds:
        layers = [f"{kind}{k}" for k in range(shape.layers)]
        nodes.append(
            helper.make_node("Split", [kind], layers, axis=0, num_outputs=shape.layers)
            if shape.layers > 1
            else helper.make_node("Identity", [kind], layers)
        )
    for k in range(shape.layers):
        constants |= _cell_weights(weights, part, k, shape.cell)
        inputs = [f"x{k}", f"W{k}", f"R{k}", f"B{k}", "", *(f"{kind}{k}" for kind in kinds)]
        more = {"linear_before_reset": 1} if shape.cell == "gru" else {}
        outputs = [f"y{k}", *(f"{kind}{k}_next" for kind in kinds)]
        nodes += [
            helper.make_node(
                OPERATORS[shape.cell], inputs, outputs, hidden_size=shape.hidden, **more
            ),
            helper.make_node("Squeeze", [f"y{k}", "axis"], [f"x{k + 1}"]),  # the one direction
        ]
    states = ["layers", "B", shape.hidden]
    results = []
    for kind in kinds:
        after = [f"{kind}{k}_next" for k in range(shape.layers)]
        nodes.append(helper.make_node("Concat", after, [f"{kind}_next"], axis=0))
        results.append(helper.make_tensor_value_info(f"{kind}_next", TensorProto.FLOAT, states))
    if part == "decoder":
        constants |= {
            "narrow": weights["narrow.weight"].T.copy(),
            "narrow_bias": weights["narrow.bias"],
            "wide": weights["music_embed.weight"].T.copy(),
            "bias": weights["bias"],
        }
        nodes += [
            helper.make_node("MatMul", [f"x{shape.layers}", "narrow"], ["n0"]),
            helper.make_node("Add", ["n0", "narrow_bias"], ["n1"]),
            helper.make_node("MatMul", ["n1", "wide"], ["n2"]),
            helper.make_node("Add", ["n2", "bias"], ["logits"]),
        ]
        results.append(
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["T", "B", shape.music])
        )
    inputs = [helper.make_tensor_value_info("ids", TensorProto.INT64, ["T", "B"])]
    inputs += [helper.make_tensor_value_info(kind, TensorProto.FLOAT, states) for kind in kinds]
    graph = helper.make_graph(
        nodes, part, inputs, results, [numpy_helper.from_array(v, n) for n, v in constants.items()]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def _cell_weights(weights: dict[str, Any], part: str, layer: int, cell: str) -> dict[str, Any]:
    """A layer's weights as ONNX names and orders them: W, R (1, gates x H, .), B (1, .)."""

    def ordered(name: str) -> Any:
        value = weights[f"{part}.{name}_l{layer}"]
        gates = np.split(value, len(GATES[cell]))
        return np.concatenate([gates[i] for i in GATES[cell]])

    return {
        f"W{layer}": ordered("weight_ih")[None],
        f"R{layer}": ordered("weight_hh")[None],
        f"B{layer}": np.concatenate([ordered("bias_ih"), ordered("bias_hh")])[None],
    }
