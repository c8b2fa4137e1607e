"""textmusic: type "calm piano in D minor", get music."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from textmusic.version import __version__

# Read when these packages are first imported: without them gradio reports home, and since 1.29
# onnxruntime's Linux builds do.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from textmusic.errors import TextMusicError
    from textmusic.language.prompt import Prompt
    from textmusic.music.chords import Chord
    from textmusic.music.plan import Plan
    from textmusic.music.sketch import Outline, Row, Sketch
    from textmusic.result.generation import Generation
    from textmusic.result.report import Report
    from textmusic.tokens.sampling import Sampling
    from textmusic.writing.text_to_music import TextToMusic
    from textmusic.writing.written import Bar

_HOME = {
    "Bar": "writing.written",
    "Chord": "music.chords",
    "Generation": "result.generation",
    "Outline": "music.sketch",
    "Plan": "music.plan",
    "Prompt": "language.prompt",
    "Report": "result.report",
    "Row": "music.sketch",
    "Sampling": "tokens.sampling",
    "Sketch": "music.sketch",
    "TextMusicError": "errors",
    "TextToMusic": "writing.text_to_music",
}
__all__ = [
    "Bar",
    "Chord",
    "Generation",
    "Outline",
    "Plan",
    "Prompt",
    "Report",
    "Row",
    "Sampling",
    "Sketch",
    "TextMusicError",
    "TextToMusic",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import on first use, so that `import textmusic` and `textmusic --help` are quick."""
    if name not in _HOME:
        raise AttributeError(f"module 'textmusic' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"textmusic.{_HOME[name]}"), name)
