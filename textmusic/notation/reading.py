"""The bytes of a notation file -> the piece in it.

Notes and chord symbols are read; lyrics, grace notes and ornaments are not. Repeats are written
once.
"""

from __future__ import annotations

from textmusic.music.sanity import insanity
from textmusic.notation.abc import sheet_of_abc
from textmusic.notation.abc_text import tune_text
from textmusic.notation.bars import assembled
from textmusic.notation.kern import sheet_of_kern
from textmusic.notation.musicxml import sheet_of_musicxml
from textmusic.notation.packed import unpacked
from textmusic.notation.sheet import ParsedPiece, Sheet, UnreadableError
from textmusic.notation.text import decoded, xml_text

KINDS = (".musicxml", ".mxl", "ABC", "kern")


def read_notation(data: bytes, kind: str, tune: str = "") -> ParsedPiece:
    """The piece in a file of one of `KINDS`. tune: which one, of ABC.

    Raises UnreadableError, whatever the file holds.
    """
    try:
        piece = assembled(_sheet(data, kind, tune))
    except UnreadableError:
        raise
    except RecursionError:
        raise UnreadableError("is nested too deeply") from None
    if wrong := insanity(piece.score):
        raise UnreadableError(wrong)
    return piece


def _sheet(data: bytes, kind: str, tune: str) -> Sheet:
    if kind in (".mxl", ".musicxml"):
        packed = kind == ".mxl" or data.startswith(b"PK\3\4")
        if packed and not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
            data = unpacked(data)
        return sheet_of_musicxml(xml_text(data))
    if kind == "ABC":
        return sheet_of_abc(tune_text(data, tune))
    return sheet_of_kern(decoded(data))
