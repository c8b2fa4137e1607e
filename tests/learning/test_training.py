"""Training, LoRA, checkpoints and export, with a random model: logits stay equal at each stop."""

from __future__ import annotations

import json
import math
import random
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

import torch
from interrupted import train_two_steps
from make_tiny_model import CONTEXT
from tiny_run import STEPS, load_lora, losses, make_run

from textmusic.engines.onnx import Embeddings, OnnxEngine
from textmusic.errors import TextMusicError
from textmusic.learning.averages import KEY
from textmusic.learning.config import Training
from textmusic.learning.config_files import read_config
from textmusic.learning.examples import Examples, collate
from textmusic.learning.settings import schedule
from textmusic.models.export import export_onnx, import_onnx
from textmusic.models.llm import MusicLLM, load_llm, merge_lora, new_llm, with_lora
from textmusic.tokens.tokenizer import IGNORED, Tokenizer
from textmusic.writing.text_to_music import TextToMusic

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]
torch.set_num_threads(1)  # the model is tiny: threads would only wait for each other


@pytest.fixture
def model(base: Path) -> MusicLLM:
    return new_llm(str(base), len(Tokenizer(base).vocabulary))


@pytest.fixture
def ids() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).integers(0, 1100, (2, 30)))


def logits_of(model: MusicLLM, ids: torch.Tensor) -> torch.Tensor:
    model.eval()
    with torch.no_grad():
        return model.logits(ids)


# The model ----------------------------------------------------------------------------------------


def test_a_new_model_keeps_the_text_rows_and_adds_music_rows(base: Path, model: MusicLLM) -> None:
    from transformers import AutoModelForCausalLM

    pretrained = AutoModelForCausalLM.from_pretrained(base)
    text = pretrained.get_input_embeddings().weight
    assert model.offset == len(text) == Tokenizer(base).offset
    assert torch.equal(model.lm.get_input_embeddings().weight[: model.offset], text)
    assert len(model.rows) == len(Tokenizer(base).vocabulary)
    assert model.rows.std(dim=0).min() > 0, "no two rows alike"
    shallow = new_llm(str(base), 10, layers=1)
    assert shallow.lm.config.num_hidden_layers == 1
    first, same = (m.lm.base_model.layers[0].mlp.up_proj.weight for m in (shallow, model))
    assert torch.equal(first, same), "the first layers are kept"


def test_the_loss_is_over_music_ids_alone(model: MusicLLM, ids: torch.Tensor) -> None:
    labels = torch.full_like(ids, IGNORED)
    labels[0, 3], labels[1, 7] = 5, 6
    scores = torch.log_softmax(logits_of(model, ids), dim=-1)
    wanted = -(scores[0, 3, 5] + scores[1, 7, 6])
    with torch.no_grad():
        assert torch.isclose(model(ids, labels), wanted, atol=1e-5)


def test_right_padding_does_not_change_a_row_s_loss(model: MusicLLM, examples: Examples) -> None:
    rng = random.Random(3)
    made = [examples.make(examples.windows[i], rng, music=i % 2 == 0) for i in range(4)]
    assert len({len(e.ids) for e in made}) > 1

    def loss(batch: dict[str, Any]) -> float:
        with torch.no_grad():
            return float(model(torch.from_numpy(batch["ids"]), torch.from_numpy(batch["labels"])))

    alone = [loss(collate([example])) for example in made]
    assert loss(collate(made)) == pytest.approx(sum(alone), rel=1e-5)


# Runs ---------------------------------------------------------------------------------------------


def test_two_steps_save_reload_equal_logits(
    model: MusicLLM, base: Path, examples: Examples, ids: torch.Tensor, tmp_path: Path
) -> None:
    before = logits_of(model, ids)
    model.freeze_text_rows()
    make_run(model, tmp_path, examples).train()
    trained = logits_of(model, ids)
    assert not torch.allclose(before, trained, atol=1e-3)
    again = load_llm(tmp_path / "best")
    assert again.offset == model.offset
    assert torch.equal(logits_of(again, ids), trained)
    names = {file.name for file in (tmp_path / "best").iterdir()}
    assert {"model.safetensors", "vocabulary.json", "tokenizer.json", "remi.json"} <= names
    assert not any(name.endswith((".bin", ".pt", ".pkl", ".pth")) for name in names)
    curve = (tmp_path / "curve.png").read_bytes()
    assert curve.startswith(b"\x89PNG")


