"""The commands that compose with a piece which is there already: rewrite, add, vary, harmonise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
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
from textmusic.cli.pieces import keep_pieces
from textmusic.cli.terminal import new_console, say
from textmusic.errors import TextMusicError
from textmusic.language.bars import parse_bars
from textmusic.language.controls import Controls, well_formed
from textmusic.result.titles import without_endings
from textmusic.system.progress import progress_bar
from textmusic.system.values import within

if TYPE_CHECKING:
    from textmusic.result.generation import Generation
    from textmusic.writing.rewriting import Rewriting
    from textmusic.writing.text_to_music import TextToMusic
    from textmusic.writing.tunes import Tune
    from textmusic.writing.varying import Varying

_STYLES = ("chorale",)
Bars = Annotated[
    str | None, typer.Option(help="Bars, counted from 1: 5-8, or 5 for one; default: all.")
]
Instruments = Annotated[
    list[str] | None,
    typer.Option(help="Name or General MIDI program number, 128 for drums; can be repeated."),
]
Variations = Annotated[int, typer.Option(help="Number of versions, 1 to 16.")]


def rewrite(
    file: MidiFile,
    text: Annotated[str, typer.Argument(help="Description of the new music.")] = "",
    *,
    bars: Bars = None,
    instrument: Instruments = None,
    chords: Chords = None,
    form: Form = None,
    variations: Variations = 1,
    seed: Seed = None,
    how: SamplingOptions,
    results: ResultOptions,
    model: Model = None,
) -> None:
    """Write bars or instruments of a MIDI file anew; all else in it stays as it is."""
    outline = Controls(chords=chords, form=form).outline()
    where = parse_bars(bars)
    text = _checked(text, variations, seed)
    results.check()
    from textmusic.writing.brief import Brief
    from textmusic.writing.rewriting import open_to_rewrite
    from textmusic.writing.sources import read_piece

    brief = Brief(text, outline=outline, seed=seed, sampling=how.sampling())
    opened = open_to_rewrite(read_piece(file), where, instrument or ())
    pieces = _written(partial(opened.rewriting, brief=brief, n=variations), model)
    keep_pieces(pieces, results, f"{without_endings(file.stem)}-rewritten")


def add(
    file: MidiFile,
    text: Annotated[str, typer.Argument(help="Description of the new parts.")] = "",
    *,
    instrument: Instruments = None,
    bars: Bars = None,
    variations: Variations = 1,
    seed: Seed = None,
    how: SamplingOptions,
    results: ResultOptions,
    model: Model = None,
) -> None:
    """Add parts for more instruments to a MIDI file; all else in it stays as it is.

    The instruments can be named in the description, too.
    """
    where = parse_bars(bars)
    text = _checked(text, variations, seed)
    results.check()
    from textmusic.language.prompt import read_prompt
    from textmusic.writing.brief import Brief
    from textmusic.writing.rewriting import open_to_add
    from textmusic.writing.sources import read_piece

    brief = Brief(text, seed=seed, sampling=how.sampling())
    named: Sequence[str | int] = instrument or read_prompt(text).asked.programs or ()
    opened = open_to_add(read_piece(file), where, named)
    pieces = _written(partial(opened.rewriting, brief=brief, n=variations), model)
    keep_pieces(pieces, results, f"{without_endings(file.stem)}-with-more")


def vary(
    file: MidiFile,
    text: Annotated[
        str, typer.Argument(help='Description, such as "waltz, minor, for strings".')
    ] = "",
    *,
    key: Annotated[str | None, typer.Option(help='For example "D minor".')] = None,
    tempo: Annotated[
        str | None, typer.Option(help="Quarter notes per minute, or a word such as andante.")
    ] = None,
    time_signature: Annotated[str | None, typer.Option(help="For example 6/8.")] = None,
    instrument: Instruments = None,
    genre: Annotated[str | None, typer.Option(help="For example ragtime.")] = None,
    variations: Variations = 1,
    with_theme: Annotated[
        bool,
        typer.Option("--with-theme", help="Write one piece: the theme, then all variations."),
    ] = False,
    seed: Seed = None,
    how: SamplingOptions,
    results: ResultOptions,
    model: Model = None,
) -> None:
    """Write variations on a MIDI file: its harmony and form, otherwise new music.

    Without a description each variation changes something else: texture, metre, mode, style.
    """
    controls = Controls(
        key=key, tempo=tempo, time_signature=time_signature, instruments=instrument or (),
        genre=genre,
    ).plan()  # fmt: skip
    text = _checked(text, variations, seed)
    results.check()
    from textmusic.writing.brief import Brief
    from textmusic.writing.sources import read_piece
    from textmusic.writing.theme_and_variations import ThemeAndVariations
    from textmusic.writing.varying import Theme, Varying

    brief = Brief(text, controls, seed=seed, sampling=how.sampling())
    theme, kind = Theme(read_piece(file)), ThemeAndVariations if with_theme else Varying
    pieces = _written(partial(kind, theme=theme, brief=brief, n=variations), model)
    keep_pieces(
        pieces, results, f"{without_endings(file.stem)}-variation{'s' if with_theme else ''}"
    )


def _written(
    work: Callable[[TextToMusic], Rewriting | Varying], model: str | None
) -> list[Generation]:
    """What a model writes. work: what is to be written, all that needs no model being checked."""
    from textmusic.writing.text_to_music import TextToMusic

    writing = work(TextToMusic.from_pretrained(model))
    with progress_bar("writing", "bars") as step:
        return writing.write(step)


def _checked(text: str, variations: int, seed: int | None) -> str:
    """The description; raises TextMusicError where something can't be done, before it is begun."""
    from textmusic.language.prompt import check_length
    from textmusic.writing.rewriting import MOST_VARIATIONS

    within("variations", variations, 1, MOST_VARIATIONS)
    check_seed(seed, variations)
    return check_length(well_formed(text))


