"""What the desk sends, without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from textmusic.errors import TextMusicError
from textmusic.page.piece import Piece
from textmusic.page.selecting import selection_of, work_of
from textmusic.writing.brief import Brief
from textmusic.writing.text_to_music import TextToMusic

PIECE = Piece(Path(__file__).parents[1] / "data" / "midi", "a trio", 0.0, "trio")
LONG = {"bars": [4.0 * bar for bar in range(301)], "parts": [{"key": 0}], "chords": []}


def test_the_last_bars_of_a_long_file_can_be_selected() -> None:
    chosen = selection_of(PIECE, LONG, {"what": "rewrite", "bars": [296, 300], "part": None})
    assert chosen.bars == (297, 300) and not chosen.whole
    with pytest.raises(TextMusicError, match="bars 301 is out of range; choose 0 to 300"):
        selection_of(PIECE, LONG, {"what": "rewrite", "bars": [296, 301], "part": None})


def test_a_variation_can_stand_after_its_theme(tiny: TextToMusic) -> None:
    parts = [{"key": program} for program in (0, 40, 41)]
    view = {"bars": [4.0 * bar for bar in range(9)], "parts": parts, "chords": []}
    said = {"what": "vary", "bars": [0, 8], "part": None, "text": ""}
    for theme, bars in ((None, 8), (False, 8), (True, 16)):
        work, wish = work_of(selection_of(PIECE, view, said | {"theme": theme}), before=2)
        made = work(tiny, Brief(wish.text, seed=1))
        assert made.length == 8, "that are new"
        (piece,) = made.write()  # type: ignore[attr-defined]
        assert piece.report.measured.bars == bars
        assert any("the other mode" in remark for remark in piece.report.remarks)
    with pytest.raises(TextMusicError, match="has the wrong type; give true or false"):
        work_of(selection_of(PIECE, view, said | {"theme": "yes"}), before=0)
