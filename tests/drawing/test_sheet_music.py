"""Sheet music: what MusicXML says, read back by music21, and what verovio draws of it.

Skipped without the score extra. How music is laid out in staves and note values has tests of its
own: test_staves.py, test_note_values.py.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sheets import SVG, a_band, notes, read
from symusic import Note, Score, Tempo, TimeSignature, Track

from textmusic.drawing.sheet_music import engrave, musicxml, spelling
from textmusic.errors import TextMusicError
from textmusic.music.measure import measure
from textmusic.music.theory import KEYS, sharps, tonic
from textmusic.result.formats import FORMATS

music21 = pytest.importorskip("music21", reason="needs the score extra (music21)")


def staves(score: Any) -> dict[str, list[Any]]:
    """The staves of each part, by its name."""
    found: dict[str, list[Any]] = defaultdict(list)
    for part in score.parts:
        found[part.partName].append(part)
    return found


@pytest.fixture(scope="module")
def band() -> Any:
    return read(musicxml(a_band(), title="A band", key="D minor"))


@pytest.mark.parametrize(
    "name",
    ["ChopinFF-Chop-28-7-chopin_prelude_op28_no7", "lc6158825", "lc5002015", "sq7295726-3"],
)
def test_every_note_of_real_pieces_is_there(pieces: list[Path], name: str) -> None:
    """At its onset (a grace note of the Chopin a little beside), cut only by other notes."""
    score = Score(next(path for path in pieces if path.stem == name))
    for number, track in enumerate(score.tracks):
        track.name = f"part {number}"
    parts = staves(read(musicxml(score, title=name, key=measure(score).key)))
    assert len(parts) == len(score.tracks)
    for track in score.tracks:
        written: dict[tuple[float, int], float] = {}
        for staff in parts[track.name]:
            written |= notes(staff)
        quarter = score.ticks_per_quarter
        played = {(round(n.time / quarter, 4), n.pitch): n.duration / quarter for n in track.notes}
        assert len(written) == len(played)
        beside = set(played) - set(written)
        assert len(beside) <= (1 if name.startswith("Chopin") else 0)
        onsets = {onset for onset, _ in written}
        for (onset, pitch), length in played.items():
            if (onset, pitch) not in beside and abs(written[onset, pitch] - length) >= 0.01:
                assert written[onset, pitch] < length + 0.5
                assert round(onset + written[onset, pitch], 4) in onsets


def test_all_parts_have_the_same_bars_with_key_and_metre_in_each(pieces: list[Path]) -> None:
    path = next(path for path in pieces if path.stem == "sq7295726-3")  # the metre changes
    score = Score(path)
    for number, track in enumerate(score.tracks):
        track.name = f"part {number}"
    parts = read(musicxml(score, title="", key="Eb major")).parts
    assert len(parts) == 4
    metres = []
    for part in parts:
        measures = part.getElementsByClass("Measure")
        assert measures[0].keySignature.sharps == -3
        metres.append(
            [(m.offset, m.timeSignature.ratioString) for m in measures if m.timeSignature]
        )
        assert measures[-1].rightBarline.type == "final"
    assert metres[0][:4] == [(0, "2/2"), (8, "1/2"), (10, "2/2"), (22, "3/2")]
    assert metres == [metres[0]] * 4
    assert len({len(part.getElementsByClass("Measure")) for part in parts}) == 1


def test_a_band_key_metre_and_clefs(band: Any) -> None:
    found = staves(band)
    assert {name: len(parts) for name, parts in found.items()} == {
        "Piano": 2, "Electric bass": 1, "Drums": 1
    }  # fmt: skip
    for name, parts in found.items():
        for part in parts:
            first, *_ = measures = part.getElementsByClass("Measure")
            assert len(measures) == 2
            assert first.timeSignature.ratioString == "4/4"
            # a key signature on a drum staff would mean nothing
            assert first.keySignature.sharps == (0 if name == "Drums" else -1)
    assert [part.recurse().getElementsByClass("Clef")[0].sign for part in band.parts] == [
        "G", "F", "F", "percussion"
    ]  # fmt: skip


def test_the_tempo_is_said_once_in_whole_numbers(band: Any) -> None:
    (mark,) = band.recurse().getElementsByClass("MetronomeMark")
    assert (mark.number, mark.referent.type) == (96, "quarter")


def test_small_changes_of_tempo_are_not_written() -> None:
    score = a_band(4)
    for bar, tempo in enumerate((90, 97, 60)):
        score.tempos.append(Tempo(1920 * (bar + 1), tempo))
    marks = read(musicxml(score, title="", key=None)).recurse().getElementsByClass("MetronomeMark")
    assert [mark.number for mark in marks] == [96, 60]


@pytest.mark.parametrize(
    ("time_signature", "beat", "number"),
    [((6, 8), 1.5, 80), ((3, 2), 2.0, 60), ((7, 8), 0.5, 240), ((3, 4), 1.0, 120)],
)
def test_the_tempo_counts_the_beats_of_the_metre(
    time_signature: tuple[int, int], beat: float, number: int
) -> None:
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, *time_signature))
    score.tempos.append(Tempo(0, 120))
    (mark,) = (
        read(musicxml(score, title="", key=None)).recurse().getElementsByClass("MetronomeMark")
    )
    assert (mark.referent.quarterLength, mark.number) == (beat, number)
    assert mark.getQuarterBPM() == 120


def test_the_piano_has_a_brace() -> None:
    root = ElementTree.fromstring(musicxml(a_band(), title="", key=None))
    piano, bass, _ = root.findall("part")
    assert piano.findtext(".//staves") == "2" and bass.find(".//staves") is None
    assert {note.findtext("staff") for note in piano.iter("note")} == {"1", "2"}
    assert not {note.findtext("staff") for note in bass.iter("note")} & {"2"}


def test_drums_have_no_pitch_and_stand_where_drummers_read_them() -> None:
    root = ElementTree.fromstring(musicxml(a_band(1), title="", key="D minor"))
    drums = root.findall("part")[-1]
    assert not list(drums.iter("pitch"))
    found = set()
    for note in drums.iter("note"):
        if (place := note.find("unpitched")) is not None:
            name = f"{place.findtext('display-step')}{place.findtext('display-octave')}"
            found.add((name, note.findtext("notehead"), note.findtext("stem")))
    stemless = {("G5", "x", None)}  # in a chord the first note has the stem
    assert found - stemless == {("F4", None, "down"), ("C5", None, "up"), ("G5", "x", "up")}


def test_in_d_minor_it_is_c_sharp_and_b_flat(band: Any) -> None:
    names = {pitch.name for pitch in staves(band)["Piano"][0].pitches}
    assert names == {"D", "B-", "C#", "A"}


@pytest.mark.parametrize("key", KEYS)
def test_the_scale_of_a_key_needs_no_accidentals(key: str) -> None:
    signature = music21.key.KeySignature(sharps(key))
    # the raised sixth and seventh of a minor scale do
    scale = (0, 2, 3, 5, 7, 8, 10) if key.endswith("minor") else (0, 2, 4, 5, 7, 9, 11)
    for degree in scale:
        letter, alter, octave = spelling(60 + tonic(key) + degree, key)
        accidental = signature.accidentalByStep(letter)
        assert alter == (accidental.alter if accidental else 0)
        pitch = music21.pitch.Pitch(step=letter, octave=octave, accidental=alter)
        assert pitch.midi == 60 + tonic(key) + degree


@pytest.mark.parametrize(
    ("key", "names"),
    [("D minor", "C C# D Eb E F F# G G# A Bb B"), ("Eb minor", "C Db D Eb Fb F Gb G Ab A Bb Cb"),
     ("A major", "C C# D D# E E# F# G G# A A# B"), (None, "C C# D Eb E F F# G G# A Bb B")],
)  # fmt: skip
def test_all_twelve_tones(key: str | None, names: str) -> None:
    sign = {-1: "b", 0: "", 1: "#"}
    spelt = [spelling(pitch, key) for pitch in range(60, 72)]
    assert " ".join(letter + sign[alter] for letter, alter, _ in spelt) == names


def test_accidentals_are_shown_where_the_bar_has_not_said_them() -> None:
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    track = Track(program=73, name="Flute")
    pitches = (66, 66, 65, 70, 65, 66, 78, 67)  # in D minor: F sharp, again, F, B flat; F, ...
    for beat, pitch in enumerate(pitches):
        track.notes.append(Note(480 * beat, 480, pitch, 80))
    score.tracks.append(track)
    root = ElementTree.fromstring(musicxml(score, title="", key="D minor"))
    assert [note.findtext("accidental") for note in root.iter("note")] == [
        "sharp", None, "natural", None, None, "sharp", "sharp", None
    ]  # fmt: skip


@pytest.mark.parametrize(
    "title", ["<script>alert(1)</script> & co", "a\x00b\ud800", "", "x" * 3000]
)
def test_a_title_is_text(title: str) -> None:
    xml = musicxml(a_band(1), title=title, key=None)
    said = ElementTree.fromstring(xml.encode()).findtext("work/work-title") or ""
    assert len(said) < 100 and "\x00" not in said
    assert said == title or title not in ("", "<script>alert(1)</script> & co")
    assert "<script" not in xml and "Music21</creator>" not in xml


def test_the_same_piece_gives_the_same_text() -> None:
    assert musicxml(a_band(), title="a", key="D minor") == musicxml(
        a_band(), title="a", key="D minor"
    )


def test_engraved_pages_hold_every_note_and_no_script() -> None:
    pytest.importorskip("verovio", reason="needs the score extra (verovio)")
    score = a_band(24)
    pages = engrave(musicxml(score, title="<script>alert(1)</script>", key="D minor"))
    assert len(pages) > 1
    heads = 0
    for page in pages:
        root = ElementTree.fromstring(page.encode())
        assert root.tag == f"{SVG}svg"
        tags = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert not tags & {"script", "foreignObject", "a", "image"}
        assert not [name for e in root.iter() for name in e.attrib if name.startswith("on")]
        heads += sum(e.get("class") == "notehead" for e in root.iter())
    assert heads == score.note_num()
    assert "<script" not in "".join(pages) and "alert(1)" in pages[0]


def test_what_is_no_music_is_refused() -> None:
    pytest.importorskip("verovio", reason="needs the score extra (verovio)")
    for text in ("", "no music", "<svg/>"):
        with pytest.raises(TextMusicError, match="this MusicXML cannot be engraved"):
            engrave(text)


def test_what_is_missing_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    from textmusic.cli.checks import read_formats

    remedy = r"run pip install 'textmusic\[score\]'"
    monkeypatch.setitem(sys.modules, "music21", None)
    monkeypatch.setitem(sys.modules, "verovio", None)
    with pytest.raises(TextMusicError, match=f"needs music21; {remedy}"):
        musicxml(a_band(1), title="", key=None)
    with pytest.raises(TextMusicError, match=f"needs verovio; {remedy}"):
        engrave("")
    with pytest.raises(TextMusicError, match=remedy):  # before a piece is written
        read_formats("mid,musicxml")
    assert "musicxml" in FORMATS and read_formats("mid") == ("mid",)


def test_any_thread_engraves(pieces: list[Path]) -> None:
    pytest.importorskip("verovio", reason="needs the score extra (verovio)")
    xml = musicxml(Score(pieces[0]), title="t", key=None)
    with ThreadPoolExecutor(3) as pool:
        pages = list(pool.map(engrave, [xml] * 3))
    assert [len(some) for some in pages] == [len(engrave(xml))] * 3  # ids in it are by chance
