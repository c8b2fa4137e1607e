"""The tabs that write: Create and Compare."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from html import escape
from typing import Any

import gradio as gr

from textmusic.errors import TextMusicError
from textmusic.language.controls import well_formed
from textmusic.language.prompt import check_length
from textmusic.language.sentences import error_text
from textmusic.page.desk import REST
from textmusic.page.forms import (
    WISH,
    Told,
    count,
    language_for,
    new_seed,
    surprise,
    visitor_of,
    whole,
    wish_of,
)
from textmusic.page.service import MOST_VARIATIONS, Wish
from textmusic.page.showing import Showing, Shown
from textmusic.page.views import understood_html
from textmusic.system.streams import Stream

# What was typed before a reload; what has been typed since stays.
DRAFT = "text => document.querySelector('.tm-words textarea')?.value || text || ''"
LIVE = ("text", "key", "tempo", "time_signature", "instruments", "bars", "seconds", "valence",
        "arousal", "genre", "density", "chords", "form", "seed")  # fmt: skip


class Creating:
    """What Create and Compare do."""

    def __init__(self, showing: Showing, create: dict[str, Any], compare: dict[str, Any]) -> None:
        self.showing, self.create, self.compare = showing, create, compare
        self.service, self.result = showing.service, showing.result

    def connect(self, page: gr.Blocks, writing: dict[str, Any], private: dict[str, Any]) -> None:
        """Let every control do what it says."""
        create, compare, result = self.create, self.compare, self.result
        wish = {create[name] for name in WISH}
        create["start"].click(
            self.generate, {*wish, create["variations"], result["shelf"]}, self.showing.outputs,
            **writing,
        ).then(js=REST, **private)  # fmt: skip
        for name in LIVE:
            create[name].change(
                self.understand, wish, create["understood"], queue=False, show_progress="hidden",
                trigger_mode="always_last", **private,
            )  # fmt: skip
        create["surprise"].click(surprise, None, create["text"], queue=False, **private)
        create["dice"].click(new_seed, None, create["seed"], queue=False, **private)
        create["stop"].click(self.stop, None, None, queue=False, **private)
        compare["start"].click(
            self.side_by_side,
            {*(compare[k] for k in ("text", "first", "second", "seed")), result["shelf"]},
            self.showing.outputs, **writing,
        ).then(js=REST, **private)  # fmt: skip
        create["text"].change(
            None, create["text"], result["draft"], js="text => text", show_progress="hidden",
            **private,
        )  # fmt: skip
        page.load(None, result["draft"], create["text"], js=DRAFT, **private)

    def understand(self, data: Shown, request: gr.Request) -> str:
        """The line below the description: what is fixed, and why."""
        language = language_for(request)
        try:
            wish = self._wish(data)
            prompt, controls = self.service.understand(wish)
        except TextMusicError as problem:
            return f"<p>{escape(error_text(str(problem), language))}</p>"
        return understood_html(prompt, controls, language, wish.controls.outline())

    def generate(self, data: Shown, request: gr.Request) -> Generator[Shown, None, None]:
        """Write a piece, shown and heard while it grows."""
        with Told(request) as problems:
            wish = self._wish(data)
            many = count("variations", data[self.create["variations"]], 1, MOST_VARIATIONS)
            making = self.service.generate(wish, visitor_of(request), many)
            settings = {name: data[self.create[name]] for name in WISH}
            group = secrets.token_urlsafe(8) if many > 1 else None
            shelf = self.showing.shelf(data[self.result["shelf"]])
            yield from self.showing.written(
                making, wish.text, shelf, request, settings=settings,
                group=group,
            )  # fmt: skip
        if problems.told:
            yield self.showing.nothing()

    def stop(self, request: gr.Request) -> None:
        """Keep the bars that are finished."""
        self.service.stop(visitor_of(request))

    def _wish(self, data: Shown) -> Wish:
        return wish_of({name: data[self.create[name]] for name in WISH})

    def side_by_side(self, data: Shown, request: gr.Request) -> Generator[Shown, None, None]:
        """The same words, plan and seed for two models; both are pieces of the visit."""
        compare = self.compare
        with Told(request) as problems:
            text = well_formed(check_length(data[compare["text"]] or ""))
            seed = whole("seed", data[compare["seed"]] or new_seed())
            assert seed is not None
            plan, group = None, secrets.token_urlsafe(8)
            shelf = self.showing.shelf(data[self.result["shelf"]])
            for model in (data[compare["first"]], data[compare["second"]]):
                wish = Wish(text, seed=seed, model=model)
                making = self.service.generate(wish, visitor_of(request), plan=plan)
                stream = Stream(
                    self.showing.written(
                        making, f"{text} ({model})", shelf, request,
                        group=group, settings={"text": text, "seed": str(seed), "model": model},
                    )
                )  # fmt: skip
                yield from stream
                plan = plan or stream.result[0].report.planned
        if problems.told:
            yield self.showing.nothing()
