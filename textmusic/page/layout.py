"""The page: type a description, then hear, see, change and download the music."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.utils import get_upload_folder

from textmusic.errors import TextMusicError
from textmusic.feedback.thumbs import Thumbs
from textmusic.language.names import DENSITY_NAMES
from textmusic.language.prompt import MAX_CHARACTERS
from textmusic.music.data_files import load_data
from textmusic.music.midi_files import MIDI_SUFFIXES
from textmusic.music.plan import GENRES, MAX_BARS
from textmusic.music.theory import KEYS, TIME_SIGNATURES
from textmusic.page import files
from textmusic.page.broadcast import route
from textmusic.page.desk import desk, pieces
from textmusic.page.endpoints import add_endpoints
from textmusic.page.events import connect
from textmusic.page.files import stems
from textmusic.page.launch import I18N, WAITING, launch
from textmusic.page.microphone import microphone
from textmusic.page.service import MOST_VARIATIONS, Service
from textmusic.page.shelves import KEPT_SECONDS, Shelves
from textmusic.performing.performance import PERFORMANCE
from textmusic.tokens.sampling import Sampling
from textmusic.transcription.recordings import SUFFIXES as RECORDED
from textmusic.transcription.recordings import can_be_heard
from textmusic.version import __version__

if TYPE_CHECKING:
    from textmusic.writing.text_to_music import TextToMusic

EXAMPLES = (
    "calm piano in D minor",
    "a cheerful folk tune for violin in G major, 6/8, fast",
    "16 bars of ragtime piano in C major at 100 bpm",
    "slow sad waltz for cello and harp",
    "energetic rock in E minor with distorted guitar, bass and drums",
)
CHINESE_EXAMPLES = (
    "平静的D小调钢琴",
    "欢快的G大调小提琴舞曲，每分钟140拍",
    "16小节C大调拉格泰姆钢琴，每分钟100拍",
    "缓慢悲伤的华尔兹，大提琴和竖琴",
    "激动的E小调摇滚，失真吉他、贝斯和鼓",
    "宁静的长笛和竖琴，3/4拍，慢板",
)
USE = {
    "en": f"""Type what you want to hear. The page shows what it understood; correct it under
*Details*. Click the piano roll to play from there; drag over bars to select them, then rewrite,
vary or harmonise them, add a part, or change their form. Type over a chord's name to have another.
*Change* continues a piece, or your own MIDI file. Everything runs on the computer that serves this
page; nothing is sent to anyone else. To cite: *textmusic*, version {__version__}, 2026
(Apache-2.0), with the model below.
""",
    "zh": f"""输入想听的音乐，页面会显示理解到的内容；可在“详细设置”中修正。
