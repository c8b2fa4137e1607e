"""The files of kept pieces, over HTTP: whoever has a piece's secret can hear and download it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from urllib.parse import quote

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from textmusic.drawing.piano_roll import colours_of
from textmusic.errors import TextMusicError
from textmusic.language.names import instrument_name
from textmusic.language.sentences import error_text
from textmusic.page.piece import Piece
from textmusic.page.wording import language_of
from textmusic.result.formats import FORMATS
from textmusic.sound.audio_files import sample_rate_of, write_audio
from textmusic.system.whole_files import whole_file

PREFIX = "piece"
"""Where the files are, below the page's own address."""

DOWNLOADS = ("mid", "musicxml", "pdf", "wav", "mp3", "ogg", "flac", "svg", "png", "json", "zip")
# What a .zip holds beside the parts; some formats need an extra, and are left out without it.
ZIPPED = ("mid", "ogg", "svg", "json", "musicxml", "pdf")
_PARTS = Lock()  # one rendering at a time: the page asks for all parts at once


def address(piece: Piece, kind: str) -> str:
    """Where a piece's file in a format is, relative to the page."""
    return f"{PREFIX}/{piece.token}/{quote(piece.stem)}.{kind}"


def routes(find: Callable[[str], Piece]) -> list[Route]:
    """The route of all files. find: the piece that a secret opens, or TextMusicError."""

    async def serve(request: Request) -> Response:
        name = request.path_params["name"]
        try:
            piece = find(request.path_params["token"])
            kind = name.removeprefix(f"{piece.stem}.")
            path = await run_in_threadpool(_file, piece, kind)
        except TextMusicError as problem:
            language = language_of(request.headers.get("accept-language", ""))
            return PlainTextResponse(f"{error_text(str(problem), language)}\n", 404)
        download = "download" in request.query_params
        return FileResponse(
            path, filename=_called(piece, kind) if download else None,
            headers={"Cache-Control": "private, max-age=3600"},
        )  # fmt: skip

    return [Route(f"/{PREFIX}/{{token}}/{{name}}", serve)]


def _called(piece: Piece, kind: str) -> str:
    """What a file is called when it is saved."""
    if part := re.fullmatch(r"part([0-9]{1,2})\.ogg", kind):
        kind = f"{_part_names(piece)[int(part[1])]}.ogg"
    return f"{piece.stem}.{kind}"


def stems(piece: Piece) -> list[str]:
    """Where the sound of each of a piece's parts is, in the order of its view."""
    return [
        f"{PREFIX}/{piece.token}/{quote(piece.stem)}.part{n}.ogg"
        for n in range(len(colours_of(piece.generation.columns)))
    ]


def _part_names(piece: Piece) -> list[str]:
    """What the sound of each part is called outside the page: "2-flute"."""
    programs = colours_of(piece.generation.columns)
    return [
        f"{n}-{instrument_name(program).replace(' ', '-')}"
        for n, program in enumerate(programs, 1)
    ]  # fmt: skip


def _file(piece: Piece, kind: str) -> Path:
    if part := re.fullmatch(r"part([0-9]{1,2})\.ogg", kind):
        return _part(piece, int(part[1]))
    return _zip(piece) if kind == "zip" else piece.file(kind)


def _part(piece: Piece, number: int) -> Path:
    """The sound of one part of the view; all of them are written, in one go."""
    made = piece.generation
    programs = list(colours_of(made.columns))
    if number >= len(programs):
        raise TextMusicError("the piece has no such part; reload the page.")
    paths = [piece.folder / f"{piece.stem}.part{n}.ogg" for n in range(len(programs))]
    with _PARTS:
        if not paths[number].exists():
            piece.check_length(len(programs))
            rate = sample_rate_of(".ogg")
            whole, stems = made.stems(None, rate)
            for program, path in zip(programs, paths, strict=True):
                own = [stem.audio for stem in stems if stem.program == program]
                with whole_file(path) as partial:
                    write_audio(sum(own, np.zeros_like(whole)), partial, rate)
    return paths[number]


def _zip(piece: Piece) -> Path:
    """All there is of a piece: its files, and the sound of each part."""
    path = piece.folder / f"{piece.stem}.zip"
    if not path.exists():
        members = {}
        for kind in ZIPPED:
            with suppress(TextMusicError):  # sheet music needs an extra, and a tune
                members[f"{piece.stem}.{kind}"] = piece.file(kind)
        for n, name in enumerate(_part_names(piece)):
            members[f"stems/{name}.ogg"] = _part(piece, n)
        with (
            whole_file(path) as partial,
            zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as file,
        ):
            for name, member in members.items():
                file.write(member, name)
    return path


assert set(DOWNLOADS) <= {*FORMATS, "zip"}