def test_text_rows_stay_as_pretrained_and_music_rows_learn(
    model: MusicLLM, examples: Examples, tmp_path: Path
) -> None:
    model.freeze_text_rows()
    weight = model.lm.get_input_embeddings().weight
    before = weight.detach().clone()
    make_run(model, tmp_path, examples).train()
    assert torch.equal(weight[: model.offset], before[: model.offset])
    assert not torch.equal(weight[model.offset :], before[model.offset :])


def test_a_few_more_steps_lower_the_loss(
    model: MusicLLM, examples: Examples, tmp_path: Path
) -> None:
    make_run(model, tmp_path, examples, replace(STEPS, steps=20, evaluate_every=20)).train()
    figures = losses(tmp_path)
    assert len(figures) == 20
    assert np.mean(figures[-5:]) < np.mean(figures[:5]) - 0.5


def test_an_interrupted_run_goes_on_with_the_identical_losses(
    base: Path, examples: Examples, tmp_path: Path
) -> None:
    four = replace(STEPS, steps=4, evaluate_every=4)
    vocabulary = len(Tokenizer(base).vocabulary)
    make_run(new_llm(str(base), vocabulary), tmp_path / "whole", examples, four).train()

    first = make_run(new_llm(str(base), vocabulary), tmp_path / "parts", examples, four)
    train_two_steps(first)
    second = make_run(new_llm(str(base), vocabulary, seed=9), tmp_path / "parts", examples, four)
    assert second.step == 1, "that of step 2 had not been confirmed by a loss"
    second.train()
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    assert not list((tmp_path / "parts").glob("*.partial"))


def test_a_finished_run_does_nothing_more(
    base: Path, examples: Examples, tmp_path: Path, model: MusicLLM
) -> None:
    make_run(model, tmp_path, examples).train()
    done = losses(tmp_path)
    make_run(new_llm(str(base), len(model.rows)), tmp_path, examples).train()
    assert losses(tmp_path) == done


def test_a_loss_that_is_no_number_stops_with_the_remedy(
    model: MusicLLM, examples: Examples, tmp_path: Path
) -> None:
    with torch.no_grad():
        model.lm.get_input_embeddings().weight[-1] = math.nan
    with pytest.raises(TextMusicError, match=r"not a number.*lower learning rate"):
        make_run(model, tmp_path, examples).train()


def test_the_learning_rate_rises_holds_and_falls_to_nothing() -> None:
    factors = [schedule(done, 0.1, 0.4) for done in np.linspace(0, 1, 21)]
    assert factors[0] == 0.02 and factors[1] == pytest.approx(0.5)
    assert factors[2:13] == pytest.approx([1.0] * 11)
    assert factors[12:] == pytest.approx(list(np.linspace(1, 0, 9)))
    assert schedule(0.0, 0.0, 1.0) == 1.0, "no warm-up at all"
    assert schedule(1.0, 0.0, 0.0) == 1.0, "no decay at all"


def test_a_run_that_is_held_can_be_prolonged(
    base: Path, model: MusicLLM, examples: Examples, tmp_path: Path
) -> None:
    hold = replace(STEPS, decay=0.0)
    make_run(model, tmp_path / "one", examples, hold).train()
    prolonged = make_run(model, tmp_path / "one", examples, replace(hold, steps=4))
    assert prolonged.step == 2
    prolonged.train()
    whole = new_llm(str(base), len(Tokenizer(base).vocabulary))
    make_run(whole, tmp_path / "two", examples, replace(hold, steps=4)).train()
    assert losses(tmp_path / "one") == losses(tmp_path / "two")


def trained_matrix(model: MusicLLM) -> torch.Tensor:
    return model.lm.base_model.layers[0].self_attn.q_proj.weight.detach().clone()


