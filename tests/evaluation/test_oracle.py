"""Features of real pieces against MusPy (Dong et al. 2020), which is not ours; and cases by hand.

Where a feature's definition differs from MusPy's, the relation of the two is tested. Both get the
same notes, on a grid of 24 steps a quarter note (MusPy's own), so that there is no rounding between
them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from symusic import Score

from textmusic.evaluation.features import (
    chromatic_share,
    empty_bars,
    features,
    groove_consistency,
    longest_loop,
    pitch_class_entropy,
    polyphony,
    scale_consistency,
)
from textmusic.evaluation.metrics import NGram
from textmusic.music.measure import measure
from textmusic.music.notes import Notes, notes_of
from textmusic.music.plan import Plan
from textmusic.music.runs import Repertoire, moves
from textmusic.music.theory import DRUMS, is_minor, quarters_per_bar, tonic

STEPS = 24  # a quarter note
Piece = tuple[Notes, Plan]


def rows(*rows: tuple[float, float, int, int]) -> Notes:
    """(start, duration, pitch, program) rows as notes."""
    start, duration, pitch, program = (np.array(column) for column in zip(*rows, strict=True))
    return Notes(start / 1.0, duration / 1.0, pitch, np.full(len(rows), 80), program)


def on_grid(notes: Notes, steps: int = STEPS) -> Notes:
    """The notes on a grid; none becomes shorter than a step."""
    start = np.rint(notes.start * steps)
    length = np.maximum(np.rint(notes.end * steps) - start, 1)
    return replace(notes, start=start / steps, duration=length / steps)


def empty_beats(notes: Notes) -> float:
    """Share of quarter notes in which nothing sounds: of bars that last a quarter note."""
    return empty_bars(notes, Plan(time_signature="1/4"))


@pytest.fixture(scope="module")
def real(pieces: list[Path]) -> list[Piece]:
    """Every real piece on the grid, with its measured plan."""
    found = []
    for path in pieces:
        score = Score(path)
        found.append((on_grid(notes_of(score)), measure(score)))
    return found


def with_drums(notes: Notes) -> Notes:
    """The notes and a drum on every fourth beat; the test pieces have hardly any drums."""
    beats = np.arange(0, max(float(notes.end.max()) - 1, 1), 4.0)
    ones = np.ones(len(beats), dtype=np.int64)
    added = (beats, 0.5 * ones, 36 * ones, 80 * ones, DRUMS * ones)
    columns = (notes.start, notes.duration, notes.pitch, notes.velocity, notes.program)
    joined = [np.concatenate(pair) for pair in zip(columns, added, strict=True)]
    order = np.argsort(joined[0], kind="stable")
    return Notes(*(column[order] for column in joined))


def music(
    notes: Notes, steps: int = STEPS, *, length: Callable[[int], int] = lambda steps: steps
) -> Any:
    """The same notes for MusPy; length: makes another number of steps of each note's."""
    muspy = pytest.importorskip("muspy")
    tracks = []
    for program in np.unique(notes.program):
        track = muspy.Track(program=int(program) % DRUMS, is_drum=bool(program == DRUMS))
        mine = notes.program == program
        for start, end, pitch in zip(
            notes.start[mine], notes.end[mine], notes.pitch[mine], strict=True
        ):
            begin = math.floor(start * steps + 1e-6)
            stop = round(end * steps)
            track.notes.append(muspy.Note(begin, int(pitch), length(stop - begin), 80))
        tracks.append(track)
    return muspy.Music(resolution=steps, tracks=tracks)


def test_pitch_class_entropy_and_scale_consistency_are_muspys(real: list[Piece]) -> None:
    muspy = pytest.importorskip("muspy")
    for notes, _ in real:
        for some in (notes, with_drums(notes)):
            same, pitch = music(some), some.pitch[some.program != DRUMS]
            assert pitch_class_entropy(pitch) == pytest.approx(muspy.pitch_class_entropy(same))
            assert scale_consistency(pitch) == pytest.approx(muspy.scale_consistency(same))


