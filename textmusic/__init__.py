"""textmusic: type "calm piano in D minor", get music."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# Read when these packages are first imported: without them gradio reports home, and since 1.29
# onnxruntime's Linux builds do.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from textmusic.chords import Chord
    from textmusic.errors import TextMusicError
    from textmusic.generation import Generation
    from textmusic.pipeline import TextToMusic
    from textmusic.plan import Plan
    from textmusic.prompt import Prompt
    from textmusic.report import Report
    from textmusic.sampling import Sampling
    from textmusic.sketch import Outline, Row, Sketch
    from textmusic.take import Bar

__version__ = "0.1.0"
_HOME = {
    "Bar": "take",
    "Chord": "chords",
    "Generation": "generation",
    "Outline": "sketch",
    "Plan": "plan",
    "Prompt": "prompt",
    "Report": "report",
    "Row": "sketch",
    "Sampling": "sampling",
    "Sketch": "sketch",
    "TextMusicError": "errors",
    "TextToMusic": "pipeline",
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
