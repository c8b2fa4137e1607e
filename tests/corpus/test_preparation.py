"""`textmusic prepare`: from a folder of files to what the trainer reads."""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decoded import plan_of_ids
from symusic import Note, Score, Tempo, TimeSignature, Track

pytest.importorskip("pyarrow", reason="comes with the train extra")

from cut_pieces import windows_of

from textmusic.cli import main
from textmusic.corpus.captions import Captioner
from textmusic.corpus.descriptions import read_descriptions
from textmusic.corpus.files import find
from textmusic.corpus.preparation import WORK, prepare
from textmusic.corpus.splits import SPLITS
from textmusic.corpus.summary import Summary
from textmusic.corpus.windows import Window, read_windows, window_table, write_windows
from textmusic.drawing.sheet_music import musicxml
from textmusic.errors import TextMusicError
from textmusic.learning.examples import Examples
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS
from textmusic.tokens.tokenizer import Tokenizer

pytestmark = pytest.mark.train

DATA = Path(__file__).parents[1] / "data"
BASE = str(DATA / "tiny_model")


def done(folder: Path, out: Path, **options: Any) -> Summary:
    return prepare(folder, out, DATA / "tiny_model" / "tokenizer.json", **{"workers": 2} | options)


def all_windows(out: Path) -> dict[str, list[Window]]:
    return {name: read_windows(out / f"{name}.parquet") for name in SPLITS}


def flat(out: Path) -> list[Window]:
    return [window for windows in all_windows(out).values() for window in windows]


def why(summary: Summary) -> dict[str, str]:
    return dict(summary.dropped)


