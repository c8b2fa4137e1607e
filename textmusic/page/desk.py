"""The desk and the list of pieces: two small components of the page, drawn by the browser.

Their scripts are in textmusic/data/page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

import gradio as gr

from textmusic.language.names import instrument_name
from textmusic.music.theory import DRUMS
from textmusic.page.wording import SCRIPT_WORDS, say

REST = "() => textmusic.desk.rest()"  # when what takes time has ended, whatever has come of it
SCRIPTS = (
    "mends",
    "roll",
    "pencil",
    "player",
    "mixing",
    "waiting",
    "desk",
    "pieces",
    "microphone",
    "keys",
)  # in the order in which they are loaded


def desk(stems: Callable[[str], Sequence[str]]) -> gr.HTML:
    """A piece's roll, player, parts and chosen bars. Its value is a view: see `piece_view`.

    Events: `act` and `write`, whose data say {what, token, bars (from 0, and the one behind the
    last; null: none), part (a program; null: all), and more, by what is wanted: see `selecting`}.
    What takes its time is a `write`. stems: the addresses of a piece's parts, by its secret.
    """

    def stems_of(token: str) -> list[str]:
        return list(stems(token))

    stems_of.__name__ = "stems"
    return gr.HTML(
        None, html_template='<div class="tm-desk-place"></div>', apply_default_css=False,
        padding=False, js_on_load="new textmusic.Desk(element, {props, watch, trigger, server});"
        " // 'act', 'write'", server_functions=[stems_of], words=script_words(), players=_players(),
    )  # fmt: skip


def pieces() -> gr.HTML:
    """The list of a browser's pieces. Its value is {pieces: [...], chosen: a secret}.

    Events: `act`, as the desk's.
    """
    return gr.HTML(
        None, html_template='<div class="tm-pieces-place"></div>', apply_default_css=False,
        padding=False, words=script_words(),
        js_on_load="new textmusic.Pieces(element, {props, watch, trigger}); // 'act'",
    )  # fmt: skip


def scripts() -> str:
    """All scripts of the page, for its head."""
    folder = resources.files("textmusic") / "data" / "page"
    texts = [(folder / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n".join(texts)


def _players() -> dict[str, list[list[Any]]]:
    """The instruments that can be added, by language: [program, name], in the order of names."""
    return {
        language: sorted(
            ([program, instrument_name(program, language)] for program in range(DRUMS + 1)),
            key=lambda row: str(row[1]),
        )
        for language in ("en", "zh")
    }


def script_words() -> dict[str, dict[str, str]]:
    """What the scripts say, by language."""
    return {
        language: {key: say(key, language) for key in SCRIPT_WORDS} for language in ("en", "zh")
    }
