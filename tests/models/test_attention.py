"""Attention in blocks: the same as torch's own, and chosen by measuring."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from torch.nn import functional as F  # noqa: E402

from textmusic.learning.config import Training  # noqa: E402
from textmusic.learning.settings import settled  # noqa: E402
from textmusic.models import attention  # noqa: E402
from textmusic.models.attention import BLOCK, in_blocks, use_blocks  # noqa: E402
from textmusic.models.llm import new_llm  # noqa: E402

pytestmark = pytest.mark.train


@pytest.mark.parametrize("length", [1, 5, BLOCK, BLOCK + 1, 3 * BLOCK - 7])
@pytest.mark.parametrize(("heads", "groups"), [(4, 4), (9, 3), (4, 1)])
def test_blocks_are_torchs_own_attention(length: int, heads: int, groups: int) -> None:
    torch.manual_seed(0)
    shapes = [(2, h, length, 16) for h in (heads, groups, groups)]
    ours = [torch.randn(shape, requires_grad=True) for shape in shapes]
    theirs = [each.detach().clone().requires_grad_() for each in ours]
    one = in_blocks(*ours, scale=0.25)
    two = F.scaled_dot_product_attention(*theirs, is_causal=True, enable_gqa=True, scale=0.25)
    torch.testing.assert_close(one, two)
    weights = torch.randn(one.shape)
    (one * weights).sum().backward()
    (two * weights).sum().backward()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad)


def test_an_llm_learns_the_same_with_blocks(base, tmp_path) -> None:
    model = new_llm(str(base), 50, layers=1)
    ids = torch.randint(model.offset, model.offset + 50, (2, 2 * BLOCK + 3))
    labels = torch.randint(0, 50, ids.shape)
    before = model(ids, labels)
    assert use_blocks(model.lm)
    torch.testing.assert_close(model(ids, labels), before)
    model.lm.save_pretrained(tmp_path)
    assert attention.BLOCKS not in (tmp_path / "config.json").read_text(), "a matter of training"


def test_an_llm_that_looks_back_in_a_window_is_left_alone(base) -> None:
    model = new_llm(str(base), 50, layers=1)
    model.lm.config.sliding_window = 8
    before = model.lm.config._attn_implementation
    assert not use_blocks(model.lm)
    assert model.lm.config._attn_implementation == before


def test_what_was_measured_stays_for_the_run(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("textmusic.learning.settings.blocks_are_faster", lambda kind: True)
    first = settled(Training(), tmp_path)
    (tmp_path / "training.json").write_text('{"blocks": true, "bf16": false}')
    monkeypatch.setattr("textmusic.learning.settings.blocks_are_faster", lambda kind: False)
    assert first.blocks and settled(Training(), tmp_path).blocks
    assert settled(Training(blocks=False), tmp_path).blocks is False
