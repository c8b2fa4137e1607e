"""A melody and its chords -> four voices: the voicings whose costs add up to least.

Alto, tenor and bass of every chord are chosen together, with Viterbi's algorithm over all that the
voices can sing. A voicing costs what the textbooks advise against (a missing third, a doubled
leading tone, a six-four chord), and so does each step from one to the next (parallels, leaps,
sevenths and leading tones that do not resolve). The rules: see `voice_leading`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from textmusic.music.chords import QUALITIES, Chord
from textmusic.music.notes import Floats
from textmusic.music.theory import NO_KEY, tonic
from textmusic.music.voice_leading import VOICE_RANGES, WIDEST, Pitches, is_dominant, is_tonic

# The parts of a range in which a voice sounds well; a semitone outside costs `_STRAINED`.
_EASY = ((62, 79), (57, 71), (52, 66), (43, 60))
_STRAINED = 0.7
_PARALLEL, _NO_THIRD, _NO_ROOT, _CROSSED = 200.0, 60.0, 80.0, 150.0
_NO_FIFTH, _NO_SEVENTH, _TWO_LEADING, _TWO_SEVENTHS, _TWO_THIRDS = 3.0, 12.0, 40.0, 25.0, 2.0
# Of the bass on root, third, fifth and seventh; the last chord stands on its root.
_BASS = (0.0, 3.0, 14.0, 8.0)
_NOT_ROOT_AT_END = 60.0
_HIDDEN, _OVERLAP, _UNRESOLVED, _TRITONE, _STILL = 8.0, 12.0, 18.0, 8.0, 3.0


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch in which alto, tenor and bass stand still.

    sung: the melody's pitches in it, in order. leading: the chord is a dominant (`is_dominant`).
    home: it is the tonic's triad. after_rest: the melody was silent before it. last: it is the
    last one.
    """

    sung: tuple[int, ...]
    chord: Chord
    leading: bool = False
    home: bool = False
    after_rest: bool = False
    last: bool = False


def slots_of(
    sung: Sequence[tuple[int, ...]], chords: Sequence[Chord], after_rest: Sequence[bool],
    key: str | None,
) -> list[Slot]:  # fmt: skip
    """Slots from the melody's pitches in each, its chords, and whether a rest comes before."""
    known = None if key == NO_KEY else key
    return [
        Slot(
            pitches, chord, known is not None and is_dominant(chord, tonic(known)),
            known is not None and is_tonic(chord, known), rest, at == len(chords) - 1,
        )
        for at, (pitches, chord, rest) in enumerate(zip(sung, chords, after_rest, strict=True))
    ]  # fmt: skip


def voiced(slots: Sequence[Slot], key: str | None) -> list[tuple[int, int, int]]:
    """Alto, tenor and bass of each slot, as MIDI pitches."""
    leading = None if key is None or key == NO_KEY else (tonic(key) + 11) % 12
    states = [_voicings(slot, leading) for slot in slots]
    costs = [_vertical(slot, state, leading) for slot, state in zip(slots, states, strict=True)]
    best, origins = costs[0], []
    for at in range(1, len(slots)):
        total = best[:, None] + _step(slots[at - 1], slots[at], states[at - 1], states[at], leading)
        origins.append(total.argmin(axis=0))
        best = total.min(axis=0) + costs[at]
    state = int(best.argmin())
    path = [state]
    for origin in reversed(origins):
        state = int(origin[state])
        path.append(state)
    return [
        tuple(int(p) for p in states[at][place])  # type: ignore[misc]
        for at, place in enumerate(reversed(path))
    ]


@lru_cache(maxsize=512)
def _all(tones: frozenset[int]) -> Pitches:
    """Every (alto, tenor, bass) of some pitch classes that does not cross, (states, 3)."""
    alto, tenor, bass = (
        np.array([p for p in range(low, high + 1) if p % 12 in tones])
        for low, high in VOICE_RANGES[1:]
    )
    made = np.stack(np.meshgrid(alto, tenor, bass, indexing="ij"), axis=-1).reshape(-1, 3)
    keep = (made[:, 0] >= made[:, 1]) & (made[:, 1] >= made[:, 2])
    return np.asarray(made[keep & (made[:, 0] - made[:, 1] <= WIDEST)])


def _voicings(slot: Slot, leading: int | None) -> Pitches:
    """The voicings of a slot that are worth a look, the best ones by themselves; (states, 3)."""
    made = _all(slot.chord.tones)
    under = made[(made[:, 0] <= slot.sung[0]) & (slot.sung[0] - made[:, 0] <= WIDEST)]
    made = under if len(under) else made
    order = np.argsort(_vertical(slot, made, leading), kind="stable")
    return np.asarray(made[order[:240]])


