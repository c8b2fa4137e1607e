"""The page: a description in, music to hear, see and take away."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Generator
from html import escape
from math import ceil
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

# Set before gradio is imported; it reads the first at once and reports home without it.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from gradio.utils import get_upload_folder

from textmusic.broadcast import broadcast, route
from textmusic.controls import MAX_SEED, well_formed, within
from textmusic.errors import TextMusicError
from textmusic.generation import finish
from textmusic.picture import piano_roll_svg
from textmusic.prompt import MAX_CHARACTERS
from textmusic.tokenizer import Note, score_of

if TYPE_CHECKING:
    from textmusic.decoding import Bar
    from textmusic.generation import Generation
    from textmusic.pipeline import TextToMusic
    from textmusic.report import Report

EXAMPLES = (
    "calm piano in D minor",
    "a cheerful folk tune for violin in G major, 6/8, fast",
    "16 bars of ragtime piano in C major at 100 bpm",
    "slow sad waltz for cello and harp",
    "energetic rock in E minor with distorted guitar, bass and drums",
    "欢快的G大调小提琴舞曲，每分钟140拍",
)
KEPT_SECONDS = 24 * 3600  # how long results can be downloaded
WAITING = 32  # people in the queue at most
CSS = """
.tm-wide {max-width: 60rem; margin: 0 auto !important}
.tm-live audio {width: 100%}
.tm-roll img {width: 100%; border-radius: var(--radius-lg); color-scheme: light}
.dark .tm-roll img {color-scheme: dark}
.tm-report {overflow-x: auto}
.tm-report table {width: 100%; border-collapse: collapse; border: 0 !important}
.tm-report thead, .tm-report tbody, .tm-report tr {border: 0 !important}
.tm-report th, .tm-report td {padding: .35rem .75rem .35rem 0 !important; text-align: left;
  border: 0 !important; border-bottom: 1px solid var(--border-color-primary) !important}
