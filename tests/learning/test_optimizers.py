"""Muon beside AdamW: what it does to a matrix, and that a run resumes with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from interrupted import train_two_steps  # noqa: E402
from tiny_run import STEPS, losses, make_run  # noqa: E402

from textmusic.errors import TextMusicError  # noqa: E402
from textmusic.learning.config import Training  # noqa: E402
from textmusic.learning.examples import Examples  # noqa: E402
from textmusic.learning.optimizers import (  # noqa: E402
    MuonAdamW,
    check_whole,
    evened,
    make_optimizer,
)
from textmusic.models.llm import MusicLLM, load_llm, new_llm  # noqa: E402
from textmusic.tokens.tokenizer import Tokenizer  # noqa: E402

pytestmark = pytest.mark.train
torch.set_num_threads(1)


@pytest.mark.parametrize("shape", [(24, 60), (60, 24), (32, 32)])
def test_singular_values_become_alike_and_vectors_stay(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape) @ torch.diag(torch.logspace(0, -1, shape[1]))
    before = torch.linalg.svd(matrix, full_matrices=False)
    after = evened(matrix)
    values = torch.linalg.svdvals(after)
    assert values.min() > 0.5 and values.max() < 1.3
    turned = before.U.T @ after @ before.Vh.T
    assert torch.allclose(turned, torch.diag(turned.diagonal()), atol=1e-3)


def test_muon_is_torch_s_own_but_for_the_precision() -> None:
    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(16, 40)) for _ in range(2)]
    weights[1].data.copy_(weights[0].data)
    ours = MuonAdamW(
        [{"params": weights[:1], "muon": True, "weight_decay": 0.1}], lr=0.01, fused=True
    )
    theirs = torch.optim.Muon(
        weights[1:], lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"
    )
    for step in range(5):
        gradient = torch.randn(16, 40, generator=torch.Generator().manual_seed(step))
        for weight, optimizer in zip(weights, (ours, theirs), strict=True):
            weight.grad = gradient.clone()
            optimizer.step()
    moved = weights[1] - weights[0]
    assert moved.abs().max() < 0.1 * 0.01 * 5, "bfloat16 is that coarse"


def test_only_matrices_are_muon_s(base: Path) -> None:
    model = new_llm(str(base), 50, layers=1)
    model.freeze_text_rows()
    optimizer = make_optimizer(model, Training(optimizer="muon"))
    shapes = {group["muon"]: {p.ndim for p in group["params"]} for group in optimizer.param_groups}
    assert shapes[True] == {2}
    (rows,) = [g for g in optimizer.param_groups if any(p is model.music for p in g["params"])]
    assert not rows["muon"], "an embedding is no matrix in this sense"
    assert isinstance(make_optimizer(model, Training()), torch.optim.AdamW)
    with pytest.raises(TextMusicError, match="choose adamw or muon"):
        make_optimizer(model, Training(optimizer="sgd"))
    with pytest.raises(TextMusicError, match='use "adamw"'):
        check_whole(optimizer, sharded=True)


def test_a_run_with_muon_learns_and_resumes_to_the_same(
    base: Path, examples: Examples, tmp_path: Path
) -> None:
    settings = replace(STEPS, steps=6, optimizer="muon", learning_rate=3e-3)

    def new() -> MusicLLM:
        return new_llm(str(base), len(Tokenizer(base).vocabulary))

    make_run(new(), tmp_path / "whole", examples, settings).train()
    train_two_steps(make_run(new(), tmp_path / "stopped", examples, settings))
    make_run(new(), tmp_path / "stopped", examples, settings).train()
    whole = losses(tmp_path / "whole")
    assert losses(tmp_path / "stopped") == whole
    held_out = losses(tmp_path / "whole", "held_out")
    assert held_out[-1] < held_out[0]
    rows = [load_llm(tmp_path / name / "best").rows for name in ("whole", "stopped")]
    assert torch.equal(*rows)
