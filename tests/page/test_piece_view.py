"""A piece as the page's desk shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.language.names import LANGUAGES
from textmusic.music.measure import measure
from textmusic.page.piece import Piece, keep
from textmusic.page.piece_view import growing, shown, with_chord
from textmusic.result.generation import Generation
from textmusic.writing.adjusting import Adjustment, adjust
from textmusic.writing.text_to_music import TextToMusic


@pytest.fixture(scope="module")
def made(tiny: TextToMusic) -> Generation:
    return tiny.generate("piano and drums, 20 bars in 3/4 at 90 bpm, E minor", seed=1)


@pytest.fixture
def piece(made: Generation, tmp_path: Path) -> Piece:
    return keep(made, '"><script>', tmp_path)


def test_a_view_has_every_note_where_it_sounds(made: Generation, piece: Piece) -> None:
    view = shown(piece, "en")
    assert json.loads(json.dumps(view)) == view, "plain values"
    parts = [part["key"] for part in view["parts"]]
    assert [part["name"] for part in view["parts"]] == ["piano", "drums"]
    assert [part["drums"] for part in view["parts"]] == [False, True]
    notes = sorted((parts[n[0]], round(n[1], 2), n[3], n[4]) for n in view["notes"])
    columns = made.columns
    assert notes == sorted(
        (int(p), round(float(s), 2), int(h), int(v))
        for p, s, h, v in zip(
            columns.program, columns.start, columns.pitch, columns.velocity, strict=True
        )
    )
    assert view["bars"][:3] == [0, 3, 6] and view["bars"][-1] == 60
    assert view["tempi"][-1] == [60, pytest.approx(40, abs=0.01)]
    drums = {str(n[3]) for n in view["notes"] if parts[n[0]] == 128}
    assert set(view["kit"]) == drums, "no empty row"


def test_the_key_is_the_one_that_sounds(piece: Piece) -> None:
    view, report = shown(piece, "en"), piece.report
    assert (report.measured.key or "none") in (view["facts"].split("  ")[0], "none")


def test_what_is_shown_of_a_piece_is_said_too(piece: Piece) -> None:
    for language in LANGUAGES:
        spoken = shown(piece, language)["spoken"]
        assert "20" in spoken and ("drums" if language == "en" else "鼓") in spoken


def test_new_bars_are_marked_and_heard_first(tiny: TextToMusic, tmp_path: Path) -> None:
    first = tiny.generate("piano, 4 bars, 4/4", seed=1)
    more = tiny.continue_from(first.score, 2, seed=2)
    view = shown(keep(more, "x", tmp_path), "en")
    assert view["fresh"] == [4, 6] and view["from"] == 16


def test_chords_are_heard_where_none_are_known(tmp_path: Path, pieces: list[Path]) -> None:
    heard = [shown(keep(adjust(Score(path), Adjustment(semitones=2)), "x", tmp_path), "en")
             for path in pieces[:4]]  # fmt: skip
    assert any(view["chords"] for view in heard)


def test_a_growing_piece_has_room_for_what_is_to_come(made: Generation) -> None:
    more: dict[str, Any] = {"address": "live/x.wav", "title": "x", "done": 3, "total": 32}
    view = growing(made.score, "E minor", made.sketch, "en", left=None, **more)
    assert len(view["bars"]) == 33 and view["writing"] == view["audio"] == "live/x.wav"
    assert measure(made.score).bars == 20


VIEW: dict[str, Any] = {
    "bars": [0, 4, 8, 12, 16],
    "chords": [[0, "Am"], [2, "Dm"], [4, "G"], [12, "C"]],
}


@pytest.mark.parametrize(
    ("index", "name", "bars", "said"),
    [
        (0, "F", (1, 1), "| F Dm |"),
        (1, " Dm7 ", (1, 1), "| Am Dm7 |"),
        (2, "E7", (2, 3), "| E7 | E7 |"),  # it sounds on in the next bar
        (3, "Am", (4, 4), "| Am |"),
    ],
)
def test_a_chord_is_typed_over_in_the_bars_where_it_sounds(
    index: int, name: str, bars: tuple[int, int], said: str
) -> None:
    assert with_chord(VIEW, index, name) == (bars, said)


def test_a_chord_that_begins_inside_a_bar_keeps_the_one_before_it() -> None:
    view = {"bars": [0, 4, 8], "chords": [[0, "Am"], [6, "F"]]}
    assert with_chord(view, 1, "G") == ((2, 2), "| Am G |")
    assert with_chord(view, 0, "C") == ((1, 2), "| C | C F |")


@pytest.mark.parametrize(
    ("index", "name"),
    [(4, "C"), (-1, "C"), ("x", "C"), (None, "C"), (True, "C"), (0, ""), (0, " "), (0, "A | B"),
     (0, "A B"), (0, "A" * 13), (0, 5)],
)  # fmt: skip
def test_what_is_no_chord_of_the_piece_is_refused(index: object, name: object) -> None:
    with pytest.raises(TextMusicError):
        with_chord(VIEW, index, name)
    with pytest.raises(TextMusicError):
        with_chord({"bars": [0, 4], "chords": []}, 0, "C")
