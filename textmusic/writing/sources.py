"""The piece that is to be changed: a score, or a MIDI file of anybody's."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.music.midi_files import read_score
from textmusic.system.values import quoted


def as_score(source: Score | str | PathLike[str]) -> Score:
    """A score as it is, or the one in a MIDI file, which is read as `read_score` does.

    Raises TextMusicError for files that are not sane, and for values that are neither.
    """
    if isinstance(source, str | PathLike):
        return read_score(Path(source))
    if not isinstance(source, Score):
        raise TextMusicError(f"{quoted(source)} is no music; give a MIDI file or a symusic.Score.")
    return source
