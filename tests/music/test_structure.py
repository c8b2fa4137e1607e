"""How a piece goes on, each figure against a case worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from symusic import Score

from textmusic.evaluation.distributions import SINGLE
from textmusic.music import structure
from textmusic.music.chords import Chord
from textmusic.music.measure import measure
from textmusic.music.notes import Notes, notes_of
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row, Sketch
from textmusic.music.structure import (
    FIGURES,
    LOOKED_AT,
    apart_alike,
    bass_comes_home,
    chord_changes,
    different_chords,
    enhanced,
    fitness,
    form_kept,
    harmonies,
    harmony_kept,
    longest_harmony,
    neighbouring_bars,
    playing_share,
    profiles,
    recurring_bars,
    repeated_pitches,
    structureness,
)
from textmusic.music.theory import DRUMS

C, F, G, A = Chord(0, "maj"), Chord(5, "maj"), Chord(7, "maj"), Chord(9, "min")


def notes(*rows: tuple[float, float, int], program: int = 0) -> Notes:
    """(start, duration, pitch) rows as notes of one instrument."""
    start, duration, pitch = (np.array(column) for column in zip(*sorted(rows), strict=True))
    ones = np.ones(len(rows), dtype=np.int64)
    return Notes(start / 1.0, duration / 1.0, pitch.astype(np.int64), 80 * ones, program * ones)


def together(*parts: Notes) -> Notes:
    """Several instruments' notes, in onset order."""
    names = ("start", "duration", "pitch", "velocity", "program")
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    order = np.lexsort((columns[2], columns[4], columns[0]))
    return Notes(*(column[order] for column in columns))


def plan(bars: int, key: str = "C major", metre: str = "4/4") -> Plan:
    return Plan(time_signature=metre, key=key, bars=bars, tempo=120.0, programs=(0,))


def block(at: float, length: float, *pitches: int) -> list[tuple[float, float, int]]:
    """A chord as rows."""
    return [(at, length, pitch) for pitch in pitches]


def test_a_profile_says_how_long_each_pitch_class_sounds_in_each_span() -> None:
    held = profiles(notes((0, 6, 60), (5, 1, 74)), 4.0, 3)
    assert held.shape == (3, 12)
    assert held[0, 0] == 4 and held[1, 0] == 2, "a note that is held counts in both bars"
    assert held[1, 2] == 1 and held.sum() == 7
    assert profiles(notes((0, 4, 40), program=DRUMS), 4.0, 1).sum() == 0


def test_neighbouring_bars_are_alike_by_the_cosine_of_their_profiles() -> None:
    # C for three beats and E for one, then E for four: 1 x 4 / (sqrt(10) x 4)
    music = notes((0, 3, 60), (3, 1, 64), (4, 4, 76))
    assert neighbouring_bars(music, plan(2)) == pytest.approx(1 / math.sqrt(10))
    assert neighbouring_bars(notes((0, 4, 60), (4, 4, 72)), plan(2)) == pytest.approx(1)
    assert neighbouring_bars(notes((0, 4, 60), (4, 4, 61)), plan(2)) == 0


def test_pairs_with_an_empty_bar_are_left_out() -> None:
    music = notes((0, 4, 60), (4, 4, 60), (12, 4, 61))  # the third bar is empty
    assert neighbouring_bars(music, plan(4)) == pytest.approx(1)
    assert math.isnan(neighbouring_bars(notes((0, 4, 60), (8, 4, 60)), plan(3)))


def test_each_half_bar_has_the_triad_that_fits_best() -> None:
    music = notes(*block(0, 2, 60, 64, 67), *block(2, 2, 57, 60, 64, 69), *block(8, 1, 62, 67, 71))
    assert harmonies(music, plan(3)) == [C, A, None, None, G, None]
    assert harmonies(notes((0, 4, 40), program=DRUMS), plan(1)) == [None, None]


def test_of_triads_that_fit_alike_the_first_above_the_tonic_is_taken() -> None:
    tone = notes((0, 4, 67))  # in C minor, C major, E flat, E minor, G and G minor: the fifth of C
    assert harmonies(tone, plan(1)) == [C, C]
    assert harmonies(tone, plan(1, key="G major")) == [G, G]


