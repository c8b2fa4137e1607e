"""Which drum each note of a percussion staff is, as MusicXML says it: an instrument for each sound.

music21 writes one instrument a part, so that a reader had only the places on the staff, which
several sounds share. Its notes carry their sounds in their ids until this has named them.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from textmusic.music.percussion import drum_name

_ID = "drum"
_CHANNEL = "10"


def mark(note: object, key: int, number: int) -> None:
    """Note down in a music21 note which sound it is (a MIDI key). number: of the note, unique."""
    note.id = f"{_ID}{key}-{number}"  # type: ignore[attr-defined]


def name_drums(root: Element, kit: int = 0) -> None:
    """Give every marked note of a score its instrument, and every part those that it has.

    kit: see `percussion.KIT_NAMES`.
    """
    heads = {head.get("id"): head for head in root.iter("score-part")}
    for part in root.findall("part"):
        keys = set()
        for note in part.iter("note"):
            marked = note.get("id", "")
            if marked.startswith(_ID):
                key = int(marked[len(_ID) :].partition("-")[0])
                keys.add(key)
                del note.attrib["id"]
                _insert(note, _instrument_id(part, key))
        if keys:
            _write_head(
                heads[part.get("id")], {_instrument_id(part, key): key for key in keys}, kit
            )


def _instrument_id(part: Element, key: int) -> str:
    return f"{part.get('id')}-I{key + 1}"


def _insert(note: Element, instrument: str) -> None:
    """The instrument's place is behind duration and ties."""
    before = [n for n, child in enumerate(note) if child.tag in ("duration", "tie")]
    note.insert(before[-1] + 1, Element("instrument", id=instrument))


def _write_head(head: Element, keys: dict[str, int], kit: int) -> None:
    """The instruments of a part, instead of the one it has."""
    first = next((n for n, c in enumerate(head) if c.tag == "score-instrument"), len(head))
    for child in [*head.findall("score-instrument"), *head.findall("midi-instrument")]:
        head.remove(child)
    names, sounds = [], []
    for instrument, key in sorted(keys.items(), key=lambda item: item[1]):
        name = Element("score-instrument", id=instrument)
        SubElement(name, "instrument-name").text = drum_name(key, kit)
        sound = Element("midi-instrument", id=instrument)
        SubElement(sound, "midi-channel").text = _CHANNEL
        SubElement(sound, "midi-program").text = str(kit + 1)  # MusicXML counts from 1
        SubElement(sound, "midi-unpitched").text = str(key + 1)
        names.append(name)
        sounds.append(sound)
    head[first:first] = [*names, *sounds]
