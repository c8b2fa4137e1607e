"""What is like a piece is found, whatever key, tempo and instruments it has; and why is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from library_pieces import chords, melody, seen, together

from textmusic.errors import TextMusicError
from textmusic.library.features import DIMENSIONS, vector
from textmusic.library.index import Index
from textmusic.library.lines import lines_of
from textmusic.library.neighbours import common_chords, cosines, interval_text, nearest
from textmusic.library.words import fitting
from textmusic.music.measure import measure
from textmusic.music.notes import Notes, to_score
from textmusic.music.theory import DRUMS


def piece(seed: int, roots: tuple[int, ...] = (48, 53, 55, 48)) -> Notes:
    return together(melody(seed, program=73), chords(16, roots))


def library(many: int = 12) -> Index:
    return Index.of([seen(piece(n), f"{n}.mid") for n in range(many)])


def test_a_vector_is_the_same_in_another_key_at_another_tempo_by_other_instruments() -> None:
    one = piece(1)
    other = replace(
        one, pitch=one.pitch + 3, program=np.where(one.program == 73, 40, 24),
        velocity=one.velocity - 20,
    )  # fmt: skip
    vectors = [seen(one, tempo=80).vector, seen(other, tempo=140).vector]
    assert vectors[0].shape == (DIMENSIONS,) and np.linalg.norm(vectors[0]) == pytest.approx(1)
    assert vectors[0] @ vectors[1] > 0.99
    assert vectors[0] @ seen(piece(2)).vector < 0.8


def test_drums_alone_and_nothing_have_a_vector_without_numbers_that_are_none() -> None:
    drums = replace(melody(1), program=np.full(48, DRUMS))
    assert np.isfinite(seen(drums).vector).all()
    empty = melody(1).chosen(np.zeros(0, dtype=np.int64))
    plan = measure(to_score(empty, "4/4", 100.0))
    assert not vector(empty, lines_of(empty), plan).any()


def test_a_transposed_half_of_a_piece_finds_it_first() -> None:
    index = library()
    whole = piece(5)
    half = whole.chosen(whole.start < 24)
    mine = seen(replace(half, pitch=half.pitch + 4), "copy.mid")
    found = nearest(mine, index, 3)
    assert found[0].piece == 5 and len(found) == 3
    assert found[0].score > found[1].score >= found[2].score
    assert "notes of the melody in a row" in found[0].why[0]
    assert "4 semitones lower" in found[0].why[0], "the other one is"


def test_a_piece_is_not_its_own_neighbour() -> None:
    index = library()
    assert nearest(seen(piece(5), "5.mid"), index, 1)[0].piece == 5
    assert all(n.piece != 5 for n in nearest(seen(piece(5), "5.mid"), index, 11, leave_out="5.mid"))
    assert nearest(seen(piece(1)), Index.of([])) == []


def test_chords_that_both_have_are_named_from_the_tonic() -> None:
    one = seen(chords(16, (48, 53, 55, 48)))
    two = seen(chords(16, (50, 55, 57, 50)))
    assert common_chords(one, two) in ("I IV V", "IV V I", "V I IV")
    found = nearest(one, Index.of([two]), 1)
    assert any(reason.startswith("the chords move alike") for reason in found[0].why)
    assert cosines(one.vector, two.vector)["harmony"] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("up", "said"),
    [(0, ""), (1, "1 semitone lower"), (-5, "5 semitones higher"), (12, "an octave lower"),
     (-24, "2 octaves higher")],
)  # fmt: skip
def test_an_interval_in_words(up: int, said: str) -> None:
    assert interval_text(up) == said


# By words -----------------------------------------------------------------------------------------


def described() -> Index:
    return Index.of(
        [
            seen(chords(8, (45, 52, 50, 45)), "folk/Autumn leaves.mid", tempo=60, metre="3/4"),
            seen(melody(1, program=73), "flute in c.mid", tempo=150),
            seen(together(melody(2, program=40), melody(3, program=42, low=40)), "duo.mid", 100),
        ]
    )


@pytest.mark.parametrize(
    ("text", "first", "why"),
    [
        ("autumn", 0, "its name has “autumn”"),
        ("a fast piece for flute", 1, "flute"),
        ("violin and cello", 2, "violin, cello"),
        ("in 3/4", 0, "in 3/4"),
        ("150 bpm", 1, "150 bpm"),
        ("长笛", 1, "flute"),
    ],
)
def test_a_description_finds_what_fits_it(text: str, first: int, why: str) -> None:
    found = fitting(text, described())
    assert found[0].piece == first and why in found[0].why
    assert found[0].score <= 1


def test_a_text_that_says_nothing_is_told() -> None:
    with pytest.raises(TextMusicError, match=r"^nothing to look for was found in '\.\.\.'; give"):
        fitting("...", described())
    assert fitting("zyxwvu", described()) == []