def outcome(out: Path) -> dict[str, bytes]:
    """Every file of a prepared folder."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def scale(seed: int, n: int = 64) -> list[tuple[float, int]]:
    rng = random.Random(seed)
    return [(float(i), rng.choice((60, 62, 64, 65, 67, 69, 71, 72))) for i in range(n)]


def midi(
    path: Path,
    notes: list[tuple[float, int]],
    *,
    metres: tuple[tuple[float, int, int], ...] = ((0, 4, 4),),
    program: int = 0,
    drums: bool = False,
    shift: int = 0,
) -> Path:
    """A file of one part; times in quarter notes, each note a quarter long."""
    score: Score = Score(480)
    score.tempos.append(Tempo(0, 100.0))
    for at, top, bottom in metres:
        score.time_signatures.append(TimeSignature(round(at * 480), top, bottom))
    track = Track(program=program, is_drum=drums)
    for start, pitch in notes:
        track.notes.append(Note(round(start * 480), 480, pitch + shift, 80))
    score.tracks.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    score.dump_midi(path)
    return path


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, pieces: list[Path]) -> Path:
    """A folder as people have them: all formats, good and broken, described or not."""
    folder = tmp_path_factory.mktemp("mine")
    for path in pieces[:6]:
        shutil.copy(path, folder)
    (folder / "more").mkdir()
    with zipfile.ZipFile(folder / "more" / "packed.zip", "w") as archive:
        for path in pieces[6:9]:
            archive.write(path, f"songs/{path.name}")
        archive.writestr("songs/broken.mid", b"MThd nothing")
        archive.writestr("songs/bomb.mid", bytes(3_000_000), zipfile.ZIP_DEFLATED)
    score = Score(pieces[9]).resample(480)
    (folder / "sheet.musicxml").write_text(musicxml(score, title="A sheet", key=None))
    with zipfile.ZipFile(folder / "sheet2.mxl", "w") as archive:
        archive.writestr("score.xml", musicxml(Score(pieces[10]), title="B", key=None))
    for name in ("tunes.abc", "canon.krn"):
        shutil.copy(DATA / "own" / name, folder)
    (folder / "cut.mid").write_bytes(pieces[0].read_bytes()[:-40])
    (folder / "empty.mid").write_bytes(b"")
    (folder / "notes.pdf").write_bytes(b"%PDF")
    rng = np.random.default_rng(1)
    free = [(float(t), 60 + i % 12) for i, t in enumerate(np.cumsum(rng.uniform(0.2, 0.9, 80)))]
    midi(folder / "free.mid", free)
    midi(folder / "odd.mid", scale(1), metres=((0, 11, 8),))
    midi(folder / "beat.mid", [(i / 1.0, (36, 42, 38, 42)[i % 4]) for i in range(48)], drums=True)
    midi(folder / "waltz.mid", scale(2), program=40)
    (folder / "captions.csv").write_text(
        "file,text,genre,time_signature\n"
        'waltz.mid,"my own violin waltz, for a rainy day",waltz,3/4\n'
        "gone.mid,nothing,,\n"
    )
    return folder


@pytest.fixture(scope="module")
def prepared(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Summary, Path]:
    out = tmp_path_factory.mktemp("out") / "data"
    return done(mixed, out), out


# What comes of a folder ---------------------------------------------------------------------------


def test_every_format_gives_windows_and_the_rest_a_reason(
    prepared: tuple[Summary, Path], pieces: list[Path]
) -> None:
    summary, out = prepared
    kept = {window.piece for window in flat(out)}
    for name in (pieces[0].name, f"more/packed.zip/songs/{pieces[6].name}", "sheet.musicxml",
                 "sheet2.mxl", "tunes.abc#1", "tunes.abc#2", "canon.krn", "beat.mid"):  # fmt: skip
        assert name in kept, name
    dropped = why(summary)
    assert dropped["cut.mid"] == "is truncated"
    assert dropped["empty.mid"] == dropped["more/packed.zip/songs/broken.mid"]
    assert dropped["free.mid"].startswith("was played freely")
    assert "the vocabulary has no 11/8" in dropped["odd.mid"]
    assert dropped["tunes.abc#3"] == "fewer than 16 notes"
    assert "times its size" in dropped["more/packed.zip/songs/bomb.mid"]
    assert not kept & set(dropped)
    assert summary.kept == len(kept) and summary.passed_over == {".pdf": 1}
    assert summary.formats["MIDI"] >= 13 and summary.formats["ABC"] == 1


def test_what_is_written_is_what_the_trainer_reads(prepared: tuple[Summary, Path]) -> None:
    _, out = prepared
    tokenizer = Tokenizer(out / "tokenizer")
    for windows in all_windows(out).values():
        assert windows
        for window in windows:
            score = tokenizer.decode_score(list(window.ids), window.plan)
            assert tuple(np.unique(notes_of(score).program)) == window.plan.programs
    assert {path.name for path in out.iterdir()} == {
        "train.parquet", "valid.parquet", "test.parquet", "tokenizer", "summary.json",
        "preview.html",
    }  # fmt: skip
    datasets = pytest.importorskip("datasets")
    files = {name: str(out / f"{name}.parquet") for name in SPLITS}
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(out.parent / "hf"))
    assert {name: loaded[name].num_rows for name in SPLITS} == {
        name: len(windows) for name, windows in all_windows(out).items()
    }


def test_drums_alone_have_no_key_and_the_metre_of_the_table_counts(
    prepared: tuple[Summary, Path],
) -> None:
    by_piece = {window.piece: window for window in flat(prepared[1])}
    beat = by_piece["beat.mid"].plan
    assert (beat.programs, beat.key) == ((DRUMS,), "none")
    waltz = by_piece["waltz.mid"]
    assert waltz.plan.time_signature == "3/4" and waltz.genres[0] == "waltz"
    assert waltz.texts == ("my own violin waltz, for a rainy day",)
    assert by_piece["tunes.abc#1"].plan.key == "G major"
    assert by_piece["tunes.abc#2"].plan.begin, "the pickup's bar is the first"
    assert by_piece["tunes.abc#2"].plan.time_signature == "6/8"


def test_the_summary_is_a_file_and_the_preview_shows_rolls(
    prepared: tuple[Summary, Path],
) -> None:
    summary, out = prepared
    told = json.loads((out / "summary.json").read_text())
    assert told["pieces"] == {"kept": summary.kept, "dropped": len(summary.dropped)}
    assert sum(held["windows"] for held in told["splits"].values()) == len(flat(out))
    assert sum(told["windows by"]["key"].values()) == len(flat(out))
    assert {"piece": "cut.mid", "why": "is truncated"} in told["dropped"]
    assert told["descriptions"]["pieces"] == 1
    assert any("gone.mid" in note for note in told["notes"])
    html = (out / "preview.html").read_text()
    assert html.count("<svg") >= 5 and "my own violin waltz" in html
    assert "src=" not in html and "<script" not in html, "it stands by itself"


def test_names_and_words_are_escaped_in_the_preview(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    for n in range(4):
        midi(tmp_path / "in" / f"a{n} & b<i>.mid", scale(n))
    (tmp_path / "in" / "x<b>.mid").write_bytes(b"no")
    (tmp_path / "in" / "captions.csv").write_text(f"file,text\na0 & b<i>.mid,{evil}\n")
    done(tmp_path / "in", tmp_path / "out")
    html = (tmp_path / "out" / "preview.html").read_text()
    assert "<script" not in html and "<i>" not in html.split("</style>", 1)[1]
    assert "&lt;b&gt;" in html


def test_garbled_files_cost_themselves_alone(tmp_path: Path, pieces: list[Path]) -> None:
    rng = random.Random(7)
    for n in range(60):
        data = bytearray(rng.choice(pieces).read_bytes())
        for _ in range(rng.choice((1, 10, 100))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (tmp_path / f"~{n}.mid").write_bytes(data)  # last: of near copies the first is kept
    for path in pieces[:5]:
        shutil.copy(path, tmp_path)
    summary = done(tmp_path, tmp_path / "out")
    assert {path.name for path in pieces[:5]} <= {window.piece for window in flat(tmp_path / "out")}
    assert summary.kept + len(summary.dropped) == 65 and len(summary.dropped) > 5


# The same again -----------------------------------------------------------------------------------


def test_the_number_of_workers_changes_nothing(
    mixed: Path, prepared: tuple[Summary, Path], tmp_path: Path
) -> None:
    done(mixed, tmp_path / "one", workers=1)
    assert outcome(tmp_path / "one") == outcome(prepared[1])


@pytest.mark.slow
@pytest.mark.ray
def test_a_ray_cluster_changes_nothing(
    mixed: Path, prepared: tuple[Summary, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mixed.parent)
    done(Path(mixed.name), tmp_path / "ray", ray="local")
    assert outcome(tmp_path / "ray") == outcome(prepared[1])


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for n in range(150):
        midi(folder / f"{n:03}.mid", scale(n, 400))
    out, whole = tmp_path / "out", tmp_path / "whole"
    command = [sys.executable, "-m", "textmusic", "prepare", str(folder), "-o", str(out),
               "--base", BASE, "--workers", "2"]  # fmt: skip
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not (finished := sorted((out / WORK).glob("*.json"))):
        assert child.poll() is None and time.monotonic() < end, "it should still be at work"
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not list(out.glob("*.parquet")), "nothing half-written under its final name"
    before = {path: path.stat().st_mtime_ns for path in finished}
    steps: list[int] = []

    @contextmanager
    def bar(_doing: str, _unit: str) -> Iterator[Callable[[int, int], None]]:
        yield lambda n, _total: steps.append(n)
        assert {path: path.stat().st_mtime_ns for path in before} == before, "not done again"

    done(folder, out, progress=bar)
    assert steps[0] >= 32, "what was finished is not done again"
    done(folder, whole)
    assert outcome(out) == outcome(whole)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    for n in range(4):
        midi(tmp_path / "in" / f"{n}.mid", scale(n))
    first = done(tmp_path / "in", tmp_path / "out")
    midi(tmp_path / "in" / "3.mid", scale(3)[:8])
    second = done(tmp_path / "in", tmp_path / "out")
    assert (first.kept, second.kept) == (4, 3)


# Tunes and descriptions ---------------------------------------------------------------------------


def test_near_duplicates_are_in_one_split_and_copies_are_dropped(tmp_path: Path) -> None:
    for n in range(30):
        midi(tmp_path / "in" / f"{n}.mid", scale(n))
        midi(tmp_path / "in" / "up" / f"{n} higher.mid", scale(n), shift=3, program=73)
    shutil.copy(tmp_path / "in" / "7.mid", tmp_path / "in" / "7 copy.mid")
    summary = done(tmp_path / "in", tmp_path / "out", shares={"valid": 20, "test": 20})
    assert list(why(summary).values()) == ["the same notes as another one (7 copy.mid)"]
    split = {w.piece: name for name, ws in all_windows(tmp_path / "out").items() for w in ws}
    for n in range(30):
        mine = f"{n}.mid" if f"{n}.mid" in split else f"{n} copy.mid"
        assert split[mine] == split[f"up/{n} higher.mid"]
    assert set(split.values()) == set(SPLITS)


def test_what_was_no_proper_midi_is_counted_in_the_summary(tmp_path: Path) -> None:
    for n in range(3):
        path = midi(tmp_path / "in" / f"{n}.mid", scale(n))
        data = path.read_bytes()
        loud = data.replace(b"\x90\x3c\x50", b"\x90\x3c\xc8").replace(
            b"\x90\x48\x50", b"\x90\x48\xff"
        )
        if n == 1:
            count = data.count(b"\x90\x3c\x50") + data.count(b"\x90\x48\x50")
            path.write_bytes(loud)
        if n == 2:  # a wrapper is no fault, and its suffix is known
            size = len(data).to_bytes(4, "little")
            head = b"RIFF" + (len(data) + 12).to_bytes(4, "little") + b"RMIDdata" + size
            path.unlink()
            path.with_suffix(".rmi").write_bytes(head + data)
    summary = done(tmp_path / "in", tmp_path / "out")
    assert summary.kept == 3 and summary.formats == {"MIDI": 3} and count > 1
    assert summary.done["in", "file repaired: data bytes over 127 set to 127"] == count
    listed = {row["what"]: row["times"] for row in summary.to_dict()["repairs"]}
    assert listed["file repaired: data bytes over 127 set to 127"] == count


def test_three_pieces_are_one_for_each_split(tmp_path: Path) -> None:
    for n in range(3):
        midi(tmp_path / "in" / f"{n}.mid", scale(n))
    done(tmp_path / "in", tmp_path / "out")
    assert [len(windows) for windows in all_windows(tmp_path / "out").values()] == [1, 1, 1]
    (tmp_path / "in" / "2.mid").unlink()
    summary = done(tmp_path / "in", tmp_path / "out")
    assert any("test is empty: 2 different tunes" in note for note in summary.notes)


def test_a_person_s_words_reach_half_of_the_examples_and_are_true(
    tmp_path: Path, tokenizer: Tokenizer
) -> None:
    for n in range(4):
        midi(tmp_path / "in" / f"{n}.mid", scale(n), program=40)
    texts = ["something in C major, for violin", "something in F minor", "only of itself"]
    lines = [json.dumps({"file": f"{n}.mid", "text": text}) for n in range(4) for text in texts]
    (tmp_path / "in" / "captions.jsonl").write_text("\n".join(lines))
    summary = done(tmp_path / "in", tmp_path / "out")
    windows = all_windows(tmp_path / "out")["train"]
    assert all(window.texts == (texts[0], texts[2]) for window in windows), "one is not true"
    assert any("differ in key" in what for _, what in summary.done)
    examples = Examples(windows, tokenizer, Captioner())
    said = []
    for seed in range(300):
        example = examples.make(windows[0], random.Random(seed))
        text = int(np.flatnonzero(example.ids >= tokenizer.offset)[0])
        music = (example.ids[text + 1 :] - tokenizer.offset).tolist()
        mark = music.index(tokenizer.index["<|sketch|>"])
        plan = plan_of_ids(tokenizer, music[:mark])
        words = example.ids[:text].tolist()
        said.append(next((t for t in texts if tokenizer.encode_text(t) == words), None))
        if said[-1] == texts[0]:
            assert plan.key == "C major" and plan.programs == (40,), "what it says is so"
    assert 0.4 < sum(text is not None for text in said) / 300 < 0.6
    assert texts[1] not in said
    assert len({examples.caption(windows[0], random.Random(s)) for s in range(50)}) > 10


def test_examples_of_windows_without_texts_are_those_of_before(
    prepared: tuple[Summary, Path], tokenizer: Tokenizer
) -> None:
    windows = [replace(window, texts=()) for window in flat(prepared[1])[:5]]
    examples = Examples(windows, tokenizer, Captioner(), fills=0.0)
    for window in windows:
        rng, again = random.Random(4), random.Random(4)
        plan, ids = examples._drawn(window, rng, vary=True)
        expected = examples.join(examples.captioner.write(plan, rng), plan, window.sketch, ids)
        assert np.array_equal(examples.make(window, again).ids, expected.ids)
        assert rng.random() == again.random(), "no draw more"


def test_older_files_without_texts_are_read(prepared: tuple[Summary, Path], tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    windows = all_windows(prepared[1])["train"]
    pq.write_table(window_table(windows).drop_columns("texts"), tmp_path / "old.parquet")
    old = read_windows(tmp_path / "old.parquet")
    assert [replace(w, texts=()) for w in windows] == old


def test_no_windows_are_a_file_too(tmp_path: Path) -> None:
    write_windows([], tmp_path / "none.parquet")
    assert read_windows(tmp_path / "none.parquet") == []


# Corpora ------------------------------------------------------------------------------------------


def test_a_corpus_gives_the_windows_that_it_always_gave(
    tmp_path: Path, pieces: list[Path], piece_rows: list[dict[str, Any]], tokenizer: Tokenizer
) -> None:
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "pieces").symlink_to(DATA / "pieces")
    summary = done(tmp_path / "corpora", tmp_path / "out", longest=900)
    found = flat(tmp_path / "out")
    for path, row in zip(pieces, piece_rows, strict=True):
        expected, _ = windows_of(row, path.read_bytes(), "pieces", "", tokenizer, 900)
        mine = [replace(w, group="") for w in found if w.piece == row["id"]]
        assert mine == expected, path.name
    assert len(found) > 100
    assert summary.formats == {"corpus": len(pieces)}
    assert summary.key_right["pieces"][1] > 5


# What cannot be -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "contains no music files; give a folder with MIDI"),
        ({"a.pdf": "x"}, "contains no music"),
        ({"a.mid": "x"}, "no usable pieces were found (1 is not a MIDI file"),
        ({"a.mid": "x", "captions.csv": "name\n"}, "line 1 of 'captions.csv'"),
    ],
)
def test_what_cannot_be_prepared_is_said_and_leaves_nothing(
    files: dict[str, str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    for name, text in files.items():
        (tmp_path / "in" / name).write_text(text)
    out = tmp_path / "out"
    arguments = ["prepare", str(tmp_path / "in"), "-o", str(out), "--base", BASE]
    assert main.main(arguments) == 2
    assert sentence in capsys.readouterr().err
    assert not out.exists() or not [p for p in out.rglob("*") if p.is_file()]


def test_a_piece_that_is_not_read_whole_is_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = "L:1/4\nM:4/4\nK:C\n"
    lost = "c" + "'" * 9  # higher than any note
    tunes = [
        f"X:{number}\n{head}{' | '.join(' '.join(bar) for bar in bars)} |\n"
        for number, bars in ((1, ["CDEF", "GABc"] * 8), (2, ["EGce", "dBGF"] * 8))
    ]
    tunes[1] = tunes[1].replace("c", lost, 1)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "book.abc").write_text("\n".join(tunes))
    code = main.main(["prepare", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--base", BASE])
    assert code == 0 and "was not read whole" in " ".join(capsys.readouterr().out.split())
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["dropped"] == [
        {"piece": "book.abc#2", "why": "was not read whole (63 of 64 notes)"}
    ]
    assert {window.piece for window in flat(tmp_path / "out")} == {"book.abc#1"}


def test_a_missing_extra_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    midi(tmp_path / "in" / "a.mid", scale(1))
    hide(monkeypatch, "textmusic.corpus.preparation", "pyarrow")
    with pytest.raises(TextMusicError, match=r"pyarrow; run pip install 'textmusic\[train\]'"):
        done(tmp_path / "in", tmp_path / "out")


def hide(monkeypatch: pytest.MonkeyPatch, module: str, package: str) -> None:
    """Let a module believe that a package is not installed."""
    import importlib.util

    find: Callable[[str], Any] = importlib.util.find_spec
    monkeypatch.setattr(f"{module}.find_spec", lambda n: None if n == package else find(n))


def test_the_command_prints_what_came_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(4):
        midi(tmp_path / "in" / f"{n}.mid", scale(n))
    (tmp_path / "in" / "x.mid").write_bytes(b"x")
    out = tmp_path / "out"
    arguments = ["prepare", str(tmp_path / "in"), "-o", str(out), "--base", BASE, "--workers", "1"]
    assert main.main(arguments) == 0
    said = capsys.readouterr().out
    assert "kept 4 pieces" in said and "dropped 1" in said and "is not a MIDI file" in said
    for word in ("train", "valid", "test", "piano", "4/4", "C major", "90-110", "preview.html"):
        assert word in said
    assert main.main([*arguments, "--workers", "0"]) == 2
    assert main.main(["prepare", str(out), "-o", str(out)]) == 2


@pytest.mark.slow
def test_the_guide_s_commands_run(mixed: Path, tmp_path: Path) -> None:
    guide = (DATA.parent.parent / "docs" / "own-corpus.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", guide, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if "prepare" in line]
    assert lines == ["textmusic prepare my-music/ -o data/"]
    (tmp_path / "my-music").symlink_to(mixed)
    command = [sys.executable, "-m", *shlex.split(lines[0]), "--base", BASE]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "kept" in said and (tmp_path / "data" / "preview.html").exists()
    (table,) = re.findall(r"```csv\n(.*?)```", guide, flags=re.DOTALL)
    (tmp_path / "captions.csv").write_text(table)
    (tmp_path / "march.mid").write_bytes(b"x")
    files = find(tmp_path, (tmp_path / "my-music", tmp_path / "data")).files
    read = read_descriptions([f for f in files if f.suffix == ".csv"], [], files)
    assert read.of("march.mid").facts == Plan(genre="march", tempo=112)
