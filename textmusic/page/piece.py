"""A piece that the page keeps: a folder with its MIDI file, its report, and what is said of it.

Every other format is made when it is asked for: a visit of twenty pieces takes a few megabytes.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from textmusic.errors import TextMusicError
from textmusic.language.prompt import Prompt
from textmusic.music.markers import markers_of
from textmusic.music.midi_events import parse
from textmusic.music.midi_playing import as_written
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import notes_of
from textmusic.music.tempo_map import TempoMap
from textmusic.result.formats import AUDIO_FORMATS, FORMATS
from textmusic.result.generation import Generation
from textmusic.result.report import Report
from textmusic.result.titles import slug_of
from textmusic.system.whole_files import write_text

KEPT = ("mid", "json")  # formats that are written at once
ABOUT = "about.txt"  # not one of the formats, which are a piece's own files
LONGEST_TITLE = 120  # characters
LONGEST_HEARD = 3_600.0  # seconds of sound, of all parts together, in memory at a time: 1.3 GB
_MAKING = Lock()  # one rendering at a time: each takes a core


@dataclass(frozen=True)
class Piece:
    """A kept piece.

    folder: its name is the secret by which the piece is found. made: when, in seconds since 1970.
    parent: the secret of the piece that it was made of. group: shared by pieces that were written
    together. settings: what the page's boxes said. stopped: before it was finished.
    """

    folder: Path
    title: str
    made: float
    stem: str
    parent: str | None = None
    group: str | None = None
    favourite: bool = False
    stopped: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """The secret by which it is found."""
        return self.folder.name

    @property
    def midi(self) -> Path:
        """Its MIDI file."""
        return self.folder / f"{self.stem}.mid"

    @cached_property
    def report(self) -> Report:
        """Its report."""
        return Report.from_dict(json.loads((self.folder / f"{self.stem}.json").read_text("utf-8")))

    @cached_property
    def generation(self) -> Generation:
        """The piece as it was written, for further formats of it."""
        report, midi = self.report, as_written(parse(self.midi.read_bytes()))
        score = to_score(midi)
        prompt = Prompt(
            self.title, report.asked, report.seconds, report.caption, (), outline=report.outline
        )
        sketch, _ = markers_of(score, report.planned)
        changed = report.change is not None or report.new_bars is not None
        return Generation(
            prompt, report.planned, score, report.seed, report, report.model, 0, 0.0,
            notes_of(score), sketch, midi if changed and midi.playing else None,
        )  # fmt: skip

    def file(self, kind: str) -> Path:
        """The piece in a format, made now if it is not there. Raises what `Generation.save` does.

        kind: one of `FORMATS`. Those with sound are of half an hour at most.
        """
        if kind not in FORMATS:
            raise TextMusicError(
                f"'{kind[:20]}' is not a format; choose from {', '.join(FORMATS)}."
            )
        path = self.folder / f"{self.stem}.{kind}"
        if not path.exists():
            with _MAKING:
                if not path.exists():
                    if kind in AUDIO_FORMATS:
                        self.check_length()
                    self.generation.save(
                        self.folder, formats=(kind,), stem=self.stem,
                        performance=self.report.performance,
                    )  # fmt: skip
        return path

    def check_length(self, parts: int = 2) -> None:
        """Raise TextMusicError where so many parts are too long to be rendered side by side.

        The whole piece counts as two: the mix, and what its loudness is set by.
        """
        made = self.generation
        end = float(made.columns.end.max(initial=0.0))
        seconds = TempoMap.of_score(made.played).seconds(end)
        if seconds * max(parts, 2) > LONGEST_HEARD:
            raise TextMusicError(
                f"the piece lasts {seconds / 60:.0f} minutes, too long for the page to play;"
                " download its MIDI file."
            )

    def changed(self, **said: Any) -> Piece:
        """The same piece with another title, or as a favourite; kept so."""
        piece = replace(self, **said)
        piece.write()
        return piece

    def write(self) -> None:
        """Keep what is said of the piece."""
        about = asdict(self)
        del about["folder"]
        write_text(self.folder / ABOUT, json.dumps(about, ensure_ascii=False))


def keep(generation: Generation, title: str, root: Path, **said: Any) -> Piece:
    """Keep a piece in a new folder whose name can't be guessed. said: further fields of `Piece`."""
    folder = root / secrets.token_urlsafe(16)
    stem = f"{slug_of(title)}-{generation.seed}"
    if generation.events is not None:  # of a file that was performed, the change is, too
        generation = generation.performed()
    piece = Piece(folder, title[:LONGEST_TITLE], time.time(), stem, **said)
    try:
        generation.save(folder, formats=KEPT, stem=stem, performance=generation.report.performance)
        piece.write()
    except BaseException:  # half a piece would be found and deleted by nobody
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return piece


def kept(folder: Path) -> Piece | None:
    """The piece in a folder; None where there is none (any more)."""
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
        piece = Piece(folder=folder, **about)
        return piece if piece.midi.is_file() else None
    except (OSError, ValueError, TypeError):
        return None
