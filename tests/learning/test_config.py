"""A run's config: its fields are checked, explained, and options of training/train.py."""

from __future__ import annotations

import json
import runpy
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from textmusic.cli.main import app
from textmusic.errors import TextMusicError
from textmusic.learning.config import GanShape, RunConfig, RunOptions, Training, given
from textmusic.learning.config_files import checked, read_config, with_options, write_config
from textmusic.system.scripts import ended

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "training" / "configs"


def explained(kind: type[Any], name: str) -> str:
    """The help of a field."""
    sentence: str = next(f.metadata["help"] for f in fields(kind) if f.name == name)
    return sentence


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"grwo": True}, "unknown field 'grwo'; write 'grow'."),
    "of nothing like it": ({"training": {"xyz": 1}}, "unknown field 'training.xyz'; leave it out."),
    "in the wrong part": ({"training": {"lerning_rate": 1}}, "; write 'learning_rate'."),
    "in a shape": ({"recurrent": {"size": 3}}, "unknown field 'recurrent.size'; leave it out."),
    "text": (
        {"training": {"steps": "many"}},
        "in CONFIG, 'training.steps' should be a valid integer, not \"many\"; correct it.",
    ),
    "a share of a step": ({"training": {"steps": 1.5}}, "'training.steps' should be a valid int"),
    "a number for a switch": ({"favoured": 1}, "'favoured' should be a valid boolean, not 1;"),
    "layers": ({"layers": "six"}, "'layers' should be a valid integer"),
    "a weight": ({"mix": {"pop909": "much"}}, "'mix.pop909' should be a valid number"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_field_is_named_with_the_remedy(name: str, tmp_path: Path) -> None:
    found, said = WRONG[name]
    file = tmp_path / "config.json"
    file.write_text(json.dumps(found))
    with pytest.raises(TextMusicError) as problem:
        read_config(file)
    assert said.replace("CONFIG", f"'{file}'") in str(problem.value)
    assert str(file) in str(problem.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "can't be read"), ("{", "is not valid JSON"), ("[]", "is not a JSON object")],
)
def test_a_file_that_is_no_config_is_said_to_be_none(
    text: str | None, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(TextMusicError, match=said):
        read_config(file)


def test_whole_numbers_are_numbers_and_null_is_the_default() -> None:
    config = checked(
        {"training": {"clip": 1000, "hours": None}, "gan": {"noise": 8}, "layers": [1]}
    )
    assert config.training.clip == 1000 and config.training.hours is None
    assert config.gan == GanShape(noise=8) and given(config.gan) == {"noise": 8}
    assert config.layers == [1] and config.recurrent is None


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    for path in CONFIGS.glob("*.json"):
        if path.stem not in ("ablation", "choices"):  # these two have variants of a config
            config = read_config(path)
            write_config(config, tmp_path / "config.json")
            assert read_config(tmp_path / "config.json") == config, path.name


def test_options_win_over_the_file() -> None:
    config = RunConfig(base="a", mix={"pop909": 1.0}, training=Training(steps=5, seed=3))
    changed = with_options(config, {"base": "b", "steps": 7, "config": "passed over"})
    assert changed == replace(config, base="b", training=Training(steps=7, seed=3))


def test_every_field_has_a_sentence() -> None:
    for kind in (RunConfig, Training):
        for field in fields(kind):
            said = explained(kind, field.name)
            assert said.endswith(".") and (said[0].isupper() or said.startswith("adamw"))


@pytest.mark.parametrize(
    ("option", "kind", "field"),
    [
        ("base", RunOptions, "base"), ("rank", RunOptions, "lora"),
        ("cpu_hours", Training, "hours"), ("max_steps", Training, "steps"),
        ("learning_rate", Training, "learning_rate"), ("sample", RunOptions, "sample"),
        ("sample_every", Training, "sample_every"), ("tracker", Training, "tracker"),
        ("seed", Training, "seed"),
    ],
)  # fmt: skip
def test_textmusic_train_says_the_same(option: str, kind: type[Any], field: str) -> None:
    command = get_command(app).commands["train"]  # type: ignore[attr-defined]
    said = next(p.help for p in command.params if p.name == option)
    mean = explained(kind, field).partition(";")[0].rstrip(".")
    assert said.partition(";")[0].rstrip(".") == mean


# training/train.py --------------------------------------------------------------------------------


@pytest.fixture
def script() -> dict[str, Any]:
    pytest.importorskip("torch", reason="needs the train extra")
    return runpy.run_path(str(ROOT / "training" / "train.py"))


def code(script: dict[str, Any], *command: object) -> int:
    """The exit code of the script."""
    return ended(lambda: script["main"]([str(part) for part in command]), "train.py")


@pytest.mark.train
def test_the_help_has_a_sentence_for_every_field(
    script: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        script["main"](["--help"])
    assert end.value.code == 0
    said = " ".join(capsys.readouterr().out.replace("-\n", "-").split())
    for kind in (RunConfig, Training):
        for field in fields(kind):
            if field.name != "training":
                expected = explained(kind, field.name)
                assert expected.replace(" ", "") in said.replace(" ", ""), field.name


@pytest.mark.train
@pytest.mark.parametrize(
    ("given_options", "part", "field", "value"),
    [
        ("--steps 20", "training", "steps", 20),
        ("--learning_rate 3e-4", "training", "learning_rate", 3e-4),
        ("--learning-rate 3e-4", "training", "learning_rate", 3e-4),
        ("", "training", "steps", 12_000),
        ("", "training", "bf16", True),
        ("--no-bf16", "training", "bf16", False),
        ("--bf16 false", "training", "bf16", False),
        ("--no-ahead", "training", "ahead", False),
        ("--no-compile", "training", "compile", False),
        ("--blocks", "training", "blocks", True),
        ("", "training", "blocks", None),
        ("", "", "base", "HuggingFaceTB/SmolLM2-135M"),
        ("--base mine", "", "base", "mine"),
        ("--favoured", "", "favoured", True),
        ("--held_out 5", "", "held_out", 5),
    ],
)
def test_an_option_wins_over_the_config_and_the_config_over_the_defaults(
    script: dict[str, Any], monkeypatch: pytest.MonkeyPatch,
    given_options: str, part: str, field: str, value: object,
) -> None:  # fmt: skip
    seen: list[RunConfig] = []

    def start(config: RunConfig, *_: object, **__: object) -> None:
        seen.append(config)
        raise TextMusicError("far enough")

    names = script["main"].__globals__
    monkeypatch.setitem(names, "start", start)
    monkeypatch.setattr(names["Data"], "read", lambda folder: None)
    assert code(script, "--config", CONFIGS / "gpu.json", *given_options.split()) == 2
    assert getattr(getattr(seen[0], part) if part else seen[0], field) == value
    assert seen[0].mix == read_config(CONFIGS / "gpu.json").mix


@pytest.mark.train
@pytest.mark.parametrize("option", ["--steps many", "--stepz 3", "--bf16 perhaps"])
def test_an_option_that_does_not_fit_is_refused(option: str, script: dict[str, Any]) -> None:
    with pytest.raises(SystemExit) as end:
        script["main"](["--config", str(CONFIGS / "cpu.json"), *option.split()])
    assert end.value.code == 2


@pytest.mark.train
def test_a_mistyped_folder_to_finish_is_named_before_a_base_is_looked_for(
    script: dict[str, Any], prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, gone = tmp_path / "config.json", tmp_path / "runs" / "lnog"
    config.write_text(json.dumps({"base": str(tmp_path)}))
    common = ("--config", config, "--data", prepared, "--run", tmp_path / "new")
    assert code(script, *common, "--decay-from", gone) == 2
    assert capsys.readouterr().err == (
        f"train.py: '{gone}' has no checkpoint; give the folder of a run.\n"
    )
    assert not (tmp_path / "new").exists(), "nothing is begun"
    assert code(script, *common) == 2
    assert "is not a model that training can start from" in capsys.readouterr().err


@pytest.mark.train
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "the config names no model to train; give one with --base."),
        ('{"bse": "x"}', "has an unknown field 'bse'; write 'base'."),
    ],
)
def test_a_config_that_will_not_do_ends_in_a_sentence(
    text: str, said: str, script: dict[str, Any], prepared: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    config = tmp_path / "config.json"
    config.write_text(text)
    command = ("--config", config, "--data", prepared, "--run", tmp_path / "run")
    assert code(script, *command) == 2
    err = capsys.readouterr().err
    assert err.startswith("train.py: ") and err.endswith(said + "\n")
    assert not (tmp_path / "run").exists()
