"""The bytes of a file -> the piece in it: MIDI by symusic, all else by `notation`.

In a process that may die (`crew`): symusic takes it along where a file is broken in the right way.
"""

from __future__ import annotations

from textmusic.corpus.files import MUSIC
from textmusic.music.midi_files import LARGEST_MIDI_FILE, parsed
from textmusic.notation.reading import read_notation
from textmusic.notation.sheet import ParsedPiece, UnreadableError


def read(data: bytes, suffix: str, tune: str = "") -> ParsedPiece:
    """The piece in a file. suffix: ".mid", as `files.MUSIC` has them. tune: which one, of ABC.

    Raises UnreadableError. A broken file may also take the process along, or hang it.
    """
    kind = MUSIC[suffix]
    if kind != "MIDI":
        return read_notation(data, kind, tune)
    if len(data) > LARGEST_MIDI_FILE:
        size = f"{len(data) / 1e6:.1f} MB, at most {LARGEST_MIDI_FILE / 1e6:.0f}"
        raise UnreadableError(f"is too large ({size})")
    read = parsed(data)
    if isinstance(read, str):
        raise UnreadableError(read)
    score, mended = read
    return ParsedPiece(score, mended=mended)
