"""Form: bars that repeat or vary earlier ones, and sections."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from symusic import Score

from textmusic.music.form import MOST_COMPARED, alike, form_of, letters
from textmusic.music.notes import Notes, notes_of
from textmusic.music.sketch import Row
from textmusic.music.theory import DRUMS

Bar = list[tuple[float, int]]  # (quarter, pitch)
# Melodies of a bar of 4/4, of different rhythms and tones.
TUNES: list[Bar] = [
    [(0, 72), (1.5, 74), (2, 76), (3, 77)],
    [(0, 79), (0.5, 77), (1, 76), (3, 71)],
    [(0.5, 81), (1.5, 83), (2.5, 84)],
    [(0, 67), (2, 69), (2.75, 70), (3.5, 74), (3.75, 75)],
    [(0, 65), (0.75, 64), (1.5, 62), (2.25, 60), (3, 59)],
    [(0.25, 88), (1, 86), (1.75, 84)],
    [(0, 62), (1, 66), (1.25, 69), (1.5, 74), (3.5, 78)],
    [(0, 91), (2, 90), (3, 89), (3.5, 93)],
]


def notes(*parts: tuple[int, Iterable[Bar]], bar: float = 4.0) -> Notes:
    """Notes of half a quarter from parts: (program, its bars)."""
    found = sorted(
        (number * bar + at, program, pitch)
        for program, bars in parts
        for number, tune in enumerate(bars)
        for at, pitch in tune
    )
    start = np.array([note[0] for note in found])
    whole = np.array([note[1:] for note in found], dtype=np.int64).reshape(-1, 2)
    return Notes(
        start, np.full(len(found), 0.5), whole[:, 1], np.full(len(found), 80), whole[:, 0]
    )  # fmt: skip


def up(tune: Bar, semitones: int) -> Bar:
    return [(at, pitch + semitones) for at, pitch in tune]


def names(piece: Notes, bars: int, time_signature: str = "4/4") -> list[str]:
    """Rows as text: . new, =j like j, ~j vary j."""
    return [
        f"={like}" if like is not None else f"~{vary}" if vary is not None else "."
        for like, vary in form_of(piece, time_signature, bars)
    ]


def test_alike_is_f1_of_places_and_pitches() -> None:
    piece = notes((0, [[(0, 60), (1, 64), (2, 67)], [(0, 60), (1, 64), (2, 69)], [(0.5, 60)], []]))
    found = alike(piece, "4/4", 4)
    assert found[0, 1] == pytest.approx(2 * 2 / 6)  # two shared of three and three
    assert found[0, 2] == 0  # the same pitch at another place
    assert found[3].tolist() == [0, 0, 0, 1]  # a silent bar is like itself alone
    assert np.array_equal(found, found.T) and np.diagonal(found).tolist() == [1, 1, 1, 1]


def test_alike_weighs_instruments_by_the_root_of_their_notes() -> None:
    hats: Bar = [(quaver / 2, 42) for quaver in range(8)]
    piece = notes((DRUMS, [hats, hats]), (0, [[(0, 60), (2, 62)], [(0, 48), (2, 50)]]))
    drums, piano = sqrt(8 + 8), sqrt(2 + 2)
    assert alike(piece, "4/4", 2)[0, 1] == pytest.approx(drums / (drums + piano))


def test_alike_rounds_to_twelfths() -> None:
    piece = notes((0, [[(0, 60), (1, 62)], [(0.03, 60), (1.05, 62)]]))
    assert alike(piece, "4/4", 2)[0, 1] == pytest.approx(2 * 1 / 4)  # 0.6 of a twelfth is too far


def test_a_repeated_section_names_its_bars_in_order() -> None:
    verse, bridge = TUNES[:4], TUNES[4:]
    piece = notes((0, [*verse, *verse, *bridge, *verse]))
    copied = ["=0", "=1", "=2", "=3"]  # the third verse names the first, not the second
    assert names(piece, 16) == [*[".", ".", ".", "."], *copied, *[".", ".", ".", "."], *copied]


def test_a_loop_names_its_first_round() -> None:
    piece = notes((0, [*TUNES[:2]] * 4))
    assert names(piece, 8) == [".", ".", "=0", "=1", "=0", "=1", "=0", "=1"]
    assert names(notes((DRUMS, [TUNES[0]] * 4)), 4) == [".", "=0", "=0", "=0"]


def test_a_copy_departs_and_comes_back() -> None:
    verse = TUNES[:6]
    piece = notes((0, [*verse, *verse[:2], TUNES[6], *verse[3:]]))
    assert names(piece, 12)[6:] == ["=0", "=1", ".", "=3", "=4", "=5"]


def test_a_bar_is_varied_by_other_pitches_in_its_rhythm() -> None:
    piece = notes((0, [TUNES[0], up(TUNES[0], 2), TUNES[4], TUNES[1]]))
    assert names(piece, 4) == [".", "~0", ".", "."]


def test_an_even_rhythm_is_varied_only_by_the_same_shape() -> None:
    shapes = [(0, 2, 4, 2), (0, 2, 4, 2), (4, 2, 0, 2), (7, 4, 4, 5), (0, 5, 1, 3)]
    scale = [60, 65, 72, 79, 86]
    bars: list[Bar] = [
        [(float(at), root + step) for at, step in enumerate(steps)]
        for root, steps in zip(scale, shapes, strict=True)
    ]
    assert names(notes((0, bars)), 5) == [".", "~0", ".", ".", "."]


def test_an_accompaniment_does_not_make_bars_alike() -> None:
    chords: Bar = [(quaver / 2, pitch) for quaver in range(8) for pitch in (48, 52, 55)]
    piece = notes((0, [chords] * 4), (73, TUNES[:4]))
    assert names(piece, 4) == [".", ".", ".", "."]
    assert alike(piece, "4/4", 4)[0, 1] > 0.5  # though most of their notes are shared


def test_a_melody_above_another_accompaniment_is_alike() -> None:
    low: list[Bar] = [[(0, 48), (2, 55)], [(0, 48), (1, 55), (2, 55), (3, 52)]]
    piece = notes((0, [low[0], low[1]]), (73, [TUNES[3], TUNES[3]]))
    assert names(piece, 2) == [".", "=0"]


def test_a_held_tone_covers_the_accompaniment_under_it() -> None:
    """The top line's rhythm is the melody's: here it returns, above other quavers."""
    start = np.array([0.0, 1.5, 2, 3, 4.0, 5.5, 6, 7, 0.5, 1, 2.5, 4.5, 5, 6.5])
    pitch = np.array([72, 74, 76, 77, 74, 76, 77, 79, 52, 55, 52, 57, 53, 57])
    length = np.array([1.5, 0.5, 1, 1, 1.5, 0.5, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    piano = np.zeros(14, dtype=np.int64)
    piece = Notes(start, length, pitch, piano + 80, piano)
    assert names(piece, 2) == [".", "~0"]


def test_silent_bars_are_new_unless_a_repetition_runs_over_them() -> None:
    verse = [TUNES[0], TUNES[1], [], TUNES[2]]
    assert names(notes((0, verse * 2)), 8) == [".", ".", ".", ".", "=0", "=1", "=2", "=3"]
    assert names(notes((0, [[], [], TUNES[0]])), 3) == [".", ".", "."]


def test_lengths_and_velocities_do_not_count() -> None:
    piece = notes((0, [TUNES[0]] * 2))
    other = Notes(
        piece.start, piece.duration * 0.3, piece.pitch, np.arange(8) * 9 + 40, piece.program
    )  # fmt: skip
    assert names(other, 2) == [".", "=0"]


def test_bars_are_as_long_as_the_metre_says() -> None:
    jig: list[Bar] = [[(0, 60), (1, 64), (1.5, 67), (2.5, 72)], [(0, 71), (0.5, 65), (2, 59)]]
    assert names(notes((0, jig * 2), bar=3.0), 4, "6/8") == [".", ".", "=0", "=1"]


@pytest.mark.parametrize("bars", [0, 1, 3])
def test_no_notes(bars: int) -> None:
    assert form_of(notes(), "4/4", bars) == [(None, None)] * bars
    assert alike(notes(), "4/4", bars).tolist() == np.eye(bars).tolist()


def test_what_is_outside_the_bars_is_left_out() -> None:
    piece = notes((0, [*TUNES[:2], *TUNES[:2]]))
    assert names(piece, 3) == [".", ".", "=0"]


def test_real_pieces(pieces: list[Path], piece_rows: list[dict[str, Any]]) -> None:
    metres = {row["id"]: (row["time_signature"], row["bars"]) for row in piece_rows}
    kinds = {"new": 0, "like": 0, "vary": 0}
    for path in pieces:
        metre, bars = metres[path.stem]
        piece = notes_of(Score(path))
        rows = form_of(piece, metre, bars)
        assert len(rows) == bars
        for bar, (like, vary) in enumerate(rows):
            assert like is None or vary is None
            assert all(source is None or 0 <= source < bar for source in (like, vary))
            kinds["like" if like is not None else "vary" if vary is not None else "new"] += 1
        found = letters([Row(*row) for row in rows])
        assert found[0] == (0, "A") and found == sorted(found)
        assert {letter for _, letter in found} <= set("ABCDEFGH")
    share = {kind: count / sum(kinds.values()) for kind, count in kinds.items()}
    assert 0.15 < share["like"] < 0.5 and 0.05 < share["vary"] < 0.4


def rows_of(form: str, length: int) -> list[Row]:
    """Rows of sections of so many bars, each repeating the first one of its letter."""
    rows: list[Row] = []
    for at, letter in enumerate(form):
        first = form.index(letter)
        rows += [
            Row(like=first * length + bar) if first < at else Row() for bar in range(length)
        ]  # fmt: skip
    return rows


@pytest.mark.parametrize(
    ("form", "length"), [("AABA", 4), ("AABA", 8), ("ABAB", 8), ("ABACA", 8), ("ABABCAB", 8)]
)
def test_letters(form: str, length: int) -> None:
    expected = [(at * length, letter) for at, letter in enumerate(form)]
    assert letters(rows_of(form, length)) == expected


def test_varied_sections_share_a_letter() -> None:
    rows = [Row(like=bar % 8) if bar >= 24 else Row() for bar in range(32)]
    rows[8:16] = [
        Row(like=bar - 8) if bar % 2 == 0 else Row(vary=bar - 8) for bar in range(8, 16)
    ]  # fmt: skip
    assert letters(rows) == [(0, "A"), (8, "A"), (16, "B"), (24, "A")]


def test_letters_of_little() -> None:
    assert letters([]) == []
    assert letters([Row()]) == [(0, "A")]
    assert letters([Row(), Row(like=0), Row(like=0)]) == [(0, "A")]


def test_no_more_letters_than_asked() -> None:
    rows = rows_of("ABCDEFABCDEF", 8)
    assert {letter for _, letter in letters(rows)} == set("ABCDEF")
    assert {letter for _, letter in letters(rows, most=3)} == set("ABC")


def test_of_very_many_bars_no_form_is_heard() -> None:
    tune = notes((0, TUNES[:2] * 3))
    assert form_of(tune, "4/4", 6)[2] == (0, None)
    assert form_of(tune, "4/4", MOST_COMPARED + 1) == [(None, None)] * (MOST_COMPARED + 1)
