"""The files of kept pieces, over HTTP: whoever has a piece's secret can hear and download it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from textmusic.drawing.piano_roll import colours_of
from textmusic.errors import TextMusicError
from textmusic.language.sentences import error_text
from textmusic.page.piece import Piece
from textmusic.page.wording import language_of
from textmusic.result.formats import FORMATS
from textmusic.sound.audio_files import sample_rate_of, write_audio
from textmusic.system.whole_files import whole_file

PREFIX = "piece"
"""Where the files are, below the page's own address."""

DOWNLOADS = ("mid", "musicxml", "pdf", "wav", "mp3", "ogg", "flac", "svg", "png", "json", "zip")
ZIPPED = ("mid", "mp3", "svg", "json")  # what a .zip holds


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
            path, filename=path.name if download else None,
            headers={"Cache-Control": "private, max-age=3600"},
        )  # fmt: skip

    return [Route(f"/{PREFIX}/{{token}}/{{name}}", serve)]


def stems(piece: Piece) -> list[str]:
    """Where the sound of each of a piece's parts is, in the order of its view."""
    return [
        f"{PREFIX}/{piece.token}/{quote(piece.stem)}.part{n}.ogg"
        for n in range(len(colours_of(piece.generation.columns)))
    ]


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
    if not paths[number].exists():
        rate = sample_rate_of(".ogg")
        whole, stems = made.stems(None, rate)
        for program, path in zip(programs, paths, strict=True):
            own = [stem.audio for stem in stems if stem.program == program]
            with whole_file(path) as partial:
                write_audio(sum(own, np.zeros_like(whole)), partial, rate)
    return paths[number]


def _zip(piece: Piece) -> Path:
    path = piece.folder / f"{piece.stem}.zip"
    if not path.exists():
        members = [piece.file(kind) for kind in ZIPPED]
        with (
            whole_file(path) as partial,
            zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as file,
        ):
            for member in members:
                file.write(member, member.name)
    return path


assert set(DOWNLOADS) <= {*FORMATS, "zip"}
