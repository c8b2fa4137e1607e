"""Facts of two pieces, or of a wish and a piece, side by side in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from textmusic.language.names import instrument_name, mood_name
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS, NO_KEY, is_minor

NEAR_TEMPO = 0.1  # by how much tempi differ that are heard as the same


def alike_facts(one: Plan, two: Plan) -> tuple[str, ...]:
    """What two pieces have in common: key or mode, metre, tempo, mood."""
    return tuple(_alike(one, two))


def _alike(one: Plan, two: Plan) -> Iterator[str]:
    if one.key and two.key and NO_KEY not in (one.key, two.key):
        if one.key == two.key:
            yield f"both in {one.key}"
        elif is_minor(one.key) == is_minor(two.key):
            yield f"both in {'minor' if is_minor(one.key) else 'major'} ({one.key}, {two.key})"
    if one.time_signature == two.time_signature:
        yield f"both in {one.time_signature}"
    if one.tempo and two.tempo and abs(two.tempo / one.tempo - 1) <= NEAR_TEMPO:
        yield f"about as fast ({two.tempo:.0f} bpm)"
    if (one.valence, one.arousal) == (two.valence, two.arousal) and one.valence and one.arousal:
        yield f"the same mood: {mood(one)}"


def mood(plan: Plan) -> str:
    """The mood of a plan in words, without the levels."""
    assert plan.valence and plan.arousal
    return mood_name(plan.valence, plan.arousal).partition(" (")[0]


def instruments(plan: Plan) -> str:
    """ "piano, flute, drums" """
    programs = sorted(plan.programs or (), key=lambda p: (p == DRUMS, p))
    return ", ".join(instrument_name(p) for p in programs)
