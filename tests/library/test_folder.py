"""A folder is read once; what changes in it is read again, and what can't be read is said."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from library_pieces import melody, seen, written
from safetensors.numpy import load_file, save_file

from textmusic.errors import TextMusicError
from textmusic.library import folder as folders
from textmusic.library.folder import has_melody, index_path, open_library, read_portrait
from textmusic.library.index import Index
from textmusic.music.theory import DRUMS


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test writes to the person's own cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache" / "hub"))
    return tmp_path / "cache" / "textmusic-libraries"


def names(library: folders.Library) -> list[str]:
    return [facts.name for facts in library.index.facts]


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A folder of three pieces."""
    place = tmp_path / "music"
    for n in range(3):
        written(melody(n), place / f"{n}.mid")
    return place


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what is read from now on."""
    seen_names: list[str] = []
    read_all = folders.read_all

    def watched(pieces, *rest):  # type: ignore[no-untyped-def]
        seen_names.extend(piece.name for piece in pieces)
        return read_all(pieces, *rest)

    monkeypatch.setattr(folders, "read_all", watched)
    return seen_names


def test_a_folder_is_read_once_and_then_kept_up_with(
    music: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = counted(monkeypatch)
    first = open_library(music)
    assert names(first) == ["0.mid", "1.mid", "2.mid"] == read
    assert [path.parent for path in [index_path(music)]] == [cache]
    assert sorted(path.name for path in music.iterdir()) == ["0.mid", "1.mid", "2.mid"]
    read.clear()
    again = open_library(music)
    assert read == [] and np.allclose(again.index.vectors, first.index.vectors, atol=1e-3)
    written(melody(9), music / "sub" / "new.mid")
    written(melody(8), music / "1.mid")
    (music / "2.mid").unlink()
    changed = open_library(music)
    assert names(changed) == ["0.mid", "1.mid", "sub/new.mid"]
    assert sorted(read) == ["1.mid", "sub/new.mid"]
    assert np.array_equal(changed.index.portrait(1).lines.pitch, seen(melody(8)).lines.pitch), (
        "as it is now"
    )
    assert np.array_equal(changed.index.portrait(0).lines.onset, seen(melody(0)).lines.onset)


def test_files_that_can_not_be_read_are_said_and_not_tried_again(
    music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (music / "broken.mid").write_bytes(b"MThd nonsense")
    (music / "notes.txt").write_text("no music")
    (music / "junk.zip").write_bytes(b"PK\3\4 nothing")
    read = counted(monkeypatch)
    library = open_library(music)
    assert len(library.index) == 3
    unread = dict(library.unread)
    assert set(unread) == {"broken.mid", "junk.zip"}
    read.clear()
    assert dict(open_library(music).unread) == unread and read == []


def test_all_formats_and_archives_are_read(tmp_path: Path) -> None:
    place = tmp_path / "mixed"
    written(melody(1), place / "a.mid")
    tune = "X:{}\nT:Tune {}\nM:4/4\nL:1/8\nK:C\nCDEF GABc|cBAG FEDC|\n"
    (place / "tunes.abc").write_text(tune.format(1, 1) + "\n" + tune.format(2, 2))
    with zipfile.ZipFile(place / "more.zip", "w") as archive:
        archive.write(place / "a.mid", "inside/b.mid")
    library = open_library(place)
    assert names(library) == ["a.mid", "more.zip/inside/b.mid", "tunes.abc#1", "tunes.abc#2"]
    assert library.index.facts[3].title == "Tune 2"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda place: None, "is not a folder; give the one that your music is in."),
        (lambda place: place.mkdir(), "has no music to compare with; give a folder with MIDI"),
        (
            lambda place: (place.mkdir(), (place / "x.mid").write_bytes(b"no")),
            "has no music to compare with (no file could be read: x.mid is not a MIDI file);"
            " give a folder",
        ),
    ],
)
def test_a_folder_without_music_is_told(make, said: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    make(tmp_path / "f")
    with pytest.raises(TextMusicError) as problem:
        open_library(tmp_path / "f")
    assert said in str(problem.value)
    assert str(problem.value).count(". ") == 0


def test_a_piece_without_notes_or_melody(tmp_path: Path) -> None:
    drums = melody(1)
    drums.program[:] = DRUMS
    path = written(drums, tmp_path / "drums.mid")
    assert not has_melody(read_portrait(path))
    assert has_melody(read_portrait(written(melody(1, 2), tmp_path / "two.mid")))
    for name, said in (
        ("gone.mid", "can't be read (No such file or directory); give the path of a music file."),
        ("song.pdf", "'song.pdf' is not a music file; give MIDI, MusicXML, ABC or kern."),
    ):
        with pytest.raises(TextMusicError) as problem:
            read_portrait(tmp_path / name)
        assert said in str(problem.value)


def test_long_reading_shows_a_bar(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager

    shown: list[tuple[int, int]] = []

    @contextmanager
    def bar(doing: str, unit: str):  # type: ignore[no-untyped-def]
        yield lambda done, total: shown.append((done, total))

    open_library(music, progress=bar)
    assert shown == [], "it takes no two seconds"
    index_path(music).unlink()
    monkeypatch.setattr(folders, "SILENT", -1.0)
    open_library(music, progress=bar)
    assert shown[-1] == (3, 3)


# The index file -----------------------------------------------------------------------------------


def test_an_index_comes_back_as_it_was(tmp_path: Path) -> None:
    pieces = [seen(melody(n), f"{n}.mid") for n in range(4)]
    index = Index.of(pieces, ["a", "b", "c", "d"], {"x.mid": ("1 2", "is broken")})
    index.save(tmp_path / "i.safetensors")
    back = Index.load(tmp_path / "i.safetensors")
    assert back.facts == index.facts and back.stamps == index.stamps
    assert dict(back.refused) == dict(index.refused)
    for mine, theirs in zip(index, back, strict=True):
        assert np.allclose(mine.vector, theirs.vector, atol=1e-3)
        assert np.array_equal(mine.lines.pitch, theirs.lines.pitch)
        assert np.array_equal(mine.chords, theirs.chords)
    assert Index.load(_saved(Index.of([]), tmp_path)).facts == ()


def _saved(index: Index, folder: Path) -> Path:
    index.save(folder / "empty.safetensors")
    return folder / "empty.safetensors"


@pytest.mark.parametrize("how", ["pickle", "cut", "short", "begin", "format"])
def test_a_broken_index_is_told_and_made_again(how: str, music: Path) -> None:
    open_library(music)
    path = index_path(music)
    data = load_file(str(path))
    if how == "pickle":
        path.write_bytes(pickle.dumps({"vectors": 1}))
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif how == "short":
        save_file({**data, "vectors": data["vectors"][:-1]}, str(path))
    elif how == "begin":
        save_file({**data, "begin": data["begin"] + 7}, str(path))
    else:
        said = json.loads(data["said"].tobytes()) | {"format": 99}
        blob = np.frombuffer(json.dumps(said).encode(), dtype=np.uint8)
        save_file({**data, "said": blob}, str(path))
    with pytest.raises(TextMusicError, match="delete it to have it made again"):
        Index.load(path)
    assert len(open_library(music).index) == 3
    assert len(Index.load(path)) == 3
