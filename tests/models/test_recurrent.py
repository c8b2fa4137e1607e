"""The recurrent baseline: standard cells, equal logits in torch and onnxruntime, the same road."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

import torch
from cut_pieces import windows_of

from textmusic.corpus.captions import Captioner
from textmusic.engines.recurrent import RecurrentEngine
from textmusic.errors import TextMusicError
from textmusic.learning.config_files import checked
from textmusic.learning.examples import Examples
from textmusic.learning.runs import Data, start
from textmusic.models.recurrent import MusicRNN, RecurrentConfig, load_recurrent, save_recurrent
from textmusic.models.recurrent_export import export_recurrent
from textmusic.tokens.tokenizer import (
    IGNORED,
    Tokenizer,
    captions_file,
    check_vocabulary,
    create_tokenizer,
)
from textmusic.writing.text_to_music import TextToMusic

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]
torch.set_num_threads(1)
CELLS = ("lstm", "gru", "rnn")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return create_tokenizer(captions_file(), tmp_path_factory.mktemp("tokenizer"))


def make(tokenizer: Tokenizer, cell: str = "lstm") -> MusicRNN:
    torch.manual_seed(0)
    return MusicRNN(RecurrentConfig(tokenizer.offset, len(tokenizer.vocabulary), cell, 16, 24, 2))


def sequence(tokenizer: Tokenizer, text: str = "a calm waltz", music: int = 20) -> list[int]:
    ids = np.random.default_rng(3).integers(3, len(tokenizer.vocabulary), music)
    return [*tokenizer.encode_text(text), *(int(i) + tokenizer.offset for i in (0, *ids))]


def test_torch_s_lstm_follows_the_published_equations() -> None:
    """Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000, written out."""
    torch.manual_seed(1)
    cell = torch.nn.LSTM(5, 7, batch_first=True)
    x = torch.randn(1, 9, 5)
    wx, wh, bx, bh = (w.detach().numpy() for w in cell._flat_weights)
    h, c, found = np.zeros(7), np.zeros(7), []

    def sigmoid(v: Any) -> Any:
        return 1 / (1 + np.exp(-v))

    for step in x[0].numpy():
        i, f, g, o = np.split(wx @ step + bx + wh @ h + bh, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        found.append(h)
    assert np.allclose(cell(x)[0][0].detach().numpy(), found, atol=1e-6)


def test_the_loss_is_over_music_ids_alone_whatever_lies_beside(tokenizer: Tokenizer) -> None:
    model = make(tokenizer)
    rows = [sequence(tokenizer, "a calm waltz", 12), sequence(tokenizer, "", 20)]
    longest = max(map(len, rows))
    ids = torch.zeros(2, longest, dtype=torch.long)
    labels = torch.full_like(ids, IGNORED)
    alone = 0.0
    for row, these in enumerate(rows):
        ids[row, : len(these)] = torch.tensor(these)
        labels[row, len(these) - 3] = 5
        scores = torch.log_softmax(model.logits(torch.tensor([these]))[0, -3], dim=-1)
        alone -= float(scores[5].detach())
    assert float(model(ids, labels).detach()) == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_onnx_gives_torch_s_logits_whole_stepped_and_side_by_side(
    cell: str, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    model = make(tokenizer, cell).eval()
    export_recurrent(model, tmp_path, tokenizer.folder, name="r", precision="fp32")
    engine = RecurrentEngine(tmp_path, threads=1)
    ids = np.array(sequence(tokenizer))
    with torch.no_grad():
        exact = model.logits(torch.from_numpy(ids)[None])[0].numpy()
    assert np.allclose(engine.logits(ids), exact, atol=1e-5)
    engine.reserve(3)
    assert np.allclose(engine.prefill(range(2), ids[:-4]), exact[-5], atol=1e-5)
    engine.prefill(range(2, 3), np.array(sequence(tokenizer, "", 3)))
    for t in (-4, -3):
        rows = engine.step(np.array([ids[t], ids[t], ids[t]]))
        assert np.allclose(rows[:2], exact[t], atol=1e-5)
        assert not np.allclose(rows[2], exact[t], atol=1e-3)
    engine.move(0, 2)
    assert engine.length(2) == len(ids) - 2
    assert np.allclose(engine.step(np.full(3, ids[-2]))[2], exact[-2], atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_read_ahead_is_as_if_it_had_been_read_id_by_id(
    cell: str, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    model = make(tokenizer, cell).eval()
    export_recurrent(model, tmp_path, tokenizer.folder, name="r", precision="fp32")
    engine, ids = RecurrentEngine(tmp_path, threads=1), np.array(sequence(tokenizer))
    exact = engine.logits(ids)
    engine.reserve(3)
    engine.prefill(range(3), ids[:-12])
    engine.extend(1, ids[-12:-6])
    engine.extend(1, ids[-6:-3])
    assert [engine.length(slot) for slot in range(3)] == [
        len(ids) - 12,
        len(ids) - 3,
        len(ids) - 12,
    ]
    rows = engine.step(np.array([ids[-12], ids[-3], ids[-12]]))
    assert np.allclose(rows[1], exact[-3], atol=1e-4)
    assert np.allclose(rows[[0, 2]], exact[-12], atol=1e-4), "the slots beside it are not touched"


def test_eight_bits_are_close_and_smaller(tokenizer: Tokenizer, tmp_path: Path) -> None:
    model = make(tokenizer).eval()
    for precision in ("fp32", "int8"):
        folder = tmp_path / precision
        export_recurrent(model, folder, tokenizer.folder, name="r", precision=precision)
    sizes = [sum(f.stat().st_size for f in (tmp_path / p).glob("*.onnx")) for p in ("int8", "fp32")]
    assert sizes[0] < 0.45 * sizes[1]
    ids = np.array(sequence(tokenizer))
    rough, exact = (RecurrentEngine(tmp_path / p, threads=1).logits(ids) for p in ("int8", "fp32"))
    assert np.corrcoef(rough.ravel(), exact.ravel())[0, 1] > 0.98


def test_the_whole_road_from_config_to_music(
    tokenizer: Tokenizer, pieces: list[Path], piece_rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    windows = []
    for path, row in list(zip(pieces, piece_rows, strict=True))[::6]:
        made, _ = windows_of(row, path.read_bytes(), row["source"], "", tokenizer, 250)
        windows += made[:3]
    config = {
        "recurrent": {"cell": "gru", "width": 16, "hidden": 24, "layers": 1},
        "held_out": 2,
        "training": {"steps": 3, "tokens": 600, "warmup": 0, "evaluate_every": 3, "bf16": False,
                     "drills": 1.0},
    }  # fmt: skip
    run = start(checked(config), Data(tokenizer, windows, windows), tmp_path / "run")
    assert np.isfinite(run.train())
    again = load_recurrent(tmp_path / "run" / "best")
    example = Examples(windows, tokenizer, Captioner()).make(windows[0], random.Random(1))
    ids = torch.from_numpy(example.ids)[None]
    assert torch.equal(again.eval().logits(ids), run.plain.eval().logits(ids))
    # 8 bits are chosen for all rows of a batch together, so that only 32 give the same music
    best = tmp_path / "run" / "best"
    export_recurrent(again, tmp_path / "model", best, name="small", precision="fp32")
    music = TextToMusic.from_pretrained(tmp_path / "model", threads=1)
    made = music.generate("calm piano in D minor, 3/4, 4 bars", seed=1)
    assert made.report.measured.bars == 4 and made.plan.key == "D minor"
    assert made.report.measured.programs == (0,)
    many = music.generate_many("calm piano in D minor, 3/4, 4 bars", 2, seed=1)
    assert many[0].score.dumps_midi() == made.score.dumps_midi()


def test_a_folder_that_is_not_whole_is_said(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_recurrent(make(tokenizer), tmp_path, tokenizer.folder)
    (tmp_path / "model.safetensors").write_bytes(b"no")
    with pytest.raises(TextMusicError, match="not a complete recurrent model"):
        load_recurrent(tmp_path)
    with pytest.raises(TextMusicError, match="lstm, gru, rnn"):
        make(tokenizer, "transformer")


def test_data_of_another_vocabulary_is_refused_and_the_difference_named(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    other = create_tokenizer(captions_file(), tmp_path)
    check_vocabulary(tokenizer, other)
    names = json.loads((tmp_path / "vocabulary.json").read_text())
    (tmp_path / "vocabulary.json").write_text(json.dumps([*names[:-1], "Duration_99.0.12"]))
    with pytest.raises(TextMusicError, match=r"Duration_99\.0\.12; use files that the same"):
        check_vocabulary(tokenizer, Tokenizer(tmp_path))
