"""What is done to pieces that are there: continued, varied, adjusted, and tidied in their list."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from textmusic.errors import TextMusicError
from textmusic.language.controls import Controls, well_formed
from textmusic.language.prompt import check_length
from textmusic.music.plan import MAX_BARS
from textmusic.page.desk import REST
from textmusic.page.forms import WISH, Told, count, language_for, stripped, visitor_of
from textmusic.page.microphone import REST as HEARD
from textmusic.page.piece import Piece
from textmusic.page.piece_view import shown
from textmusic.page.selecting import Selection, selection_of, work_of
from textmusic.page.service import Wish
from textmusic.page.showing import Showing, Shown
from textmusic.page.wording import say
from textmusic.result.generation import Generation
from textmusic.system.streams import Stream
from textmusic.writing.adjusting import MOST_SEMITONES, Adjustment, read_instruments

# What is said of a piece after something was done with selected bars of it; else "changed".
DONE = {"vary": "varied", "harmonise": "harmonised"}
FRESH: dict[str, Any] = {"semitones": 0, "tempo": "", "snap": "", "instruments": []}


class Changing:
    """What the Change tab, the desk and the list of pieces do."""

    def __init__(self, showing: Showing, change: dict[str, Any], create: dict[str, Any]) -> None:
        self.showing, self.change, self.create = showing, change, create
        self.service, self.result = showing.service, showing.result

    def connect(self, page: gr.Blocks, writing: dict[str, Any], private: dict[str, Any]) -> None:
        """Let every control do what it says."""
        change, result, outputs = self.change, self.result, self.showing.outputs
        state = {result[name] for name in ("shelf", "chosen", "redo")}
        boxes = [self.create[name] for name in WISH]
        # in the queue, or what can't be done would not be told; and beside what is being written
        soon: dict[str, Any] = {
            "concurrency_id": "soon", "concurrency_limit": None, "show_progress": "hidden",
            **private,
        }  # fmt: skip
        for name, handler, needs in (
            ("go_on", self.go_on, ("text", "bars")), ("vary", self.vary, ("text", "keep")),
        ):  # fmt: skip
            inputs = {*state, *(change[need] for need in needs)}
            change[name].click(handler, inputs, outputs, **writing).then(js=REST, **private)
        change["adjust"].click(
            self.adjust, {*state, *(change[name] for name in FRESH)},
            [*outputs, *(change[name] for name in FRESH)], show_progress="hidden", **private,
        )  # fmt: skip
        change["upload"].upload(
            self.open, {*state, change["upload"]}, [*outputs, change["upload"]],
            show_progress="hidden", **private,
        ).then(js=HEARD, **private)  # fmt: skip
        for component in (result["desk"], result["pieces"]):
            component.act(
                self.act, [result["shelf"], result["chosen"], result["redo"]],
                [*outputs, *boxes], trigger_mode="multiple", **soon,
            )  # fmt: skip
        result["desk"].write(
            self.write, [result["shelf"], result["chosen"], result["redo"]], outputs, **writing
        ).then(js=REST, **private)
        result["chosen"].change(
            self.showing.sheet, result["chosen"], [result["sheet"]], show_progress="hidden",
            concurrency_id="sheet", concurrency_limit=1, **private,
        )  # fmt: skip
        result["up"].click(self.like, result["chosen"], None, **soon)
        result["down"].click(self.dislike, result["chosen"], None, **soon)
        page.load(self.arrive, result["shelf"], outputs, **soon)

    def arrive(self, shelf: str | None, request: gr.Request) -> Shown:
        """A browser comes: the piece of its link, or its last one."""
        result, shelves = self.result, self.showing.shelves
        made: Shown = {}
        if not shelf:
            shelf = shelves.secret()
            made = {result["shelf"]: shelf}
        with Told(request):
            if token := request.query_params.get("piece"):
                return made | self.showing.piece(shelves.find(token), shelf, request)
        if pieces := shelves.on(shelf):
            return made | self.showing.piece(pieces[0], shelf, request)
        return made or {result["redo"]: []}

    def like(self, chosen: str, request: gr.Request) -> None:
        """The piece on the desk is liked."""
        self._judge(chosen, request, up=True)

    def dislike(self, chosen: str, request: gr.Request) -> None:
        """The piece on the desk is not liked."""
        self._judge(chosen, request, up=False)

    def _judge(self, chosen: str, request: gr.Request, *, up: bool) -> None:
        with Told(request):
            if not chosen:
                raise TextMusicError(say("no_piece", language_for(request)))
            self.service.judge(self.showing.shelves.find(chosen), up)
            gr.Info(say("thumb_kept", language_for(request)))

    # The Change tab -------------------------------------------------------------------------------

    def go_on(self, data: Shown, request: gr.Request) -> Generator[Shown, None, None]:
        """New bars behind the piece."""
        bars = data[self.change["bars"]]
        yield from self._written(data, request, "continued", bars, None)

    def vary(self, data: Shown, request: gr.Request) -> Generator[Shown, None, None]:
        """The piece's first bars, and others for the rest."""
        yield from self._written(data, request, "varied", 0, data[self.change["keep"]])

    def _written(
        self, data: Shown, request: gr.Request, done: str, bars: Any, keep: Any
    ) -> Generator[Shown, None, None]:
        with Told(request) as problems:
            source = self._chosen(data, request)
            text = well_formed(check_length(data[self.change["text"]] or ""))
            kept = None if keep is None else count("keep", keep, 0, MAX_BARS)
            making = self.service.go_on(
                source.midi, count("bars", bars, 0, MAX_BARS), Wish(text), visitor_of(request), kept
            )
            yield from self.showing.written(
                making, _titled(source, done, request), data[self.result["shelf"]], request,
                parent=source.token, settings=source.settings,
            )  # fmt: skip
        if problems.told:
            yield self.showing.nothing()

    def adjust(self, data: Shown, request: gr.Request) -> Shown:
        """Transposed, snapped, faster, played by others; then the boxes are as they were."""
        with Told(request):
            source = self._chosen(data, request)
            said = {name: data[self.change[name]] for name in FRESH}
            adjustment = replace(
                read_instruments(said["instruments"] or ()),
                semitones=count("semitones", said["semitones"], -MOST_SEMITONES, MOST_SEMITONES),
                key=said["snap"] or None,
                tempo=_tempo(stripped("tempo", said["tempo"])),
            )
            piece = self._kept(source, adjustment, data, request)
            fresh = {self.change[name]: value for name, value in FRESH.items()}
            return self.showing.piece(piece, data[self.result["shelf"]], request) | fresh
        return self.showing.nothing()

    def _kept(
        self, source: Piece, adjustment: Adjustment, data: Shown, request: gr.Request
    ) -> Piece:
        made = self.service.adjust(source.midi, adjustment)
        return self.showing.shelves.put(
            data[self.result["shelf"]], made, _titled(source, "adjusted", request),
            parent=source.token, settings=source.settings,
        )  # fmt: skip

    def open(self, data: Shown, request: gr.Request) -> Shown:
        """A person's own file: seen, heard, and ready to be changed."""
        with Told(request):
            path = Path(data[self.change["upload"]] or "")
            made = self.service.opened(path)
            shelf = self.showing.shelf(data[self.result["shelf"]])
            piece = self.showing.shelves.put(shelf, made, path.stem)
            return self.showing.piece(piece, shelf, request) | {self.change["upload"]: None}
        return {self.change["upload"]: None}

    def _chosen(self, data: Shown, request: gr.Request) -> Piece:
        token = data[self.result["chosen"]]
        if not token:
            raise TextMusicError(say("no_piece", language_for(request)))
        return self.showing.shelves.find(token)

    # Chosen bars, chords and notes ----------------------------------------------------------------

    def write(
        self, shelf: str, chosen: str, redo: list[str], event: gr.EventData, request: gr.Request
    ) -> Generator[Shown, None, None]:
        """What was asked of the piece on the desk, and takes its time: see `desk.desk`."""
        said = event._data if isinstance(event._data, dict) else {}
        with Told(request):
            source = self.showing.shelves.find(said.get("token"))
            done = "changed"
            if said.get("what") == "edit":
                made = [self.service.edit(source.midi, said.get("edits"))]
            else:
                view = shown(source, language_for(request))
                chosen_bars = selection_of(source, view, said)
                if said.get("what") == "form" and chosen_bars.whole:
                    yield from self._formed(source, chosen_bars, shelf, request)
                    return
                done = DONE.get(str(said.get("what")), done)
                made = yield from self._composed(chosen_bars, shelf, request)
            piece = self.showing.shelves.put(
                shelf, made[0], _titled(source, done, request), parent=source.token,
                settings=source.settings,
            )  # fmt: skip
            yield self.showing.piece(piece, shelf, request)
            return
        # the piece as it was: what was drawn of an edit that can't be made goes away
        if chosen:
            yield self.showing.piece(self.showing.shelves.find(chosen), shelf, request, redo=redo)

    def _composed(
        self, chosen_bars: Selection, shelf: str, request: gr.Request
    ) -> Generator[Shown, None, list[Generation]]:
        """What is done with selected bars, and how far it has come: see `selecting`."""
        source = chosen_bars.piece
        before = sum(one.parent == source.token for one in self.showing.shelves.on(shelf))
        work, wish = work_of(chosen_bars, before)
        making = Stream(self.service.compose(work, wish, visitor_of(request)))
        for busy in making:
            yield {self.result["desk"]: {**chosen_bars.view, "busy": list(busy)}}
        return making.result

    def _formed(
        self, source: Piece, chosen_bars: Selection, shelf: str, request: gr.Request
    ) -> Generator[Shown, None, None]:
        """The whole piece in another form: a new one, of the same key, metre, tempo and players."""
        plan = source.report.measured
        controls = Controls(
            plan.key, plan.tempo, plan.time_signature, plan.programs or (), plan.bars,
            genre=source.report.planned.genre, form=chosen_bars.form,
        )  # fmt: skip
        making = self.service.generate(Wish(chosen_bars.words, controls), visitor_of(request))
        yield from self.showing.written(
            making, _titled(source, "changed", request), shelf, request, parent=source.token,
            settings=source.settings,
        )  # fmt: skip

    # The desk and the list ------------------------------------------------------------------------

    def act(
        self, shelf: str, chosen: str, redo: list[str], event: gr.EventData, request: gr.Request
    ) -> Shown:
        """What was clicked on the desk or in the list, by its name: see `desk.Desk`."""
        deeds: dict[str, Callable[..., Shown]] = {
            "choose": self._choose, "undo": self._undo, "redo": self._redo, "halt": self._halt,
            "favour": self._favour, "rename": self._rename, "delete": self._delete,
            "renew": self._renew, "settings": self._settings, "keep": self._keep_alone,
        }  # fmt: skip
        said = event._data if isinstance(event._data, dict) else {}
        with Told(request):
            deed = deeds.get(str(said.get("what")))
            if deed is None:
                raise TextMusicError("the page is out of date; reload it.")
            token = str(said.get("token") or "")
            return deed(token, said, shelf=shelf, chosen=chosen, redo=redo, request=request)
        return self.showing.nothing()

    def _choose(self, token: str, _: Any, *, shelf: str, request: gr.Request, **__: Any) -> Shown:
        return self.showing.piece(self.showing.shelves.find(token), shelf, request)

    def _undo(
        self, token: str, _: Any, *, shelf: str, redo: list[str], request: gr.Request, **__: Any
    ) -> Shown:
        shelves = self.showing.shelves
        before = shelves.find(shelves.find(token).parent)
        return self.showing.piece(before, shelf, request, redo=[token, *redo])

    def _redo(
        self, _: str, __: Any, *, shelf: str, redo: list[str], request: gr.Request, **___: Any
    ) -> Shown:
        if not redo:
            return self.showing.nothing()
        piece = self.showing.shelves.find(redo[0])
        return self.showing.piece(piece, shelf, request, redo=redo[1:])

    def _halt(self, _: str, __: Any, *, request: gr.Request, **___: Any) -> Shown:
        self.service.stop(visitor_of(request))
        return self.showing.nothing()

    def _favour(self, token: str, _: Any, **more: Any) -> Shown:
        self.showing.shelves.favour(more["shelf"], token)
        return self._list(**more)

    def _rename(self, token: str, said: dict[str, Any], **more: Any) -> Shown:
        piece = self.showing.shelves.rename(more["shelf"], token, said.get("title"))
        if token == more["chosen"]:
            return self.showing.piece(piece, more["shelf"], more["request"], redo=more["redo"])
        return self._list(**more)

    def _renew(self, token: str, _: Any, **more: Any) -> Shown:
        piece = self.showing.shelves.renew(more["shelf"], token)
        if token == more["chosen"]:
            return self.showing.piece(piece, more["shelf"], more["request"])
        return self._list(**more)

    def _delete(self, token: str, _: Any, **more: Any) -> Shown:
        shelves, shelf = self.showing.shelves, more["shelf"]
        shelves.delete(shelf, token)
        if token != more["chosen"]:
            return self._list(**more)
        if left := shelves.on(shelf):
            return self.showing.piece(left[0], shelf, more["request"])
        result = self.result
        return self._list(**more | {"chosen": ""}) | {
            result["desk"]: {}, result["chosen"]: "", result["tabs"]: gr.update(visible=False),
        }  # fmt: skip

    def _keep_alone(self, token: str, _: Any, **more: Any) -> Shown:
        """Keep one of the pieces that were written together, and delete the others."""
        shelves, shelf = self.showing.shelves, more["shelf"]
        piece = shelves.find(token)
        for other in shelves.on(shelf):
            if piece.group and other.group == piece.group and other.token != token:
                shelves.delete(shelf, other.token)
        return self.showing.piece(piece, shelf, more["request"])

    def _settings(self, token: str, _: Any, **__: Any) -> Shown:
        """What the boxes said when a piece was written, and its seed."""
        piece = self.showing.shelves.find(token)
        said = {name: value for name, value in piece.settings.items() if name in WISH}
        if piece.report.sampling is not None:
            said["seed"] = str(piece.report.seed)
        return {self.create[name]: value for name, value in said.items()} or self.showing.nothing()

    def _list(self, *, shelf: str, chosen: str, request: gr.Request, **_: Any) -> Shown:
        listed = self.showing.listed(shelf, chosen, language_for(request))
        return {self.result["pieces"]: listed}


def _titled(source: Piece, done: str, request: gr.Request) -> str:
    """A piece's title with what was done to it, said once."""
    marks = {
        f" ({say(name, language)})"
        for name in ("continued", "varied", "adjusted", "harmonised", "changed")
        for language in ("en", "zh")
    }
    title = source.title
    while any(title.endswith(mark) for mark in marks):
        title = title[: title.rindex(" (")]
    return f"{title} ({say(done, language_for(request))})"


def _tempo(said: str | None) -> float | None:
    """A tempo as it is typed: a number, or a word."""
    return None if said is None else Controls(tempo=said).plan().tempo
