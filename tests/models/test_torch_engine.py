"""The torch engine: what training wrote makes music as it is, and the same as its ONNX export."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

import torch
from engine_checks import check_read_ahead, some_ids

from textmusic.engines.onnx import OnnxEngine
from textmusic.errors import TextMusicError
from textmusic.models.export import export_onnx
from textmusic.models.llm import load_llm
from textmusic.models.torch_engine import TorchEngine
from textmusic.writing.loading import open_engine
from textmusic.writing.text_to_music import TextToMusic

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]
torch.set_num_threads(1)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export_onnx(load_llm(trained), folder, trained, name="tiny", precision="fp32")
    return folder


@pytest.fixture(scope="module")
def onnx(exported: Path) -> OnnxEngine:
    return OnnxEngine(exported, threads=1)


@pytest.fixture(params=[False, True], ids=["as-needed", "fixed"])
def engine(request: pytest.FixtureRequest, trained: Path) -> TorchEngine:
    return TorchEngine(load_llm(trained), CPU, fixed=request.param)


def test_every_logit_is_the_model_s(engine: TorchEngine, trained: Path) -> None:
    ids = some_ids(40)
    with torch.no_grad():
        exact = load_llm(trained).eval().logits(torch.from_numpy(ids)[None])[0].numpy()
    found = engine.logits(ids)
    assert found.dtype == np.float32 and np.allclose(found, exact, atol=1e-5)
    stepped = [engine.prefill(range(1), ids[:10])]
    stepped += [engine.step(ids[t : t + 1])[0] for t in range(10, 40)]
    assert np.allclose(stepped, exact[9:], atol=1e-5)


def test_slots_give_what_the_onnx_engine_s_give(engine: TorchEngine, onnx: OnnxEngine) -> None:
    """Prefills of other lengths, shared ones, steps of some and of all slots, moves, rereading."""

    def written(on: TorchEngine | OnnxEngine) -> list[Any]:
        on.reserve(4)
        rows = [on.prefill(range(2), some_ids(30)), on.prefill(range(2, 4), some_ids(5, 1))]
        rows.extend(on.step(some_ids(4, 2)))
        rows.extend(on.step(some_ids(2, 3)))  # the other two rest
        rows.extend(on.step(some_ids(4, 4)))
        on.move(3, 0)
        rows.extend(on.step(some_ids(3, 5)))
        rows.append(on.prefill(range(1, 2), some_ids(12, 6)))
        rows.extend(on.step(some_ids(4, 7)))
        assert [on.length(slot) for slot in range(4)] == [9, 13, 9, 8]
        return rows

    assert np.allclose(written(engine), written(onnx), atol=1e-4)


def test_the_whole_context_can_be_read(engine: TorchEngine) -> None:
    engine.reserve(2)
    ids = some_ids(engine.context)
    engine.prefill(range(1), ids[:-1])
    engine.prefill(range(1, 2), ids)  # full: it rests while the other one goes on
    assert np.allclose(engine.step(ids[-1:])[0], engine.logits(ids)[-1], atol=1e-4)
    with pytest.raises(ValueError, match="do not fit"):
        engine.step(ids[-1:])
    with pytest.raises(ValueError, match="do not fit"):
        engine.prefill(range(1), some_ids(engine.context + 1))


def test_what_is_read_ahead_is_as_if_it_had_been_read_id_by_id(engine: TorchEngine) -> None:
    check_read_ahead(engine)


def test_no_more_is_read_ahead_than_fits(engine: TorchEngine) -> None:
    engine.reserve(1)
    engine.prefill(range(1), some_ids(engine.context - 5))
    with pytest.raises(ValueError, match="6 more ids do not fit the context"):
        engine.extend(0, some_ids(6))
    engine.extend(0, some_ids(5))
    assert engine.length(0) == engine.context


def test_too_many_slots_are_said(engine: TorchEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(shape: int | tuple[int, ...], **_: Any) -> Any:
        if isinstance(shape, tuple):  # the new cache; 0 is what the old one is let go for
            raise torch.OutOfMemoryError
        return torch.empty(shape)

    monkeypatch.setattr(torch, "zeros", full)
    with pytest.raises(TextMusicError, match="too little memory for 9999 pieces"):
        engine.reserve(9999)


def test_bfloat16_is_close_and_rotates_with_all_its_bits(trained: Path) -> None:
    """What a GPU does, but for the graph: half the bits, steps of one shape."""
    half = TorchEngine(load_llm(trained), CPU, dtype=torch.bfloat16, fixed=True)
    full = TorchEngine(load_llm(trained), CPU)
    ids = some_ids(600)
    for engine in (half, full):
        engine.prefill(range(1), ids[:-1])
    rough, exact = (engine.step(ids[-1:])[0] for engine in (half, full))
    assert not np.array_equal(rough, exact)
    assert np.abs(rough - exact).max() < 0.05 * np.ptp(exact)
    assert half._trunk.rotary_emb.inv_freq.dtype == torch.float32


def test_the_same_seed_gives_the_same_music_as_the_export(trained: Path, exported: Path) -> None:
    first, second = (TextToMusic.from_pretrained(f, threads=1) for f in (trained, exported))
    assert isinstance(first.engine, TorchEngine) and isinstance(second.engine, OnnxEngine)
    for music in (first, second):
        music.engine.context = 96  # so that it has to be read anew now and then
    made, same = (
        [p.score.dumps_midi() for p in music.generate_many("a waltz, 8 bars", 3, seed=1)]
        for music in (first, second)
    )
    assert made == same
    assert len(set(made)) == 3


def test_an_lm_that_looks_back_otherwise_is_refused(trained: Path) -> None:
    model = load_llm(trained)
    for layer in model.lm.base_model.layers:
        layer.self_attn.forward = with_window(layer.self_attn.forward)
    with pytest.raises(TextMusicError, match=r"LlamaAttention layers; export"):
        TorchEngine(model, CPU).prefill(range(1), some_ids(3))


def with_window(forward: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given, **named: forward(*given, sliding_window=4, **named)


def test_without_torch_the_remedy_is_said(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "textmusic.models.torch_engine", raising=False)
    with pytest.raises(TextMusicError, match=r"pip install 'textmusic\[train\]', or export"):
        open_engine(trained)


@pytest.mark.parametrize("name", ["model.safetensors", "vocabulary.json", "tokenizer.json"])
def test_a_trained_folder_that_is_not_whole_is_said(
    trained: Path, tmp_path: Path, name: str
) -> None:
    for content in (None, b"", b"[1"):
        shutil.copytree(trained, tmp_path / "copy", dirs_exist_ok=True)
        if content is None:
            (tmp_path / "copy" / name).unlink()
        else:
            (tmp_path / "copy" / name).write_bytes(content)
        with pytest.raises(TextMusicError, match="not a complete textmusic model"):
            TextToMusic.from_pretrained(tmp_path / "copy")


def test_a_recurrent_model_asks_to_be_exported(tmp_path: Path) -> None:
    (tmp_path / "recurrent.json").write_text(json.dumps({"cell": "lstm"}))
    with pytest.raises(TextMusicError, match=r"recurrent model.*training/export\.py"):
        TextToMusic.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vocab_size": 10**12}, "no vocab_size from 2"),
        ({"vocab_size": "300"}, "no vocab_size from 2"),
        ({"vocab_size": True}, "no vocab_size from 2"),
        ({"vocab_size": 50}, "vocabulary.json is from another model"),
        ({"hidden_size": 10**9}, "no hidden_size from 1"),
        ({"hidden_size": -8}, "no hidden_size from 1"),
        ({"num_hidden_layers": 10**8}, "no num_hidden_layers from 1"),
        ({"num_hidden_layers": 256}, "its weights lack"),
        ({"num_hidden_layers": 1}, "which is no part of it"),
        ({"intermediate_size": 7}, "another shape in"),
        ({"num_attention_heads": 0}, "no num_attention_heads from 1"),
        ({"max_position_embeddings": 10**30}, "no max_position_embeddings from 64"),
        ({"max_position_embeddings": 1}, "no max_position_embeddings from 64"),
        ({"model_type": "no such"}, ""),
        ({"model_type": ["llama"]}, ""),
        ({"auto_map": {"AutoConfig": "x.Y", "AutoModelForCausalLM": "x.Y"}, "model_type": "x"}, ""),
    ],
    ids=str,
)
def test_a_trained_folder_of_other_sizes_is_refused_before_it_is_loaded(
    trained: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    shutil.copytree(trained, tmp_path / "copy")
    (tmp_path / "copy" / "x.py").write_text("open('was run', 'w')")
    file = tmp_path / "copy" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    with pytest.raises(TextMusicError, match="not a complete textmusic model") as problem:
        TextToMusic.from_pretrained(tmp_path / "copy")
    assert said in str(problem.value) and "\n" not in str(problem.value)
    assert not Path("was run").exists()


@pytest.mark.parametrize("content", ["[]", "null", "[" * 100_000, '{"vocab_size": 1e999}', "7"])
@pytest.mark.parametrize("name", ["config.json", "vocabulary.json"])
def test_a_trained_folder_of_other_json_is_refused(
    trained: Path, tmp_path: Path, name: str, content: str
) -> None:
    shutil.copytree(trained, tmp_path / "copy")
    (tmp_path / "copy" / name).write_text(content)
    with pytest.raises(TextMusicError) as problem:
        TextToMusic.from_pretrained(tmp_path / "copy")
    assert "\n" not in str(problem.value)


def test_trained_weights_that_are_no_numbers_or_lack_are_refused(
    trained: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(trained / "model.safetensors")
    name = next(name for name in weights if "layers.0" in name)

    def refused(changed: dict[str, Any], said: str) -> None:
        shutil.copytree(trained, tmp_path / "copy", dirs_exist_ok=True)
        save_file(changed, tmp_path / "copy" / "model.safetensors", {"format": "pt"})
        with pytest.raises(TextMusicError, match=said):
            TextToMusic.from_pretrained(tmp_path / "copy")

    for value in (float("nan"), float("inf")):
        bad = weights[name].clone()
        bad.view(-1)[3] = value
        refused(weights | {name: bad}, "its weights are no numbers in")
    refused({n: w for n, w in weights.items() if n != name}, f"its weights lack {name}")
    refused(weights | {name: weights[name][:-1].clone()}, f"another shape in {name}")
    refused(weights | {"more": torch.zeros(2)}, "have more, which is no part of it")
    # pickles may run code when they are read, and are not
    (tmp_path / "copy" / "model.safetensors").unlink()
    torch.save(weights, tmp_path / "copy" / "pytorch_model.bin")
    with pytest.raises(TextMusicError, match="its weights lack"):
        TextToMusic.from_pretrained(tmp_path / "copy")
