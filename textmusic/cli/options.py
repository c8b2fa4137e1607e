"""Options that several commands have, each declared once: alone, or in a group with what it is for.

A command that takes a group gets it through `grouped.ungrouped`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textmusic.cli.checks import (
    check_folder,
    check_performance,
    check_sample_rate,
    check_soundfont,
    read_formats,
)
from textmusic.language.controls import Controls
from textmusic.result.formats import DEFAULT_FORMATS

if TYPE_CHECKING:
    from textmusic.result.generation import Generation
    from textmusic.tokens.sampling import Sampling

# Alone --------------------------------------------------------------------------------------------

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
OUT = Path("out")
SAMPLE_RATE = 44100
LONGEST_STEM = 200  # bytes of a file's name; its ending comes on top
FORMAT_LIST = ",".join(DEFAULT_FORMATS)
FORMAT = typer.Option(
    "--format",
    help="File formats, separated by commas: mid, wav, flac, mp3, ogg, opus, svg, png, json,"
    " musicxml, lead.musicxml (melody and chord names), sheet.svg, pdf.",
)
Soundfont = Annotated[
    Path | None,
    typer.Option(help="SF2 or SF3 soundfont; default: TEXTMUSIC_SOUNDFONT, or else FluidR3Mono."),
]
Dry = Annotated[bool, typer.Option("--dry", help="Audio without reverb.")]
SampleRate = Annotated[
    int, typer.Option(help="Audio samples a second: 44100 or 48000; opus always has 48000.")
]
Performance = Annotated[
    float | None,
    typer.Option(
        help="How far MIDI and audio are performed, 0 (as written) to 1; default: 0.7, in replay as"
        " the file has it."
    ),
]
Stems = Annotated[
    bool, typer.Option("--stems", help="Write each part's audio as a file of its own, too.")
]
Model = Annotated[
    str | None,
    typer.Option(help="Model folder or Hugging Face Hub id; default: the bundled model."),
]
MidiFile = Annotated[Path, typer.Argument(help="MIDI file, up to 2 MB, or a recording.")]
Chords = Annotated[str | None, typer.Option(help='For example "Am F C G" or I-V-vi-IV.')]
Form = Annotated[str | None, typer.Option(help='For example AABA or "verse chorus verse chorus".')]
Seed = Annotated[int | None, typer.Option(help="The same seed gives the same music.")]
FirstSeed = Annotated[int, typer.Option(help="Seed of the first prompt; increases by one.")]
Threads = Annotated[int | None, typer.Option(help="Processor cores to use; default: all.")]
Workers = Annotated[int | None, typer.Option(help="Number of processes; default: one per core.")]
Ray = Annotated[
    str | None,
    typer.Option(help="Run on a Ray cluster: local (start one here), auto, or HOST:PORT."),
]
Loop = Annotated[
    bool,
    typer.Option("--loop", help="Make a seamless loop, exactly as long as its bars."),
]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
HOST = "127.0.0.1"
Port = Annotated[int, typer.Option(help="Port to listen on.")]
PORT = 7860

# Groups -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ControlOptions:
    """What is asked for beside the text."""

    bars: Annotated[int | None, typer.Option(help="Length in bars, 1 to 256.")] = None
    seconds: Annotated[float | None, typer.Option(help="Length in seconds, 2 to 600.")] = None
    key: Annotated[str | None, typer.Option(help='For example "D minor".')] = None
    tempo: Annotated[
        str | None, typer.Option(help="Quarter notes per minute, or a word such as andante.")
    ] = None
    time_signature: Annotated[str | None, typer.Option(help="For example 6/8.")] = None
    instrument: Annotated[
        list[str] | None,
        typer.Option(help="Name or General MIDI program number, 128 for drums; can be repeated."),
    ] = None
    mood: Annotated[
        str | None,
        typer.Option(
            help='A word, or two levels (valence,arousal) from 1 to 5 such as "2,4"; "open" skips'
            " one."
        ),
    ] = None
    genre: Annotated[str | None, typer.Option(help="For example ragtime.")] = None
    density: Annotated[
        str | None,
        typer.Option(help="1 (very sparse) to 5 (very dense), or a word such as sparse."),
    ] = None
    chords: Chords = None
    form: Form = None

    @property
    def controls(self) -> Controls:
        """The same as controls, unread."""
        return Controls(
            key=self.key, tempo=self.tempo, time_signature=self.time_signature,
            instruments=self.instrument or (), bars=self.bars, seconds=self.seconds,
            mood=self.mood, genre=self.genre, density=self.density, chords=self.chords,
            form=self.form,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How freely the model writes."""

    temperature: Annotated[
        float | None, typer.Option(help="Sampling temperature, 0 (always the likeliest) to 2.")
    ] = None
    top_p: Annotated[
        float | None,
        typer.Option(help="Sample from the likeliest tokens with this total probability, up to 1."),
    ] = None
    harmony_strength: Annotated[
        float | None,
        typer.Option(help="How closely notes follow the chords, 0 (not at all) to 1."),
    ] = None
    form_strength: Annotated[
        float | None,
        typer.Option(help="How closely repeated bars follow the originals, 0 (not at all) to 1."),
    ] = None
    melody_strength: Annotated[
        float | None,
        typer.Option(
            help="How firmly melodies move by step and avoid clashes, 0 (not at all) to 1."
        ),
    ] = None

    def sampling(self) -> Sampling:
        """What is given, and the defaults for the rest.

        Raises TextMusicError for a value out of range.
        """
        from textmusic.tokens.sampling import Sampling

        given = {
            "temperature": self.temperature, "top_p": self.top_p,
            "harmony_strength": self.harmony_strength, "form_strength": self.form_strength,
            "melody_strength": self.melody_strength,
        }  # fmt: skip
        return Sampling(**{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True, slots=True)
class ResultOptions:
    """The files that a piece is kept in."""

    out: Out = OUT
    formats: Annotated[str, FORMAT] = FORMAT_LIST
    soundfont: Soundfont = None
    dry: Dry = False
    sample_rate: SampleRate = SAMPLE_RATE
    stems: Stems = False
    performance: Performance = None

    @property
    def amount(self) -> float:
        """How far a new piece is performed."""
        from textmusic.performing.performance import PERFORMANCE

        return PERFORMANCE if self.performance is None else self.performance

    def check(self, *, playing: bool = False) -> None:
        """Raise TextMusicError, before anything is loaded, where a file could not be written.

        playing: whether the soundfont is needed in any case.
        """
        kinds = read_formats(self.formats)
        check_sample_rate(self.sample_rate)
        check_performance(self.performance)
        check_folder(self.out)
        check_soundfont((*kinds, "wav") if playing else kinds, self.soundfont)

    def unused(self, stem: str) -> str:
        """A name that none of a piece's files has yet: this one, or this one with a number.

        It is cut where file systems would not take it.
        """
        stem = os.fsencode(stem)[:LONGEST_STEM].decode("utf-8", "ignore")
        kinds = read_formats(self.formats)
        names = chain([stem], (f"{stem}-{number}" for number in count(2)))
        return next(
            name for name in names
            if not any((self.out / f"{name}.{kind}").exists() for kind in kinds)
        )  # fmt: skip

    def save(
        self, piece: Generation, stem: str | None = None, performance: float | None = None
    ) -> Sequence[Path]:
        """Write a piece's files; they are returned. performance: if the options say none."""
        kinds = read_formats(self.formats)
        return piece.save(
            self.out,
            formats=kinds,
            stem=stem,
            soundfont=self.soundfont,
            dry=self.dry,
            sample_rate=self.sample_rate,
            stems=self.stems,
            performance=performance if self.performance is None else self.performance,
        )
