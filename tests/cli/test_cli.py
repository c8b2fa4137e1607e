"""The command line, as people run it: in a process of its own."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import symusic
from rich.console import Console

from textmusic.cli.main import main
from textmusic.cli.terminal import show
from textmusic.language.reading.progression import parse_chords
from textmusic.music.chords import chord_name
from textmusic.music.measure import measure
from textmusic.music.plan import Plan
from textmusic.music.theory import quarters_per_bar
from textmusic.result.generation import Generation
from textmusic.result.report import Report
from textmusic.tokens.sampling import Sampling
from textmusic.version import __version__
from textmusic.writing.text_to_music import TextToMusic

posix = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")


def command(*args: str | Path) -> list[str]:
    return [sys.executable, "-m", "textmusic", *map(str, args)]


def call(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """A command in this process: quicker, and what is no TextMusicError fails the test."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(arg) for arg in args])
    return subprocess.CompletedProcess(args, code, out.getvalue(), err.getvalue())


def run(*args: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        command(*args), capture_output=True, encoding="utf-8", timeout=300, env=environment, **more
    )


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def assert_refused(done: subprocess.CompletedProcess[str], *said: str) -> None:
    """One sentence for people on stderr, exit code 2."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("textmusic: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.endswith((".\n", "?\n"))
    for part in said:
        assert part in done.stderr, done.stderr


def test_help_is_light() -> None:
    heavy = ["gradio", "miditok", "numpy", "onnxruntime", "symusic", "torch", "transformers"]
    code = (
        "import sys; from textmusic.cli.main import main; assert main(['--help']) == 0;"
        f"assert main(['generate', '--help']) == 0; print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    for verb in ("generate", "batch", "serve", "info"):
        assert verb in done.stdout


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"textmusic {__version__}\n")


def test_generate(tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    done = run(
        "generate", "calm piano in D minor", "--bars", "4", "--seed", "7", "-o", out,
        "--model", tiny_model, "--format", "mid,wav,flac,mp3,ogg,opus,svg,png,json,musicxml",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    stem = "calm-piano-in-d-minor-7"
    suffixes = ("flac", "json", "mid", "mp3", "musicxml", "ogg", "opus", "png", "svg", "wav")
    assert files(out) == [f"{stem}.{suffix}" for suffix in suffixes]
    assert all((out / name).stat().st_size > 0 for name in files(out))
    for suffix in suffixes:
        assert str(out / f"{stem}.{suffix}") in done.stdout.splitlines()
    lines = {line.split("  ")[0]: line for line in done.stdout.splitlines()}
    assert lines["key"].count("D minor") >= 2
    assert lines["bars"].split() == ["bars", "4", "4", "4", "✓"]
    assert "open" in lines["tempo"]
    report = Report.from_dict(json.loads((out / f"{stem}.json").read_text("utf-8")))
    assert (report.seed, report.asked.bars, report.asked.key) == (7, 4, "D minor")


def test_long_progressions_leave_the_table_readable(tiny: TextToMusic) -> None:
    """Sixteen bars of four chords, in 80 columns: what is asked is cut as what is planned is."""
    line = "| F#m7b5 B7 Em7 A7 | Dm7 G7 Cmaj7 C7 " * 8
    made = tiny.generate("piano, 16 bars, 4/4", outline=parse_chords(line), seed=1)
    console = Console(file=io.StringIO(), width=80, highlight=False)
    show(made, console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    lines = said.splitlines()
    assert max(map(len, lines)) <= 80
    fields = [line.split("  ")[0].strip() for line in lines]
    begin, end = fields.index("chords"), fields.index("form")
    assert "B7" in lines[begin] and end - begin < 12
    assert said.count("…") == 2


def test_the_same_seed_gives_the_same_file(tiny_model: Path, tmp_path: Path) -> None:
    args = ["generate", "violin", "--bars", "3", "--seed", "5", "--format", "mid"]
    assert call(*args, "-o", tmp_path / "one", "--model", tiny_model).returncode == 0
    assert run(*args, "-o", tmp_path / "two", "--model", tiny_model).returncode == 0
    first, second = tmp_path / "one" / "violin-5.mid", tmp_path / "two" / "violin-5.mid"
    assert first.read_bytes() == second.read_bytes()


def test_every_control_is_kept(tiny_model: Path, tmp_path: Path) -> None:
    done = call(
        "generate", "something", "-o", tmp_path, "--model", tiny_model, "--format", "json",
        "--key", "f sharp minor", "--tempo", "90", "--time-signature", "6/8", "--bars", "5",
        "--instrument", "violin", "--instrument", "32", "--mood", "2,4", "--genre", "folk",
        "--density", "sparse", "--seed", "1", "--temperature", "0.8", "--top-p", "0.9",
        "--harmony-strength", "1", "--form-strength", "0.25", "--threads", "1",
        "--chords", "| F#m | D E |", "--form", "verse chorus",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = Report.from_dict(json.loads((tmp_path / "something-1.json").read_text("utf-8")))
    assert report.sampling == Sampling(0.8, 0.9, harmony_strength=1, form_strength=0.25)
    asked = [[chord_name(chord) for chord in bar] for bar in report.outline.chords]
    assert asked == [["F#m"], ["D", "E"]]
    assert report.outline.names == ("verse", "chorus")
    rows = [[(at, chord_name(chord)) for at, chord in row.chords] for row in report.sketch.rows]
    one, two = [(0, "F#m")], [(0, "D"), (3, "E")]  # a bar of 6/8 has six beats
    assert rows == [one, two, one, two, one], "two sections, of 2 and 3 bars"
    planned = report.to_dict()["planned"]
    expected = {
        "key": "F# minor", "tempo": 90, "time_signature": "6/8", "bars": 5, "programs": [32, 40],
        "valence": 2, "arousal": 4, "genre": "folk", "density": 2,
    }  # fmt: skip
    planned["programs"] = list(planned["programs"])
    assert {name: planned[name] for name in expected} == expected


def test_variations_have_seeds_of_their_own(tiny_model: Path, tmp_path: Path) -> None:
    args = ["generate", "flute", "--bars", "2", "--seed", "3", "--variations", "3"]
    done = call(*args, "--format", "mid", "-o", tmp_path, "--model", tiny_model)
    assert done.returncode == 0
    assert "variation 2 of 3, seed 4" in done.stdout
    assert files(tmp_path) == ["flute-3.mid", "flute-4.mid", "flute-5.mid"]


@pytest.mark.parametrize(("text", "unread"), [("", False), ("🎹🎻", True), ("\x07\x1b\x7f", False)])
def test_no_words_leave_all_to_the_model(
    text: str, unread: bool, tiny_model: Path, tmp_path: Path
) -> None:
    done = call(
        "generate", text, "-o", tmp_path, "--model", tiny_model, "--format", "mid", "--seed", "2"
    )
    assert done.returncode == 0, done.stderr
    assert "the model chose everything" in done.stdout
    assert ("not used" in done.stdout) == unread
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("key", ["H minor", "Q major"])
def test_an_unknown_key_in_the_text_is_told(key: str, tiny_model: Path, tmp_path: Path) -> None:
    done = call(
        "generate", f"piano in {key}", "-o", tmp_path, "--model", tiny_model, "--format", "mid",
        "--bars", "2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"not used: '{key}': not a key" in done.stdout


def test_markup_in_the_text_stays_text(tiny_model: Path, tmp_path: Path) -> None:
    args: list[str | Path] = [
        "generate",
        "[red]piano[/red] in [/] H minor",
        "-o",
        tmp_path,
        "--bars",
        "2",
    ]
    done = call(*args, "--format", "mid", "--model", tiny_model)
    assert done.returncode == 0
    assert "not used: 'H minor'" in done.stdout


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


@pytest.mark.slow
@posix
def test_progress_and_ctrl_c(tiny_model: Path, tmp_path: Path) -> None:
    import pty

    terminal, side = pty.openpty()
    process = subprocess.Popen(
        command("generate", "piano", "--bars", "256", "--variations", "16", "-o", tmp_path,
                "--model", tiny_model, "--threads", "1"),
        stdout=subprocess.DEVNULL,
        stderr=side,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    os.close(side)
    seen = b""
    while b"/4096" not in seen:  # bars of all variations together
        seen += os.read(terminal, 4096)
    process.send_signal(signal.SIGINT)
    try:
        while chunk := os.read(terminal, 4096):
            seen += chunk
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(terminal)
    assert process.wait(60) == 130
    assert b"bars" in seen
    assert b"stopped" in seen
    assert b"Traceback" not in seen
    assert files(tmp_path) == []


def test_info(tiny_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    (model / "README.md").unlink(missing_ok=True)
    done = call("info", "--model", model)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no card" in done.stdout
    (model / "README.md").write_text("# Tiny\n\n音楽 made at random\n", encoding="utf-8")
    done = call("info", "--model", model)
    assert (done.returncode, done.stdout) == (0, "# Tiny\n\n音楽 made at random\n")
    assert_refused(call("info", "--model", tmp_path), "not a complete textmusic model")


def test_serve_refuses_a_port_that_is_none(tiny_model: Path) -> None:
    assert_refused(call("serve", "--port", "99999", "--model", tiny_model), "1 to 65,535")


@pytest.mark.slow
@posix
def test_serve(tiny_model: Path, tmp_path: Path) -> None:
    import socket
    from urllib.request import urlopen

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # without the bundled models, which would take their time
    code = (
        "import sys, textmusic.writing.writers as w; w.BUNDLED = {};"
        "from textmusic.cli.main import main"
    )
    serve = [sys.executable, "-c", f"{code}; sys.exit(main(sys.argv[1:]))", "serve"]
    serve += ["--port", str(port), "--model", str(tiny_model), "--threads", "1"]
    process = subprocess.Popen(
        serve,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"GRADIO_TEMP_DIR": str(tmp_path)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    assert b"textmusic" in answer.read()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.3)
        again = subprocess.run(serve, capture_output=True, encoding="utf-8", timeout=300)
        assert_refused(again, str(port), "--port")
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert b"Traceback" not in said


@pytest.mark.slow
@pytest.mark.bundled
def test_the_bundled_model(tmp_path: Path) -> None:
    done = run("generate", "calm piano in D minor", "--bars", "4", "--seed", "1", "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    score = symusic.Score(str(tmp_path / "calm-piano-in-d-minor-1.mid"))
    assert score.note_num() > 0
    assert {track.program for track in score.tracks} <= {0, 1, 2, 3}


def test_best_of_writes_one_piece_and_excludes_variations(tiny_model: Path, tmp_path: Path) -> None:
    more = ["--model", tiny_model, "--bars", "2", "--format", "mid", "-o", tmp_path, "--seed", "4"]
    assert call("generate", "piano", "--best-of", "3", *more).returncode == 0
    assert len(files(tmp_path)) == 1
    both = call("generate", "piano", "--best-of", "3", "--variations", "2", *more)
    assert_refused(both, "cannot be combined; use one of them")
    assert_refused(call("generate", "piano", "--best-of", "99", *more), "1 to 16")


@pytest.mark.slow
@posix
def test_play(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textmusic.writing.live_audio import relay

    programs, heard = tmp_path / "bin", tmp_path / "heard.wav"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    out = tmp_path / "out"
    args: list[str | Path] = ["generate", "organ", "--bars", "3", "--seed", "4", "-o", out]
    args += ["--model", tiny_model, "--play"]
    assert_refused(call(*args), "no player", "install one")
    assert not out.exists()
    player = programs / "aplay"
    player.write_text(f'#!/bin/sh\n/bin/cat > "{heard}"\n')
    player.chmod(0o755)
    done = call(*args)
    assert done.returncode == 0, done.stderr
    expected: list[bytes] = []
    stream = TextToMusic.from_pretrained(tiny_model).stream_audio(
        "organ", controls=Plan(bars=3), seed=4
    )
    relay(stream, expected.append, lambda *_: None)
    assert heard.read_bytes() == b"".join(expected)
    played = files(out)
    assert call(*args[:-1]).returncode == 0
    assert files(out) == played, "it is the same piece"
    assert_refused(call(*args, "--variations", "2"), "only one piece")
    player.write_text("#!/bin/sh\necho no device >&2; exit 1\n")
    done = call(*args)
    assert done.returncode == 1
    assert "aplay failed (no device)" in done.stderr
    assert files(out) == played


# Pieces that are there already -------------------------------------------------------------------


def test_continue_and_vary(tiny_model: Path, pieces: list[Path], tmp_path: Path) -> None:
    source = pieces[0]
    bars = measure(symusic.Score(source)).bars or 0
    more = ("--model", tiny_model, "-o", tmp_path, "--format", "mid", "--seed", "1")
    done = call("continue", source, "--bars", "2", *more)
    assert done.returncode == 0, done.stderr
    made = tmp_path / f"{source.stem}-continued.mid"
    assert measure(symusic.Score(made)).bars == bars + 2
    first = made.read_bytes()
    assert call("continue", source, "three more bars, 3 bars", *more).returncode == 0
    assert made.read_bytes() == first, "nothing is overwritten"
    second = tmp_path / f"{source.stem}-continued-2.mid"
    assert measure(symusic.Score(second)).bars == bars + 3, "as the text says"
    assert call("continue", source, "--keep", "1", *more).returncode == 0
    varied = tmp_path / f"{source.stem}-varied.mid"
    assert measure(symusic.Score(varied)).bars == bars
    assert_refused(call("continue", source, "--bars", "0", *more), "bars")
    made.unlink()
    asked = ("--bars", "4", "--chords", "C G", "--form", "ABAB", "--format", "mid,json")
    done = call("continue", source, *more, *asked)
    assert done.returncode == 0, done.stderr
    report = Report.from_dict(json.loads(made.with_suffix(".json").read_text("utf-8")))
    new = [[chord_name(chord) for _, chord in row.chords] for row in report.sketch.rows[bars:]]
    assert new == [["C"], ["G"], ["C"], ["G"]]
    score = symusic.Score(made)
    bar = quarters_per_bar(report.planned.time_signature or "") * score.ticks_per_quarter
    marks = [(mark.time / bar, mark.text) for mark in score.markers]
    assert marks == [(bars, "A"), (bars + 1, "B"), (bars + 2, "A"), (bars + 3, "B")]
    long = ("--bars", "2", "--form", "ABAB")
    assert_refused(call("continue", source, *more, *long), "4 sections", "2 bars")
    assert_refused(call("continue", tmp_path / "none.mid", *more), "can't be read")


def test_new_bars_are_asked_for_with_options(
    tiny_model: Path, pieces: list[Path], tmp_path: Path
) -> None:
    more = ("--model", tiny_model, "-o", tmp_path, "--format", "mid,json", "--seed", "1")
    asked = ("--key", "A minor", "--tempo", "andante", "--mood", "sad", "--bars", "2")
    done = call("continue", pieces[0], *asked, *more)
    assert done.returncode == 0, done.stderr
    made = tmp_path / f"{pieces[0].stem}-continued"
    report = Report.from_dict(json.loads(made.with_suffix(".json").read_text("utf-8")))
    assert (report.asked.key, report.planned.key) == ("A minor", "A minor")
    assert report.asked.tempo == report.planned.tempo
    assert_refused(call("continue", pieces[0], "--key", "H", *more), "is not a key")
    assert_refused(call("continue", pieces[0], "--tempo", "9999", *more), "tempo 9999")
    assert_refused(call("continue", pieces[0], "--mood", "green", *more), "is not a known mood")
    replayed = call("replay", made.with_suffix(".mid"), "--source", pieces[0], "--model",
                    tiny_model, "--format", "mid", "-o", tmp_path / "again")  # fmt: skip
    assert replayed.returncode == 0, replayed.stderr
    (again,) = (tmp_path / "again").iterdir()
    assert again.name == made.with_suffix(".mid").name
    assert again.read_bytes() == made.with_suffix(".mid").read_bytes()


def test_a_changed_file_is_made_again_from_the_one_before(tmp_path: Path) -> None:
    data = Path(__file__).parents[1] / "data" / "midi"
    source = tmp_path / "trio.mid"
    source.write_bytes((data / "trio.mid").read_bytes())
    change = ("--instrument", "2=flute", "--instrument", "viola=cello", "--snap", "A minor")
    out = ("-o", tmp_path / "out", "--format", "mid")
    for name in ("trio-adjusted.mid", "trio-adjusted-2.mid"):
        done = call("adjust", source, *change, *out)
        assert done.returncode == 0, done.stderr
        assert name in done.stdout and "note: transposed by -3 first" in done.stdout
        made = tmp_path / "out" / name
        done = call("replay", made, "-o", tmp_path / "again", "--format", "mid")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "again" / name).read_bytes() == made.read_bytes()
    source.write_bytes(source.read_bytes()[:-4])
    assert_refused(call("replay", made, "-o", tmp_path), "SHA-256 differs", "--source")
    source.unlink()
    assert_refused(call("replay", made, "-o", tmp_path), "'trio.mid'", "--source")
    before = files(tmp_path)
    listed = call("adjust", data / "trio.mid", "-o", tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.splitlines()[1].startswith("   1  Violin I ")
    assert files(tmp_path) == before


def test_adjust(pieces: list[Path], tmp_path: Path) -> None:
    more = ("-o", tmp_path, "--format", "mid,json")
    done = call("adjust", pieces[0], "--transpose", "2", "--tempo", "90", "--instrument", "flute",
                *more)  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = symusic.Score(tmp_path / f"{pieces[0].stem}-adjusted.mid")
    assert {track.program for track in made.tracks} == {73}
    assert round(made.tempos[0].qpm) == 90
    assert_refused(call("adjust", pieces[0], "--snap", "H minor", *more), "H minor")
    assert_refused(call("adjust", pieces[0], "--transpose", "99", *more), "out of range")
