"""What a person gives to be changed or continued -> the events of it."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from textmusic.errors import TextMusicError
from textmusic.music.midi_events import MidiEvents, parse
from textmusic.music.midi_files import read_events

if TYPE_CHECKING:
    from symusic import Score


def events_of(source: MidiEvents | Score | str | PathLike[str]) -> MidiEvents:
    """The events of a piece: as they are, of a file, or of a symusic.Score in ticks."""
    if isinstance(source, MidiEvents):
        return source
    if isinstance(source, str | PathLike):
        return read_events(Path(source))
    if not hasattr(source, "dumps_midi"):
        raise TextMusicError(
            f"a {type(source).__name__} is no piece; give a symusic.Score or the path of a MIDI"
            " file."
        )
    return parse(bytes(source.dumps_midi()))