def _vertical(slot: Slot, made: Pitches, leading: int | None) -> Floats:
    """What voicings cost by themselves."""
    cost = np.zeros(len(made))
    steps = QUALITIES[slot.chord.quality][0]
    classes = made % 12
    heard = {pitch % 12 for pitch in slot.sung}
    for place, step in enumerate(steps):
        tone = (slot.chord.root + step) % 12
        count = (classes == tone).sum(axis=1) + (tone in heard)
        missing = (_NO_ROOT, _NO_THIRD, _NO_FIFTH, _NO_SEVENTH)[place]
        if place == 2 and step != 7:
            missing = _NO_SEVENTH  # a flat fifth is what the chord is known by
        cost += missing * (count == 0) + _BASS[place] * (classes[:, 2] == tone)
        if tone == leading and slot.leading:
            cost += _TWO_LEADING * (count > 1)
        elif place == 3:
            cost += _TWO_SEVENTHS * (count > 1)
        elif place == 1:
            cost += _TWO_THIRDS * np.maximum(count - 1, 0)
    if slot.last:
        cost += _NOT_ROOT_AT_END * (classes[:, 2] != slot.chord.root)
    for column, (low, high) in enumerate(_EASY[1:]):
        pitch = made[:, column]
        cost += _STRAINED * (np.maximum(low - pitch, 0) + np.maximum(pitch - high, 0))
    lowest, first = min(slot.sung), slot.sung[0]
    cost += _CROSSED * (made[:, 0] > first) + 0.2 * _CROSSED * (made[:, 0] > lowest)
    cost += 0.2 * _CROSSED * (first - made[:, 0] > WIDEST)
    cost += 1.5 * (made[:, 0] == made[:, 1]) + 1.5 * (made[:, 0] == first)
    return np.asarray(cost + 1.5 * (made[:, 1] == made[:, 2]))


def _step(one: Slot, two: Slot, a: Pitches, b: Pitches, leading: int | None) -> Floats:
    """What it costs to go from each voicing of a slot to each of the next, (states, states)."""
    before = np.concatenate([np.full((len(a), 1), one.sung[-1]), a], axis=1)[:, None, :]
    after = np.concatenate([np.full((len(b), 1), two.sung[0]), b], axis=1)[None, :, :]
    move = after - before
    size = np.abs(move)
    cost = 0.35 * size[..., 1] + 0.35 * size[..., 2] + 0.15 * size[..., 3]
    for column, most in ((1, 5), (2, 5), (3, 7)):
        cost = cost + 2.0 * np.maximum(size[..., column] - most, 0) * (size[..., column] != 12)
        cost = cost + _TRITONE * (size[..., column] == 6) + 4.0 * (size[..., column] > 9)
    if two.after_rest:
        return np.asarray(cost * 0.5)
    for upper, lower in combinations(range(4), 2):
        apart = (after[..., upper] - after[..., lower]) % 12
        perfect = (apart == 0) | (apart == 7)
        moved = (move[..., upper] != 0) & (move[..., lower] != 0)
        same = (before[..., upper] - before[..., lower]) % 12 == apart
        cost = cost + _PARALLEL * (perfect & moved & same)
    # from beat to beat as well, where the melody moves on in between
    if len(one.sung) > 1:
        rise = two.sung[0] - one.sung[0]
        for lower in range(1, 4):
            apart = (after[..., 0] - after[..., lower]) % 12
            same = (one.sung[0] - before[..., lower]) % 12 == apart
            bad = ((apart == 0) | (apart == 7)) & same & (move[..., lower] * rise > 0)
            cost = cost + 0.25 * _PARALLEL * bad
    outer = (after[..., 0] - after[..., 3]) % 12
    alike = move[..., 0] * move[..., 3] > 0
    cost = cost + _HIDDEN * (alike & (size[..., 0] > 2) & ((outer == 0) | (outer == 7)))
    for upper in range(3):  # no voice goes beyond where its neighbour was
        over = (after[..., upper + 1] > before[..., upper]) | (
            after[..., upper] < before[..., upper + 1]
        )
        cost = cost + _OVERLAP * over
    if one.chord != two.chord:
        cost = cost + _STILL * (move[..., 3] == 0)
        if leading is not None and one.leading and two.home:
            for column, weight in ((1, 0.35), (2, 0.35), (3, 1.0)):
                here = before[..., column] % 12 == leading
                cost = cost + weight * _UNRESOLVED * (here & (move[..., column] != 1))
        steps = QUALITIES[one.chord.quality][0]
        if len(steps) > 3:
            seventh = (one.chord.root + steps[3]) % 12
            for column in range(1, 4):
                here = before[..., column] % 12 == seventh
                kept = (move[..., column] <= 0) & (move[..., column] >= -2)
                cost = cost + _UNRESOLVED * (here & ~kept)
    return np.asarray(cost)
