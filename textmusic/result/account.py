"""A finished score and what was asked -> the piece with its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textmusic.language.prompt import Prompt
from textmusic.music import measure
from textmusic.music.bars import end_of_bars
from textmusic.music.grade_check import in_a_line, judge
from textmusic.music.material import metres_of
from textmusic.music.measure_sketch import SketchAdherence, sketch_adherence
from textmusic.music.midi_events import MidiEvents
from textmusic.music.notes import Notes, notes_of
from textmusic.music.plan import Plan
from textmusic.music.sketch import Sketch
from textmusic.music.tempo_map import TempoMap
from textmusic.result.change import Change
from textmusic.result.generation import Generation
from textmusic.result.report import Report
from textmusic.version import __version__

if TYPE_CHECKING:
    from symusic import Score

    from textmusic.tokens.sampling import Sampling


def account(
    prompt: Prompt, plan: Plan, score: Score, seed: int, model: str, *, ids: int, nats: float,
    sketch: Sketch = Sketch(), sampling: Sampling | None = None, planned: Plan | None = None,
    new_bars: tuple[int, int] | None = None, notes: Notes | None = None,
    measured: Plan | None = None, kept: SketchAdherence | None = None,
    events: MidiEvents | None = None, change: Change | None = None, remarks: tuple[str, ...] = (),
    asked_bars: int | None = None,
) -> Generation:  # fmt: skip
    """A piece with its report: what was asked and planned, and what is measured in the score.

    sketch: harmony and form as they were decided; what is heard of them is measured. planned: where
    that is not what has become of it, as in a piece that was stopped. notes: those of the score,
    where they are at hand. measured: where what is asked is not of the whole. kept: where the
    sketch is not of bars of one metre. new_bars, asked_bars, change, remarks: see `Report`. events:
    see `Generation`.
    """
    notes = notes_of(score) if notes is None else notes
    practice = prompt.practice
    if practice is not None:
        remarks = (*remarks, in_a_line(judge(notes, plan, practice), practice))
    report = Report(
        text=prompt.text,
        caption=prompt.caption,
        seed=seed,
        model=model,
        version=__version__,
        asked=prompt.asked,
        seconds=prompt.seconds,
        planned=planned or plan,
        measured=measured or measure.measure(score, notes=notes),
        measured_seconds=round(measure.seconds(score, notes), 3),
        notes=int(score.note_num()),
        unused=prompt.unused,
        near=prompt.near,
        sampling=sampling,
        silent=measure.hardly_playing(notes, plan),
        outline=prompt.outline,
        sketch=sketch,
        kept=kept or sketch_adherence(notes, plan, sketch, new_bars),
        new_bars=new_bars,
        asked_bars=asked_bars,
        planned_seconds=None if new_bars is None else _seconds_of_bars(score, plan.bars or 0),
        remarks=remarks,
        change=change,
        practice=practice,
    )
    return Generation(prompt, plan, score, seed, report, model, ids, nats, notes, sketch, events)


def _seconds_of_bars(score: Score, bars: int) -> float:
    """How long a piece's bars last, in its own time signatures and tempi."""
    end = end_of_bars(bars, metres_of(score))
    return round(TempoMap.of_score(score).seconds(end), 3)
