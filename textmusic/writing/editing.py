"""A piece with notes that a person has changed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from textmusic.errors import TextMusicError
from textmusic.language.names import instrument_name
from textmusic.language.prompt import Prompt
from textmusic.music.measure import measure
from textmusic.music.midi_editing import NoteEdit, Place, edit_notes
from textmusic.music.midi_events import MidiEvents
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import Note
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS
from textmusic.result.account import account
from textmusic.result.change import Change, without_recipe
from textmusic.result.generation import Generation, named
from textmusic.result.report import ADJUSTED
from textmusic.system.values import real, whole

HOW = "edit"  # what a recipe calls it
MOST_EDITS = 500  # at a time
LONGEST = 100_000.0  # quarter notes


def edit(source: MidiEvents, edits: Sequence[NoteEdit]) -> Generation:
    """A changed copy of a piece, with its report; raises what `midi_editing.edit_notes` does."""
    names = {program: _name(program) for program in range(DRUMS + 1)}
    midi = edit_notes(without_recipe(source), edits, names)
    score = named(to_score(midi))
    plan = measure(score)
    options = {"edits": [[one.old and list(one.old), one.new and _row(one.new)] for one in edits]}
    return account(
        Prompt("", Plan(), None, "", ()), replace(plan, begin=True, end=True), score, 0, ADJUSTED,
        ids=0, nats=0.0, measured=plan, events=midi, change=Change.of(HOW, source, options),
    )  # fmt: skip


def read_edits(said: object) -> list[NoteEdit]:
    """Edits as a program or a recipe has them; raises TextMusicError for what is none.

    said: a list of {old: [program, start, pitch] or null, note: [program, start, length, pitch,
    velocity] or null}, or of such pairs; times in quarter notes.
    """
    if not isinstance(said, list) or not 0 < len(said) <= MOST_EDITS:
        raise TextMusicError(f"edits are a list of 1 to {MOST_EDITS}; send fewer at a time.")
    return [_read(one) for one in said]


def _read(said: Any) -> NoteEdit:
    try:
        old, new = (said.get("old"), said.get("note")) if isinstance(said, Mapping) else said
        place = None
        if old is not None:
            program, start, pitch = old
            place = Place(
                whole("instrument", program, 0, DRUMS), real("start", start, 0.0, LONGEST),
                whole("pitch", pitch, 0, 127),
            )  # fmt: skip
        note = None
        if new is not None:
            program, start, length, pitch, velocity = new
            note = Note(
                real("start", start, 0.0, LONGEST), real("length", length, 0.01, LONGEST),
                whole("pitch", pitch, 0, 127), whole("velocity", velocity, 1, 127),
                whole("instrument", program, 0, DRUMS),
            )  # fmt: skip
    except (TypeError, ValueError):
        raise TextMusicError("an edit is an old note and a new one; reload the page.") from None
    if place is None and note is None:
        raise TextMusicError("an edit is an old note and a new one; reload the page.")
    return NoteEdit(place, note)


def _row(note: Note) -> list[float]:
    return [note.program, note.start, note.duration, note.pitch, note.velocity]


def _name(program: int) -> str:
    return "Drums" if program == DRUMS else instrument_name(program).capitalize()
