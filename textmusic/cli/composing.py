"""The commands that compose with a piece that is there: harmonise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textmusic.cli.checks import check_seed
from textmusic.cli.options import Chords, Model, ResultOptions, SamplingOptions, Seed
from textmusic.cli.pieces import keep
from textmusic.cli.terminal import new_console, say
from textmusic.errors import TextMusicError
from textmusic.language.controls import Controls, well_formed
from textmusic.system.progress import progress_bar
from textmusic.system.values import within

if TYPE_CHECKING:
    from textmusic.writing.tunes import Tune

_STYLES = ("chorale",)
_MOST_VARIATIONS = 16


def harmonise(
    file: Annotated[
        Path, typer.Argument(help="Melody: a MIDI, MusicXML (.musicxml, .mxl), ABC or kern file.")
    ],
    text: Annotated[str, typer.Argument(help="Description of the accompaniment.")] = "",
    *,
    chords: Chords = None,
    instrument: Annotated[
        list[str] | None,
        typer.Option(help="Instrument of the accompaniment; default: piano. Can be repeated."),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(help="chorale: four voices (choir, or strings by --instrument), no model."),
    ] = None,
    propose: Annotated[
        bool, typer.Option("--propose", help="Only print the chords that are proposed.")
    ] = False,
    pick: Annotated[
        int | None, typer.Option(help="Use the proposal of this number, counted from 1.")
    ] = None,
    variations: Annotated[int, typer.Option(help="Number of pieces, 1 to 16.")] = 1,
    seed: Seed = None,
    how: SamplingOptions,
    results: ResultOptions,
    model: Model = None,
) -> None:
    """Propose chords for a melody and write them out around it; the melody stays as it is.

    Without --chords, those that the file names are used, or else the best of those proposed.
    """
    outline = Controls(chords=chords).outline()
    within("variations", variations, 1, _MOST_VARIATIONS)
    check_seed(seed, variations)
    if style is not None and style not in _STYLES:
        raise TextMusicError(f"'{style[:40]}' is not a style; choose {', '.join(_STYLES)}.")
    if style and variations > 1:
        raise TextMusicError("a chorale is written by rule, and has no variations; use --pick.")
    from textmusic.writing.chorale import OFTEN, chorale, sung_by
    from textmusic.writing.harmonising import chosen
    from textmusic.writing.tunes import read_tune

    often = OFTEN if style else 0.0
    if propose:
        _list(read_tune(file), file.name, often)
        return
    results.check()
    sampling = how.sampling()
    if style:
        sung_by(instrument or ())
    tune = read_tune(file)
    chords_used = chosen(tune, outline, pick, often=often)  # said before the model is loaded
    if style:
        keep(chorale(tune, chords_used, instrument or ()), results, f"{file.stem}-chorale")
        return
    from textmusic.writing.text_to_music import TextToMusic

    music = TextToMusic.from_pretrained(model)
    for number in range(variations):
        with progress_bar("writing", "bars") as step:
            piece = music.harmonise(
                tune, instruments=instrument or ("piano",), outline=outline, pick=pick,
                text=well_formed(text), seed=None if seed is None else seed + number,
                sampling=sampling, on_bar=step,
            )  # fmt: skip
        keep(piece, results, f"{file.stem}-harmonised")


def _list(tune: Tune, name: str, often: float) -> None:
    """Print the progressions that are proposed for a tune."""
    from textmusic.music.harmonising import fit
    from textmusic.writing.harmonising import in_symbols, proposals

    console = new_console()
    say(console, f"{name}: {tune.bars} bars of {tune.metre} in {tune.key}")
    for note in tune.remarks:
        say(console, f"note: {note}")
    if tune.own:
        share = fit(tune.notes, tune.own, tune.metre)
        say(console, f"own  {100 * share:3.0f} %  {in_symbols(tune.own, tune.key)}")
    for number, made in enumerate(proposals(tune, often=often), 1):
        say(console, f"{number:3}  {100 * made.fit:3.0f} %  {in_symbols(made.rows, tune.key)}")
    say(console, "%: share of the melody on tones of the chords, notes on strong beats first")
