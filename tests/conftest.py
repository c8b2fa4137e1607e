"""Fixtures of the suite: a tiny random model, and real pieces."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hub_server import WRITE, HubServer
from huggingface_hub import close_session, constants, utils

from textmusic.listening.votes import Votes
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.writing.text_to_music import TextToMusic

DATA = Path(__file__).parent / "data"
TRAIN_MODULES = ("torch", "transformers", "peft", "accelerate", "onnxruntime_genai")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this installation can't run, and say why."""
    bundled = resources.files("textmusic") / "bundled" / "textmusic.json"
    missing = [name for name in TRAIN_MODULES if importlib.util.find_spec(name) is None]
    ray = all(importlib.util.find_spec(name) for name in ("ray", "pyarrow"))
    for item in items:
        if "bundled" in item.keywords and not bundled.is_file():
            item.add_marker(pytest.mark.skip(reason="there is no bundled model in this checkout"))
        if "ray" in item.keywords and not ray:
            item.add_marker(pytest.mark.skip(reason="needs the ray extra"))
        if "train" in item.keywords and missing:
            item.add_marker(
                pytest.mark.skip(reason=f"needs the train extra ({missing[0]} is missing)")
            )


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """Folder of a tiny random model (made by make_tiny_model.py)."""
    return DATA / "tiny_model"


@pytest.fixture(scope="session")
def tiny(tiny_model: Path) -> TextToMusic:
    """The tiny random model, ready to write (near uniform) music."""
    return TextToMusic.from_pretrained(tiny_model, threads=1)


@pytest.fixture(scope="session")
def tokenizer(tiny_model: Path) -> Tokenizer:
    """The tokenizer of the tiny model."""
    return Tokenizer(tiny_model)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny random LLM as training writes it; needs the train extra.

    Its embedding rows are such that 8 bits hold them exactly, as an ONNX folder keeps them.
    """
    import numpy as np
    import torch
    from make_tiny_model import likelier_bars, make_base, make_tokenizer

    from textmusic.engines.onnx import Embeddings
    from textmusic.models.export import save_embeddings
    from textmusic.models.llm import new_llm, save_llm

    base, folder = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("trained")
    vocabulary = make_tokenizer(base)
    make_base(base)
    model = new_llm(str(base), len(vocabulary))
    likelier_bars(model, vocabulary, program=4.0)  # or else it would hardly ever play
    weight = model.lm.get_input_embeddings().weight
    save_embeddings(weight.detach().numpy(), base)
    rows = Embeddings(base / "embeddings.safetensors")[np.arange(len(weight))]
    with torch.no_grad():
        weight.copy_(torch.from_numpy(rows))
    save_llm(model, folder, base)
    return folder


@pytest.fixture
def votes(tmp_path: Path) -> Votes:
    """An empty database of votes."""
    return Votes(tmp_path / "votes.sqlite")


@pytest.fixture(scope="session")
def pieces() -> list[Path]:
    """MIDI files of real pieces; their sources are in data/pieces/SOURCES.md."""
    return sorted((DATA / "pieces").glob("*.mid"))


@pytest.fixture(scope="session")
def piece_rows() -> list[dict[str, Any]]:
    """What is known of each real piece: a row of metadata each, with its corpus as `source`."""
    lines = (DATA / "pieces" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    """A Hub that the client in this process talks to, with an empty cache and a token."""
    with HubServer() as server:
        settings = {
            "ENDPOINT": server.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": server.url + "/{repo_id}/resolve/{revision}/{filename}",
            "HF_HUB_CACHE": str(tmp_path / "cache"),
            "HF_TOKEN_PATH": str(tmp_path / "token"),
            "HF_HUB_OFFLINE": False,
            "HF_HUB_DISABLE_XET": True,  # the server speaks plain LFS
        }
        for name, value in settings.items():
            monkeypatch.setattr(constants, name, value)
        monkeypatch.setenv("HF_TOKEN", WRITE)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        close_session()  # which may have been opened before that
        monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the client's attempts
        utils.disable_progress_bars()
        yield server
        utils.enable_progress_bars()


@pytest.fixture(autouse=True)
def _own_accelerator() -> Iterator[None]:
    """accelerate keeps one precision for a whole process; every test may have its own."""
    yield
    if state := sys.modules.get("accelerate.state"):
        state.AcceleratorState._reset_state()


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pretrained LLM's folder (random), with a model's tokenizer files; needs the train extra."""
    from make_tiny_model import make_base, make_tokenizer

    folder = tmp_path_factory.mktemp("base")
    make_tokenizer(folder)
    make_base(folder)
    return folder


@pytest.fixture(scope="session")
def windows(base: Path, pieces: list[Path], piece_rows: list[dict[str, Any]]) -> list[Any]:
    """Training windows of every fourth real piece; needs the train extra."""
    from cut_pieces import windows_of

    tokenizer, found = Tokenizer(base), []
    for path, row in list(zip(pieces, piece_rows, strict=True))[::4]:
        made, _ = windows_of(row, path.read_bytes(), row["source"], "", tokenizer, 250)
        found += made[:3]
    return found


@pytest.fixture(scope="session")
def examples(base: Path, windows: list[Any]) -> Any:
    """Training examples of these windows; needs the train extra."""
    from textmusic.corpus.captions import Captioner
    from textmusic.learning.examples import Examples

    return Examples(windows, Tokenizer(base), Captioner())


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, windows: list[Any]) -> Path:
    """A folder as prepare writes it, for the tiny model; needs the train extra."""
    from textmusic.corpus.windows import write_windows
    from textmusic.tokens.tokenizer import copy_tokenizer

    folder = tmp_path_factory.mktemp("data")
    (folder / "tokenizer").mkdir()
    copy_tokenizer(DATA / "tiny_model_int8", folder / "tokenizer")
    for split, part in (("train", windows), ("valid", windows[:4]), ("test", windows[4:9])):
        write_windows(part, folder / f"{split}.parquet")
    return folder
