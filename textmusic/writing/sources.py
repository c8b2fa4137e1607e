"""The piece that is to be changed: a score, or a MIDI file of anybody's."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.music.midi_events import MidiEvents, parse
from textmusic.music.midi_files import read_events, read_score
from textmusic.system.values import quoted


def as_score(source: Score | str | PathLike[str]) -> Score:
    """A score as it is, or the one in a MIDI file, which is read as `read_score` does.

    Raises TextMusicError for files that are not sane, and for values that are neither.
    """
    if isinstance(source, str | PathLike):
        return read_score(Path(source))
    return _checked(source)


def events_of(source: MidiEvents | Score | str | PathLike[str]) -> MidiEvents:
    """The events of a piece: as they are, of a file, or of a symusic.Score in ticks.

    Raises TextMusicError as `as_score` does.
    """
    if isinstance(source, MidiEvents):
        return source
    if isinstance(source, str | PathLike):
        return read_events(Path(source))
    return parse(bytes(_checked(source).dumps_midi()))


def _checked(source: object) -> Score:
    if not isinstance(source, Score):
        raise TextMusicError(f"{quoted(source)} is no music; give a MIDI file or a symusic.Score.")
    return source
