"""Headlines and file names."""

from __future__ import annotations

import pytest

from textmusic.result.change import Change
from textmusic.result.titles import title_of, without_endings


@pytest.mark.parametrize(
    ("stem", "kept"),
    [
        ("song", "song"),
        ("song-rewritten", "song"),
        ("song-rewritten-2-variation-with-more", "song"),
        ("calm-piano-3-continued", "calm-piano-3"),
        ("rewritten", "rewritten"),
        ("a-rewritten-melody", "a-rewritten-melody"),
    ],
)
def test_names_of_changed_files_don_t_pile_up(stem: str, kept: str) -> None:
    assert without_endings(stem) == kept


def test_a_title_says_what_was_done() -> None:
    assert title_of("", None) == "untitled"
    change = Change("rewrite", "song-with-more.mid", "0" * 64)
    assert title_of("", change) == "song, rewritten"
    assert title_of("calmer", change) == "song, rewritten: calmer"
