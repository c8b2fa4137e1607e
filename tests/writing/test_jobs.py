"""Files of prompts: their formats, the names of their results, and what is wrong in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from batches import LINES, batch, last_line, write_lines

from textmusic.errors import TextMusicError
from textmusic.language.controls import read_controls
from textmusic.writing.batch import Settings
from textmusic.writing.jobs import read_jobs


def test_id_or_name_names_the_files(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines: list[dict[str, Any]] = [
        {"text": "a", "bars": 2, "id": "Boss_Theme 1"},
        {"text": "b", "bars": 2, "name": "../town/夜"},
        {"text": "c", "bars": 2, "id": 7, "name": "unused"},
        {"text": "d", "bars": 2},
        {"text": "e", "bars": 2, "id": "boss_theme-1"},
        {"text": "f", "bars": 2, "name": "..."},
        {"text": "g", "bars": 2, "name": ["x"]},
    ]
    file, out = write_lines(tmp_path / "prompts.jsonl", lines), tmp_path / "out"
    args = (file, "-o", out, "--model", tiny_model, "--format", "mid")
    assert batch(*args) == 1
    said = capsys.readouterr()
    assert sorted(path.name for path in tmp_path.rglob("*.mid")) == [
        "0004.mid", "7.mid", "Boss_Theme-1.mid", "town-夜.mid",
    ]  # fmt: skip
    assert {path.parent for path in tmp_path.rglob("*.mid")} == {out}
    assert sorted(said.err.splitlines()) == [
        "prompt 5 failed: prompt 1 has the name 'boss_theme-1' too; give each its own.",
        "prompt 6 failed: the name has no letters and no digits; give another one.",
        "prompt 7 failed: the name has no letters and no digits; give another one.",
    ]
    assert batch(*args) == 1
    assert "4 skipped (already there), 3 failed" in last_line(capsys)
    assert batch(*args[:2], tmp_path / "numbered", *args[3:], "--text-only") == 0
    assert (tmp_path / "numbered" / "0001.mid").exists()


def test_the_text_alone(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [{"text": "a", "seed": 99}, {"text": "b", "seed": -1, "loop": 3}]
    file = write_lines(tmp_path / "prompts.jsonl", lines)
    jobs = read_jobs(file, seed=5, text_only=True)
    assert [(job.text, job.seed, job.problem) for job in jobs] == [("a", 5, None), ("b", 6, None)]


def test_unknown_fields_are_named(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines: list[dict[str, Any]] = [
        {"text": "ok", "instrument": "flute", "bars": 2},
        {"text": "ok", "instrument": "harp", "bars": 2, "colour": "red", "note": None},
    ]
    file = write_lines(tmp_path / "prompts.jsonl", lines)
    assert batch(file, "-o", tmp_path, "--model", tiny_model, "--format", "mid") == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0] == (
        "the field 'instrument' of 2 prompts is not used; did you mean 'instruments'?"
    )
    assert said[1].startswith("the field 'colour' of 1 prompt is not used; known are text, seed,")
    assert len(said) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"text": "a"}\n\n{"text": \n', "line 3"),
        (b'{"text": "a"}\n["b"]\n', "line 2"),
        (b'{"text": "a"}\n{"prompt": "b"}\n', "line 2"),
        (b'{"text": "a"}\n{"text": 5}\n', "line 2"),
        (b'{"text": "a", "bars": ' + b"9" * 5000 + b"}\n", "line 1"),
        (b"[" * 100_000, "line 1"),
        (b"\n \n", "no prompts"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_at_once(
    content: bytes,
    said: str,
    tiny_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_bytes(content)
    assert batch(file, "-o", tmp_path / "out", "--model", tiny_model) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("textmusic: ")
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_numbers_are_as_wide_as_they_have_to_be(tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("piano\n" * 10_001)
    jobs = read_jobs(file, seed=5)
    assert (jobs[-1].number, jobs[-1].seed) == (10_001, 10_005)
    assert Settings(Path("out"), ("mid",)).paths(jobs[-1]) == [Path("out/10001.mid")]


def test_json_lines_are_known_by_their_look(tmp_path: Path) -> None:
    file = tmp_path / "prompts"
    file.write_text('{"text": "lone \\ud800 surrogate"}\n')
    (job,) = read_jobs(file)
    assert job.text == "lone ? surrogate"


@pytest.mark.ray
def test_parquet_holds_the_same_prompts(tmp_path: Path) -> None:
    """With whole numbers as pandas writes a column in which some lack."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = dict.fromkeys(name for line in LINES for name in line)
    rows = [{name: line.get(name) for name in names} for line in LINES]
    rows[2]["instruments"] = ["violin", "piano"]  # a column holds one kind of thing
    bars = [float("nan"), 2.0, 3.0, 2.0]
    columns = {name: [row[name] for row in rows] for name in names} | {"bars": bars}
    pq.write_table(pa.table(columns), tmp_path / "prompts.parquet")
    jobs = read_jobs(tmp_path / "prompts.parquet", seed=5)
    assert [job.text for job in jobs] == [line["text"] for line in LINES]
    assert [(job.number, job.seed) for job in jobs] == [(1, 5), (2, 6), (3, 99), (4, 8)]
    assert [read_controls(job.record).bars for job in jobs] == [None, 2, 3, 2]
    lines = read_jobs(write_lines(tmp_path / "prompts.jsonl", rows))
    for index in (1, 2, 3):
        assert read_controls(jobs[index].record) == read_controls(lines[index].record)


@pytest.mark.ray
@pytest.mark.parametrize(
    ("column", "said"),
    [
        ({"prompt": ["a"]}, "row 1 of .* has no text"),
        ({"text": ["a", None]}, "row 2 of .* has no text"),
        ({"text": []}, "has no prompts"),
        (None, "can't be read as parquet"),
    ],
)
def test_broken_parquet_is_refused_at_once(
    column: dict[str, Any] | None, said: str, tmp_path: Path
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = tmp_path / "prompts.parquet"
    if column is None:
        file.write_bytes(b"PAR1 and no more")
    else:
        pq.write_table(pa.table(column), file)
    with pytest.raises(TextMusicError, match=said):
        read_jobs(file)
    with pytest.raises(TextMusicError, match="can't be read"):
        read_jobs(tmp_path / "missing.parquet")


def test_controls_of_a_line() -> None:
    controls = read_controls({"text": "", "instruments": "piano", "density": 2, "seconds": [5, 9]})
    assert (controls.instruments, controls.density, controls.seconds) == (("piano",), 2, None)
    asked = read_controls({"text": "", "chords": ["Am", "F"], "form": ["verse", "chorus"]})
    assert (asked.chords, asked.form) == ("Am F", "verse chorus")
    assert read_controls({"text": "", "chords": "ii-V-I", "form": "AABA"}).form == "AABA"
    wrong: list[dict[str, Any]] = [
        {"chords": 5},
        {"form": {"A": 8}},
        {"key": 5},
        {"bars": True},
        {"bars": 2.5},
        {"mood": {}},
        {"instruments": {"a": 1}},
    ]
    for record in wrong:
        with pytest.raises(TextMusicError, match=next(iter(record))):
            read_controls(record)
