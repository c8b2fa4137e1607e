"""Evaluation and comparison, from prompts and answers to the report, through the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interleaving import ROWS
from symusic import Score

from textmusic.cli.main import main
from textmusic.errors import TextMusicError
from textmusic.evaluation import comparison
from textmusic.evaluation.answers import Answer, read_answers, read_expectations
from textmusic.evaluation.bootstrap import figure
from textmusic.evaluation.comparison import Options, compare, entrants
from textmusic.evaluation.figures import likelihood, surprises
from textmusic.evaluation.pace import Pace
from textmusic.evaluation.report_page import markdown, save
from textmusic.music.measure import measure
from textmusic.music.measure_sketch import measure_sketch
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.writing.text_to_music import TextToMusic

LINES: tuple[dict[str, Any], ...] = (
    {"text": "calm piano, chords C G, 2 bars", "key": "C major", "programs": [[0]], "bars": 2},
    {"text": "<script>alert(1)</script> a waltz, 2 bars", "time_signature": "3/4", "bars": 2},
    {"text": "fast flute, 2 bars", "tempo_bpm": [120, 200], "programs": [[73]], "bars": 2},
)
QUICK = Options(words=False, pace=False, sounds=0)


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    return write_prompts(tmp_path / "prompts.jsonl", LINES)


@pytest.fixture
def real(tmp_path: Path, pieces: list[Path]) -> Path:
    """A folder of real answers."""
    folder = tmp_path / "real"
    folder.mkdir()
    for number, piece in enumerate(pieces[: len(LINES)], 1):
        shutil.copy(piece, folder / f"{number:04}.mid")
    return folder


def write_prompts(path: Path, lines: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


@pytest.mark.slow
def test_two_models_are_compared_from_the_command_line(
    prompts: Path, real: Path, tiny_model: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    other = tmp_path / "other"
    shutil.copytree(tiny_model, other)
    out = tmp_path / "out"
    monkeypatch.setattr(comparison, "PACED", 1)  # that there are figures is all that is asked here
    more = ["--real", real, "--no-words", "--sounds", "0", "--examples", "2", "-o", out]
    words = ["compare", "--models", tiny_model, other, "--prompts", prompts, *more]
    assert main([str(word) for word in words]) == 0, said(capsys)
    assert "tiny_model and other on 3 prompts" in capsys.readouterr().out
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    one, two = report["entries"]["tiny_model"], report["entries"]["other"]
    assert one["figures"]["asked"] == two["figures"]["asked"], "the same weights, plans and seeds"
    assert one["figures"]["asked"]["bars"]["value"] == 1
    kept = one["figures"]["asked"]["chords heard as sketched"]
    assert 0 <= kept["value"] <= 1 and kept["n"] > 0
    assert one["figures"]["likelihood"]["nats per note"]["value"] > 5, "it is untrained"
    assert one["pace"]["notes"] > 0 and one["missing"] == 0
    assert all(not row["significant"] for row in report["differences"])
    assert {row["section"] for row in report["differences"]} >= {"asked", "beside", "likelihood"}
    html = (out / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;" in html and "<script>" not in html
    for path in out.glob("examples/*"):
        assert path.name in html
    assert {path.suffix for path in out.glob("examples/*")} == {".mp3", ".svg"}

    written = (out / "answers" / "other" / "run-1" / "0001.mid").stat().st_mtime_ns
    # Neither the pace nor the examples of a report that was made are the question any more.
    monkeypatch.setattr(comparison, "measure_pace", lambda *_: Pace(1.0, 1.0, 1.0, 1.0, 1.0))
    assert main([str(word) for word in [*words, "--examples", "0"]]) == 0
    again = (out / "answers" / "other" / "run-1" / "0001.mid").stat().st_mtime_ns
    assert again == written, "what is written is kept"
    assert main([str(word) for word in [*words, "--seed", "7"]]) == 2
    assert "choose another folder" in said(capsys)


def test_answers_of_another_system_are_scored_by_the_same_code(
    prompts: Path, real: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (real / "0002.mid").write_bytes(b"MThd, but not for long")
    out = tmp_path / "out"
    words = ["evaluate", prompts, "--answers", real, "--sounds", "0", "--examples", "0", "-o", out]
    assert main([str(word) for word in words]) == 0, said(capsys)
    entry = json.loads((out / "report.json").read_text())["entries"]["real"]
    assert (entry["answers"], entry["missing"]) == (2, 0)
    assert entry["broken"] == ["real/0002.mid (has no notes)"]
    assert (
        "Not readable as MIDI, and so not valid: real: real/0002.mid"
        in (out / "report.md").read_text()
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [('{"text": "a"', "line 2"), ('{"key": "C major"}', "line 2"), ("[1, 2]", "line 2")],
)
def test_a_broken_line_is_named(
    line: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"text": "calm piano"}\n' + line + "\n", encoding="utf-8")
    assert main(["evaluate", str(path), "-o", str(tmp_path / "out")]) == 2
    assert sentence in said(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("key", "H minor"), ("programs", [0]), ("tempo_bpm", 120), ("bars", "8"), ("genre", ["pop"])],
)
def test_what_is_no_expectation_is_named(field: str, value: Any, tmp_path: Path) -> None:
    path = write_prompts(tmp_path / "x.jsonl", [{"text": "a"}, {"text": "b", field: value}])
    with pytest.raises(TextMusicError, match=f"prompt 2 of .* has '{field}', which is not"):
        read_expectations(path)


def test_empty_sets_are_refused(
    prompts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["evaluate", str(prompts), "--answers", str(empty)]) == 2
    assert "has no answers" in said(capsys)
    nothing = tmp_path / "nothing.jsonl"
    nothing.write_text("\n")
    assert main(["evaluate", str(nothing), "--answers", str(empty)]) == 2
    assert "nothing.jsonl" in said(capsys)
    assert main(["compare", "--models", "default", "--prompts", str(prompts)]) == 2
    assert "compare needs two models" in said(capsys)


def test_a_model_of_another_vocabulary_is_refused_and_the_difference_named(
    tiny_model: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(tiny_model, other)
    names = json.loads((other / "vocabulary.json").read_text())
    (other / "vocabulary.json").write_text(json.dumps([*names[:-1], "Duration_99.0.12"]))
    with pytest.raises(TextMusicError, match=r"Duration_99\.0\.12"):
        entrants([str(tiny_model), str(other)], [])
    with pytest.raises(TextMusicError, match="2 of the models or folders are called 'tiny_model'"):
        entrants([str(tiny_model), str(tiny_model)], [])


def test_answers_to_other_prompts_are_refused(prompts: Path, real: Path) -> None:
    shutil.copy(real / "0001.mid", real / "0004.mid")
    with pytest.raises(TextMusicError, match="answers prompt 4, but there are 3"):
        read_answers(real, LINES)


def test_prediction_is_the_sum_of_surprises_in_the_models_own_sequence(
    tiny: TextToMusic, pieces: list[Path]
) -> None:
    score = Score(pieces[0])
    plan = Plan(
        valence=3, arousal=3, genre="other", programs=measure(score).programs, key="C major",
        tempo=100.0, time_signature=measure(score).time_signature, bars=17, density=1,
        begin=True, end=True,
    )  # fmt: skip
    piece = tiny.generate("calm piano in C major, 2 bars", seed=1)
    assert plan != piece.plan
    answer = Answer(Path("0001.mid"), 1, piece.score, piece.plan)
    found = likelihood(tiny, [{"text": "calm piano"}], [answer])
    ids = tiny.tokenizer.encode_score(piece.score, piece.plan)
    metre, bars = piece.plan.time_signature or "", piece.plan.bars or 0
    sketch = measure_sketch(notes_of(piece.score), metre, bars, piece.plan.key)
    rows = tiny.tokenizer.encode_sketch(sketch, piece.plan.key)
    sequence, first = tiny.tokenizer.sequence("calm piano", piece.plan, rows, ids)
    tokens = [tiny.tokenizer.vocabulary[i - tiny.tokenizer.offset] for i in sequence[first:]]
    own = [place for place, token in enumerate(tokens) if not token.startswith(ROWS)]
    assert len(own) == len(ids) < len(tokens), "the sketch's rows again are not predicted"
    logits = tiny.engine.logits(np.array(sequence))[first - 1 : -1][own].astype(np.float64)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    nats = -np.log(p[np.arange(len(ids)), ids]).sum()
    assert figure(found["nats per score id"]).value == pytest.approx(nats / len(ids), rel=1e-5)
    notes = piece.score.note_num()
    assert figure(found["nats per note"]).value == pytest.approx(nats / notes, rel=1e-5)


def test_a_file_is_predicted_as_the_piece_that_it_was_written_from(
    tiny: TextToMusic, tmp_path: Path
) -> None:
    line = {"text": "flute, guitar and drums in G major, 4 bars"}
    piece = tiny.generate(line["text"], seed=3)
    assert len({*piece.columns.program}) == 3, "each of them plays"
    piece.save(tmp_path, formats=("mid", "json"), stem="0001")
    ((answer,), _) = read_answers(tmp_path, [line])
    written = Answer(answer.file, 1, piece.score, piece.plan, piece.sketch)
    found, wanted = (likelihood(tiny, [line], [one]) for one in (answer, written))
    for name in ("nats per note", "nats per score id"):
        assert figure(found[name]).value == pytest.approx(figure(wanted[name]).value, rel=1e-5)


def test_surprise_of_even_odds_is_their_logarithm() -> None:
    even = surprises(np.zeros((3, 4), dtype=np.float32), np.array([0, 1, 2]))
    assert even == pytest.approx(3 * np.log(4))
    sure = surprises(np.array([[50.0, 0.0]], dtype=np.float32), np.array([0]))
    assert sure == pytest.approx(0, abs=1e-9)


def test_real_answers_are_the_ceiling_of_every_figure(
    prompts: Path, real: Path, tmp_path: Path
) -> None:
    shutil.copytree(real, tmp_path / "copy")
    made = compare(prompts, entrants([], [tmp_path / "copy"]), tmp_path / "out", QUICK, real)
    (copy,), top = made.entries, made.real
    assert top is not None and copy.figures["asked"] == top.figures["asked"]
    assert copy.figures["beside"]["overlap, mean"].value > 0.98
    text = markdown(made)
    assert "| valid |" in text and "| overlap, mean |" in text
    page = save(made, tmp_path / "out", examples=0, soundfont=None)
    assert page.read_text(encoding="utf-8").count("<svg") >= 2


def test_expectations_keep_what_the_line_says(prompts: Path) -> None:
    assert [line["text"] for line in read_expectations(prompts)] == [d["text"] for d in LINES]
    assert read_expectations(prompts)[0]["key"] == "C major"
