"""What the benchmark measures: each figure is what it says, at sizes of no size."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import speed
from speed_page import PEERS, Scale, page, shown

from textmusic.engines.folder import read_config
from textmusic.errors import TextMusicError
from textmusic.music.plan import Plan
from textmusic.writing.text_to_music import TextToMusic

ROOT = Path(__file__).parents[2]
TEXT = "calm piano in D minor"


def test_a_spread_is_the_median_between_the_extremes() -> None:
    assert speed.spread([3.0, 1.0, 2.0]) == speed.Spread(2.0, 1.0, 3.0)
    assert speed.rates(10, [1.0, 5.0, 2.0]) == speed.Spread(5.0, 2.0, 10.0)
    assert shown(speed.Spread(454.6, 430.2, 460.0)) == "455 [430 - 460]"
    assert shown({"median": 0.2, "low": 0.1, "high": 0.3}, " s") == "0.200 s [0.100 - 0.300]"


def test_a_piece_costs_the_sum_of_its_notes() -> None:
    assert speed.whole_piece({1: 2.0}, 5) == 10
    # 1 up to the second note, then a straight line to 3, then constant
    assert speed.whole_piece({1: 1.0, 3: 3.0}, 6) == pytest.approx(1 + 1 + 2 + 3 + 3 + 3)


def test_work_is_timed_as_often_as_asked() -> None:
    took = speed.timed(lambda: time.sleep(0.002), 3)
    assert len(took) == 3 and min(took) >= 0.002


def test_reading_has_a_speed() -> None:
    assert all(rate > 0 for rate in speed.read_bandwidth(1, 2, 3))
    assert len(speed.read_bandwidth(1, 1, 3)) == 3


def test_an_id_reads_the_weights_once_and_a_row_of_cache_for_each_id_before_it(
    tiny_model: Path,
) -> None:
    config = read_config(tiny_model)
    weights, cache = speed.bytes_per_id(tiny_model, 10)
    assert cache == 10 * speed.bytes_per_id(tiny_model, 1)[1]
    # keys and values of each layer, float32
    assert cache == 10 * config["layers"] * config["kv_heads"] * config["head_width"] * 2 * 4
    assert 0 < weights < (tiny_model / "model.onnx.data").stat().st_size


def test_what_is_written_is_told_of(tiny_model: Path, tiny: TextToMusic) -> None:
    written = speed.alone(speed.writing, str(tiny_model), TEXT, 2, 1, 2)
    piece = tiny.generate(TEXT, controls=Plan(bars=2), seed=1)
    assert (written.ids, written.notes) == (piece.ids, piece.report.notes)
    assert len(written.seconds) == 2 and written.memory > 10
    assert written.tokens >= 4 * written.notes


def test_pieces_side_by_side_and_their_shares_have_figures(tiny_model: Path) -> None:
    rate, _ = speed.together(str(tiny_model), TEXT, 1, 2, 2)
    assert rate.low > 0
    shares = speed.shares(str(tiny_model), TEXT, 1, 1)
    assert set(shares) == {"engine", "grammar, sampling, report"} and min(shares.values()) > 0
    costs = speed.step_costs(str(tiny_model), (1, 40), 2)
    assert set(costs) == {1, 40} and costs[40].low > 0


def test_the_first_bar_is_heard_after_it_is_written(tiny_model: Path) -> None:
    written, heard = speed.first_bar(str(tiny_model), TEXT, 2, 1, 2)
    assert 0 < written.low < heard.low


def test_a_command_is_timed_to_its_first_file_and_to_its_end(tiny_model: Path) -> None:
    said = ["generate", TEXT, "--bars", "1", "--seed", "1", "-o", "{out}"]
    found = speed.command([*said, "--model", str(tiny_model)], tiny_model, 1)
    assert 0 < found["first MIDI"].median <= found["end"].median
    with pytest.raises(TextMusicError, match="seed"):
        speed.command(["generate", TEXT, "--seed", "-1"], None, 1)


def test_audio_is_played_faster_or_it_is_said_why_not(tiny_model: Path) -> None:
    found = speed.playing(str(tiny_model), TEXT, 1, 1, 1)
    assert isinstance(found["textmusic"], speed.Spread) and found["textmusic"].low > 0
    other = found["pyfluidsynth"]
    assert other.low > 0 if isinstance(other, speed.Spread) else "not installed" in other


def test_the_page_says_what_is_missing(tmp_path: Path) -> None:
    conditions = {"ours": {"began": "25 November 2026 13:40", "others": 0.1}}
    found = {"ours": {"missing": "not measured: no reason"}}
    said = page(found, conditions, Scale(None, tmp_path), "the command")
    assert "`the command`" in said and "ours (not measured: no reason)" in said
    headings = [line for line in said.splitlines() if line.startswith("## ")]
    written = (ROOT / "docs" / "speed.md").read_text("utf-8").splitlines()
    assert headings == [line for line in written if line.startswith("## ")][: len(headings)]


@pytest.mark.parametrize("only", ["rendering", "bandwidth"])
def test_one_part_alone_leaves_the_others_unmeasured(only: str, tmp_path: Path) -> None:
    """And a part that can't be measured costs no other its figures."""
    model, script = ROOT / "tests/data/tiny_model_int8", ROOT / "benchmarks/benchmark.py"
    command = [sys.executable, script, "--quick", "--model", model, "-o", tmp_path / "speed.md",
               "--only", only]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    kept = json.loads((tmp_path / "speed.json").read_text())
    assert set(kept["parts"]) == {only}
    assert ("missing" in kept["parts"][only]) == (only == "bandwidth")  # it needs "ours"
    assert "## Audio" in (tmp_path / "speed.md").read_text()


@pytest.mark.train
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_writes_a_note_at_any_length(name: str) -> None:
    from peers import peer_costs

    costs, context = peer_costs(name, 4.5, [1, 5, 10_000], 2, True)
    assert list(costs) == [1, 5, int(context)]
    assert all(cost.low > 0 for cost in costs.values())


@pytest.mark.train
def test_what_a_peer_reads_without_a_cache_grows_and_with_one_does_not() -> None:
    import torch
    from peers import Anticipation, MidiModel, Shape

    small = Shape(1, 32, 4, 48, 64)
    read: list[int] = []

    def note_length(module: torch.nn.Module, given: tuple[torch.Tensor, ...], _: object) -> None:
        read.append(given[0].shape[1])

    with torch.inference_mode():
        anticipation, events = Anticipation(small, longest=64), MidiModel(small, small, longest=64)
        anticipation._lm.transformer.h[0].register_forward_hook(note_length)
        anticipation.step(4)()
        assert read == [13, 14, 15]
        read.clear()
        events._net.layers[0].register_forward_hook(note_length)
        work = events.step(9)
        work(), work()
        assert read == [1, 1]