def harmonise(
    file: Annotated[
        Path,
        typer.Argument(
            help="Melody: a MIDI, MusicXML (.musicxml, .mxl), ABC or kern file, or a recording."
        ),
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
    variations: Variations = 1,
    seed: Seed = None,
    how: SamplingOptions,
    results: ResultOptions,
    model: Model = None,
) -> None:
    """Propose chords for a melody and write them out around it; the melody stays as it is.

    Without --chords, those that the file names are used, or else the best of those proposed.
    """
    outline = Controls(chords=chords).outline()
    text = _checked(text, variations, seed)
    if style is not None and style not in _STYLES:
        raise TextMusicError(f"'{style[:40]}' is not a style; choose {', '.join(_STYLES)}.")
    if style and variations > 1:
        raise TextMusicError("a chorale is written by rule, and has no variations; use --pick.")
    sampling = how.sampling()
    if style and (text or model or seed is not None or sampling != SamplingOptions().sampling()):
        raise TextMusicError(
            "a chorale is written by rule, without a model; leave out the description, --model,"
            " --seed and the sampling options."
        )
    from textmusic.writing.chorale import OFTEN, chorale, sung_by
    from textmusic.writing.harmonising import chosen
    from textmusic.writing.tunes import read_tune

    often = OFTEN if style else 0.0
    if propose:
        _list(read_tune(file), file.name, often)
        return
    results.check()
    if style:
        sung_by(instrument or ())
    tune = read_tune(file)
    chords_used = chosen(tune, outline, pick, often=often)  # said before the model is loaded
    if style:
        keep_pieces(
            [chorale(tune, chords_used, instrument or ())],
            results,
            f"{without_endings(file.stem)}-chorale",
        )
        return
    from textmusic.writing.text_to_music import TextToMusic

    music = TextToMusic.from_pretrained(model)
    for number in range(variations):
        with progress_bar("writing", "bars") as step:
            piece = music.harmonise(
                tune, instruments=instrument or ("piano",), outline=outline, pick=pick,
                text=text, seed=None if seed is None else seed + number,
                sampling=sampling, on_bar=step,
            )  # fmt: skip
        keep_pieces([piece], results, f"{without_endings(file.stem)}-harmonised")


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
