"""What a piece was made of, inside its MIDI file: enough to write it again, note for note."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textmusic.errors import TextMusicError
from textmusic.language.controls import check_plan
from textmusic.language.reading.form import MAX_SECTIONS
from textmusic.language.reading.length import SECONDS_RANGE
from textmusic.music.chords import ALL_CHORDS
from textmusic.music.markers import with_texts
from textmusic.music.midi_events import parse
from textmusic.music.midi_playing import as_written
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice
from textmusic.music.sketch import Outline, read_outline
from textmusic.result.change import MARK, Change
from textmusic.result.report import Report
from textmusic.system.values import real
from textmusic.tokens.sampling import Sampling, check_seed, read_sampling

if TYPE_CHECKING:
    from textmusic.result.generation import Generation

LARGEST_RECIPE_FILE = 2_000_000  # bytes of a file that is looked into
MOST_CHORDS = 1_024  # of an outline: a text has no room for more


@dataclass(frozen=True, slots=True)
class Recipe:
    """What was asked of a model.

    asked, outline: the facts, chords and form that were forced, those read in the text too. change:
    what was done to a person's file, if it is not a piece from the beginning. loop: whether it was
    kept to be repeated. practice: the limits of a practice piece. performance: see `Report`.
    """

    text: str
    asked: Plan
    seconds: float | None
    seed: int
    sampling: Sampling
    model: str
    version: str
    outline: Outline = Outline()
    change: Change | None = None
    loop: bool = False
    practice: Practice | None = None
    performance: float = 0.0

    @staticmethod
    def of(report: Report) -> Recipe | None:
        """The recipe of a piece; None for one that neither a language model nor a change made."""
        if report.sampling is None and report.change is None:
            return None
        return Recipe(
            report.text, report.asked, report.seconds, report.seed, report.sampling or Sampling(),
            report.model, report.version, report.outline, report.change, report.loop,
            report.practice, report.performance,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain types; of the plan and the outline only what is known."""
        nothing = asdict(Outline())
        outline = {k: v for k, v in asdict(self.outline).items() if v != nothing[k]}
        made = {**asdict(self), "asked": dict(self.asked.known()), "outline": outline}
        if self.change is None:
            del made["change"]
        if not self.loop:
            del made["loop"]
        if self.practice is None:
            del made["practice"]
        if not self.performance:
            del made["performance"]
        return made

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Recipe:
        """Inverse of `to_dict`. Raises ValueError or TypeError for what is no recipe."""
        asked: dict[str, Any] = {
            name: tuple(v) if name == "programs" else v for name, v in data["asked"].items()
        }
        plan, sampling = Plan(**asked), read_sampling(data["sampling"])
        outline = read_outline(data.get("outline", {}))
        check_plan(plan)  # files can be forged
        _check_outline(outline)
        change = data.get("change") and Change.from_dict(data["change"])
        practice = data.get("practice") and Practice.from_dict(data["practice"])
        read = {
            "asked": plan, "sampling": sampling, "outline": outline, "change": change,
            "practice": practice,
        }  # fmt: skip
        made = Recipe(**{**data, **read})
        if not (isinstance(made.text, str) and isinstance(made.seed, int)):
            raise ValueError("text or seed is missing")
        if not isinstance(made.loop, bool):
            raise ValueError("loop is neither true nor false")
        check_seed(made.seed)
        real("performance", made.performance, 0, 1)
        if made.seconds is not None:
            real("seconds", made.seconds, *SECONDS_RANGE)
        return made


def embed(midi: bytes, recipe: Recipe | None) -> bytes:
    """A MIDI file with the recipe as text events (FF 01) at its very beginning."""
    if recipe is None:
        return midi
    said = f"textmusic {recipe.version}, {recipe.model}, seed {recipe.seed}: {recipe.text}"
    if recipe.change is not None:
        said = f"textmusic {recipe.version}, {recipe.change.how}: {recipe.change.name}"
    texts = (said, MARK + json.dumps(recipe.to_dict(), ensure_ascii=False))
    return with_texts(midi, texts)


def read_recipe(path: Path) -> Recipe:
    """The recipe in a MIDI file, or in the report (JSON) that was written with it.

    Raises TextMusicError where there is none.
    """
    try:
        if path.stat().st_size > LARGEST_RECIPE_FILE:
            raise TextMusicError(
                f"'{path}' is too large to be a textmusic piece; choose another file."
            )
        data = path.read_bytes()
    except OSError as problem:
        raise TextMusicError(
            f"'{path}' can't be read ({problem.strerror}); give a MIDI file that textmusic wrote."
        ) from None
    try:
        found = _in_report(data) if path.suffix.lower() == ".json" else _in_midi(data)
    except _OlderError as older:
        raise TextMusicError(
            f"'{path}' was written by an older textmusic ({older}), which chose notes differently;"
            " replay it with that version."
        ) from None
    except (
        ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError,
        TextMusicError,
    ):  # fmt: skip
        found = None
    if found is None:
        raise TextMusicError(
            f"'{path}' does not say how it was made; give a file that this version of textmusic"
            " wrote."
        )
    return found


def _check_outline(outline: Outline) -> None:
    """Raise ValueError for chords and sections that nobody can have asked for."""
    bars = (*outline.chords, *(() if outline.last is None else ((outline.last,),)))
    if not all(bars) or sum(map(len, bars)) > MOST_CHORDS:
        raise ValueError("bars without chords, or too many")
    if not {chord for bar in bars for chord in bar} <= set(ALL_CHORDS):
        raise ValueError("an invalid chord")
    if len(outline.form) > MAX_SECTIONS or len(outline.names) not in (0, len(outline.form)):
        raise ValueError("sections and their names don't match, or there are too many")
    if not all(isinstance(said, str) and said for said in (*outline.form, *outline.names)):
        raise ValueError("an invalid section")
    if outline.relative not in (True, False) or outline.minor not in (True, False, None):
        raise ValueError("relative or minor is not true or false")


def _refuse_older(data: dict[str, Any]) -> None:
    """Before the sketch, help for the key was part of how notes were chosen."""
    if "key_strength" in (data.get("sampling") or {}):
        raise _OlderError(data.get("version", "?"))


class _OlderError(Exception):
    """What was read is of a textmusic that wrote music otherwise; says its version."""


def _in_report(data: bytes) -> Recipe | None:
    found = json.loads(data)
    _refuse_older(found)
    return Recipe.of(Report.from_dict(found))


def _in_midi(data: bytes) -> Recipe | None:
    from mido import MidiFile

    try:
        file = MidiFile(file=BytesIO(data), charset="utf-8")
    except (EOFError, IndexError, OSError):
        return None
    for message in file.tracks[0]:
        if message.type == "text" and message.text.startswith(MARK):
            found = json.loads(message.text[len(MARK) :])
            _refuse_older(found)
            return Recipe.from_dict(found)
    return None


def same_piece(path: Path, piece: Generation) -> bool:
    """Whether a file that `read_recipe` could read holds just this piece: notes, or report."""
    if path.suffix.lower() == ".json":
        report = Report.from_dict(json.loads(path.read_bytes()))
        return all(
            getattr(report, name) == getattr(piece.report, name)
            for name in ("measured", "notes", "sketch")
        )
    theirs, ours = notes_of(to_score(as_written(parse(path.read_bytes())))), piece.columns
    return all(
        np.array_equal(getattr(theirs, column), getattr(ours, column))
        for column in ("start", "duration", "pitch", "velocity", "program")
    )
