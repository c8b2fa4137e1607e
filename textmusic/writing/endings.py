"""How a piece that ends comes to its end: on the tonic, in a bar that sounds on."""

from __future__ import annotations

import numpy as np

from textmusic.engines.protocol import Floats32
from textmusic.music.chords import Chord
from textmusic.music.plan import Plan
from textmusic.music.sketch import Sketch, chord_token
from textmusic.music.theory import DRUMS, NO_KEY, is_minor, shift_of, tonic
from textmusic.tokens.guides import reweighed
from textmusic.tokens.layout import Mask
from textmusic.tokens.score_grammar import ScoreGrammar
from textmusic.tokens.sketch_grammar import SketchGrammar

HOME_NATS = 2.0  # what the tonic's own chord gains as the last one of a piece that ends
# The last bar of real pieces has three onsets in the median, and what is struck last sounds for
# half of it (154 tunes of the validation split). A model that has seen little music goes on.
STOPPING_NATS = 2.5  # what every further place loses once something has been struck in it
LASTING_NATS = 3.0  # what lengths gain that reach nearly to its end
NEARLY = 0.75  # of what is left of it
# Where the last chord is the tonic's, so is its lowest tone: in 19 of 20 of these pieces.
ROOT_NATS = 2.5  # what the tonic gains as the lowest tone of a place
LOW = 60  # written pitches below it may be that, and any of an instrument that plays alone


def homeward(logits: Floats32, grammar: SketchGrammar) -> Floats32:
    """The last row of the sketch of a piece that ends: the tonic's own chord is favoured.

    logits: (M,). It is left again less likely there, and bars that end on another chord are
    repeated less likely.
    """
    plan, layout = grammar.plan, grammar.layout
    if not plan.end or plan.key in (None, NO_KEY) or len(grammar.rows) < grammar.count:
        return logits
    key = str(plan.key)
    home, guided = Chord(tonic(key), "min" if is_minor(key) else "maj"), logits.copy()
    if grammar.expects == "chord":
        guided[layout.index[chord_token(home, shift_of(key))]] += HOME_NATS
    elif grammar.expects == "change" and grammar.rows[-1].chords[-1][1] == home:
        guided[slice(*layout.spans["Beat"])] -= HOME_NATS
    elif grammar.expects == "form":
        for bar, row in enumerate(grammar.rows[:-1]):
            if row.chords and row.chords[-1][1] != home:
                guided[layout.index[f"Like_{grammar.count - bar}"]] -= HOME_NATS
    return guided


def settling(logits: Floats32, allowed: Mask, grammar: ScoreGrammar, sketch: Sketch) -> Floats32:
    """The last bar of a piece that ends: fewer places, longer notes, and the tonic below them.

    logits, allowed: (M,). sketch: of the whole piece.
    """
    plan, layout = grammar.plan, grammar.layout
    if not plan.end or grammar.bar + 1 != plan.bars or grammar.position < 0:
        return logits
    guided = logits.copy()
    guided[slice(*layout.spans["Position"])] -= STOPPING_NATS
    left = grammar.bar_steps - grammar.position
    lasting = (layout.durations >= NEARLY * left) & (layout.durations <= left)
    guided[slice(*layout.spans["Duration"])] += (LASTING_NATS * lasting).astype(guided.dtype)
    if grammar.struck or grammar.program == DRUMS or not _comes_home(sketch, plan):
        return guided
    first, last = layout.spans["Pitch"]
    pitches = np.flatnonzero(allowed[first:last]) + first
    written = pitches - layout.tone_base
    root = (written % 12 == 0) & ((written < LOW) | (len(grammar.programs) == 1))
    gain = (ROOT_NATS * root).astype(guided.dtype)
    return reweighed(guided, pitches, guided[pitches] + gain) if root.any() else guided


def _comes_home(sketch: Sketch, plan: Plan) -> bool:
    """Whether the last chord is on the tonic, which is always written as C."""
    chords = [chord for row in sketch.rows for _, chord in row.chords]
    last = chords[-1] if chords and plan.key not in (None, NO_KEY) else None
    return last is not None and last.root == tonic(str(plan.key))
