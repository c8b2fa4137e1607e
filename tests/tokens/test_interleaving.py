"""Rows of the sketch again behind the bar lines of a score."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from interleaving import plain_copy, with_rows, without_rows
from random_music import the_layout

from textmusic.errors import TextMusicError
from textmusic.tokens.folding import END
from textmusic.tokens.interleaving import interleaved, longest_row, restated, rows_of
from textmusic.tokens.tokenizer import (
    SEQUENCE,
    Tokenizer,
    copy_tokenizer,
    create_tokenizer,
)

SKETCHED = ["Bar_2", "New", "Chord_0-maj", "Beat_2", "Chord_7-7", "Bar_1", "Like_2", "Chord_none"]
BARS = ["Bar_2", "Position_0", "Program_0", "Pitch_60", "Bar_1", "Position_0", "Pitch_62", END]
TOLD = [*BARS[:1], *SKETCHED[1:5], *BARS[1:5], *SKETCHED[6:], *BARS[5:]]


def ids(*tokens: str) -> list[int]:
    return [the_layout().index[token] for token in tokens]


def test_each_row_stands_behind_its_bar() -> None:
    layout = the_layout()
    rows = rows_of(ids(*SKETCHED), layout)
    assert rows == {ids("Bar_2")[0]: ids(*SKETCHED[1:5]), ids("Bar_1")[0]: ids(*SKETCHED[6:])}
    told = interleaved(ids(*BARS), rows)
    assert told == ids(*TOLD) and longest_row(rows) == 4
    mask = restated(np.array(told), layout)
    assert [t for t, again in zip(TOLD, mask, strict=True) if not again] == BARS
    assert with_rows(BARS, SKETCHED) == TOLD and without_rows(TOLD) == BARS
    assert interleaved(ids(*BARS), {}) == ids(*BARS) and longest_row({}) == 0


def test_a_bar_without_a_row_stays_as_it_is() -> None:
    rows = rows_of(ids("Bar_1", "New"), the_layout())
    assert interleaved(ids("Bar_2", "Bar_1", END), rows) == ids("Bar_2", "Bar_1", "New", END)


def test_a_folder_says_whether_its_sequences_are_interleaved(
    tiny_model: Path, tmp_path: Path
) -> None:
    assert Tokenizer(tiny_model).interleaved
    old = plain_copy(tiny_model, tmp_path / "old")
    assert not Tokenizer(old).interleaved, "as of models that were made before"
    for source in (tiny_model, old):
        for asked in (None, True, False):
            place = tmp_path / f"{source.name}-{asked}"
            place.mkdir()
            copy_tokenizer(source, place, interleaved=asked)
            wanted = Tokenizer(source).interleaved if asked is None else asked
            assert Tokenizer(place).interleaved == wanted
    copy_tokenizer(tiny_model, old)
    assert Tokenizer(old).interleaved, "a folder that is written over says what is in it now"
    copy_tokenizer(old, old)
    assert Tokenizer(old).interleaved, "a copy onto itself changes nothing"
    assert create_tokenizer(tiny_model / "tokenizer.json", tmp_path / "new").interleaved


@pytest.mark.parametrize("said", ["[]", "{}", '{"interleaved": 1}', "nothing", "[" * 5000])
def test_a_folder_that_says_something_else_is_broken(
    tiny_model: Path, tmp_path: Path, said: str
) -> None:
    place = plain_copy(tiny_model, tmp_path / "broken")
    (place / SEQUENCE).write_text(said)
    with pytest.raises(TextMusicError, match=rf"not a complete textmusic model \({SEQUENCE}"):
        Tokenizer(place)
    (place / SEQUENCE).write_text(json.dumps({"interleaved": False}))
    assert not Tokenizer(place).interleaved
