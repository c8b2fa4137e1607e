"""Continuing as it was asked: from which bar, how many bars, who plays, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from symusic import Note, Score, Tempo, TimeSignature, Track

from textmusic.cli.main import main
from textmusic.errors import TextMusicError
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.result.report import ReportRow
from textmusic.writing.text_to_music import TextToMusic

DATA = Path(__file__).parents[1] / "data" / "midi"
QUARTER = 480


def two_metres() -> Score:
    """Four bars of 3/4 at 60 bpm, then four of 4/4 at 120."""
    score = Score(QUARTER)
    score.time_signatures.extend([TimeSignature(0, 3, 4), TimeSignature(12 * QUARTER, 4, 4)])
    score.tempos.extend([Tempo(0, 60), Tempo(12 * QUARTER, 120)])
    track = Track(program=0)
    track.notes.extend([Note(QUARTER * n, QUARTER, 60 + n % 7, 80) for n in range(28)])
    score.tracks.append(track)
    return score


def trio() -> Score:
    """Two violins and a piano, four bars."""
    score = Score(QUARTER)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    for program, pitch, name in ((40, 76, "Violin I"), (40, 62, "Violin II"), (0, 48, "Piano")):
        track = Track(program=program, name=name)
        track.notes.extend([Note(QUARTER * n, QUARTER, pitch + n % 5, 80) for n in range(16)])
        score.tracks.append(track)
    return score


def row(made: object, field: str) -> ReportRow:
    return next(row for row in made.report.rows if row.field == field)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("keep", "bars", "total", "stop"),
    [(2, None, 8, 6), (4, None, 8, 12), (6, None, 8, 20), (2, 3, 5, 6), (6, 3, 9, 20),
     (6, 0, 8, 20), (8, 2, 10, 28)],
)  # fmt: skip
def test_keep_counts_from_the_start(
    tiny: TextToMusic, keep: int, bars: int | None, total: int, stop: int
) -> None:
    """Whatever metres there are; bars is the number of those behind the ones that are kept."""
    made = tiny.continue_from(two_metres(), bars, keep=keep, seed=1)
    assert made.report.new_bars == (keep, total) and made.plan.bars == total
    assert made.report.measured.bars == total
    old, now = notes_of(two_metres()), notes_of(made.score)
    held = now.start < stop
    assert now.pitch[held].tolist() == old.pitch[:stop].tolist()
    assert row(made, "bars").asked == (f"{bars} new" if bars else "")


def test_bars_that_are_not_there_can_t_be_kept(tiny: TextToMusic) -> None:
    with pytest.raises(TextMusicError, match="keep 9 is out of range; choose 1 to 8"):
        tiny.continue_from(two_metres(), keep=9)
    with pytest.raises(TextMusicError, match="covers the whole piece"):
        tiny.continue_from(two_metres(), keep=8)
    late = two_metres()
    late.tracks[0].notes = late.tracks[0].notes[12:]
    with pytest.raises(TextMusicError, match="the first 3 bars have nothing to go on from"):
        tiny.continue_from(late, keep=3)


def test_the_time_signature_of_what_is_kept_is_said(tiny: TextToMusic) -> None:
    made = tiny.continue_from(two_metres(), keep=2, seed=1)
    assert made.report.remarks == (
        "the new bars are in 3/4, the time signature of the last bar that is kept",
    )
    assert {(m.numerator, m.denominator) for m in made.score.time_signatures} == {(3, 4)}


def test_the_words_say_how_many_bars(tiny: TextToMusic) -> None:
    made = tiny.continue_from(two_metres(), text="5 bars, with flute", seed=1)
    assert made.report.new_bars == (8, 13) and row(made, "bars").asked == "5 new"
    assert tiny.continue_from(two_metres(), seed=1).report.new_bars == (8, 16)


def test_the_planned_length_is_that_of_all_tempi(tiny: TextToMusic) -> None:
    made = tiny.continue_from(two_metres(), 2, seed=1)
    assert row(made, "length").planned == "24.0 s", "12 + 8, and 4 of the new bars"
    assert row(made, "time signature").ok
    made = tiny.continue_from(two_metres(), 2, seed=1, controls=Plan(tempo=60))
    assert row(made, "length").planned == "28.0 s"
    filled = tiny.fill(two_metres(), bars=(6, 7), seed=1)
    assert row(filled, "length").planned == "20.0 s"


def test_livelier_and_slower_than_the_piece(tiny: TextToMusic) -> None:
    made = tiny.continue_from(two_metres(), 2, seed=1, text="slower and sadder")
    assert made.plan.tempo == row_tempo(made) == 104
    assert any("'slower': the new music is to be at 104 bpm" in n for n in made.report.remarks)
    assert not made.report.unused
    filled = tiny.fill(trio(), add=["bass"], text="livelier, faster", seed=1)
    assert filled.report.asked.arousal is not None
    assert filled.report.unused == ("'faster': the piece keeps its own tempo",)


def row_tempo(made: object) -> float | None:
    tempo: float | None = made.report.measured.tempo  # type: ignore[attr-defined]
    return tempo


def test_two_violins_both_go_on(tiny: TextToMusic) -> None:
    made = tiny.continue_from(trio(), 4, seed=1)
    new = [[n.pitch for n in t.notes if n.time >= 16 * QUARTER] for t in made.score.tracks]
    assert [track.name for track in made.score.tracks] == ["Violin I", "Violin II", "Piano"]
    assert all(new)
    assert np.mean(new[0]) > np.mean(new[1])
    before = [len(track.notes) for track in trio().tracks]
    assert [len(t.notes) - len(n) for t, n in zip(made.score.tracks, new, strict=True)] == before


@pytest.mark.parametrize(
    ("text", "players"),
    [
        ("no violin, only a piano", {0}), ("no violins", {0}), ("only a flute", {73}),
        ("不要小提琴", {0}), ("只要钢琴", {0}), ("no piano, with flute", {40, 73}),
    ],
)  # fmt: skip
def test_who_is_ruled_out_does_not_play(tiny: TextToMusic, text: str, players: set[int]) -> None:
    made = tiny.continue_from(trio(), 4, seed=2, text=text)
    notes = notes_of(made.score)
    assert set(notes.program[notes.start >= 16].tolist()) <= players
    assert row(made, "instruments").planned == row(made, "instruments").measured
    assert any(note.startswith("the new bars are played by ") for note in made.report.remarks)


def test_where_nobody_would_be_left_it_is_said(tiny: TextToMusic) -> None:
    made = tiny.continue_from(two_metres(), 2, seed=1, text="no piano")
    assert made.report.unused == (
        "'no piano': nothing else plays there; name an instrument to play instead",
    )


def test_metres_that_the_vocabulary_lacks_go_on_in_their_own_bars(tiny: TextToMusic) -> None:
    made = tiny.continue_from(DATA / "11-8.mid", 3, seed=1)
    assert [(m.numerator, m.denominator) for m in made.score.time_signatures] == [(11, 8)]
    assert made.report.measured.bars == made.plan.bars == 11
    start = notes_of(made.score).start
    new = start[start >= 8 * 5.5 - 1e-6]
    assert len(new) and new.max() < 11 * 5.5
    (line,) = made.report.remarks
    assert "11/8 is 12/8 with a rest at the end of each bar" in line
    anew = tiny.continue_from(DATA / "11-8.mid", keep=2, seed=1)
    assert anew.report.new_bars == (2, 8) == (2, anew.report.measured.bars)
    with pytest.raises(TextMusicError, match="the piece is in 11/8"):
        tiny.continue_from(DATA / "11-8.mid", 1, text="in 3/4")


def test_the_command_line_says_it(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "piece.mid"
    source.write_bytes(two_metres().dumps_midi())
    command = ["continue", str(source), "--model", str(tiny_model), "-o", str(tmp_path)]
    assert main([*command, "更慢，不要钢琴", "--format", "mid", "--seed", "1"]) == 0
    said = capsys.readouterr().out
    assert "note: '更慢'：新写的音乐速度为每分钟104拍；原曲为每分钟120拍" in said
    assert "not used: 'no piano'：没有别的乐器了" in said
    assert main([*command, "--keep", "6", "--format", "mid", "--seed", "1"]) == 0
    said = capsys.readouterr().out
    assert "nothing was asked for, so the new bars go on as before" in said
    assert main([*command, "--bars", "2", "--format", "mid", "--seed", "1"]) == 0
    said = capsys.readouterr().out
    assert "nothing was asked for" not in said and "2 new" in said


def test_a_loop_that_is_asked_for_in_words(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "a 2-bar loop of drums, 4/4, 120 bpm"
    command = ["generate", text, "--model", str(tiny_model), "-o", str(tmp_path), "--seed", "1"]
    assert main([*command, "--format", "mid"]) == 0
    (file,) = tmp_path.glob("*.mid")
    assert b"loopEnd" in file.read_bytes()
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text(f'{{"text": "{text}"}}\n{{"text": "{text}", "loop": false}}\n')
    out = tmp_path / "batch"
    batch = ["batch", str(prompts), "--model", str(tiny_model), "-o", str(out), "--format", "mid"]
    assert main(batch) == 0
    capsys.readouterr()
    found = [b"loopEnd" in (out / f"000{n}.mid").read_bytes() for n in (1, 2)]
    assert found == [True, False]
