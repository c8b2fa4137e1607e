"""Chord and section names over a piano roll: at their beats, legible, on the paper."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image
from symusic import Note, Score, TimeSignature, Track

from textmusic.drawing.piano_roll import piano_roll, piano_roll_svg
from textmusic.drawing.shapes import SCALE, Box, Drawing, Label, save_png, text_width
from textmusic.music.chords import ALL_CHORDS, Chord
from textmusic.music.sketch import Row, Sketch

C, F, G7 = Chord(0, "maj"), Chord(5, "maj"), Chord(7, "7")
LONG = Chord(6, "hdim7")  # F#m7b5, the longest name there is


def tune(bars: int, metre: tuple[int, int] = (4, 4)) -> Score:
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, *metre))
    track = Track("", 0)
    length = 1920 * metre[0] // metre[1]
    for bar in range(bars):
        track.notes.append(Note(bar * length, length, 60, 80))
    score.tracks.append(track)
    return score


def labels(drawing: Drawing) -> list[Label]:
    return [shape for shape in drawing.shapes if isinstance(shape, Label)]


def placed(drawing: Drawing, names: set[str]) -> list[tuple[str, float]]:
    return [(label.text, label.x) for label in labels(drawing) if label.text in names]


def crowded(bars: int) -> Sketch:
    """Another chord on every beat, one of them with a long name in each bar."""
    rows = []
    for bar in range(bars):
        chords = [ALL_CHORDS[(bar * 37 + beat * 11) % len(ALL_CHORDS)] for beat in range(3)]
        rows.append(Row(chords=tuple(enumerate([*chords, LONG]))))
    return Sketch(tuple(rows))


def test_names_begin_at_their_beats() -> None:
    sketch = Sketch((Row(chords=((0, C), (2, F))), Row(chords=((0, F), (3, G7)))))
    drawing = piano_roll(tune(2), key="C major", sketch=sketch)
    strip = drawing.strips[0]
    beat = strip.width / 8
    found = placed(drawing, {"C", "F", "G7"})
    assert [name for name, _ in sorted(found, key=lambda item: item[1])] == ["C", "F", "G7"]
    assert dict(found) == pytest.approx(
        {"C": strip.x, "F": strip.x + 2 * beat, "G7": strip.x + 7 * beat}
    )
    for label in labels(drawing):
        if label.text in ("C", "F", "G7"):
            assert strip.y - 14 < label.y < strip.y


def test_beats_are_eighths_in_metres_of_eighths() -> None:
    sketch = Sketch((Row(chords=((0, C), (3, F))), Row(chords=((0, F), (4, G7)))))
    drawing = piano_roll(tune(2, (6, 8)), sketch=sketch)
    strip = drawing.strips[0]
    assert dict(placed(drawing, {"F", "G7"})) == pytest.approx(
        {"F": strip.x + strip.width * 3 / 12, "G7": strip.x + strip.width * 10 / 12}
    )


@pytest.mark.parametrize("bars", [1, 16, 64, 200])
def test_names_never_overlap_and_stay_on_the_paper(bars: int) -> None:
    sections = [(bar, "the chorus, sung by all" if bar % 3 else "A") for bar in range(bars)]
    drawing = piano_roll(tune(bars), title="crowded", sketch=crowded(bars), sections=sections)
    boxes = []
    for label in labels(drawing):
        left = label.x - (text_width(label.text, label.size) if label.anchor == "end" else 0)
        boxes.append(
            (left, label.y - 0.75 * label.size, left + text_width(label.text, label.size), label.y)
        )
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (a, b)
    for left, top, right, bottom in boxes:
        assert left >= 0 and right <= drawing.width and top >= 0 and bottom <= drawing.height
    for box in drawing.shapes:
        if isinstance(box, Box):
            assert box.x >= 0 and box.x + box.width <= drawing.width + 0.01
            assert box.y >= 0 and box.y + box.height <= drawing.height + 0.01


def test_names_on_bar_lines_are_kept_where_not_all_fit() -> None:
    rows = tuple(Row(chords=((0, C), (1, F), (2, LONG), (3, G7))) for _ in range(64))
    texts = [label.text for label in labels(piano_roll(tune(64), sketch=Sketch(rows)))]
    assert texts.count("C") == 64
    assert texts.count("F#m7b5") < 64


def test_a_small_piece_has_larger_names_than_a_crowded_one() -> None:
    few = Sketch(tuple(Row(chords=((0, (C, F)[bar % 2]),)) for bar in range(64)))
    sizes = [
        {label.size for label in labels(piano_roll(tune(64), sketch=sketch)) if label.text == name}
        for sketch, name in ((few, "C"), (crowded(64), "F#m7b5"))
    ]
    assert sizes == [{10.0}, {8.0}]


def test_every_change_has_a_tick() -> None:
    sketch = crowded(16)
    drawing = piano_roll(tune(16), sketch=sketch)
    ticks = [s for s in drawing.shapes if isinstance(s, Box) and (s.width, s.height) == (1, 3)]
    assert len(ticks) == 64


def test_a_section_goes_on_in_the_next_line() -> None:
    drawing = piano_roll(tune(64), sections=[(0, "verse"), (60, "coda")])
    lines = len(drawing.strips)
    assert lines > 1
    found = [label for label in labels(drawing) if label.text == "verse"]
    assert len(found) == lines
    assert [label.bold for label in found] == [True] + [False] * (lines - 1)
    coda = next(label for label in labels(drawing) if label.text == "coda")
    last = drawing.strips[-1]
    bars = 64 - (lines - 1) * round(64 * drawing.strips[0].width / sum(
        strip.width for strip in drawing.strips
    ))  # fmt: skip
    assert coda.x - 5 == pytest.approx(last.x + last.width * (bars - 4) / bars)


def test_nothing_changes_without_chords_and_sections() -> None:
    plain = piano_roll_svg(tune(20), key="C major", title="t")
    for sketch in (None, Sketch(), Sketch((Row(),) * 20), Sketch((Row(chords=((0, None),)),))):
        assert piano_roll_svg(tune(20), key="C major", title="t", sketch=sketch) == plain


def test_rows_and_sections_behind_the_end_are_left_out() -> None:
    sketch = Sketch((Row(chords=((0, C),)), Row(chords=((0, C),)), Row(chords=((0, G7),))))
    drawing = piano_roll(tune(2), sketch=sketch, sections=[(0, "A"), (2, "B")])
    texts = [label.text for label in labels(drawing)]
    assert "C" in texts and "A" in texts
    assert "G7" not in texts and "B" not in texts


def test_png_has_them_too(tmp_path: Path) -> None:
    sketch, sections = crowded(16), [(0, "A")]
    drawing = piano_roll(tune(16), sketch=sketch, sections=sections)
    save_png(drawing, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (round(drawing.width * SCALE), round(drawing.height * SCALE))
        strip = drawing.strips[0]
        names = image.crop(tuple(
            round(SCALE * edge) for edge in (strip.x, strip.y - 14, strip.x + 900, strip.y - 4)
        ))  # fmt: skip
        assert names.convert("L").getextrema()[0] < 120  # ink


@pytest.mark.parametrize("name", ["<b>&", "副歌", "a\nb"])
def test_section_names_are_escaped(name: str) -> None:
    svg = piano_roll_svg(tune(8), sections=[(0, name)])
    assert "<b>" not in svg
    svg.encode()
