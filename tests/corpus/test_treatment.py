"""Files of others, made fit to be cut at their bar lines; or refused, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from symusic import Note, Score, Tempo, TimeSignature, Track

from textmusic.corpus.treatment import FIT, grid_fit, treated
from textmusic.music.notes import notes_of

RNG = np.random.default_rng(5)


def piece(
    starts: list[float],
    metres: list[tuple[float, int, int]],
    tempi: Sequence[tuple[float, float]] = (),
) -> Score:
    """Notes of half a quarter; times in quarter notes."""
    score: Score = Score(480)
    for at, top, bottom in metres:
        score.time_signatures.append(TimeSignature(round(at * 480), top, bottom))
    for at, qpm in tempi:
        score.tempos.append(Tempo(round(at * 480), qpm))
    track = Track(program=0)
    for place, start in enumerate(starts):
        track.notes.append(Note(round(start * 480), 240, 60 + place % 12, 80))
    score.tracks.append(track)
    return score


def fit_for_cutting(score: Score) -> tuple[Score, Counter[str]]:
    done: Counter[str] = Counter()
    found = treated(score, done)
    assert not isinstance(found, str), found
    return found, done


def metres(score: Score) -> list[tuple[float, str]]:
    return [(t.time / 480, f"{t.numerator}/{t.denominator}") for t in score.time_signatures]


def tempi(score: Score) -> list[tuple[float, float]]:
    return [(t.time / 480, round(t.qpm)) for t in score.tempos]


def beats(first: float, n: int) -> list[float]:
    return [first + i for i in range(n)]


def test_real_pieces_fit_the_grid_and_those_played_freely_do_not(pieces: list[Path]) -> None:
    for path in pieces:
        starts = np.unique(notes_of(Score(path)).start)
        assert grid_fit(starts) > 0.5, path.name
        rubato = starts + 0.7 * np.sin(starts / 5) + 0.3 * np.sin(starts / 2.3)
        assert grid_fit(rubato) < FIT, path.name
        assert grid_fit(starts * 1.1319) < FIT, "recorded at another tempo than the file says"


def test_a_little_looseness_is_no_harm_and_a_lot_is() -> None:
    exact = np.arange(400) / 4
    loose, wild = (exact + RNG.normal(0, s, 400) for s in (1 / 32, 1 / 8))
    assert grid_fit(loose) == pytest.approx(np.exp(-((8 * np.pi / 32) ** 2) / 2), abs=0.05)
    assert grid_fit(wild) < FIT < grid_fit(loose)


def test_what_was_played_freely_is_refused_with_the_remedy() -> None:
    why = treated(piece(list(np.cumsum(RNG.uniform(0.2, 0.9, 80))), [(0, 4, 4)]), Counter())
    assert isinstance(why, str)
    assert why.startswith("was played freely") and "quantise it in a sequencer" in why


def test_a_pickup_is_filled_up_so_that_bar_lines_fit() -> None:
    score, done = fit_for_cutting(piece(beats(0, 17), [(0, 1, 4), (1, 4, 4)], [(0, 90)]))
    assert metres(score) == [(0, "4/4")]
    assert notes_of(score).start[:2].tolist() == [3, 4]
    assert done["pickup: bar filled with silence at the start"] == 1


def test_bars_of_silence_at_the_front_are_left_out_and_a_rest_is_not() -> None:
    score, done = fit_for_cutting(piece(beats(9, 20), [(0, 4, 4), (16, 3, 4)]))
    assert notes_of(score).start[0] == 1 and done["silence at the start removed: bars"] == 2
    assert metres(score) == [(0, "4/4"), (8, "3/4")]


def test_a_pickup_in_the_middle_is_filled_up_and_all_goes_on() -> None:
    score, done = fit_for_cutting(
        piece(beats(0, 34), [(0, 4, 4), (16, 1, 4), (17, 4, 4)], [(0, 90), (17, 120)])
    )
    assert metres(score)[0] == (0, "4/4") and {metre for _, metre in metres(score)} == {"4/4"}
    assert notes_of(score).start[14:19].tolist() == [14, 15, 19, 20, 21]
    assert tempi(score) == [(0, 90), (20, 120)], "the tempo moves with the notes"
    assert done["pickup in the middle: bar filled with silence"] == 1


def test_a_bar_in_two_parts_is_one_and_a_bar_that_is_meant_stays() -> None:
    parts = [(0, 4, 4), (16, 3, 4), (19, 1, 4), (20, 4, 4)]
    score, _ = fit_for_cutting(piece(beats(0, 40), parts))
    assert metres(score) == [(0, "4/4")] and notes_of(score).start.tolist() == beats(0, 40)
    meant = [(0, 4, 4), (16, 2, 4), (18, 4, 4)]
    score, _ = fit_for_cutting(piece(beats(0, 40), meant))
    assert metres(score) == [(0, "4/4"), (16, "2/4"), (18, "4/4")]


def test_a_change_of_tempo_parts_the_piece_at_a_bar_line() -> None:
    slow_then_fast = [(0, 60.0), (17, 120.0)]
    score, done = fit_for_cutting(piece(beats(0, 64), [(0, 4, 4)], slow_then_fast))
    assert tempi(score) == [(0, 60), (16, 120)], "the bar that most of the new tempo is in"
    assert metres(score) == [(0, "4/4"), (16, "4/4")]
    assert done["tempo changes, each with its own bars"] == 1


@pytest.mark.parametrize(
    "marks",
    [
        [(0, 100.0), (60, 90.0), (61, 80.0), (62, 60.0)],  # a slowing at the end
        [(0, 100.0), (16, 60.0), (18, 100.0)],  # a pause
        [(n, 100.0 + n % 7) for n in range(64)],  # an accompanist's freedom
        [(0, 100.0)] * 3,
    ],
)
def test_slowings_pauses_and_small_changes_are_no_change(marks: list[tuple[float, float]]) -> None:
    score, _ = fit_for_cutting(piece(beats(0, 64), [(0, 4, 4)], marks))
    assert tempi(score) == [(0, 100)] and metres(score) == [(0, "4/4")]


def test_a_tempo_of_the_first_bars_that_does_not_last_gives_way() -> None:
    score, _ = fit_for_cutting(piece(beats(0, 64), [(0, 4, 4)], [(0, 40.0), (4, 100.0)]))
    assert tempi(score) == [(0, 100)]


def test_no_tempo_and_no_metre_stay_what_midi_means_by_it() -> None:
    score, _ = fit_for_cutting(piece(beats(0, 20), []))
    assert tempi(score) == [] and metres(score) == [(0, "4/4")]


def test_the_score_that_was_given_stays_as_it_was() -> None:
    given = piece(beats(9, 20), [(0, 1, 4), (1, 4, 4)], [(0, 60), (16, 150)])
    before = given.copy()
    treated(given, Counter())
    assert given == before


def test_before_the_first_tempo_there_are_120() -> None:
    quarters = [float(n) for n in range(64)]
    score, _ = fit_for_cutting(piece(quarters, [(0, 4, 4)], [(32, 60)]))
    assert [(mark.time, mark.qpm) for mark in score.tempos] == [(0, 120), (32 * 480, 60)]
    score, _ = fit_for_cutting(piece(quarters, [(0, 4, 4)], [(0, 90), (0, 70)]))
    assert [round(mark.qpm) for mark in score.tempos] == [70], "the last one said at a place"
