"""Many prompts from a file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from batches import LINES, batch, last_line, write_lines

from textmusic.errors import TextMusicError
from textmusic.result.generation import Generation
from textmusic.writing.batch import Outcome, Parcel, Settings, kept, pending, write
from textmusic.writing.jobs import Job, read_jobs
from textmusic.writing.text_to_music import TextToMusic


def report(folder: Path, number: int) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / f"{number:04}.json").read_text("utf-8"))
    return data


def test_batch(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = write_lines(tmp_path / "prompts.jsonl"), tmp_path / "out"
    args = (file, "-o", out, "--model", tiny_model, "--no-audio", "--seed", "10")
    assert batch(*args) == 0
    names = [f"{n:04}.{kind}" for n in range(1, 5) for kind in ("json", "mid")]
    assert sorted(path.name for path in out.iterdir()) == names
    said = last_line(capsys)
    assert said.startswith("4 prompts: 4 written, 0 skipped (already there), 0 failed in ")
    assert said.endswith(" s")
    assert [report(out, n)["seed"] for n in range(1, 5)] == [10, 11, 99, 13]
    assert [report(out, n)["text"] for n in range(1, 5)] == [line["text"] for line in LINES]
    planned = report(out, 3)["planned"]
    assert (planned["programs"], planned["valence"], planned["arousal"]) == ([32, 40], 2, 1)
    # fields that are no controls are left out
    assert report(out, 4)["asked"]["programs"] is None
    assert report(out, 4)["asked"]["tempo"] is None

    (out / "0002.mid").unlink()
    before = (out / "0001.mid").stat().st_mtime_ns
    assert batch(*args) == 0
    assert last_line(capsys).startswith("4 prompts: 1 written, 3 skipped (already there), 0 failed")
    assert (out / "0001.mid").stat().st_mtime_ns == before
    assert (out / "0002.mid").exists()


def test_chords_form_and_strengths(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines: list[dict[str, Any]] = [
        {"text": "piano in 4/4", "bars": 4, "chords": "Bm7b5 E7", "form": ["verse", "chorus"]},
        {"text": "piano", "bars": 2, "form": "AABA"},
        {"text": "piano", "bars": 2, "chords": "no such"},
    ]
    file, out = write_lines(tmp_path / "prompts.jsonl", lines), tmp_path / "out"
    args = ("-o", out, "--model", tiny_model, "--format", "json", "--workers", "1")
    strengths = ("--harmony-strength", "0.1", "--form-strength", "0.9")
    assert batch(file, *args, *strengths) == 1
    said = sorted(capsys.readouterr().err.splitlines())
    assert len(said) == 2
    assert said[0].startswith("prompt 2 failed: a form of 4 sections does not fit into 2 bars")
    assert said[1].startswith("prompt 3 failed: ") and "chord" in said[1]
    made = report(out, 1)
    rows = {row["field"]: row for row in made["rows"]}
    assert rows["chords"]["planned"] == "Bm7b5 | E7 | Bm7b5 | E7"
    assert rows["form"]["asked"] == "verse, chorus"
    sampling = made["sampling"]
    assert (sampling["harmony_strength"], sampling["form_strength"]) == (0.1, 0.9)
    assert batch(file, *args, "--form-strength", "2") == 2
    assert "form strength 2.0 is out of range; choose 0 to 1" in capsys.readouterr().err


def test_workers_and_order_do_not_matter(tiny_model: Path, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "prompts.jsonl")
    args = ("--model", tiny_model, "--format", "mid,json", "--seed", "3")
    assert batch(file, "-o", tmp_path / "one", *args) == 0
    assert batch(file, "-o", tmp_path / "two", *args, "--workers", "2") == 0
    assert batch(file, "-o", tmp_path / "slots", *args, "--workers", "1", "--slots", "2") == 0
    for number in range(1, 5):
        one, *others = (
            (tmp_path / f / f"{number:04}.mid").read_bytes() for f in ("one", "two", "slots")
        )
        assert others == [one, one]


def test_slots_are_what_the_engine_makes_room_for(
    tiny: TextToMusic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_lines(tmp_path / "prompts.jsonl")
    reserved: list[int] = []
    reserve = tiny.engine.reserve
    monkeypatch.setattr(tiny.engine, "reserve", lambda n: (reserved.append(n), reserve(n)))
    told = list(write(tiny, read_jobs(file), Settings(tmp_path / "out", ("mid",), slots=3)))
    assert len(told) == 4 and reserved == [3]


def test_audio_and_picture(tiny_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("\ufeffpiano, 2 bars\n\n2 bars of flute\r\n", encoding="utf-8")
    assert batch(file, "-o", tmp_path / "out", "--model", tiny_model) == 0
    names = [f"{n:04}.{kind}" for n in (1, 2) for kind in ("json", "mid", "svg", "wav")]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert [report(tmp_path / "out", n)["text"] for n in (1, 2)] == [
        "piano, 2 bars", "2 bars of flute",
    ]  # fmt: skip


def test_what_could_not_be_used_is_said_of_each_prompt(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [{"text": "piano, 2 bars"}, {"text": "pinao in H minor, 2 bars"}]
    file = write_lines(tmp_path / "prompts.jsonl", lines)
    assert batch(file, "-o", tmp_path / "out", "--model", tiny_model, "--no-audio") == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and all(line.startswith("prompt 2 not used: '") for line in said)


def test_a_further_format_is_rendered_and_nothing_is_written_anew(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a model: a folder of its name that holds none is never looked into."""
    file, out = write_lines(tmp_path / "prompts.jsonl"), tmp_path / "out"
    assert batch(file, "-o", out, "--model", tiny_model, "--format", "mid,json", "--seed", "5") == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    stamps = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    whole = tmp_path / "whole"
    kinds = "mid,json,ogg,svg"
    assert batch(file, "-o", whole, "--model", tiny_model, "--format", kinds, "--seed", "5") == 0
    capsys.readouterr()
    (named := tmp_path / "empty" / tiny_model.name).mkdir(parents=True)
    again = ("-o", out, "--model", named, "--seed", "5")
    assert batch(file, *again, "--format", kinds) == 0
    said = last_line(capsys)
    assert said.startswith("4 prompts: 0 written, 4 rendered from their MIDI files, 0 skipped")
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.name in before} == before
    assert {name: (out / name).stat().st_mtime_ns for name in before} == stamps
    for number in range(1, 5):
        name = f"{number:04}.svg"
        assert (out / name).read_bytes() == (whole / name).read_bytes()
        assert (out / f"{number:04}.ogg").read_bytes()[:4] == b"OggS"
    assert batch(file, *again, "--format", kinds) == 0
    assert last_line(capsys).startswith("4 prompts: 0 written, 4 skipped (already there)")


