"""docs/own-corpus.md, docs/fine-tuning.md: their commands turn a folder of music into a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from documented import BY_CI, ROOT, TINY, commands, walk, with_corpora

from textmusic.listening.page import build_listening_page
from textmusic.listening.pairs import Showing, read_pairs
from textmusic.listening.votes import Votes

OWN_CORPUS = (ROOT / "docs" / "own-corpus.md").read_text(encoding="utf-8")
FINETUNING = (ROOT / "docs" / "fine-tuning.md").read_text(encoding="utf-8")
FEW = f" --base {TINY} --max-steps 2 --no-report"
PREPARE = {"textmusic prepare my-music/ -o data/": f" --base {TINY} --longest 900"}
TRAIN = {
    "textmusic train data/ -o my-model --dry-run": f" --base {TINY}",
    "textmusic train data/ -o my-model": FEW,
    'textmusic generate "calm piano" --model my-model': " --bars 2",
    "textmusic train data/ -o chorales-lora --max-steps 200": FEW,
    "textmusic train data/ -o chorales-full --max-steps 200 --full": FEW,
}
TASTE = {
    "textmusic batch prompts.jsonl -o takes/one --seed 1": f" --no-audio --model {TINY}",
    "textmusic batch prompts.jsonl -o takes/two --seed 1001": f" --no-audio --model {TINY}",
    "textmusic prefer votes.sqlite -o my-taste/": f" --model {TINY} --max-steps 2",
    'textmusic generate "calm piano" --model my-taste/': " --bars 2",
}
LISTEN = (
    "textmusic listen prompts.jsonl --answers takes/one --answers takes/two --database votes.sqlite"
)
# Two processes: see test_processes.py.
SEVERAL = {
    "torchrun --nproc_per_node 2 -m textmusic train data/ -o my-model",
    "accelerate launch --config_file training/configs/ddp.yaml -m textmusic train data/ -o"
    " my-model",
}


def test_every_command_of_the_pages_is_known_here() -> None:
    assert set(commands(OWN_CORPUS)) == {*PREPARE} | (BY_CI & set(commands(OWN_CORPUS)))
    assert set(commands(FINETUNING)) == {*TRAIN, *TASTE, LISTEN} | SEVERAL


@pytest.mark.train
def test_a_model_of_ones_own_files(tmp_path: Path) -> None:
    with_corpora(tmp_path)
    walk(PREPARE, tmp_path)
    assert {"train.parquet", "summary.json", "preview.html", "tokenizer"} <= {
        file.name for file in (tmp_path / "data").iterdir()
    }
    said = walk(TRAIN, tmp_path)
    assert "to train here" in said[0] and (tmp_path / "my-model" / "model.onnx").exists()
    assert (tmp_path / "my-model" / "adapter" / "base.json").exists()
    assert len(list((tmp_path / "out").glob("*.mid"))) == 1


@pytest.mark.train
def test_a_taste(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"calm piano {number}", "bars": 2}) for number in range(12)]
    (tmp_path / "prompts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    commands_of = list(TASTE.items())
    walk(dict(commands_of[:2]), tmp_path)
    # what the page of the listening test does, with one who likes the second take
    folders = [tmp_path / "takes" / name for name in ("one", "two")]
    pairs, _ = read_pairs(tmp_path / "prompts.jsonl", folders)
    votes = Votes(tmp_path / "votes.sqlite")
    build_listening_page(pairs, votes)
    for pair in pairs:
        votes.add("me", Showing(pair, swapped=False), {"overall": "B"})
    learnt, _ = walk(dict(commands_of[2:]), tmp_path)
    assert learnt.startswith("12 pairs on 12 prompts")
    assert len(list((tmp_path / "out").glob("*.mid"))) == 1
