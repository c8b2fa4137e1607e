"""A model with fewer layers: those that were kept do what they did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from textmusic.errors import TextMusicError  # noqa: E402
from textmusic.learning.config import RunConfig  # noqa: E402
from textmusic.learning.runs import make_model  # noqa: E402
from textmusic.models.cutting import cut  # noqa: E402
from textmusic.models.llm import MusicLLM, load_llm, new_llm, save_llm  # noqa: E402
from textmusic.models.torch_engine import TorchEngine  # noqa: E402
from textmusic.tokens.tokenizer import Tokenizer  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture
def model(trained: Path) -> MusicLLM:
    return load_llm(trained)


def ids_of(model: MusicLLM, length: int = 9) -> torch.Tensor:
    return torch.randint(0, model.offset, (1, length), generator=torch.Generator().manual_seed(1))


def test_a_layer_that_is_left_out_is_passed_by(model: MusicLLM) -> None:
    ids = ids_of(model)
    hidden = []
    last = model.lm.base_model.layers[1]
    last.register_forward_hook(lambda module, inputs, output: hidden.append(inputs[0]))
    whole = model.logits(ids)
    short = cut(model, [0]).logits(ids)
    assert not torch.allclose(whole, short)
    through = model.lm.base_model.norm(hidden[0]) @ model.rows.T
    torch.testing.assert_close(short, through)


def test_all_layers_kept_is_the_same_model(model: MusicLLM) -> None:
    ids = ids_of(model)
    before = model.logits(ids)
    torch.testing.assert_close(cut(model, [0, 1]).logits(ids), before)


def test_it_is_saved_and_written_with_like_any_other(
    model: MusicLLM, trained: Path, tmp_path: Path
) -> None:
    short = cut(model, [1]).eval()
    ids = ids_of(short, 12)
    save_llm(short, tmp_path / "short", trained)
    again = load_llm(tmp_path / "short").eval()
    assert again.lm.config.num_hidden_layers == 1
    torch.testing.assert_close(again.logits(ids), short.logits(ids))
    engine = TorchEngine(again, torch.device("cpu"))
    engine.reserve(1)
    engine.prefill(range(1), ids[0, :-1].numpy())
    step = engine.step(ids[0, -1:].numpy())[0]
    assert np.allclose(step, short.logits(ids)[0, -1].detach().numpy(), atol=1e-4)


@pytest.mark.parametrize("kept", [[], [2], [0, 5]])
def test_layers_that_are_not_there_are_named(model: MusicLLM, kept: list[int]) -> None:
    with pytest.raises(TextMusicError, match=r"choose from 0 to 1\.$"):
        cut(model, kept)


def test_a_config_names_the_layers(trained: Path, base: Path) -> None:
    tokenizer = Tokenizer(trained)
    for layers, expected in ((1, 1), ([1], 1), ([0, 1], 2), (10, 2), (None, 2)):
        made = make_model(RunConfig(base=str(trained), layers=layers), tokenizer)
        assert isinstance(made, MusicLLM)
        assert len(made.lm.base_model.layers) == expected, layers
    assert new_llm(str(base), 50, layers=1).lm.config.num_hidden_layers == 1
