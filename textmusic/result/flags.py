"""What a finished piece has that hardly any real one has, as plain sentences."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import numpy as np

from textmusic.language.names import instrument_name
from textmusic.music.notes import Notes
from textmusic.music.plan import Plan
from textmusic.music.repetition import (
    MOST_NOTES_AT_ONCE,
    PERCUSSION,
    SIXTEENTH_QUARTERS,
    THICK,
    THICK_NOTES,
    RepetitionRun,
    runs,
    strikes_of,
)
from textmusic.music.structure import harmonies
from textmusic.music.theory import DRUMS, quarters_per_bar

HARMONY_BARS = 9  # on one triad
SILENT = 0.6  # of the bars, in a row
SILENT_OF_MANY = 0.9  # the same where there are more than `FEW_INSTRUMENTS` instruments
FEW_INSTRUMENTS = 4
ONE_PITCH = 4  # notes: a part of fewer may well have one pitch


def flags(notes: Notes, plan: Plan) -> list[str]:
    """What a finished piece has that under 1 % of real pieces have, as plain sentences; [] if none.

    Each sentence is one fault, so that of several pieces the one with the fewest is the best.
    """
    return [*_repeated(notes), *_thick(notes), *_whole(notes, plan)]


def _repeated(notes: Notes) -> Iterable[str]:
    """A sentence for each instrument's longest run above the limit."""
    worst: dict[int, RepetitionRun] = {}
    for run in runs(notes):
        if run.onsets > run.limit and run.onsets > getattr(worst.get(run.program), "onsets", 0):
            worst[run.program] = run
    for program, run in worst.items():
        what = "chord" if len(run.pitches) > 2 else "two notes" if len(run.pitches) > 1 else "note"
        name = instrument_name(program)
        yield f"The {name} part strikes the same {what} {run.onsets} times in a row."


def _thick(notes: Notes) -> Iterable[str]:
    """Sentences for too many notes at once, and for thick chords close together."""
    for program, strikes in strikes_of(notes).items():
        name = instrument_name(program)
        if (most := max(len(strike.pitches) for strike in strikes)) > MOST_NOTES_AT_ONCE:
            yield f"The {name} part strikes {most} notes at once."
        longest = run = 0
        last = -np.inf
        for strike in strikes:
            near = strike.start - last <= SIXTEENTH_QUARTERS + 1e-6
            run = (run + 1 if near else 1) if len(strike.pitches) >= THICK_NOTES else 0
            longest, last = max(longest, run), strike.start
        if longest > THICK:
            yield (
                f"The {name} part strikes {longest} chords of {THICK_NOTES} notes or more in a row,"
                " a sixteenth apart."
            )


def _whole(notes: Notes, plan: Plan) -> Iterable[str]:
    """Sentences about one harmony for long, and instruments that are silent or have one pitch."""
    chords = harmonies(notes, plan)
    halves = max((len(list(same)) for chord, same in groupby(chords) if chord), default=0)
    if halves > 2 * HARMONY_BARS:
        yield f"The harmony stays on one chord for {halves // 2} bars."
    bar = quarters_per_bar(plan.time_signature or "4/4")
    bars = plan.bars or max(int(np.ceil(notes.end.max() / bar - 1e-6)), 1)
    programs = plan.programs or ()
    longest = bars * (SILENT if len(programs) <= FEW_INSTRUMENTS else SILENT_OF_MANY)
    for program in programs:
        mine = notes.program == program
        heard = np.zeros(bars, dtype=bool)
        for start, end in zip(notes.start[mine], notes.end[mine], strict=True):
            heard[int(start / bar + 1e-6) : int(np.ceil(end / bar - 1e-6))] = True
        silent = max((len(list(same)) for sounds, same in groupby(heard) if not sounds), default=0)
        name = instrument_name(program)
        if silent > longest:
            yield f"The {name} part is silent for {silent} of {bars} bars."
        tuned = program != DRUMS and program not in PERCUSSION
        if tuned and mine.sum() >= ONE_PITCH and len(np.unique(notes.pitch[mine])) == 1:
            yield f"The {name} part plays one pitch only."
