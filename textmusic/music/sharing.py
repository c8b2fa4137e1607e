"""Who plays what, where several parts play one instrument: two violins, a pianist's two hands.

The notes of an instrument come without a part. Notes struck together go to the parts from the
highest down; a note that is alone goes to the part whose register it lies in and whose line it
goes on. Drums go to whoever has played that sound before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import fmean

from textmusic.music.notes import Note

_LINE = 0.05  # of its strikes are of several notes, at most: a part that plays one at a time
_DOUBLED = 24.0  # semitones that a second note at once is away from a part that plays one at a time
_BUSY = 12.0  # the same for a note that begins while another one of the part sounds


@dataclass
class Voice:
    """A part, as it has played so far. struck: (when, pitch) of its notes, in order of time."""

    struck: Sequence[tuple[float, int]]
    register: float = 0.0  # mean pitch
    last: float = 0.0  # pitch of its latest note
    until: float = 0.0  # when its latest note ends
    line: bool = True  # whether it plays one note at a time
    sounds: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        pitches = [pitch for _, pitch in self.struck]
        self.sounds.update(pitches)
        self.register = fmean(pitches) if pitches else 60.0
        self.last = self.register
        strikes = Counter(at for at, _ in self.struck)
        thick = sum(count > 1 for count in strikes.values())
        self.line = thick <= _LINE * max(len(strikes), 1)


def shared(
    notes: Sequence[Note], voices: Sequence[Voice], *, drums: bool = False
) -> list[list[Note]]:
    """The notes of each voice, in the order of `voices`; those of one voice are all its own."""
    parts: list[list[Note]] = [[] for _ in voices]
    if len(voices) == 1:
        return [list(notes)]
    if drums:
        for note in notes:
            counts = [voice.sounds[note.pitch] for voice in voices]
            parts[counts.index(max(counts))].append(note)
        return parts
    order = sorted(range(len(voices)), key=lambda n: -voices[n].register)
    high_first = [voices[n] for n in order]
    in_time = sorted(notes, key=lambda note: (note.start, -note.pitch))
    for _, together in groupby(in_time, key=lambda note: note.start):
        chord = list(together)
        for note, place in zip(chord, _places(chord, high_first), strict=True):
            voice = high_first[place]
            voice.last, voice.until = note.pitch, note.start + note.duration
            parts[order[place]].append(note)
    return parts


def _places(chord: Sequence[Note], voices: Sequence[Voice]) -> list[int]:
    """A voice for each note of a chord, both from the highest down: the nearest ones together."""
    best: dict[tuple[int, int], tuple[float, list[int]]] = {(-1, 0): (0.0, [])}
    for note in chord:  # best: by the voice of the latest note, and how many notes it has
        found: dict[tuple[int, int], list[tuple[float, list[int]]]] = defaultdict(list)
        for (place, count), (cost, places) in best.items():
            for after in range(max(place, 0), len(voices)):
                many = count + 1 if after == place else 1
                away = cost + _away(note, voices[after], many)
                found[after, many].append((away, [*places, after]))
        best = {state: min(ways) for state, ways in found.items()}
    return min(best.values())[1]


def _away(note: Note, voice: Voice, many: int) -> float:
    """How far a note is from what a voice would play, in semitones; many: of its notes at once."""
    away = (abs(note.pitch - voice.register) + abs(note.pitch - voice.last)) / 2
    if many > 1:
        return away + (_DOUBLED if voice.line else 0.0)
    return away + (_BUSY if voice.line and voice.until > note.start + 1e-6 else 0.0)
