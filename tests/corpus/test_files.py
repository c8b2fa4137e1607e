"""A person's folder: what is found in it, and what is left where it is."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from textmusic.corpus import files
from textmusic.corpus.files import FoundFiles, find
from textmusic.corpus.survey import survey
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


@pytest.mark.parametrize("suffix", [".mid", ".MIDI", ".kar", ".rmi", ".RMI", ".rmid", ".smf"])
def test_midi_files_have_many_suffixes(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"a{suffix}").write_bytes(b"x")
    (tmp_path / "more.zip").write_bytes(zipped({f"b{suffix}": b"y"}))
    found = survey(tmp_path)
    assert [job.name for job in found.jobs] == [f"a{suffix}", f"more.zip/b{suffix}"]
    assert found.formats == {"MIDI": 2} and not found.passed_over


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


def named(names: list[str], encoding: str) -> bytes:
    """An archive whose program wrote names in this encoding, and did not say so."""
    stand_ins = [f"{i:02}".ljust(len(name.encode(encoding)), "x") for i, name in enumerate(names)]
    data = zipped(dict.fromkeys(stand_ins, b"x"))
    for stand_in, name in zip(stand_ins, names, strict=True):
        data = data.replace(stand_in.encode(), name.encode(encoding))
    return data


@pytest.mark.parametrize(
    ("encoding", "given"),
    [
        ("gbk", ["夜曲/第一首.mid", "夜曲/第二首.mid"]),
        ("gbk", ["茉莉花.mid", "子/二泉映月（琵琶）.mid"]),
        ("big5", ["望春風.mid", "夜曲/第一首.mid"]),
        ("cp932", ["夜/歌.mid", "夜/詩.mid"]),
        ("cp932", ["さくら.mid", "曲/荒城の月.mid", "表.mid", "メロディー１.mid"]),
        ("cp949", ["아리랑.mid", "고향의봄.mid", "학교종이땡땡땡.mid"]),
        ("cp866", ["Подмосковные вечера.mid"]),
        ("cp437", ["Lieder/Grüße.mid", "Lieder/Öl.mid", "café/naïve.mid"]),
        ("cp850", ["canção/São.mid"]),
        ("utf-8", ["夜/歌.mid", "Öl.mid"]),
    ],
)
def test_names_in_archives_of_every_country_are_read(
    tmp_path: Path, encoding: str, given: list[str]
) -> None:
    (tmp_path / "z.zip").write_bytes(named(given, encoding))
    found = find(tmp_path)
    assert sorted(names(found)) == sorted(f"z.zip/{name}" for name in given)
    assert [file.read() for file in found.files] == [b"x"] * len(given)


@pytest.mark.parametrize("encoding", ["gbk", "cp932"])
def test_a_table_finds_files_with_such_names(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "z.zip").write_bytes(named(["夜/歌.mid", "夜/月.mid"], encoding))
    table = "file,text\nz.zip/夜/歌.mid,late night\nz.zip/夜/月.mid,late night\n"
    (tmp_path / "captions.csv").write_text(table, encoding="utf-8")
    found = survey(tmp_path)
    assert [job.about.texts for job in found.jobs] == [("late night",)] * 2 and not found.notes


def test_a_name_in_unicode_beside_another_wins(tmp_path: Path) -> None:
    member = zipfile.ZipInfo("xx.mid")
    extra = b"\1" + b"\0" * 4 + "夜.mid".encode()
    member.extra = b"\x75\x70" + len(extra).to_bytes(2, "little") + extra
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(member, b"x")
    found = find(tmp_path)
    assert names(found) == ["z.zip/夜.mid"] and found.files[0].read() == b"x"


@pytest.mark.skipif(os.name != "posix", reason="names of any bytes")
def test_links_to_themselves_and_names_that_are_no_unicode(tmp_path: Path) -> None:
    (tmp_path / "a.mid").symlink_to(tmp_path / "a.mid")
    try:
        (tmp_path / "caf\udce9.mid").write_bytes(b"x")
    except OSError:
        pytest.skip("this disk takes Unicode alone")
    assert names(found := find(tmp_path)) == ["caf?.mid"]
    assert found.files[0].read() == b"x"
