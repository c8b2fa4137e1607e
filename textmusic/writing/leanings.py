"""What a take leans to where the model is free: the beats of others, chords, a length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from textmusic.engines.protocol import Floats32
from textmusic.music.plan import TEMPO_RANGE, Plan
from textmusic.music.theory import DRUMS, quarters_per_bar, shift_of
from textmusic.tokens.folding import Struck
from textmusic.tokens.layout import Layout, Mask
from textmusic.tokens.sampling import reweighed
from textmusic.tokens.score_grammar import ScoreGrammar

Ints = NDArray[np.intp]
ACCENT_NATS = 2.0  # what places gain at which others strike, where drums join them
# What accompanies a melody alone. Shares are least probabilities, of what real accompaniments have.
MORE = (0.0, 0.7, 0.6, 0.4)  # that a further note is struck, by how many are struck already
LOW = 0.6  # that the first chord of a bar begins low, where nothing low sounds in the bar yet
BASS = 48  # C3: what is below it is low
OVER_NATS = 3.0  # what pitches lose above the melody's highest one in the bar
# Instruments that play chords: keyboards, organs and accordions, guitars, harp, strings together.
CHORDAL = frozenset((*range(8), *range(16, 32), 46, *range(48, 52)))


def with_others(logits: Floats32, standing: Iterable[Struck], layout: Layout) -> Floats32:
    """Drums that are added or rewritten: the places at which the others strike are favoured.

    logits: of music ids (M,). standing: the others' notes in the bar that is being written.
    """
    guided = logits.copy()
    for position in {note.position for note in standing}:
        guided[layout.index[f"Position_{position}"]] += ACCENT_NATS
    return guided


def accompanied(
    logits: Floats32, allowed: Mask, grammar: ScoreGrammar, standing: Iterable[Struck]
) -> Floats32:
    """What accompanies a melody alone: chords rather than a second line, and a bass under them.

    logits: of music ids (M,). allowed: which may come next. standing: the melody's notes in the bar
    that is being written.
    """
    if grammar.program not in CHORDAL or grammar.position < 0:
        return logits
    first, last = grammar.layout.spans["Pitch"]
    ids = np.flatnonzero(allowed[first:last]) + first
    if not len(ids):
        return logits
    base, tones = grammar.layout.tone_base, [n for n in standing if n.program != DRUMS]
    over = ids - base > max((note.pitch for note in tones), default=127)
    logits = reweighed(logits, ids, logits[ids] - np.where(over, OVER_NATS, 0.0).astype(np.float32))
    if 0 < grammar.struck < len(MORE):
        return _at_least(logits, allowed, ids[~over], MORE[grammar.struck])
    low = BASS - shift_of(grammar.plan.key)
    struck = any(note.bar == grammar.bar for note in grammar.notes[-1:])
    if not struck and not any(note.pitch < low for note in tones):
        return _at_least(logits, allowed, ids[ids - base < low], LOW, among=ids)
    return logits


def _at_least(
    logits: Floats32, allowed: Mask, ids: Ints, share: float, among: Ints | None = None
) -> Floats32:
    """Logits by which some ids together have at least a share of the probability of others.

    among: these others; all that is allowed.
    """
    among = np.flatnonzero(allowed) if among is None else among
    inside = np.isin(among, ids)
    if inside.all() or not inside.any():
        return logits
    likely = np.exp(logits[among] - logits[among].max())
    have = float(likely[inside].sum() / likely.sum())
    if have >= share:
        return logits
    gain = np.log(share / (1 - share)) - np.log(max(have, 1e-9) / (1 - have))
    after = logits[among] + np.where(inside, gain, 0.0).astype(np.float32)
    return reweighed(logits, among, after)


def longest_chord(bars: int) -> int:
    """Bars that a chord may last in a piece of so many.

    A quarter of it, and four bars at least: in nine of ten real pieces none lasts longer (5,869
    tunes of the training split). Where notes follow a sketch loosely, one chord sounds for longer
    than was planned.
    """
    return max(bars // 4, 4)


def tempo_settled(plan: Plan, asked: Plan, seconds: float | None) -> Plan:
    """The plan, its tempo nudged so that whole bars last the asked seconds, where it is open."""
    if seconds is None or asked.tempo is not None:
        return plan
    assert plan.bars is not None and plan.time_signature is not None
    tempo = plan.bars * quarters_per_bar(plan.time_signature) * 60 / seconds
    return replace(plan, tempo=round(min(max(tempo, TEMPO_RANGE[0]), TEMPO_RANGE[1]), 2))
