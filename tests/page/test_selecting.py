"""What the desk sends, without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from textmusic.errors import TextMusicError
from textmusic.page.piece import Piece
from textmusic.page.selecting import selection_of

PIECE = Piece(Path("piece"), "a piece", 0.0, "piece")
LONG = {"bars": [4.0 * bar for bar in range(301)], "parts": [{"key": 0}], "chords": []}


def test_the_last_bars_of_a_long_file_can_be_selected() -> None:
    chosen = selection_of(PIECE, LONG, {"what": "rewrite", "bars": [296, 300], "part": None})
    assert chosen.bars == (297, 300) and not chosen.whole
    with pytest.raises(TextMusicError, match="bars 301 is out of range; choose 0 to 300"):
        selection_of(PIECE, LONG, {"what": "rewrite", "bars": [296, 301], "part": None})
