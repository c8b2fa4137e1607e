"""The commands on pieces that are there already: replay, continue, adjust."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textmusic.cli.checks import check_seed
from textmusic.cli.options import (
    Chords,
    Form,
    MidiFile,
    Model,
    ResultOptions,
    SamplingOptions,
    Seed,
)
from textmusic.cli.terminal import new_console, say, show
from textmusic.errors import TextMusicError
from textmusic.language.controls import Controls, well_formed
from textmusic.system.progress import progress_bar

if TYPE_CHECKING:
    from textmusic.result.generation import Generation


def replay(
    file: Annotated[Path, typer.Argument(help="A MIDI file or report that textmusic wrote.")],
    *,
    results: ResultOptions,
    model: Annotated[
        str | None,
        typer.Option(help="Model folder or Hub id; default: the model named in the file."),
    ] = None,
) -> None:
    """Write a piece again from its file, and check that every note is the same."""
    from textmusic.result.recipe import read_recipe, same_piece

    results.check()
    recipe = read_recipe(file)

    from textmusic.writing.text_to_music import TextToMusic

    music = TextToMusic.from_pretrained(model or recipe.model)
    with progress_bar("writing", "bars") as step:
        piece = music.generate(
            recipe.text, controls=recipe.asked, seconds=recipe.seconds, outline=recipe.outline,
            seed=recipe.seed, sampling=recipe.sampling, on_bar=step,
        )  # fmt: skip
    if not same_piece(file, piece):
        raise TextMusicError(
            f"'{file}' does not match what was written again; it was changed, or written by"
            f" another model (textmusic {recipe.version}, {recipe.model}), which --model can name."
        )
    console = new_console()
    for path in results.save(piece):
        say(console, str(path))
    say(console, f"identical to {file}, note for note")


def go_on(
    file: MidiFile,
    text: Annotated[str, typer.Argument(help="Description of the new bars.")] = "",
    *,
    bars: Annotated[
        int | None,
        typer.Option(help="Number of new bars, 1 to 255; default: as the text says, or else 8."),
    ] = None,
    keep: Annotated[
        int | None, typer.Option(help="Keep this many bars from the start and rewrite the rest.")
    ] = None,
    chords: Chords = None,
    form: Form = None,
    seed: Seed = None,
    how: SamplingOptions,
    results: ResultOptions,
    model: Model = None,
) -> None:
    """Continue a MIDI file, or rewrite its end with --keep."""
    outline = Controls(chords=chords, form=form).outline()
    check_seed(seed)
    results.check()
    sampling = how.sampling()
    from textmusic.music.midi_files import read_score

    score = read_score(file)
    from textmusic.writing.text_to_music import TextToMusic

    music = TextToMusic.from_pretrained(model)
    if bars is None:
        bars = 0 if keep else music.understand(well_formed(text)).asked.bars or 8
    with progress_bar("writing", "bars") as step:
        piece = music.continue_from(
            score, bars, keep=keep, text=well_formed(text), outline=outline, seed=seed,
            sampling=sampling, on_bar=step,
        )  # fmt: skip
    _save(piece, results, f"{file.stem}-{'varied' if keep else 'continued'}")


def adjust(
    file: MidiFile,
    *,
    transpose: Annotated[int, typer.Option(help="Semitones up (negative: down), -24 to 24.")] = 0,
    snap: Annotated[
        str | None, typer.Option(help='Move notes into the scale of a key, for example "D minor".')
    ] = None,
    tempo: Annotated[float | None, typer.Option(help="Quarter notes per minute.")] = None,
    instrument: Annotated[
        list[str] | None, typer.Option(help="Instrument to use instead; can be repeated.")
    ] = None,
    results: ResultOptions,
) -> None:
    """Transpose a MIDI file, snap it to a key, or change its tempo or instruments."""
    results.check()
    wanted = Controls(key=snap, instruments=instrument or ()).plan()
    from textmusic.music.midi_files import read_score
    from textmusic.writing.adjusting import Adjustment
    from textmusic.writing.adjusting import adjust as adjusted

    change = Adjustment(transpose, wanted.key, tempo, wanted.programs)
    piece = adjusted(read_score(file), change)
    _save(piece, results, f"{file.stem}-adjusted")


def _save(piece: Generation, results: ResultOptions, stem: str) -> None:
    """Write a piece's files, and say what it is."""
    console = new_console()
    paths = results.save(piece, stem)
    show(piece, console)
    for path in paths:
        say(console, str(path))
