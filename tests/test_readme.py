"""What the README tells people to type works as it stands."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from documented import BY_CI, DATA, ROOT, commands, run

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_is_known_here() -> None:
    here = {"python app.py", *TRAINING}  # app.py: see test_app.py
    assert set(commands(README)) == BY_CI | here


@pytest.mark.bundled
def test_the_python_example_runs(tmp_path: Path) -> None:
    _, example = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)  # see test_app.py
    (tmp_path / "example.py").write_text(example, encoding="utf-8")
    said = run(f"{sys.executable} example.py", tmp_path)
    assert "major" in said or "minor" in said
    assert len(list((tmp_path / "out").iterdir())) == 4


@pytest.mark.bundled
def test_the_example_of_the_format_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "example.py").write_text(example, encoding="utf-8")
    run(f"{sys.executable} example.py", tmp_path)
    assert len(list((tmp_path / "out").iterdir())) == 4


@pytest.mark.bundled
def test_the_card_of_the_bundled_model_names_its_licences(tmp_path: Path) -> None:
    card = run("textmusic info", tmp_path)
    assert "CC-BY-4.0" in card and "held-out" in card.lower()


# Each README line, and what a test has to add to it: small data, few steps, no download.
TRAINING = {
    "textmusic prepare my-music/ -o my-data/": (
        f" --base {DATA / 'tiny_model_int8'} --longest 900"
    ),
    "textmusic train my-data/ -o my-tuned/": (
        f" --base {DATA / 'tiny_model_int8'} --max-steps 2 --pieces 2"
    ),
    'textmusic generate "calm piano" --model my-tuned/ -o out/': " --bars 2",
    "python training/prepare.py corpora/ -o data/": (
        f" --base {DATA / 'tiny_model_int8'} --valid 20 --test 20 --longest 900"
    ),
    "accelerate launch training/train.py --config training/configs/cpu.json": (
        f" --base {DATA / 'tiny_model_int8'} --steps 2 --tokens 512 --evaluate_every 2"
    ),
    "python training/export.py runs/default/best -o my-model/": "",
    'textmusic generate "calm piano" --model my-model/ -o out/': " --bars 2",
    "python training/describe.py data/ -o held-out.jsonl --pieces real/": " -n 4",
    "textmusic evaluate held-out.jsonl --model my-model/ --real real/ --data data/": (
        " --no-words --sounds 0 --examples 1"
    ),
    "python training/evaluate.py data/ --model my-model/": " --pieces 4",
    "python training/gallery.py -o gallery/ --model my-model/": "",
    "textmusic push my-model/ user/name --evaluation evaluation/ --dry-run": "",
    "python training/describe.py data/ --split valid -o valid.jsonl": " -n 4",
    "python training/sweep.py valid.jsonl --model my-model/ -o sampling.md": " --cells 2",
    "python benchmarks/benchmark.py --model my-model/ -o speed.md": (
        " --quick --only ours MIDI-LLM rendering"
    ),
    "python training/train_tokenizers.py -o tokenizers/captions.model": (
        " --captions 500 --size 700"
    ),
    "accelerate launch training/train.py --config training/configs/lstm.json --run runs/lstm": (
        " --steps 2 --tokens 512 --evaluate_every 2"
    ),
    "python training/export.py runs/lstm/best -o my-lstm/": "",
    'textmusic generate "calm piano" --model my-lstm/ -o out/': " --bars 2",
    "accelerate launch training/train.py --config training/configs/gan.json --run runs/gan": (
        " --steps 2 --tokens 256 --evaluate_every 2"
    ),
    "textmusic compare --models my-model/ my-lstm/ runs/gan/best --prompts held-out.jsonl"
    " --real real/": " --no-words --sounds 0 --examples 1",
}


@pytest.mark.train
def test_the_training_road_runs_from_corpus_to_music(tmp_path: Path) -> None:
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "pieces").symlink_to(DATA / "pieces")
    (tmp_path / "my-music").mkdir()
    for piece in sorted((DATA / "pieces").glob("*.mid"))[::4]:
        (tmp_path / "my-music" / piece.name).symlink_to(piece)
    for command, more in TRAINING.items():
        command = command.replace("accelerate launch", "accelerate launch --cpu")
        run(command + more, tmp_path)
    assert (tmp_path / "runs" / "default" / "curve.png").stat().st_size > 0
    assert (tmp_path / "data" / "statistics.png").stat().st_size > 0
    report = json.loads((tmp_path / "comparison" / "report.json").read_text())
    assert set(report["entries"]) == {"my-model", "my-lstm", "best", "real"}
    assert report["entries"]["my-model"]["figures"]["asked"]["valid"]["value"] == 1
    assert len(list((tmp_path / "gallery").glob("*.mp3"))) == 12
    assert {p.suffix for p in (tmp_path / "out").iterdir()} == {".mid", ".wav", ".json", ".svg"}
