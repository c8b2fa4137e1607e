"""The command that writes practice pieces, and worksheets of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from textmusic.cli.checks import check_folder, check_seed
from textmusic.cli.options import Model, ResultOptions, Seed
from textmusic.cli.terminal import new_console, say
from textmusic.language.controls import Controls, well_formed
from textmusic.language.notes import note_for
from textmusic.system.progress import progress_bar
from textmusic.system.whole_files import whole_file

if TYPE_CHECKING:
    from textmusic.result.generation import Generation


def practise(
    text: Annotated[
        str,
        typer.Argument(help='More about the pieces, such as "five-finger position, only C to G".'),
    ] = "",
    *,
    instrument: Annotated[
        str, typer.Option(help="One of piano, violin, flute, guitar, voice.")
    ] = "piano",
    grade: Annotated[int, typer.Option(help="1 (beginners) to 5.")] = 1,
    key: Annotated[
        str | None, typer.Option(help="A key of the grade; default: another for each piece.")
    ] = None,
    time_signature: Annotated[
        str | None, typer.Option(help="One of the grade's, for example 3/4.")
    ] = None,
    tempo: Annotated[str | None, typer.Option(help="Quarter notes per minute, or a word.")] = None,
    bars: Annotated[int, typer.Option(help="Length of a piece in bars, 4 to 32.")] = 8,
    pieces: Annotated[int, typer.Option(help="Number of pieces, 1 to 24.")] = 1,
    progression: Annotated[
        bool,
        typer.Option(
            "--progression", help="Make the pieces gradually harder, by up to two grades."
        ),
    ] = False,
    worksheet: Annotated[
        bool, typer.Option("--worksheet", help="All pieces, engraved, in one PDF.")
    ] = False,
    seed: Seed = None,
    results: ResultOptions,
    model: Model = None,
) -> None:
    """Write practice pieces that keep to the limits of a grade, with fingering for the piano."""
    from textmusic.drawing.sheet_music import require
    from textmusic.language.prompt import check_length, read_prompt
    from textmusic.music.practice import Practice
    from textmusic.writing.practising import asked_pieces, sheet

    text = check_length(well_formed(text))
    controls = Controls(key=key, tempo=tempo, time_signature=time_signature, bars=bars).plan()
    practice = Practice(instrument.lower(), grade)
    (_, plan, _), *_ = asked_pieces(practice, 1, controls)
    if (said := read_prompt(text, controls=plan).practice) is not None:
        practice = replace(said, grade=grade)
    asked_pieces(practice, pieces, controls, text, progression=progression)
    check_seed(seed, pieces)
    results.check()
    if worksheet:
        check_folder(results.out)
        for library in ("music21", "verovio", "typst"):
            require(library)

    from textmusic.writing.text_to_music import TextToMusic

    music = TextToMusic.from_pretrained(model)
    with progress_bar("writing", "bars") as step:
        written = music.practise(
            practice, pieces, text=text, controls=controls, progression=progression, seed=seed,
            on_bar=step,
        )  # fmt: skip
    console = new_console()
    for note in written[0].report.unused:
        say(console, f"not used: {note_for(note, text)}")
    for number, piece in enumerate(written, 1):
        verdict = piece.report.remarks[-1]
        say(console, f"{number}. {piece.title}, {piece.plan.time_signature}: {verdict}")
        for path in results.save(piece, _stem(piece, number, len(written))):
            say(console, str(path))
    if worksheet:
        title = f"{practice.instrument.capitalize()}: sight-reading"
        path = results.out / f"worksheet-{practice.instrument}-{written[0].seed}.pdf"
        with whole_file(path) as partial:
            partial.write_bytes(sheet(written, title))
        say(console, str(path))


def _stem(piece: Generation, number: int, pieces: int) -> str:
    from textmusic.result.titles import slug_of

    name = f"{slug_of(piece.title)}-{piece.seed}"
    return f"{number:02}-{name}" if pieces > 1 else name
