"""A folder -> the files in it, recursively and in zip archives, within limits.

Nothing is unpacked to the disk: members of archives are read into memory, each up to a limit, and
their paths are only used as names.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath

from textmusic.corpus.archive_names import names_of
from textmusic.errors import TextMusicError
from textmusic.language.controls import well_formed
from textmusic.music.midi_files import MIDI_SUFFIXES
from textmusic.notation.abc_text import tunes_in
from textmusic.notation.packed import LARGEST_MUSIC_FILE, RATIO
from textmusic.transcription.recordings import LARGEST, SUFFIXES

RECORDING = "recording"
# Suffix -> name of the format in the summary. The content of ".xml" files is checked, too.
MUSIC = {
    **dict.fromkeys(MIDI_SUFFIXES, "MIDI"), ".mxl": ".mxl", ".musicxml": ".musicxml",
    ".xml": ".musicxml", ".abc": "ABC", ".krn": "kern", ".kern": "kern",
    **dict.fromkeys(SUFFIXES, RECORDING),
}  # fmt: skip
MOST_FILES = 1_000_000  # files of a folder, or of an archive
LARGEST_ARCHIVE = 20_000_000_000  # bytes of what is in one, unpacked
SMALL = 100_000  # bytes; the ratio of smaller members is not limited


@dataclass(frozen=True, slots=True, order=True)
class File:
    """A file, or a member of an archive.

    name: its path from the folder that was given, with "/"; in an archive "songs.zip/jazz/a.mid".
    stamp: changes where the contents have.
    """

    name: str
    path: Path
    member: str | None
    size: int
    stamp: str

    @property
    def suffix(self) -> str:
        """In small letters: ".mid"."""
        return PurePosixPath(self.name).suffix.lower()

    def read(self) -> bytes:
        """Its bytes. Raises OSError, zipfile.BadZipFile or NotImplementedError."""
        if self.member is None:
            return self.path.read_bytes()
        try:
            return opened(self.path).read(self.member)
        except NotImplementedError:
            raise
        except (zlib.error, EOFError, RuntimeError) as problem:  # damaged, cut off, or encrypted
            raise zipfile.BadZipFile(str(problem)) from None


@dataclass(frozen=True, slots=True)
class PieceFile:
    """A piece of a folder. name: its file's, and for one of several tunes "#" and its number."""

    name: str
    file: File
    tune: str = ""


@dataclass(slots=True)
class FoundFiles:
    """The files of a folder, sorted by name, and the refused ones with the reasons."""

    files: list[File] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def add(self, file: File) -> None:
        """Take a file, or refuse it."""
        largest = LARGEST if MUSIC.get(file.suffix) == RECORDING else LARGEST_MUSIC_FILE
        if file.size > largest and file.suffix in MUSIC:
            why = f"is too large ({file.size / 1e6:,.0f} MB, at most {largest / 1e6:.0f})"
            self.refused.append((file.name, why))
        else:
            self.files.append(file)


@lru_cache(maxsize=4)  # a process reads thousands of members of one archive
def opened(archive: Path) -> zipfile.ZipFile:
    """A zip archive, opened."""
    return zipfile.ZipFile(archive)


def find(folder: Path, leave_out: tuple[Path, ...] = ()) -> FoundFiles:
    """All files below a folder, by name. Hidden ones and those of `leave_out` are passed over.

    Raises TextMusicError if there is no such folder, or if it has too many files.
    """
    if not folder.is_dir():
        raise TextMusicError(f"'{folder}' is not a folder; give the one that your music is in.")
    found, left_out = FoundFiles(), {path.resolve() for path in leave_out}
    for path in _walk(folder, left_out, set()):
        name = well_formed(path.relative_to(folder).as_posix())
        if path.suffix.lower() == ".zip":
            _look_into(path, name, found)
            continue
        try:
            about = path.stat()
        except OSError as problem:
            found.refused.append((name, f"can't be read ({problem.strerror})"))
            continue
        found.add(File(name, path, None, about.st_size, f"{about.st_size} {about.st_mtime_ns}"))
        if len(found.files) > MOST_FILES:
            raise TextMusicError(f"'{folder}' has over {MOST_FILES:,} files; give a subfolder.")
    found.files.sort()
    return found


def pieces_in(files: Iterable[File], refused: list[tuple[str, str]]) -> list[PieceFile]:
    """The pieces of some files of `MUSIC`; one in ABC may have several.

    refused: gets (file, why) of the files that can't be read.
    """
    pieces = []
    for file in files:
        tunes = [""]
        if MUSIC[file.suffix] == "ABC":
            try:
                tunes = tunes_in(file.read())
            except Exception as problem:  # zipfile raises many kinds for a broken member
                refused.append((file.name, f"can't be read ({problem})"))
                continue
        pieces += [PieceFile(f"{file.name}#{t}" if t else file.name, file, t) for t in tunes]
    return pieces


def _walk(folder: Path, leave_out: set[Path], above: set[Path]) -> Iterator[Path]:
    """Files below a folder; links are followed, but not in a circle."""
    place = folder.resolve()
    if place in leave_out or place in above:
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if _hidden(entry.name):
            continue
        try:
            inside, there = entry.is_dir(), entry.is_file()
        except OSError:  # a link that leads to itself
            continue
        if inside:
            yield from _walk(folder / entry.name, leave_out, above | {place})
        elif there:
            yield folder / entry.name


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _look_into(archive: Path, name: str, found: FoundFiles) -> None:
    """Add what an archive holds."""
    try:
        members = opened(archive).infolist()
        stamp = str(archive.stat().st_mtime_ns)
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        found.refused.append((name, "is not a zip archive, or is broken"))
        return
    if len(members) > MOST_FILES:
        found.refused.append((name, f"has {len(members):,} files, more than {MOST_FILES:,}"))
        return
    if (total := sum(member.file_size for member in members)) > LARGEST_ARCHIVE:
        found.refused.append((name, f"unpacks to {total / 1e9:,.0f} GB; unpack it yourself"))
        return
    seen: set[str] = set()
    for member, called in zip(members, names_of(members), strict=True):
        parts = PurePosixPath(called).parts
        if member.is_dir() or any(_hidden(part) for part in parts if part != ".."):
            continue
        own = f"{name}/{called}"
        if why := _unfit(member, called, seen):
            if PurePosixPath(own).suffix.lower() in {*MUSIC, ".zip"}:
                found.refused.append((own, why))
            continue
        seen.add(called)
        stamped = f"{member.file_size} {member.CRC} {stamp}"
        found.add(File(own, archive, member.filename, member.file_size, stamped))


def _unfit(member: zipfile.ZipInfo, called: str, seen: set[str]) -> str:
    """Why a member of an archive is not read, or ""."""
    parts = PurePosixPath(called).parts
    if ".." in parts or called.startswith("/") or "\0" in member.filename:
        return "has a path that leads out of its archive"
    if called in seen:
        return "is in its archive twice"
    if member.flag_bits & 1:
        return "is encrypted; unpack it yourself"
    if called.lower().endswith(".zip"):
        return "is an archive in an archive; unpack the outer one"
    if member.file_size > SMALL and member.file_size > RATIO * max(member.compress_size, 1):
        return f"unpacks to over {RATIO} times its size, which music never does"
    return ""
