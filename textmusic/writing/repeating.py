"""A change to a person's file, made again from its recipe and the file itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textmusic.errors import TextMusicError
from textmusic.language.controls import parse_key
from textmusic.music.midi_events import MidiEvents
from textmusic.music.sketch import Outline, read_sketch
from textmusic.music.theory import DRUMS
from textmusic.result.change import Change
from textmusic.result.generation import Generation
from textmusic.result.recipe import Recipe
from textmusic.writing import adjusting, continuation, editing, harmonising, rewriting, varying
from textmusic.writing.brief import Brief
from textmusic.writing.chorale import chorale
from textmusic.writing.sources import read_piece
from textmusic.writing.theme_and_variations import ThemeAndVariations
from textmusic.writing.tunes import read_tune

if TYPE_CHECKING:
    from textmusic.writing.text_to_music import OnBar, TextToMusic


def source_of(change: Change, given: Path | None, folders: Sequence[Path]) -> MidiEvents:
    """The file that was changed: the one that is given, else that of its name in these folders.

    Raises TextMusicError where it is not there, or not what it was.
    """
    name = Path(change.name).name  # files can be forged
    places = [given] if given else [folder / name for folder in folders]
    found = next((place for place in places if place.is_file()), given)
    if found is None:
        raise TextMusicError(
            f"'{name}', which this was made of, is not beside it; name the file with --source."
        )
    midi = read_piece(found)
    if midi.sha256 != change.sha256:
        raise TextMusicError(
            f"'{found}' is not the '{name}' that this was made of (its SHA-256 differs); name the"
            " right file with --source."
        )
    return midi


def again(
    recipe: Recipe, source: MidiEvents, music: TextToMusic | None, on_bar: OnBar | None = None
) -> Generation:
    """The changed piece. music: of the recipe's model, for what a model continued."""
    change = recipe.change
    assert change is not None
    try:
        if change.how == adjusting.HOW:
            return adjusting.adjust(source, adjustment_of(change.options))
        if change.how == editing.HOW:
            return editing.edit(source, editing.read_edits(change.options["edits"]))
        if change.how == harmonising.HOW:
            return _harmonised(recipe, source, change.options, music, on_bar)
        if music is None:
            raise ValueError(f"made by {change.how}, without its model")
        if change.how in (rewriting.REWRITE, rewriting.ADD, varying.HOW):
            return _composed(recipe, change, source, music, on_bar)
        if change.how != continuation.HOW:
            raise ValueError(f"made by {change.how}")
        return music.continue_from(
            source, change.options["bars"], keep=change.options["keep"], text=recipe.text,
            controls=recipe.asked, outline=recipe.outline, seed=recipe.seed,
            sampling=recipe.sampling, on_bar=on_bar,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as problem:
        raise TextMusicError(
            f"the recipe of this piece can't be followed ({problem}); change '{change.name}' anew."
        ) from None


def _composed(
    recipe: Recipe, change: Change, source: MidiEvents, music: TextToMusic, on_bar: OnBar | None
) -> Generation:
    """What was rewritten, added or varied."""
    brief = Brief(recipe.text, recipe.asked, recipe.outline, recipe.seed, recipe.sampling)
    if change.how == varying.HOW:
        number, count = change.options.get("number"), change.options.get("variations", 1)
        kind = ThemeAndVariations if change.options.get("theme") else varying.Varying
        return kind(music, brief, varying.Theme(source), count, number).write(on_bar)[0]
    said = change.options["bars"]
    bars = None if said is None else (int(said[0]), int(said[1]))
    file = rewriting.OpenFile(source, change.how, bars, change.options["instruments"])
    (piece,) = file.rewriting(music, brief).write(on_bar)
    return piece


def _harmonised(
    recipe: Recipe, source: MidiEvents, options: dict[str, Any], music: TextToMusic | None,
    on_bar: OnBar | None,
) -> Generation:  # fmt: skip
    tune = read_tune(source)
    chords = harmonising.with_fit(tune, read_sketch(_rows(options["chords"])))
    programs = [_program(number, DRUMS) for number in options["programs"]]
    if options.get("style") == "chorale":
        return chorale(tune, chords, programs)
    if music is None:
        raise ValueError("no model")
    brief = Brief(recipe.text, recipe.asked, Outline(), recipe.seed, recipe.sampling)
    return harmonising.Accompaniment(music, tune, chords, programs, brief).write(on_bar)


def _rows(bars: Sequence[Any]) -> dict[str, Any]:
    return {"rows": [{"like": None, "vary": None, "chords": bar} for bar in bars]}


def adjustment_of(options: dict[str, Any]) -> adjusting.Adjustment:
    """Inverse of what a recipe says of an adjustment; ValueError or TypeError for what is none."""
    read = dict(options)
    if read.keys() - {field.name for field in fields(adjusting.Adjustment)}:
        raise ValueError("unknown changes")
    if not isinstance(read.get("semitones", 0), int):
        raise ValueError("semitones")
    if not isinstance(read.get("tempo") or 0.0, int | float):
        raise ValueError("tempo")
    for name in ("key", "to_key"):
        if read.get(name) is not None:
            read[name] = parse_key(read[name])
    if read.get("programs") is not None:
        read["programs"] = tuple(map(_program, read["programs"]))
    read["parts"] = tuple((str(part), _program(n)) for part, n in read.get("parts", ()))
    return adjusting.Adjustment(**read)


def _program(number: object, most: int = 127) -> int:
    if not isinstance(number, int) or not 0 <= number <= most:
        raise ValueError("programs")
    return number
