"""The page's functions for programs: named endpoints with plain values in and JSON out.

They can be called with gradio_client, over HTTP, and as tools of a Model Context Protocol server.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder

from textmusic.errors import TextMusicError
from textmusic.language.controls import Controls, well_formed
from textmusic.language.names import in_words
from textmusic.language.prompt import check_length
from textmusic.page.forms import visitor_of
from textmusic.page.piece import Piece
from textmusic.page.service import Moment, Service, Wish
from textmusic.result.generation import Generation
from textmusic.system.streams import result_of
from textmusic.tokens.sampling import check_seed

DEFECT = "the request met a defect in textmusic; try another, and report this one."
_LOG = logging.getLogger(__name__)
Making = Generator[Moment, None, list[Generation]]


class Endpoints:
    """/understand, /generate, /continue and /compare of a service; docstrings are their help."""

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
        with _told():
            wish = _wish(text, key, tempo, bars, chords=chords, form=form)
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
        with _told():
            wish = _wish(text, key, tempo, bars, seed, model, chords=chords, form=form)
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
        with _told():
            source = _uploaded(midi)
            wish = _wish(text, seed=seed, model=model, chords=chords, form=form)
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
        with _told():
            for name, model in (("first", first), ("second", second)):
                wish = _wish(text, seed=seed, model=model)
                making = self._service.generate(wish, visitor_of(request), plan=plan)
                (piece,) = result_of(making)
                plan = plan or piece.plan
                found[name] = _files(self._service.keep(piece, wish.text))
        return found

    def _kept(self, making: Making, title: str) -> dict[str, Any]:
        (piece,) = result_of(making)
        return _files(self._service.keep(piece, title))


def add_endpoints(service: Service) -> None:
    """Define the endpoints on the page being built."""
    endpoints = Endpoints(service)
    for function, name in (
        (endpoints.understand, "understand"), (endpoints.generate, "generate"),
        (endpoints.continue_piece, "continue"), (endpoints.compare, "compare"),
    ):  # fmt: skip
        gr.api(function, api_name=name, concurrency_id="writing")


def _wish(
    text: object, key: Any = "", tempo: Any = "", bars: Any = 0, seed: object = -1,
    model: Any = "", *, chords: Any = "", form: Any = "",
) -> Wish:  # fmt: skip
    """What programs ask for; they send any JSON, and null for what they leave open."""
    controls = Controls(
        key=key or None, tempo=tempo or None, bars=bars or None, chords=chords or None,
        form=form or None,
    )  # fmt: skip
    chosen = None if seed is None or (type(seed) is int and seed == -1) else check_seed(seed)
    return Wish(well_formed(check_length(text or "")), controls, chosen, model=model or "")


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


def _files(piece: Piece) -> dict[str, Any]:
    return {
        "midi": _file(piece.file("mid")),
        "audio": _file(piece.file("wav")),
        "piano_roll": _file(piece.file("svg")),
        "report_file": _file(piece.file("json")),
        "report": piece.report.to_dict(),
    }


def _file(path: Path) -> dict[str, Any]:
    """A file as the JSON that clients download it by."""
    return dict(FileData(path=str(path), orig_name=path.name).model_dump())


def _uploaded(midi: object) -> Path:
    """The file that a client has uploaded; raises TextMusicError for any other, and for none."""
    said = midi.get("path") if isinstance(midi, dict) else getattr(midi, "path", None)
    try:
        path = Path(said if isinstance(said, str) else "").resolve()
        if path.is_relative_to(Path(get_upload_folder()).resolve()) and path.is_file():
            return path
    except (OSError, ValueError):  # no name that a file can have
        pass
    raise TextMusicError("the file was not uploaded; upload it with handle_file(...).")


@contextmanager
def _told() -> Iterator[None]:
    """Problems as the API's own errors, which clients get as text."""
    try:
        yield
    except TextMusicError as problem:
        raise gr.Error(str(problem), print_exception=False) from None
    except Exception:  # clients are not shown our inside
        _LOG.exception("a request through the API met a defect")
        raise gr.Error(DEFECT, print_exception=False) from None
