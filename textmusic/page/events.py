"""What happens on the page: its controls -> the service -> what it shows."""

from __future__ import annotations

from typing import Any

import gradio as gr

from textmusic.page.changing import Changing
from textmusic.page.creating import Creating
from textmusic.page.service import Service
from textmusic.page.showing import Showing


def connect(
    page: gr.Blocks, service: Service, create: dict[str, Any], change: dict[str, Any],
    compare: dict[str, Any], result: dict[str, Any],
) -> None:  # fmt: skip
    """Let every control of the page, by tab, do what it says."""
    private: dict[str, Any] = {"api_visibility": "private"}
    writing = {"show_progress": "hidden", "concurrency_id": "writing", **private}
    showing = Showing(service, result)
    creating = Creating(showing, create, compare)
    creating.connect(page, writing, private)
    Changing(showing, change, create).connect(page, writing, private)
    page.unload(creating.stop)  # nobody waits for it any more
