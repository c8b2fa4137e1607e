"""How a page of gradio is served: the page itself, and the one of listening tests."""

from __future__ import annotations

import os
from importlib import resources
from ipaddress import ip_network
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from textmusic.errors import TextMusicError
from textmusic.page.desk import scripts
from textmusic.page.wording import translations

WAITING = 32  # people in the queue at most
I18N = gr.I18n(**translations())


def launch(
    page: gr.Blocks, *, host: str = "127.0.0.1", port: int | None = None, proxy: str = "",
    **more: Any,
) -> Any:  # fmt: skip
    """Serve the page; nothing is fetched from or sent to elsewhere.

    port: None takes a free one from 7860 on. proxy: addresses or networks, separated by commas,
    whose X-Forwarded-For header is believed; of others it is ignored, since anyone can send one.
    more: further options of gradio's `launch`. Raises
    TextMusicError if the port is taken or the address is not this machine's.
    """
    # uvicorn reads it when it starts, and would believe every process of this machine
    os.environ["FORWARDED_ALLOW_IPS"] = trusted(proxy)
    theme = gr.themes.Default(
        primary_hue="indigo",
        font=["ui-sans-serif", "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    data = resources.files("textmusic") / "data"
    media = (data / "page" / "media.css").read_text(encoding="utf-8")
    options = {
        "theme": theme,
        "css": (data / "page.css").read_text(encoding="utf-8"),
        "head": f"<style>{media}</style><script>{scripts()}</script>",
        "app_kwargs": {"middleware": [Middleware(compressed)], **more.pop("app_kwargs", {})},
        "i18n": I18N,
        "max_file_size": "60mb",  # ten minutes of mono; of MIDI less is read
        "footer_links": ["api", "settings"],
        "run_history": False,
        "show_error": True,
        "ssr_mode": False,
    }
    try:
        return page.launch(server_name=host, server_port=port, **(options | more))
    except OSError as problem:
        if "empty port" not in str(problem):
            raise
        raise TextMusicError(
            f"{host}:{port or 7860} is in use, or is not an address of this machine; choose"
            " another --port or --host."
        ) from None


def compressed(app: ASGIApp) -> ASGIApp:
    """The page itself compressed, a sixth of its size; gradio compresses only its scripts.

    Nothing else is touched: music is compressed already, and what is heard live must not wait.
    """
    smaller = GZipMiddleware(app)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        page = scope["type"] == "http" and scope["path"] == "/"
        await (smaller if page else app)(scope, receive, send)

    return answer


def trusted(proxy: str) -> str:
    """The proxies as uvicorn wants them; raises TextMusicError for what is no address."""
    said = [part.strip() for part in proxy.split(",") if part.strip()]
    try:
        return ",".join(str(ip_network(part)) for part in said)
    except ValueError:
        raise TextMusicError(
            f"the proxy '{proxy[:80]}' is not an address or a network; give one such as 127.0.0.1"
            " or 10.0.0.0/8."
        ) from None