def test_with_a_moving_average_the_model_is_the_average(
    base: Path, model: MusicLLM, examples: Examples, tmp_path: Path
) -> None:
    steps = replace(STEPS, steps=30, evaluate_every=30, decay=0.0)
    plain = new_llm(str(base), len(model.rows))
    run = make_run(plain, tmp_path / "plain", examples, steps)
    passed: list[torch.Tensor] = []
    run.optimizer.optimizer.register_step_post_hook(lambda *_: passed.append(trained_matrix(plain)))
    run.train()
    wanted = passed[0]
    for step, weights in enumerate(passed[1:], 2):
        wanted = torch.lerp(wanted, weights, max(0.25, 9 / (step + 9)))
    assert not torch.allclose(wanted, passed[-1], atol=1e-3)

    make_run(model, tmp_path / "ema", examples, replace(steps, ema=0.75)).train()
    assert losses(tmp_path / "ema") == losses(tmp_path / "plain"), "the same is learnt"
    last, other = (losses(tmp_path / name, "held_out")[-1] for name in ("plain", "ema"))
    assert last != other
    assert torch.equal(trained_matrix(model), passed[-1]), "the weights are back in their place"
    assert torch.allclose(trained_matrix(load_llm(tmp_path / "ema" / "best")), wanted, atol=1e-6)


def test_a_branch_leaves_the_average_behind(
    base: Path, model: MusicLLM, examples: Examples, tmp_path: Path
) -> None:
    hold = replace(STEPS, steps=6, decay=0.0, ema=0.9)
    run = make_run(model, tmp_path / "one", examples, hold)
    run.train()
    assert all(KEY in state for state in run.optimizer.optimizer.state.values())
    other = new_llm(str(base), len(model.rows))
    branch = make_run(other, tmp_path / "two", examples, branch_of=tmp_path / "one")
    assert torch.equal(trained_matrix(other), trained_matrix(model))
    branch.train()
    assert not any(KEY in state for state in branch.optimizer.optimizer.state.values())


def test_a_branch_begins_with_the_weights_and_moments_of_another_run(
    base: Path, model: MusicLLM, examples: Examples, tmp_path: Path
) -> None:
    make_run(model, tmp_path / "one", examples).train()
    known = losses(tmp_path / "one", "held_out")[-1]
    other = new_llm(str(base), len(Tokenizer(base).vocabulary))
    branch = make_run(other, tmp_path / "two", examples, branch_of=tmp_path / "one")
    assert branch.step == 0
    moments = branch.optimizer.optimizer.state_dict()["state"]
    assert moments and all(float(state["step"]) == 2 for state in moments.values())
    branch.train()
    assert losses(tmp_path / "two", "held_out")[0] == pytest.approx(known, rel=1e-5)
    with pytest.raises(TextMusicError, match="has no checkpoint"):
        make_run(model, tmp_path / "three", examples, branch_of=tmp_path / "none")


# LoRA and export ----------------------------------------------------------------------------------


def test_lora_trains_adapters_and_music_rows_only(
    model: MusicLLM, examples: Examples, tmp_path: Path
) -> None:
    text = model.lm.get_input_embeddings().weight[: model.offset].detach().clone()
    query = model.lm.base_model.layers[0].self_attn.q_proj.weight.detach().clone()
    lora = with_lora(model, 4)
    before = lora.rows.detach().clone()
    make_run(lora, tmp_path, examples).train()
    merged = merge_lora(lora)
    assert torch.equal(merged.lm.get_input_embeddings().weight[: model.offset], text)
    assert not torch.equal(merged.rows, before)
    assert not torch.equal(merged.lm.base_model.layers[0].self_attn.q_proj.weight, query)
    base_query = lora.lm.get_base_model().base_model.layers[0].self_attn.q_proj.base_layer
    assert torch.equal(base_query.weight, query), "merging is done on a copy"


