"""Another music vocabulary: rows stay, and new ones begin near what they resemble."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

import torch

from textmusic.models.growing import NOISE, grown, resembled
from textmusic.models.llm import MusicLLM, load_llm
from textmusic.tokens.tokenizer import Tokenizer

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]
torch.set_num_threads(1)
NEW = ("New", "Like", "Vary", "Beat", "Chord", "<|sketch|>", "<|fill|>")


def older(wanted: list[str]) -> list[str]:
    """A vocabulary like format 2's: without a sketch, in another order, with a token that goes."""
    kept = [t for t in wanted if t.partition("_")[0] not in NEW]
    return [*reversed(kept), "Gone_1"]


def weights(model: MusicLLM) -> np.ndarray:
    return model.lm.get_input_embeddings().weight.detach().numpy().copy()


@pytest.fixture
def wanted(trained: Path) -> list[str]:
    return list(Tokenizer(trained).vocabulary)


@pytest.fixture
def model(trained: Path, wanted: list[str]) -> MusicLLM:
    """A model of the older vocabulary, every row of its own."""
    found = load_llm(trained)
    found.lm.resize_token_embeddings(found.offset + len(older(wanted)), mean_resizing=False)
    torch.manual_seed(1)
    with torch.no_grad():
        weight = found.lm.get_input_embeddings().weight
        weight.copy_(torch.randn_like(weight))
    return MusicLLM(found.lm, found.offset)


def test_rows_go_with_their_tokens_and_the_text_s_stay(model: MusicLLM, wanted: list[str]) -> None:
    had, before, offset = older(wanted), weights(model), model.offset
    after = weights(grown(model, had, wanted))
    assert len(after) == offset + len(wanted)
    assert np.array_equal(after[:offset], before[:offset])
    place = {token: offset + i for i, token in enumerate(had)}
    known = [(i, t) for i, t in enumerate(wanted) if t in place]
    assert len(known) == len(had) - 1
    for i, token in known:
        assert np.array_equal(after[offset + i], before[place[token]]), token


def test_new_rows_are_the_mean_of_their_kin_and_a_little_noise(
    model: MusicLLM, wanted: list[str]
) -> None:
    had, before, offset = older(wanted), weights(model), model.offset
    after = weights(grown(model, had, wanted))
    place = {token: offset + i for i, token in enumerate(had)}
    spread = before[offset:].std()
    new = [(i, t) for i, t in enumerate(wanted) if t not in place]
    assert len(new) > 200
    for i, token in new:
        kin = [place[t] for t in resembled(token) if t in place]
        mean = before[kin].mean(0) if kin else before[offset:].mean(0)
        off = after[offset + i] - mean
        assert 0.3 * NOISE * spread < off.std() < 2 * NOISE * spread, token
    rows = after[[offset + i for i, _ in new]]
    assert len(np.unique(rows.round(6), axis=0)) == len(rows), "no two begin alike"


def test_each_new_token_has_kin_but_no_chord(wanted: list[str]) -> None:
    had = set(older(wanted))
    for token in (t for t in wanted if t not in had):
        kin = resembled(token)
        if token == "Chord_none":
            assert kin == []
        else:
            assert kin and set(kin) & had, token


@pytest.mark.parametrize(
    ("token", "kin"),
    [
        ("Chord_0-maj", ["Pitch_48", "Pitch_52", "Pitch_55", "Pitch_60", "Pitch_64", "Pitch_67"]),
        ("Chord_11-dim", ["Pitch_59", "Pitch_62", "Pitch_65", "Pitch_71", "Pitch_74", "Pitch_77"]),
        ("Like_7", ["Bar_7"]),
        ("Vary_64", ["Bar_64"]),
        ("Beat_2", ["Position_24"]),
        ("<|fill|>", ["<|score|>"]),
        ("Pitch_60", []),
    ],
)
def test_what_a_token_resembles(token: str, kin: list[str]) -> None:
    assert resembled(token) == kin


def test_the_same_seed_grows_the_same_model(trained: Path, wanted: list[str]) -> None:
    had = older(wanted)

    def made(seed: int) -> np.ndarray:
        found = load_llm(trained)
        found.lm.resize_token_embeddings(found.offset + len(had), mean_resizing=False)
        with torch.no_grad():
            weight = found.lm.get_input_embeddings().weight
            weight.copy_(torch.arange(weight.numel()).view_as(weight).sin())
        return weights(grown(MusicLLM(found.lm, found.offset), had, wanted, seed=seed))

    assert np.array_equal(made(1), made(1)) and not np.array_equal(made(1), made(2))


def test_a_grown_model_reads_and_learns(model: MusicLLM, wanted: list[str]) -> None:
    bigger = grown(model, older(wanted), wanted)
    ids = torch.randint(bigger.offset, bigger.offset + len(wanted), (1, 12))
    assert bigger.logits(ids).shape == (1, 12, len(wanted))
    labels = ids[:, :] - bigger.offset
    loss = bigger(ids, labels)
    loss.backward()
    assert torch.isfinite(loss)
    head = bigger.lm.get_output_embeddings().weight
    assert head is bigger.lm.get_input_embeddings().weight, "the head is still the embedding"
