"""The piece that is to be changed: a score, or a MIDI file or recording of anybody's."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.music.midi_events import MidiEvents, parse
from textmusic.music.midi_files import read_events, read_score
from textmusic.music.midi_sounding import to_score
from textmusic.system.values import quoted
from textmusic.transcription.recordings import is_recording
from textmusic.writing.hearing import events_heard


def read_piece(path: Path) -> MidiEvents:
    """The events of a person's file: of a MIDI file, or of what is heard in a recording.

    Raises TextMusicError, in a sentence, where it can't be read.
    """
    return events_heard(path) if is_recording(path) else read_events(path)


def as_score(source: Score | str | PathLike[str]) -> Score:
    """A score as it is, or the one in a MIDI file or recording.

    Raises TextMusicError for files that are not sane, and for values that are neither.
    """
    if isinstance(source, str | PathLike):
        path = Path(source)
        return to_score(events_heard(path)) if is_recording(path) else read_score(path)
    return _checked(source)


def events_of(source: MidiEvents | Score | str | PathLike[str]) -> MidiEvents:
    """The events of a piece: as they are, of a file, or of a symusic.Score in ticks.

    Raises TextMusicError as `as_score` does.
    """
    if isinstance(source, MidiEvents):
        return source
    if isinstance(source, str | PathLike):
        return read_piece(Path(source))
    return parse(bytes(_checked(source).dumps_midi()))


def _checked(source: object) -> Score:
    if not isinstance(source, Score):
        raise TextMusicError(f"{quoted(source)} is not music; give a MIDI file or a symusic.Score.")
    return source
