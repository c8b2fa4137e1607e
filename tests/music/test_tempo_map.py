"""Time by the whole tempo map, on maps that are checked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from symusic import Score

from textmusic.music.measure import measure, seconds
from textmusic.music.midi_files import read_score
from textmusic.music.tempo_map import TempoMap
from textmusic.sound.render import render

DATA = Path(__file__).parents[1] / "data" / "midi"
RAMP = sum(60 / (60 + 2 * n) for n in range(32))  # a quarter note each


@pytest.mark.parametrize(
    ("name", "length"),
    [("tempo-on-second-track", 16 + 8), ("late-tempo", 4 + 32), ("ramp", RAMP), ("plain", 19.2)],
)
def test_a_length_is_of_the_whole_map(name: str, length: float) -> None:
    score = read_score(DATA / f"{name}.mid")
    assert seconds(score) == pytest.approx(length, abs=0.001)
    assert score.to("second").end() == pytest.approx(length, abs=0.001), "as it is played"


def test_a_tempo_is_the_one_at_the_first_note() -> None:
    tempi = {
        name: measure(read_score(DATA / f"{name}.mid")).tempo
        for name in ("late-tempo", "tempo-on-second-track", "plain")
    }
    assert tempi == {"late-tempo": 120, "tempo-on-second-track": 60, "plain": 100}


def test_before_the_first_tempo_there_are_120() -> None:
    late = TempoMap.of([(8, 60)])
    assert (late.at(0), late.at(7.9), late.at(8), late.at(99)) == (120, 120, 60, 60)
    assert late.seconds(8) == 4 and late.seconds(10) == 6 and late.seconds(0) == 0
    assert TempoMap().seconds(2) == 1


def test_of_several_tempi_at_one_place_the_last_counts() -> None:
    assert TempoMap.of([(4, 90), (0, 50), (0, 60)]).qpm == (60, 90)


def test_bars_are_counted_in_the_metres_on_the_way() -> None:
    assert measure(read_score(DATA / "1-4-end.mid")).bars == 9
    assert measure(read_score(DATA / "11-8.mid")).bars == 8
    assert measure(read_score(DATA / "11-8.mid")).time_signature == "11/8"


def test_audio_is_as_long_as_the_map_says() -> None:
    score: Score = read_score(DATA / "tempo-on-second-track.mid")
    assert render(score).shape[1] / 44100 == pytest.approx(24, abs=3.1)
    assert render(score).shape[1] / 44100 > 23.9
