"""Look at many pieces at once: python training/rolls.py before/ after/ -o page.html --png sheet.png

The piano rolls of MIDI files, with the chords and sections that are named in them. Of two folders,
those files that have equal names, side by side: what a model wrote before and after. Of one, all.
The page has the rolls as SVG; the sheet is one PNG with two columns.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw, ImageFont

from textmusic.drawing.piano_roll import piano_roll
from textmusic.drawing.shapes import Drawing, save_png, to_svg
from textmusic.music.markers import read_markers, read_midi
from textmusic.music.measure import measure
from textmusic.system.scripts import ended
from textmusic.system.whole_files import whole_file, write_text

STYLE = """body{font:16px/1.4 system-ui,sans-serif;margin:1.5rem;color:#222;background:#fff}
.rolls{display:grid;grid-template-columns:1fr 1fr;gap:1rem;align-items:start}
.rolls h2{font-size:1.1rem;margin:0}.rolls svg{width:100%;height:auto}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#0d0e11}}"""
COLUMN, SPACE, HEAD = 1000, 20, 50  # of the sheet, in pixels


def roll(path: Path) -> Drawing:
    """The roll of a MIDI file."""
    score = read_midi(path.read_bytes())
    plan = measure(score)
    assert plan.bars and plan.time_signature
    sketch, sections = read_markers(score, plan.bars, plan.time_signature)
    return piano_roll(score, key=plan.key, title=path.stem, sketch=sketch, sections=sections)


def page(rolls: Sequence[Drawing], title: str, captions: Sequence[str]) -> str:
    """Two columns of rolls, in rows from left to right, as an HTML page."""
    heads = "".join(f"<h2>{escape(caption)}</h2>" for caption in captions)
    drawn = "\n".join(map(to_svg, rolls))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>\n'
        f'<h1>{escape(title)}</h1>\n<div class="rolls">{heads}\n{drawn}</div></html>\n'
    )


def sheet(rolls: Sequence[Drawing], captions: Sequence[str], path: Path) -> None:
    """The same as a PNG, with every roll one column wide."""
    images = []
    with TemporaryDirectory() as folder:
        for drawing in rolls:
            save_png(drawing, file := Path(folder) / "roll.png")
            with Image.open(file) as image:
                size = COLUMN, round(image.height * COLUMN / image.width)
                images.append(image.resize(size, Image.Resampling.LANCZOS))
    rows = [images[i : i + 2] for i in range(0, len(images), 2)]
    top = SPACE + (HEAD if captions else 0)
    height = top + sum(max(image.height for image in row) + SPACE for row in rows)
    whole = Image.new("RGB", (2 * COLUMN + 3 * SPACE, height), "#d5d9e0")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(28)
    for column, caption in enumerate(captions):
        draw.text((SPACE + column * (COLUMN + SPACE), SPACE), caption, fill="#1f2430", font=font)
    for row in rows:
        for column, image in enumerate(row):
            whole.paste(image, (SPACE + column * (COLUMN + SPACE), top))
        top += max(image.height for image in row) + SPACE
    with whole_file(path) as partial:
        whole.save(partial, format="PNG")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folders", type=Path, nargs="+", metavar="folder", help="One or two folders of MIDI files."
    )
    parser.add_argument("-o", "--output", type=Path, help="File for the page.")
    parser.add_argument("--png", type=Path, help="File for the sheet.")
    parser.add_argument("--count", type=int, default=12, help="Most files of a folder.")
    parser.add_argument("--title", default="Piano rolls", help="Title of the page.")
    parser.add_argument(
        "--captions", nargs=2, help="Headings of the two columns; default: the folders' names."
    )
    args = parser.parse_args()
    if len(args.folders) > 2 or not (args.output or args.png):
        parser.error("name one or two folders, and -o or --png or both.")
    names = sorted(
        set.intersection(*({path.name for path in f.glob("*.mid")} for f in args.folders))
    )[: args.count]
    if not names:
        parser.error(
            "no MIDI file (*.mid) has the same name in both folders; choose other folders."
        )
    rolls = [roll(folder / name) for name in names for folder in args.folders]
    two = len(args.folders) == 2
    captions = (args.captions or [folder.resolve().name for folder in args.folders]) if two else []
    if args.output:
        text = page(rolls, args.title, captions)
        write_text(args.output, text)
    if args.png:
        sheet(rolls, captions, args.png)
    print(f"{len(names)} pieces of {' and '.join(map(str, args.folders))}")


if __name__ == "__main__":
    sys.exit(ended(main, "rolls.py"))
