"""Small changes to a piece that need no model: transpose, tempo, snap to a key, other instruments.

They are made to the events of its MIDI file, so that all else in it stays as it is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from textmusic.errors import TextMusicError
from textmusic.language.controls import parse_instrument
from textmusic.language.prompt import Prompt
from textmusic.music.measure import estimate_key, measure
from textmusic.music.midi_changes import (
    transpose,
    with_keys,
    with_pitches,
    with_programs,
    with_tempo,
    without_chords,
)
from textmusic.music.midi_events import MidiEvents, mended_words
from textmusic.music.midi_parts import parts_by_program
from textmusic.music.midi_sounding import Channel, to_score
from textmusic.music.notes import Notes, notes_of
from textmusic.music.plan import TEMPO_RANGE, Plan
from textmusic.music.theory import (
    DRUMS,
    NO_KEY,
    degrees_of,
    is_minor,
    tonic,
    transposed,
)
from textmusic.result.account import account
from textmusic.result.change import Change, without_recipe
from textmusic.result.generation import Generation, named
from textmusic.system.values import within
from textmusic.writing.players import listed, out_of_range, players_for
from textmusic.writing.sources import events_of

if TYPE_CHECKING:
    from symusic import Score

MOST_SEMITONES = 24
HOW = "adjust"  # what a recipe calls it


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What is changed, in this order. Drums keep their sounds whatever happens to the others.

    semitones: up, -24 to 24. to_key: transposes, the short way, until the piece's tonic is this
    key's; it stays major or minor. key: to whose scale all notes are moved, each to the nearest
    tone; the piece is transposed first where it would not be in that key otherwise. tempo: quarter
    notes a minute where the first note is struck; all others keep their ratio to it. programs:
    General MIDI programs for the parts, in order; the last one plays all that are left. parts:
    (number from 1 or name of a part, program) of single ones. A part is what a track plays on a
    channel with one program; drums are none.
    """

    semitones: int = 0
    key: str | None = None
    tempo: float | None = None
    programs: tuple[int, ...] | None = None
    parts: tuple[tuple[str, int], ...] = ()
    to_key: str | None = None


def read_instruments(said: Sequence[str | int]) -> Adjustment:
    """Instruments as they are typed: "flute", "2=flute", "guitar=cello" -> what they change.

    "1=flute, 2=oboe" are two.
    """
    programs: list[int] = []
    parts: list[tuple[str, int]] = []
    for one in chain.from_iterable(_apart(str(each)) for each in said):
        part, equals, name = one.rpartition("=")
        players = parse_instrument(name)
        if DRUMS in players:
            raise TextMusicError("drums can't play a melody; name another instrument.")
        if not equals:
            programs += players
        elif len(players) == 1 and part.strip():
            parts.append((part.strip(), players[0]))
        else:
            raise TextMusicError(
                f"'{one}' does not name one part and one instrument; write for example 2=flute, and"
                " the same for each further part."
            )
    return Adjustment(programs=tuple(programs) or None, parts=tuple(parts))


def _apart(said: str) -> list[str]:
    """The parts and instruments in one text; a comma may also be in a part's name."""
    pieces = re.split("[,;，；、]", said)
    several = len(pieces) > 1 and all(re.search(r"\S\s*=\s*\S", piece) for piece in pieces)
    return [piece.strip() for piece in pieces] if several else [said]


def adjust(source: MidiEvents | Score, adjustment: Adjustment) -> Generation:
    """A changed copy of a piece, with its report; raises TextMusicError for what can't be done.

    source: what `midi_files.read_events` gives, or a symusic.Score.
    """
    midi = events_of(source)
    parts = [part for part in parts_by_program(midi) if not part.drums]
    if adjustment == Adjustment():
        raise TextMusicError(
            f"there is nothing to change in {listed(parts) or 'the piece'}; transpose, snap, or"
            " give another tempo or instrument."
        )
    within("transpose", adjustment.semitones, -MOST_SEMITONES, MOST_SEMITONES)
    change = Change.of(HOW, source, adjustment)
    notes = notes_of(to_score(midi))
    remarks = list(mended_words(midi.mended))
    before = key = estimate_key(notes)
    midi = bare = without_recipe(midi)
    semitones = adjustment.semitones
    if adjustment.to_key is not None:
        semitones = _semitones_to(before, adjustment, remarks)
    if adjustment.key is not None:
        shift, steps = _snapping(_moved(notes, semitones), adjustment.key)
        if shift:
            remarks.append(f"transposed by {shift:+d} first, so that it is in {adjustment.key}")
        midi = transpose(midi, semitones + shift, adjustment.key)
        pitches = {pitch: _into_range(pitch + steps[pitch % 12]) for pitch in range(128)}
        midi = without_chords(with_pitches(midi, pitches))
        key = adjustment.key
        midi = with_keys(midi, lambda _: adjustment.key or "")
    elif semitones:
        key = transposed(before, semitones)
        midi = transpose(midi, semitones, key)
    if adjustment.tempo is not None:
        within("tempo", adjustment.tempo, *TEMPO_RANGE)
        midi = with_tempo(midi, adjustment.tempo)
    players = players_for(parts, adjustment.programs, adjustment.parts)
    remarks += out_of_range(midi, players)
    programs: dict[tuple[int, Channel], dict[int, int]] = defaultdict(dict)
    for part, program in players:
        programs[part.track, part.channel][part.program] = program
    midi = with_programs(midi, programs)
    if midi.tracks == bare.tracks:
        remarks.append("this changes nothing: the piece is like that already")
    return _account(midi, adjustment, key, change, remarks)


