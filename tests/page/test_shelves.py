"""Whose pieces are whose, and how long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from textmusic.errors import TextMusicError
from textmusic.page.piece import ABOUT
from textmusic.page.shelves import KEPT_SECONDS, Shelves
from textmusic.result.generation import Generation
from textmusic.writing.text_to_music import TextToMusic


@pytest.fixture(scope="module")
def made(tiny: TextToMusic) -> Generation:
    return tiny.generate("piano, 2 bars", seed=1)


def test_pieces_outlive_the_server(made: Generation, tmp_path: Path) -> None:
    shelves = Shelves(tmp_path)
    shelf = shelves.secret()
    one = shelves.put(shelf, made, "one", settings={"text": "piano"})
    two = shelves.put(shelf, made, "two", parent=one.token)
    again = Shelves(tmp_path)
    assert [piece.title for piece in again.on(shelf)] == ["two", "one"]
    found = again.find(two.token)
    assert found == two and found.report == made.report
    assert again.find(one.token).settings == {"text": "piano"}
    assert again.on(again.secret()) == []


def test_a_piece_is_renamed_favoured_and_deleted_by_its_owner(
    made: Generation, tmp_path: Path
) -> None:
    shelves = Shelves(tmp_path)
    mine, theirs = shelves.secret(), shelves.secret()
    piece = shelves.put(mine, made, "one")
    for change in (shelves.favour, shelves.delete, shelves.renew):
        with pytest.raises(TextMusicError, match="only the one who made a piece"):
            change(theirs, piece.token)
    with pytest.raises(TextMusicError, match="only the one who made a piece"):
        shelves.rename(theirs, piece.token, "x")
    assert shelves.rename(mine, piece.token, " Waltz ").title == "Waltz"
    assert shelves.favour(mine, piece.token).favourite
    assert not shelves.favour(mine, piece.token).favourite
    assert shelves.find(piece.token).title == "Waltz"
    shelves.delete(mine, piece.token)
    assert shelves.on(mine) == [] and not piece.folder.exists()
    with pytest.raises(TextMusicError, match="not here any more"):
        shelves.find(piece.token)


def test_a_link_can_be_made_worthless(made: Generation, tmp_path: Path) -> None:
    shelves = Shelves(tmp_path)
    shelf = shelves.secret()
    old = shelves.put(shelf, made, "one")
    new = shelves.renew(shelf, old.token)
    assert [piece.token for piece in shelves.on(shelf)] == [new.token] != [old.token]
    with pytest.raises(TextMusicError, match="not here any more"):
        shelves.find(old.token)
    assert new.midi.read_bytes() == made.midi()


@pytest.mark.parametrize("token", ["", None, "../../etc", "a" * 22, "x/y" * 8, 7])
def test_nothing_else_is_opened(token: object, tmp_path: Path) -> None:
    with pytest.raises(TextMusicError, match="not here any more"):
        Shelves(tmp_path).find(token)
    if not isinstance(token, str) or token in ("", "../../etc"):
        with pytest.raises(TextMusicError, match="reload"):
            Shelves(tmp_path).on(token)  # type: ignore[arg-type]


def test_what_is_old_goes_and_the_oldest_where_there_is_too_much(
    made: Generation, tmp_path: Path
) -> None:
    shelves = Shelves(tmp_path)
    shelf = shelves.secret()
    pieces = [shelves.put(shelf, made, str(n)) for n in range(4)]
    pieces[0].changed(favourite=True)
    now = time.time()
    size = sum(path.stat().st_size for path in pieces[0].folder.iterdir())
    shelves.most_bytes = round(2.5 * size)
    shelves.sweep(now + 1000)
    assert [piece.title for piece in shelves.on(shelf)] == ["3", "0"], "a favourite stays longest"
    shelves.sweep(now + KEPT_SECONDS + 2000)
    assert shelves.on(shelf) == [] and not any(shelves.pieces.iterdir())


def test_half_a_piece_is_not_kept(
    made: Generation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise TextMusicError("the disk is full")

    shelves = Shelves(tmp_path)
    shelf = shelves.secret()
    monkeypatch.setattr("textmusic.page.piece.write_text", full)
    with pytest.raises(TextMusicError, match="full"):
        shelves.put(shelf, made, "lost")
    assert not any(shelves.pieces.iterdir())


def test_what_a_crash_has_left_goes_too(tmp_path: Path) -> None:
    shelves, now = Shelves(tmp_path), time.time()
    left = shelves.pieces / "left"
    left.mkdir(parents=True)
    (left / "piece.mid").write_bytes(b"half")
    shelves.sweep(now + 1000)
    assert left.exists(), "it may be being written"
    shelves.sweep(now + KEPT_SECONDS + 2000)
    assert not left.exists()


def test_a_spoilt_folder_is_no_piece(made: Generation, tmp_path: Path) -> None:
    shelves = Shelves(tmp_path)
    shelf = shelves.secret()
    piece, other = (shelves.put(shelf, made, str(n)) for n in range(2))
    for spoilt in ("{", "[]", '{"title": 1}'):
        (piece.folder / ABOUT).write_text(spoilt)
        assert [one.token for one in shelves.on(shelf)] == [other.token]
    other.midi.unlink()
    assert shelves.on(shelf) == []
