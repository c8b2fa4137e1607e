"""What the page shows after something has happened: updates of its components, by component."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from html import escape
from typing import Any

import gradio as gr

from textmusic.errors import TextMusicError
from textmusic.language.sentences import error_text
from textmusic.page.files import DOWNLOADS, address, stems
from textmusic.page.forms import language_for
from textmusic.page.piece import Piece
from textmusic.page.piece_view import growing, shown
from textmusic.page.service import Moment, Service
from textmusic.page.shelves import Shelves
from textmusic.page.views import files_html, report_html, sheet_html
from textmusic.page.wording import say
from textmusic.result.generation import Generation
from textmusic.system.streams import Stream

Shown = dict[Any, Any]  # updates by component


class Showing:
    """The right side of the page: a piece on the desk, the list, the report, and the files."""

    def __init__(self, service: Service, result: dict[str, Any]) -> None:
        self.service, self.result = service, result

    @property
    def shelves(self) -> Shelves:
        """Where pieces are."""
        return self.service.shelves

    @property
    def outputs(self) -> list[Any]:
        """What `piece` and `written` may change."""
        return [
            self.result[name]
            for name in (
                "shelf",
                "desk",
                "pieces",
                "chosen",
                "redo",
                "tabs",
                "report",
                "files",
                "sheet",
            )
        ]  # fmt: skip

    def piece(
        self, piece: Piece, shelf: str, request: gr.Request, *, grown_from: str = "",
        redo: Sequence[str] = (),
    ) -> Shown:  # fmt: skip
        """All that belongs to a piece. grown_from: the address where it was heard live. redo: the
        pieces that were left by undoing, the last one first."""
        result, language = self.result, language_for(request)
        before = self._there(piece.parent)
        view = shown(
            piece, language, grown_from=grown_from, undo=before is not None, redo=bool(redo),
            takes=self._takes(piece, shelf, language),
        )  # fmt: skip
        return {
            result["shelf"]: shelf,
            result["desk"]: view,
            result["pieces"]: self.listed(shelf, piece.token, language),
            result["chosen"]: piece.token,
            result["redo"]: list(redo),
            result["tabs"]: gr.update(visible=True),
            result["report"]: report_html(piece.report, language),
            result["files"]: files_html(
                piece, [address(piece, kind) for kind in DOWNLOADS], stems(piece), language
            ),
            result["sheet"]: "",
        }

    def nothing(self) -> Shown:
        """All as it is. A generator has to say so: gradio empties the outputs of one that ends
        without a word, and with them the key to a browser's pieces."""
        return {self.result["redo"]: gr.skip()}

    def shelf(self, said: str | None) -> str:
        """The shelf of who asks; a new one for a browser that asks before it has got its own."""
        return said or self.shelves.secret()

    def listed(self, shelf: str, chosen: str, language: str) -> dict[str, Any]:
        """The list of a shelf's pieces."""
        pieces = [
            {
                "token": piece.token, "title": piece.title, "favourite": piece.favourite,
                "facts": self._facts(piece, language),
            }
            for piece in sorted(self.shelves.on(shelf), key=lambda one: not one.favourite)
        ]  # fmt: skip
        return {"pieces": pieces, "chosen": chosen}

    def _takes(self, piece: Piece, shelf: str, language: str) -> list[dict[str, str]]:
        """The pieces that were written together with one, in the order of their seeds."""
        together = [
            one for one in self.shelves.on(shelf) if piece.group and one.group == piece.group
        ]
        models = [str(one.settings.get("model") or "") for one in together]
        differ = len(set(models)) > 1  # as where two are compared
        names = {
            one.token: " · ".join(
                [*([model] if differ else ()), self._facts(one, language).partition(" · ")[2]]
            )
            for one, model in zip(together, models, strict=True)
        }
        ordered = sorted(together, key=lambda one: (one.report.seed, one.made))
        return [{"token": one.token, "name": names[one.token]} for one in ordered]

    def _facts(self, piece: Piece, language: str) -> str:
        """What tells a piece from others: "14:05 · D minor · seed 7"."""
        report = piece.report
        made = time.strftime("%H:%M", time.localtime(piece.made))
        key = report.table(language)[0].measured
        seed = f"{say('seed', language).lower()} {report.seed}" if report.sampling else ""
        return " · ".join(fact for fact in (made, key, seed) if fact)

    def _there(self, token: str | None) -> Piece | None:
        try:
            return self.shelves.find(token) if token else None
        except TextMusicError:
            return None

    def written(
        self, making: Generator[Moment, None, list[Generation]], title: str, shelf: str,
        request: gr.Request, **said: Any,
    ) -> Generator[Shown, None, list[Piece]]:  # fmt: skip
        """Show a piece while it grows, and keep it, and those beside it. said: see `Piece`."""
        live, moments = "", Stream(self._followed(making, title, language_for(request)))
        for view in moments:
            live = view["writing"]
            yield {self.result["desk"]: view, self.result["tabs"]: gr.update(visible=False)}
        pieces = [
            self.shelves.put(shelf, made, title, stopped=_stopped(made), **said)
            for made in reversed(moments.result)
        ][::-1]
        yield self.piece(pieces[0], shelf, request, grown_from=live)
        return pieces

    def _followed(
        self, making: Generator[Moment, None, list[Generation]], title: str, language: str
    ) -> Generator[dict[str, Any], None, list[Generation]]:
        """The views of a piece that is being written."""
        began, moments = time.monotonic(), Stream(making)
        view: dict[str, Any] = {}
        for moment in moments:
            bar = moment.bar
            done = bar.index + 1
            left = round((time.monotonic() - began) / done * (bar.total - done))
            if moment.score is not None:
                view = growing(
                    moment.score, bar.plan.key, moment.sketch, language, address=moment.address,
                    title=title, done=done, total=bar.total, left=left,
                    tempi=moment.tempi,
                )  # fmt: skip
            view = {**view, "done": done, "left": left}
            yield view
        return moments.result

    def sheet(self, token: str, request: gr.Request) -> Shown:
        """The chosen piece's sheet music; a moment later than all else."""
        result = self.result
        piece = self._there(token)
        if piece is None:
            return {result["sheet"]: ""}
        try:
            pages = piece.generation.pages()
        except TextMusicError as problem:
            said = error_text(str(problem), language_for(request))
            return {result["sheet"]: f"<p>{escape(said)}</p>"}
        return {result["sheet"]: sheet_html(pages, piece.title)}


def _stopped(made: Generation) -> bool:
    """Whether a piece has fewer bars than were planned."""
    return (made.report.planned.bars or 0) > (made.plan.bars or 0)
