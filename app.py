"""The page as a script: `python app.py`, and what a Hugging Face Space runs."""

from __future__ import annotations

import os

from textmusic.page import build_page, launch
from textmusic.pipeline import TextToMusic

if __name__ == "__main__":
    model = os.environ.get("TEXTMUSIC_MODEL") or None
    host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    launch(build_page(TextToMusic.from_pretrained(model)), host=host)
