"""Chord symbols and rehearsal marks of sheet music: at their beats, over the top staff.

Skipped without the score extra.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from sheets import SVG, a_band, notes, read
from symusic import Note, Score, TimeSignature, Track

from textmusic.drawing.sheet_music import engrave, musicxml
from textmusic.music.chords import QUALITIES, Chord
from textmusic.music.measure import measure
from textmusic.music.sketch import Row, Sketch

CHORDS = Sketch(
    (
        Row(chords=((0, Chord(10, "maj7")), (1, Chord(1, "dim7")), (2, Chord(2, "min")))),
        Row(chords=((0, Chord(2, "min")), (3, Chord(4, "hdim7")))),
        Row(),
    )
)


@pytest.mark.parametrize("places", [(0, 1), (1, 2), (2,)])
def test_chord_symbols_stand_over_the_first_staff_at_their_beats(places: tuple[int, ...]) -> None:
    """Whatever that part is: hands, one line, or drums."""
    score = a_band(4)
    tracks = [score.tracks[place] for place in places]
    score.tracks.clear()
    score.tracks.extend(tracks)
    read_again = read(
        musicxml(score, title="", key="D minor", sketch=CHORDS, sections=[(0, "A"), (2, "verse")])
    )
    first, *others = list(read_again.parts)  # its iterator starts anew
    found = [
        (float(symbol.getOffsetInHierarchy(first)), symbol)
        for symbol in first.recurse().getElementsByClass("Harmony")
    ]
    assert [at for at, _ in found] == [0, 1, 2, 7, 8]
    assert [symbol.chordKind for _, symbol in found[:4]] == [
        "major-seventh", "diminished-seventh", "minor", "half-diminished-seventh",
    ]  # fmt: skip
    assert [symbol.root().name for _, symbol in found[:4]] == ["B-", "D-", "D", "E"]
    tones = [{pitch.pitchClass for pitch in symbol.pitches} for _, symbol in found[:4]]
    asked = [chord.tones for row in CHORDS.rows for _, chord in row.chords if chord]
    assert tones == [asked[0], asked[1], asked[2], asked[4]]
    assert type(found[4][1]).__name__ == "NoChord"
    marks = first.recurse().getElementsByClass("RehearsalMark")
    assert [(mark.content, mark.getOffsetInHierarchy(first)) for mark in marks] == [
        ("A", 0), ("verse", 8),
    ]  # fmt: skip
    for part in others:
        assert not list(part.recurse().getElementsByClass(["Harmony", "RehearsalMark"]))


def test_every_quality_is_written_as_it_is_called() -> None:
    score = a_band(11)
    rows = tuple(Row(chords=((0, Chord(3, quality)),)) for quality in QUALITIES)
    root = ElementTree.fromstring(musicxml(score, title="", key="Eb major", sketch=Sketch(rows)))
    kinds = [(kind.get("text", ""), kind.text) for kind in root.iter("kind")]
    assert [text for text, _ in kinds] == [text for _, text in QUALITIES.values()]
    assert len({kind for _, kind in kinds}) == len(QUALITIES)
    assert {step.text for step in root.iter("root-step")} == {"E"}


def test_notes_are_the_same_beside_chord_symbols(pieces: list[Path]) -> None:
    for path in pieces[::8]:
        score = Score(path)
        plan = measure(score)
        assert plan.bars
        rows = (Row(chords=((0, Chord(0, "maj")), (1, Chord(7, "7")))),) * plan.bars
        plain, named = (
            read(musicxml(score, title="", key=plan.key, sketch=sketch, sections=sections))
            for sketch, sections in ((None, ()), (Sketch(rows), [(0, "A")]))
        )
        for symbol in list(named.recurse().getElementsByClass("Harmony")):
            symbol.activeSite.remove(symbol)
        for ours, theirs in zip(named.parts, plain.parts, strict=True):
            assert notes(ours) == notes(theirs)


def test_in_metres_of_eighths_chords_change_on_eighths() -> None:
    score = a_band(3)
    score.time_signatures[0] = TimeSignature(0, 6, 8)
    sketch = Sketch((Row(chords=((0, Chord(0, "maj")), (3, Chord(5, "maj")))),) * 2)
    first = read(musicxml(score, title="", key=None, sketch=sketch)).parts[0]
    symbols = first.recurse().getElementsByClass("ChordSymbol")
    assert [symbol.getOffsetInHierarchy(first) for symbol in symbols] == [0, 1.5, 3, 4.5]


def test_no_harmony_without_a_sketch_and_none_behind_the_end() -> None:
    plain = musicxml(a_band(1), title="", key=None)
    assert "<harmony" not in plain and "<rehearsal" not in plain
    rows = (Row(chords=((0, Chord(0, "maj")),)), Row(chords=((0, Chord(5, "maj")),)))
    xml = musicxml(
        a_band(1), title="", key=None, sketch=Sketch(rows), sections=[(0, "A"), (1, "B")]
    )
    assert xml.count("<harmony") == 1
    assert xml.count("<rehearsal") == 1


def test_verovio_draws_chord_symbols_and_rehearsal_marks() -> None:
    pytest.importorskip("verovio", reason="needs the score extra (verovio)")
    xml = musicxml(a_band(4), title="", key="D minor", sketch=CHORDS, sections=[(2, "verse")])
    page = "".join(engrave(xml))
    assert page.count('class="harm"') == 5
    assert page.count('class="reh"') == 1
    assert "verse" in page and "N.C." in page


def held_right_hand() -> tuple[Score, Sketch]:
    """A piano: one long note above, quarter notes below, and a chord with each of these."""
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    piano = Track(program=0, name="Piano")
    for bar in range(2):
        piano.notes.append(Note(1920 * bar, 1920, 72, 80))
        for beat in range(4):
            piano.notes.append(Note(1920 * bar + 480 * beat, 480, 48 + 2 * beat, 80))
    score.tracks.append(piano)
    row = Row(chords=tuple((beat, Chord(root, "maj")) for beat, root in enumerate((0, 5, 7, 9))))
    return score, Sketch((row, row))


def test_chord_symbols_belong_to_the_right_hand_though_it_holds_its_note() -> None:
    """Who overlooks a symbol's staff takes the next note's."""
    score, sketch = held_right_hand()
    xml = musicxml(score, title="", key="C major", sketch=sketch)
    symbols = 0
    for written in ElementTree.fromstring(xml).iter("measure"):
        elements = list(written)
        for place, element in enumerate(elements):
            if element.tag == "harmony":
                after = next(other for other in elements[place:] if other.tag == "note")
                assert (element.findtext("staff"), after.findtext("staff")) == ("1", "1")
                assert element.get("placement") == "above"
                symbols += 1
    assert symbols == 8
    first = read(xml).parts[0]
    found = first.recurse().getElementsByClass("ChordSymbol")
    assert [(symbol.root().name, symbol.getOffsetInHierarchy(first)) for symbol in found] == [
        (name, bar + beat) for bar in (0, 4) for beat, name in enumerate("CFGA")
    ]


def test_verovio_draws_chord_symbols_above_the_top_staff(pieces: list[Path]) -> None:
    pytest.importorskip("verovio", reason="needs the score extra (verovio)")
    name = "BachJS-BWV-120"  # chords change while the right hand holds or rests
    piano = Score(next(path for path in pieces if path.stem == name))
    rows = (Row(chords=((0, Chord(0, "maj")), (1, Chord(5, "maj")), (2, Chord(7, "7")))),) * 200
    checked = 0
    for score, sketch in (held_right_hand(), (piano, Sketch(rows))):
        for page in engrave(musicxml(score, title="", key=None, sketch=sketch)):
            for bar in ElementTree.fromstring(page.encode()).iter(f"{SVG}g"):
                if bar.get("class") != "measure":
                    continue
                lines = bar.findall(f"{SVG}g[@class='staff']/{SVG}path")
                top = min(float(line.get("d", "").split()[1]) for line in lines)
                for symbol in bar.findall(f"{SVG}g[@class='harm']"):
                    places = [float(text.get("y", 0)) for text in symbol.iter() if text.get("y")]
                    assert max(places) < top
                    checked += 1
    assert checked > 90
