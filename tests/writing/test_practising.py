"""Practice pieces by a model: kept limits, the same seed, words, replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from textmusic.errors import TextMusicError
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice
from textmusic.result.recipe import read_recipe, same_piece
from textmusic.result.report import Report
from textmusic.writing.practising import asked_pieces
from textmusic.writing.text_to_music import TextToMusic


def test_a_worksheet_gets_harder(tiny: TextToMusic) -> None:
    pieces = tiny.practise(Practice(), 5, progression=True, seed=4, controls=Plan(bars=4))
    grades = [piece.report.practice.grade for piece in pieces if piece.report.practice]
    assert grades == [1, 1, 2, 3, 3] or grades == [1, 1, 2, 2, 3]
    assert [piece.seed for piece in pieces] == [4, 5, 6, 7, 8]
    for piece, grade in zip(pieces, grades, strict=True):
        assert piece.report.remarks == (f"grade {grade} piano: kept",)
        assert piece.plan.bars == 4 and piece.title.startswith(f"Piano, grade {grade}: ")


def test_the_same_seed_gives_the_same_piece_and_the_file_says_how(
    tiny: TextToMusic, tmp_path: Path
) -> None:
    practice = Practice("violin", 2)
    (piece,) = tiny.practise(practice, seed=3, controls=Plan(key="G major", bars=4))
    for path in piece.save(tmp_path, formats=("mid", "json")):
        recipe = read_recipe(path)
        assert recipe.practice == practice
        again = tiny.generate(
            recipe.text, controls=recipe.asked, outline=recipe.outline, practice=recipe.practice,
            seed=recipe.seed, sampling=recipe.sampling,
        )  # fmt: skip
        assert same_piece(path, again)
    assert Report.from_dict(piece.report.to_dict()) == piece.report


def test_words_do_what_the_option_does(tiny: TextToMusic) -> None:
    piece = tiny.generate("grade 1 piano in F major, only C to G, 4 bars", seed=2)
    assert piece.plan.key == "C major", "F major's A is not among the notes"
    assert any("F major" in note for note in piece.report.unused)
    piece = tiny.generate("piano for beginners in C major, only C to G, 4 bars", seed=2)
    assert piece.report.remarks == ("grade 1 piano: kept",)
    assert {int(p) % 12 for p in piece.columns.pitch} <= {0, 2, 4, 5, 7}


def test_other_pieces_say_nothing_of_grades(tiny: TextToMusic) -> None:
    piece = tiny.generate("calm piano", controls=Plan(bars=2), seed=1)
    assert piece.report.practice is None and not piece.report.remarks
    assert "practice" not in piece.midi().decode("latin-1")


def test_only_whole_pieces_are_practice_pieces(tiny: TextToMusic) -> None:
    start = tiny.generate("piano in C major", controls=Plan(bars=2), seed=1).score
    longer = tiny.continue_from(start, 2, text="for beginners", seed=1)
    assert longer.report.practice is None
    assert any("only a whole piece" in note for note in longer.report.unused)


def test_numbers_out_of_range() -> None:
    with pytest.raises(TextMusicError, match="number of pieces 0 is out of range; choose 1 to 24"):
        asked_pieces(Practice(), 0)
    with pytest.raises(TextMusicError, match="grade 6 is out of range; choose 1 to 5"):
        asked_pieces(Practice("piano", 6), 1)
