"""Compressed MusicXML (.mxl) -> the score in it."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePosixPath
from urllib.parse import unquote

from textmusic.notation.sheet import UnreadableError
from textmusic.notation.text import xml_text

LARGEST_MUSIC_FILE = 20_000_000  # bytes of one file, unpacked
RATIO = 200  # unpacked to packed; MusicXML, the most repetitive of the formats, reaches 40
CONTAINER = "META-INF/container.xml"
_PACKED = "application/vnd.recordare.musicxml"  # and "+xml"


def unpacked(data: bytes) -> bytes:
    """The bytes of the score in a compressed MusicXML file. Raises UnreadableError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = _score(archive, len(data))
            _check(member, len(data))
            return archive.read(member)
    except UnreadableError:
        raise
    except Exception:  # zipfile raises many kinds for a broken archive
        raise UnreadableError("is not compressed MusicXML: it can't be unpacked") from None


def _check(member: zipfile.ZipInfo, size: int) -> None:
    if member.file_size > min(LARGEST_MUSIC_FILE, RATIO * max(size, 1)):
        raise UnreadableError(f"is too large ({member.file_size / 1e6:,.0f} MB unpacked)")


def _score(archive: zipfile.ZipFile, size: int) -> zipfile.ZipInfo:
    """The member that the container names as the score; else the first that may be one."""
    members = {_plain(member.filename): member for member in archive.infolist()}
    container = members.get(_plain(CONTAINER))
    if container is not None:
        _check(container, size)
        for path in _rootfiles(xml_text(archive.read(container))):
            if (found := members.get(_plain(path))) is not None:
                return found
    for member in archive.infolist():
        kind = PurePosixPath(member.filename).suffix.lower()
        hidden = member.filename.startswith(("META-INF", "__MACOSX", "."))
        if kind in (".xml", ".musicxml") and not hidden:
            return member
    raise UnreadableError("is not compressed MusicXML: it has no score")


def _rootfiles(container: str) -> list[str]:
    """The paths of its rootfiles, those of MusicXML first: others may be a page or a recording."""
    roots = []
    for tag in re.findall(r"<(?:\w+:)?rootfile\b[^>]*>", container):
        said = dict(re.findall(r"""([\w-]+)\s*=\s*["']([^"']*)["']""", tag))
        kind = said.get("media-type", _PACKED)
        roots.append((not kind.startswith(_PACKED), said.get("full-path", "")))
    return [path for _, path in sorted(roots, key=lambda root: root[0])]


def _plain(path: str) -> str:
    path = unquote(path.replace("&amp;", "&")).replace("\\", "/")
    return path.removeprefix("./").strip("/").lower()
