"""A piece that was kept as MIDI, opened again: for a further format of it, without a model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from textmusic.errors import TextMusicError
from textmusic.language.prompt import Prompt
from textmusic.music.markers import markers_of
from textmusic.music.measure import measure
from textmusic.music.midi_events import MidiError, parse
from textmusic.music.midi_playing import as_written
from textmusic.music.midi_sounding import to_score
from textmusic.music.theory import NO_KEY, key_name
from textmusic.result.account import account
from textmusic.result.generation import Generation
from textmusic.result.recipe import Recipe, read_recipe
from textmusic.result.report import Report

REOPENED = ("mid", "json")  # what such a piece is read from, and is not written from it


def recipe_in(midi: Path) -> Recipe | None:
    """How a MIDI file was made; None where it does not say so, or is not there."""
    try:
        return read_recipe(midi)
    except TextMusicError:
        return None


def reopened(midi: Path, recipe: Recipe) -> Generation:
    """The piece in a MIDI file of ours. Its plan is in the report beside it, or else measured.

    Raises TextMusicError where the file can't be read any more.
    """
    try:
        score = to_score(as_written(parse(midi.read_bytes())))
    except (OSError, MidiError, RuntimeError) as problem:
        raise TextMusicError(
            f"'{midi}' can't be read ({problem}); delete it to have it written again."
        ) from None
    prompt = Prompt(recipe.text, recipe.asked, recipe.seconds, "", (), outline=recipe.outline)
    report = _report(midi.with_suffix(".json"), recipe)
    if report is None:
        plan = measure(score)
        if len(score.key_signatures):  # as planned; drums alone have none
            signature = score.key_signatures[0]
            minor = bool(signature.tonality)
            key = key_name(signature.key * 7 + 9 * minor, minor)
            plan = replace(plan, key=key)
        else:
            plan = replace(plan, key=NO_KEY)
        sketch, _ = markers_of(score, plan)
    else:
        plan, sketch = report.planned, report.sketch
    piece = account(
        prompt, plan, score, recipe.seed, recipe.model, ids=0, nats=0.0, sketch=sketch,
        sampling=recipe.sampling,
    )  # fmt: skip
    piece = piece.performed(recipe.performance)
    return piece.looped() if recipe.loop else piece


def _report(path: Path, recipe: Recipe) -> Report | None:
    """The report beside a piece, if it is that piece's."""
    try:
        report = Report.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return report if Recipe.of(report) == recipe else None
