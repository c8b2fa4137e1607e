"""The page's functions for programs: named endpoints with plain values in and JSON out.

They can be called with gradio_client, over HTTP, and as tools of a Model Context Protocol server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from textmusic.language.names import in_words
from textmusic.page.calls import Making, files_of, told, uploaded, wish_of_values
from textmusic.page.comparisons import Comparisons
from textmusic.page.compositions import Compositions
from textmusic.page.forms import visitor_of
from textmusic.page.recordings import Recordings
from textmusic.page.service import Service, Wish
from textmusic.system.streams import result_of


class Endpoints:
    """The named endpoints of a service; docstrings are their help."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def understand(
        self, text: str, key: str = "", tempo: str = "", bars: int = 0, chords: str = "",
        form: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Say how a description of music is understood, and which parts of it can't be used.

        Args:
            text: the description, in English or Chinese.
            key: for example "D minor"; overrides the text. "" leaves it to the text.
            tempo: quarter notes per minute, or a word; "" leaves it to the text.
            bars: 1 to 256; 0 leaves it to the text.
            chords: for example "Am F C G" or "I-V-vi-IV"; "" leaves them to the text.
            form: for example "AABA" or "verse chorus"; "" leaves it to the text.

        Returns:
            asked (facts by name), seconds, chords, form ("" is open), unused (what can't be used,
                and why).
        """
        with told():
            wish = wish_of_values(text, key, tempo, bars, chords=chords, form=form)
            return _understood(self._service, wish)

    def generate(
        self, text: str, key: str = "", tempo: str = "", bars: int = 0, seed: int = -1,
        model: str = "", chords: str = "", form: str = "", request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Write music for a description.

        Args:
            text: the description, in English or Chinese; "" leaves everything to the model.
            key: for example "D minor"; overrides the text. "" leaves it to the text.
            tempo: quarter notes per minute, or a word; "" leaves it to the text.
            bars: 1 to 256; 0 leaves it to the text.
            seed: the same seed gives the same music; -1 picks one at random.
            model: one that the page offers, such as "lstm"; "" is the first.
            chords: for example "Am F C G" or "I-V-vi-IV"; "" leaves them to the text.
            form: for example "AABA" or "verse chorus"; "" leaves it to the text.

        Returns:
            midi, audio, piano_roll, report_file (files) and report (what was asked, planned and
            measured).
        """
        with told():
            wish = wish_of_values(text, key, tempo, bars, seed, model, chords=chords, form=form)
            return self._kept(self._service.generate(wish, visitor_of(request)), wish.text)

    def continue_piece(
        self, midi: FileData, bars: int = 8, text: str = "", seed: int = -1, model: str = "",
        chords: str = "", form: str = "", request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Continue a MIDI file with new bars.

        Args:
            midi: a MIDI file, up to 2 MB.
            bars: number of new bars.
            text: description of the new bars; "" continues in the same style.
            seed: the same seed gives the same music; -1 picks one at random.
            model: one that the page offers, such as "lstm"; "" is the first.
            chords: of the new bars, such as "Am F C G" or "I-V-vi-IV"; "" leaves them to the text.
            form: of the new bars, such as "AABA"; "" leaves it to the text.

        Returns:
            as /generate; the files have the old bars and the new ones.
        """
        with told():
            source = uploaded(midi)
            wish = wish_of_values(text, seed=seed, model=model, chords=chords, form=form)
            making = self._service.go_on(source, bars, wish, visitor_of(request))
            return self._kept(making, wish.text or source.stem)

    def compare(
        self, text: str, first: str = "", second: str = "lstm", seed: int = 1,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Write music with two models from the same description, plan and seed.

        Args:
            text: the description, in English or Chinese.
            first: a model; "" is the page's first. The second model gets its plan too.
            second: another model.
            seed: used by both.

        Returns:
            first and second, each as /generate.
        """
        found, plan = {}, None
        with told():
            for name, model in (("first", first), ("second", second)):
                wish = wish_of_values(text, seed=seed, model=model)
                making = self._service.generate(wish, visitor_of(request), plan=plan)
                (piece,) = result_of(making)
                plan = plan or piece.plan
                found[name] = files_of(self._service.keep(piece, wish.text))
        return found

    def _kept(self, making: Making, title: str) -> dict[str, Any]:
        (piece,) = result_of(making)
        return files_of(self._service.keep(piece, title))


def functions_of(service: Service) -> dict[str, Callable[..., Any]]:
    """The endpoints by name."""
    endpoints, composing, comparing = Endpoints(service), Compositions(service), Comparisons()
    return {
        "understand": endpoints.understand, "generate": endpoints.generate,
        "continue": endpoints.continue_piece, "rewrite": composing.rewrite, "add": composing.add,
        "vary": composing.vary, "harmonise": composing.harmonise, "practise": composing.practise,
        "compare": endpoints.compare, "similar": comparing.similar,
        "originality": comparing.originality, "transcribe": Recordings(service).transcribe,
    }  # fmt: skip


def add_endpoints(service: Service) -> None:
    """Define the endpoints on the page being built."""
    for name, function in functions_of(service).items():
        gr.api(function, api_name=name, concurrency_id="writing")


def _understood(service: Service, wish: Wish) -> dict[str, Any]:
    prompt, _ = service.understand(wish)
    asked = dict(prompt.asked.known())
    near = dict(prompt.near.known())
    words = in_words(prompt.asked, outline=prompt.outline)
    return {
        "asked": asked, "near": near, "seconds": prompt.seconds,
        "chords": words.get("chords", ""), "form": words.get("form", ""),
        "unused": list(prompt.unused),
    }  # fmt: skip
