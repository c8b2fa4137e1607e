"""The endpoints that compose with a piece: rewrite, add, vary, harmonise; and practice pieces."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from textmusic.errors import TextMusicError
from textmusic.language.bars import parse_bars
from textmusic.language.controls import Controls
from textmusic.language.prompt import MAX_CHARACTERS, read_prompt
from textmusic.music.practice import Practice
from textmusic.page.calls import files_of, told, uploaded, wish_of_values
from textmusic.page.forms import visitor_of
from textmusic.page.service import Service, Wish, Work
from textmusic.system.streams import result_of
from textmusic.system.values import text as text_of
from textmusic.system.values import truth, whole
from textmusic.writing.chorale import OFTEN, chorale
from textmusic.writing.harmonising import Accompaniment, chosen, in_symbols, proposals
from textmusic.writing.practising import asked_pieces
from textmusic.writing.rewriting import open_to_add, open_to_rewrite
from textmusic.writing.sources import read_piece
from textmusic.writing.theme_and_variations import ThemeAndVariations
from textmusic.writing.tunes import read_tune
from textmusic.writing.varying import Theme, Varying


class Compositions:
    """Named endpoints of a service; docstrings are their help."""

    def __init__(self, service: Service) -> None:
        self._service = service

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
        with told():
            wish = wish_of_values(text, seed=seed, model=model, chords=chords, form=form)
            where, players = parse_bars(bars or None), [instruments] if instruments else []
            opened = open_to_rewrite(read_piece(uploaded(midi)), where, players)
            return self._composed(opened.rewriting, wish, request)

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
        with told():
            wish = wish_of_values(text, seed=seed, model=model)
            named = [instruments] if instruments else read_prompt(wish.text).asked.programs or ()
            opened = open_to_add(read_piece(uploaded(midi)), parse_bars(bars or None), named)
            return self._composed(opened.rewriting, wish, request)

    def vary(
        self, midi: FileData, text: str = "", variation: int = 1, seed: int = -1, model: str = "",
        with_theme: bool = False, request: gr.Request | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Write a variation on a MIDI file: its harmony and form, otherwise new music.

        Args:
            midi: a MIDI file, up to 2 MB.
            text: what it should be like, such as "waltz, minor, for strings".
            variation: without a text, which of the usual ones: 1 another texture, 2 another metre,
                3 the other mode, 4 and above other styles.
            seed: the same seed gives the same music; -1 picks one at random.
            model: one that the page offers; "" is the first.
            with_theme: true for one piece, the theme as it is and the variation behind it.

        Returns:
            as /generate.
        """
        with told():
            wish = wish_of_values(text, seed=seed, model=model)
            theme = Theme(read_piece(uploaded(midi)))
            number = None if wish.text else whole("variation", variation, 1, 16) - 1
            kind = ThemeAndVariations if truth("with_theme", with_theme or False) else Varying
            return self._composed(partial(kind, theme=theme, number=number), wish, request)

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
        with told():
            source = uploaded(melody)
            wish = wish_of_values(text, seed=seed, model=model, chords=chords)
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
                return {"proposals": found, **files_of(self._service.keep(made, source.stem))}
            plain = replace(wish, controls=Controls())  # the chords are chosen already
            return {"proposals": found} | self._composed(
                lambda music, brief: Accompaniment(
                    music, tune, chords_used, players or ("piano",), brief
                ),
                plain, request,
            )  # fmt: skip

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
        with told():
            said = text_of("instrument", instrument, MAX_CHARACTERS)
            wish = wish_of_values(
                f"grade {grade} {said} piece. {text or ''}", key, "", bars, seed, model
            )
            asked_pieces(Practice(said, grade), 1, wish.controls.plan())
            making = self._service.generate(wish, visitor_of(request))
            (piece,) = result_of(making)
            return files_of(self._service.keep(piece, f"{said} grade {grade}"))

    def _composed(
        self, work: Work, wish: Wish, request: gr.Request | None
    ) -> dict[str, Any]:  # fmt: skip
        (piece,) = result_of(self._service.compose(work, wish, visitor_of(request)))
        title = wish.text or (piece.report.change.name if piece.report.change else "")
        return files_of(self._service.keep(piece, title))
