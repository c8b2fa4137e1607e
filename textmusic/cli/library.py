"""The commands that look into a folder of music: similar, originality."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textmusic.cli.terminal import new_console, say
from textmusic.errors import TextMusicError
from textmusic.system.values import within

if TYPE_CHECKING:
    from rich.console import Console

    from textmusic.library.folder import Library
    from textmusic.library.neighbours import Neighbour

TOP = 100  # pieces that can be shown at most
Top = Annotated[int, typer.Option(help="How many pieces to show, 1 to 100.")]


def similar(
    piece: Annotated[
        str, typer.Argument(help='A music file, or a description such as "slow waltz in D minor".')
    ],
    library: Annotated[
        Path,
        typer.Option(
            help="Folder of MIDI, MusicXML, ABC, kern files or zip archives to look in; it is"
            " indexed once, and later runs read only new and changed files."
        ),
    ] = Path(),
    top: Top = 10,
) -> None:
    """Find the pieces of a folder that are most like a piece or fit a description, and say why."""
    within("top", top, 1, TOP)
    from textmusic.library.folder import read_portrait
    from textmusic.library.neighbours import nearest
    from textmusic.library.words import fitting

    console, path = new_console(), Path(piece)
    if _is_file(path):
        mine = read_portrait(path)
        there = _opened(library, console)
        found = nearest(mine, there.index, top, leave_out=_name_in(path, library))
    else:
        there = _opened(library, console)
        found = fitting(piece, there.index, top)
    if not found:
        raise TextMusicError(
            f"no piece of '{library}' is like '{piece}'; give another folder with --library."
        )
    _list(found, there, console)


def originality(
    piece: Annotated[Path, typer.Argument(help="A music file.")],
    against: Annotated[
        Path,
        typer.Option(help="Folder of music files to compare with, read as similar reads one."),
    ] = Path(),
    top: Top = 5,
) -> None:
    """Show the longest runs of notes that a piece shares with those of a folder.

    Runs are found in any key, at any speed and in any part. How usual such a run is between
    unrelated pieces is said beside it; whether anything was copied is for people to judge.
    """
    within("top", top, 1, TOP)
    from textmusic.library.folder import read_melody
    from textmusic.library.originality import shared_with
    from textmusic.library.side_by_side import beside, melody_text, rhythm_text, usual_text
    from textmusic.system.progress import progress_bar

    mine = read_melody(piece)
    console = new_console()
    there = _opened(against, console)
    own = _name_in(piece, against)
    with progress_bar("comparing", "pieces") as step:
        shared = shared_with(mine, there.index, step)
    shared = [s for s in shared if not own or there.index.facts[s.piece].name != own][:top]
    compared = len(there.index) - bool(own)
    say(console, f"{piece.name}, compared with {compared:,} piece{'s' * (compared != 1)}")
    if not shared:
        say(console, "no run of notes is shared that says anything")
        return
    for number, one in enumerate(shared, 1):
        other = there.index.portrait(one.piece)
        console.print()
        say(console, f"{number}. {other.facts.name}{_titled(other.facts.title, other.facts.name)}")
        if one.melody is not None:
            say(console, f"   melody: {melody_text(one.melody, mine, other)}")
            say(console, f"           {usual_text(one.melody.usual)}")
        if one.rhythm is not None:
            say(console, f"   rhythm: {rhythm_text(one.rhythm, mine, other)}")
            say(console, f"           {usual_text(one.rhythm.usual)}")
        if number == 1 and one.melody is not None:
            _beside(beside(one.melody, mine, other), console)


def _opened(folder: Path, console: Console) -> Library:
    """The library of a folder; files that could not be read are said."""
    from textmusic.library.folder import open_library
    from textmusic.library.side_by_side import names

    library = open_library(folder)
    if library.unread:
        count = len(library.unread)
        say(console, f"skipped {count:,} file{'s' * (count > 1)}: {names(library.unread)}")
    return library


def _is_file(path: Path) -> bool:
    """Whether a piece is meant: a file that is there, or a name such as no description has."""
    from textmusic.corpus.files import MUSIC

    try:
        return path.is_file() or path.suffix.lower() in MUSIC
    except (OSError, ValueError):  # no name that a file can have
        return False


def _name_in(path: Path, folder: Path) -> str:
    """The name that a file has in a folder's index; "" where it is not in it."""
    try:
        return path.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return ""


def _list(found: list[Neighbour], library: Library, console: Console) -> None:
    """Print pieces, each with why it is there."""
    for number, neighbour in enumerate(found, 1):
        facts = library.index.facts[neighbour.piece]
        say(console, f"{number:2}. {facts.name}{_titled(facts.title, facts.name)}")
        say(console, f"    {'; '.join(neighbour.why) or 'little in common'}")


def _titled(title: str, name: str) -> str:
    """A title behind a name, unless the name has it already."""
    return "" if not title or title in name else f" ({title})"


def _beside(rows: list[tuple[str, ...]], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("   bar", "here", "bar", "there"):
        table.add_column(head)
    for row in rows:
        table.add_row(*(Text(cell) for cell in ("   " + row[0], *row[1:])))
    console.print(table)