def test_harmony_is_the_same_in_every_key() -> None:
    music = notes(*block(0, 2, 60, 64, 65), (2, 1, 67), (3, 1, 69), *block(4, 4, 50, 57, 62))
    up = Notes(music.start, music.duration, music.pitch + 3, music.velocity, music.program)
    there = harmonies(up, plan(2, key="Eb major"))
    assert there == [chord and chord.moved(3) for chord in harmonies(music, plan(2))]


def test_the_longest_stretch_is_a_share_of_all_half_bars_and_ends_in_silence() -> None:
    assert longest_harmony([C, C, C, G, G, A, C, C]) == pytest.approx(3 / 8)
    assert longest_harmony([C, C, None, C, C, G]) == pytest.approx(2 / 6)
    assert longest_harmony([C, C]) == 1
    assert math.isnan(longest_harmony([None, None]))


def test_changes_are_counted_a_bar_and_silence_is_no_change() -> None:
    assert chord_changes([C, C, G, A]) == pytest.approx(2 / 2), "two changes in two bars"
    assert chord_changes([C, None, C, G]) == pytest.approx(1 / 2)
    assert chord_changes([C, C, None, None]) == 0
    assert math.isnan(chord_changes([None, None]))


def test_different_chords_are_those_of_every_eight_bars() -> None:
    # 9 bars: the first window has C, G and A, the second G and A
    assert different_chords([C, C, *[G] * 15, A]) == pytest.approx((2 + 2) / 2)
    assert different_chords([C, C, *[G] * 13, F, A, A]) == pytest.approx((3 + 3) / 2)
    assert different_chords([C, C, *[G] * 14, A, F]) == pytest.approx((2 + 3) / 2)
    assert different_chords([C, G, A, None]) == 3, "a shorter piece is one window"
    assert math.isnan(different_chords([None] * 4))


def test_steps_of_the_top_line_that_stay_on_the_pitch_are_counted() -> None:
    # top line 67 67 65 72: one of three steps repeats; what lies below does not count
    music = notes((0, 1, 67), (0, 1, 60), (1, 1, 67), (2, 1, 65), (2, 1, 60), (3, 1, 72))
    assert repeated_pitches(music) == pytest.approx(1 / 3)
    assert math.isnan(repeated_pitches(notes((0, 1, 60))))


def test_a_melody_comes_back_if_rhythm_and_contour_do() -> None:
    def bar(at: float, *pitches: int, step: float = 1.0) -> list[tuple[float, float, int]]:
        return [(at + i * step, step, pitch) for i, pitch in enumerate(pitches)]

    music = notes(
        *bar(0, 60, 64, 62),
        *bar(4, 67, 72, 71),  # up and down again: the same contour, a fifth higher
        *bar(8, 60, 64, 62, step=0.5),  # another rhythm
        *bar(12, 64, 62, 60),  # another contour
        *bar(16, 60, 64),  # too few notes to say
        *bar(20, 64, 62, 60),
    )
    assert recurring_bars(music, plan(6)) == pytest.approx(2 / 5)
    assert math.isnan(recurring_bars(notes(*bar(0, 60, 64)), plan(1)))


def test_bars_at_a_lag_are_compared_with_all_others() -> None:
    # A B A B: lag 2 has two pairs, both alike; the others have four, none of which is
    music = notes((0, 1, 60), (4, 1, 61), (8, 1, 60), (12, 1, 61))
    assert apart_alike(music, plan(4), 2) == pytest.approx(1)
    # lag 1 has three pairs, all apart; of the others two of three are alike
    assert apart_alike(music, plan(4), 1) == pytest.approx(-2 / 3)
    assert math.isnan(apart_alike(music, plan(4), 4)), "there is no such pair"
    assert apart_alike(notes(*((4 * i, 1, 60) for i in range(4))), plan(4), 2) == 0


