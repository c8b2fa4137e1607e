"""Small changes to a piece that need no model: transpose, tempo, snap to a key, other instruments.

They are made to the events of its MIDI file, so that all else in it stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from textmusic.errors import TextMusicError
from textmusic.language.controls import parse_instrument
from textmusic.language.names import instrument_name
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
from textmusic.music.midi_parts import Part, parts_of
from textmusic.music.midi_sounding import placed, to_score
from textmusic.music.notes import Notes, notes_of
from textmusic.music.plan import TEMPO_RANGE, Plan
from textmusic.music.theory import (
    DRUMS,
    NO_KEY,
    degrees_of,
    is_minor,
    range_of,
    tonic,
    transposed,
)
from textmusic.result.change import Change, without_recipe
from textmusic.result.generation import Generation, account, named
from textmusic.system.values import within
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
    (number from 1 or name of a part, program) of single ones. Parts are what a track plays on a
    channel; drums are none.
    """

    semitones: int = 0
    key: str | None = None
    tempo: float | None = None
    programs: tuple[int, ...] | None = None
    parts: tuple[tuple[str, int], ...] = ()
    to_key: str | None = None


def read_instruments(said: Sequence[str | int]) -> Adjustment:
    """Instruments as they are typed: "flute", "2=flute", "guitar=cello" -> what they change."""
    programs: list[int] = []
    parts: list[tuple[str, int]] = []
    for one in map(str, said):
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
                f"'{one}' does not name one part and one instrument; write for example 2=flute."
            )
    return Adjustment(programs=tuple(programs) or None, parts=tuple(parts))


def adjust(source: MidiEvents | Score, adjustment: Adjustment) -> Generation:
    """A changed copy of a piece, with its report; raises TextMusicError for what can't be done.

    source: what `midi_files.read_events` gives, or a symusic.Score.
    """
    midi = events_of(source)
    parts = [part for part in parts_of(midi) if not part.drums]
    if adjustment == Adjustment():
        raise TextMusicError(
            f"there is nothing to change in {_listed(parts) or 'the piece'}; transpose, snap, or"
            " give another tempo or instrument."
        )
    within("transpose", adjustment.semitones, -MOST_SEMITONES, MOST_SEMITONES)
    change = Change.of(HOW, source, adjustment)
    notes = notes_of(to_score(midi))
    remarks = list(mended_words(midi.mended))
    before = key = estimate_key(notes)
    midi = without_recipe(midi)
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
    players = _players(parts, adjustment)
    for part, program in players:
        remarks += _out_of_range(midi, part, program)
    midi = with_programs(midi, {(part.track, part.channel): program for part, program in players})
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


# Parts --------------------------------------------------------------------------------------------


def _players(parts: Sequence[Part], adjustment: Adjustment) -> list[tuple[Part, int]]:
    """Which parts are played by what; raises TextMusicError for parts that there are not."""
    chosen: dict[int, int] = {}
    if adjustment.programs:
        if DRUMS in adjustment.programs:
            raise TextMusicError("drums can't play a melody; name another instrument.")
        if len(adjustment.programs) > len(parts):
            raise TextMusicError(
                f"{len(adjustment.programs)} instruments are more than the piece has parts"
                f" ({_listed(parts) or 'none but drums'}); name at most {len(parts)}."
            )
        for number in range(len(parts)):
            chosen[number] = adjustment.programs[min(number, len(adjustment.programs) - 1)]
    for name, program in adjustment.parts:
        for number in _numbers(parts, name):
            chosen[number] = program
    return [(parts[number], program) for number, program in sorted(chosen.items())]


def _numbers(parts: Sequence[Part], said: str) -> list[int]:
    """The parts (from 0) that a number or a name means: a track's name, or an instrument's."""
    if said.isdecimal() and 1 <= int(said) <= len(parts):
        return [int(said) - 1]
    wanted = said.casefold()
    named = [n for n, part in enumerate(parts) if part.name.casefold() == wanted]
    if not named and not said.isdecimal():
        played = {instrument_name(part.program).casefold() for part in parts}
        programs: tuple[int, ...] = ()
        if wanted not in played:
            try:
                programs = parse_instrument(said)
            except TextMusicError:
                programs = ()
        named = [
            n
            for n, part in enumerate(parts)
            if instrument_name(part.program).casefold() == wanted or part.program in programs
        ]
        named = named or [n for n, part in enumerate(parts) if _family(part, wanted)]
    if not named:
        raise TextMusicError(
            f"the piece has no part '{said}', but {_listed(parts) or 'only drums'}; give a number"
            " or a name."
        )
    return named


def _family(part: Part, wanted: str) -> bool:
    """Whether a name is a word of a part's: "guitar" of "Acoustic guitar (nylon)"."""
    words = f"{part.name} {instrument_name(part.program)}".casefold()
    return wanted in words.replace("(", " ").replace(")", " ").split()


def _listed(parts: Sequence[Part]) -> str:
    """The parts with their numbers: "1 Violin I (violin), 2 Viola (viola)"."""
    return ", ".join(
        f"{number} {part.name} ({instrument_name(part.program)})"
        if part.name and part.name.casefold() != instrument_name(part.program).casefold()
        else f"{number} {instrument_name(part.program)}"
        for number, part in enumerate(parts, 1)
    )


def _out_of_range(midi: MidiEvents, part: Part, program: int) -> list[str]:
    """A remark where a part has notes that its new instrument is not written for."""
    low, high = range_of(program)
    pitches = [
        one.event.message[1]
        for one in placed(midi.tracks[part.track])
        if one.channel == part.channel and one.event.starts_note
    ]
    outside = sum(not low <= pitch <= high for pitch in pitches)
    if not outside:
        return []
    what = "note is" if outside == 1 else "notes are"
    return [f"{outside:,} {what} outside the range of the {instrument_name(program)}"]