def test_a_piece_that_was_asked_for_otherwise_is_written_anew(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = write_lines(tmp_path / "prompts.jsonl", LINES[:2]), tmp_path / "out"
    args = (file, "-o", out, "--model", tiny_model, "--format")
    assert batch(*args, "mid", "--seed", "5") == 0
    assert batch(*args, "mid,svg", "--seed", "6") == 0
    assert last_line(capsys).startswith("2 prompts: 2 written, 0 skipped")
    assert batch(*args, "mid,json,svg", "--seed", "6") == 0  # a report needs what was written
    assert last_line(capsys).startswith("2 prompts: 2 written, 0 skipped")
    lines: list[dict[str, Any]] = [{**LINES[0], "key": "E minor"}, LINES[1]]
    write_lines(file, lines)
    assert batch(*args, "mid,png", "--seed", "6") == 0
    said = last_line(capsys)
    assert said.startswith("2 prompts: 1 written, 1 rendered from their MIDI files, 0 skipped")


@pytest.mark.parametrize("seed", [-1, "x", 1.5, True, 2**40])
def test_a_bad_seed_fails_its_own_line(
    seed: Any, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines: list[dict[str, Any]] = [
        {"text": "a", "bars": 2, "seed": seed}, {"text": "b", "bars": 2, "seed": None},
    ]  # fmt: skip
    file = write_lines(tmp_path / "prompts.jsonl", lines)
    assert batch(file, "-o", tmp_path, "--model", tiny_model, "--format", "mid") == 1
    said = capsys.readouterr()
    assert said.err.startswith("prompt 1 failed: the seed is invalid; give a whole number from 0")
    assert said.err.count("\n") == 1
    assert [path.name for path in tmp_path.glob("*.mid")] == ["0002.mid"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_prompt_that_fails_is_named(
    workers: int, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines: list[dict[str, Any]] = [
        {"text": "one", "bars": 2}, {"text": "two", "key": "Q major"}, {"text": "x" * 3000},
        {"text": "four", "bars": 0}, {"text": "five", "bars": "7"}, {"text": "six", "bars": 2},
    ]  # fmt: skip
    file = write_lines(tmp_path / "prompts.jsonl", lines)
    args = (file, "-o", tmp_path / "out", "--model", tiny_model, "--no-audio")
    assert batch(*args, "--workers", str(workers)) == 1
    said = capsys.readouterr()
    assert "6 prompts: 2 written, 0 skipped (already there), 4 failed in" in said.out
    problems = sorted(said.err.splitlines())
    for number, problem, part in zip((2, 3, 4, 5), problems, "Q 2,000 256 7".split(), strict=True):
        assert problem.startswith(f"prompt {number} failed: ")
        assert part in problem
    assert sorted(path.stem for path in (tmp_path / "out").glob("*.mid")) == ["0001", "0006"]
    # with the controls left out, some of them can be written
    assert batch(*args, "--text-only") == 1
    assert "6 prompts: 3 written, 2 skipped (already there), 1 failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    "args",
    [
        ["--workers", "0"],
        ["--slots", "0"],
        ["--seed", "-1"],
        ["--format", "doc"],
        ["--soundfont", "missing.sf2"],
    ],
    ids=str,
)
def test_refused(args: list[str], tiny_model: Path, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "prompts.jsonl")
    assert batch(file, "-o", tmp_path / "out", "--model", tiny_model, *args) == 2
    assert batch(tmp_path / "missing.jsonl", "-o", tmp_path / "out", "--model", tiny_model) == 2
    assert batch(file, "-o", file, "--model", tiny_model) == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_without_a_model_nothing_is_tried(
    workers: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_lines(tmp_path / "prompts.jsonl")
    args = ("-o", tmp_path / "out", "--model", tmp_path, "--workers", workers)
    assert batch(file, *args) == 2
    assert "not a complete textmusic model" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_results_of_another_file_are_not_taken_for_ours(tmp_path: Path) -> None:
    settings = Settings(tmp_path, ("mid", "json"))
    job = Job(1, "a harp", 0, {})
    assert pending([job], settings) == [job]
    (tmp_path / "0001.mid").write_bytes(b"MThd")
    assert pending([job], settings) == [job]
    (tmp_path / "0001.json").write_text(json.dumps({"text": "a harp"}))
    assert pending([job], settings) == []
    with pytest.raises(TextMusicError, match="another prompt"):
        pending([Job(1, "a flute", 0, {})], settings)


def test_midi_files_alone_say_whose_they_are(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mine := tmp_path / "a.txt").write_text("a harp, 2 bars")
    (other := tmp_path / "b.txt").write_text("a flute, 2 bars")
    args = ("-o", tmp_path / "out", "--model", tiny_model, "--format", "mid")
    assert batch(mine, *args) == 0
    for formats in ("mid", "mid,json"):
        assert batch(other, *args[:-1], formats) == 2
        assert "0001.mid' is from another prompt" in capsys.readouterr().err
    assert batch(mine, *args) == 0
    assert "note" not in capsys.readouterr().err
    assert batch(mine, *args, "--seed", "7") == 0
    said = capsys.readouterr()
    assert "1 skipped" in said.out and "written with another seed, model or sampling" in said.err


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_keeps_what_is_finished(workers: str, tiny_model: Path, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "prompts.jsonl", [{"text": "piano", "bars": 20}] * 50)
    out = tmp_path / "out"
    args = ["batch", str(file), "-o", str(out), "--model", str(tiny_model), "--no-audio"]
    process = subprocess.Popen(
        [sys.executable, "-m", "textmusic", *args, "--workers", workers],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not (out / "0002.json").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes
    said, complaints = process.communicate(timeout=60)
    assert process.returncode == 130, complaints
    assert "Traceback" not in complaints
    assert "stopped" in complaints
    assert "left in" in said.splitlines()[-1]
    assert not [path for path in out.iterdir() if ".part" in path.name]
    for path in out.glob("*.json"):
        json.loads(path.read_text("utf-8"))
        assert path.with_suffix(".mid").read_bytes()[:4] == b"MThd"


def test_a_piece_written_elsewhere_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "out", ("mid", "json"))
    parcel = Parcel(Outcome(1), {"0001.mid": b"MThd", "0001.json": b"{}"})
    assert kept(parcel, settings) == Outcome(1)
    assert (settings.folder / "0001.mid").read_bytes() == b"MThd"
    (settings.folder / "0002.mid").mkdir()  # a file can't have this name
    blocked = kept(Parcel(Outcome(2), {"0002.mid": b"MThd"}), settings)
    assert blocked.number == 2 and "could not be written" in str(blocked.problem)
    assert kept(Parcel(Outcome(3, "a defect"), {}), settings) == Outcome(3, "a defect")
    assert not [path for path in settings.folder.iterdir() if ".part" in path.name]


# Defects ------------------------------------------------------------------------------------------


def outcomes(tiny: TextToMusic, folder: Path, texts: tuple[str, ...]) -> dict[int, str | None]:
    jobs = [Job(number, text, number, {}) for number, text in enumerate(texts, 1)]
    told = list(write(tiny, jobs, Settings(folder, ("mid",))))
    assert len(told) == len(jobs), "every job is told of, once"
    return {outcome.number: outcome.problem for outcome in told}


TEXTS = ("piano, 2 bars", "harp, 2 bars", "a" * 10_000, "flute, 2 bars")


@pytest.mark.parametrize("where", ["understand", "finished"])
def test_a_defect_in_one_prompt_costs_no_other(
    where: str, tiny: TextToMusic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = getattr(TextToMusic, where)

    def broken(self: TextToMusic, what: Any, **more: Any) -> Any:
        text = what if isinstance(what, str) else what.prompt.text
        if text.startswith("harp"):
            raise RuntimeError("a defect")
        return whole(self, what, **more)

    monkeypatch.setattr(TextToMusic, where, broken)
    found = outcomes(tiny, tmp_path, TEXTS)
    assert found[1] is None and found[4] is None
    assert found[2] == "RuntimeError: a defect"
    assert "use at most 2,000" in str(found[3])
    assert sorted(path.stem for path in tmp_path.glob("*.mid")) == ["0001", "0004"]


def test_a_defect_in_saving_costs_no_other(
    tiny: TextToMusic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Generation.save

    def broken(self: Generation, *args: Any, **more: Any) -> Any:
        if more["stem"] == "0002":
            raise RuntimeError("a defect")
        return whole(self, *args, **more)

    monkeypatch.setattr(Generation, "save", broken)
    found = outcomes(tiny, tmp_path, TEXTS)
    assert [found[1], found[2], found[4]] == [None, "RuntimeError: a defect", None]