def test_silent_bars_are_no_repetition_of_each_other() -> None:
    music = notes((0, 1, 60), (4, 1, 60))  # of four bars two are silent
    # pairs with sound: (0, 1) alike; (0, 2), (0, 3), (1, 2), (1, 3) apart, (1, 2) at lag 1 too
    assert apart_alike(music, plan(4), 1) == pytest.approx(1 / 2 - 0)


def plain_fitness(matrix: np.ndarray, begin: int, length: int) -> float:
    """Of one segment, the recursion written out cell by cell: (score, cells, rows)."""
    size = len(matrix)
    best: dict[tuple[int, int], tuple[float, int, int]] = {}

    def pick(*options: tuple[float, int, int] | None) -> tuple[float, int, int] | None:
        return max((o for o in options if o is not None), key=lambda o: o[0], default=None)

    def more(
        found: tuple[float, int, int] | None, value: float, rows: int
    ) -> tuple[float, int, int] | None:
        return found and (found[0] + value, found[1] + 1, found[2] + rows)

    for row in range(size):
        first = pick(best.get((row - 1, 0)), best.get((row - 1, length))) if row else (0.0, 0, 0)
        assert first is not None
        best[row, 0] = first
        for column in range(1, length + 1):
            value = float(matrix[row, begin + column - 1])
            if column == 1:
                here = more(first, value, 1)
            else:
                here = pick(
                    more(best.get((row - 1, column - 1)), value, 1),
                    more(best.get((row - 2, column - 1)), value, 2),
                    # a path begins in the segment's first frame, column 1
                    more(best.get((row - 1, column - 2)), value, 1) if column > 2 else None,
                )
            if here is not None:
                best[row, column] = here
    found = pick(best[size - 1, 0], best.get((size - 1, length)))
    assert found is not None
    score = max(found[0] - length, 0) / found[1] if found[1] else 0.0
    cover = max(found[2] - length, 0) / size
    return 2 * score * cover / (score + cover) if score + cover else 0.0


def test_fitness_is_that_of_the_recursion_written_out() -> None:
    rng = np.random.default_rng(0)
    rows = rng.random((9, 4))
    rows[5:8] = rows[0:3]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    matrix = enhanced(rows @ rows.T)
    found = fitness(matrix, 2, 4)
    wanted = [plain_fitness(matrix, at, n) for n in (2, 3, 4) for at in range(9 - n + 1)]
    assert found == pytest.approx(wanted)
    assert found.max() > 0.2


def test_fitness_of_a_segment_that_comes_back_once() -> None:
    # A B C D A B C D: score (8 - 4) / 8 and coverage (8 - 4) / 8 of the segment A B C D
    matrix = np.where(np.arange(8)[:, None] % 4 == np.arange(8)[None] % 4, 1.0, -2.0)
    assert fitness(matrix, 4, 4)[0] == pytest.approx(0.5)
    assert fitness(np.where(np.eye(8) > 0, 1.0, -2.0), 4, 4).tolist() == [0.0] * 5


def test_only_the_most_similar_fifth_is_kept() -> None:
    matrix = np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 0.0]])
    kept = enhanced(matrix)
    assert kept.diagonal().tolist() == [1, 1, 1]
    assert kept[0, 2] == kept[1, 2] == -2
    assert enhanced(np.ones((3, 3))).tolist() == np.ones((3, 3)).tolist()


def test_structureness_of_a_form_and_of_none() -> None:
    def chromatic(*order: int) -> Notes:
        return notes(*((4.0 * i, 4, 60 + step) for i, step in enumerate(order)))

    form = chromatic(0, 1, 2, 3, 0, 1, 2, 3)
    assert structureness(form, plan(8)) == pytest.approx(0.5)
    assert structureness(chromatic(*range(8)), plan(8)) == 0
    assert math.isnan(structureness(form, plan(7))), "shorter than two segments"


