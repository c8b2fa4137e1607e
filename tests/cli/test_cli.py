"""The command line, as people run it: in a process of its own."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import symusic
from command_line import assert_refused, call, command, files, posix, run
from rich.console import Console

from textmusic.cli.terminal import show
from textmusic.language.reading.progression import parse_chords
from textmusic.music.chords import chord_name
from textmusic.music.plan import Plan
from textmusic.result.report import Report
from textmusic.tokens.sampling import Sampling
from textmusic.version import __version__
from textmusic.writing.text_to_music import TextToMusic


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
