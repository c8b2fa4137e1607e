"""--performance: in the files that commands write, their recipes, and what is made of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from symusic import Score

from textmusic.cli.main import main
from textmusic.music.midi_files import read_events, read_score
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import notes_of
from textmusic.result.recipe import read_recipe

DATA = Path(__file__).parent.parent / "data"
PIECE = ("--seed", "3", "--format", "mid,json,musicxml")


def generate(model: Path, out: Path, *more: str) -> Path:
    text = "romantic piano in C major, 4 bars, 4/4, 100 bpm"
    assert main(["generate", text, *PIECE, "--model", str(model), "-o", str(out), *more]) == 0
    return next(out.glob("*.mid"))


@pytest.fixture(scope="module")
def played(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tiny_model, tmp_path_factory.mktemp("played"))


@pytest.fixture(scope="module")
def plain(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tiny_model, tmp_path_factory.mktemp("plain"), "--performance", "0")


def test_only_midi_and_audio_are_performed(played: Path, plain: Path) -> None:
    one, two = notes_of(Score(played)), notes_of(Score(plain))
    assert (one.velocity != two.velocity).any() and len(Score(played).tempos) > 1
    for column in ("start", "duration", "pitch", "velocity", "program"):
        theirs, ours = (getattr(notes_of(read_score(file)), column) for file in (played, plain))
        assert np.array_equal(theirs, ours), column
    sheets = [file.with_suffix(".musicxml").read_text("utf-8") for file in (played, plain)]
    assert sheets[0] == sheets[1]
    reports = [json.loads(file.with_suffix(".json").read_text("utf-8")) for file in (played, plain)]
    assert [report.pop("performance") for report in reports] == [0.7, 0.0]
    assert reports[0] == reports[1]


def test_replay_performs_as_the_file_does(
    played: Path, plain: Path, tiny_model: Path, tmp_path: Path
) -> None:
    for file, amount in ((played, 0.7), (plain, 0.0)):
        assert read_recipe(file).performance == amount
        out = tmp_path / str(amount)
        again = ["replay", str(file), "--model", str(tiny_model), "--format", "mid", "-o", str(out)]
        assert main(again) == 0
        assert (out / file.name).read_bytes() == file.read_bytes()
    assert "performance" not in read_recipe(plain).to_dict(), "older files say nothing, and mean 0"


def test_what_is_made_of_a_performed_file_is_performed(played: Path, tmp_path: Path) -> None:
    assert main(["adjust", str(played), "--tempo", "120", "--format", "mid", "-o",
                 str(tmp_path)]) == 0  # fmt: skip
    made = next(tmp_path.glob("*.mid"))
    before, after = notes_of(Score(played)), notes_of(Score(made))
    assert sorted(zip(after.pitch, after.velocity, strict=True)) == sorted(
        zip(before.pitch, before.velocity, strict=True)
    )
    assert max(tempo.qpm for tempo in Score(made).tempos) == pytest.approx(
        1.2 * max(tempo.qpm for tempo in Score(played).tempos), rel=1e-4
    )
    written = notes_of(read_score(made))
    assert np.array_equal(written.velocity, notes_of(read_score(played)).velocity)


def test_a_persons_notes_stay_as_they_are(tiny_model: Path, tmp_path: Path) -> None:
    source = DATA / "midi" / "trio.mid"
    assert main(["continue", str(source), "--bars", "2", "--seed", "1", "--performance", "1",
                 "--model", str(tiny_model), "--format", "mid", "-o",
                 str(tmp_path)]) == 0  # fmt: skip
    made = to_score(read_events(next(tmp_path.glob("*.mid"))))
    own = notes_of(to_score(read_events(source)))
    kept = notes_of(made)
    before = kept.chosen(kept.start < own.end.max() - 1e-6)
    for column in ("start", "pitch", "velocity"):
        assert np.array_equal(getattr(before, column), getattr(own, column)), column


@pytest.mark.parametrize("amount", ["-0.1", "1.5", "nan"])
def test_an_amount_out_of_range_is_refused(
    amount: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "", "-o", str(tmp_path), f"--performance={amount}"]) == 2
    assert "performance" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_batch_lines_may_say_how_far(tiny_model: Path, tmp_path: Path) -> None:
    lines = [
        {"text": "piano, 2 bars", "performance": 0}, {"text": "piano, 2 bars"},
        {"text": "piano, 2 bars", "performance": "much"},
    ]  # fmt: skip
    file, out = tmp_path / "prompts.jsonl", tmp_path / "out"
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    more = ["--format", "mid", "--model", str(tiny_model), "-o", str(out), "--performance", "0.4"]
    assert main(["batch", str(file), *more]) == 1
    found = [read_recipe(path).performance for path in sorted(out.glob("*.mid"))]
    assert found == [0.0, 0.4]
