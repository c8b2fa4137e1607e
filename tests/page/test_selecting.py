"""What the desk sends, without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from symusic import Note

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


def test_a_melody_that_rests_at_first_is_harmonised(tiny: TextToMusic, tmp_path: Path) -> None:
    """Its proposals have no chord there, which can't be asked for by name."""
    made = tiny.generate("piano and flute in D minor, 4/4, 4 bars", seed=1)
    score, quarter = made.score.copy(), made.score.ticks_per_quarter
    flute = next(track for track in score.tracks if track.program == 73)
    flute.notes = [Note(n * quarter, quarter, 69 + n % 5, 80) for n in range(6, 16)]
    (tmp_path / "duo.mid").write_bytes(score.dumps_midi())
    view = {
        "bars": [4.0 * bar for bar in range(5)], "parts": [{"key": 0}, {"key": 73}],
        "chords": [[4.0, "N.C."], [6.0, "Dm"], [8.0, "N.C."], [12.0, "A7"]],
    }  # fmt: skip
    piece = Piece(tmp_path, "a duo", 0.0, "duo")
    said = {"what": "harmonise", "bars": [1, 3], "part": 73, "text": ""}
    work, wish = work_of(selection_of(piece, view, said), before=0)
    assert "N.C." not in wish.controls.chords and wish.controls.chords.count("|") == 3
    brief = Brief(wish.text, wish.controls.plan(), wish.controls.outline(), seed=1)
    assert work(tiny, brief).write() is not None  # type: ignore[attr-defined]
    varied = selection_of(piece, view, said | {"what": "vary"})
    assert varied.chords == "| Dm | Dm |", "nor can what is shown be asked for"
    early = selection_of(piece, view, said | {"bars": [0, 1]})
    with pytest.raises(TextMusicError, match="the melody rests in these bars; select others"):
        work_of(early, before=0)
