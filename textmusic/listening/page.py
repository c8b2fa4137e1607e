"""The page of a blind listening test: two pieces, five questions, and, at the end, the results."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textmusic.errors import TextMusicError
from textmusic.listening.pairs import Pair, Showing, Sounds, next_pair
from textmusic.listening.votes import CHOICES, QUESTIONS, Votes, WinRate, checked, win_rates

if TYPE_CHECKING:
    import gradio as gr

AT_ONCE = 8  # listeners served at the same time; the others wait for a moment
INTRODUCTION = """# Blind listening
Two pieces of music were written for the same description. Listen to both, then choose the better
one. Your answers are stored under a random number, and nothing else about you is stored."""
TOKEN = re.compile(r"[0-9a-f]{32}")
METHOD = (
    "Win rate: of the first model, with ties counted as half. 95 % interval: the wider of a"
    " bootstrap over listeners and Wilson's interval."
)


@dataclass(frozen=True, slots=True)
class Session:
    """Who listens, and to what; it never leaves the server, since it names the models."""

    listener: str
    showing: Showing | None


def build_listening_page(
    pairs: Sequence[Pair],
    votes: Votes,
    *,
    results: bool = False,
    soundfont: str | Path | None = None,
) -> gr.Blocks:
    """The page for some pairs; `textmusic.page.launch` serves it.

    results: show them to everybody; else to those only who have judged all pairs, so that nobody
    is biased. soundfont: for answers without audio, as in `render`.

    Its endpoints, "/begin" (random name or null), "/send" (an answer a question) and "/results",
    are what its buttons use; they are not documented on the page.
    """
    # before gradio: it makes gradio report nothing home
    import gradio as gr

    from textmusic.page.launch import WAITING

    with gr.Blocks(title="textmusic: blind listening", analytics_enabled=False) as page:
        session = gr.State()
        # fixed, so that a listener goes on where they stopped when the server starts again; what
        # is in it is random, and no secret to the browser that it is in
        token = gr.BrowserState(None, storage_key="textmusic-listener", secret="textmusic")
        with gr.Tabs(elem_classes="tm-wide"):
            with gr.Tab("Listen"):
                gr.Markdown(INTRODUCTION)
                progress = gr.Markdown()
                with gr.Column(visible=False) as questions:
                    # a text box and no markdown: a prompt is shown as it is
                    prompt = gr.Textbox(label="Description", interactive=False, lines=2)
                    with gr.Row():
                        players = [
                            gr.Audio(label=side, type="filepath", interactive=False, buttons=[])
                            for side in CHOICES[:2]
                        ]
                    answers = [gr.Radio(CHOICES, label=label) for label in QUESTIONS.values()]
                    send = gr.Button("Send and next", variant="primary")
            with gr.Tab("Results", visible=results) as tab:
                table = gr.HTML(elem_classes="tm-report")
                file = gr.File(label="All votes", interactive=False)
        cache = Path(file.GRADIO_CACHE)  # gradio serves files from there under their own names
        cache.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=cache)
        votes.keep(pairs)
        test = ListeningTest(pairs, votes, Sounds(Path(folder.name), soundfont), results, folder)
        view = [session, progress, questions, prompt, *players, *answers, tab]
        page.load(
            test.begin, token, [token, *view], api_name="begin", api_visibility="undocumented",
            show_progress_on=players,
        )  # fmt: skip
        send.click(
            test.send, [session, *answers], view, api_name="send", api_visibility="undocumented",
            show_progress_on=players,
        )  # fmt: skip
        tab.select(
            test.results, session, [table, file], api_name="results",
            api_visibility="undocumented",
        )  # fmt: skip
    return page.queue(default_concurrency_limit=AT_ONCE, max_size=WAITING)


@dataclass(frozen=True, slots=True)
class ListeningTest:
    """What the page does. folder: lives as long as this does."""

    pairs: Sequence[Pair]
    votes: Votes
    sounds: Sounds
    everybody: bool  # sees the results
    folder: tempfile.TemporaryDirectory[str]

    def begin(self, token: Any) -> tuple[Any, ...]:
        """A listener comes, for the first time (token None) or again -> token, view."""
        known = isinstance(token, str) and TOKEN.fullmatch(token)
        listener = token if known else secrets.token_hex(16)
        try:
            return listener, *self._next(listener)
        except TextMusicError as problem:
            raise _unwell() from problem

    def send(self, session: Session | None, *answers: str | None) -> tuple[Any, ...]:
        """A listener has answered -> view of the next pair."""
        if session is None or session.showing is None:
            raise _error("this page has expired; reload it, and listen again.")
        said = dict(zip(QUESTIONS, answers, strict=True))
        try:
            checked(said)
        except TextMusicError as problem:
            raise _error(str(problem)) from None
        try:
            self.votes.add(session.listener, session.showing, said)
            return self._next(session.listener)
        except TextMusicError as problem:
            raise _unwell() from problem

    def results(self, session: Session | None) -> tuple[str, str | None]:
        """The table of win rates and a file with all votes, for those who may see them."""
        try:
            # asked again here: that the tab is hidden keeps nobody from calling this
            if not self.everybody and (session is None or self._left(session.listener)):
                return "<p>The results are shown once you have judged all pairs.</p>", None
            path = Path(tempfile.mkdtemp(dir=self.folder.name)) / "votes.csv"
            self.votes.export_csv(path)
            keys = {pair.key for pair in self.pairs}
            rates = win_rates([vote for vote in self.votes.read() if vote.pair in keys])
            return results_html(rates), str(path)
        except TextMusicError as problem:
            raise _unwell() from problem

    def _left(self, listener: str) -> int:
        """How many pairs a listener has still to judge."""
        return len({pair.key for pair in self.pairs} - self.votes.judged(listener))

    def _next(self, listener: str) -> tuple[Any, ...]:
        """Session, progress, questions, prompt, A, B, the answers (none yet), results tab."""
        import gradio as gr

        showing = next_pair(self.pairs, self.votes, listener)
        total = len({pair.key for pair in self.pairs})
        judged = total - self._left(listener)
        progress = f"{judged} of {total} judged."
        if showing is None:
            progress += " That was the last one. Thank you for listening!"
        heard: tuple[str, str | None, str | None] = ("", None, None)
        if showing is not None:
            a, b = (str(self.sounds.path(side)) for side in (showing.a, showing.b))
            heard = (showing.pair.prompt, a, b)
        return (
            Session(listener, showing),
            progress,
            gr.update(visible=showing is not None),
            *heard,
            *[None] * len(QUESTIONS),
            gr.update(visible=self.everybody or showing is None),
        )


def results_html(rates: Sequence[WinRate]) -> str:
    """Win rates as a table, and how they were computed."""
    if not rates:
        return "<p>There are no votes yet.</p>"
    heads = ("models", "question", "win rate", "95 % interval", "wins", "ties", "losses",
             "listeners")  # fmt: skip
    rows = "".join(
        f'<tr><th scope="row">{escape(rate.first)} over {escape(rate.second)}</th>'
        f"<td>{escape(rate.question)}</td><td>{rate.rate.value:.1%}</td>"
        f"<td>{rate.rate.low:.1%} – {rate.rate.high:.1%}</td><td>{rate.wins}</td>"
        f"<td>{rate.ties}</td><td>{rate.losses}</td><td>{rate.listeners}</td></tr>"
        for rate in rates
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f'<p class="tm-open">{METHOD}</p>'
    )


def _error(said: str) -> Exception:
    """A sentence for the listener."""
    import gradio as gr

    # shown as HTML
    problem: Exception = gr.Error(escape(said, quote=False), print_exception=False)
    return problem


def _unwell() -> Exception:
    """For what a listener can't mend and must not read: file names hold the models' names.

    gradio prints the cause where the server was started.
    """
    import gradio as gr

    problem: Exception = gr.Error(
        "This can't be played or stored at the moment; tell the person who runs the test."
    )
    return problem
