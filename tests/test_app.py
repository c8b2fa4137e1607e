"""The page, through a real server."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from gradio_client import Client

    from textmusic.pipeline import TextToMusic


@pytest.fixture(scope="module")
def client(tiny: TextToMusic, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("cache")))
        from gradio_client import Client

        from textmusic.page import serve

        app, url, _ = serve(tiny, prevent_thread_lock=True, quiet=True)
        try:
            yield Client(
                url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads"))
            )
        finally:
            app.get_blocks().close(verbose=False)


def generate(client: Client, text: str, seed: object = "") -> tuple[Any, ...]:
    result: tuple[Any, ...] = client.predict(text, str(seed), api_name="/generate")
    return result


def test_generate(client: Client) -> None:
    audio, roll, report, files, _ = generate(client, "4 bars of calm piano in D minor", 5)
    assert Path(audio).read_bytes()[:4] == b"RIFF"
    assert roll.startswith('<img alt="piano roll" src="data:image/svg+xml;base64,')
    assert "<td>D minor</td>" in report
    assert "seed 5" in report
    stem = "4-bars-of-calm-piano-in-d-minor-5"
    assert [Path(file).name for file in files] == [
        f"{stem}.{k}" for k in "mid wav json svg".split()
    ]
    data = json.loads(Path(files[2]).read_text("utf-8"))
    assert (data["seed"], data["asked"]["bars"]) == (5, 4)
    again = generate(client, "4 bars of calm piano in D minor", 5)
    assert Path(again[3][0]).read_bytes() == Path(files[0]).read_bytes()


def test_an_empty_text_and_no_seed(client: Client) -> None:
    _, _, report, files, _ = generate(client, "")
    assert report.count('<span class="tm-open">open</span>') == 9
    assert len(files) == 4


def test_a_script_stays_text(client: Client) -> None:
    text = "<script>alert(1)</script><img src=x onerror=alert(2)> in Q<b> major, 2 bars"
    _, roll, report, files, _ = generate(client, text, 1)
    for html in (roll, report):
        assert "<script" not in html
        assert "onerror" not in html
        assert "<b>" not in html
    svg = Path(files[3]).read_text("utf-8")
    assert "<script>" not in svg
    assert json.loads(Path(files[2]).read_text("utf-8"))["text"] == text


def test_notes_are_escaped() -> None:
    from textmusic.page import report_html
    from textmusic.plan import Plan
    from textmusic.report import Report

    plan = Plan("jazz", 3, 3, (0,), "C major", 120.0, "4/4", 4, 3)
    note = "'<script>alert(1)</script>': not understood"
    html = report_html(Report("", "", 1, "m", "0", plan, None, plan, plan, 8.0, 9, (note,)))
    assert "<script" not in html
    assert "Not used: &#x27;&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("text", "seed", "said"),
    [
        ("x" * 10_000, 1, "2,000"),
        ("piano", -1, "seed"),
        ("piano", 2**40, "seed"),
        ("piano", "five", "whole number"),
    ],
    ids=["long", "negative", "large", "a word"],
)
def test_refused(client: Client, text: str, seed: object, said: str) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match=said):
        generate(client, text, seed)


def test_stop_between_bars(client: Client) -> None:
    job = client.submit("256 bars of dense piano", 1, api_name="/generate")
    deadline = time.monotonic() + 60
    while not (data := job.status().progress_data) or not data[0].index:
        assert not job.done() and time.monotonic() < deadline
        time.sleep(0.02)
    assert data[0].unit == "bars"
    assert data[0].length == 256
    job.cancel()
    # the next one does not wait for the bars that were left, and is as if nothing had been before
    files = generate(client, "4 bars of calm piano in D minor", 5)[3]
    first = generate(client, "4 bars of calm piano in D minor", 5)[3]
    assert Path(files[0]).read_bytes() == Path(first[0]).read_bytes()
    assert not job.outputs() or len(job.outputs()) < 256


def test_it_is_heard_and_seen_while_it_is_written(client: Client) -> None:
    import httpx
    import soundfile

    text = "12 bars of piano and drums in 4/4 at 120 bpm"
    job = client.submit(text, "5", api_name="/generate")
    generation = job.result(timeout=120)
    rolls = [out[1] for out in job.outputs() if str(out[1]).startswith("<img")]
    assert len(set(rolls)) > 5
    (address,) = {
        m[1] for out in job.outputs() if (m := re.search(r'src="(live/.+?)"', str(out[4])))
    }
    heard = httpx.get(client.src + address)
    assert heard.status_code == 200
    live, _ = soundfile.read(io.BytesIO(heard.content), dtype="float32")
    whole, _ = soundfile.read(generation[0], dtype="float32")
    assert len(live) == (24 + 3) * 44100
    assert np.corrcoef(live[: len(whole), 0], whole[:, 0])[0, 1] > 0.9
    assert httpx.get(client.src + "live/none.wav").status_code == 404


def test_only_generate_is_public(client: Client) -> None:
    names = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(names) == ["/generate"]
    assert [p["parameter_name"] for p in names["/generate"]["parameters"]] == ["text", "seed"]


def test_the_page_needs_nothing_from_elsewhere(client: Client) -> None:
    import httpx

    page = httpx.get(client.src).text
    for host in ("googleapis", "gstatic", "cdnjs", "jsdelivr", "unpkg"):
        assert host not in page
    assert '"analytics_enabled":false' in page.replace(" ", "")


@pytest.mark.bundled
def test_app() -> None:
    """app.py imports without starting anything, and its model makes a page."""
    import runpy

    from textmusic.page import build_page
    from textmusic.pipeline import TextToMusic

    app = runpy.run_path(str(Path(__file__).parents[1] / "app.py"))
    assert callable(app["serve"])
    assert build_page(TextToMusic.from_pretrained(threads=1)).fns