点击钢琴卷帘可从该处播放；拖动可选择小节，然后重写、变奏、配和声、添加声部或改曲式。在和弦名称上改写，即可换一个和弦。
“修改”可续写作品或自己的MIDI文件。一切都在提供本页的计算机上运行，不会发送给其他人。
引用请写：*textmusic*，版本 {__version__}，2026（Apache-2.0），并注明下面的模型。
""",
}


def build_page(
    models: Mapping[str, TextToMusic], *, max_bars: int = MAX_BARS, about: str = "",
    thumbs: Thumbs | None = None,
) -> gr.Blocks:  # fmt: skip
    """The page for some models by name, the first of them the default.

    max_bars: of a piece. about: the text of the last tab, in Markdown. thumbs: ask for them, and
    keep them there. Named endpoints: see `endpoints`.
    """
    service = Service(models, Path(get_upload_folder()), max_bars=max_bars, thumbs=thumbs)
    with gr.Blocks(
        title="textmusic", analytics_enabled=False, delete_cache=(3600, KEPT_SECONDS)
    ) as page:
        add_endpoints(service)  # first, so that their names are theirs
        with gr.Row(elem_classes="tm-wide", equal_height=False):
            with gr.Column(scale=2, min_width=340, elem_classes="tm-left"):
                gr.Markdown("# textmusic")
                with gr.Tabs():
                    with gr.Tab(I18N("create"), id="create"):
                        create = _create(models)
                    with gr.Tab(I18N("change"), id="change"):
                        change = _change()
                    with gr.Tab(I18N("compare"), id="compare"):
                        compare = _compare(models)
                    with gr.Tab(I18N("about"), id="about"):
                        for language, text in USE.items():
                            gr.Markdown(text, elem_classes=f"tm-{language}")
                        with gr.Accordion(I18N("about_model"), open=False):
                            gr.Markdown(about or "textmusic", elem_classes="tm-card")
            with gr.Column(scale=5, min_width=320, elem_classes="tm-right"):
                result = _result(service, thumbs is not None)
        connect(page, service, create, change, compare, result)
    return page.queue(default_concurrency_limit=service.slots, max_size=WAITING)


def _create(models: Mapping[str, Any]) -> dict[str, Any]:
    """The tab with the description, and every fact that can be set by hand."""
    made: dict[str, Any] = {}
    made["text"] = gr.Textbox(
        label=I18N("description"), placeholder=I18N("placeholder"), lines=2, max_lines=6,
        max_length=MAX_CHARACTERS, autofocus=True, info=I18N("enter"), elem_classes="tm-words",
    )  # fmt: skip
    with gr.Row(equal_height=True):
        made["start"] = gr.Button(
            I18N("generate"), variant="primary", scale=2, min_width=90, elem_classes="tm-generate"
        )
        made["stop"] = gr.Button(I18N("stop"), scale=1, min_width=60, elem_classes="tm-stop")
        made["surprise"] = gr.Button(
            I18N("surprise"), scale=1, min_width=110, elem_classes="tm-surprise"
        )
    made["understood"] = gr.HTML(elem_classes="tm-understood")
    for language, examples in (("en", EXAMPLES), ("zh", CHINESE_EXAMPLES)):
        with gr.Column(elem_classes=f"tm-{language}"):  # the style sheet hides the other one
            gr.Examples([[one] for one in examples], made["text"], label=I18N("examples"))
    opened = [(I18N("open"), "")]
    with gr.Accordion(I18N("details"), open=False):
        with gr.Row():
            made["key"] = gr.Dropdown([*opened, *_named(KEYS)], value="", label=I18N("key"))
            made["tempo"] = gr.Textbox(label=I18N("tempo"), info=I18N("tempo_info"))
            made["time_signature"] = gr.Dropdown(
                [*opened, *TIME_SIGNATURES], value="", label=I18N("time_signature")
            )
        with gr.Row():
            made["instruments"] = _instruments()
            made["genre"] = gr.Dropdown(
                [*opened, *_named(sorted(GENRES))], value="", label=I18N("genre")
            )
            made["density"] = gr.Dropdown(
                [*opened, *_named(DENSITY_NAMES)], value="", label=I18N("density")
            )
        with gr.Row():
            made["chords"] = gr.Textbox(label=I18N("chords"), info=I18N("chords_info"))
            made["form"] = gr.Textbox(label=I18N("form"), info=I18N("form_info"))
        with gr.Row():
            made["bars"] = gr.Textbox(label=I18N("bars"))
            made["seconds"] = gr.Textbox(label=I18N("seconds"))
            made["valence"] = gr.Slider(0, 5, value=0, step=1, label=I18N("valence"))
            made["arousal"] = gr.Slider(0, 5, value=0, step=1, label=I18N("arousal"))
        with gr.Row():
            # not a gr.Number: that shows 0 where nothing was chosen, and 0 is a seed
            made["seed"] = gr.Textbox(label=I18N("seed"), info=I18N("seed_info"))
            made["dice"] = gr.Button(I18N("dice"))
            made["variations"] = gr.Slider(
                1, MOST_VARIATIONS, value=1, step=1, label=I18N("variations")
            )
    default = Sampling()
    ranges = {
        "temperature": (0, 2), "top_p": (0.05, 1), "harmony_strength": (0, 1),
        "form_strength": (0, 1), "melody_strength": (0, 1),
    }  # fmt: skip
    with gr.Accordion(I18N("advanced"), open=False), gr.Row():
        for name, (low, high) in ranges.items():
            made[name] = gr.Slider(
                low, high, getattr(default, name), label=I18N(name), info=I18N(f"{name}_info")
            )
        made["performance"] = gr.Slider(
            0, 1, PERFORMANCE, label=I18N("performance"), info=I18N("performance_info")
        )
        made["model"] = gr.Dropdown(list(models), value=next(iter(models)), label=I18N("model"))
    return made


def _named(values: Iterable[str]) -> list[tuple[Any, str]]:
    """Choices with the names that they have in either language."""
    return [(I18N(f"choice_{value}"), value) for value in values]


def _instruments() -> gr.Dropdown:
    named = load_data("instruments.json")["program"].items()
    return gr.Dropdown(
        _named(program for _, program in sorted((entry["name"], key) for key, entry in named)),
        multiselect=True, label=I18N("instruments"),
    )  # fmt: skip


def _change() -> dict[str, Any]:
    """The tab that goes on from the piece on the desk, or changes it."""
    made: dict[str, Any] = {}
    made["upload"] = gr.File(
        label=I18N("upload"), file_types=[*MIDI_SUFFIXES, *RECORDED], file_count="single",
        height=110, elem_classes="tm-upload",
    )  # fmt: skip
    if can_be_heard():
        microphone()
    made["text"] = gr.Textbox(label=I18N("new_bars_text"), max_length=MAX_CHARACTERS)
    starts: dict[str, Any] = {"elem_classes": "tm-starts"}
    made["bars"] = gr.Slider(1, 64, value=8, step=1, label=I18N("more_bars"))
    made["go_on"] = gr.Button(I18N("go_on"), variant="primary", **starts)
    made["keep"] = gr.Slider(1, 64, value=2, step=1, label=I18N("keep"))
    made["vary"] = gr.Button(I18N("vary"), **starts)
    made["semitones"] = gr.Slider(-24, 24, value=0, step=1, label=I18N("semitones"))
    with gr.Row():
        made["tempo"] = gr.Textbox(label=I18N("tempo"), min_width=140)
        made["snap"] = gr.Dropdown(
            [(I18N("open"), ""), *_named(KEYS)], value="", label=I18N("snap"), min_width=140
        )
    made["instruments"] = _instruments()
    made["adjust"] = gr.Button(I18N("adjust"))
    return made


def _compare(models: Mapping[str, Any]) -> dict[str, Any]:
    """The tab that lets two models write to the same words, plan and seed."""
    names = list(models)
    made: dict[str, Any] = {}
    made["text"] = gr.Textbox(
        label=I18N("description"), value=EXAMPLES[0], max_length=MAX_CHARACTERS
    )
    with gr.Row():
        made["first"] = gr.Dropdown(names, value=names[0], label=I18N("first"))
        made["second"] = gr.Dropdown(names, value=names[-1], label=I18N("second"))
        made["seed"] = gr.Textbox(label=I18N("seed"))
        made["start"] = gr.Button(I18N("compare"), variant="primary", elem_classes="tm-starts")
    return made


def _result(service: Service, thumbs: bool) -> dict[str, Any]:
    """What is beside all tabs: the desk with the piece, what is said of it, and all pieces."""
    made: dict[str, Any] = {
        "shelf": gr.BrowserState("", storage_key="textmusic-shelf", secret="textmusic"),
        "draft": gr.BrowserState("", storage_key="textmusic-draft", secret="textmusic"),
        "chosen": gr.State("", time_to_live=KEPT_SECONDS),
        "redo": gr.State([], time_to_live=KEPT_SECONDS),
    }
    made["desk"] = desk(lambda token: stems(service.shelves.find(token)))
    with gr.Row(visible=thumbs):
        made["up"] = gr.Button(I18N("thumb_up"), elem_id="tm-thumb-up", size="sm")
        made["down"] = gr.Button(I18N("thumb_down"), size="sm")
    with gr.Tabs(visible=False) as made["tabs"]:
        with gr.Tab(I18N("report")):
            made["report"] = gr.HTML(elem_classes="tm-report")
        with gr.Tab(I18N("sheet")):
            made["sheet"] = gr.HTML(elem_classes="tm-sheet")
        with gr.Tab(I18N("downloads")):
            made["files"] = gr.HTML()
    made["pieces"] = pieces()
    return made


def serve(
    models: Mapping[str, TextToMusic], *, mcp: bool = False, proxy: str | None = None,
    feedback: Path | None = None, **where: Any,
) -> Any:  # fmt: skip
    """Build the page and `launch` it, with what it needs to be heard live.

    feedback: a database for thumbs, made if it is not there; None asks for none.
    mcp: also offer the endpoints as tools of a Model Context Protocol server (`mcp` extra). proxy:
    addresses of a reverse proxy, see `launch`; by default those in TEXTMUSIC_PROXY.
    TEXTMUSIC_MAX_BARS limits a piece; TEXTMUSIC_USER and TEXTMUSIC_PASSWORD protect the page.
    """
    if mcp and find_spec("mcp") is None:
        raise TextMusicError("--mcp needs the mcp package; run pip install 'textmusic[mcp]'.")
    page = build_page(
        models, max_bars=_max_bars(), about=_card(next(iter(models.values()))),
        thumbs=None if feedback is None else Thumbs(feedback),
    )  # fmt: skip
    root = Path(get_upload_folder())
    routes = [route(root / "live"), *files.routes(Shelves(root).find)]
    user, password = os.environ.get("TEXTMUSIC_USER"), os.environ.get("TEXTMUSIC_PASSWORD")
    if bool(user) != bool(password):
        raise TextMusicError(
            "one of TEXTMUSIC_USER and TEXTMUSIC_PASSWORD is missing; set both, or neither."
        )
    proxy = os.environ.get("TEXTMUSIC_PROXY", "") if proxy is None else proxy
    more: dict[str, Any] = {"auth": (user, password)} if user else {}
    return launch(page, app_kwargs={"routes": routes}, mcp_server=mcp, proxy=proxy, **more, **where)


def _max_bars() -> int:
    said = os.environ.get("TEXTMUSIC_MAX_BARS", str(MAX_BARS))
    if not said.isdigit() or not 1 <= int(said) <= MAX_BARS:
        raise TextMusicError(
            f"TEXTMUSIC_MAX_BARS is '{said}'; set it to a whole number from 1 to {MAX_BARS}."
        )
    return int(said)


def _card(music: TextToMusic) -> str:
    """The model's card without its metadata."""
    path = music.tokenizer.folder / "README.md"
    card = path.read_text(encoding="utf-8") if path.exists() else f"# {music.name}"
    if card.startswith("---"):
        card = card.split("\n---\n", 1)[-1]
    return card
