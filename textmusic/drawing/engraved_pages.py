"""Engraved pages -> one file: all in one SVG, or a PDF of A4 pages.

Typst makes the PDF. It draws SVG, and takes letters from the fonts of this machine where its own
lack them, as for Chinese titles. verovio's music font it cannot read out of an SVG, so the note of
a tempo mark becomes a path, and the accidentals of chord names become letters.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from textmusic.drawing.sheet_music import require

_SPACE = "http://www.w3.org/2000/svg"
_TAG = f"{{{_SPACE}}}"
_MUSIC_FONT = "Leipzig"  # verovio's own
_ACCIDENTALS = {
    "\ue260": "♭", "\ue261": "♮", "\ue262": "♯", "\uea64": "♭", "\uea65": "♮", "\uea66": "♯",
}  # fmt: skip
_LETTERS = "405px"  # of chord names, which the accidentals stand among
_A4 = "#set document(date: none)\n#set page(width: 210mm, height: 297mm, margin: 8mm)\n"


def one_svg(pages: Sequence[str]) -> str:
    """All pages of `sheet_music.engrave` below each other, as one SVG."""
    roots = [ElementTree.fromstring(page) for page in pages]
    sizes = [tuple(map(float, root.get("viewBox", "0 0 0 0").split()[2:])) for root in roots]
    width, height = max(size[0] for size in sizes), sum(size[1] for size in sizes)
    parts = [f'<svg xmlns="{_SPACE}" viewBox="0 0 {width:g} {height:g}">']
    top = 0.0
    for page, (wide, high) in zip(pages, sizes, strict=True):
        start = page.index("<svg")
        place = f'<svg y="{top:g}" width="{wide:g}" height="{high:g}"'
        parts.append(place + page[start + len("<svg") :].rstrip())
        top += high
    return "\n".join([*parts, "</svg>\n"])


def pdf(pages: Sequence[str], headline: str | None = None) -> bytes:
    """The pages of `sheet_music.engrave` as a PDF, vectors and letters.

    headline: of a worksheet, on which the pages of several pieces stand one below the other; a
    system is not divided between two pages. Without it each page has its own.

    Raises:
        TextMusicError: typst or verovio is not installed.
    """
    require("typst", "PDF")
    require("verovio", "PDF")
    import typst

    source = _A4
    if headline is not None:
        said = json.dumps(headline, ensure_ascii=False)  # typst escapes strings as JSON does
        source += f"#align(center, text(size: 18pt, {said}))\n"
    with tempfile.TemporaryDirectory() as folder:
        for number, page in enumerate(pages):
            name = f"{number}.svg"
            (Path(folder) / name).write_text(_without_music_font(page), encoding="utf-8")
            image = f'image("{name}", width: 100%)'
            source += f"#page({image})\n" if headline is None else f"#{image}\n"
        file = Path(folder) / "pages.typ"
        file.write_text(source, encoding="utf-8")
        return bytes(typst.compile(str(file), format="pdf"))


def _without_music_font(page: str) -> str:
    ElementTree.register_namespace("", _SPACE)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(page)
    for group in list(root.iter()):
        for text in group.findall(f"{_TAG}text"):
            _place(text)
            glyphs = [span for span in text.iter(f"{_TAG}tspan") if _is_music(span)]
            for span in glyphs:
                said = (span.text or "").strip()
                if all(letter in _ACCIDENTALS for letter in said):
                    span.text = "".join(_ACCIDENTALS[letter] for letter in said)
                    span.set("font-size", _LETTERS)
                    del span.attrib["font-family"]
                elif text.get("x"):
                    _draw(group, text, span, said)
    return ElementTree.tostring(root, encoding="unicode")


def _is_music(span: Element) -> bool:
    return span.get("font-family") == _MUSIC_FONT and bool((span.text or "").strip())


def _place(text: Element) -> None:
    """Let a text say where it stands, which verovio's titles leave to the part inside it."""
    for span in text.findall(f"{_TAG}tspan"):
        for described in span.findall(f"{_TAG}title"):
            span.remove(described)
        if text.get("x") is None and span.get("x") is not None:
            for name in ("x", "y", "text-anchor"):
                if (value := span.attrib.pop(name, None)) is not None:
                    text.set(name, value)


def _draw(group: Element, text: Element, span: Element, letters: str) -> None:
    """Draw the music letters that a text begins with as paths, and let the rest begin behind."""
    em = float(span.get("font-size", "0").removesuffix("px")) / 1000
    x, y = float(text.get("x", "0")), float(text.get("y", "0"))
    for letter in letters:
        if letter.isspace():
            x += 100 * em
            continue
        outline, advance = _glyph(f"{ord(letter):04X}")
        place = f"translate({x:g},{y:g}) scale({em:g},{-em:g})"
        group.append(Element(f"{_TAG}path", d=outline, transform=place, stroke="none"))
        x += advance * em
    outer = next(part for part in text if span in part.iter())
    text.remove(outer)
    text.set("x", f"{x:g}")


@cache
def _glyph(code: str) -> tuple[str, float]:
    """The outline of a letter of verovio's music font, and how wide it is, in 1/1000 em."""
    import verovio

    data = Path(verovio.__file__).parent / "data"
    widths = ElementTree.parse(data / f"{_MUSIC_FONT}.xml").getroot()
    advance = next((float(g.get("h-a-x", "0")) for g in widths.iter("g") if g.get("c") == code), 0)
    file = data / _MUSIC_FONT / f"{code}.xml"
    path = ElementTree.parse(file).getroot().find("path") if file.exists() else None
    return ("" if path is None else path.get("d", "")), advance
