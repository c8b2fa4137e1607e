"""A person's folder: what is found in it, and what is left where it is."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from textmusic.corpus import files
from textmusic.corpus.files import FoundFiles, find
from textmusic.errors import TextMusicError


def names(found: FoundFiles) -> list[str]:
    return [file.name for file in found.files]


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def test_files_are_found_in_folders_and_archives_by_name(tmp_path: Path) -> None:
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / "b" / "deep" / "two.MID").write_bytes(b"2")
    (tmp_path / "a.mid").write_bytes(b"1")
    (tmp_path / "more.zip").write_bytes(zipped({"x/three.abc": b"3", "x/": b""}))
    found = find(tmp_path)
    assert names(found) == ["a.mid", "b/deep/two.MID", "more.zip/x/three.abc"]
    assert [file.read() for file in found.files] == [b"1", b"2", b"3"]
    assert [file.suffix for file in found.files] == [".mid", ".mid", ".abc"]


def test_hidden_files_those_of_a_mac_and_the_output_are_passed_over(tmp_path: Path) -> None:
    for name in (".hidden.mid", "__MACOSX/._a.mid", ".git/b.mid", "data/c.mid", "kept.mid"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "z.zip").write_bytes(zipped({"__MACOSX/._a.mid": b"x", "d/.b.mid": b"x"}))
    found = find(tmp_path, (tmp_path / "data",))
    assert names(found) == ["kept.mid"] and not found.refused


def test_links_are_followed_but_not_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.mid").write_bytes(b"x")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "linked").symlink_to(tmp_path / "other")
    (folder / "circle").symlink_to(folder)
    assert names(find(folder)) == ["linked/a.mid"]


def test_bombs_and_paths_that_lead_out_are_refused_and_never_unpacked(tmp_path: Path) -> None:
    inner = zipped({"a.mid": b"x"})
    bomb = zipped(
        {
            "bomb.mid": bytes(5_000_000),
            "huge.mid": os.urandom(200_000) + bytes(20_800_000),  # a hundredth of its size
            "../../out.mid": b"x",
            "/etc/out.mid": b"x",
            "inner.zip": inner,
            "good.mid": b"fine",
        }
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bomb.zip").write_bytes(bomb)
    found = find(tmp_path / "in")
    assert names(found) == ["bomb.zip/good.mid"]
    why = dict(found.refused)
    assert "200 times its size" in why["bomb.zip/bomb.mid"]
    assert "21 MB" in why["bomb.zip/huge.mid"]
    assert "leads out" in why["bomb.zip/../../out.mid"]
    assert "archive in an archive" in why["bomb.zip/inner.zip"]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["bomb.zip", "in"]


def test_an_archive_of_too_much_is_refused_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "many.zip").write_bytes(zipped({f"{n}.mid": b"x" for n in range(30)}))
    monkeypatch.setattr(files, "MOST_FILES", 20)
    assert dict(find(tmp_path).refused)["many.zip"] == "has 30 files, more than 20"
    monkeypatch.setattr(files, "MOST_FILES", 50)
    monkeypatch.setattr(files, "LARGEST_ARCHIVE", 10)
    assert "unpacks to" in dict(find(tmp_path).refused)["many.zip"]


def test_a_member_that_lies_about_its_size_is_not_unpacked_beyond_it(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.mid": bytes(50_000_000)}))
    for mark, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        at = data.index(mark) + place
        data[at : at + 4] = (90_000).to_bytes(4, "little")
    (tmp_path / "liar.zip").write_bytes(data)
    (file,) = find(tmp_path).files
    with pytest.raises(zipfile.BadZipFile):
        file.read()


def test_broken_and_locked_archives_are_told(tmp_path: Path) -> None:
    (tmp_path / "cut.zip").write_bytes(zipped({"a.mid": b"x" * 99})[:-30])
    locked = bytearray(zipped({"a.mid": b"x"}))
    locked[locked.rindex(b"PK\1\2") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    assert dict(find(tmp_path).refused) == {
        "cut.zip": "is not a zip archive, or is broken",
        "locked.zip/a.mid": "is encrypted; unpack it yourself",
    }


def test_the_stamp_changes_with_the_contents(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"a.mid": b"one"}))
    before = find(tmp_path).files[0].stamp
    files.opened.cache_clear()
    path.write_bytes(zipped({"a.mid": b"two"}))
    assert find(tmp_path).files[0].stamp != before


def test_no_folder_is_said_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(TextMusicError, match="is not a folder; give the one"):
        find(tmp_path / "none")
