"""The commands on pieces that are there already: replay, continue, adjust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
from textmusic.cli.terminal import new_console, plain, say, show
from textmusic.errors import TextMusicError
from textmusic.language.controls import Controls, parse_key, parse_tempo, well_formed
from textmusic.result.titles import without_endings
from textmusic.system.progress import progress_bar

if TYPE_CHECKING:
    from textmusic.music.midi_events import MidiEvents
    from textmusic.result.generation import Generation


def replay(
    file: Annotated[Path, typer.Argument(help="A MIDI file or report that textmusic wrote.")],
    *,
    results: ResultOptions,
    model: Annotated[
        str | None,
        typer.Option(help="Model folder or Hub id; default: the model named in the file."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            help="The file that was continued or adjusted; default: the one of its name beside"
            " FILE, in the folder above it or in the current one."
        ),
    ] = None,
) -> None:
    """Write a piece again from its file, and check that every note is the same."""
    from textmusic.result.recipe import read_recipe, same_piece
    from textmusic.writing.adjusting import HOW as ADJUSTED
    from textmusic.writing.chorale import BY_RULE
    from textmusic.writing.editing import HOW as EDITED
    from textmusic.writing.repeating import again, source_of

    results.check()
    recipe, change = read_recipe(file), None
    if recipe.change is not None:
        folders = (file.parent, file.parent.parent, Path())
        change = source_of(recipe.change, source, folders)

    from textmusic.writing.text_to_music import TextToMusic

    ruled = recipe.model == BY_RULE or (recipe.change and recipe.change.how in (ADJUSTED, EDITED))
    needs_model = recipe.change is None or not ruled
    music = TextToMusic.from_pretrained(model or recipe.model) if needs_model else None
    with progress_bar("writing", "bars") as step:
        if change is not None:
            piece = again(recipe, change, music, step)
        else:
            assert music is not None
            piece = music.generate(
                recipe.text, controls=recipe.asked, seconds=recipe.seconds, outline=recipe.outline,
                practice=recipe.practice, seed=recipe.seed, sampling=recipe.sampling, on_bar=step,
            )  # fmt: skip
    if recipe.loop:
        piece = piece.looped()
    if not same_piece(file, piece):
        raise TextMusicError(
            f"'{file}' does not match what was written again; it was changed, or written by"
            f" another model (textmusic {recipe.version}, {recipe.model}), which --model can name."
        )
    console = new_console()
    stem = results.unused(file.stem if recipe.change else f"{piece.slug}-{piece.seed}")
    for path in results.save(piece, stem, recipe.performance):
        say(console, str(path))
    say(console, f"identical to {file}, note for note")


def go_on(
    file: MidiFile,
    text: Annotated[str, typer.Argument(help="Description of the new bars.")] = "",
    *,
    bars: Annotated[
        int | None,
        typer.Option(
            help="Number of new bars, 1 to 255; default: as the text says, or else 8, or, with"
            " --keep, as many as it takes away."
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            help="Keep this many bars, counted from the start of the piece, and rewrite the rest;"
            " with --bars, write that many new ones in its place."
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help='Key of the new bars, for example "D minor".')
    ] = None,
    tempo: Annotated[
        str | None,
        typer.Option(
            help="Tempo of the new bars: quarter notes per minute, or a word such as andante."
        ),
    ] = None,
    mood: Annotated[
        str | None, typer.Option(help='Mood of the new bars: a word, or two levels such as "2,4".')
    ] = None,
    chords: Chords = None,
    form: Form = None,
    seed: Seed = None,
    how: SamplingOptions,
    results: ResultOptions,
    model: Model = None,
) -> None:
    """Continue a MIDI file, or rewrite its end with --keep; all else in it stays as it is."""
    controls = Controls(key=key, tempo=tempo, mood=mood, chords=chords, form=form)
    plan, outline = controls.plan(), controls.outline()
    check_seed(seed)
    results.check()
    sampling = how.sampling()
    from textmusic.language.prompt import check_length
    from textmusic.writing.sources import read_piece

    text = check_length(well_formed(text))
    source = read_piece(file)
    from textmusic.writing.text_to_music import TextToMusic

    music = TextToMusic.from_pretrained(model)
    with progress_bar("writing", "bars") as step:
        piece = music.continue_from(
            source, bars, keep=keep, text=text, controls=plan, outline=outline,
            seed=seed, sampling=sampling, on_bar=step,
        )  # fmt: skip
    keep_pieces(
        [piece], results, f"{without_endings(file.stem)}-{'varied' if keep else 'continued'}"
    )


def adjust(
    file: MidiFile,
    *,
    transpose: Annotated[int, typer.Option(help="Semitones up (negative: down), -24 to 24.")] = 0,
    transpose_to: Annotated[
        str | None,
        typer.Option(help='Transpose to the tonic of a key, the short way, for example "D minor".'),
    ] = None,
    snap: Annotated[
        str | None,
        typer.Option(
            help='Move notes into the scale of a key, for example "D minor"; transposes first if'
            " the piece would end up in another key."
        ),
    ] = None,
    tempo: Annotated[
        str | None,
        typer.Option(
            help="Quarter notes per minute at the first note, or a word such as andante; later"
            " tempos keep their ratio to it."
        ),
    ] = None,
    instrument: Annotated[
        list[str] | None,
        typer.Option(
            help='Instrument of a part: 2=flute, or "guitar=cello"; can be repeated, or'
            ' "1=flute, 2=oboe". Plain names go to the parts in order, the last one to all that are'
            " left."
        ),
    ] = None,
    results: ResultOptions,
) -> None:
    """Transpose a MIDI file, snap it to a key, or change its tempo or instruments.

    All else in it stays as it is. Without a change, its parts are listed, and nothing is written.
    """
    results.check()
    from textmusic.writing.adjusting import Adjustment, read_instruments
    from textmusic.writing.adjusting import adjust as adjusted
    from textmusic.writing.sources import read_piece

    change = replace(
        read_instruments(instrument or ()),
        semitones=transpose,
        key=None if snap is None else parse_key(snap),
        to_key=None if transpose_to is None else parse_key(transpose_to),
        tempo=None if tempo is None else parse_tempo(tempo),
    )
    source = read_piece(file)
    if change == Adjustment():
        _list_parts(source)
        return
    piece = adjusted(source, change)
    keep_pieces([piece], results, f"{without_endings(file.stem)}-adjusted")


def _list_parts(source: MidiEvents) -> None:
    """Print what plays in a file, so that --instrument can name it."""
    from rich.table import Table
    from rich.text import Text

    from textmusic.music.midi_events import mended_words
    from textmusic.writing.players import table_of_parts

    console = new_console()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("part", "name", "instrument", "channel", "notes", "range"):
        table.add_column(head, justify="right" if head in ("part", "channel", "notes") else "left")
    for row in table_of_parts(source):
        table.add_row(*(Text(plain(cell)) for cell in row))
    console.print(table)
    for remark in mended_words(source.mended):
        say(console, f"note: {remark}")


def keep_pieces(
    pieces: Sequence[Generation], results: ResultOptions, stem: str | None = None,
    called: str = "version",
) -> None:  # fmt: skip
    """Write the files of pieces, and say what they are.

    stem: their name, with a number where a file has it; None: each is named after itself.
    """
    console = new_console()
    for number, piece in enumerate(pieces, 1):
        if len(pieces) > 1:
            console.print()
            say(console, f"{called} {number} of {len(pieces)}, seed {piece.seed}")
        paths = results.save(piece, None if stem is None else results.unused(stem))
        show(piece, console)
        for path in paths:
            say(console, str(path))
