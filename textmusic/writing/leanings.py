"""What a take leans to where the model is free: the beats of others, the tonic, a length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from textmusic.engines.protocol import Floats32
from textmusic.music.chords import Chord
from textmusic.music.plan import TEMPO_RANGE, Plan
from textmusic.music.sketch import chord_token
from textmusic.music.theory import is_minor, quarters_per_bar, shift_of
from textmusic.tokens.folding import Struck
from textmusic.tokens.layout import Layout

ACCENT_NATS = 2.0  # what places gain at which others strike, where drums join them
HOME_NATS = 2.0  # what the tonic's own chord gains as the last one of a piece that ends


def with_others(logits: Floats32, standing: Iterable[Struck], layout: Layout) -> Floats32:
    """Drums that are added or rewritten: the places at which the others strike are favoured.

    logits: of music ids (M,). standing: the others' notes in the bar that is being written.
    """
    guided = logits.copy()
    for position in {note.position for note in standing}:
        guided[layout.index[f"Position_{position}"]] += ACCENT_NATS
    return guided


def homeward(logits: Floats32, plan: Plan, layout: Layout) -> Floats32:
    """The last chord of a piece that ends: the tonic's own is favoured. logits: (M,)."""
    if not plan.end or plan.key is None:
        return logits
    home = Chord(shift_of(plan.key) % 12, "min" if is_minor(plan.key) else "maj")
    guided = logits.copy()
    guided[layout.index[chord_token(home, shift_of(plan.key))]] += HOME_NATS
    return guided


def tempo_settled(plan: Plan, asked: Plan, seconds: float | None) -> Plan:
    """The plan, its tempo nudged so that whole bars last the asked seconds, where it is open."""
    if seconds is None or asked.tempo is not None:
        return plan
    assert plan.bars is not None and plan.time_signature is not None
    tempo = plan.bars * quarters_per_bar(plan.time_signature) * 60 / seconds
    return replace(plan, tempo=round(min(max(tempo, TEMPO_RANGE[0]), TEMPO_RANGE[1]), 2))
