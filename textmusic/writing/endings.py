"""How a piece that ends comes to its end: on the tonic, in a bar that sounds on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textmusic.engines.protocol import Floats32
from textmusic.music.chords import Chord
from textmusic.music.sketch import Sketch, chord_token, quarters_per_beat
from textmusic.music.theory import DRUMS, NO_KEY, is_minor, shift_of, tonic
from textmusic.tokens.folding import Struck
from textmusic.tokens.layout import Mask
from textmusic.tokens.sampling import reweighed
from textmusic.tokens.score_grammar import NOTE, ScoreGrammar
from textmusic.tokens.sketch_grammar import SketchGrammar

HOME_NATS = 2.0  # what the tonic's own chord gains as the last one of a piece that ends
# The last bar of real pieces has three onsets in the median, and what is struck last sounds for
# half of it (154 tunes of the validation split). A model that has seen little music goes on.
STOPPING_NATS = 2.5  # what every further place loses once something has been struck in it
# What goes on to no further place would pile up in this one, now and then over four octaves: from a
# chord of so many on, further tones lose as much.
FULL = 3
LASTING_NATS = 3.0  # what lengths gain that reach nearly to its end
NEARLY = 0.75  # of what is left of it
# Of the same tunes 66 % end on the tonic's chord, and 64 % with the tonic as the lowest tone.
ROOT_NATS = 2.5  # what the tonic gains as the lowest tone of a place
LOW = 60  # written pitches below it may be that, and any of an instrument that plays alone


def homeward(logits: Floats32, grammar: SketchGrammar) -> Floats32:
    """The last row of the sketch of a piece that ends: the tonic's own chord is favoured.

    logits: (M,). Leaving it again is made less likely, and so is repeating a bar that ends on
    another chord.
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


def settling(
    logits: Floats32,
    allowed: Mask,
    grammar: ScoreGrammar,
    sketch: Sketch,
    standing: Sequence[Struck] = (),
) -> Floats32:
    """The last bar of a piece that ends: fewer places, longer notes, and the tonic below them.

    logits, allowed: (M,). sketch: of the whole piece. standing: notes that are in the bar already.
    """
    plan, layout, program = grammar.plan, grammar.layout, grammar.program
    if not plan.end or grammar.bar + 1 != plan.bars or grammar.position < 0:
        return logits
    guided = logits.copy()
    guided[slice(*layout.spans["Position"])] -= STOPPING_NATS
    if program in (None, DRUMS):
        return guided
    if grammar.struck:  # further tones are as long as the first
        if grammar.struck >= FULL:
            for kind in NOTE:
                guided[slice(*layout.spans[kind])] -= STOPPING_NATS
        return guided
    left = grammar.bar_steps - grammar.position
    lasting = (layout.durations >= NEARLY * left) & (layout.durations <= left)
    _, running = grammar.running(program)
    if running is None or not lasting[running - layout.first("Duration")]:
        guided[slice(*layout.spans["Duration"])] += (LASTING_NATS * lasting).astype(guided.dtype)
    return _on_the_tonic(guided, allowed, grammar, sketch, standing)


def _on_the_tonic(
    logits: Floats32,
    allowed: Mask,
    grammar: ScoreGrammar,
    sketch: Sketch,
    standing: Sequence[Struck],
) -> Floats32:
    """Where the tonic's chord sounds: the tonic, which is always written as C, lowest of all."""
    plan, layout, place = grammar.plan, grammar.layout, grammar.position
    assert plan.programs is not None and plan.time_signature is not None
    beat = place / grammar.quarter_steps / quarters_per_beat(plan.time_signature)
    chord = sketch.chord_at(grammar.bar, beat)
    if chord is None or plan.key in (None, NO_KEY) or chord.root != tonic(str(plan.key)):
        return logits
    first, last = layout.spans["Pitch"]
    pitches = np.flatnonzero(allowed[first:last]) + first
    written = pitches - layout.tone_base
    alone = {*plan.programs} - {DRUMS} == {grammar.program}
    struck = (*standing, *(note for note in grammar.notes if note.bar == grammar.bar))
    here = [n.pitch for n in struck if n.position == place and n.program != DRUMS]
    lowest = min(here, default=128)
    root = (written % 12 == 0) & (written < lowest) & (alone | (written < LOW))
    if not root.any():
        return logits
    return reweighed(logits, pitches, logits[pitches] + (ROOT_NATS * root).astype(logits.dtype))
