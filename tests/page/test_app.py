"""The page, through a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fuzz
import httpx
import pytest
from broken_midi import BROKEN
from documented import blocks, pages
from gradio_client.exceptions import AppError
from httpx import HTTPStatusError
from library_pieces import melody, written
from symusic import Score

from textmusic.music.measure import measure
from textmusic.tokens.sampling import Sampling

if TYPE_CHECKING:
    from gradio_client import Client


@pytest.fixture(scope="module")
def client(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("TEXTMUSIC_MAX_BARS", "64")
        from gradio_client import Client

        from textmusic.page.layout import serve
        from textmusic.writing.text_to_music import TextToMusic

        models = {
            n: TextToMusic.from_pretrained(tiny_model, threads=1) for n in ("default", "lstm")
        }
        app, url, _ = serve(models, prevent_thread_lock=True, quiet=True)
        try:
            yield Client(
                url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads"))
            )
        finally:
            app.get_blocks().close(verbose=False)


def call(client: Client, name: str, *values: Any) -> dict[str, Any]:
    result: dict[str, Any] = client.predict(*values, api_name=f"/{name}")
    return result


CALM = "4 bars of calm piano in D minor"


def test_generate(client: Client) -> None:
    made = client.predict(CALM, seed=5, api_name="/generate")
    assert Path(made["midi"]).read_bytes()[:4] == b"MThd"
    assert Path(made["audio"]).read_bytes()[:4] == b"RIFF"
    assert Path(made["piano_roll"]).read_text("utf-8").startswith("<svg")
    assert json.loads(Path(made["report_file"]).read_text("utf-8")) == made["report"]
    assert (made["report"]["seed"], made["report"]["asked"]["bars"]) == (5, 4)
    again = client.predict(CALM, seed=5, api_name="/generate")
    assert Path(again["midi"]).read_bytes() == Path(made["midi"]).read_bytes()


def test_an_empty_text_and_no_seed(client: Client) -> None:
    made = client.predict("", bars=2, api_name="/generate")
    assert made["report"]["asked"]["key"] is None and made["report"]["measured"]["bars"] == 2


def test_controls_win_over_words(client: Client) -> None:
    made = client.predict(CALM, key="C major", tempo="andante", bars=2, api_name="/generate")
    asked = made["report"]["asked"]
    assert (asked["key"], asked["bars"]) == ("C major", 2) and 60 < asked["tempo"] < 110


def test_understand(client: Client) -> None:
    found = call(client, "understand", "sad waltz in H minor", "", "", 0)
    assert found["asked"]["time_signature"] == "3/4" and found["near"]["valence"] <= 2
    assert "H minor" in found["unused"][0]


@pytest.mark.slow
def test_a_file_is_composed_with(client: Client) -> None:
    from gradio_client import handle_file

    source = handle_file(str(Path(__file__).parents[1] / "data" / "midi" / "trio.mid"))
    made = client.predict(source, bars="2-3", seed=1, chords="F G", api_name="/rewrite")
    assert made["report"]["new_bars"] == [1, 3]
    assert [row["chords"][0][1][0] for row in made["report"]["sketch"]["rows"][1:3]] == [5, 7]
    made = client.predict(source, text="a soft flute", seed=1, api_name="/add")
    assert 73 in made["report"]["measured"]["programs"]
    made = client.predict(source, variation=3, seed=1, api_name="/vary")
    assert made["report"]["remarks"] == ["variation 3, the other mode: C minor"]
    assert Path(made["midi"]).read_bytes()[:4] == b"MThd"
    alone = made["report"]["measured"]["bars"]
    made = client.predict(source, variation=3, seed=1, with_theme=True, api_name="/vary")
    assert made["report"]["measured"]["bars"] == 2 * alone == 16
    assert "bars 9 to 16: variation 1, the other mode: C minor" in made["report"]["remarks"]
    for endpoint, wrong in (("rewrite", {}), ("rewrite", {"bars": "8-5"}), ("add", {}),
                            ("vary", {"variation": 0}),
                            ("vary", {"with_theme": "yes"})):  # fmt: skip
        with pytest.raises(Exception, match=r"give|name|choose"):
            client.predict(source, **wrong, api_name=f"/{endpoint}")


@pytest.mark.slow
def test_chords_and_form_can_be_asked_for(client: Client, pieces: list[Path]) -> None:
    from gradio_client import handle_file

    asked = {"chords": "Bm7b5 E7", "form": "verse chorus"}
    found = client.predict("piano", **asked, api_name="/understand")
    assert (found["chords"], found["form"]) == ("Bm7b5 E7", "verse, chorus")
    made = client.predict("piano in 4/4", bars=4, seed=1, **asked, api_name="/generate")
    rows = {row["field"]: row for row in made["report"]["rows"]}
    assert rows["chords"]["planned"] == "Bm7b5 | E7 | Bm7b5 | E7"
    assert rows["form"]["planned"] == rows["form"]["asked"] == "verse, chorus"
    roll = Path(made["piano_roll"]).read_text("utf-8")
    assert ">Bm7b5<" in roll and ">chorus<" in roll
    source = handle_file(str(pieces[0]))
    more = client.predict(source, bars=2, seed=1, **asked, api_name="/continue")
    new = more["report"]["sketch"]["rows"][-2:]
    assert [row["chords"] for row in new] == [[[0, [11, "hdim7"]]], [[0, [4, "7"]]]]


@pytest.mark.slow
@pytest.mark.parametrize("style", ["", "chorale"])
def test_a_melody_can_be_harmonised(client: Client, style: str) -> None:
    from gradio_client import handle_file

    tune = handle_file(str(Path(__file__).parents[1] / "data" / "own" / "tune.abc"))
    made = client.predict(tune, style=style, seed=1, api_name="/harmonise")
    assert [sorted(one) for one in made["proposals"]] == [["chords", "fit"]] * 3
    assert made["report"]["measured"]["bars"] == 12 and Path(made["midi"]).stat().st_size
    with pytest.raises(AppError, match="the chords fill 13 bars and the melody 12"):
        client.predict(tune, chords="C " * 13, style=style, api_name="/harmonise")


def test_what_stands_in_the_boxes_is_wished() -> None:
    from textmusic.page.forms import WISH, wish_of

    boxes: dict[str, Any] = dict.fromkeys(WISH, "")
    boxes |= {"valence": 0, "arousal": 0, "temperature": 1, "top_p": 0.9, "harmony_strength": 0.2}
    boxes |= {
        "form_strength": 0.7,
        "melody_strength": 0.3,
        "performance": 0.5,
        "chords": " Am F ",
        "form": "AB",
        "bars": "8",
        "model": "lstm",
    }
    wish = wish_of(boxes)
    assert wish.sampling == Sampling(
        1, 0.9, harmony_strength=0.2, form_strength=0.7, melody_strength=0.3
    )
    assert wish.performance == 0.5
    assert (wish.controls.chords, wish.controls.form, wish.controls.bars) == ("Am F", "AB", 8)
    nothing = wish_of(boxes | {"chords": " ", "form": None})
    assert (nothing.controls.chords, nothing.controls.form) == (None, None)


def test_every_box_of_a_wish_is_on_the_page_in_both_languages(client: Client) -> None:
    import httpx

    config = httpx.get(client.src + "config").json()
    said = config["i18n_translations"]
    labels = [str(part["props"].get("label", "")) for part in config["components"]]
    for name in ("chords", "form", "harmony_strength", "form_strength", "melody_strength",
                 "performance"):  # fmt: skip
        assert any(f'"key": "{name}"' in label for label in labels), name
        for language in ("en", "zh"):
            assert said[language][name] and said[language][f"{name}_info"]


def test_continue(client: Client, pieces: list[Path], tmp_path: Path) -> None:
    from gradio_client import handle_file

    made = client.predict(handle_file(str(pieces[0])), bars=2, seed=1, api_name="/continue")
    old, new = measure(Score(pieces[0])), measure(Score(made["midi"]))
    assert new.bars == (old.bars or 0) + 2
    broken = tmp_path / "x.mid"
    broken.write_bytes(b"\x89PNG not MIDI")
    with pytest.raises(AppError, match="is not a MIDI file"):
        client.predict(handle_file(str(broken)), bars=2, api_name="/continue")


@pytest.mark.slow
def test_hostile_uploads_are_answered_and_the_page_lives_on(client: Client, tmp_path: Path) -> None:
    from gradio_client import handle_file

    for number, (data, _) in enumerate(BROKEN.values()):
        path = tmp_path / f"{number}.mid"
        path.write_bytes(data)
        # over 2 MB the upload itself is refused, with an error of the client's
        with pytest.raises((AppError, HTTPStatusError, ValueError)):
            client.predict(handle_file(str(path)), bars=2, api_name="/continue")
    assert client.predict(CALM, seed=5, api_name="/generate")["report"]["seed"] == 5


def test_a_path_on_the_server_is_no_upload(client: Client, tmp_path: Path) -> None:
    from gradio_client.exceptions import AppError as Refused

    secret = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    with pytest.raises((Refused, ValueError)):
        client.predict(secret, bars=2, api_name="/continue")


@pytest.mark.slow
def test_the_example_of_the_docs_runs(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks(pages()["docs/page.md"], "python")
    exec(example.replace("http://127.0.0.1:7860", client.src), {})
    *_, last = capsys.readouterr().out.splitlines()  # the client says first what it has loaded
    assert re.fullmatch(r"[A-G][#b]? (major|minor) .*\.wav", last)


def test_compare(client: Client) -> None:
    made = client.predict(CALM, "default", "lstm", 3, api_name="/compare")
    assert made["first"]["report"]["planned"] == made["second"]["report"]["planned"]
    assert made["first"]["report"]["seed"] == made["second"]["report"]["seed"] == 3


def test_practise(client: Client) -> None:
    made = client.predict("piano", 1, "G", 4, "", 3, "default", api_name="/practise")
    assert made["report"]["remarks"] == ["grade 1 piano: kept"]
    assert made["report"]["planned"]["key"] == "G major"
    with pytest.raises(AppError, match="grade 1 piano has no E major; choose C major"):
        client.predict("piano", 1, "E", 4, "", 3, "default", api_name="/practise")


def test_a_script_stays_text(client: Client) -> None:
    text = "<script>alert(1)</script><img src=x onerror=alert(2)> in Q<b> major, 2 bars"
    made = client.predict(text, seed=1, api_name="/generate")
    assert "<script>" not in Path(made["piano_roll"]).read_text("utf-8")
    assert made["report"]["text"] == text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"text": "x" * 10_000}, "2,000"),
        ({"text": "piano", "seed": 2**40}, "seed"),
        ({"text": "piano", "key": "H minor"}, "H minor"),
        ({"text": "piano", "model": "../../etc"}, "does not offer"),
        ({"text": "65 bars of piano"}, "64 bars at most"),
        ({"text": "piano", "bars": 300}, "300 is out of range"),
        ({"text": "piano", "chords": "Am H7"}, "chord"),
        ({"text": "piano", "form": "qwerty"}, "not a known form"),
        ({"text": "piano, 2 bars", "form": "AABA"}, "4 sections does not fit into 2 bars"),
    ],
    ids=[
        "long",
        "large seed",
        "no key",
        "no model",
        "too many bars",
        "no bars",
        "no chord",
        "no form",
        "a long form",
    ],
)
def test_refused(client: Client, more: dict[str, Any], said: str) -> None:
    with pytest.raises(AppError, match=said):
        client.predict(**more, api_name="/generate")


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("understand", {"bars": 1.5}), ("understand", {"bars": True}), ("understand", {"bars": "x"}),
    ("understand", {"bars": 10**310}), ("understand", {"key": ["a"]}), ("understand", {"text": 5}),
    ("understand", {"tempo": {"a": 1}}), ("understand", {"chords": [1]}),
    ("understand", {"form": 5}), ("understand", {"text": "9" * 310 + " bars", "bars": 300}),
    ("generate", {"bars": 1.5}), ("generate", {"bars": True}), ("generate", {"seed": 1.5}),
    ("generate", {"seed": "1"}), ("generate", {"seed": True}), ("generate", {"seed": -2}),
    ("generate", {"seed": 10**310}), ("generate", {"model": ["a"]}), ("generate", {"model": 5}),
    ("continue", {"midi": None}), ("continue", {"midi": 5}), ("continue", {"midi": {}}),
    ("continue", {"midi": []}), ("continue", {"midi": "/etc/passwd"}),
    ("compare", {"first": ["a"]}), ("compare", {"second": 5}), ("compare", {"seed": 1.5}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_type_is_refused_in_a_sentence(
    client: Client, name: str, given: dict[str, Any]
) -> None:
    verdict = fuzz.called(client.src, name, list((fuzz.CALLS[name] | given).values()))
    assert verdict.kind == fuzz.REFUSED, verdict


def test_null_leaves_a_field_open(client: Client) -> None:
    for field in ("key", "tempo", "bars", "chords", "form", "model", "seed"):
        given = fuzz.CALLS["generate"] | {"text": "piano, 1 bar", field: None}
        assert fuzz.called(client.src, "generate", list(given.values())).kind == fuzz.READ, field


def test_one_call_fails_nobody_else(client: Client) -> None:
    innocent = [client.submit("piano, 16 bars", seed=n, api_name="/generate") for n in range(2)]
    for given in ({"bars": 1.5}, {"bars": True}, {"key": ["a"]}):
        data = list((fuzz.CALLS["generate"] | given).values())
        assert fuzz.called(client.src, "generate", data).kind == fuzz.REFUSED
    assert [job.result(timeout=120)["report"]["measured"]["bars"] for job in innocent] == [16, 16]


@pytest.mark.slow
def test_many_at_once_are_all_served(client: Client) -> None:
    jobs = [client.submit(f"piano, {2 + n % 3} bars", seed=n, api_name="/generate")
            for n in range(6)]  # fmt: skip
    problems = [str(job.exception(timeout=120) or "") for job in jobs]
    assert problems.count("") >= 4, "one address has four at a time"
    assert all(not said or "wait until one is finished" in said for said in problems)


def test_the_endpoints_are_those_of_the_readme(client: Client) -> None:
    found = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    names = [
        "add", "compare", "continue", "generate", "harmonise", "originality", "practise", "rewrite",
        "similar", "transcribe", "understand", "vary",
    ]  # fmt: skip
    assert sorted(found) == [f"/{name}" for name in names]
    names = [p["parameter_name"] for p in found["/generate"]["parameters"]]
    assert names == ["text", "key", "tempo", "bars", "seed", "model", "chords", "form"]
    names = [p["parameter_name"] for p in found["/continue"]["parameters"]]
    assert names == ["midi", "bars", "text", "seed", "model", "chords", "form"]


def test_pieces_are_compared_over_the_endpoints(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gradio_client import handle_file

    tune = written(melody(1), tmp_path / "tune.mid")
    one, other = (handle_file(str(path)) for path in (tune, written(melody(2), tmp_path / "b.mid")))
    said = client.predict(one, one, api_name="/originality")
    assert said["melody"]["semitones"] == 0 and said["melody"]["times_as_long"] == 1
    assert said["melody"]["bars"] == said["melody"]["other_bars"]
    assert set(client.predict(one, other, api_name="/originality")) == {"melody", "rhythm"}
    monkeypatch.delenv("TEXTMUSIC_LIBRARY", raising=False)
    with pytest.raises(AppError, match="this page has no library; set TEXTMUSIC_LIBRARY to a"):
        client.predict("calm", api_name="/similar")
    monkeypatch.setenv("TEXTMUSIC_LIBRARY", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "c" / "hub"))
    found = client.predict("", one, 1, api_name="/similar")
    assert found[0]["piece"] == "tune.mid" and found[0]["why"]


def test_the_page_needs_nothing_from_elsewhere(client: Client) -> None:
    page = httpx.get(client.src).text
    for host in ("googleapis", "gstatic", "cdnjs", "jsdelivr", "unpkg"):
        assert host not in page
    assert '"analytics_enabled":false' in page.replace(" ", "")


def test_the_page_comes_compressed(client: Client) -> None:
    """All that is needed before the first paint stays under 500 kB, so the page must be small."""
    with httpx.stream("GET", client.src, headers={"Accept-Encoding": "gzip"}) as page:
        sent = sum(map(len, page.iter_raw()))
        assert page.headers["content-encoding"] == "gzip" and sent < 100_000
    plain = httpx.get(client.src, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers and len(plain.content) > 3 * sent


def test_what_is_heard_live_is_sent_as_it_is() -> None:
    from starlette.responses import Response
    from starlette.testclient import TestClient

    from textmusic.page.launch import compressed

    there = TestClient(compressed(Response(bytes(9999), media_type="text/plain")))
    assert "content-encoding" not in there.get("/live/1.mp3").headers
    assert there.get("/").headers["content-encoding"] == "gzip"


def test_both_languages_are_offered(client: Client) -> None:
    import httpx

    config = httpx.get(client.src + "config").json()
    said = config["i18n_translations"]
    assert said["zh-CN"]["generate"] == "生成" and said["en"]["generate"] == "Generate"
    assert all(said["zh"].keys() == words.keys() for words in said.values())