def _account(
    midi: MidiEvents, adjustment: Adjustment, key: str, change: Change | None, remarks: list[str]
) -> Generation:
    score = named(to_score(midi))
    plan = measure(score)
    new_players = {*(adjustment.programs or ()), *(program for _, program in adjustment.parts)}
    asked = Plan(
        key=adjustment.to_key or (key if adjustment.semitones or adjustment.key else None),
        tempo=adjustment.tempo,
        programs=tuple(sorted(new_players)) or None,
    )
    prompt = Prompt("", asked, None, "", ())
    planned = replace(plan, key=key, begin=True, end=True)
    return account(
        prompt, planned, score, 0, "adjusted", ids=0, nats=0.0, measured=plan, events=midi,
        change=change, remarks=tuple(remarks),
    )  # fmt: skip


# Pitches ------------------------------------------------------------------------------------------


def _semitones_to(before: str, adjustment: Adjustment, remarks: list[str]) -> int:
    """By how much the piece is transposed, the short way, to a key's tonic."""
    wanted = adjustment.to_key or NO_KEY
    if adjustment.semitones:
        raise TextMusicError("transposing by semitones and to a key exclude each other; give one.")
    if adjustment.key is not None:
        raise TextMusicError("transposing to a key and snapping exclude each other; give one.")
    if NO_KEY in (wanted, before):
        raise TextMusicError("transposing to a key needs keys; choose a number of semitones.")
    semitones = (tonic(wanted) - tonic(before) + 5) % 12 - 5
    if is_minor(wanted) != is_minor(before):
        if not semitones:
            raise TextMusicError(
                f"the piece is in {before}, and transposing never makes {wanted} of that; snap it"
                f' with --snap "{wanted}".'
            )
        became = transposed(before, semitones)
        remarks.append(
            f"the piece is in {before}, and transposing makes {became} of it, not {wanted}; snap it"
            " for that"
        )
    return semitones


def _moved(notes: Notes, semitones: int) -> Notes:
    return replace(
        notes, pitch=np.where(notes.program == DRUMS, notes.pitch, notes.pitch + semitones)
    )


def _snapping(notes: Notes, key: str) -> tuple[int, tuple[int, ...]]:
    """Semitones to transpose by first, and how far each pitch class is moved then.

    The smallest transposition after which the notes, moved, are heard in the key.
    """
    if key == NO_KEY:
        raise TextMusicError('snapping needs a key; give one, for example "D minor".')
    steps = _steps(key)
    heard = estimate_key(notes)
    if heard == NO_KEY:
        return 0, steps
    home = (tonic(key) - tonic(heard) + 5) % 12 - 5
    third = _changing_mode(heard, key)
    for shift, moves in ((0, steps), (home, third), (home, steps)):
        moved = _moved(notes, shift)
        pitch = moved.pitch + np.array(moves)[moved.pitch % 12]
        snapped = replace(moved, pitch=np.where(notes.program == DRUMS, notes.pitch, pitch))
        if estimate_key(snapped) == key:
            return shift, moves
    return home, third


def _steps(key: str) -> tuple[int, ...]:
    """How far each pitch class is from the nearest tone of a scale, down if two are as near."""
    scale = {(tonic(key) + degree) % 12 for degree in degrees_of(key)}
    return tuple(
        next(step for step in (0, -1, 1) if (pitch_class + step) % 12 in scale)
        for pitch_class in range(12)
    )


def _changing_mode(heard: str, key: str) -> tuple[int, ...]:
    """As `_steps`, but the third, sixth and seventh of the other mode stay what they are."""
    steps, home = list(_steps(key)), tonic(key)
    if is_minor(heard) and not is_minor(key):
        for degree in (3, 8, 10):
            steps[(home + degree) % 12] = 1
    elif is_minor(key) and not is_minor(heard):
        for degree in (4, 9):
            steps[(home + degree) % 12] = -1
    return tuple(steps)


def _into_range(pitch: int) -> int:
    return pitch + 12 if pitch < 0 else pitch - 12 if pitch > 127 else pitch