.tm-report thead th, .tm-open {color: var(--body-text-color-subdued); font-weight: 400}
.tm-report p {margin: .6rem 0 0}
.tm-yes {color: #1f9d63} .tm-no {color: #e0453a}
"""

# Silences what is heard while it is written.
HUSH = "() => document.querySelectorAll('.tm-live audio').forEach((player) => player.pause())"

# Audio, roll, report, files, the player of what is being written.
Results = tuple[Any, Any, Any, Any, Any]


def build_page(music: TextToMusic) -> gr.Blocks:
    """The page for one model. Its API endpoint is "/generate" (text, seed)."""
    with gr.Blocks(
        title="textmusic", analytics_enabled=False, delete_cache=(3600, KEPT_SECONDS)
    ) as page:
        with gr.Column(elem_classes="tm-wide"):
            gr.Markdown("# textmusic\nWrite a description, get music.")
            text = gr.Textbox(
                label="Description",
                placeholder="calm piano in D minor; left empty, everything is the model's choice",
                lines=2,
                max_lines=6,
                max_length=MAX_CHARACTERS,
                autofocus=True,
            )
            with gr.Row(equal_height=True):
                # not a gr.Number: that shows 0 where nothing was chosen, and 0 is a seed
                seed = gr.Textbox(label="Seed", placeholder="a new one each time", min_width=140)
                start = gr.Button("Generate", variant="primary", scale=2)
                stop = gr.Button("Stop", scale=1)
            gr.Examples([[example] for example in EXAMPLES], text, label="For example")
            live = gr.HTML(elem_classes="tm-live")
            audio = gr.Audio(label="Music", type="filepath", interactive=False)
            roll = gr.HTML(label="Piano roll", elem_classes="tm-roll")
            report = gr.HTML(label="Report", elem_classes="tm-report")
            files = gr.File(label="Downloads", file_count="multiple", interactive=False)
        writing = gr.on(
            [start.click, text.submit],
            _generator(music, Path(get_upload_folder())),
            inputs=[text, seed],
            outputs=[audio, roll, report, files, live],
            api_name="generate",
            show_progress_on=audio,
            concurrency_limit=1,
        )
        stop.click(None, cancels=[writing], js=HUSH, api_visibility="private")
        audio.play(None, js=HUSH, api_visibility="private")
    # The engine holds one conversation at a time.
    return page.queue(default_concurrency_limit=1, max_size=WAITING)


def serve(music: TextToMusic, **where: Any) -> Any:
    """Build the page for one model and `launch` it, with what it needs to be heard live."""
    routes = [route(_live_folder(Path(get_upload_folder())))]
    return launch(build_page(music), app_kwargs={"routes": routes}, **where)


def launch(
    page: gr.Blocks, *, host: str = "127.0.0.1", port: int | None = None, **more: Any
) -> Any:
    """Serve the page; nothing is fetched from or sent to elsewhere.

    port: None takes a free one from 7860 on. more: further options of gradio's `launch`. Raises
    TextMusicError if the port is taken or the address is not this machine's.
    """
    theme = gr.themes.Default(
        primary_hue="indigo",
        font=["ui-sans-serif", "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    options = {
        "theme": theme,
        "css": CSS,
        "footer_links": ["api", "settings"],
        "run_history": False,
        "show_error": True,
        "ssr_mode": False,
    }
    try:
        return page.launch(server_name=host, server_port=port, **(options | more))
    except OSError as problem:
        if "empty port" not in str(problem):
            raise
        raise TextMusicError(
            f"{host}:{port or 7860} can't be listened on; choose another --port or --host."
        ) from None


def _generator(music: TextToMusic, cache: Path) -> Any:
    """What the button runs: between two bars it yields, which is when it can be stopped."""
    lock = Lock()  # a stopped run may still be in its last bar when the next one begins

    def generate(
        text: str,
        seed: str = "",
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (how gradio finds it)
    ) -> Generator[Results, None, None]:
        """Write music to a description. seed: the same one gives the same music."""
        same = gr.skip()
        yield same, same, same, same, ""  # what still plays of the piece before stops
        try:
            text = well_formed(text or "")
            with lock:
                stream = music.stream_audio(text, seed=_seed(seed))
                sending = broadcast(stream, _live_folder(cache))
                notes: list[Note] = []
                due = 1  # a long piece is not drawn anew with every bar
                while True:
                    try:
                        bar, address = next(sending)
                    except StopIteration as end:
                        piece: Generation = end.value
                        break
                    progress((bar.index + 1, bar.total), desc="writing", unit="bars")
                    notes += bar.notes
                    roll = same
                    if bar.index + 1 >= due:
                        roll, due = _sketch(notes, bar, text), ceil((bar.index + 1) * 9 / 8)
                    yield same, roll, same, same, same if bar.index else live_html(address)
            yield *_results(piece, cache), same
        except TextMusicError as problem:
            # shown as HTML, and it may quote the text
            raise gr.Error(escape(str(problem), quote=False), print_exception=False) from None

    return generate


def _live_folder(cache: Path) -> Path:
    """Where the pieces are that are heard while they are written."""
    return cache / "live"


def _sketch(notes: list[Note], bar: Bar, title: str) -> str:
    """The piano roll up to a bar, with room for those to come."""
    score = finish(score_of(notes, bar.plan), bar.plan)
    svg = piano_roll_svg(score, key=bar.plan.key, title=title or "untitled", bars=bar.total)
    return roll_html(svg)


def _seed(said: str | None) -> int | None:
    """The seed in a text box; None if it was left empty."""
    if not said or not said.strip():
        return None
    try:
        seed = int(said)
    except ValueError:
        raise TextMusicError(
            f"seed '{said[:40]}' is not a whole number; leave it empty for a new one."
        ) from None
    within("seed", seed, 0, MAX_SEED)
    return seed


def _results(generation: Generation, cache: Path) -> tuple[Any, Any, Any, Any]:
    """The outputs, their files in a folder of their own that gradio's cache keeps for a while."""
    cache.mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(dir=cache)
    paths = generation.save(folder, formats=("mid", "wav", "json", "svg"))
    midi, wav, report, svg = map(str, paths)
    roll = roll_html(Path(svg).read_text(encoding="utf-8"))
    return wav, roll, report_html(generation.report), [midi, wav, report, svg]


def roll_html(svg: str) -> str:
    """The piano roll as an image: nothing in an image can run."""
    data = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    return f'<img alt="piano roll" src="data:image/svg+xml;base64,{data}">'


def live_html(address: str) -> str:
    """A player that begins at once; the finished piece's own takes over when it has ended."""
    return (
        f'<audio controls autoplay src="{escape(address)}" aria-label="music as it is written"'
        ' onloadeddata="this.play()" onended="this.remove()"></audio>'
    )


def report_html(report: Report) -> str:
    """Asked, planned and measured as a table, then what was not used, then how to repeat it."""
    signs = {
        True: '<span class="tm-yes" title="as wanted">✓</span>',
        False: '<span class="tm-no" title="missed">✗</span>',
        None: "",
    }
    nothing = '<span class="tm-open">open</span>'
    rows = "".join(
        f'<tr><th scope="row">{escape(row.field)}</th>'
        f"<td>{escape(row.asked) or nothing}</td>"
        f"<td>{escape(row.planned)}</td><td>{escape(row.measured)}</td><td>{signs[row.ok]}</td></tr>"
        for row in report.rows
    )
    notes = "".join(f"<p>Not used: {escape(note)}</p>" for note in report.unused)
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("", "asked", "planned", "measured"))
    return (
        f"<table><thead><tr>{heads}<th></th></tr></thead><tbody>{rows}</tbody></table>{notes}"
        f'<p class="tm-open">{report.notes:,} notes · seed {report.seed}: with it, the same'
        " description gives this piece again</p>"
    )
