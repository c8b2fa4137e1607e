"""Drums in MusicXML: each sound an instrument of its own, which readers find again.

Skipped without the score extra.
"""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from sheets import read
from symusic import Note, Score, TimeSignature, Track

from textmusic.drawing.sheet_music import DRUM_KIT, OTHER_DRUM, engrave, musicxml
from textmusic.music.notes import notes_of
from textmusic.music.theory import DRUMS
from textmusic.notation.reading import read_notation


@pytest.fixture(scope="module")
def kit() -> Score:
    """All 47 drum sounds of General MIDI, a quarter note apart, then all of them together."""
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    track = Track(is_drum=True, name="Drums")
    for beat, key in enumerate(range(35, 82)):
        track.notes.append(Note(480 * beat, 240, key, 80))
        track.notes.append(Note(480 * 48, 240, key, 80))
    score.tracks.append(track)
    return score


def test_all_drums_are_read_back_by_our_reader(kit: Score) -> None:
    piece = read_notation(musicxml(kit, title="kit", key=None).encode(), ".musicxml")
    struck, read_back = notes_of(kit), notes_of(piece.score)
    assert set(read_back.program) == {DRUMS} and not piece.warning
    found = sorted(zip(read_back.start.tolist(), read_back.pitch.tolist(), strict=True))
    assert found == sorted(zip(struck.start.tolist(), struck.pitch.tolist(), strict=True))


def test_every_drum_is_an_instrument_with_its_name_and_sound(kit: Score) -> None:
    root = ElementTree.fromstring(musicxml(kit, title="kit", key=None))
    (head,) = root.iter("score-part")
    order = [child.tag for child in head if child.tag in ("score-instrument", "midi-instrument")]
    assert order == ["score-instrument"] * 47 + ["midi-instrument"] * 47, "as the schema has it"
    names = {e.get("id"): e.findtext("instrument-name") for e in head.iter("score-instrument")}
    sounds = {e.get("id"): e for e in head.iter("midi-instrument")}
    assert len(names) == 47 and set(names) == set(sounds)
    by_key = {int(e.findtext("midi-unpitched") or 0) - 1: i for i, e in sounds.items()}
    assert set(by_key) == set(range(35, 82))
    assert (names[by_key[36]], names[by_key[38]]) == ("Bass Drum 1", "Acoustic Snare")
    assert (names[by_key[42]], names[by_key[81]]) == ("Closed Hi-Hat", "Open Triangle")
    assert {e.findtext("midi-channel") for e in sounds.values()} == {"10"}
    struck = [note for note in root.iter("note") if note.find("unpitched") is not None]
    assert len(struck) == 2 * 47 and not [note for note in struck if note.get("id")]
    for note in struck:
        tags = [child.tag for child in note]
        assert tags.index("duration") < tags.index("instrument") < tags.index("type")


def test_all_drums_are_there_for_music21(kit: Score) -> None:
    """It knows one instrument a part, so it reads their beats and places, and no more."""
    found = []
    (part,) = read(musicxml(kit, title="kit", key=None)).parts
    assert part.partName == "Drums"
    for element in part.recurse().notes:
        beat = float(element.getOffsetInHierarchy(part))
        members = getattr(element, "notes", (element,))
        found += [(beat, f"{note.displayStep}{note.displayOctave}") for note in members]
    place = {key: DRUM_KIT.get(key, OTHER_DRUM).place for key in range(35, 82)}
    beats = [*enumerate(range(35, 82)), *((48, key) for key in range(35, 82))]
    assert sorted(found) == sorted((float(beat), place[key]) for beat, key in beats)


def test_engraved_drums_are_all_there(kit: Score) -> None:
    pytest.importorskip("verovio", reason="needs the score extra (verovio)")
    pages = engrave(musicxml(kit, title="kit", key=None))
    heads = [e for p in pages for e in ElementTree.fromstring(p.encode()).iter()
             if e.get("class") == "notehead"]  # fmt: skip
    assert len(heads) == 2 * 47
