"""docs/comparison.md: an LLM, an LSTM and a GAN, from corpus to comparison by its commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from documented import ROOT, TINY, commands, walk, with_corpora

PAGE = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
# What is faster on this machine isn't tried out: docs/training.md's test does that.
FEW = "--steps 2 --tokens 256 --evaluate_every 2 --held_out 2 --no-bf16 --no-blocks --no-ahead"
ROAD = {
    "python training/prepare.py corpora/ -o data/": (
        f" --base {TINY} --valid 20 --test 20 --longest 900"
    ),
    "accelerate launch training/train.py --config training/configs/cpu.json": (
        f" --base {TINY} {FEW}"
    ),
    "python training/export.py runs/default/best -o my-model/": "",
    "python training/train_tokenizers.py -o tokenizers/captions.model": (
        " --captions 500 --size 700"
    ),
    "accelerate launch training/train.py --config training/configs/lstm.json --run runs/lstm": (
        f" {FEW}"
    ),
    "python training/export.py runs/lstm/best -o my-lstm/": "",
    'textmusic generate "calm piano" --model my-lstm/ -o out/': " --bars 2",
    "accelerate launch training/train.py --config training/configs/gan.json --run runs/gan": (
        f" {FEW}"
    ),
    "python training/describe.py data/ -o held-out.jsonl --pieces real/": " -n 4",
    "textmusic compare --models my-model/ my-lstm/ runs/gan/best --prompts held-out.jsonl"
    " --real real/": " --no-words --sounds 0 --examples 0",
}


def test_every_command_of_the_page_is_known_here() -> None:
    assert commands(PAGE) == [*ROAD], "in this order"


@pytest.mark.train
def test_the_road_from_a_corpus_to_the_comparison(tmp_path: Path) -> None:
    with_corpora(tmp_path)
    walk(ROAD, tmp_path)
    assert (tmp_path / "runs" / "default" / "curve.png").stat().st_size > 0
    assert (tmp_path / "data" / "statistics.png").stat().st_size > 0
    report = json.loads((tmp_path / "comparison" / "report.json").read_text())
    assert set(report["entries"]) == {"my-model", "my-lstm", "best", "real"}
    assert report["entries"]["my-model"]["figures"]["asked"]["valid"]["value"] == 1
    assert len(list((tmp_path / "out").glob("*.mid"))) == 1
