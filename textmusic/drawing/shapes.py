"""Shapes on paper -> SVG or PNG. Knows nothing of music."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import east_asian_width
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

# Colours by role: on light paper, on dark paper. A viewer that follows the reader's system turns
# the paper and all that is on it together; one that doesn't shows the light ones.
THEME: Mapping[str, tuple[str, str]] = {
    "paper": ("#ffffff", "#16181d"),
    "ink": ("#1f2430", "#eceef2"),
    "quiet": ("#667085", "#98a2b3"),
    "shade": ("#f1f4f9", "#1d2129"),
    "home": ("#e1e8f4", "#28303e"),
    "grid": ("#e8ebf0", "#262a33"),
    "bar": ("#b9c0cc", "#474e5c"),
}
SCALE = 2
"""Pixels of a PNG for each unit of the drawing."""

_PREFIX = "tm-"  # an inline SVG shares its style sheet with the page around it
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # not in XML
# Pillow's own font has Latin letters only; these have Chinese ones too, where they are installed.
_WIDE_FONTS = (
    "NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc", "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf", "PingFang.ttc",
    "Hiragino Sans GB.ttc", "msyh.ttc", "simhei.ttf",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle. `fill` is a role of `THEME` or a colour such as "#1f77b4"."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    opacity: float = 1.0
    radius: float = 0.0
    kind: str = ""
    """Class name in the SVG."""


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text; `y` is its baseline. `anchor` is start, middle or end of it at `x`."""

    x: float
    y: float
    text: str
    size: float
    fill: str = "ink"
    anchor: str = "start"
    bold: bool = False


Shape = Box | Label


@dataclass(frozen=True, slots=True)
class Strip:
    """A stretch of paper and of time: `begin` at its left edge, `end` at its right, seconds."""

    x: float
    y: float
    width: float
    height: float
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes in painting order, on paper of this size."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    title: str = ""
    """Read out instead of the picture."""
    strips: tuple[Strip, ...] = ()
    """Where time runs from left to right."""


def text_width(text: str, size: float) -> float:
    """About how wide a text is, rounded up so that fitted text really fits."""
    return size * sum(map(_sign_width, text))


def _sign_width(sign: str) -> float:
    if east_asian_width(sign) in "WF":
        return 1.05
    if sign in "ijlI.,:;'|! ":
        return 0.32
    return 0.9 if sign in "mwMW@%" else 0.6


def fitted(text: str, size: float, width: float) -> str:
    """A text on one line, with its end replaced by an ellipsis where it is wider than `width`."""
    text = " ".join(_UNSPEAKABLE.sub(" ", text).split())
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1].rstrip()
    return text + "…"


def to_svg(drawing: Drawing) -> str:
    """The drawing as one SVG element; it follows the reader's light or dark setting."""
    dark = "".join(f".{_PREFIX}{role}{{fill:{pair[1]}}}" for role, pair in THEME.items())
    title = _UNSPEAKABLE.sub(" ", drawing.title)
    width, height = _number(drawing.width), _number(drawing.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" class="{_PREFIX}drawing" role="img" '
        f'aria-label={quoteattr(title)} font-family="system-ui, sans-serif">'
        f"<title>{escape(title)}</title><style>"
        f"@media screen{{.{_PREFIX}drawing{{max-width:100%;height:auto}}}}"
        f"@media (prefers-color-scheme:dark){{{dark}}}</style>"
    )
    return "\n".join([head, *map(_svg_shape, drawing.shapes), "</svg>\n"])


