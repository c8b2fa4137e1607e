"""The button that records: a tune that is hummed or played in the browser goes the way of an
upload. Its script is textmusic/data/page/microphone.js."""

from __future__ import annotations

import gradio as gr

from textmusic.page.desk import script_words
from textmusic.transcription.activations import RATE
from textmusic.transcription.recordings import LONGEST

REST = "() => textmusic.microphone?.rest()"  # when an upload has been read, or can't be


def microphone() -> gr.HTML:
    """Records up to the longest recording, and puts it into the file box of class `tm-upload`."""
    return gr.HTML(
        None, html_template='<div class="tm-microphone-place"></div>', apply_default_css=False,
        padding=False, js_on_load="new textmusic.Microphone(element, {props});",
        words=script_words(), rate=RATE, longest=int(LONGEST),
    )  # fmt: skip
