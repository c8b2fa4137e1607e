"""docs/hub.md: models, adapters and data are shared by its commands, with a Hub on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from documented import ROOT, TINY, commands, run, walk
from hub_server import WRITE, HubServer

PAGE = (ROOT / "docs" / "hub.md").read_text(encoding="utf-8")
MODEL = {
    "textmusic push my-model/ user/name --evaluation evaluation/ --samples 2 --dry-run": "",
    "textmusic push my-model/ user/name --private --evaluation evaluation/ --samples 2": "",
    'textmusic generate "calm piano" --model user/name': " --bars 2",
}
ADAPTER = {
    "textmusic push my-model/ user/style --adapter": "",
    'textmusic generate "calm piano" --model user/style': " --bars 2",
}
DATA = {
    "textmusic push data/ user/my-corpus --dry-run": " --any-licence",
    "textmusic push data/ user/my-corpus --private": " --any-licence",
    "hf download user/my-corpus --repo-type dataset --local-dir data/": " --local-dir again/",
}


def test_every_command_of_the_page_is_known_here() -> None:
    assert commands(PAGE) == [*MODEL, *ADAPTER, *DATA], "in this order"


@pytest.fixture
def there(hub: HubServer, tmp_path: Path) -> dict[str, str]:
    """The environment in which commands find the Hub of this test."""
    return {
        "HF_ENDPOINT": hub.url, "HF_TOKEN": WRITE, "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0", "NO_PROXY": "127.0.0.1",
    }  # fmt: skip


def test_a_model_is_shared_and_used(hub: HubServer, there: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "my-model").symlink_to(TINY)
    (tmp_path / "prompts.jsonl").write_text('{"text": "calm flute, 2 bars", "bars": 2}\n')
    run(
        "textmusic evaluate prompts.jsonl --model my-model/ --no-words --sounds 0 --examples 0",
        tmp_path,
    )
    dry, *_ = walk(MODEL, tmp_path, there)
    assert "samples/01.mp3" in dry
    assert {"model.onnx", "checksums.json", "evaluation/report.json"} <= set(hub.files("user/name"))
    assert hub.repos["user/name"].private
    assert len(list((tmp_path / "out").glob("*.mid"))) == 1


@pytest.mark.train
def test_data_and_an_adapter_are_shared_and_used(
    hub: HubServer, there: dict[str, str], prepared: Path, trained: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").symlink_to(prepared)
    walk(DATA, tmp_path, there)
    assert (tmp_path / "again" / "train.parquet").exists()
    run(f"textmusic push {trained} user/base", tmp_path, there)  # one that everybody can have
    few = "--base user/base --max-steps 2 --no-report"
    run(f"textmusic train data/ -o my-model {few}", tmp_path, there)
    walk(ADAPTER, tmp_path, there)
    assert "adapter_model.safetensors" in hub.files("user/style")
    assert "model.onnx" not in hub.files("user/style")
    assert len(list((tmp_path / "out").glob("*.mid"))) == 1