def save_png(drawing: Drawing, path: str | Path) -> None:
    """Write the drawing as a PNG, on light paper, `SCALE` pixels a unit.

    Raises:
        OSError: the file can't be written.
    """
    from PIL import Image, ImageDraw

    size = round(drawing.width * SCALE), round(drawing.height * SCALE)
    image = Image.new("RGB", size, THEME["paper"][0])
    draw = ImageDraw.Draw(image, "RGBA")  # RGBA: translucent fills mix with what is below
    for shape in drawing.shapes:
        if isinstance(shape, Box):
            _paint_box(draw, shape)
        else:
            _paint_label(draw, shape)
    image.save(path, format="PNG", optimize=True)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _svg_fill(fill: str, kind: str = "") -> str:
    names = [name for name in (kind, fill if fill in THEME else "") if name]
    style = f' class="{" ".join(_PREFIX + name for name in names)}"' if names else ""
    return f'{style} fill="{THEME[fill][0] if fill in THEME else fill}"'


def _svg_shape(shape: Shape) -> str:
    if isinstance(shape, Label):
        weight = ' font-weight="600"' if shape.bold else ""
        anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
        return (
            f'<text x="{_number(shape.x)}" y="{_number(shape.y)}" font-size="{shape.size:g}"'
            f"{weight}{anchor}{_svg_fill(shape.fill)}>{escape(_UNSPEAKABLE.sub(' ', shape.text))}"
            "</text>"
        )
    opacity = "" if shape.opacity == 1 else f' fill-opacity="{_number(shape.opacity)}"'
    radius = f' rx="{_number(shape.radius)}"' if shape.radius else ""
    return (
        f'<rect x="{_number(shape.x)}" y="{_number(shape.y)}" width="{_number(shape.width)}" '
        f'height="{_number(shape.height)}"{radius}{opacity}{_svg_fill(shape.fill, shape.kind)}/>'
    )


def _colour(fill: str, opacity: float = 1.0) -> tuple[int, int, int, int]:
    digits = THEME[fill][0] if fill in THEME else fill
    red, green, blue = (int(digits[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue, round(255 * opacity)


def _paint_box(draw: ImageDraw, box: Box) -> None:
    left, top = round(box.x * SCALE), round(box.y * SCALE)
    # Pillow's corners are both inside the rectangle.
    right = max(round((box.x + box.width) * SCALE) - 1, left)
    bottom = max(round((box.y + box.height) * SCALE) - 1, top)
    radius = min(box.radius * SCALE, (right - left) / 2, (bottom - top) / 2)
    draw.rounded_rectangle(
        (left, top, right, bottom), radius=radius, fill=_colour(box.fill, box.opacity)
    )


def _paint_label(draw: ImageDraw, label: Label) -> None:
    text, font = _drawable(label.text, label.size * SCALE)
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[label.anchor]
    draw.text(
        (label.x * SCALE, label.y * SCALE),
        text,
        fill=_colour(label.fill),
        font=font,
        anchor=anchor,
        stroke_width=0.4 if label.bold else 0,
    )


def _drawable(text: str, size: float) -> tuple[str, FreeTypeFont | ImageFont]:
    """The text and a font that has its signs; those that no font at hand has are left out."""
    from PIL import ImageFont

    if all(_is_latin(sign) for sign in text):
        return text, ImageFont.load_default(size)
    for name in _WIDE_FONTS:
        try:
            return text, ImageFont.truetype(name, size)
        except OSError:
            continue
    return "".join(filter(_is_latin, text)).strip(), ImageFont.load_default(size)


def _is_latin(sign: str) -> bool:
    return sign < "\u0180" or sign in "…–—‘’“”•"


def flow(
    items: Iterable[tuple[float, Callable[[float, float], list[Shape]]]],
    *,
    left: float,
    right: float,
    top: float,
    line: float,
) -> tuple[list[Shape], float]:
    """Set items one after the other, on as many lines as they take.

    Each item is its width and a function that draws it at (x, y). Returns the shapes, and the y
    below the last line.
    """
    shapes: list[Shape] = []
    x, y = left, top
    for width, paint in items:
        if x > left and x + width > right:
            x, y = left, y + line
        shapes += paint(x, y)
        x += width
    return shapes, y + line