def test_notes_outside_the_scale_are_muspys_but_for_the_raised_seventh(real: list[Piece]) -> None:
    muspy = pytest.importorskip("muspy")
    minors = 0
    for notes, plan in real:
        assert plan.key is not None
        if plan.key == "none":
            continue
        mode = "minor" if is_minor(plan.key) else "major"
        inside = muspy.pitch_in_scale_rate(music(notes), tonic(plan.key), mode)
        pitched = notes.pitch[notes.program != DRUMS]
        seventh = float(((pitched - tonic(plan.key)) % 12 == 11).mean()) if mode == "minor" else 0.0
        minors += mode == "minor"
        assert chromatic_share(notes, plan.key) == pytest.approx(1 - inside - seventh)
    assert minors > 3, "both modes are tested"


def test_groove_consistency_is_muspys_on_sixteenths_up_to_the_last_onset(
    real: list[Piece],
) -> None:
    """MusPy looks as far as the last note's end; without lengths, that is the last onset."""
    muspy = pytest.importorskip("muspy")
    for notes, plan in real:
        bar = quarters_per_bar(plan.time_signature or "4/4")
        steps = round(4 * bar)
        ours = groove_consistency(notes, bar)
        points = music(notes, 4, length=lambda steps: 0)
        assert ours == pytest.approx(muspy.groove_consistency(points, steps), nan_ok=True)

        # With lengths, MusPy has more bars (at most a held note's): the first of them differs from
        # the last bar with onsets at each of its onsets, and the others don't differ.
        held = music(notes, 4)
        onsets = np.unique(np.floor(notes.start * 4 + 1e-6).astype(int))
        bars = onsets[-1] // steps + 1
        more = held.get_end_time() // steps + 1 - bars
        theirs = muspy.groove_consistency(held, steps)
        if bars > 1 and more > 0:
            last = np.count_nonzero(onsets // steps == bars - 1)
            differing = (1 - ours) * steps * (bars - 1) + last
            assert theirs == pytest.approx(1 - differing / (steps * (bars - 1 + more)))
        elif bars > 1:
            assert theirs == pytest.approx(ours)


def test_on_muspys_own_grid_every_groove_is_consistent(real: list[Piece]) -> None:
    """Why ours is on sixteenths: on finer grids the figure hardly tells pieces apart."""
    muspy = pytest.importorskip("muspy")
    fine, ours = [], []
    for notes, plan in real:
        bar = quarters_per_bar(plan.time_signature or "4/4")
        fine.append(muspy.groove_consistency(music(notes), round(STEPS * bar)))
        ours.append(groove_consistency(notes, bar))
    assert np.nanmin(fine) > 0.85
    assert np.nanstd(fine) < np.nanstd(ours) / 3


def one_of_each_pitch(notes: Notes) -> Notes:
    """The pitched notes with unisons melted together: what a piano roll without tracks shows."""
    found: list[tuple[float, float, int, int]] = []
    for pitch in np.unique(notes.pitch[notes.program != DRUMS]):
        mine = (notes.pitch == pitch) & (notes.program != DRUMS)
        spans: list[list[float]] = []
        for start, end in sorted(zip(notes.start[mine], notes.end[mine], strict=True)):
            if spans and start < spans[-1][1] + 1e-6:
                spans[-1][1] = max(spans[-1][1], end)
            else:
                spans.append([start, end])
        found += [(start, end - start, int(pitch), 0) for start, end in spans]
    return rows(*found)


def test_polyphony_is_muspys_where_no_two_instruments_play_in_unison(real: list[Piece]) -> None:
    muspy = pytest.importorskip("muspy")
    unisons = 0
    for notes, _ in real:
        theirs = muspy.polyphony(music(notes))
        assert polyphony(one_of_each_pitch(notes)) == pytest.approx(theirs)
        assert theirs == pytest.approx(muspy.polyphony(music(with_drums(notes)))), "no drums there"
        if not (notes.program == DRUMS).any():
            assert polyphony(notes) >= theirs - 1e-9
            unisons += polyphony(notes) > theirs + 1e-9
    assert 0 < unisons < len(real), "both cases are tested"


def test_empty_beats_are_muspys_of_notes_that_end_a_step_earlier(real: list[Piece]) -> None:
    """To MusPy a note that ends on a beat sounds in the beat that begins there, too."""
    muspy = pytest.importorskip("muspy")
    some = 0
    for notes, plan in real:
        bar = quarters_per_bar(plan.time_signature or "4/4")
        short, whole = music(notes, length=lambda steps: steps - 1), music(notes)
        ours = empty_beats(notes)
        assert ours == pytest.approx(muspy.empty_beat_rate(short))
        assert ours >= muspy.empty_beat_rate(whole) - 1e-9
        assert empty_bars(notes, plan) == pytest.approx(
            muspy.empty_measure_rate(short, round(bar * STEPS))
        )
        some += ours > 0
    assert some > 3, "pieces with empty beats are tested"


# Cases worked out by hand, of what has none in the file of its own.


def test_empty_beats_are_quarter_notes_in_which_nothing_sounds() -> None:
    tune = rows((0, 1, 60, 0), (2.5, 0.25, 62, 0), (4, 0.5, 36, DRUMS))
    assert empty_beats(tune) == pytest.approx(2 / 5), "beats 1 and 3; a drum sounds"
    assert empty_beats(rows((0, 3, 60, 0))) == 0, "a note that is held sounds"
    assert empty_beats(rows((3, 1, 60, 0))) == pytest.approx(3 / 4)
    assert empty_bars(rows((3, 1, 60, 0)), Plan(time_signature="3/4")) == pytest.approx(1 / 2)


def test_muspy_takes_the_beat_after_a_note_as_sounding() -> None:
    muspy = pytest.importorskip("muspy")
    tune = rows((0, 1, 60, 0), (3, 1, 60, 0))
    assert empty_beats(tune) == pytest.approx(2 / 4)
    assert muspy.empty_beat_rate(music(tune)) == pytest.approx(1 / 5), "beats 0, 1, 3 and 4 sound"


def test_polyphony_counts_drums_and_unisons() -> None:
    assert polyphony(rows((0, 2, 60, 0), (0, 2, 60, 40))) == 2
    assert polyphony(rows((0, 2, 60, 0), (1, 2, 36, DRUMS))) == pytest.approx(4 / 3)


def test_features_name_what_their_functions_find() -> None:
    # two bars of 2/4: onsets on the 1st and 5th sixteenth, then on the 1st and 3rd
    tune = rows((0, 1, 60, 0), (1, 1, 62, 0), (2, 0.5, 60, 0), (2.5, 0.5, 62, 0), (2.5, 1.5, 73, 0))
    found = features(tune, Plan(time_signature="2/4"))
    # 2/5, 2/5 and 1/5
    assert found["pitch-class entropy"] == pytest.approx(0.8 * math.log2(2.5) + 0.2 * math.log2(5))
    assert found["groove consistency"] == pytest.approx(1 - 2 / 8)
    assert found["scale consistency"] == pytest.approx(4 / 5), "no major scale has C, C sharp and D"
    assert found["polyphony"] == pytest.approx(4.5 / 4)
    assert found["interval"] == pytest.approx((2 + 2 + 13) / 3), "the top line: C D C C sharp"
    assert found["inter-onset interval"] == pytest.approx(2.5 / 3)
    assert found["note length"] == pytest.approx(4.5 / 5)
    assert found["notes per bar"] == 2.5


def test_empty_bars_do_not_loop() -> None:
    assert longest_loop(rows((0, 1, 60, 0), (12, 1, 60, 0)), Plan(time_signature="4/4")) == 0


def test_moves_are_ratio_and_interval_in_one_number() -> None:
    # intervals +2, +3, -1; times between onsets 1, 1, 2: ratios 1 and 2 of the last two
    tune = rows((0, 1, 60, 0), (1, 1, 62, 0), (2, 2, 65, 0), (4, 1, 64, 0))
    assert moves(tune).tolist() == [0 * 256 + 3 + 128, 24 * 256 - 1 + 128]


def test_the_longest_run_of_a_line_worked_out_by_hand() -> None:
    known = Repertoire([np.array([1, 2, 3, 4, 5]), np.array([9, 8, 7])])
    assert known.longest_run(np.array([7, 2, 3, 4, 9, 8])) == 3, "2 3 4"
    assert known.longest_run(np.array([5, 9, 8, 7])) == 3, "no run goes from one piece to the next"
    assert known.longest_run(np.array([6, 6])) == 0


def test_a_bigrams_nats_by_hand() -> None:
    bigram = NGram(4, 2)
    bigram.count(np.array([0, 1] * 50))
    # 0 was followed 50 times, always by 1: one kind and one more are shared out by the unigram,
    # which has 51 of 104 for 1 and 1 of 104 for 2
    assert bigram.nats(np.array([0, 1])) == pytest.approx(-math.log((50 + 2 * 51 / 104) / 52))
    assert bigram.nats(np.array([0, 2])) == pytest.approx(-math.log((2 * 1 / 104) / 52))
