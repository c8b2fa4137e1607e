"""Files of each format -> notes, bar lines, keys and tempi as they are written there."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from symusic import Score

from textmusic.corpus.readers import read
from textmusic.music.measure import measure
from textmusic.music.notes import Notes, notes_of
from textmusic.music.theory import DRUMS
from textmusic.notation.abc_text import tunes_in
from textmusic.notation.bars import SCORE_TICKS
from textmusic.notation.sheet import ParsedPiece, UnreadableError

OWN = Path(__file__).parents[1] / "data" / "own"
HEAD = """<?xml version="1.0"?><score-partwise version="4.0"><work><work-title>Made up</work-title>
</work><part-list><score-part id="P1"><part-name>x</part-name>{instruments}</score-part></part-list>
<part id="P1">"""


def note(step: str, octave: int, duration: int, more: str = "") -> str:
    return (
        f"<note><pitch><step>{step}</step><octave>{octave}</octave></pitch>"
        f"<duration>{duration}</duration>{more}</note>"
    )


def musicxml(*measures: str, instruments: str = "") -> bytes:
    """Measures of a part, divisions 2; the first has its attributes in it."""
    body = "".join(f'<measure number="{n}">{m}</measure>' for n, m in enumerate(measures))
    return (HEAD.format(instruments=instruments) + body + "</part></score-partwise>").encode()


def attributes(beats: int = 4, fifths: int = 0, more: str = "") -> str:
    return (
        f"<attributes><divisions>2</divisions><key><fifths>{fifths}</fifths><mode>minor</mode></key>"
        f"<time><beats>{beats}</beats><beat-type>4</beat-type></time>{more}</attributes>"
    )


def bars(reading: ParsedPiece | Score) -> list[tuple[float, str]]:
    score = reading.score if isinstance(reading, ParsedPiece) else reading
    quarter = score.ticks_per_quarter
    return [(t.time / quarter, f"{t.numerator}/{t.denominator}") for t in score.time_signatures]


def notes(reading: ParsedPiece) -> list[tuple[float, float, int]]:
    found: Notes = notes_of(reading.score)
    columns = (found.start.tolist(), found.duration.tolist(), found.pitch.tolist())
    return list(zip(*columns, strict=True))


def test_every_tune_of_an_abc_file_is_read(tmp_path: Path) -> None:
    data = (OWN / "tunes.abc").read_bytes()
    assert tunes_in(data) == ["1", "2", "3"]
    plough, owen, short = (read(data, ".abc", number) for number in "123")
    assert (plough.title, plough.key, plough.tempo) == ("Speed the Plough", "G major", True)
    assert plough.score.tempos[0].qpm == pytest.approx(180, abs=0.1)
    assert notes(plough)[:3] == [(0, 0.5, 67), (0.5, 0.5, 69), (1, 0.5, 71)]
    assert bars(plough) == [(0, "4/4")] and len(notes(plough)) == 94
    assert (owen.key, owen.tempo) == ("G major", False), "no tempo is stated"
    assert bars(owen) == [(0, "6/8")] and notes(owen)[0] == (2.5, 0.25, 79), "the pickup"
    assert len(notes(owen)) == 89, "chord symbols are no notes"
    assert short.key == "D minor" and len(notes(short)) == 4


def test_tunes_of_one_number_and_of_none_are_told_apart() -> None:
    assert tunes_in(b"X:1\nK:C\nC\n\nX:1\nK:C\nD\n") == ["1", "1'"]
    assert tunes_in(b"K:C\nCDEF|\n") == [""]
    assert len(notes(read(b"L:1/4\nM:4/4\nK:C\nCDEF|\n", ".abc"))) == 4


def test_kern_is_read_with_its_instruments_ties_and_triplets() -> None:
    reading = read((OWN / "canon.krn").read_bytes(), ".krn")
    assert (reading.key, reading.tempo) == ("D minor", True)
    assert sorted(track.program for track in reading.score.tracks) == [42, 73]
    assert (9.0, 2.0, 74) in notes(reading), "two tied quarters are one note"
    assert sum(start in (12, 12 + 1 / 3, 12 + 2 / 3) for start, _, _ in notes(reading)) == 4
    plan = measure(reading.score)
    assert (plan.key, plan.time_signature, plan.tempo) == ("D minor", "3/4", 96)


def test_musicxml_pickups_ties_and_transposition() -> None:
    transposed = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    tie = '<tie type="{0}"/><notations><tied type="{0}"/></notations>'
    data = musicxml(
        attributes(3, -1, transposed) + note("E", 5, 2),
        note("D", 5, 4) + note("C", 5, 2, tie.format("start")),
        note("C", 5, 2, tie.format("stop")) + note("C", 5, 4),
    )
    reading = read(data, ".musicxml")
    assert notes(reading) == [(2, 1, 74), (3, 2, 72), (5, 2, 70), (7, 2, 70)], "as it sounds"
    assert bars(reading) == [(0, "3/4")] and reading.title == "Made up"
    assert reading.filled == 1


def test_short_bars_are_filled_up_and_one_that_a_repeat_sign_divides_stays_one() -> None:
    whole = "".join(note("C", 5, 2) for _ in range(4))
    data = musicxml(
        attributes() + whole, note("D", 5, 6), note("E", 5, 2), whole, note("F", 5, 6), whole,
        note("G", 5, 2), whole, note("A", 5, 6),
    )  # fmt: skip
    reading = read(data, ".xml")
    at = {pitch: start for start, _, pitch in notes(reading) if pitch != 72}
    assert at == {74: 4, 76: 7, 77: 12, 79: 23, 81: 28}, "F's bar lacks its end, G is a pickup"
    assert bars(reading) == [(0, "4/4")] and reading.filled == 2


def test_a_measure_that_is_too_long_has_a_metre_of_its_own() -> None:
    data = musicxml(attributes() + note("C", 5, 8), note("D", 5, 11), note("E", 5, 8))
    assert bars(read(data, ".xml")) == [(0, "4/4"), (4, "11/8"), (9.5, "4/4")]


def test_musicxml_drums_are_drums_by_instrument_or_by_place() -> None:
    kit = (
        '<score-instrument id="I1"><instrument-name>Snare</instrument-name></score-instrument>'
        '<midi-instrument id="I1"><midi-channel>10</midi-channel>'
        "<midi-unpitched>39</midi-unpitched></midi-instrument>"
    )
    stroke = (
        "<note><unpitched><display-step>{}</display-step><display-octave>{}</display-octave>"
        "</unpitched><duration>2</duration>{}</note>"
    )
    data = musicxml(
        attributes() + stroke.format("C", 5, '<instrument id="I1"/>') + stroke.format("F", 4, ""),
        instruments=kit,
    )
    found = notes_of(read(data, ".musicxml").score)
    assert set(found.program) == {DRUMS} and found.pitch.tolist() == [38, 36]


def test_dynamics_are_heard_and_grace_notes_are_not() -> None:
    mark = "<direction><direction-type><dynamics><{}/></dynamics></direction-type></direction>"
    grace = "<note><grace/><pitch><step>B</step><octave>4</octave></pitch></note>"
    data = musicxml(
        attributes() + mark.format("p") + note("C", 5, 4) + mark.format("ff") + grace
        + note("D", 5, 4)
    )  # fmt: skip
    found = notes_of(read(data, ".musicxml").score)
    assert found.pitch.tolist() == [72, 74] and found.velocity[0] < 60 < 100 < found.velocity[1]


def packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_compressed_musicxml_is_read() -> None:
    score = musicxml(attributes() + note("C", 5, 4))
    assert notes(read(packed({"META-INF/container.xml": b"<x/>", "s.xml": score}), ".mxl")) == [
        (0, 2, 72)
    ]


def test_musicxml_in_utf_16_is_read_too() -> None:
    xml = musicxml(attributes() + note("C", 5, 4)).decode()
    xml = xml.replace('"1.0"?>', '"1.0" encoding="UTF-16"?>', 1)
    assert notes(read(xml.encode("utf-16"), ".musicxml")) == [(0, 2, 72)]


@pytest.mark.parametrize(
    ("data", "suffix", "why"),
    [
        (b"MThd", ".mid", "is not a MIDI file"),
        (b"nothing", ".mxl", "can't be unpacked"),
        (packed({"a.txt": b"x"}), ".mxl", "it has no score"),
        (packed({"bomb.xml": b" " * 19_000_000}), ".mxl", "19 MB unpacked"),
        (b"<html></html>", ".xml", "is not MusicXML"),
        (b"<score-partwise><part>", ".musicxml", "is broken XML"),
        (b"X:1\nK:C\nz4 |\n", ".abc", "has no notes"),
        (b"**text\nla\n*-\n", ".krn", r"has no \*\*kern spine"),
        (b"<opus/>", ".musicxml", "is not MusicXML"),
    ],
)
def test_what_is_wrong_is_said_in_a_few_words(data: bytes, suffix: str, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        read(data, suffix)


def test_entities_that_multiply_do_not_fill_the_memory() -> None:
    lots = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 30}">' for n in range(1, 12))
    data = f'<!DOCTYPE x [<!ENTITY e0 "ha">{lots}]><score-partwise>&e11;</score-partwise>'
    with pytest.raises(UnreadableError):
        read(data.encode(), ".musicxml")


def test_midi_comes_as_it_is(pieces: list[Path]) -> None:
    reading = read(pieces[0].read_bytes(), ".mid")
    assert reading.score.note_num() == Score(pieces[0]).note_num()
    assert np.array_equal(notes_of(reading.score).start, notes_of(Score(pieces[0])).start)


def test_the_time_grid_holds_all_common_tuplets() -> None:
    assert all(SCORE_TICKS % parts == 0 for parts in (3, 5, 6, 7, 8, 9, 12, 16))
