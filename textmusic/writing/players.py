"""The parts of a file as people name them, and what is to play them."""

from __future__ import annotations

from collections.abc import Sequence

from textmusic.errors import TextMusicError
from textmusic.language.controls import parse_instrument
from textmusic.language.names import instrument_name
from textmusic.music.midi_events import MidiEvents
from textmusic.music.midi_parts import Part, parts_by_program
from textmusic.music.midi_sounding import Channel
from textmusic.music.theory import DRUMS, key_name, range_of


def players_for(
    parts: Sequence[Part], programs: Sequence[int] | None, single: Sequence[tuple[str, int]]
) -> list[tuple[Part, int]]:
    """Which parts are played by what; raises TextMusicError for parts that there are not.

    programs: for the parts in order, the last one for all that are left. single: (number from 1 or
    name, program) of parts.
    """
    chosen: dict[int, int] = {}
    if programs:
        if DRUMS in programs:
            raise TextMusicError("drums can't play a melody; name another instrument.")
        if len(programs) > len(parts):
            raise TextMusicError(
                f"{len(programs)} instruments are more than the piece has parts"
                f" ({listed(parts) or 'none but drums'}); name at most {len(parts)}."
            )
        for number in range(len(parts)):
            chosen[number] = programs[min(number, len(programs) - 1)]
    for name, program in single:
        for number in _numbers(parts, name):
            chosen[number] = program
    return [(parts[number], program) for number, program in sorted(chosen.items())]


def _numbers(parts: Sequence[Part], said: str) -> list[int]:
    """The parts (from 0) that a number or a name means: a track's name, or an instrument's."""
    if said.isdecimal() and len(said) < 10 and 1 <= int(said) <= len(parts):
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
            f"the piece has no part '{said}', but {listed(parts) or 'only drums'}; give a number"
            " or a name."
        )
    return named


def _family(part: Part, wanted: str) -> bool:
    """Whether a name is a word of a part's: "guitar" of "Acoustic guitar (nylon)"."""
    words = f"{part.name} {instrument_name(part.program)}".casefold()
    return wanted in words.replace("(", " ").replace(")", " ").split()


def listed(parts: Sequence[Part]) -> str:
    """The parts with their numbers: "1 Violin I (violin), 2 Viola (viola)"."""
    return ", ".join(
        f"{number} {part.name} ({instrument_name(part.program)})"
        if part.name and part.name.casefold() != instrument_name(part.program).casefold()
        else f"{number} {instrument_name(part.program)}"
        for number, part in enumerate(parts, 1)
    )


def out_of_range(midi: MidiEvents, players: Sequence[tuple[Part, int]]) -> list[str]:
    """A remark for each part with notes that its new instrument is not written for.

    midi: as it is before its programs are changed. players: what `players_for` gives.
    """
    pitches = {_key(part): part.pitches for part in parts_by_program(midi)}
    remarks = []
    for part, program in players:
        low, high = range_of(program)
        outside = sum(not low <= pitch <= high for pitch in pitches[_key(part)])
        if outside:
            what = "note is" if outside == 1 else "notes are"
            remarks.append(
                f"{outside:,} {what} outside the range of the {instrument_name(program)}"
            )
    return remarks


def _key(part: Part) -> tuple[int, Channel, int]:
    return part.track, part.channel, part.program


def table_of_parts(midi: MidiEvents) -> list[tuple[str, ...]]:
    """A row for each part: number, name, instrument, channel from 1, notes, and pitches.

    Drums come last, without a number: nothing else can play them.
    """
    parts = parts_by_program(midi)
    ports = {part.channel[0] for part in parts}
    rows: list[tuple[str, ...]] = []
    number = 0
    for part in sorted(parts, key=lambda part: part.drums):
        number += not part.drums
        port, channel = part.channel
        rows.append((
            "" if part.drums else str(number),
            part.name,
            "drums" if part.drums else instrument_name(part.program),
            f"{port}:{channel + 1}" if len(ports) > 1 else str(channel + 1),
            f"{len(part.pitches):,}",
            "" if part.drums else f"{_pitch(min(part.pitches))} to {_pitch(max(part.pitches))}",
        ))  # fmt: skip
    return rows


def _pitch(pitch: int) -> str:
    """Its name: 60 is C4."""
    return f"{key_name(pitch, minor=False).split()[0]}{pitch // 12 - 1}"
