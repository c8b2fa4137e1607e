"""The page's functions for programs: named endpoints with plain values in and JSON out.

They can be called with gradio_client, over HTTP, and as tools of a Model Context Protocol server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder

from textmusic.errors import TextMusicError
from textmusic.language.controls import Controls, well_formed
from textmusic.language.names import in_words
from textmusic.page.desk import Desk, Piece, Wish
from textmusic.page.forms import visitor_of
from textmusic.system.streams import result_of


def add_endpoints(desk: Desk) -> None:
    """Define /understand, /generate, /continue and /compare on the page being built."""

    def understand(
        text: str, key: str = "", tempo: str = "", bars: int = 0, chords: str = "", form: str = ""
    ) -> dict[str, Any]:
        """What would be forced for a description of music, and what of it can't be used.

        Args:
            text: the description, in English or Chinese.
            key: as in "D minor"; wins over the text. "" leaves it to the text.
            tempo: beats a minute or a word; "" leaves it to the text.
            bars: 1 to 256; 0 leaves it to the text.
            chords: as in "Am F C G" or "I-V-vi-IV"; "" leaves them to the text.
            form: as in "AABA" or "verse chorus"; "" leaves it to the text.

        Returns:
            asked (facts by name), seconds, chords, form ("" is open), unused (sentences).
        """
        wish = (text, key, tempo, bars)
        return _told(lambda: _understood(desk, _wish(*wish, chords=chords, form=form)))

    def generate(
        text: str, key: str = "", tempo: str = "", bars: int = 0, seed: int = -1,
        model: str = "", chords: str = "", form: str = "", request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Write music to a description.

        Args:
            text: the description, in English or Chinese; "" leaves everything to the model.
            key: as in "D minor"; wins over the text. "" leaves it to the text.
            tempo: beats a minute or a word; "" leaves it to the text.
            bars: 1 to 256; 0 leaves it to the text.
            seed: the same one gives the same music; -1 draws one.
            model: one that the page offers, as "lstm"; "" is its first.
            chords: as in "Am F C G" or "I-V-vi-IV"; "" leaves them to the text.
            form: as in "AABA" or "verse chorus"; "" leaves it to the text.

        Returns:
            midi, audio, piano_roll, report_file (files) and report (what was asked, planned and
            measured).
        """

        def made() -> dict[str, Any]:
            wish = _wish(text, key, tempo, bars, seed, model, chords=chords, form=form)
            (piece,) = result_of(desk.generate(wish, visitor_of(request)))
            return _files(desk.keep(piece, [], text))

        return _told(made)

    def continue_piece(
        midi: FileData, bars: int = 8, text: str = "", seed: int = -1, model: str = "",
        chords: str = "", form: str = "", request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Write new bars behind those of a MIDI file.

        Args:
            midi: a MIDI file of 2 MB at most.
            bars: how many new ones.
            text: what they should be like; "" goes on as before.
            seed: the same one gives the same music; -1 draws one.
            model: one that the page offers, as "lstm"; "" is its first.
            chords: of the new bars, as in "Am F C G" or "I-V-vi-IV"; "" leaves them to the text.
            form: of the new bars, as in "AABA"; "" leaves it to the text.

        Returns:
            as /generate; the files hold the old bars and the new ones.
        """

        def made() -> dict[str, Any]:
            source = _uploaded(midi)
            wish = _wish(text, "", "", 0, seed, model, chords=chords, form=form)
            (piece,) = result_of(desk.go_on(source, bars, wish, visitor_of(request)))
            return _files(desk.keep(piece, [], text or source.stem))

        return _told(made)

    def compare(
        text: str, first: str = "", second: str = "lstm", seed: int = 1,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The same description, plan and seed through two models.

        Args:
            text: the description, in English or Chinese.
            first: a model, "" the page's first; its plan is forced upon the second.
            second: another model.
            seed: of both.

        Returns:
            first and second, each as /generate.
        """

        def made() -> dict[str, Any]:
            found, plan = {}, None
            for name, model in (("first", first), ("second", second)):
                wish = _wish(text, "", "", 0, seed, model)
                (piece,) = result_of(desk.generate(wish, visitor_of(request), plan=plan))
                plan = plan or piece.plan
                found[name] = _files(desk.keep(piece, [], text))
            return found

        return _told(made)

    for function, name in (
        (understand, "understand"), (generate, "generate"), (continue_piece, "continue"),
        (compare, "compare"),
    ):  # fmt: skip
        gr.api(function, api_name=name, concurrency_id="writing")


def _wish(
    text: str, key: str, tempo: str, bars: int, seed: int = -1, model: str = "", *,
    chords: str = "", form: str = "",
) -> Wish:  # fmt: skip
    controls = Controls(
        key=key or None, tempo=tempo or None, bars=bars or None, chords=chords or None,
        form=form or None,
    )  # fmt: skip
    return Wish(well_formed(str(text)), controls, None if seed < 0 else seed, model=model)


def _understood(desk: Desk, wish: Wish) -> dict[str, Any]:
    prompt, _ = desk.understand(wish)
    asked = dict(prompt.asked.known())
    near = dict(prompt.near.known())
    words = in_words(prompt.asked, outline=prompt.outline)
    return {
        "asked": asked, "near": near, "seconds": prompt.seconds,
        "chords": words.get("chords", ""), "form": words.get("form", ""),
        "unused": list(prompt.unused),
    }  # fmt: skip


def _files(piece: Piece) -> dict[str, Any]:
    found = {path.suffix[1:]: _file(path) for path in piece.files}
    return {
        "midi": found["mid"],
        "audio": found["wav"],
        "piano_roll": found["svg"],
        "report_file": found["json"],
        "report": piece.report.to_dict(),
    }


def _file(path: Path) -> dict[str, Any]:
    """A file as the JSON that clients download it by."""
    return dict(FileData(path=str(path), orig_name=path.name).model_dump())


def _uploaded(midi: Any) -> Path:
    path = Path(str(midi["path"] if isinstance(midi, dict) else midi.path)).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()):
        raise TextMusicError("the file was not uploaded; send it with handle_file(...).")
    return path


def _told(make: Any) -> dict[str, Any]:
    try:
        made: dict[str, Any] = make()
        return made
    except TextMusicError as problem:
        raise gr.Error(str(problem), print_exception=False) from None
