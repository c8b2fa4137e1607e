"""docs/evaluating.md and docs/sampling.md: a model is measured by their commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from documented import DATA, ROOT, TINY, commands, run, walk, with_corpora

EVALUATING = (ROOT / "docs" / "evaluating.md").read_text(encoding="utf-8")
SAMPLING = (ROOT / "docs" / "sampling.md").read_text(encoding="utf-8")
LITTLE = " --no-words --sounds 0 --examples 0"
ROAD = {
    "python training/describe.py data/ -o held-out.jsonl --pieces real/": " -n 2",
    "textmusic evaluate held-out.jsonl --model my-model/ --real real/ --data data/": LITTLE,
    "textmusic evaluate held-out.jsonl --answers theirs/ -o theirs-report/": "",
    "textmusic compare --models default lstm --prompts held-out.jsonl --real real/": LITTLE,
    "python training/evaluate.py data/ --model my-model/": " --pieces 4",
    "python training/gallery.py -o gallery/ --model my-model/": "",
    "python benchmarks/benchmark.py --model my-model/ -o speed.md": (
        " --quick --only ours MIDI-LLM rendering"
    ),
}
SWEEP = {
    "python training/describe.py data/ --split valid -n 100 -o valid.jsonl --pieces real/": " -n 8",
    "python training/sweep.py valid.jsonl --model my-model/ -o sweep.md": " --cells 2",
    "textmusic batch valid.jsonl --model my-model/ -o answers/ --performance 0 --no-audio": "",
    "python training/judge_realism.py valid.jsonl answers/ real/": "",
}


def test_every_command_of_the_pages_is_known_here() -> None:
    assert commands(EVALUATING) == [*ROAD], "in this order"
    assert commands(SAMPLING) == [*SWEEP], "in this order"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, a model, and answers of another system."""
    folder = tmp_path_factory.mktemp("checkout")
    with_corpora(folder)
    (folder / "theirs").mkdir()
    for number, piece in enumerate(sorted((DATA / "pieces").glob("*.mid"))[:2], 1):
        shutil.copy(piece, folder / "theirs" / f"{number:04}.mid")
    shutil.copytree(TINY, folder / "my-model")
    split = "--valid 20 --test 20 --longest 900"
    run(f"python training/prepare.py corpora/ -o data/ --base {TINY} {split}", folder)
    return folder


@pytest.mark.train
@pytest.mark.bundled
def test_a_model_is_evaluated_and_compared(checkout: Path) -> None:
    walk(ROAD, checkout)
    report = json.loads((checkout / "evaluation" / "report.json").read_text())
    assert report["entries"]["my-model"]["figures"]["asked"]["valid"]["value"] == 1
    report = json.loads((checkout / "theirs-report" / "report.json").read_text())
    assert report["entries"]["theirs"]["answers"] == 2 and report["cautions"]
    report = json.loads((checkout / "comparison" / "report.json").read_text())
    assert set(report["entries"]) == {"default", "lstm", "real"}
    assert len(list((checkout / "gallery").glob("*.mp3"))) == 16
    assert "MIDI-LLM" in (checkout / "speed.md").read_text("utf-8")


@pytest.mark.train
def test_settings_of_sampling_are_swept(checkout: Path) -> None:
    pytest.importorskip("sklearn", reason="needs the audio extra")
    *_, said = walk(SWEEP, checkout)
    assert "area under the ROC curve: " in said and "pitch-class entropy" in said
    assert "| setting |" in (checkout / "sweep.md").read_text("utf-8")
