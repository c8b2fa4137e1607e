"""Sharing models, against a Hub on the loopback interface that the Hub's own client talks to."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import soundfile
from hub_server import READ, WRITE, HubServer
from huggingface_hub import constants

from textmusic.errors import TextMusicError
from textmusic.hub.card import EXAMPLES
from textmusic.hub.fetch import fetch, is_music_model
from textmusic.hub.files import CHECKSUMS
from textmusic.writing.text_to_music import TextToMusic

REPO = "user/tiny"
WEIGHTS = ("model.onnx", "model.onnx.data", "embeddings.safetensors")
RESOLVE = f"GET /{REPO}/resolve/.*/"


@pytest.fixture
def shared(hub: HubServer, tiny: TextToMusic) -> HubServer:
    """The Hub, with the tiny model on it."""
    tiny.push_to_hub(REPO)
    hub.log.clear()
    return hub


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model's folder."""
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))


def load(folder: Path) -> TextToMusic:
    return TextToMusic.from_pretrained(folder, threads=1)


def piece(music: TextToMusic) -> bytes:
    return music.generate("piano, 2 bars", seed=1).score.dumps_midi()


def metadata(card: bytes) -> dict[str, Any]:
    from huggingface_hub import ModelCard

    return ModelCard(card.decode()).data.to_dict()  # type: ignore[no-any-return]


# There and back -----------------------------------------------------------------------------------


def test_what_is_pushed_is_fetched_and_writes_the_same_piece(
    hub: HubServer, tiny: TextToMusic
) -> None:
    pushed = tiny.push_to_hub(REPO)
    assert pushed.url and pushed.url.startswith(f"{hub.url}/{REPO}/commit/")
    assert set(pushed.files) == set(hub.files(REPO)) - {".gitattributes"}
    music = TextToMusic.from_pretrained(REPO, threads=1)
    assert piece(music) == piece(tiny)
    assert music.name == REPO
    print("\n".join(hub.log))
    for name in WEIGHTS:
        assert sum("GET" in line and line.endswith(f"/{name} -> 200") for line in hub.log) == 1
    hub.log.clear()
    TextToMusic.from_pretrained(REPO, threads=1)
    assert hub.log and not any("resolve" in line for line in hub.log)  # all is in the cache


def test_a_model_that_knows_music_is_told_from_one_that_does_not(shared: HubServer) -> None:
    from huggingface_hub import HfApi

    HfApi().create_repo("user/llm")
    HfApi().upload_file(path_or_fileobj=b"{}", path_in_repo="config.json", repo_id="user/llm")
    assert is_music_model(REPO)
    assert not is_music_model("user/llm")
    with pytest.raises(TextMusicError, match="there is no 'user/nothing' on the Hub"):
        is_music_model("user/nothing")
    shared.stop()
    assert is_music_model(REPO), "the cache knows"
    with pytest.raises(TextMusicError, match="the Hub cannot be reached"):
        is_music_model("user/other")


def test_the_command_pushes_and_fetches_by_the_environment_alone(
    tiny_model: Path, tmp_path: Path
) -> None:
    def run(*args: str | Path) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "textmusic", *map(str, args)], capture_output=True, text=True,
            env=environment, cwd=tmp_path, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    with HubServer() as server:
        environment = os.environ | {
            "HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": WRITE,
            "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1",
        }  # fmt: skip
        environment.pop("HF_HUB_CACHE", None)
        assert f"{server.url}/{REPO}/commit/" in run("push", tiny_model, REPO)
        run("generate", "piano, 2 bars", "--model", REPO, "--format", "mid", "-o", "out")
    assert len(list((tmp_path / "out").glob("*.mid"))) == 1
    environment["HF_HUB_OFFLINE"] = "1"
    assert "# tiny" in run("info", "--model", REPO)


def test_a_branch_holds_what_was_pushed_to_it(shared: HubServer, copy: Path) -> None:
    (copy / "README.md").write_text("---\nlicense: mit\n---\n# Second\n")
    load(copy).push_to_hub(REPO, revision="second")
    main, second = fetch(REPO), fetch(REPO, "second")
    assert "# Second" in (second / "README.md").read_text()
    assert "# Second" not in (main / "README.md").read_text()
    assert fetch(REPO, second.name) == second  # by its commit too
    with pytest.raises(TextMusicError, match=r"'user/tiny' has no revision 'third'; choose one"):
        fetch(REPO, "third")


