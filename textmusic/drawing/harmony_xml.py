"""Chord symbols and rehearsal marks over the top staff of sheet music, as MusicXML has them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

from textmusic.drawing.shapes import fitted
from textmusic.music.bars import TICKS, BarSpan
from textmusic.music.chords import chord_name
from textmusic.music.markers import changes
from textmusic.music.sketch import Sketch

MARK_WIDTH = 230.0  # of a section's name in 16 units high letters: half a line of a page
# MusicXML's names of the qualities.
_KINDS = {
    "maj": "major", "min": "minor", "7": "dominant", "maj7": "major-seventh",
    "min7": "minor-seventh", "dim": "diminished", "aug": "augmented", "sus4": "suspended-fourth",
    "sus2": "suspended-second", "dim7": "diminished-seventh", "hdim7": "half-diminished-seventh",
}  # fmt: skip


def write_names(
    music21: Any, stream: Any, bars: Sequence[BarSpan], sketch: Sketch,
    sections: Sequence[tuple[int, str]], key: str | None,
) -> None:  # fmt: skip
    """Write chord symbols and rehearsal marks into a staff; those behind its end are left out.

    Args:
        music21: the library.
        stream: the staff as a music21 stream of measures, one for each bar.
        bars: their beginnings and lengths.
        sketch: its chords as they sound.
        sections: (first bar from 0, name) of each.
        key: one of `theory.KEYS`, for the chords' spelling; None: the usual mixture.
    """
    measures = list(stream.getElementsByClass("Measure"))
    for index, name in sections:
        if index < len(bars) and name.strip():
            mark = music21.expressions.RehearsalMark(fitted(name, 16, MARK_WIDTH))
            measures[index].insert(0, mark)
    for index, beat, chord in changes(sketch):
        if index >= len(bars):
            break
        tick = beat * bars[index].cell
        if tick >= bars[index].length:  # of a bar that a change of metre cuts short
            continue
        symbol = music21.harmony.NoChord()
        if chord is not None:
            name = chord_name(chord, key)
            root = name[: 1 + (name[1:2] in ("#", "b"))]
            kind = _KINDS[chord.quality]
            symbol = music21.harmony.ChordSymbol(root=root.replace("b", "-"), kind=kind)
            symbol.chordKindStr = name[len(root) :]  # otherwise programs choose their own
        symbol.placement = "above"
        measures[index].insert(Fraction(tick, TICKS), symbol)


def keep_above(part: Element) -> None:
    """Put each chord symbol of a MusicXML part before a note of its own staff.

    verovio, and whoever else overlooks the `<staff>` of a `<harmony>`, draws it over the staff of
    the next note. Behind the last note of a piano's right hand that is the left hand's. So a symbol
    that would stand there goes before that last note, with an `<offset>` that is as much larger.
    """
    for measure in part.iter("measure"):
        for symbol in measure.findall("harmony"):
            elements = list(measure)
            place = elements.index(symbol)
            after = next((e for e in elements[place:] if e.tag == "note"), None)
            if after is None or after.findtext("staff") == symbol.findtext("staff"):
                continue
            last = _last_note(elements[:place])
            if last is not None:
                measure.remove(symbol)
                measure.insert(elements.index(last), symbol)
                _put_off(symbol, int(last.findtext("duration", "0")))


def _last_note(elements: Sequence[Element]) -> Element | None:
    """The note that ends where some elements end, the first one of its chord; None for none."""
    for element in reversed(elements):
        if element.tag in ("backup", "forward"):
            return None
        if element.tag == "note" and element.find("chord") is None:
            return element
    return None


def _put_off(symbol: Element, divisions: int) -> None:
    """Let a symbol that has moved forward sound as much later."""
    offset = symbol.find("offset")
    if offset is None:
        offset = Element("offset", sound="yes")
        staff = symbol.find("staff")
        place = len(symbol) if staff is None else list(symbol).index(staff)
        symbol.insert(place, offset)
    offset.text = str(int(offset.text or 0) + divisions)
