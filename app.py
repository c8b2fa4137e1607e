"""The page as a script: `python app.py`, and what a Hugging Face Space runs."""

from __future__ import annotations

import os

from textmusic.page.layout import serve
from textmusic.writing.writers import load_models

if __name__ == "__main__":
    model = os.environ.get("TEXTMUSIC_MODEL") or None
    host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    # a Space's visitors come through proxies in this network
    proxy = os.environ.get("TEXTMUSIC_PROXY") or ("10.0.0.0/8" if "SPACE_ID" in os.environ else "")
    serve(load_models([model] if model else []), host=host, proxy=proxy)
