"""What happens on the page: its controls -> the service -> what it shows."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from textmusic.drawing.piano_roll import piano_roll
from textmusic.errors import TextMusicError
from textmusic.language.controls import well_formed
from textmusic.language.prompt import check_length
from textmusic.music.markers import markers_of
from textmusic.music.measure import measure
from textmusic.music.midi_files import read_score
from textmusic.music.plan import MAX_BARS
from textmusic.page.forms import (
    WISH,
    Told,
    count,
    language_for,
    new_seed,
    number,
    surprise,
    visitor_of,
    whole,
    wish_of,
)
from textmusic.page.service import MOST_VARIATIONS, Moment, Piece, Service, Wish
from textmusic.page.views import (
    files_html,
    live_html,
    piece_html,
    report_html,
    roll_html,
    sheet_html,
    understood_html,
)
from textmusic.page.wording import say
from textmusic.result.generation import Generation
from textmusic.sound.audio_files import write_audio
from textmusic.sound.render import render
from textmusic.system.streams import Stream
from textmusic.system.whole_files import whole_file
from textmusic.writing.adjusting import MOST_SEMITONES, read_instruments

Shown = dict[Any, Any]  # updates by component


class Events:
    """The page's components, by tab, and the service behind them."""

    def __init__(
        self, service: Service, create: dict[str, Any], change: dict[str, Any],
        compare: dict[str, Any], result: dict[str, Any],
    ) -> None:  # fmt: skip
        self.service = service
        self.create, self.change, self.compare, self.result = create, change, compare, result

    def connect(self, page: gr.Blocks) -> None:
        """Let every control do what it says."""
        create, change, compare, result = self.create, self.change, self.compare, self.result
        private = {"api_visibility": "private"}
        wish = {create[name] for name in WISH}
        shown = [result[k] for k in ("pieces", "live", "piece", "chosen", "tabs", "report",
                                     "files", "sheet")]  # fmt: skip
        writing = {"outputs": shown, "show_progress_on": result["progress"],
                   "concurrency_id": "writing", **private}  # fmt: skip
        gr.on(
            [create["start"].click, create["text"].submit], self.generate,
            {*wish, create["variations"], result["pieces"]}, **writing,
        )  # fmt: skip
        for name in ("text", "key", "tempo", "time_signature", "instruments", "bars", "seconds",
                     "valence", "arousal", "genre", "density", "chords", "form"):  # fmt: skip
            create[name].change(
                self.understand, wish, create["understood"], queue=False, show_progress="hidden",
                trigger_mode="always_last", **private,
            )  # fmt: skip
        create["surprise"].click(surprise, None, create["text"], queue=False, **private)
        create["dice"].click(new_seed, None, create["seed"], queue=False, **private)
        create["stop"].click(self.stop, None, None, queue=False, **private)
        page.unload(self.stop)  # nobody waits for it any more
        sides = [change["before"], change["after"], change["upload"]]
        source = {change["upload"], result["chosen"], result["pieces"]}
        for name, handler, needs in (
            ("go_on", self.go_on, ("text", "bars")),
            ("vary", self.vary, ("text", "keep")),
            ("adjust", self.adjust, ("semitones", "tempo", "snap", "instruments")),
        ):
            inputs = {*source, *(change[need] for need in needs)}
            change[name].click(handler, inputs, [*shown, *sides],
                               **{k: v for k, v in writing.items() if k != "outputs"})  # fmt: skip
        change["undo"].click(self.undo, {result["chosen"], result["pieces"]}, shown, queue=False,
                             **private)  # fmt: skip
        compare["start"].click(
            self.side_by_side,
            {compare[k] for k in ("text", "first", "second", "seed")},
            [compare["one"], compare["two"], result["live"], result["piece"]],
            show_progress_on=result["progress"], concurrency_id="writing", **private,
        )  # fmt: skip
        result["chosen"].input(self.choose, {result["chosen"], result["pieces"]}, shown,
                               queue=False, show_progress="hidden", **private)  # fmt: skip
        for name, vote in (("up", self.thumb_up), ("down", self.thumb_down)):
            result[name].click(vote, {result["chosen"], result["pieces"]}, None, queue=False,
                               **private)  # fmt: skip
        result["chosen"].change(
            self.sheet, {result["chosen"], result["pieces"]}, [result["sheet"], result["files"]],
            show_progress="hidden", concurrency_id="sheet", concurrency_limit=1, **private,
        )  # fmt: skip

    # Create ---------------------------------------------------------------------------------------

    def understand(self, data: Shown, request: gr.Request) -> str:
        """The line below the description: what is fixed, and why."""
        language = language_for(request)
        try:
            wish = self._wish(data)
            prompt, controls = self.service.understand(wish)
        except TextMusicError as problem:
            return f"<p>{escape(str(problem))}</p>"
        return understood_html(prompt, controls, language, wish.controls.outline())

    def generate(
        self,
        data: Shown,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (how gradio finds it)
    ) -> Generator[Shown, None, None]:
        """Write a piece, shown and heard while it grows."""
        with Told():
            wish = self._wish(data)
            many = count("variations", data[self.create["variations"]], 1, MOST_VARIATIONS)
            making = self.service.generate(wish, visitor_of(request), many)
            pieces = data[self.result["pieces"]]
            yield from self._written(making, pieces, wish.text, None, request, progress)

    def stop(self, request: gr.Request) -> None:
        """Keep the bars that are finished."""
        self.service.stop(visitor_of(request))

    def _wish(self, data: Shown) -> Wish:
        return wish_of({name: data[self.create[name]] for name in WISH})

    # Continue -------------------------------------------------------------------------------------

    def go_on(
        self,
        data: Shown,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Generator[Shown, None, None]:
        """New bars behind the source."""
        yield from self._changed(data, request, progress, "bars")

    def vary(
        self,
        data: Shown,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Generator[Shown, None, None]:
        """The source's first bars, and others for the rest."""
        yield from self._changed(data, request, progress, "keep")

    def adjust(self, data: Shown, request: gr.Request) -> Shown:
        """Transposed, snapped, faster, played by others."""
        with Told():
            source, title, parent = self._source(data, request)
            semitones = data[self.change["semitones"]]
            adjustment = replace(
                read_instruments(data[self.change["instruments"]] or ()),
                semitones=count("semitones", semitones, -MOST_SEMITONES, MOST_SEMITONES),
                key=data[self.change["snap"]] or None,
                tempo=number("tempo", data[self.change["tempo"]]),
            )
            made = self.service.adjust(source, adjustment)
            named = f"{title} ({say('adjusted', language_for(request))})"
            pieces = self._keep([made], data[self.result["pieces"]], named, parent)
            return self._shown(pieces, pieces[-1], request) | self._sides(
                source, title, pieces[-1], request
            )
        return self._nothing()

    def undo(self, data: Shown, request: gr.Request) -> Shown:
        """Back to the piece that the chosen one was made of."""
        with Told():
            pieces, chosen = data[self.result["pieces"]], self._chosen(data)
            before = [p for p in pieces if chosen and p.number == chosen.parent]
            if not before:
                raise TextMusicError(
                    "there is nothing to undo; choose a piece that was made from another."
                )
            return self._shown(pieces, before[0], request)
        return self._nothing()

    def _nothing(self) -> Shown:
        return {self.result["live"]: gr.skip()}

    def _changed(
        self, data: Shown, request: gr.Request, progress: gr.Progress, slider: str
    ) -> Generator[Shown, None, None]:
        """slider: "bars" goes on behind the source, "keep" rewrites all but its first bars."""
        with Told():
            number_of_bars = count("bars", data[self.change[slider]], 0, MAX_BARS)
            bars, keep = (number_of_bars, None) if slider == "bars" else (0, number_of_bars)
            source, title, parent = self._source(data, request)
            text = well_formed(check_length(data[self.change["text"]] or ""))
            wish = Wish(text)
            making = self.service.go_on(source, bars, wish, visitor_of(request), keep)
            pieces = data[self.result["pieces"]]
            done = say("continued" if keep is None else "varied", language_for(request))
            named = f"{text or title} ({done})"
            new = yield from self._written(making, pieces, named, parent, request, progress)
            yield self._sides(source, title, new, request)

    def _source(self, data: Shown, request: gr.Request) -> tuple[Path, str, int | None]:
        """The MIDI file to start from, what it is called, and its number if it is of this visit."""
        upload, chosen = data[self.change["upload"]], self._chosen(data)
        if upload:
            path = Path(upload)
            return path, path.stem[:80], None
        if chosen is None:
            raise TextMusicError(say("no_piece", language_for(request)))
        return chosen.midi, chosen.title, chosen.number

    def _sides(self, source: Path, title: str, new: Piece, request: gr.Request) -> Shown:
        """Before and after, each with its player."""
        language, score = language_for(request), read_score(source)
        wav = source.with_suffix(".wav")
        if not wav.exists():
            with whole_file(wav) as partial:
                write_audio(render(score), partial)
        one, two = say("before", language), say("after", language)
        sketch, sections = markers_of(score, measure(score))
        roll = piano_roll(score, title=title, sketch=sketch, sections=sections)
        old = piece_html(wav, roll, one, language)
        return {
            self.change["before"]: old,
            self.change["after"]: piece_html(new.audio, new.drawing(), two, language),
            self.change["upload"]: None,  # the next change is one of what has come of it
        }

    # Compare --------------------------------------------------------------------------------------

    def side_by_side(
        self,
        data: Shown,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Generator[Shown, None, None]:
        """the same words, plan and seed for two models."""
        compare, language = self.compare, language_for(request)
        with Told():
            text = well_formed(check_length(data[compare["text"]] or ""))
            seed = whole("seed", data[compare["seed"]] or new_seed())
            assert seed is not None
            plan = None
            for side, model in (("one", data[compare["first"]]), ("two", data[compare["second"]])):
                wish = Wish(text, seed=seed, model=model)
                making = self.service.generate(wish, visitor_of(request), plan=plan)
                (made,) = yield from self._followed(making, progress, language)
                plan = plan or made.plan
                piece = self.service.keep(made, [], text)
                shown = piece_html(piece.audio, piece.drawing(), model, language)
                yield {
                    compare[side]: f"<h3>{escape(model)}</h3>{shown}"
                    + report_html(piece.report, language)
                }

    # Result ---------------------------------------------------------------------------------------

    def choose(self, data: Shown, request: gr.Request) -> Shown:
        """Another piece of the visit."""
        chosen = self._chosen(data)
        return {} if chosen is None else self._shown(data[self.result["pieces"]], chosen, request)

    def sheet(self, data: Shown, request: gr.Request) -> Shown:
        """The chosen piece's sheet music, and as a file; a moment later than all else."""
        result, chosen = self.result, self._chosen(data)
        if chosen is None:
            return {result["sheet"]: ""}
        try:
            file, pages = self.service.sheet(chosen)
        except TextMusicError as problem:
            return {result["sheet"]: f"<p>{escape(str(problem))}</p>"}
        files = files_html((*chosen.files, file))
        return {result["sheet"]: sheet_html(pages, chosen.title), result["files"]: files}

    def thumb_up(self, data: Shown, request: gr.Request) -> None:
        """The chosen piece is liked."""
        self._judge(data, request, up=True)

    def thumb_down(self, data: Shown, request: gr.Request) -> None:
        """The chosen piece is not liked."""
        self._judge(data, request, up=False)

    def _judge(self, data: Shown, request: gr.Request, *, up: bool) -> None:
        with Told():
            chosen = self._chosen(data)
            if chosen is None:
                raise TextMusicError(say("no_piece", language_for(request)))
            self.service.judge(chosen, up)
            gr.Info(say("thumb_kept", language_for(request)))

    def _written(
        self, making: Generator[Moment, None, list[Generation]], pieces: Sequence[Piece],
        title: str, parent: int | None, request: gr.Request, progress: gr.Progress,
    ) -> Generator[Shown, None, Piece]:  # fmt: skip
        """Show a piece while it grows, and keep it; gives the first that was written."""
        yield {self.result["live"]: "", self.result["tabs"]: gr.update(visible=False)}
        written = yield from self._followed(making, progress, language_for(request))
        kept = self._keep(written, pieces, title, parent)
        first = kept[len(pieces)]
        yield self._shown(kept, first, request)
        return first

    def _followed(
        self, making: Generator[Moment, None, list[Generation]], progress: gr.Progress,
        language: str,
    ) -> Generator[Shown, None, list[Generation]]:  # fmt: skip
        """Bars as progress; the live player and the roll where they change."""
        began, moments = time.monotonic(), Stream(making)
        for moment in moments:
            bar = moment.bar
            done = bar.index + 1
            left = (time.monotonic() - began) / done * (bar.total - done)
            said = f"{say('writing', language)} · {left:.0f} {say('left', language)}"
            progress((done, bar.total), desc=said, unit="bars")
            live = live_html(moment.address, language) if done == 1 else gr.skip()
            drawn = roll_html(moment.drawing, language) if moment.drawing else gr.skip()
            yield {self.result["live"]: live, self.result["piece"]: drawn}
        return moments.result

    def _keep(
        self, written: Sequence[Generation], pieces: Sequence[Piece], title: str, parent: int | None
    ) -> list[Piece]:
        kept = list(pieces)
        for generation in written:
            kept.append(self.service.keep(generation, kept, title, parent))
        return kept

    def _shown(self, pieces: Sequence[Piece], chosen: Piece, request: gr.Request) -> Shown:
        """All that belongs to the chosen piece."""
        result, language = self.result, language_for(request)
        names = [(piece.name, piece.number) for piece in reversed(pieces)]
        return {
            result["pieces"]: list(pieces),
            result["live"]: "",
            result["piece"]: piece_html(chosen.audio, chosen.drawing(), chosen.name, language),
            result["chosen"]: gr.update(choices=names, value=chosen.number, visible=True),
            result["tabs"]: gr.update(visible=True),
            result["report"]: report_html(chosen.report, language),
            result["files"]: files_html(chosen.files),
            result["sheet"]: "",
        }

    def _chosen(self, data: Shown) -> Piece | None:
        number = data[self.result["chosen"]]
        return next((p for p in data[self.result["pieces"]] if p.number == number), None)
