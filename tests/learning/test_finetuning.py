"""textmusic train: from a folder of data to a model for all other commands, and its report."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")

import torch
from tiny_run import load_lora, losses

from textmusic.cli.main import main
from textmusic.corpus.windows import read_windows, write_windows
from textmusic.errors import TextMusicError
from textmusic.learning.config import RunConfig, Training
from textmusic.learning.config_files import write_config
from textmusic.learning.outcome import Learnt
from textmusic.learning.proposal import (
    FILLED,
    Choices,
    Estimate,
    Size,
    configured,
    fitted,
    minutes,
    paced,
    suggested,
)
from textmusic.learning.runs import Data, make_model
from textmusic.models.llm import load_llm
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.writing.text_to_music import TextToMusic

pytestmark = [
    pytest.mark.train,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]
TINY = Path(__file__).parents[1] / "data" / "tiny_model_int8"
FEW = ["--base", str(TINY), "--rank", "4", "--max-steps", "3"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tuned(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that the command made, with its report."""
    folder = tmp_path_factory.mktemp("tuned") / "my-model"
    assert main(["train", str(prepared), "-o", str(folder), *FEW, "--pieces", "3"]) == 0
    return folder


# The road -----------------------------------------------------------------------------------------


def test_the_result_is_a_model_with_a_card_and_a_report(tuned: Path, tmp_path: Path) -> None:
    names = {file.name for file in tuned.iterdir()}
    assert {"model.onnx", "textmusic.json", "tokenizer.json", "README.md", "run"} <= names
    assert not [*tuned.rglob("*.partial"), *tuned.rglob("*.old"), *tuned.rglob(".*")]
    assert main(["generate", "2 bars", "--model", str(tuned), "-o", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("*.mid"))) == 1
    report = json.loads((tuned / "evaluation" / "report.json").read_text())
    assert list(report["entries"]) == ["before", "my-model", "real"]
    for name in ("before", "my-model"):
        figures = report["entries"][name]["figures"]
        assert figures["likelihood"]["nats per note"]["n"] > 0
        assert figures["asked"]["valid"]["value"] == 1
        assert 0 <= figures["beside"]["overlap, mean"]["value"] <= 1
        assert 0 <= figures["data"]["longest shared run, steps"]["value"] <= 64
    assert (tuned / "evaluation" / "report.html").stat().st_size > 0
    card = (tuned / "README.md").read_text()
    assert "LoRA of rank 4" in card and "nats per note" in card and "| pd |" in card.lower()
    samples = sorted(file.name for file in (tuned / "run" / "samples").iterdir())
    assert samples == [f"00000{n}.{kind}" for n in (1, 2, 3) for kind in ("json", "mid")]


def test_training_lowers_the_held_out_loss(tuned: Path) -> None:
    learnt = Learnt.read(tuned / "run")
    assert learnt.best < learnt.before == losses(tuned / "run", "held_out")[0]
    assert learnt.steps == 3


def test_it_is_pushed_with_its_figures_and_its_adapter(
    tuned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluation = ["--evaluation", str(tuned / "evaluation")]
    assert main(["push", str(tuned), "user/my-model", *evaluation, "--dry-run"]) == 0
    said = capsys.readouterr().out
    for name in ("model.onnx.data", "adapter/adapter_model.safetensors", "evaluation/report.json"):
        assert name in said
    assert "adapter/base.json" in said and "checkpoint" not in said


def test_the_adapter_fits_its_base(tuned: Path, prepared: Path) -> None:
    origin = json.loads((tuned / "adapter" / "base.json").read_text())
    assert origin["base"] == str(TINY) and len(origin["sha256"]) == 64
    base = make_model(RunConfig(base=str(TINY)), Tokenizer(prepared / "tokenizer"))
    base.settle()
    base.music = None
    again = load_lora(base, tuned / "adapter")
    ids = torch.randint(0, 500, (1, 20))
    with torch.no_grad():
        whole = load_llm(tuned / "run" / "best").eval()
        assert torch.allclose(again.eval().logits(ids), whole.logits(ids), atol=1e-4)


def test_started_again_it_has_nothing_to_do(tuned: Path, prepared: Path) -> None:
    before = losses(tuned / "run"), (tuned / "model.onnx").stat().st_mtime_ns
    assert main(["train", str(prepared), "-o", str(tuned), "--pieces", "3"]) == 0
    assert (losses(tuned / "run"), (tuned / "model.onnx").stat().st_mtime_ns) == before


def test_more_steps_go_on_from_there_and_the_model_is_made_anew(
    tuned: Path, prepared: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "my-model"
    shutil.copytree(tuned, folder)
    command = ["train", str(prepared), "-o", str(folder), "--no-report", "--max-steps", "5"]
    assert main(command) == 0
    assert losses(folder / "run")[:3] == losses(tuned / "run")
    assert len(losses(folder / "run")) == 5
    assert not (folder / "evaluation").exists(), "it was of the model before"


def test_all_weights_can_be_trained(prepared: Path, tmp_path: Path) -> None:
    command = ["train", str(prepared), "-o", str(tmp_path / "m"), "--base", str(TINY), "--full"]
    assert main([*command, "--max-steps", "1", "--no-report", "--sample-every", "0"]) == 0
    assert TextToMusic.from_pretrained(tmp_path / "m", threads=1).generate("1 bar", seed=1)
    assert not (tmp_path / "m" / "adapter").exists()
    assert "all weights except the text rows" in (tmp_path / "m" / "README.md").read_text()


def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(prepared), "-o", str(tmp_path / "m"), *FEW, "--dry-run"]) == 0
    said = capsys.readouterr().out
    for word in (
        "LoRA of rank 4",
        "3 of about 1,536 ids",
        "passes through the data",
        "to train here",
    ):
        assert word in said, word
    assert not (tmp_path / "m").exists()


