"""docs/training.md: a run is started, watched, prolonged and finished by its commands alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from documented import BY_CI, DATA, ROOT, commands, run

PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
TINY = f" --base {DATA / 'tiny_model_int8'}"
LITTLE = f"{TINY} --tokens 512 --evaluate_every 2 --held_out 2 --sample_every 0"
UNTRIED = "--no-bf16 --no-blocks --no-ahead"  # what is faster on this machine isn't tried out again
# Each command, and what a test has to add to it: small data, few steps, no download.
LONG = "python training/train.py --config training/configs/long.json --run runs/long"
FINISH = (
    "python training/train.py --config training/configs/long.json --run runs/finished"
    " --decay-from runs/long --steps 400"
)
RUN = {
    "python training/prepare.py corpora/ -o data/": (f"{TINY} --valid 20 --test 20 --longest 900"),
    LONG: f"{LITTLE} --steps 3",
    "python training/status.py runs/long": "",
    f"{LONG} --steps 40000": f"{LITTLE} --steps 4 {UNTRIED}",
    FINISH: f"{LITTLE} --steps 2 {UNTRIED}",
    "python training/export.py runs/long/best -o my-model/": "",
    "python training/count_sketches.py data/ -o my-model/": "",
    'textmusic generate "calm piano" --model my-model/ -o out/': " --bars 2",
    "python training/describe.py data/ -o held-out.jsonl --pieces real/": " -n 4",
    "textmusic evaluate held-out.jsonl --model my-model/ --real real/ --data data/": (
        " --no-words --sounds 0 --examples 0"
    ),
    "python training/profile_trainer.py": f"{TINY} --rounds 1",
    "python training/prune.py --base bundled --keep 6 -o runs/pruned": (
        f"{TINY} --keep 1 --held-out 4"
    ),
    "python training/ablate.py --data data/ --minutes 20 -o choices": (
        f"{TINY} --minutes 0.01 --pieces 2 --only reference"
    ),
    "python training/ablate.py --choices training/configs/ablation.json --minutes 20 -o format": (
        f"{TINY} --minutes 0.01 --pieces 2 --only 'format 2'"
    ),
}


def test_every_command_of_the_page_is_known_here() -> None:
    assert set(commands(PAGE)) == {*RUN} | (BY_CI & set(commands(PAGE)))


@pytest.mark.train
def test_a_run_is_started_prolonged_and_finished_as_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "pieces").symlink_to(DATA / "pieces")
    said = {command: run(command + more, tmp_path) for command, more in RUN.items()}
    assert said["python training/status.py runs/long"].startswith("not running, step 3 ")
    rows = [json.loads(row) for row in (tmp_path / "runs/long/log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss" in row] == [1, 2, 3, 4], "prolonged"
    finished = json.loads((tmp_path / "runs/finished/training.json").read_text())
    assert (finished["decay"], finished["warmup"]) == (1.0, 0), "its rate falls from the start"
    kept = json.loads((tmp_path / "runs/pruned/config.json").read_text())
    assert kept["num_hidden_layers"] == 1
    assert "the trainer chooses here: " in said["python training/profile_trainer.py"]
    assert (tmp_path / "choices.md").exists() and (tmp_path / "format.png").exists()
    assert len(list((tmp_path / "out").glob("*.mid"))) == 1
