"""A person's folder -> its index, made once and then kept up with the folder.

The index is kept in the cache, not among the person's music: a folder may be read-only or on a
disc of somebody else. What is new or has changed since is read, what is gone is left out.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from textmusic.corpus.files import MUSIC, File, PieceFile, find, pieces_in
from textmusic.corpus.readers import read
from textmusic.errors import TextMusicError
from textmusic.library.index import Index
from textmusic.library.portrait import Portrait, portrait
from textmusic.music.theory import DRUMS
from textmusic.notation.sheet import UnreadableError
from textmusic.system.crew import Lost, outcomes
from textmusic.system.machine import cores
from textmusic.system.progress import OnStep, progress_bar

SECONDS_PER_FILE = 60.0  # of the processor, that a file may take
SILENT = 2.0  # seconds of reading before a progress bar is shown
FEW = 4  # files that one process reads sooner than several start
PRELOAD = ("textmusic.corpus.without_torch", "textmusic.library.folder")
Progress = Callable[[str, str], AbstractContextManager[OnStep]]


@dataclass(frozen=True, slots=True)
class Library:
    """A folder and its index. unread: (name, why) of the files that could not be read."""

    folder: Path
    index: Index
    unread: tuple[tuple[str, str], ...] = ()


def index_path(folder: Path) -> Path:
    """Where the index of a folder is kept: in the cache, beside what is fetched from the Hub."""
    from huggingface_hub import constants

    name = hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return Path(constants.HF_HUB_CACHE).parent / "textmusic-libraries" / f"{name}.safetensors"


def open_library(folder: Path, *, progress: Progress = progress_bar) -> Library:
    """The library of a folder: its index, brought up to date.

    progress: makes a bar of what is being done, as `progress_bar` does; it is shown where reading
    takes longer than two seconds. Raises TextMusicError where the folder is none, or holds no
    music that can be read.
    """
    found = find(folder)
    path, kept = index_path(folder), Index()
    if path.exists():
        try:
            kept = Index.load(path)
        except TextMusicError:  # of another version, or broken: it is made again
            kept = Index()
    refused = list(found.refused)
    pieces = pieces_in([file for file in found.files if file.suffix in MUSIC], refused)
    index = _updated(kept, pieces, progress)
    if _changed(kept, index):
        index.save(path)
    refused += [(name, why) for name, (_, why) in sorted(index.refused.items())]
    if not len(index):
        why = ""
        if refused:
            why = f" (no file could be read: {refused[0][0]} {refused[0][1]})"
        raise TextMusicError(
            f"'{folder}' has no music to compare with{why}; give a folder with MIDI, MusicXML, ABC"
            " or kern files."
        )
    return Library(folder, index, tuple(refused))


def _updated(kept: Index, pieces: Sequence[PieceFile], progress: Progress) -> Index:
    """The index of some pieces: what is known of them, and what has to be read."""
    known = {(f.name, s): n for n, (f, s) in enumerate(zip(kept.facts, kept.stamps, strict=True))}
    refused = {
        piece.name: kept.refused[piece.name]
        for piece in pieces
        if kept.refused.get(piece.name, ("",))[0] == piece.file.stamp
    }
    fresh = [
        piece
        for piece in pieces
        if (piece.name, piece.file.stamp) not in known and piece.name not in refused
    ]
    if not fresh and len(pieces) - len(refused) == len(kept):
        return Index(
            kept.facts, kept.stamps, kept.vectors, kept.lines, kept.chords, kept.chords_begin,
            refused,
        )  # fmt: skip
    made: dict[str, Portrait] = {}
    for piece, outcome in read_all(fresh, progress):
        if isinstance(outcome, str):
            refused[piece.name] = (piece.file.stamp, outcome)
        else:
            made[piece.name] = outcome
    portraits, stamps = [], []
    for piece in pieces:
        place = known.get((piece.name, piece.file.stamp))
        if piece.name in made:
            portraits.append(made[piece.name])
        elif place is not None:
            portraits.append(kept.portrait(place))
        else:
            continue
        stamps.append(piece.file.stamp)
    return Index.of(portraits, stamps, refused)


def _changed(kept: Index, index: Index) -> bool:
    mine = [(f.name, s) for f, s in zip(index.facts, index.stamps, strict=True)]
    theirs = [(f.name, s) for f, s in zip(kept.facts, kept.stamps, strict=True)]
    return mine != theirs or dict(kept.refused) != dict(index.refused)


def read_all(
    pieces: Sequence[PieceFile], progress: Progress = progress_bar
) -> list[tuple[PieceFile, Portrait | str]]:
    """Each piece with its portrait, or with why it can't be read; broken files cost no others."""
    found: list[tuple[PieceFile, Portrait | str]] = []
    began = time.monotonic()
    if not pieces:
        return found
    workers = 1 if len(pieces) <= FEW else min(cores(), len(pieces))
    with ExitStack() as shown:
        step: OnStep | None = None
        for place, outcome in outcomes(
            read_piece, pieces, workers=workers, seconds=SECONDS_PER_FILE, preload=PRELOAD
        ):
            found.append((pieces[place], outcome.why if isinstance(outcome, Lost) else outcome))
            if step is None and time.monotonic() - began > SILENT:
                step = shown.enter_context(progress("reading the library", "pieces"))
            if step is not None:
                step(len(found), len(pieces))
    return found


def read_piece(piece: PieceFile) -> Portrait | str:
    """The portrait of a piece, or why there is none; in a process that may die of it."""
    try:
        parsed = read(piece.file.read(), piece.file.suffix, piece.tune)
    except (UnreadableError, OSError) as problem:
        return str(problem) if isinstance(problem, UnreadableError) else "can't be read"
    if not parsed.score.note_num():
        return "has no notes"
    return portrait(parsed.score, piece.name, parsed.title)


def read_portrait(path: Path) -> Portrait:
    """The portrait of one file of a person's, of any format of `corpus.files.MUSIC`.

    Raises TextMusicError where it can't be read.
    """
    suffix = path.suffix.lower()
    if suffix not in MUSIC:
        raise TextMusicError(
            f"'{path.name}' is not a music file; give MIDI, MusicXML, ABC or kern."
        )
    try:
        about = path.stat()
    except OSError as problem:
        raise TextMusicError(
            f"'{path}' can't be read ({problem.strerror}); give the path of a music file."
        ) from None
    file = File(path.name, path, None, about.st_size, f"{about.st_size} {about.st_mtime_ns}")
    ((_, outcome),) = read_all([PieceFile(path.name, file)])
    if isinstance(outcome, str):
        raise TextMusicError(f"'{path.name}' {outcome}; choose another music file.")
    return outcome


def read_melody(path: Path) -> Portrait:
    """`read_portrait` of a piece whose melody is to be compared; refuses drums alone, too."""
    piece = read_portrait(path)
    if not has_melody(piece):
        raise TextMusicError(
            f"'{path.name}' has drums alone and no melody to compare; give a piece with one."
        )
    return piece


def has_melody(piece: Portrait) -> bool:
    """Whether anything pitched plays in a piece: no melody is to be compared of drums alone."""
    return set(piece.facts.plan.programs or ()) != {DRUMS} and len(piece.lines) > 0
