"""A piece as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textmusic.errors import TextMusicError
from textmusic.result.formats import AUDIO_FORMATS, FORMATS, NEEDED
from textmusic.result.titles import slug_of
from textmusic.sound.audio_files import sample_rate_of
from textmusic.system.whole_files import whole_file
from textmusic.version import __version__

if TYPE_CHECKING:
    from textmusic.result.generation import Generation
    from textmusic.sound.render import Stem


def save(
    piece: Generation, folder: Path, formats: Sequence[str], stem: str, *,
    soundfont: str | Path | None, dry: bool, sample_rate: int, stems: bool,
) -> list[Path]:  # fmt: skip
    """Write a piece as it is performed; see `Generation.save`."""
    from textmusic.drawing.sheet_music import require

    unknown = [f for f in formats if f not in FORMATS]
    if unknown:
        raise TextMusicError(f"'{unknown[0]}' is not a format; choose from {', '.join(FORMATS)}.")
    for name in formats:
        for library in NEEDED.get(name, ()):
            require(library)
    # the audio is rendered before anything is written: a bad soundfont leaves no half result
    kinds = [name for name in formats if name in AUDIO_FORMATS]
    rates = {name: sample_rate_of(f".{name}", sample_rate) for name in kinds}
    parts: dict[int, list[Stem]] = {}
    audio = {}
    for rate in sorted(set(rates.values())):
        if stems:
            audio[rate], parts[rate] = piece.stems(soundfont, rate, dry=dry)
        else:
            audio[rate] = piece.audio(soundfont, rate, dry=dry)
    paths = []
    for name in formats:
        path = folder / f"{stem}.{name}"
        with whole_file(path) as partial:
            if name in rates:
                _write_audio(piece, partial, audio[rates[name]], rates[name])
            else:
                _write(piece, name, partial)
        paths.append(path)
    for name in kinds if stems else ():
        for part, alone in named_apart(parts[rates[name]]):
            path = folder / f"{stem}.{part}.{name}"
            with whole_file(path) as partial:
                _write_audio(piece, partial, alone, rates[name], part)
            paths.append(path)
    return paths


def _write_audio(piece: Generation, path: Path, audio: Any, rate: int, part: str = "") -> None:
    from textmusic.sound.audio_files import write_audio

    title = piece.title
    tags = {
        "title": f"{title} ({part})" if part else title,
        "artist": f"textmusic {__version__}",
        "comment": f"prompt: {piece.prompt.text}; seed: {piece.seed}; model: {piece.model}",
        "genre": piece.plan.genre or "",
    }
    write_audio(
        audio, path, rate, loop=piece.report.loop, tags={k: v for k, v in tags.items() if v}
    )


def _write(piece: Generation, name: str, path: Path) -> None:
    from textmusic.drawing import engraved_pages
    from textmusic.drawing.shapes import save_png, to_svg

    if name == "mid":
        path.write_bytes(piece.midi())  # symusic's own writing does not notice a full disk
    elif name == "json":
        text = json.dumps(piece.report.to_dict(), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
    elif name == "svg":
        path.write_text(to_svg(piece.piano_roll()), encoding="utf-8")
    elif name == "png":
        save_png(piece.piano_roll(), path)
    elif name == "musicxml":
        path.write_text(piece.musicxml(), encoding="utf-8")
    elif name == "lead.musicxml":
        path.write_text(piece.lead_sheet(), encoding="utf-8")
    elif name == "sheet.svg":
        path.write_text(engraved_pages.one_svg(piece.pages()), encoding="utf-8")
    else:
        path.write_bytes(engraved_pages.pdf(piece.pages()))


def named_apart(stems: Sequence[Stem]) -> list[tuple[str, Any]]:
    """The parts' audio with names for files: "piano", and "piano-2" for a second one."""
    found: dict[str, int] = {}
    result = []
    for stem in stems:
        name = slug_of(stem.name)
        found[name] = found.get(name, 0) + 1
        result.append((name if found[name] == 1 else f"{name}-{found[name]}", stem.audio))
    return result
