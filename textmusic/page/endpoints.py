"""The page's functions for programs: named endpoints with plain values in and JSON out.

They can be called with gradio_client, over HTTP, and as tools of a Model Context Protocol server.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder

from textmusic.errors import TextMusicError
from textmusic.language.bars import parse_bars
from textmusic.language.controls import Controls, well_formed
from textmusic.language.names import in_words
from textmusic.language.prompt import MAX_CHARACTERS, check_length, read_prompt
from textmusic.library import answers
from textmusic.music.midi_files import read_events
from textmusic.music.practice import Practice
from textmusic.page.forms import visitor_of
from textmusic.page.service import Composition, Moment, Piece, Service, Wish
from textmusic.result.generation import Generation
from textmusic.system.streams import result_of
from textmusic.system.values import text as text_of
from textmusic.system.values import whole
from textmusic.tokens.sampling import check_seed
from textmusic.writing.brief import Brief
from textmusic.writing.chorale import OFTEN, chorale
from textmusic.writing.harmonising import Accompaniment, chosen, in_symbols, proposals
from textmusic.writing.practising import asked_pieces
from textmusic.writing.rewriting import Rewriting, open_to_add, open_to_rewrite
from textmusic.writing.text_to_music import TextToMusic
from textmusic.writing.tunes import read_tune
from textmusic.writing.varying import Theme, Varying

DEFECT = "the request met a defect in textmusic; try another, and report this one."
LIBRARY = "TEXTMUSIC_LIBRARY"  # names the folder that /similar looks in
_LOG = logging.getLogger(__name__)
Making = Generator[Moment, None, list[Generation]]


class Endpoints:
    """The named endpoints of a service; docstrings are their help."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def understand(
        self, text: str, key: str = "", tempo: str = "", bars: int = 0, chords: str = "",
        form: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Say how a description of music is understood, and which parts of it can't be used.

        Args:
            text: the description, in English or Chinese.
            key: for example "D minor"; overrides the text. "" leaves it to the text.
            tempo: quarter notes per minute, or a word; "" leaves it to the text.
            bars: 1 to 256; 0 leaves it to the text.
            chords: for example "Am F C G" or "I-V-vi-IV"; "" leaves them to the text.
            form: for example "AABA" or "verse chorus"; "" leaves it to the text.

        Returns:
            asked (facts by name), seconds, chords, form ("" is open), unused (what can't be used,
                and why).
        """
        with _told():
            wish = _wish(text, key, tempo, bars, chords=chords, form=form)
            return _understood(self._service, wish)

    def generate(
        self, text: str, key: str = "", tempo: str = "", bars: int = 0, seed: int = -1,
        model: str = "", chords: str = "", form: str = "", request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Write music for a description.

        Args:
            text: the description, in English or Chinese; "" leaves everything to the model.
            key: for example "D minor"; overrides the text. "" leaves it to the text.
            tempo: quarter notes per minute, or a word; "" leaves it to the text.
            bars: 1 to 256; 0 leaves it to the text.
            seed: the same seed gives the same music; -1 picks one at random.
            model: one that the page offers, such as "lstm"; "" is the first.
            chords: for example "Am F C G" or "I-V-vi-IV"; "" leaves them to the text.
            form: for example "AABA" or "verse chorus"; "" leaves it to the text.

        Returns:
            midi, audio, piano_roll, report_file (files) and report (what was asked, planned and
            measured).
        """
        with _told():
            wish = _wish(text, key, tempo, bars, seed, model, chords=chords, form=form)
            return self._kept(self._service.generate(wish, visitor_of(request)), wish.text)

    def continue_piece(
        self, midi: FileData, bars: int = 8, text: str = "", seed: int = -1, model: str = "",
        chords: str = "", form: str = "", request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Continue a MIDI file with new bars.

        Args:
            midi: a MIDI file, up to 2 MB.
            bars: number of new bars.
            text: description of the new bars; "" continues in the same style.
            seed: the same seed gives the same music; -1 picks one at random.
            model: one that the page offers, such as "lstm"; "" is the first.
            chords: of the new bars, such as "Am F C G" or "I-V-vi-IV"; "" leaves them to the text.
            form: of the new bars, such as "AABA"; "" leaves it to the text.

        Returns:
            as /generate; the files have the old bars and the new ones.
        """
        with _told():
            source = _uploaded(midi)
            wish = _wish(text, seed=seed, model=model, chords=chords, form=form)
            making = self._service.go_on(source, bars, wish, visitor_of(request))
            return self._kept(making, wish.text or source.stem)

    def rewrite(
        self, midi: FileData, bars: str = "", instruments: str = "", text: str = "",
        seed: int = -1, model: str = "", chords: str = "", form: str = "",
        request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Write bars or instruments of a MIDI file anew; all else in it stays as it is.

        Args:
            midi: a MIDI file, up to 2 MB.
            bars: counted from 1, for example "5-8" or "5"; "" is all of them.
            instruments: that are written anew, for example "bass, drums"; "" is all of them.
            text: description of the new music; "" leaves it to the model.
            seed: the same seed gives the same music; -1 picks one at random.
            model: one that the page offers; "" is the first.
            chords: of these bars, such as "Am F C G" or "I-V-vi-IV"; "" leaves them open.
            form: of these bars, such as "AABA"; "" leaves it open.

        Returns:
            as /generate.
        """
        with _told():
            wish = _wish(text, seed=seed, model=model, chords=chords, form=form)
            where, players = parse_bars(bars or None), [instruments] if instruments else []
            opened = open_to_rewrite(read_events(_uploaded(midi)), where, players)
            return self._composed(
                lambda music, brief: Rewriting(music, opened, brief), wish, request
            )

    def add(
        self, midi: FileData, instruments: str = "", text: str = "", bars: str = "",
        seed: int = -1, model: str = "", request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Add parts for more instruments to a MIDI file; all else in it stays as it is.

        Args:
            midi: a MIDI file, up to 2 MB.
            instruments: that are added, for example "bass, drums"; "" takes them from the text.
            text: description of the new parts, such as "walking bass and brushed drums".
            bars: in which they play, counted from 1, for example "5-8"; "" is all of them.
            seed: the same seed gives the same music; -1 picks one at random.
            model: one that the page offers; "" is the first.

        Returns:
            as /generate.
        """
        with _told():
            wish = _wish(text, seed=seed, model=model)
            words = read_prompt(wish.text).asked.programs or ()
            named: Sequence[str | int] = [instruments] if instruments else words
            opened = open_to_add(read_events(_uploaded(midi)), parse_bars(bars or None), named)
            return self._composed(
                lambda music, brief: Rewriting(music, opened, brief), wish, request
            )

    def vary(
        self, midi: FileData, text: str = "", variation: int = 1, seed: int = -1, model: str = "",
        request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Write a variation on a MIDI file: its harmony and form, otherwise new music.

        Args:
            midi: a MIDI file, up to 2 MB.
            text: what it should be like, such as "waltz, minor, for strings".
            variation: without a text, which of the usual ones: 1 another texture, 2 another metre,
                3 the other mode, 4 and above other styles.
            seed: the same seed gives the same music; -1 picks one at random.
            model: one that the page offers; "" is the first.

        Returns:
            as /generate.
        """
        with _told():
            wish = _wish(text, seed=seed, model=model)
            theme = Theme(read_events(_uploaded(midi)))
            number = None if wish.text else whole("variation", variation, 1, 16) - 1
            return self._composed(
                lambda music, brief: Varying(music, theme, brief, number=number), wish, request
            )

    def _composed(
        self, work: Callable[[TextToMusic, Brief], Composition], wish: Wish,
        request: gr.Request | None,
    ) -> dict[str, Any]:  # fmt: skip
        (piece,) = self._service.compose(work, wish, visitor_of(request))
        title = wish.text or (piece.report.change.name if piece.report.change else "")
        return _files(self._service.keep(piece, [], title))

    def harmonise(
        self, melody: FileData, chords: str = "", instrument: str = "", style: str = "",
        pick: int = 0, text: str = "", seed: int = -1, model: str = "",
        request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Propose chords for a melody and write them out around it; the melody stays as it is.

        Args:
            melody: a MIDI, MusicXML, ABC or kern file.
            chords: for example "Am F C G", a bar each; "" takes those that the file names, or else
                the best of those proposed.
            instrument: what accompanies it, or sings a chorale; several with commas. "" is a piano,
                or a choir.
            style: "chorale" for four voices by rule; "" for an accompaniment by the model.
            pick: the number of another proposal, from 1; 0 leaves the choice.
            text: description of the accompaniment.
            seed: the same seed gives the same music; -1 picks one at random.
            model: one that the page offers, such as "lstm"; "" is the first.

        Returns:
            proposals (chords, and fit: the share of the melody on their tones), and as /generate.
        """
        with _told():
            source = _uploaded(melody)
            wish = _wish(text, seed=seed, model=model, chords=chords)
            if style and style != "chorale":
                raise TextMusicError("the style is not known; use 'chorale', or leave it out.")
            players = [name.strip() for name in str(instrument or "").split(",") if name.strip()]
            tune = read_tune(source)
            often = OFTEN if style else 0.0
            found = [
                {"chords": in_symbols(made.rows, tune.key), "fit": round(made.fit, 3)}
                for made in proposals(tune, often=often)
            ]
            chords_used = chosen(tune, wish.controls.outline(), pick or None, often=often)
            if style:
                made = chorale(tune, chords_used, players)
                return {"proposals": found, **_files(self._service.keep(made, [], source.stem))}
            plain = replace(wish, controls=Controls())  # the chords are chosen already
            return {"proposals": found} | self._composed(
                lambda music, brief: Accompaniment(
                    music, tune, chords_used, players or ("piano",), brief
                ),
                plain, request,
            )  # fmt: skip

    def compare(
        self, text: str, first: str = "", second: str = "lstm", seed: int = 1,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Write music with two models from the same description, plan and seed.

        Args:
            text: the description, in English or Chinese.
            first: a model; "" is the page's first. The second model gets its plan too.
            second: another model.
            seed: used by both.

        Returns:
            first and second, each as /generate.
        """
        found, plan = {}, None
        with _told():
            for name, model in (("first", first), ("second", second)):
                wish = _wish(text, seed=seed, model=model)
                making = self._service.generate(wish, visitor_of(request), plan=plan)
                (piece,) = result_of(making)
                plan = plan or piece.plan
                found[name] = _files(self._service.keep(piece, [], wish.text))
        return found

    def practise(
        self, instrument: str = "piano", grade: int = 1, key: str = "", bars: int = 8,
        text: str = "", seed: int = -1, model: str = "", request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Write a practice piece that keeps to the limits of a grade, as sight-reading tests do.

        Args:
            instrument: piano, violin, flute, guitar or voice.
            grade: 1 (beginners) to 5.
            key: one of the grade's, such as "G"; "" leaves it open.
            bars: 4 to 32.
            text: more about it, such as "five-finger position, only C to G"; can be "".
            seed: the same seed gives the same music; -1 picks one at random.
            model: one that the page offers, such as "lstm"; "" is the first.

        Returns:
            as /generate; the report's remarks say whether the limits are kept.
        """
        with _told():
            said = text_of("instrument", instrument, MAX_CHARACTERS)
            wish = _wish(f"grade {grade} {said} piece. {text or ''}", key, "", bars, seed, model)
            asked_pieces(Practice(said, grade), 1, wish.controls.plan())
            making = self._service.generate(wish, visitor_of(request))
            return self._kept(making, f"{said} grade {grade}")

    def similar(
        self, text: str = "", midi: FileData | None = None, top: int = 10
    ) -> list[dict[str, Any]]:
        """Find pieces of the page's library that are like a piece, or that fit a description.

        Args:
            text: the description; not used where there is a file.
            midi: a MIDI file, up to 2 MB.
            top: how many, 1 to 100.

        Returns:
            by piece, the nearest first: piece (its name), title, score, why (sentences).
        """
        with _told():
            folder = os.environ.get(LIBRARY)
            if not folder:
                raise TextMusicError(
                    f"this page has no library; set {LIBRARY} to a folder of music to serve one."
                )
            asked = check_length(text or "") if midi is None else _uploaded(midi)
            return answers.similar(asked, Path(folder), whole("top", top, 1, 100))

    def originality(self, midi: FileData, other: FileData) -> dict[str, Any]:
        """Show the longest runs of notes that two pieces share, in any key, at any speed.

        Args:
            midi: a MIDI file, up to 2 MB.
            other: the one to compare it with.

        Returns:
            melody and rhythm, null without one: notes, bars, other_bars, usual (the share of
            unrelated pairs of real pieces that share as much); of the melody also semitones,
            times_as_long, side_by_side.
        """
        with _told():
            return answers.shared(_uploaded(midi), _uploaded(other))

    def _kept(self, making: Making, title: str) -> dict[str, Any]:
        (piece,) = result_of(making)
        return _files(self._service.keep(piece, [], title))


def add_endpoints(service: Service) -> None:
    """Define the endpoints on the page being built."""
    endpoints = Endpoints(service)
    for function, name in (
        (endpoints.understand, "understand"), (endpoints.generate, "generate"),
        (endpoints.continue_piece, "continue"), (endpoints.rewrite, "rewrite"),
        (endpoints.add, "add"), (endpoints.vary, "vary"), (endpoints.harmonise, "harmonise"),
        (endpoints.practise, "practise"), (endpoints.compare, "compare"),
        (endpoints.similar, "similar"), (endpoints.originality, "originality"),
    ):  # fmt: skip
        gr.api(function, api_name=name, concurrency_id="writing")


def _wish(
    text: object, key: Any = "", tempo: Any = "", bars: Any = 0, seed: object = -1,
    model: Any = "", *, chords: Any = "", form: Any = "",
) -> Wish:  # fmt: skip
    """What programs ask for; they send any JSON, and null for what they leave open."""
    controls = Controls(
        key=key or None, tempo=tempo or None, bars=bars or None, chords=chords or None,
        form=form or None,
    )  # fmt: skip
    chosen = None if seed is None or (type(seed) is int and seed == -1) else check_seed(seed)
    return Wish(well_formed(check_length(text or "")), controls, chosen, model=model or "")


def _understood(service: Service, wish: Wish) -> dict[str, Any]:
    prompt, _ = service.understand(wish)
    asked = dict(prompt.asked.known())
    near = dict(prompt.near.known())
    words = in_words(prompt.asked, outline=prompt.outline)
    return {
        "asked": asked, "near": near, "seconds": prompt.seconds,
        "chords": words.get("chords", ""), "form": words.get("form", ""),
        "unused": list(prompt.unused),
    }  # fmt: skip


def _files(piece: Piece) -> dict[str, Any]:
    found = {path.suffix[1:]: _file(path) for path in piece.files}
    return {
        "midi": found["mid"],
        "audio": found["wav"],
        "piano_roll": found["svg"],
        "report_file": found["json"],
        "report": piece.report.to_dict(),
    }


def _file(path: Path) -> dict[str, Any]:
    """A file as the JSON that clients download it by."""
    return dict(FileData(path=str(path), orig_name=path.name).model_dump())


def _uploaded(midi: object) -> Path:
    """The file that a client has uploaded; raises TextMusicError for any other, and for none."""
    said = midi.get("path") if isinstance(midi, dict) else getattr(midi, "path", None)
    try:
        path = Path(said if isinstance(said, str) else "").resolve()
        if path.is_relative_to(Path(get_upload_folder()).resolve()) and path.is_file():
            return path
    except (OSError, ValueError):  # no name that a file can have
        pass
    raise TextMusicError("the file was not uploaded; upload it with handle_file(...).")


@contextmanager
def _told() -> Iterator[None]:
    """Problems as the API's own errors, which clients get as text."""
    try:
        yield
    except TextMusicError as problem:
        raise gr.Error(str(problem), print_exception=False) from None
    except Exception:  # clients are not shown our inside
        _LOG.exception("a request through the API met a defect")
        raise gr.Error(DEFECT, print_exception=False) from None
