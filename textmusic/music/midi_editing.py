"""Single notes of a MIDI file moved, lengthened, added and deleted; all else in it stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from textmusic.errors import TextMusicError
from textmusic.music.midi_appending import new_part, struck_events
from textmusic.music.midi_events import MidiEvents
from textmusic.music.midi_replacing import Edits, Held, held_notes
from textmusic.music.midi_sounding import Channel
from textmusic.music.notes import GRID, Note


class Place(NamedTuple):
    """Which note: its program (128: drums), when it is struck in quarter notes, and its pitch."""

    program: int
    start: float
    pitch: int


class NoteEdit(NamedTuple):
    """One change. old: None for a note that is added. new: None for one that is deleted."""

    old: Place | None
    new: Note | None


def edit_notes(midi: MidiEvents, edits: Sequence[NoteEdit], names: Mapping[int, str]) -> MidiEvents:
    """The piece with some notes changed, one after the other as they were made.

    A note that is moved stays with its part; an added one goes to the first part of its instrument,
    or to a track of its own. names: of programs, for new tracks.

    Raises TextMusicError for a note that is not there, and where no channel is left.
    """
    made = midi
    for edit in edits:
        made = _edited(made, edit, names)
    return made


def _edited(midi: MidiEvents, edit: NoteEdit, names: Mapping[int, str]) -> MidiEvents:
    made, work, held = midi.copy(), Edits(), held_notes(midi)
    part: tuple[int, Channel] | None = None
    if edit.old is not None:
        found = _find(held, edit.old, midi.division)
        work.drop(found.track, found.at)
        if found.off is not None:
            work.drop(found.track, found.off)
        part = found.track, found.channel
    if edit.new is None:
        work.apply(made)
        return made
    program = edit.new.program
    if part is None:
        part = next(((one.track, one.channel) for one in held if one.program == program), None)
    if part is None:
        track, channel = new_part(made, 0, program, names[program])
        track.put(struck_events([edit.new], channel[1], 0, midi.division))
        return made
    for event in struck_events([edit.new], part[1][1], 0, midi.division):
        (work.before if event.ends_note else work.behind)(part[0], event)
    work.apply(made)
    return made


def _find(held: Sequence[Held], old: Place, division: int) -> Held:
    """The note that is meant: the nearest one of its pitch, at most half a step of the grid off."""
    near = [one for one in held if one.program == old.program and one.pitch == old.pitch]
    tick = old.start * division
    best = min(near, key=lambda one: abs(one.start - tick), default=None)
    if best is None or abs(best.start - tick) > division / GRID / 2:
        raise TextMusicError(
            "the note is not there any more; reload the page, then change it again."
        )
    return best
