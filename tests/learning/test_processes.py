"""Training in two processes is training in one: the same losses, the same checkpoints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the train extra")

import torch
import yaml
from tiny_run import losses

from textmusic.errors import TextMusicError
from textmusic.learning.config_files import checked
from textmusic.learning.runs import Data, start

pytestmark = [
    pytest.mark.train,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]
HERE = Path(__file__).parents[1]
CONFIGS = HERE.parent / "training" / "configs"
TINY = HERE / "data" / "tiny_model_int8"
CONFIG = {
    "base": str(TINY),
    "lora": 4,
    "held_out": 4,
    "training": {
        "steps": 8, "tokens": 600, "learning_rate": 1e-2, "warmup": 1, "evaluate_every": 4,
        "save_every": 1, "drills": 1, "bf16": False, "ema": 0.9,
    },
}  # fmt: skip


def trained(prepared: Path, run: Path, **changes: Any) -> Any:
    """A run in this process, trained."""
    torch.set_num_threads(1)
    config = CONFIG | {"training": CONFIG["training"] | changes}  # type: ignore[operator]
    made = start(checked(config), Data.read(prepared), run)
    made.train()
    return made


def launch(processes: int, *arguments: object) -> None:
    """tests/launched.py in so many processes, on CPUs: accelerate's own launcher asks for MPI."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node"]
    paths = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"
    }  # fmt: skip
    done = subprocess.run(
        [*command, str(processes), str(HERE / "launched.py"), *map(str, arguments)],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def test_two_processes_learn_as_one_with_the_same_global_batch_does(
    prepared: Path, tmp_path: Path
) -> None:
    trained(prepared, tmp_path / "one", global_batch=2)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(CONFIG))
    launch(2, config, prepared, tmp_path / "two", 4)
    assert json.loads((tmp_path / "two" / "training.json").read_text())["global_batch"] == 2
    alone, together = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(together) == 4
    assert together == pytest.approx(alone[:4], rel=1e-5)
    # the checkpoint of two, gone on with by one: still two batches a step
    trained(prepared, tmp_path / "two")
    assert losses(tmp_path / "two") == pytest.approx(alone, rel=1e-4)
    held_out = losses(tmp_path / "one", "held_out")
    assert losses(tmp_path / "two", "held_out") == pytest.approx(held_out, rel=1e-4)
    assert alone[-1] < alone[0]


def test_a_step_is_the_mean_over_all_its_labels_not_over_its_batches(
    prepared: Path, tmp_path: Path
) -> None:
    """Two batches of a step are as one that holds the examples of both."""
    run = trained(prepared, tmp_path / "apart", global_batch=2, steps=1)
    feeds = [run.make_batches(lane, 0) for lane in (0, 1)]
    (first, second) = [next(feed) for feed in feeds]
    sums = []
    fresh = start(checked(CONFIG), Data.read(prepared), tmp_path / "fresh")
    for batch in (first, second):
        with torch.no_grad():
            pair = (torch.from_numpy(batch[name]) for name in ("ids", "labels"))
            sums.append(float(fresh.plain(*pair)))
    counts = [int((batch["labels"] != -100).sum()) for batch in (first, second)]
    assert counts[0] != counts[1]
    assert losses(tmp_path / "apart")[0] == pytest.approx(sum(sums) / sum(counts), rel=1e-5)


def test_batches_that_can_t_be_shared_out_are_refused(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Three:
        num_processes = 3
        device = torch.device("cpu")

    monkeypatch.setattr("textmusic.learning.settings.this_process", Three)
    with pytest.raises(TextMusicError, match="a step of 4 batches can't be divided among 3"):
        trained(prepared, tmp_path, global_batch=4)


@pytest.mark.parametrize("name", ["fsdp.yaml", "ddp.yaml", "nodes.yaml"])
def test_accelerate_takes_the_configurations(name: str) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(CONFIGS / name))
    assert config.num_processes >= 2
    written = yaml.safe_load((CONFIGS / name).read_text())
    assert written["distributed_type"] == config.distributed_type
