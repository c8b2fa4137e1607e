"""LoRA adapters alone: shared without their base, joined with it where they are used."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from hub_server import HubServer

pytest.importorskip("torch", reason="needs the train extra")

import torch

from textmusic.cli.main import main
from textmusic.engines.adapter_files import FILES, is_adapter, weights_hash
from textmusic.errors import TextMusicError
from textmusic.models.llm import load_llm, save_llm, with_lora
from textmusic.writing.loading import locate
from textmusic.writing.text_to_music import TextToMusic

REPO, BASE = "user/style", "user/base"
pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def tuned(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with an adapter beside its merged weights, as training leaves it."""
    folder = tmp_path_factory.mktemp("runs") / "style"
    model = with_lora(load_llm(trained), 4)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in model.lm.named_parameters():
            if weight.requires_grad:  # LoRA and the music rows
                size = 0.3 if "lora_" in name else 0.01
                weight += size * torch.randn(weight.shape, generator=generator)
    save_llm(model, folder, trained)
    origin = {"base": BASE, "sha256": weights_hash(trained)}
    (folder / "adapter" / "base.json").write_text(json.dumps(origin))
    return folder


@pytest.fixture
def shared(hub: HubServer, trained: Path) -> HubServer:
    """The Hub, with the base on it."""
    TextToMusic.from_pretrained(trained).push_to_hub(BASE)
    return hub


@pytest.fixture
def adapter(tuned: Path, tmp_path: Path) -> Path:
    """A copy of the adapter alone."""
    return Path(shutil.copytree(tuned / "adapter", tmp_path / "style"))


def piece(model: Path | str) -> bytes:
    music = TextToMusic.from_pretrained(model, threads=1)
    return music.generate("piano, 4 bars", seed=1).score.dumps_midi()


def test_an_adapter_that_is_shared_makes_the_same_music_of_its_base(
    shared: HubServer, tuned: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["push", str(tuned), REPO, "--adapter"]) == 0
    files = shared.files(REPO)
    assert {*FILES, "README.md", "checksums.json"} == set(files) - {".gitattributes"}
    assert "base_model_relation: adapter" in files["README.md"].decode()
    assert f"a LoRA adapter for `{BASE}`" in files["README.md"].decode()
    written = piece(REPO)
    assert written == piece(tuned) != piece(trained)
    folder, name = locate(REPO, None)
    assert name == REPO and (folder / "README.md").exists()
    assert load_llm(folder).rows.shape == load_llm(trained).rows.shape
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert piece(REPO) == written
    assert (folder / "model.safetensors").stat().st_mtime_ns == before, "joined once"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert main(["push", REPO, "user/again", "--adapter"]) == 0  # what was joined, too
    assert (
        shared.files("user/again")["adapter_model.safetensors"]
        == files["adapter_model.safetensors"]
    )


def test_a_model_that_comes_after_an_adapter_replaces_it(
    shared: HubServer, tuned: Path, trained: Path
) -> None:
    TextToMusic.from_pretrained(tuned).push_to_hub(REPO, adapter=True)
    TextToMusic.from_pretrained(trained).push_to_hub(REPO)
    assert not set(FILES) & set(shared.files(REPO))
    assert piece(REPO) == piece(trained)


def test_a_folder_with_an_adapter_alone_is_a_model_too(
    shared: HubServer, tuned: Path, adapter: Path
) -> None:
    assert is_adapter(adapter) and not is_adapter(tuned)
    assert piece(adapter) == piece(tuned)


def test_another_base_than_it_was_trained_on_is_said(shared: HubServer, adapter: Path) -> None:
    origin = json.loads((adapter / "base.json").read_text())
    (adapter / "base.json").write_text(json.dumps(origin | {"sha256": "0" * 64}))
    with pytest.raises(TextMusicError, match="'style' is an adapter for another"):
        locate(adapter, None)
    (adapter / "base.json").write_text(json.dumps(origin | {"base": str(adapter)}))
    with pytest.raises(TextMusicError, match="'style' is an adapter for another"):
        locate(adapter, None)  # to itself
    for base in ("[]", "{", '{"base": 1, "sha256": 2}'):
        (adapter / "base.json").write_text(base)
        with pytest.raises(TextMusicError, match="'style' has no adapter"):
            locate(adapter, None)


@pytest.mark.parametrize("config", ["{}", '{"r": 8}', '{"r": 1000000000}', '{"r": "4"}', "["])
def test_an_adapter_that_does_not_fit_is_said(
    config: str, shared: HubServer, adapter: Path
) -> None:
    (adapter / "adapter_config.json").write_text(config)
    with pytest.raises(TextMusicError, match="does not fit its base"):
        locate(adapter, None)


def test_weights_that_do_not_fit_are_said(shared: HubServer, adapter: Path) -> None:
    weights = (adapter / "adapter_model.safetensors").read_bytes()
    (adapter / "adapter_model.safetensors").write_bytes(weights[:1000])
    with pytest.raises(TextMusicError, match="does not fit its base"):
        locate(adapter, None)
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(TextMusicError, match="has no adapter"):
        locate(adapter, None)


def test_what_others_could_not_use_is_not_sent(
    hub: HubServer, trained: Path, tuned: Path, tmp_path: Path
) -> None:
    with pytest.raises(TextMusicError, match=r"has no adapter .*; share the whole model"):
        TextToMusic.from_pretrained(trained).push_to_hub(REPO, adapter=True)
    local = Path(shutil.copytree(tuned, tmp_path / "local"))
    origin = {"base": str(trained), "sha256": weights_hash(trained)}
    (local / "adapter" / "base.json").write_text(json.dumps(origin))
    with pytest.raises(TextMusicError, match="'local' is an adapter for the local folder '/"):
        TextToMusic.from_pretrained(local).push_to_hub(REPO, adapter=True)
    assert hub.log == []


def test_without_torch_the_remedy_is_said(
    shared: HubServer, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "textmusic.models.adapter", None)
    with pytest.raises(TextMusicError, match=r"pip install 'textmusic\[train\]'"):
        locate(adapter, None)
