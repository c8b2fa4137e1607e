"""MusicXML in a few words: notes, measures and scores of them; a quarter has four divisions."""

from __future__ import annotations

from textmusic.notation.reading import read_notation
from textmusic.notation.sheet import ParsedPiece

TIME = "<time><beats>4</beats><beat-type>4</beat-type></time>"


def note(name: str, quarters: float = 1, more: str = "", before: str = "") -> str:
    """A note, or a rest "r"; before: what stands in it first, such as <chord/>."""
    if name == "r":
        what = "<rest/>"
    else:
        alter = {"#": "<alter>1</alter>", "b": "<alter>-1</alter>"}.get(name[1:-1], "")
        what = f"<pitch><step>{name[0]}</step>{alter}<octave>{name[-1]}</octave></pitch>"
    return f"<note>{before}{what}<duration>{round(quarters * 4)}</duration>{more}</note>"


def notes(text: str, more: str = "") -> str:
    """Quarter notes: "C4 D4"."""
    return "".join(note(name, more=more) for name in text.split())


def measure(*items: str, time: str = "", number: str = "1", implicit: bool = False) -> str:
    """A measure; time: its time signature, with which the divisions are said."""
    said = f"<attributes><divisions>4</divisions>{time}</attributes>" if time else ""
    mark = ' implicit="yes"' if implicit else ""
    return f'<measure number="{number}"{mark}>{said}{"".join(items)}</measure>'


def score(*parts: str, heads: tuple[str, ...] = ()) -> str:
    """Parts, each the text of its measures; heads: what their score-part elements hold."""
    listed = "".join(
        f'<score-part id="P{i}">'
        + (heads[i] if i < len(heads) else "<part-name>Piano</part-name>")
        + "</score-part>"
        for i in range(len(parts))
    )
    body = "".join(f'<part id="P{i}">{part}</part>' for i, part in enumerate(parts))
    return f'<score-partwise version="4.0"><part-list>{listed}</part-list>{body}</score-partwise>'


def read(xml: str) -> ParsedPiece:
    """What is read of a score, without a warning."""
    piece = read_notation(xml.encode(), ".musicxml")
    assert not piece.warning
    return piece


BAR = notes("C4 D4 E4 F4")