def test_an_instrument_that_is_planned_and_silent_does_not_play() -> None:
    piano, flute = notes((0, 1, 60), (4, 1, 60)), notes((4, 4, 72), program=73)
    three = Plan(time_signature="4/4", bars=2, programs=(0, 24, 73))
    assert playing_share(together(piano, flute), three) == pytest.approx(3 / 6)
    heard = Plan(time_signature="4/4", bars=2)
    assert playing_share(together(piano, flute), heard) == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    ("bass", "home"),
    [((43, 48), True), ((48, 48), False), ((48, 43), False), ((36, 48), False)],
)
def test_the_bass_comes_home_if_it_was_elsewhere(bass: tuple[int, int], home: bool) -> None:
    music = notes((0, 2, bass[0]), (0, 2, 64), (2, 2, bass[1]), (2, 2, 67))
    assert bass_comes_home(music, plan(1)) is home


def test_the_bass_has_to_come_from_nearby_and_needs_a_key() -> None:
    long_ago = notes((0, 1, 43), *((float(at), 1, 48) for at in range(1, 17)))
    assert bass_comes_home(long_ago, plan(5)) is False
    held = notes((0, 4, 43), (3, 1, 72))  # the last onset stands over a bass that is held
    assert bass_comes_home(held, plan(1, key="G major")) is False
    assert bass_comes_home(held, plan(1, key="none")) is None


def test_what_was_sketched_is_held_against_what_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = [((0, C),), ((0, Chord(7, "7")), (2, A))]
    monkeypatch.setattr(structure, "chords_of", lambda *args, **kwargs: heard)
    music = notes(*block(0, 4, 60, 64, 67))
    sketch = Sketch((Row(chords=((0, C),)), Row(chords=((0, G),))))
    # four beats of C, two of G as G7; the last two are A minor for G
    found = harmony_kept(music, plan(2), sketch)
    assert found == pytest.approx({"majmin": 6 / 8, "root": 6 / 8})
    minor = Sketch((Row(chords=((0, Chord(0, "min")),)), Row(chords=((0, G),))))
    found = harmony_kept(music, plan(2), minor)
    assert found == pytest.approx({"majmin": 2 / 8, "root": 6 / 8})
    fourths = Sketch((Row(chords=((0, Chord(0, "sus4")),)),) * 2)
    assert math.isnan(harmony_kept(music, plan(2), fourths)["majmin"])


def test_repetitions_that_were_sketched_are_heard_above_seven_tenths() -> None:
    four = [(0.0, 1, 60), (1.0, 1, 62), (2.0, 1, 64), (3.0, 1, 65)]
    near = [(4.0, 1, 60), (5.0, 1, 62), (6.0, 1, 64), (7.0, 1, 67)]  # F1 = 6 / 8
    far = [(8.0, 1, 60), (9.0, 1, 62), (10.0, 1, 71), (11.0, 1, 67)]  # F1 = 4 / 8
    music = notes(*four, *near, *far)
    like = Sketch((Row(), Row(like=0), Row(like=0)))
    assert form_kept(music, plan(3), like) == pytest.approx(1 / 2)
    assert math.isnan(form_kept(music, plan(3), Sketch((Row(), Row(vary=0), Row()))))


def test_every_figure_of_real_pieces_is_in_its_range(pieces: list[Path]) -> None:
    low = {name: -1.0 if name.endswith("apart alike") else 0.0 for name in FIGURES}
    high = {"chord changes a bar": 2.0, "different chords in eight bars": 16.0}
    seen = set()
    for path in pieces[::3]:
        score = Score(path)
        piece = (notes_of(score), measure(score))
        for name in FIGURES:
            value = SINGLE[name](piece)
            assert value is not None
            if not math.isnan(value):
                seen.add(name)
                assert low[name] <= value <= high.get(name, 1.0) + 1e-9, (path.name, name)
    assert seen == set(FIGURES)


def test_what_lies_behind_the_first_bars_does_not_count() -> None:
    one_chord = [row for bar in range(LOOKED_AT) for row in block(4 * bar, 4, 60, 64, 67)]
    later = [row for bar in range(LOOKED_AT, 40) for row in block(4 * bar, 4, 55 + bar % 7, 71)]
    music, whole = notes(*one_chord, *later), plan(40)
    assert SINGLE["longest stretch on one harmony"]((music, whole)) == 1
    assert SINGLE["different chords in eight bars"]((music, whole)) == 1
    assert longest_harmony(harmonies(music, whole)) < 0.6
