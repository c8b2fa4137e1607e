"""Models on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

from textmusic.errors import TextMusicError

# Never weights in a format that could run code when loaded.
PATTERNS = ["*.json", "*.onnx", "*.onnx.data", "*.safetensors", "*.model", "*.md"]


def fetch(model: str, revision: str | None = None) -> Path:
    """Download a model repository (or find it in the cache); the folder it lies in.

    Raises TextMusicError if there is no such model, or it cannot be reached and is not cached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=PATTERNS))
    except HFValidationError:
        raise TextMusicError(
            f"'{model}' is neither a folder nor a Hub id; give a folder that exists or user/name."
        ) from None
    except LocalEntryNotFoundError:
        raise TextMusicError(
            f"'{model}' is not a folder here and the Hub cannot be reached; check the name and the"
            " connection."
        ) from None
    except HfHubHTTPError as problem:
        raise TextMusicError(
            f"'{model}' could not be fetched from the Hub ({problem}); check the name, the"
            " revision and your access."
        ) from None
