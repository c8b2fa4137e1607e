"""The standard Llama folder: plain transformers loads it, and the road of docs/serving.md runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the train extra")

import torch
from documented import DATA, ROOT, run
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from textmusic.errors import TextMusicError
from textmusic.models.llama_export import export_llama
from textmusic.models.llm import load_llm
from textmusic.tokens.folding import END
from textmusic.tokens.tokenizer import Tokenizer

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]
torch.set_num_threads(1)
SERVING = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
NOT_HERE = {"vllm serve my-llama/ --served-model-name music --dtype bfloat16"}


@pytest.fixture(scope="module")
def llama(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    export_llama(load_llm(trained), folder, trained)
    return folder


def test_plain_transformers_gives_the_logits_of_our_own(llama: Path, trained: Path) -> None:
    lm, own = AutoModelForCausalLM.from_pretrained(llama), load_llm(trained)
    assert type(lm).__name__ == "LlamaForCausalLM"
    ids = torch.randint(0, 1100, (2, 50), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(lm.eval()(ids).logits[..., own.offset :], own.eval().logits(ids))
    files = {file.name for file in llama.iterdir()}
    assert files == {
        "config.json", "model.safetensors", "generation_config.json", "tokenizer.json",
        "tokenizer_config.json", "grammar.json",
    }  # fmt: skip


def test_the_config_says_what_servers_ask_for(llama: Path, trained: Path) -> None:
    config, tokenizer = AutoConfig.from_pretrained(llama), Tokenizer(trained)
    assert config.architectures == ["LlamaForCausalLM"] and config.tie_word_embeddings
    assert config.vocab_size == tokenizer.offset + len(tokenizer.vocabulary)
    assert config.eos_token_id == tokenizer.offset + tokenizer.index[END]
    assert config.max_position_embeddings == 1088, "what the tiny model's base has"
    plain = json.loads((llama / "config.json").read_text())
    assert plain["rope_theta"] == config.rope_parameters["rope_theta"]


def test_its_tokenizer_spells_text_and_music_as_ours(llama: Path, trained: Path) -> None:
    theirs, ours = AutoTokenizer.from_pretrained(llama), Tokenizer(trained)
    text = "A calm waltz for violin in B♭ major, 3/4 (96 BPM)\n"
    assert theirs(text)["input_ids"] == ours.encode_text(text)
    assert len(theirs) == ours.offset + len(ours.vocabulary)
    music = list(range(ours.offset, len(theirs)))
    assert theirs.convert_tokens_to_ids(list(ours.vocabulary)) == music
    assert theirs(theirs.decode(music))["input_ids"] == music
    assert theirs.eos_token == END


def test_a_text_tokenizer_that_does_not_fit_is_said(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "copy")
    state = json.loads((trained / "tokenizer.json").read_text())
    state["model"]["vocab"]["xyzzy"] = len(state["model"]["vocab"])
    (tmp_path / "copy" / "tokenizer.json").write_text(json.dumps(state))
    with pytest.raises(TextMusicError, match="whose size does not match the model"):
        export_llama(load_llm(trained), tmp_path / "llama", tmp_path / "copy")


def test_the_grammar_file_names_what_a_score_may_hold(llama: Path, trained: Path) -> None:
    grammar, tokenizer = json.loads((llama / "grammar.json").read_text()), Tokenizer(trained)
    allowed = {tokenizer.vocabulary[i - tokenizer.offset] for i in grammar["allowed_token_ids"]}
    assert {END, "Bar_1", "Bar_64", "Program_0", "Pitch_60", "Duration_1.0.12"} <= allowed
    assert not allowed & {"<|plan|>", "<|score|>", "Key_N", "Valence_1"}
    for kind, (first, behind) in grammar["kinds"].items():
        tokens = tokenizer.vocabulary[first - tokenizer.offset : behind - tokenizer.offset]
        assert tokens and all(token.partition("_")[0] == kind for token in tokens)
        assert kind in grammar["followers"] or kind == END
    assert grammar["eos_token_id"] == tokenizer.offset + tokenizer.index[END]


def test_what_transformers_generates_by_default_is_of_scores_only(llama: Path) -> None:
    lm = AutoModelForCausalLM.from_pretrained(llama)
    torch.manual_seed(0)
    made = lm.generate(torch.tensor([[1, 2, 3]]), min_new_tokens=100, max_new_tokens=100)[0, 3:]
    allowed = set(json.loads((llama / "grammar.json").read_text())["allowed_token_ids"])
    assert set(made.tolist()) <= allowed and len(set(made.tolist())) > 30


class Stub(BaseHTTPRequestHandler):
    """Of a server of LLMs as much as docs/serving.md asks for: transformers generates."""

    llama: Path

    def do_POST(self) -> None:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/v1/completions" and asked["return_token_ids"]
        lm = AutoModelForCausalLM.from_pretrained(self.llama)
        torch.manual_seed(asked["seed"])
        stops = asked["stop_token_ids"]
        goes_on = sorted({*asked["allowed_token_ids"]} - {*stops})
        enough = len(asked["prompt"]) + 60  # weights by chance would end at any time
        made = lm.generate(
            torch.tensor([asked["prompt"]]),
            max_new_tokens=asked["max_tokens"],
            eos_token_id=stops,
            prefix_allowed_tokens_fn=lambda _, ids: goes_on if len(ids) < enough else stops,
            temperature=asked["temperature"],
            top_p=asked["top_p"],
        )[0, len(asked["prompt"]) :]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"choices": [{"token_ids": made.tolist()}]}).encode())


@pytest.fixture
def port(llama: Path) -> Iterator[int]:
    handler = type("Handler", (Stub,), {"llama": llama})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_the_road_of_the_docs_runs(trained: Path, port: int, tmp_path: Path) -> None:
    (tmp_path / "runs" / "default").mkdir(parents=True)
    (tmp_path / "runs" / "default" / "best").symlink_to(trained)
    (tmp_path / "prompts.txt").write_text("calm piano, 2 bars\nwaltz, 2 bars\n")
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", SERVING, flags=re.DOTALL)).splitlines()
    commands = {line for line in lines if line}
    assert commands > NOT_HERE
    more = {"textmusic generate": " --bars 2", "textmusic batch": " --no-audio"}
    for command in sorted(commands - NOT_HERE):
        run(command + more.get(" ".join(command.split()[:2]), ""), tmp_path)
    assert len(list((tmp_path / "answers").glob("*.mid"))) == 2
    assert (tmp_path / "my-llama" / "grammar.json").exists()

    (example,) = re.findall(r"```python\n(.*?)```", SERVING, flags=re.DOTALL)
    example = example.replace("localhost:8000", f"127.0.0.1:{port}")
    (tmp_path / "example.py").write_text(example, encoding="utf-8")
    shutil.rmtree(tmp_path / "out")
    run(f"{sys.executable} example.py", tmp_path)
    assert {p.suffix for p in (tmp_path / "out").iterdir()} == {".mid", ".wav", ".json", ".svg"}


def test_an_exported_llm_can_become_a_llama_and_a_recurrent_model_not(tmp_path: Path) -> None:
    command = f"python training/export.py {DATA / 'tiny_model_int8'} -o llama/ --format llama"
    run(command, tmp_path)
    config = AutoConfig.from_pretrained(tmp_path / "llama")
    assert config.num_hidden_layers == 2
    (tmp_path / "recurrent").mkdir()
    (tmp_path / "recurrent" / "recurrent.json").write_text("{}")
    done = subprocess.run(
        [sys.executable, "training/export.py", "recurrent", "-o", "x", "--format", "llama"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "no llama" in done.stderr
