"""Score -> Sketch: the harmony and form of a piece, measured from its notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Any

from textmusic.music.form import form_of
from textmusic.music.harmony import chords_of, labelled
from textmusic.music.notes import Notes, sliced
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row, Sketch
from textmusic.music.structure import form_kept, harmony_kept
from textmusic.music.theory import quarters_per_bar


def measure_sketch(
    notes: Notes,
    time_signature: str,
    bars: int,
    key: str | None = None,
    *,
    labels: Sequence[Sequence[Any]] | None = None,
    begin: float = 0.0,
) -> Sketch:
    """The sketch of some notes; times are in quarter notes from the first bar line.

    A bar that repeats another one has its chords. labels: the source's own chords, if it names
    them: (quarter note, symbol) from `begin` quarter notes before the first bar on.
    """
    forms = form_of(notes, time_signature, bars)
    if labels:
        chords = labelled(labels, time_signature, bars, begin)
    else:
        chords = chords_of(notes, time_signature, bars, key)
    if not any(changes for bar in chords for _, changes in bar):
        chords = [()] * bars
    rows: list[Row] = []
    for (like, vary), changes in zip(forms, chords, strict=True):
        own = changes if like is None else rows[like].chords
        rows.append(Row(like, vary if like is None else None, own))
    return Sketch(tuple(rows))


@dataclass(frozen=True, slots=True)
class SketchAdherence:
    """How closely notes follow a sketch, 0 to 1; None where the sketch asks for nothing.

    chords: share of the time in which the chord heard is the sketched one, judged by root and
    third. form: share of the bars meant to repeat others in which that is heard.
    """

    chords: float | None = None
    form: float | None = None


def sketch_adherence(
    notes: Notes, plan: Plan, sketch: Sketch, new_bars: tuple[int, int] | None = None
) -> SketchAdherence:
    """How closely notes follow the sketch of their piece; see `structure` for the two measures.

    new_bars: the only ones that are judged (from 0, and the one behind the last); None: all. Of
    the others the sketch was heard in the notes.
    """
    if not sketch.rows or not len(notes):
        return SketchAdherence()
    first, last = new_bars or (0, len(sketch.rows))
    rows, part = sketch.rows[first:last], notes
    if new_bars is not None:
        bar = quarters_per_bar(plan.time_signature or "4/4")
        part = sliced(notes, first * bar, last * bar)
    harmony = any(row.chords for row in rows) and len(part)
    form = Sketch(
        tuple(
            row if first <= index < last else replace(row, like=None)
            for index, row in enumerate(sketch.rows)
        )
    )
    return SketchAdherence(
        _number(harmony_kept(part, plan, Sketch(rows))["majmin"]) if harmony else None,
        _number(form_kept(notes, plan, form)),
    )


def _number(value: float) -> float | None:
    return None if isnan(value) else round(value, 4)