def test_lora_two_steps_save_reload_merge_reload_export(
    base: Path, examples: Examples, ids: torch.Tensor, tmp_path: Path
) -> None:
    """The whole road that a fine-tuned model takes, with the same logits at every stop."""
    vocabulary = len(Tokenizer(base).vocabulary)
    lora = with_lora(new_llm(str(base), vocabulary), 4)
    make_run(lora, tmp_path, examples).train()
    trained = logits_of(lora, ids)
    assert not torch.allclose(trained, logits_of(new_llm(str(base), vocabulary), ids), atol=1e-3)

    adapter = tmp_path / "best" / "adapter"
    size = sum(file.stat().st_size for file in adapter.glob("*.safetensors"))
    assert 0 < size < 200_000, "adapter and music rows, not the whole model"
    reloaded = load_lora(new_llm(str(base), vocabulary), adapter)
    assert torch.allclose(logits_of(reloaded, ids), trained, atol=1e-6)
    assert torch.allclose(logits_of(merge_lora(reloaded), ids), trained, atol=1e-5)
    merged = load_llm(tmp_path / "best")
    assert torch.allclose(logits_of(merged, ids), trained, atol=1e-5)

    export_onnx(merged, tmp_path / "fp32", base, name="tuned", precision="fp32", context=CONTEXT)
    engine = OnnxEngine(tmp_path / "fp32", threads=1)
    embedded = torch.from_numpy(
        Embeddings(tmp_path / "fp32" / "embeddings.safetensors")[ids.numpy()]
    )
    with torch.no_grad():  # the graph's input rows are 8-bit, its head is exact
        hidden = merged.lm.base_model(inputs_embeds=embedded).last_hidden_state
        exact = (hidden @ merged.rows.T).numpy()
    assert np.abs(np.stack([engine.logits(row) for row in ids.numpy()]) - exact).max() < 1e-3
    assert np.abs(exact - trained.numpy()).max() < 0.05, "8-bit input rows cost next to nothing"

    made = TextToMusic.from_pretrained(tmp_path / "fp32", threads=1).generate("2 bars", seed=1)
    assert made.report.measured.bars == 2
    assert made.model == "fp32"


def test_an_int8_export_is_close_and_can_be_trained_on(
    model: MusicLLM, base: Path, ids: torch.Tensor, tmp_path: Path
) -> None:
    """Tolerances: 8 bits move logits (of a spread of 0.1 here) by less than 0.02."""
    export_onnx(model, tmp_path / "int8", base, name="small", precision="int8", context=256)
    exact = logits_of(model, ids).numpy()
    engine = OnnxEngine(tmp_path / "int8", threads=1)
    rough = np.stack([engine.logits(row) for row in ids.numpy()])
    assert engine.context == 256
    assert np.abs(rough - exact).max() < 0.02
    assert np.corrcoef(rough.ravel(), exact.ravel())[0, 1] > 0.99
    again = import_onnx(tmp_path / "int8")
    assert again.offset == model.offset
    assert np.abs(logits_of(again, ids).numpy() - rough).max() < 0.02
    assert np.abs(logits_of(again, ids).numpy() - exact).max() < 0.02
    for name in ("lm.base_model.layers.0.self_attn.q_proj", "lm.base_model.layers.1.mlp.down_proj"):
        mine, theirs = (
            m.get_submodule(name.replace("base_model", "model")).weight for m in (again, model)
        )
        assert (mine - theirs).abs().max() < theirs.abs().max() / 100, name


def test_the_figures_of_every_step_go_to_the_tracker(
    model: MusicLLM, examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(model, tmp_path, examples)
    sent: list[tuple[int, set[str]]] = []
    monkeypatch.setattr(
        run.accelerator, "log", lambda figures, step: sent.append((step, set(figures)))
    )
    run.train()
    assert [step for step, _ in sent] == [0, 1, 2, 2]
    assert "held_out" in sent[0][1] and {"loss", "ids_per_second"} <= sent[1][1]


def test_training_configs_name_known_fields_and_sources() -> None:
    configs = Path(__file__).parents[2] / "training" / "configs"
    known = set(json.loads((configs / "cpu.json").read_text())["mix"])
    choices = {configs / "ablation.json", configs / "choices.json"}
    made_of = {
        "training",
        "base",
        "layers",
        "pretrained",
        "lora",
        "spelling",
        "fills",
        "favoured",
        "interleaved",
    }
    for path in choices:
        plan = json.loads(path.read_text())
        known_fields = {field.name for field in fields(Training)}
        assert set(plan["training"]) <= known_fields
        for changes in plan["variants"].values():
            assert set(changes) <= made_of
            assert set(changes.get("spelling", {})) <= {"running", "sketch"}
            assert set(changes.get("training", {})) <= known_fields
    for path in set(configs.glob("*.json")) - choices:
        config = read_config(path)
        assert config.mix is not None and set(config.mix) <= known, path.name
        assert config.training.steps > 0