# Sentences ----------------------------------------------------------------------------------------


def refused(capsys: pytest.CaptureFixture[str], *command: object) -> str:
    """What is said of a command that can't be done."""
    assert main(["train", *map(str, command)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("textmusic: ") and "Traceback" not in "".join(said)
    return said[-1]


def test_what_does_not_fit_is_said_in_a_sentence(
    tuned: Path, prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m"
    assert "that started with base" in refused(capsys, prepared, "-o", tuned, "--base", "default")
    assert "that started with LoRA of rank 4" in refused(capsys, prepared, "-o", tuned, "--full")
    assert "that started with LoRA of rank 4" in refused(
        capsys, prepared, "-o", tuned, "--rank", "8"
    )
    nowhere = tmp_path / "nowhere"
    assert "has no prepared data" in refused(capsys, nowhere, "-o", out, "--no-report")
    few = tmp_path / "few"
    shutil.copytree(prepared, few)
    write_windows([], few / "test.parquet")
    assert "has no test split" in refused(capsys, few, "-o", out)
    write_windows([], few / "valid.parquet")
    assert "at least three tunes" in refused(capsys, few, "-o", out, "--no-report")
    assert "is not a known tracker" in refused(capsys, prepared, "-o", out, "--tracker", "wandb")
    assert "cannot be combined" in refused(capsys, prepared, "-o", out, "--full", "--rank", "8")
    assert "out of range" in refused(capsys, prepared, "-o", out, "--cpu-hours", "0")
    assert "can't be called 'before' or 'real'" in refused(
        capsys, prepared, "-o", tmp_path / "real"
    )
    said = refused(capsys, prepared, "-o", out, "--base", tmp_path)
    assert "is not a model that training can start from" in said
    assert "is not an LLM" in refused(capsys, prepared, "-o", out, "--base", "lstm")
    assert not out.exists()


@pytest.mark.bundled
def test_data_for_another_base_are_refused(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, prepared, "-o", tmp_path / "m")
    assert "'default' has 49,152 text rows" in said and "prepare the data again" in said


def test_other_data_are_not_gone_on_with(
    tuned: Path, prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "data"
    shutil.copytree(prepared, other)
    write_windows(read_windows(prepared / "train.parquet")[1:], other / "train.parquet")
    assert "windows of different data" in refused(capsys, other, "-o", tuned)


def test_a_diverging_run_ends_with_a_sentence(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "m" / "run"
    choices = Choices(base=str(TINY), rank=4, steps=5)
    config = configured(choices, Data.read(prepared), run)
    diverging = replace(config.training, learning_rate=1e30, clip=1e30)
    run.mkdir(parents=True)
    write_config(replace(config, training=diverging), run / "config.json")
    said = refused(capsys, prepared, "-o", tmp_path / "m")
    assert "the loss is not a number at step" in said and "lower learning rate" in said
    assert not (tmp_path / "m" / "textmusic.json").exists()


# Defaults -----------------------------------------------------------------------------------------


def test_little_data_are_gone_through_more_often_than_much() -> None:
    def times(windows: int, ids: int) -> float:
        size = Size(windows, windows, ids)
        training = suggested(size, full=False, gpu=False)
        return training.steps * training.tokens * FILLED / size.learnt

    found = [times(n, 800 * n) for n in (10, 100, 1_000, 10_000, 100_000)]
    assert found == sorted(found, reverse=True)
    assert found[1] == pytest.approx(8, abs=0.5) and found[-1] == pytest.approx(1, abs=0.1)


def test_steps_fit_into_the_hours() -> None:
    training = Training(tokens=2048, **paced(10_000))
    estimate = Estimate(step=4.0, look=20.0)
    short = fitted(replace(training, hours=1 / 3), estimate)
    assert 200 < short.steps < 300
    assert estimate.seconds(short) <= 20 * 60
    assert short.evaluate_every == short.steps // 8
    assert fitted(training, estimate) == training, "no limit"
    long = fitted(replace(training, hours=100), estimate)
    assert long.steps == 10_000
    with pytest.raises(TextMusicError, match="too short"):
        fitted(replace(training, hours=0.01), estimate)


def test_times_are_said_in_the_unit_that_fits() -> None:
    assert [minutes(n) for n in (5, 600, 86_400)] == ["5 s", "10 min", "24.0 h"]


def test_choices_win_over_the_defaults_and_over_what_was_begun(
    prepared: Path, tmp_path: Path
) -> None:
    data = Data.read(prepared)
    config = configured(Choices(base="x", steps=40, seed=7, sample="a waltz"), data, tmp_path)
    training = config.training
    assert (training.steps, training.evaluate_every, training.seed) == (40, 5, 7)
    assert config.sample == "a waltz" and config.lora == 16
    write_config(config, tmp_path / "config.json")
    again = configured(Choices(learning_rate=1e-5), data, tmp_path)
    assert again.training == replace(training, learning_rate=1e-5)
    assert again.sample == "a waltz" and again.base == "x"
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(TextMusicError, match="can't be read"):
        configured(Choices(), data, tmp_path)
