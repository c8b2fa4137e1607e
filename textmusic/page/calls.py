"""What all endpoints share: values of programs -> wishes, pieces -> files, problems -> errors."""

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
from textmusic.language.prompt import check_length
from textmusic.page.piece import Piece
from textmusic.page.service import Moment, Wish
from textmusic.result.generation import Generation
from textmusic.tokens.sampling import check_seed

DEFECT = "the request met a defect in textmusic; try another, and report this one."
Making = Generator[Moment, None, list[Generation]]
_LOG = logging.getLogger(__name__)


def wish_of_values(
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


def files_of(piece: Piece) -> dict[str, Any]:
    """A kept piece as clients get it: its files, and its report."""
    return {
        "midi": file_of(piece.file("mid")),
        "audio": file_of(piece.file("wav")),
        "piano_roll": file_of(piece.file("svg")),
        "report_file": file_of(piece.file("json")),
        "report": piece.report.to_dict(),
    }


def file_of(path: Path) -> dict[str, Any]:
    """A file as the JSON that clients download it by."""
    return dict(FileData(path=str(path), orig_name=path.name).model_dump())


def uploaded(midi: object) -> Path:
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
def told() -> Iterator[None]:
    """Problems as the API's own errors, which clients get as text."""
    try:
        yield
    except TextMusicError as problem:
        raise gr.Error(str(problem), print_exception=False) from None
    except Exception:  # clients are not shown our inside
        _LOG.exception("a request through the API met a defect")
        raise gr.Error(DEFECT, print_exception=False) from None
