"""A kept piece's files, over HTTP."""

from __future__ import annotations

import io
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
import soundfile
from starlette.applications import Starlette
from starlette.testclient import TestClient
from symusic import Score

from textmusic.page import files
from textmusic.page import piece as kept_pieces
from textmusic.page.files import ZIPPED, address, routes, stems
from textmusic.page.piece import ABOUT, Piece
from textmusic.page.shelves import Shelves
from textmusic.result.formats import NEEDED
from textmusic.writing.text_to_music import TextToMusic


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Shelves:
    return Shelves(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def piece(tiny: TextToMusic, shelves: Shelves) -> Piece:
    made = tiny.generate("piano and flute, 2 bars, 120 bpm, 4/4", seed=1)
    return shelves.put(shelves.secret(), made, "A calm piece, 100% mine / ?")


@pytest.fixture(scope="module")
def web(shelves: Shelves) -> TestClient:
    return TestClient(Starlette(routes=routes(shelves.find)))


@pytest.mark.parametrize("kind", ["mid", "json", "svg", "mp3"])
def test_whoever_has_the_secret_has_the_files(web: TestClient, piece: Piece, kind: str) -> None:
    found = web.get(f"/{address(piece, kind)}")
    assert found.status_code == 200 and found.content == piece.file(kind).read_bytes()
    assert "content-disposition" not in found.headers, "it is heard and seen on the page"
    assert "private" in found.headers["cache-control"]
    taken = web.get(f"/{address(piece, kind)}?download")
    assert taken.content == found.content
    assert "attachment" in taken.headers["content-disposition"]


def test_sound_of_hours_is_not_made(
    web: TestClient, piece: Piece, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_pieces, "LONGEST_HEARD", 1.0)
    for path in (address(piece, "flac"), stems(piece)[0]):
        found = web.get(f"/{path}")
        assert found.status_code == 404 and "too long for the page to play" in found.text
    assert not list(piece.folder.glob("*.flac")) + list(piece.folder.glob("*.part*"))


def test_a_place_in_the_sound_can_be_asked_for(web: TestClient, piece: Piece) -> None:
    found = web.get(f"/{address(piece, 'mp3')}", headers={"Range": "bytes=10-19"})
    assert found.status_code == 206 and len(found.content) == 10


def test_the_zip_has_what_a_piece_needs(web: TestClient, piece: Piece) -> None:
    found = web.get(f"/{address(piece, 'zip')}?download")
    with zipfile.ZipFile(io.BytesIO(found.content)) as file:
        assert file.testzip() is None
        there = [k for k in ZIPPED if all(map(find_spec, NEEDED.get(k, ())))]
        parts = [f"stems/{n}-{name}.ogg" for n, name in enumerate(("piano", "flute"), 1)]
        assert sorted(file.namelist()) == sorted([*parts, *(f"{piece.stem}.{k}" for k in there)])
        midi = file.read(f"{piece.stem}.mid")
    assert Score.from_midi(midi).note_num() == piece.generation.score.note_num()


def test_the_parts_together_are_the_piece(web: TestClient, piece: Piece, tmp_path: Path) -> None:
    addresses = stems(piece)
    assert len(addresses) == 2
    sounds = []
    for n, one in enumerate(addresses):
        found = web.get(f"/{one}")
        assert found.status_code == 200
        path = tmp_path / f"{n}.ogg"
        path.write_bytes(found.content)
        sounds.append(soundfile.read(path)[0])
    assert sounds[0].shape == sounds[1].shape
    assert all(abs(sound).max() > 0.001 for sound in sounds)
    assert web.get(f"/{addresses[0].replace('part0', 'part2')}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["unknown-but-well-formed/x.mid", "../../etc/passwd", "..%2F..%2Fetc/passwd", "%00/x.mid",
     "{token}/x.mid", "{token}/" + ABOUT, "{token}/..%2F" + ABOUT, "{token}/../{token}/" + ABOUT,
     "{token}/{stem}.exe", "{token}/{stem}.", "{token}/{stem}.part99.ogg", "{token}/",
     "{token}/{stem}.mid/../../x", "{token}/{stem}.%2E%2E%2Fx",
     "{token}%2F..%2F{token}/{stem}.mid"],
)  # fmt: skip
def test_nothing_else_is_found(web: TestClient, piece: Piece, path: str) -> None:
    found = web.get(f"/{files.PREFIX}/{path.format(token=piece.token, stem=piece.stem)}")
    assert found.status_code == 404
    assert str(piece.folder.parent) not in found.text


def test_a_revoked_link_and_a_deleted_piece_have_no_files(
    tiny: TextToMusic, shelves: Shelves, web: TestClient
) -> None:
    shelf = shelves.secret()
    old = shelves.put(shelf, tiny.generate("piano, 1 bar", seed=2), "x")
    new = shelves.renew(shelf, old.token)
    assert web.get(f"/{address(old, 'mid')}").status_code == 404
    assert web.get(f"/{address(new, 'mid')}").status_code == 200
    shelves.delete(shelf, new.token)
    assert web.get(f"/{address(new, 'mid')}").status_code == 404
