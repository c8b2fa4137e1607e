"""Make the gallery anew: python training/gallery.py -o docs/gallery

Sixteen prompts with the seeds 1 to 16, the first and only take of each, as one page with audio
(MP3), a piano roll and the asked / planned / measured table of each.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from html import escape
from pathlib import Path

import soundfile
from rich.progress import track

from textmusic import TextToMusic
from textmusic.drawing.shapes import to_svg
from textmusic.result.generation import Generation
from textmusic.system.scripts import ended
from textmusic.system.whole_files import whole_file, write_text
from textmusic.version import __version__

PROMPTS = (
    "calm piano in D minor",
    "a cheerful folk tune for violin in G major, 6/8, fast, 16 bars",
    "slow sad waltz for piano in A minor, 16 bars",
    "swing jazz quartet with saxophone, piano, bass and drums at 160 bpm, 12 bars",
    "string quartet, andante, B flat major, 12 bars",
    "a solemn hymn for choir and organ, 70 bpm, 8 bars",
    "16 bars of ragtime piano in C major at 100 bpm",
    "bossa nova with nylon guitar and flute in F major, 120 bpm, 16 bars",
    "energetic rock in E minor with distorted guitar, bass and drums, 140 bpm, 12 bars",
    "lively Irish reel in D major on the flute, 16 bars",
    "平静的钢琴曲，G大调，12小节",
    "a funky drum groove, 100 bpm, 8 bars",
    "a tender song for voice and piano in E flat major, 12 bars",
    "baroque harpsichord in G minor, 4/4, 16 bars",
    "a pop ballad for piano, strings, bass and drums in C major, 72 bpm, 12 bars",
    "tense orchestral film music in C minor, 12 bars",
)
RATE = 22_050  # samples a second are enough for a preview, and keep the folder small
STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#222;background:#fff}h2{margin-top:3rem;font-size:1.1rem}audio{width:100%}table{font-size:.85rem;
border-collapse:collapse}td,th{padding:.1rem .8rem .1rem 0;text-align:left}img{width:100%}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}img{background:#fff}}"""


def write(generation: Generation, number: int, folder: Path) -> str:
    """Write a piece's files and return its part of the page."""
    stem = f"{number:02}-{generation.slug}"[:40].strip("-")
    generation = generation.performed()
    audio = generation.audio().mean(axis=0)
    audio = audio[: len(audio) // 2 * 2].reshape(-1, 2).mean(axis=1)  # 44,100 to 22,050 a second
    with whole_file(folder / f"{stem}.mp3") as partial:
        soundfile.write(partial, audio, RATE, format="MP3", compression_level=0.7)
    write_text(folder / f"{stem}.svg", to_svg(generation.piano_roll()))
    generation.save(folder, formats=("mid",), stem=stem)
    rows = "".join(
        f"<tr><td>{row.field}</td><td>{escape(row.asked)}</td><td>{escape(row.planned)}</td>"
        f"<td>{escape(row.measured)}</td><td>{ {True: '✓', False: '✗'}.get(row.ok, '') }</td></tr>"
        for row in generation.report.rows
    )
    return (
        f"<h2>{number}. {escape(generation.prompt.text)}</h2>\n"
        f'<audio controls preload="none" src="{stem}.mp3"></audio>\n'
        f'<p><a href="{stem}.mid">MIDI</a>, seed {generation.seed}</p>\n'
        f'<img loading="lazy" src="{stem}.svg" alt="piano roll {number}">'
        f"\n<table><tr><th></th><th>asked</th><th>planned</th><th>measured</th><th></th></tr>"
        f"{rows}</table>\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("docs/gallery"), help="Folder for the page."
    )
    parser.add_argument("--model", help="Model folder or Hub id; default: the bundled model.")
    parser.add_argument(
        "--seed", type=int, default=1, help="Seed of the first prompt; increases by one."
    )
    args = parser.parse_args()
    music = TextToMusic.from_pretrained(args.model)
    parts = [
        write(music.generate(text, seed=args.seed + i), i + 1, args.output)
        for i, text in enumerate(track(PROMPTS, "writing"))
    ]
    about = f"{music.name}, textmusic {__version__}, {date.today()}"
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>textmusic gallery</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>\n'
        f"<h1>textmusic gallery</h1>\n<p>Written by {escape(about)}: the first take of each"
        f" prompt, none chosen.</p>\n{''.join(parts)}</html>\n"
    )
    write_text(args.output / "index.html", page)
    size = sum(file.stat().st_size for file in args.output.iterdir()) / 1e6
    print(f"{len(parts)} pieces in {args.output / 'index.html'} ({size:.1f} MB)")


if __name__ == "__main__":
    sys.exit(ended(main, "gallery.py"))
