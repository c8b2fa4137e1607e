"""What the command line refuses: one sentence with the remedy, and nothing half-written."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from command_line import assert_refused, call, files, posix, run

from textmusic.result.generation import Generation


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--key", "H minor"], ["H minor", "B minor"]),
        (["--key", "Q major"], ["Q major"]),
        (["--tempo", "0"], ["30", "250"]),
        (["--tempo", "-5"], ["30", "250"]),
        (["--tempo", "9000"], ["30", "250"]),
        (["--tempo", "nan"], ["30", "250"]),
        (["--time-signature", "5/0"], ["6/8"]),
        (["--time-signature", "17/16"], ["6/8"]),
        (["--bars", "0"], ["1 to 256"]),
        (["--bars", "100000"], ["100,000", "1 to 256"]),
        (["--seconds", "1"], ["2 to 600"]),
        (["--seconds", "inf"], ["2 to 600"]),
        (["--bars", "4", "--seconds", "10"], ["only one of them"]),
        (["--instrument", "kazooo"], ["kazooo", "did you mean"]),
        (["--instrument", "129"], ["127"]),
        ([x for i in range(17) for x in ("--instrument", str(i))], ["17", "at most 15"]),
        (["--mood", "9,1"], ["1 to 5"]),
        (["--mood", "qwertyish"], ["1 to 5"]),
        (["--genre", "qwertyish"], ["ragtime"]),
        (["--density", "6"], ["1 to 5"]),
        (["--seed", "-1"], ["seed", "0 to"]),
        (["--variations", "0"], ["1 to 16"]),
        (["--variations", "17"], ["1 to 16"]),
        (["--threads", "0"], ["threads"]),
        (["--temperature", "3"], ["temperature", "2"]),
        (["--top-p", "0"], ["top-p"]),
        (["--harmony-strength", "2"], ["harmony strength", "0 to 1"]),
        (["--form-strength", "nan"], ["form strength", "0 to 1"]),
        (["--chords", "Am H7"], ["chord"]),
        (["--chords", ""], ["write e.g. 'Am F C G'"]),
        (["--form", "qwerty"], ["AABA"]),
        (["--form", "AABA", "--bars", "2"], ["4 sections", "2 bars", "at least 4"]),
        (
            ["--form", "AABA", "--seconds", "4", "--tempo", "120", "--time-signature", "4/4"],
            ["4 sections", "2 bars"],
        ),
        (["--chords", "Am " * 200, "--bars", "4"], ["200 chords", "4 bars of 4/4", "16 beats"]),
        (
            ["--chords", "| Am F C G |", "--bars", "4", "--time-signature", "3/4"],
            ["4 chords", "a bar of 3/4", "more bar lines"],
        ),
        (["--format", "mid,doc"], ["doc", "mid, wav"]),
        (["--format", ","], ["mid, wav"]),
        (["--soundfont", "missing.sf2"], ["missing.sf2"]),
        (["--model", "no/such/folder/here"], ["no/such/folder/here"]),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else str(value),
)
def test_refused_with_the_remedy(
    args: list[str], said: Sequence[str], tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = call("generate", "piano", "-o", out, "--model", tiny_model, *args)
    assert_refused(done, *said)
    assert not out.exists()


def test_refused_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = run("generate", "piano", "-o", tmp_path / "out", "--instrument", "kazooo")
    assert_refused(done, "kazooo", "did you mean")
    assert done.stdout == ""


@pytest.mark.parametrize("args", [["--bars", "many"], ["--no-such-option"], []], ids=str)
def test_usage_errors(args: list[str], tmp_path: Path) -> None:
    wanted: list[str | Path] = ["piano", "-o", tmp_path / "out"] if args else []
    done = run("generate", *wanted, *args)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_very_long_prompt(tiny_model: Path, tmp_path: Path) -> None:
    done = call("generate", "x" * 10_000, "-o", tmp_path / "out", "--model", tiny_model)
    assert_refused(done, "10,000", "2,000")
    assert files(tmp_path) == []


def test_a_missing_model_folder(tmp_path: Path) -> None:
    done = call("generate", "piano", "-o", tmp_path / "out", "--model", tmp_path)
    assert_refused(done, str(tmp_path), "not a complete textmusic model")
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    ["textmusic.json", "vocabulary.json", "tokenizer.json", "model.onnx", "model.onnx.data",
     "embeddings.safetensors", "remi.json"],
)  # fmt: skip
@pytest.mark.parametrize("harm", ["missing", "truncated"])
def test_a_damaged_model(name: str, harm: str, tiny_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    if harm == "missing":
        (model / name).unlink()
    else:
        whole = (model / name).read_bytes()
        (model / name).write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "out"
    done = call("generate", "piano", "--bars", "2", "-o", out, "--model", model, "--format", "mid")
    assert_refused(done, str(model))
    assert files(out) == []


def test_a_broken_soundfont(tiny_model: Path, tmp_path: Path) -> None:
    font = tmp_path / "broken.sf2"
    font.write_bytes(b"RIFF\x00\x00\x00\x00sfbk")
    out = tmp_path / "out"
    args: list[str | Path] = ["generate", "piano", "--bars", "2", "-o", out, "--model", tiny_model]
    assert_refused(call(*args, "--soundfont", font), "broken.sf2")
    assert not (tmp_path / "out").exists()
    # without audio it is not needed
    assert call(*args, "--soundfont", font, "--format", "mid").returncode == 0


def test_a_folder_that_cannot_be_written(tiny_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("here first")
    for out in (file, file / "below"):
        done = call("generate", "piano", "-o", out, "--model", tiny_model)
        assert_refused(done, str(out), "-o")
    assert file.read_text() == "here first"


def test_a_full_disk(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Generation, name: str, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("textmusic.result.saving._write", full)
    done = call("generate", "piano", "--bars", "2", "-o", tmp_path, "--model", tiny_model)
    assert_refused(done, os.strerror(errno.ENOSPC))
    assert files(tmp_path) == []


@posix
@pytest.mark.parametrize("kind", ["mid", "json", "wav"])
def test_files_that_do_not_fit(kind: str, tiny_model: Path, tmp_path: Path) -> None:
    """A file size limit stands in for a full disk: writing fails in the middle of a file."""
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))

    done = run(
        "generate", "piano", "--bars", "4", "-o", tmp_path, "--model", tiny_model, "--format", kind,
        preexec_fn=limit,
    )  # fmt: skip
    assert_refused(done)
    assert files(tmp_path) == []


def test_serve_refuses_a_port_that_is_none(tiny_model: Path) -> None:
    assert_refused(call("serve", "--port", "99999", "--model", tiny_model), "1 to 65,535")
