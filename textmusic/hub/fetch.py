"""Models from the Hub: downloaded into the cache, and checked."""

from __future__ import annotations

import json
from pathlib import Path

from textmusic.engines.adapter_files import is_adapter
from textmusic.engines.folder import broken, read_config
from textmusic.errors import TextMusicError
from textmusic.hub.files import CHECKSUMS, DESCRIPTIONS, PATTERNS, sha256
from textmusic.hub.problems import in_words


def fetch(model: str, revision: str | None = None) -> Path:
    """Download a model repository (or find it in the cache); the folder it lies in.

    Raises TextMusicError if there is no such model, if it is not one that this version can use, if
    it is not what was pushed, or if it cannot be reached and is not cached.
    """
    with in_words(model, revision=revision):
        described = _download(model, revision, DESCRIPTIONS)
        adapter = is_adapter(described)
        if not adapter and not (described / "vocabulary.json").exists():
            raise TextMusicError(
                f"'{model}' is not a textmusic model; find one at"
                " huggingface.co/models?library=textmusic."
            )
        try:
            if not adapter:
                read_config(described)  # said before the weights are fetched
        except TextMusicError as problem:
            raise TextMusicError(str(problem).replace(str(described), model)) from None
        folder = _download(model, described.name, PATTERNS)  # the same commit
    _check(folder, model)
    return folder


def fetch_tokenizer(model: str) -> Path:
    """The tokenizer.json of an LLM on the Hub.

    Raises TextMusicError where it cannot be had.
    """
    from huggingface_hub import hf_hub_download

    with in_words(model):
        return Path(hf_hub_download(model, "tokenizer.json"))


def is_music_model(repo: str) -> bool:
    """Whether a repository holds a model of textmusic, rather than an LLM that knows no music.

    Raises TextMusicError where the Hub can't be asked and the cache does not know.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    with in_words(repo):
        try:
            hf_hub_download(repo, "vocabulary.json")
        except LocalEntryNotFoundError:  # not in the cache, and the Hub is out of reach
            if not isinstance(try_to_load_from_cache(repo, "config.json"), str):
                raise
            return False
        except EntryNotFoundError:
            return False
    return True


def _download(model: str, revision: str | None, patterns: list[str]) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            model, revision=revision, allow_patterns=patterns, ignore_patterns=["*/*"]
        )
    )


def _check(folder: Path, model: str) -> None:
    """Raise TextMusicError if files differ from the pushed ones, and remove them from the cache."""
    if not (folder / CHECKSUMS).exists():  # not pushed by `push`
        return
    try:
        stated = dict(json.loads((folder / CHECKSUMS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as problem:
        raise TextMusicError(broken(folder, problem)) from None
    here = {file.name: file for file in folder.iterdir() if file.name in stated}
    wrong = [name for name, file in here.items() if sha256(file) != stated[name]]
    for name in wrong:
        here[name].resolve().unlink()  # in the cache, so that it is fetched anew
        here[name].unlink(missing_ok=True)
    if wrong:
        raise TextMusicError(
            f"{' and '.join(wrong)} of '{model}' does not match its published checksum; try again"
            " to download it anew, and if that fails too, ask its owner to push it again."
        )