def test_a_private_model_is_for_those_with_a_token(
    hub: HubServer, tiny: TextToMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.push_to_hub(REPO, private=True)
    assert hub.repos[REPO].private
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(TextMusicError, match=r"no 'user/tiny' on the Hub, or it is private"):
        fetch(REPO)
    monkeypatch.setenv("HF_TOKEN", READ)
    assert fetch(REPO).is_dir()


def test_what_is_to_be_private_does_not_go_where_all_can_see(
    shared: HubServer, tiny: TextToMusic
) -> None:
    before = shared.repos[REPO].branches["main"]
    with pytest.raises(TextMusicError, match="already exists and is public; make it private"):
        tiny.push_to_hub(REPO, private=True)
    assert shared.repos[REPO].branches["main"] == before


@pytest.mark.bundled
def test_an_lstm_is_shared_in_the_same_way(hub: HubServer, tmp_path: Path) -> None:
    music = TextToMusic.from_pretrained("lstm", threads=1)
    figures = report(tmp_path / "comparison", "default", "lstm")
    pushed = music.push_to_hub("user/lstm", evaluation=figures)
    assert {"encoder.onnx", "decoder.onnx", "captions.model"} <= set(pushed.files)
    assert metadata(hub.files("user/lstm")["README.md"])["license"] == "apache-2.0"  # its own card
    assert piece(TextToMusic.from_pretrained("user/lstm", threads=1)) == piece(music)


@pytest.mark.train
def test_a_folder_that_training_wrote_is_shared_with_its_adapter(
    shared: HubServer, trained: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(trained, tmp_path / "best"))
    (folder / "adapter").mkdir()
    (folder / "adapter" / "adapter_config.json").write_text("{}")
    music = load(folder)
    music.push_to_hub(REPO)
    files = shared.files(REPO)
    assert {"config.json", "model.safetensors", "adapter/adapter_config.json"} <= set(files)
    assert not {"textmusic.json", "model.onnx"} & set(files)  # of the model that was there before
    assert "in training format" in files["README.md"].decode()
    assert piece(TextToMusic.from_pretrained(REPO, threads=1)) == piece(music)


@pytest.mark.train
def test_plain_transformers_loads_what_training_wrote(hub: HubServer, trained: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from textmusic.models.llm import load_llm

    load(trained).push_to_hub(REPO)
    lm, tokenizer = AutoModelForCausalLM.from_pretrained(REPO), AutoTokenizer.from_pretrained(REPO)
    own = load_llm(trained)
    ids = tokenizer("calm piano in D minor", return_tensors="pt").input_ids
    assert ids[0].tolist() == load(trained).tokenizer.encode_text("calm piano in D minor")
    with torch.no_grad():
        logits = lm.eval()(ids).logits[..., own.offset :]
        assert torch.allclose(logits, own.eval().logits(ids))


# What is sent -------------------------------------------------------------------------------------


def test_a_dry_run_sends_nothing_and_needs_no_token(
    hub: HubServer, tiny: TextToMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    pushed = tiny.push_to_hub(REPO, dry_run=True)
    assert pushed.url is None
    assert hub.log == []
    assert pushed.files["model.onnx"] == (tiny.tokenizer.folder / "model.onnx").stat().st_size
    assert "library_name: textmusic" in pushed.metadata


def test_only_a_models_own_files_are_sent_and_never_pickles(hub: HubServer, copy: Path) -> None:
    for name in ("optimizer.pt", "pytorch_model.bin", "state.pkl", "notes.txt", ".secret.json"):
        (copy / name).write_bytes(pickle.dumps(name))
    (copy / "more").mkdir()
    (copy / "more" / "textmusic.json").write_text("{}")
    names = {file.name for file in (copy).glob("[!.]*.*")} - {
        "optimizer.pt", "pytorch_model.bin", "state.pkl", "notes.txt",
    }  # fmt: skip
    pushed = load(copy).push_to_hub(REPO, dry_run=True)
    assert set(pushed.files) == names | {"README.md", CHECKSUMS}


def test_what_an_earlier_model_left_goes_and_what_people_added_stays(
    shared: HubServer, tiny: TextToMusic
) -> None:
    repo = shared.repos[REPO]
    old = {"encoder.onnx": b"", "samples/09.mp3": b"", "LICENSE": b"mine", "notes.md": b"mine"}
    repo.commit("main", {**shared.files(REPO), **old})
    tiny.push_to_hub(REPO)
    assert {"LICENSE", "notes.md"} <= set(shared.files(REPO))
    assert not {"encoder.onnx", "samples/09.mp3"} & set(shared.files(REPO))


def report(folder: Path, *names: str) -> Path:
    figure = {"value": 0.75, "low": 0.5, "high": 1.0, "n": 40}
    entry = {"figures": {"asked": {"CK": figure}, "alone": {"genre": figure}}}
    about = {"date": "2026-11-25", "prompts": {"file": "held-out.jsonl", "sha256": "0"}}
    folder.mkdir()
    (folder / "report.json").write_text(
        json.dumps({"about": about, "entries": dict.fromkeys(names, entry)})
    )
    (folder / "report.md").write_text("# figures\n")
    return folder


def test_a_card_is_written_from_what_is_known(
    hub: HubServer, tiny: TextToMusic, tmp_path: Path
) -> None:
    tiny.push_to_hub(REPO, samples=1, evaluation=report(tmp_path / "ev", "tiny_model", "real"))
    files = hub.files(REPO)
    assert soundfile.info(io.BytesIO(files["samples/01.mp3"])).format == "MP3"
    assert len(files["samples/01.mp3"]) < 1_000_000
    assert json.loads(files["evaluation/report.json"])["about"]["date"] == "2026-11-25"
    known = metadata(files["README.md"])
    assert known["library_name"] == "textmusic" and "midi" in known["tags"]
    assert known["pipeline_tag"] == "text-to-audio" and known["language"] == ["en", "zh"]
    assert known["metrics"] == ["CK"]
    assert known["widget"] == [{"text": EXAMPLES[0], "output": {"url": "samples/01.mp3"}}]
    (result,) = known["model-index"][0]["results"]
    assert result["metrics"] == [{"type": "CK", "value": 0.75, "name": "CK"}]
    assert "license" not in known  # nobody said
    text = files["README.md"].decode()
    assert "| CK | 75.0% [50.0%, 100.0%] | 40 |" in text
    assert 'TextToMusic.from_pretrained("user/tiny")' in text
    assert "The licence of the weights, the base model, the training data: not stated" in text
    fetched = {path.name for path in fetch(REPO).iterdir()}
    assert "samples" not in fetched and "evaluation" not in fetched


def test_a_card_that_is_there_keeps_its_text_and_what_it_says(hub: HubServer, copy: Path) -> None:
    body = "\n# Mine\n\n音楽, as I see it.\n"
    head = "license: mit\nbase_model: a/b\ntags: [waltz]\nlanguage: ja\ndatasets: [c/d]"
    (copy / "README.md").write_text(f"---\n{head}\n---\n{body}", encoding="utf-8")
    load(copy).push_to_hub(REPO)
    card = hub.files(REPO)["README.md"]
    assert card.decode().endswith(body)
    known = metadata(card)
    assert known["license"] == "mit" and known["base_model"] == "a/b" and known["language"] == "ja"
    assert known["datasets"] == ["c/d"]
    assert known["tags"][0] == "waltz" and "textmusic" in known["tags"]
    assert [example["text"] for example in known["widget"]] == list(EXAMPLES)


def test_metadata_without_a_text_get_one(hub: HubServer, copy: Path) -> None:
    (copy / "README.md").write_text("---\nlicense: mit\nbase_model: a/b\n---\n")
    load(copy).push_to_hub(REPO)
    text = hub.files(REPO)["README.md"].decode()
    assert "# tiny\n" in text and metadata(text.encode())["license"] == "mit"
    assert "The training data: not stated in the model's files" in text and "licence" not in text


@pytest.mark.parametrize(
    "names", [(), ("real",), ("one", "other")], ids=["empty", "real", "others"]
)
def test_figures_of_other_models_are_refused(
    names: tuple[str, ...], hub: HubServer, tiny: TextToMusic, tmp_path: Path
) -> None:
    with pytest.raises(TextMusicError, match="has no report of this model; write one"):
        tiny.push_to_hub(REPO, evaluation=report(tmp_path / "ev", *names))
    with pytest.raises(TextMusicError, match="has no report of this model"):
        tiny.push_to_hub(REPO, evaluation=tmp_path)
    assert hub.log == []


def test_a_card_that_the_hub_or_nobody_can_read_is_said(hub: HubServer, copy: Path) -> None:
    (copy / "README.md").write_text("---\nlicense: bad\n---\n")
    with pytest.raises(TextMusicError, match=r'"license" must be known\); fix the metadata'):
        load(copy).push_to_hub(REPO)
    for content in (b"---\ntags: [a\n---\n", b"---\n- a\n---\n", b"\xff\xfe"):
        (copy / "README.md").write_bytes(content)
        with pytest.raises(TextMusicError, match=r"metadata of README.md can't be read"):
            load(copy).push_to_hub(REPO)


# What can go wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["a/b/c", "user/na me", "user/..", "no-such-folder/", "", "💥"])
def test_what_is_no_id_is_said_without_a_look_at_the_network(
    model: str, hub: HubServer, tiny: TextToMusic
) -> None:
    with pytest.raises(TextMusicError, match="give a folder that exists or user/name"):
        fetch(model)
    with pytest.raises(TextMusicError, match="is not a Hub id; give user/name"):
        tiny.push_to_hub(model)
    with pytest.raises(TextMusicError, match="is not a Hub id; give user/name"):
        tiny.push_to_hub("name")
    assert hub.log == []


def test_a_push_needs_a_token_that_may_write(
    hub: HubServer, tiny: TextToMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(
        TextMusicError, match=r"there is no Hub token; create one .* 'hf auth login'"
    ):
        tiny.push_to_hub(REPO)
    assert hub.log == []
    monkeypatch.setenv("HF_TOKEN", "hf_unknown")
    with pytest.raises(TextMusicError, match="the Hub does not accept your token; create one"):
        tiny.push_to_hub(REPO)
    monkeypatch.setenv("HF_TOKEN", READ)
    with pytest.raises(TextMusicError, match="your token can't write to 'user/tiny'; use"):
        tiny.push_to_hub(REPO)
    monkeypatch.setenv("HF_TOKEN", WRITE)
    with pytest.raises(TextMusicError, match="your token can't write to 'else/tiny'; use"):
        tiny.push_to_hub("else/tiny")
    assert hub.repos == {}


PROBLEMS = [
    (401, "there is no 'user/tiny' on the Hub, or it is private"),
    (403, "you have no access to 'user/tiny'; ask for it"),
    (404, "there is no 'user/tiny' on the Hub"),
    (418, "could not be fetched .*; check the name and the revision"),
    (429, r"too many requests from here \(429\); wait a few minutes"),
    (500, r"a server error \(500\); try again later"),
    (503, r"a server error \(503\); try again later"),
]


@pytest.mark.parametrize(("status", "said"), PROBLEMS)
@pytest.mark.parametrize("request_", ["GET /api/models", "HEAD ", "GET .*onnx.data"])
def test_what_the_hub_answers_to_a_fetch_is_said(
    request_: str, status: int, said: str, shared: HubServer
) -> None:
    shared.fail(request_, status)
    with pytest.raises(TextMusicError, match=said):
        fetch(REPO)


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "does not accept your token"), (403, "can't write to"), (404, "there is no"),
     (413, "could not be pushed .*413"), (429, "too many requests"), (502, "a server error")],
)  # fmt: skip
@pytest.mark.parametrize("step", ["preupload", "objects/batch", "storage", "commit/"])
def test_what_the_hub_answers_to_a_push_is_said(
    step: str, status: int, said: str, hub: HubServer, tiny: TextToMusic
) -> None:
    hub.fail(step, status)
    with pytest.raises(TextMusicError, match=said):
        tiny.push_to_hub(REPO)
    assert set(hub.files(REPO)) == {".gitattributes"}  # all or nothing
    hub.faults.clear()
    tiny.push_to_hub(REPO)  # and then it goes on
    assert "model.onnx" in hub.files(REPO)


def test_a_busy_hub_is_asked_again(shared: HubServer, tiny: TextToMusic) -> None:
    shared.fail("GET .*onnx.data", 429, times=2, Retry_After="1")
    assert fetch(REPO).is_dir()
    assert sum(" -> 429" in line for line in shared.log) == 2
    shared.fail("preupload", 429, times=2)
    shared.fail("preupload", 500, times=2)
    tiny.push_to_hub(REPO)


def test_a_download_that_is_cut_goes_on_where_it_was(
    shared: HubServer, tiny: TextToMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)  # it keeps whole chunks only
    shared.cut(RESOLVE + "model.onnx.data", after=10_000)
    shared.cut(RESOLVE + "model.onnx.data", after=5_000)
    assert piece(TextToMusic.from_pretrained(REPO, threads=1)) == piece(tiny)
    ranges = [line.split("-> ")[1] for line in shared.log if "GET" in line and "onnx.data" in line]
    assert ranges == ["200", "206 (bytes=10000-)", "206 (bytes=15000-)"]


def test_a_download_that_is_cut_for_good_is_said_and_taken_up_later(shared: HubServer) -> None:
    shared.cut(RESOLVE + "model.onnx.data", after=0, times=100)
    with pytest.raises(TextMusicError, match=r"the connection to the Hub failed .*; try again"):
        fetch(REPO)
    shared.faults.clear()
    shared.log.clear()
    folder = fetch(REPO)
    assert (folder / "model.onnx.data").exists()
    assert not any("GET" in line and "embeddings" in line for line in shared.log)  # was kept


def test_an_upload_that_is_cut_is_sent_again_and_what_was_stored_is_not(
    hub: HubServer, tiny: TextToMusic
) -> None:
    hub.drop("PUT", times=2)
    hub.drop("commit/", times=1)
    with pytest.raises(TextMusicError, match=r"the connection to the Hub failed .*; try again"):
        tiny.push_to_hub(REPO)
    assert sum(line.startswith("PUT") and line.endswith("dropped") for line in hub.log) == 2
    hub.log.clear()
    tiny.push_to_hub(REPO)
    assert "model.onnx.data" in hub.files(REPO)
    assert not any(line.startswith("PUT") for line in hub.log)


def test_without_a_connection_what_is_in_the_cache_is_used(
    shared: HubServer, tiny: TextToMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fetch(REPO)
    shared.stop()
    assert fetch(REPO) == before
    with pytest.raises(TextMusicError, match="'user/other' is not a folder here and the"):
        fetch("user/other")
    with pytest.raises(TextMusicError, match=r"the connection to the Hub failed .*; try again"):
        tiny.push_to_hub(REPO)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert piece(TextToMusic.from_pretrained(REPO, threads=1)) == piece(tiny)
    with pytest.raises(TextMusicError, match="'user/other' is not in the cache, and HF_"):
        fetch("user/other")
    with pytest.raises(TextMusicError, match=r"^HF_HUB_OFFLINE blocks the Hub"):
        tiny.push_to_hub(REPO)


def test_files_that_were_changed_on_the_way_are_said_and_fetched_anew(
    shared: HubServer, tiny: TextToMusic
) -> None:
    repo = shared.repos[REPO]
    (oid,) = [oid for oid in repo.commits if "model.onnx" in repo.commits[oid]]
    whole = repo.commits[oid]["model.onnx.data"]
    repo.commits[oid]["model.onnx.data"] = b"\1" + whole[1:]
    with pytest.raises(
        TextMusicError, match=r"model.onnx.data of 'user/tiny' does not match its published"
    ):
        TextToMusic.from_pretrained(REPO)
    repo.commits[oid]["model.onnx.data"] = whole
    assert piece(TextToMusic.from_pretrained(REPO, threads=1)) == piece(tiny)


def test_what_could_run_code_is_never_fetched(shared: HubServer) -> None:
    more = {"pytorch_model.bin": b"", "model.pkl": b"", "model.py": b"", "more/model.onnx": b""}
    shared.repos[REPO].commit("main", {**shared.files(REPO), **more})
    assert not set(more) & {path.name for path in fetch(REPO).rglob("*")}
    assert not any(name in line for line in shared.log for name in more)


def changed(hub: HubServer, **files: bytes | None) -> None:
    """A commit in which files have other content, or are gone."""
    named = {name.replace("_json", ".json"): content for name, content in files.items()}
    now = {**hub.files(REPO), **named}
    hub.repos[REPO].commit(
        "main", {n: content for n, content in now.items() if content is not None}
    )


def test_what_is_no_textmusic_model_is_said_before_weights_are_fetched(shared: HubServer) -> None:
    config = json.loads(shared.files(REPO)["textmusic.json"])
    changed(shared, textmusic_json=json.dumps(config | {"format": 99}).encode())
    with pytest.raises(TextMusicError, match="'user/tiny' was made by a newer textmusic; pip"):
        fetch(REPO)
    changed(shared, vocabulary_json=None, textmusic_json=None)
    with pytest.raises(TextMusicError, match="'user/tiny' is not a textmusic model; find"):
        fetch(REPO)
    changed(shared, vocabulary_json=b"[]", checksums_json=b"[1]")
    with pytest.raises(TextMusicError, match="not a complete textmusic model"):
        fetch(REPO)
    assert not any(name in line for line in shared.log for name in WEIGHTS)
