"""Other spellings of the sequence, and the writer that knows only what they look like."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cut_pieces import windows_of

from textmusic.corpus.captions import Captioner
from textmusic.corpus.windows import Window
from textmusic.learning.spellings import (
    PieceDraft,
    Spelling,
    Successors,
    said_before,
    said_in_full,
    write,
)
from textmusic.music.plan import Plan
from textmusic.tokens.folding import END, struck
from textmusic.tokens.tokenizer import IGNORED, Tokenizer
from textmusic.tokens.vocabulary import SCORE, SKETCH
from textmusic.writing.text_to_music import TextToMusic

SPELLINGS = {
    "format 2": {"running": False, "sketch": False},
    "running status": {"sketch": False},
    "sketch": {},
    "interleaved": {},
}


@pytest.fixture(scope="module")
def windows(
    tokenizer: Tokenizer, pieces: list[Path], piece_rows: list[dict[str, Any]]
) -> list[Window]:
    found: list[Window] = []
    for path, row in zip(pieces, piece_rows, strict=True):
        found += windows_of(row, path.read_bytes(), row["source"], row["id"], tokenizer, 600)[0][:1]
    return found


@pytest.fixture(params=SPELLINGS)
def spelling(
    request: pytest.FixtureRequest, windows: list[Window], tokenizer: Tokenizer
) -> Spelling:
    kind = type("Spelling", (Spelling,), SPELLINGS[request.param])
    its = copy.copy(tokenizer)
    its.interleaved = request.param == "interleaved"
    made: Spelling = kind(windows, its, Captioner(), vary=False, fills=0.0)
    return made


def test_every_spelling_says_the_same_notes(spelling: Spelling, windows: list[Window]) -> None:
    tokenizer = spelling.tokenizer
    vocabulary = tokenizer.vocabulary
    for window in windows:
        ids = np.array(window.ids)
        example = spelling.join("", window.plan, window.sketch, ids)
        tokens = [vocabulary[i] for i in example.ids - tokenizer.offset]
        score = tokens[tokens.index(SCORE) + 1 :]
        if not spelling.running:
            score = said_before(score)
        assert struck(score) == tokenizer.struck(list(window.ids))
        rows = tokens[tokens.index(SKETCH) + 1 : tokens.index(SCORE)]
        assert bool(rows) == spelling.sketch
        known = len(rows) - sum(t.startswith("Bar_") for t in rows) if tokenizer.interleaved else 0
        behind = example.labels[tokens.index(SCORE) : -1]
        assert int((behind == IGNORED).sum()) == known, "no loss on rows that are said again"


def test_said_in_full_has_a_velocity_and_a_duration_for_every_note(
    windows: list[Window], tokenizer: Tokenizer
) -> None:
    full = said_in_full([tokenizer.vocabulary[i] for i in windows[0].ids])
    counts = [sum(t.startswith(kind) for t in full) for kind in ("Pitch", "Velocity", "Duration")]
    assert counts[0] == counts[1] == counts[2] > 0


def test_bars_are_counted_down_and_the_end_waits_for_them(spelling: Spelling) -> None:
    successors = Successors(spelling)
    index = spelling.tokenizer.index
    struck_last = "Pitch_60" if spelling.running else "Duration_1.0.12"
    for last in (SCORE, struck_last):
        piece = PieceDraft(Plan(bars=3), np.random.default_rng(0), [SKETCH, SCORE, last])
        mask = successors.allowed(piece)
        bars = [t for t, i in index.items() if mask[i] and t.startswith("Bar_")]
        assert set(bars) <= {"Bar_3"} and not mask[index[END]] and not mask[index[SCORE]]
    piece.left = 0
    assert successors.allowed(piece)[index[END]]
    row = PieceDraft(Plan(bars=3), np.random.default_rng(0), [SKETCH, "Bar_3"])
    assert not successors.allowed(row)[index["Position_0"]]


def test_pieces_have_all_their_bars(
    spelling: Spelling, windows: list[Window], tiny: TextToMusic
) -> None:
    written = list(write(tiny.engine, spelling, windows[:3], bars=2, slots=2))
    assert len(written) == 3
    for piece in written:
        score = piece.tokens[piece.tokens.index(SCORE) + 1 :]
        assert [t for t in score if t.startswith("Bar_")] == ["Bar_2", "Bar_1"]
        assert all(0 <= note.start < 2 * 12 for note in piece.notes(spelling))
        if spelling.tokenizer.interleaved:
            bar = piece.tokens.index("Bar_2"), piece.tokens.index("Bar_1")
            row = piece.tokens[bar[0] + 1 : bar[1]]
            assert row and score[1 : 1 + len(row)] == row
    again = {tuple(p.tokens) for p in write(tiny.engine, spelling, windows[:3], bars=2, slots=3)}
    assert again == {tuple(piece.tokens) for piece in written}


def test_a_piece_that_fits_no_more_is_cut(
    spelling: Spelling, windows: list[Window], tiny: TextToMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny.engine, "context", 150)
    (piece,) = write(tiny.engine, spelling, windows[:1], bars=64)
    assert piece.tokens[-1] != END and len(piece.tokens) < 150
