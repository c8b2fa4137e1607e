"""Whose pieces are whose: a shelf for each browser, known by a secret that only it has."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any

from textmusic.errors import TextMusicError
from textmusic.page.piece import LONGEST_TITLE, Piece, keep, kept
from textmusic.result.generation import Generation
from textmusic.system.values import text
from textmusic.system.whole_files import write_text

KEPT_SECONDS = 7 * 24 * 3600  # how long a piece can be opened and downloaded
MOST_BYTES = 1_000_000_000  # of all pieces together; then the oldest go
MOST_ON_A_SHELF = 200
SECRET = re.compile(r"[A-Za-z0-9_-]{16,64}")
_SWEEP = 600  # seconds between looks for what has expired


@dataclass
class Shelves:
    """Pieces on disk, and the list of each browser's.

    root: a folder that outlives the server. Everything in it is deleted when it is `KEPT_SECONDS`
    old, favourites last when there is too much.
    """

    root: Path
    most_bytes: int = MOST_BYTES
    _lock: Any = field(default_factory=RLock)
    _swept: float = 0.0

    @property
    def pieces(self) -> Path:
        """Where pieces are: a folder each."""
        return self.root / "pieces"

    def secret(self) -> str:
        """A name for a new shelf."""
        return secrets.token_urlsafe(24)

    def on(self, shelf: str) -> list[Piece]:
        """A shelf's pieces that are still there, the newest first."""
        with self._lock:
            found = (kept(self.pieces / token) for token in self._list(shelf))
            return [piece for piece in found if piece is not None]

    def put(self, shelf: str, generation: Generation, title: str, **said: Any) -> Piece:
        """Keep a piece on a shelf. said: see `Piece`."""
        self.sweep()
        piece = keep(generation, title, self.pieces, **said)
        with self._lock:
            self._write(shelf, [piece.token, *self._list(shelf)][:MOST_ON_A_SHELF])
        return piece

    def find(self, token: object) -> Piece:
        """The piece that a secret opens; raises TextMusicError where there is none."""
        piece = None
        if isinstance(token, str) and SECRET.fullmatch(token):
            piece = kept(self.pieces / token)
        if piece is None:
            raise TextMusicError(
                "this piece is not here any more; write it again, or open it from your own files."
            )
        return piece

    def rename(self, shelf: str, token: str, title: object) -> Piece:
        """Give a piece another title."""
        said = text("title", title or "", LONGEST_TITLE).strip()
        return self._own(shelf, token).changed(title=said)

    def favour(self, shelf: str, token: str) -> Piece:
        """Make a piece a favourite, or one no longer."""
        piece = self._own(shelf, token)
        return piece.changed(favourite=not piece.favourite)

    def delete(self, shelf: str, token: str) -> None:
        """Delete a piece; its link opens nothing from then on."""
        piece = self._own(shelf, token)
        with self._lock:
            self._write(shelf, [one for one in self._list(shelf) if one != token])
        shutil.rmtree(piece.folder, ignore_errors=True)

    def renew(self, shelf: str, token: str) -> Piece:
        """Give a piece another secret: the link that was given away opens nothing any more."""
        piece = self._own(shelf, token)
        folder = self.pieces / secrets.token_urlsafe(16)
        with self._lock:
            piece.folder.rename(folder)
            listed = [folder.name if one == token else one for one in self._list(shelf)]
            self._write(shelf, listed)
        return self.find(folder.name)

    def sweep(self, now: float | None = None) -> None:
        """Delete what has expired, and the oldest where there is too much; now and then."""
        now = time.time() if now is None else now
        with self._lock:
            if now - self._swept < _SWEEP:
                return
            self._swept = now
            there = []
            for folder in self._folders(self.pieces):
                piece = kept(folder)
                if piece is not None:
                    there.append(piece)
                elif now - folder.stat().st_mtime > KEPT_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)  # a crash cut its writing short
            sizes = {piece.token: _size(piece.folder) for piece in there}
            room = self.most_bytes
            for piece in sorted(there, key=lambda one: (one.favourite, one.made), reverse=True):
                room -= sizes[piece.token]
                if room < 0 or now - piece.made > KEPT_SECONDS:
                    shutil.rmtree(piece.folder, ignore_errors=True)
            for path in (self.root / "shelves").glob("*.txt"):
                if now - path.stat().st_mtime > KEPT_SECONDS:
                    path.unlink(missing_ok=True)

    def _own(self, shelf: str, token: str) -> Piece:
        """A piece of a shelf; a link lets others hear a piece, and not change it."""
        if token not in self._list(shelf):
            raise TextMusicError("only the one who made a piece can change it; save a copy first.")
        return self.find(token)

    def _path(self, shelf: str) -> Path:
        if not isinstance(shelf, str) or not SECRET.fullmatch(shelf):
            raise TextMusicError("the page has lost your pieces; reload it.")
        return self.root / "shelves" / f"{shelf}.txt"

    def _list(self, shelf: str) -> list[str]:
        try:
            said = self._path(shelf).read_text("utf-8").split()
        except OSError:
            return []
        return [token for token in said if SECRET.fullmatch(token)]

    def _write(self, shelf: str, tokens: list[str]) -> None:
        write_text(self._path(shelf), "\n".join(tokens))

    def _folders(self, root: Path) -> Iterator[Path]:
        return (path for path in root.glob("*") if path.is_dir()) if root.is_dir() else iter(())


def _size(folder: Path) -> int:
    sizes = 0
    for path in folder.glob("*"):
        with suppress(OSError):  # a file that was being written has its own name by now
            sizes += path.stat().st_size
    return sizes
