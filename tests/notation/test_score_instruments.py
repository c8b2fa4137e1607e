"""Who plays the notes of a MusicXML part that has several instruments, and what drums sound."""

from __future__ import annotations

import pytest

from textmusic.music.notes import notes_of
from textmusic.music.theory import DRUMS
from textmusic.notation.reading import read_notation


def played(head: str, body: str, name: str = "x") -> list[tuple[float, int, int]]:
    """(quarter note, pitch, program) of what sounds."""
    text = (
        '<?xml version="1.0"?><score-partwise version="4.0"><part-list><score-part id="P1">'
        f"<part-name>{name}</part-name>{head}</score-part></part-list><part id='P1'>"
        '<measure number="1"><attributes><divisions>1</divisions><time><beats>4</beats>'
        f"<beat-type>4</beat-type></time></attributes>{body}</measure></part></score-partwise>"
    )
    piece = read_notation(text.encode(), ".musicxml", "")
    assert not piece.warning
    notes = notes_of(piece.score)
    columns = (notes.start.tolist(), notes.pitch.tolist(), notes.program.tolist())
    return list(zip(*columns, strict=True))


def instrument(number: int, name: str) -> str:
    return (
        f'<score-instrument id="I{number}"><instrument-name>{name}</instrument-name>'
        "</score-instrument>"
    )


def midi(number: int, channel: int = 0, program: int = 0, unpitched: int = 0) -> str:
    said = (("channel", channel), ("program", program), ("unpitched", unpitched))
    inside = "".join(f"<midi-{what}>{value}</midi-{what}>" for what, value in said if value)
    return f'<midi-instrument id="I{number}">{inside}</midi-instrument>'


def note(place: str, who: int = 0, *, drum: bool = False, long: int = 1, voice: int = 1) -> str:
    kind, prefix = ("unpitched", "display-") if drum else ("pitch", "")
    named = f'<instrument id="I{who}"/>' if who else ""
    return (
        f"<note><{kind}><{prefix}step>{place[0]}</{prefix}step><{prefix}octave>{place[1]}"
        f"</{prefix}octave></{kind}><duration>{long}</duration>{named}<voice>{voice}</voice></note>"
    )


FLUTE, OBOE = instrument(1, "Flute"), instrument(2, "Oboe")
KIT = instrument(1, "Kick") + instrument(2, "Snare") + instrument(3, "Hat")
STROKES = note("F4", 1, drum=True) + note("C5", 2, drum=True) + note("G5", 3, drum=True)


@pytest.mark.parametrize(
    "head",
    [
        FLUTE + OBOE + midi(1, 1, 74) + midi(2, 2, 69),
        FLUTE + OBOE + midi(2, 2, 69) + midi(1, 1, 74),
        FLUTE + OBOE + midi(2, 2, 69),  # the other by its name
        FLUTE + OBOE,
        midi(1, 1, 74) + midi(2, 2, 69),
        FLUTE + midi(1, 1, 74) + '<midi-device id="I2" port="1"/>' + OBOE + midi(2, 2, 69),
    ],
)
def test_each_note_has_the_instrument_that_it_names(head: str) -> None:
    body = note("C5", 1) + note("D5", 2) + note("E5") + note("F5", 2)
    assert played(head, body) == [(0, 72, 73), (1, 74, 68), (2, 76, 73), (3, 77, 68)]


def test_drums_and_pitches_stand_in_one_part() -> None:
    head = instrument(1, "Piano") + instrument(2, "Snare Drum") + midi(1, 1, 1) + midi(2, 10, 1, 39)
    body = note("C5", 1) + note("C5", 2, drum=True)
    assert played(head, body) == [(0, 72, 0), (1, 38, DRUMS)]
    keyed = KIT + midi(1, 10, 1, 37) + midi(2, 10, 1, 39) + midi(3, 10, 1, 43)
    for kit in (keyed, KIT.replace("Hat", "Closed Hi-Hat")):
        assert played(kit, STROKES, "Drumset") == [(0, 36, DRUMS), (1, 38, DRUMS), (2, 42, DRUMS)]


@pytest.mark.parametrize(
    ("head", "name", "key"),
    [
        (instrument(1, "Wood Block") + midi(1, 5, 116), "Wood Block", 76),
        (instrument(1, "") + midi(1, 5, 116), "x", 76),  # by its program
        (instrument(1, "") + midi(1, 5, 114), "x", 67),
        (instrument(1, "") + midi(1, 5, 118), "x", 45),
        (instrument(1, "Triangle") + midi(1, 10, 1), "Triangle", 81),
        (instrument(1, "Triangle") + midi(1, 3, 1, 82), "Triangle", 81),
        ("", "Cymbals", 49),
    ],
)
def test_a_drum_alone_sounds_as_it_is_called(head: str, name: str, key: int) -> None:
    named, unnamed = note("E4", 1, drum=True), note("E4", drum=True)
    for body in (named + unnamed, unnamed + named, named * 2, unnamed * 2):
        assert played(head, body, name) == [(0, key, DRUMS), (1, key, DRUMS)]


@pytest.mark.parametrize(
    ("name", "program"), [("Timpani", 47), ("Glockenspiel", 9), ("Violin I", 40), ("Drums", DRUMS)]
)
def test_a_pitched_part_on_the_tenth_channel_is_what_it_is_called(name: str, program: int) -> None:
    """Programs that number channels from 1 to 16 come past the drums' one."""
    for head in (instrument(1, name) + midi(1, 10, 48), instrument(1, "") + midi(1, 10, 48)):
        assert played(head, note("C3", 1), name) == [(0, 48, program)]
    keyed = instrument(1, name) + midi(1, 10, 48, 39)
    assert played(keyed, note("C3", 1), name) == [(0, 38, DRUMS)], "a drum that is stated is one"


def test_a_change_of_instrument_holds_from_its_time_on_in_all_voices() -> None:
    head = instrument(1, "Clarinet") + midi(1, 1, 72)
    change = f"<sound>{midi(1, 0, 66)}</sound>"
    late = "<direction><direction-type><words/></direction-type>" + change + "</direction>"
    for said in (change, late):
        upper = note("C5", 1, long=2) + said + note("D5", 1, long=2)
        lower = note("C4", 1, long=2, voice=2) + note("D4", 1, long=2, voice=2)
        body = upper + "<backup><duration>4</duration></backup>" + lower
        after = f'</measure><measure number="2">{note("E5", 1, long=4)}'
        assert sorted(played(head, body + after)) == [
            (0, 60, 71), (0, 72, 71), (2, 62, 65), (2, 74, 65), (4, 76, 65),
        ]  # fmt: skip
    picc = (
        '<sound><instrument-change id="I1"><instrument-sound>wind.flutes.flute.piccolo'
        "</instrument-sound></instrument-change></sound>"
    )
    found = played(FLUTE + midi(1, 1, 74), note("C5", 1) + picc + note("D5", 1))
    assert found == [(0, 72, 73), (1, 74, 72)]
