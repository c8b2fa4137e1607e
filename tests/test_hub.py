"""Model ids that lead nowhere end in one sentence; nothing here touches the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import errors

from textmusic.errors import TextMusicError
from textmusic.hub import PATTERNS, fetch
from textmusic.pipeline import TextToMusic


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A Hub without a network: what was asked of it; set `hub.answer` by appending."""
    calls: list[dict[str, Any]] = []

    def download(model: str, **options: Any) -> str:
        calls.append({"model": model, **options})
        raise errors.LocalEntryNotFoundError("not cached, not reachable")

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    return calls


def answer(monkeypatch: pytest.MonkeyPatch, result: Exception | Path) -> None:
    def download(model: str, **options: Any) -> str:
        if isinstance(result, Exception):
            raise result
        return str(result)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)


@pytest.mark.parametrize("model", ["a/b/c", "user/na me", "user/..", "no-such-folder/", "", "💥"])
def test_what_is_no_id_is_said_without_a_look_at_the_network(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(TextMusicError, match="give a folder that exists or user/name"):
        fetch(model)


def test_a_hub_out_of_reach_is_said(hub: list[dict[str, Any]]) -> None:
    with pytest.raises(TextMusicError, match="'user/name' is not a folder here and the Hub cannot"):
        TextToMusic.from_pretrained("user/name")
    assert hub[0]["model"] == "user/name"


def test_no_file_that_could_run_code_is_ever_asked_for(hub: list[dict[str, Any]]) -> None:
    with pytest.raises(TextMusicError):
        fetch("user/name", "v2")
    assert hub[0]["revision"] == "v2"
    assert hub[0]["allow_patterns"] == PATTERNS
    for pattern in PATTERNS:
        assert pattern.endswith((".json", ".onnx", ".data", ".safetensors", ".md"))


def test_a_missing_or_private_model_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    response = httpx.Response(404, request=httpx.Request("GET", "https://hub.invalid/user/name"))
    answer(monkeypatch, errors.RepositoryNotFoundError("404: no such model", response=response))
    with pytest.raises(TextMusicError, match=r"could not be fetched.*check the name"):
        fetch("user/name")


def test_what_is_fetched_is_loaded(monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    answer(monkeypatch, tiny_model)
    music = TextToMusic.from_pretrained("user/name", threads=1)
    assert music.generate("piano, 2 bars", seed=1).model == "user/name"


def test_a_repository_of_something_else_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer(monkeypatch, tmp_path)
    with pytest.raises(TextMusicError, match="not a whole textmusic model"):
        TextToMusic.from_pretrained("user/other-model")
