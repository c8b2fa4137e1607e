"""Folders of answers: which file answers which prompt, and what counts for those that do not."""

from __future__ import annotations

import csv
import html
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from textmusic.cli.main import main
from textmusic.errors import TextMusicError
from textmusic.evaluation.answers import read_answers, read_expectations, read_runs

TEXTS = [{"text": "calm piano"}, {"text": "=a waltz", "time_signature": "3/4"}, {"text": "rock"}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "theirs"
    folder.mkdir()
    return folder


def prompts_file(folder: Path, lines: list[dict[str, Any]]) -> Path:
    path = folder / "prompts.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def evaluated(prompts: Path, folder: Path, *more: object) -> tuple[dict[str, Any], Path]:
    """What the command makes of a folder of answers: the report's entry, the report's folder."""
    out = prompts.parent / "out"
    words = ["evaluate", prompts, "--answers", folder, "-o", out, *more]
    assert main([str(word) for word in words]) == 0
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return report["entries"][folder.name], out


def test_broken_and_missing_answers_are_not_valid(
    folder: Path, pieces: list[Path], tmp_path: Path
) -> None:
    shutil.copy(pieces[0], folder / "0001.mid")
    (folder / "0002.mid").write_bytes(b"garbage")
    found, out = evaluated(prompts_file(tmp_path, TEXTS), folder)
    valid = found["figures"]["asked"]["valid"]
    assert valid["value"] == pytest.approx(1 / 3) and valid["n"] == 3
    assert (found["answers"], found["missing"], len(found["broken"])) == (1, 1, 1)
    assert "| valid | 33.3 % [" in (out / "report.md").read_text(encoding="utf-8")


def test_every_answer_is_a_row_of_the_table_of_pieces(
    folder: Path, pieces: list[Path], tmp_path: Path
) -> None:
    shutil.copy(pieces[0], folder / "0003.mid")
    (folder / "0002.mid").write_bytes(b"garbage")
    found, out = evaluated(prompts_file(tmp_path, TEXTS), folder)
    with (out / "pieces.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["prompt"], row["text"], row["file"], row["valid"]) for row in rows] == [
        ("3", "rock", "theirs/0003.mid", "1.0"),
        ("2", "'=a waltz", "theirs/0002.mid", "0.0"),  # no formula
        ("1", "calm piano", "", "0.0"),
    ]
    assert rows[0]["problem"] == "" and rows[2]["problem"] == "no answer" and rows[1]["problem"]
    for name, figure in found["figures"]["beside"].items():
        if figure["n"]:  # a mean over one piece is that piece's value
            assert float(rows[0][name]) == pytest.approx(figure["value"])
    assert float(rows[0]["polyphony"]) >= 1 and rows[1]["polyphony"] == ""


@pytest.mark.parametrize(
    "name", ["0001.MID", "1.Mid", "0001.midi", "0001.MIDI", "0001.rmi", "1.KAR", "0001.smf"]
)
def test_suffixes_count_in_any_case(name: str, folder: Path, pieces: list[Path]) -> None:
    shutil.copy(pieces[0], folder / name)
    answers, broken = read_answers(folder, TEXTS)
    assert [(a.file.name, a.number) for a in answers] == [(name, 1)] and not broken


@pytest.mark.parametrize("said", ["12 bars.mid", "12 bars", "jazz/My Song.MID", "jazz/My Song"])
def test_any_file_can_be_named_in_the_prompts(said: str, folder: Path, pieces: list[Path]) -> None:
    (folder / "jazz").mkdir()
    shutil.copy(pieces[0], folder / "12 bars.mid")  # would answer prompt 12
    shutil.copy(pieces[0], folder / "jazz" / "My Song.MID")
    lines = [{"text": "a"}, {"text": "b", "file": said}, {"text": "c", "file": "lost.mid"}]
    read = read_runs([folder], lines)
    assert [(a.file.stem, a.number) for a in read.answers] == [(Path(said).stem, 2)]
    assert read.unanswered == [1, 3]


def test_a_named_file_that_is_broken_is_counted(
    folder: Path, pieces: list[Path], tmp_path: Path
) -> None:
    shutil.copy(pieces[0], folder / "good.mid")
    (folder / "bad.mid").write_bytes(b"garbage")
    lines = [{"text": "a", "file": "bad"}, {"text": "b", "file": "good"}]
    found, _ = evaluated(prompts_file(tmp_path, lines), folder)
    assert found["figures"]["asked"]["valid"]["value"] == 0.5
    assert found["broken"][0].startswith("theirs/bad.mid (")


def test_answers_of_a_model_are_numbered_whatever_the_prompts_name(
    folder: Path, pieces: list[Path]
) -> None:
    shutil.copy(pieces[0], folder / "0002.mid")
    answers, _ = read_answers(folder, [{"text": "a", "file": "x.mid"}, {"text": "b"}])
    assert [a.number for a in answers] == [2]


@pytest.mark.parametrize("name", ["../x.mid", "/tmp/x.mid", "", ".", 7, ["x.mid"]])
def test_a_name_stays_in_the_folder(name: Any, tmp_path: Path) -> None:
    with pytest.raises(TextMusicError, match="has 'file', which is not the name of a file"):
        read_expectations(prompts_file(tmp_path, [{"text": "a", "file": name}]))


def test_what_has_no_readable_answer_is_refused(folder: Path) -> None:
    with pytest.raises(TextMusicError, match=r"has no answers; .*field 'file'"):
        read_answers(folder, TEXTS)
    with pytest.raises(TextMusicError, match="has no answers"):
        read_answers(folder / "nowhere", TEXTS)
    (folder / "0001.mid").write_bytes(b"garbage")
    with pytest.raises(TextMusicError, match=r"no answer that can be read \(theirs/0001.mid \("):
        read_answers(folder, TEXTS)


def test_answers_are_heard_only_if_that_is_asked_for(
    folder: Path, pieces: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rendering takes seconds a piece: without it answers are judged at once."""
    played: list[object] = []
    monkeypatch.setattr(
        "textmusic.evaluation.report_page.write_audio", lambda wave, path: path.write_bytes(b"")
    )
    monkeypatch.setattr(
        "textmusic.evaluation.report_page.render", lambda score, **_: played.append(score)
    )
    monkeypatch.setattr("textmusic.evaluation.figures.render", None)  # not even called
    shutil.copy(pieces[0], folder / "0001.mid")
    prompts = prompts_file(tmp_path, TEXTS)
    _, out = evaluated(prompts, folder, "--real", folder)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert played == [] and "<audio" not in page
    assert page.count('<img loading="lazy" src="examples/0001-') == 2, (
        "rolls are drawn all the same"
    )
    evaluated(prompts, folder, "--examples", 1)
    assert len(played) == 1


# What is said of files and fields -----------------------------------------------------------------


def test_fields_that_are_no_expectation_are_said_once(
    folder: Path, pieces: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(pieces[0], folder / "0001.mid")
    lines = [
        {"text": "a", "tempo": 120, "time_signature": "4/4", "seed": 7, "loop": None},
        {"text": "b", "tempo": 90, "instruments": ["flute"], "colour": "red", "mood": None},
    ]
    _, out = evaluated(prompts_file(tmp_path, lines), folder)
    said = [
        "The field 'tempo' of 2 prompts is not used; did you mean 'tempo_bpm'?",
        "The field 'instruments' of 1 prompt is not used; known are text, key, time_signature, ",
        "The field 'colour' of 1 prompt is not used; known are text, key, ",
    ]
    printed = capsys.readouterr().out
    for sentence in said:
        assert printed.count(sentence) == 1
        page = html.unescape((out / "report.html").read_text(encoding="utf-8"))
        assert page.count(sentence) == 1
    found = json.loads((out / "report.json").read_text(encoding="utf-8"))["cautions"]
    assert [caution[:20] for caution in found[:3]] == [sentence[:20] for sentence in said]
    assert sum("is not used" in caution for caution in found) == 3
    evaluated(prompts_file(tmp_path, TEXTS), folder)
    assert "is not used" not in capsys.readouterr().out


def test_prompts_without_a_file_beside_those_that_name_one_are_said(
    folder: Path, pieces: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("song.mid", "2.mid", "0004.mid"):
        shutil.copy(pieces[0], folder / name)
    lines = [{"text": "a", "file": "song"}, *({"text": t} for t in "bcd")]
    found, _ = evaluated(prompts_file(tmp_path, lines), folder)
    assert (found["answers"], found["missing"]) == (2, 2), "0004.mid is what batch would write"
    said = (
        "theirs: 2 of 4 prompts name no file, as others do, and so have no answer (the first is"
        " prompt 2); name each prompt's answer in a field 'file'."
    )
    assert capsys.readouterr().out.count(said) == 1
    for line, name in zip(lines, ("song", "2", "song", "lost"), strict=True):
        line["file"] = name
    found, _ = evaluated(prompts_file(tmp_path, lines), folder)
    assert (found["answers"], found["missing"]) == (3, 1)
    assert "name no file" not in capsys.readouterr().out


def test_a_file_that_one_prompt_names_answers_no_other(folder: Path, pieces: list[Path]) -> None:
    shutil.copy(pieces[0], folder / "0002.mid")
    read = read_runs([folder], [{"text": "a", "file": "0002"}, {"text": "b"}])
    assert [a.number for a in read.answers] == [1]
    assert read.missing == [2]
    assert read.notes[0].startswith("1 of 2 prompts names no file, as others do, and so has no")


def test_answers_are_found_by_the_names_that_batch_gives_them(
    folder: Path, pieces: list[Path]
) -> None:
    lines = [{"text": "a", "id": "Boss Theme"}, {"text": "b", "name": 7}, {"text": "c"}]
    for name in ("Boss-Theme.mid", "7.mid", "0003.mid"):
        shutil.copy(pieces[0], folder / name)
    read = read_runs([folder], lines)
    assert [(a.file.name, a.number) for a in read.answers] == [
        ("Boss-Theme.mid", 1), ("7.mid", 2), ("0003.mid", 3),
    ]  # fmt: skip
    assert not read.missing and not read.notes


def test_what_was_mended_in_an_answer_is_said(
    folder: Path, pieces: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(pieces[0], folder / "0001.mid")
    shutil.copy(Path(__file__).parents[1] / "data" / "midi" / "all-160.mid", folder / "0002.mid")
    found, out = evaluated(prompts_file(tmp_path, TEXTS), folder)
    assert found["mended"] == ["theirs/0002.mid (data bytes over 127 set to 127 (32))"]
    said = (
        "Not proper MIDI, and mended: theirs: theirs/0002.mid (data bytes over 127 set to 127 (32))"
    )
    printed = capsys.readouterr().out
    assert printed.count(said) == 1 and "| answers that were mended | 1 |" in printed
    assert said in (out / "report.html").read_text(encoding="utf-8")
