"""Piano rolls: well-formed, complete, legible."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from symusic import Note, Score, Tempo, TimeSignature, Track

from textmusic.drawing.piano_roll import piano_roll, piano_roll_svg
from textmusic.drawing.shapes import (
    SCALE,
    THEME,
    Box,
    Drawing,
    Label,
    fitted,
    save_png,
    text_width,
)

TPQ = 480


def band(bars: int = 8, programs: tuple[int, ...] = (0, 32, 56), drums: bool = True) -> Score:
    """Quarter notes for each program, a beat for the drums, one note across every bar line."""
    score = Score(TPQ)
    score.tempos.append(Tempo(0, qpm=96))
    score.time_signatures.append(TimeSignature(0, 4, 4))
    for place, program in enumerate(programs):
        track = Track("", program, False)
        for quarter in range(4 * bars):
            length = 2 if quarter % 4 == 3 and quarter < 4 * bars - 1 else 1
            pitch = 40 + 12 * place % 48 + quarter % 12
            track.notes.append(Note(quarter * TPQ, length * TPQ, pitch, 30 + 3 * quarter % 90))
        score.tracks.append(track)
    if drums:
        kit = Track("", 0, True)
        for eighth in range(8 * bars):
            for pitch in (42, 36) if eighth % 2 == 0 else (42,):
                kit.notes.append(Note(eighth * TPQ // 2, TPQ // 4, pitch, 80))
        score.tracks.append(kit)
    return score


def rectangles(svg: str, kind: str) -> list[dict[str, str]]:
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect")
    return [dict(r.attrib) for r in found if f"tm-{kind}" in r.get("class", "").split()]


def labels(drawing: Drawing) -> list[Label]:
    return [shape for shape in drawing.shapes if isinstance(shape, Label)]


@pytest.mark.parametrize("bars", [1, 8, 33, 200])
def test_one_rectangle_a_note(bars: int) -> None:
    score = band(bars)
    svg = piano_roll_svg(score, key="D minor", title="a band")
    assert len(rectangles(svg, "note")) == score.note_num()


def test_a_score_that_is_still_being_written_has_room_for_the_rest() -> None:
    begun, whole = piano_roll(band(2), bars=8), piano_roll(band(8))
    assert "8 bars" in begun.title
    assert (begun.width, begun.height) == (whole.width, whole.height)
    starts = [
        {box.x for box in roll.shapes if isinstance(box, Box) and box.kind == "note"}
        for roll in (begun, whole)
    ]
    assert starts[0] < starts[1]
    assert piano_roll(band(8), bars=2) == whole


def test_everything_lies_on_the_paper() -> None:
    for score in (band(1), band(60), band(12, (), True), band(200, tuple(range(0, 120, 8)))):
        drawing = piano_roll(score, key="F# major", title="a title that is long " * 20)
        for shape in drawing.shapes:
            if isinstance(shape, Box):
                assert shape.x >= 0
                assert shape.y >= 0
                assert shape.x + shape.width <= drawing.width + 0.01
                assert shape.y + shape.height <= drawing.height + 0.01
            else:
                width = text_width(shape.text, shape.size)
                left = shape.x - (width if shape.anchor == "end" else 0)
                assert left >= 0
                assert left + width <= drawing.width
                assert 0 < shape.y <= drawing.height


def test_no_text_overlaps_another() -> None:
    for score in (band(3), band(60), band(200, tuple(range(0, 120, 8)))):
        boxes = []
        for label in labels(piano_roll(score, key="Eb minor", title="many instruments")):
            width = text_width(label.text, label.size)
            left = label.x - (width if label.anchor == "end" else 0)
            boxes.append((left, label.y - 0.75 * label.size, left + width, label.y))
        for a, b in combinations(boxes, 2):
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, (a, b)


def test_says_what_it_shows() -> None:
    texts = [label.text for label in labels(piano_roll(band(8), key="D minor", title="a band"))]
    facts = "D minor  ·  96 bpm  ·  4/4  ·  8 bars"
    legend = ["piano", "acoustic bass", "trumpet", "drums", "soft to loud", "scale of D minor"]
    for text in ("a band", facts, *legend, "closed hi-hat", *map(str, range(1, 9))):
        assert text in texts
    assert texts.count("9") == 0


def test_programs_have_colours_of_their_own_and_loudness_shows() -> None:
    score = Score(TPQ)
    for program in (0, 40):
        track = Track("", program, False)
        for quarter, velocity in enumerate((20, 60, 120)):
            track.notes.append(Note(quarter * TPQ, TPQ, 60 + program, velocity))
        score.tracks.append(track)
    notes = rectangles(piano_roll_svg(score), "note")
    assert len({note["fill"] for note in notes}) == 2
    for fill in {note["fill"] for note in notes}:
        louder = sorted((n for n in notes if n["fill"] == fill), key=lambda n: float(n["x"]))
        opacities = [float(note["fill-opacity"]) for note in louder]
        assert opacities == sorted(opacities)
        assert opacities[0] < opacities[-1]


def test_scale_rows_are_shaded() -> None:
    score = band(2, (0,), False)
    rows = [box for box in piano_roll(score, key="C major").shapes if isinstance(box, Box)]
    tonics = [box for box in rows if box.fill == "home" and box.width > 100]
    scale = [box for box in rows if box.fill == "shade" and box.width > 100]
    assert len(tonics) >= 2
    assert len(scale) > 2 * len(tonics)
    assert not [s for s in piano_roll(score, key="none").shapes if getattr(s, "fill", "") == "home"]


def test_metre_changes_move_the_bar_lines() -> None:
    score = band(6, (0,), False)
    score.time_signatures.append(TimeSignature(4 * TPQ, 3, 4))
    assert "4/4, changing  ·  8 bars" in piano_roll(score).title  # 4 + 3 + 3 + ... >= 24


@pytest.mark.parametrize("title", ['<b>&"quotes"\'</b>', "]]>", "bell\x07 \ud800 \x00", "钢琴 🎹"])
def test_titles_are_escaped(title: str) -> None:
    svg = piano_roll_svg(band(1), title=title)
    assert len(rectangles(svg, "note")) == band(1).note_num()
    svg.encode()
    assert "<b>" not in svg


def test_follows_light_and_dark() -> None:
    svg = piano_roll_svg(band(1))
    assert "prefers-color-scheme:dark" in svg
    for light, dark in THEME.values():
        assert dark in svg
        assert light != dark


def test_score_without_notes() -> None:
    drawing = piano_roll(Score(TPQ), key="D minor")
    assert "no notes" in [label.text for label in labels(drawing)]
    assert rectangles(piano_roll_svg(Score(TPQ)), "note") == []


def test_notes_without_length_and_outside_the_drum_kit() -> None:
    score = band(2, (0,), False)
    score.tracks[0].notes.append(Note(8 * TPQ, 0, 60, 90))
    kit = Track("", 0, True)
    kit.notes.append(Note(0, 10, 3, 90))
    score.tracks.append(kit)
    assert len(rectangles(piano_roll_svg(score), "note")) == score.note_num()


@pytest.mark.parametrize("unit", ["second", "quarter"])
def test_scores_in_other_time_units(unit: str) -> None:
    if unit == "second":
        assert piano_roll_svg(band(2).to(unit)).count("tm-note") == band(2).note_num()
    else:
        assert piano_roll_svg(band(2).to(unit)) == piano_roll_svg(band(2))


@pytest.mark.parametrize("title", ["calm piano", "钢琴 café 🎹", ""])
def test_png_has_the_drawing_on_it(tmp_path: Path, title: str) -> None:
    path = tmp_path / "roll.png"
    drawing = piano_roll(band(8), key="D minor", title=title)
    save_png(drawing, path)
    with Image.open(path) as image:
        assert image.size == (round(drawing.width * SCALE), round(drawing.height * SCALE))
        assert image.mode == "RGB"
        assert len(image.getcolors(1 << 24) or []) > 50


def test_png_into_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="such file"):
        save_png(piano_roll(band(1)), tmp_path / "nowhere" / "roll.png")


def test_fitted_text() -> None:
    assert fitted("short", 10, 500) == "short"
    assert fitted("a  b\n c", 10, 500) == "a b c"
    long = fitted("word " * 100, 10, 200)
    assert long.endswith("…")
    assert text_width(long, 10) <= 200
