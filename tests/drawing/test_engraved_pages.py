"""Engraved pages in one file: an SVG of all of them, and a PDF.

Skipped without the score extra.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sheets import SVG, a_band
from symusic import Score

from textmusic.cli.main import main
from textmusic.drawing.engraved_pages import _without_music_font, one_svg, pdf
from textmusic.drawing.sheet_music import engrave, musicxml
from textmusic.music.chords import Chord
from textmusic.music.sketch import Row, Sketch

pytest.importorskip("verovio", reason="needs the score extra (verovio)")

CHORDS = Sketch((Row(chords=((0, Chord(10, "maj7")), (2, Chord(2, "min")))),))


def pages(score: Score) -> list[str]:
    xml = musicxml(
        score, title="A <b> & 平静", key="D minor", sketch=CHORDS, sections=[(0, "verse")]
    )
    return engrave(xml)


def words(svg: str) -> list[str]:
    """The texts of an SVG; the spaces between the parts of one have no width."""
    texts = ElementTree.fromstring(svg).iter(f"{SVG}text")
    return [" ".join("".join(text.itertext()).split()) for text in texts]


def test_one_svg_has_every_page_below_the_other() -> None:
    several = pages(a_band(40))
    assert len(several) > 1
    root = ElementTree.fromstring(one_svg(several))
    placed = root.findall(f"{SVG}svg")
    tops = [float(page.get("y", "-1")) for page in placed]
    heights = [float(page.get("height", "0")) for page in placed]
    assert len(placed) == len(several)
    assert tops == [sum(heights[:n]) for n in range(len(several))]
    assert root.get("viewBox") == f"0 0 840 {sum(heights):g}"
    heads = sum(e.get("class") == "notehead" for e in root.iter())
    assert heads == a_band(40).note_num()


def test_title_tempo_chords_and_sections_are_on_the_page() -> None:
    (page,) = pages(a_band(2))
    said = words(_without_music_font(page))
    assert {"A <b> & 平静", "B ♭ maj7", "Dm", "verse", "Piano", "Drums"} <= set(said)
    assert "= 96" in said


def test_nothing_of_the_music_font_is_left_for_a_pdf() -> None:
    (page,) = pages(a_band(2))
    assert "Leipzig" in "".join(re.findall(r"<tspan[^>]*>", page))
    without = _without_music_font(page)
    spans = [s for s in ElementTree.fromstring(without).iter(f"{SVG}tspan") if s.text]
    assert not [s for s in spans if any("\ue000" <= c <= "\uf8ff" for c in s.text or "")]
    group = next(g for g in ElementTree.fromstring(without).iter() if g.get("class") == "tempo")
    (note,) = group.findall(f"{SVG}path")
    (text,) = group.findall(f"{SVG}text")
    place = re.match(r"translate\((\d+)", note.get("transform", ""))
    assert place and float(text.get("x", "0")) > float(place[1])
    title = next(t for t in ElementTree.fromstring(without).iter(f"{SVG}text")
                 if "平静" in "".join(t.itertext()))  # fmt: skip
    assert (title.get("text-anchor"), title.get("x")) == ("middle", "10000")


def test_a_pdf_has_the_pages_and_is_the_same_each_time() -> None:
    pytest.importorskip("typst", reason="needs the score extra (typst)")
    several = pages(a_band(40))
    made = pdf(several)
    assert made.startswith(b"%PDF")
    assert leaves(made) == len(several)
    assert made == pdf(several)


def test_under_a_headline_pieces_share_a_page() -> None:
    pytest.importorskip("typst", reason="needs the score extra (typst)")
    short = pages(a_band(2)) * 2
    assert leaves(pdf(short)) == 2
    assert leaves(pdf(short, 'Piano: "sight-reading"')) == 1


def leaves(made: bytes) -> int:
    """How many pages a PDF has."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.S)
    plain = made + b"".join(zlib.decompress(s) for s in streams if s[:1] == b"x")
    return len(re.findall(rb"/Type */Page\b", plain))


def test_from_the_command_line(tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("typst", reason="needs the score extra (typst)")
    args = ("generate", "piano", "--bars", "2", "--seed", "1", "-o", str(tmp_path))
    assert main([*args, "--model", str(tiny_model), "--format", "sheet,pdf"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "piano-1.pdf", "piano-1.sheet.svg",
    ]  # fmt: skip
    assert (tmp_path / "piano-1.sheet.svg").read_text("utf-8").startswith("<svg")
    assert (tmp_path / "piano-1.pdf").read_bytes().startswith(b"%PDF")
