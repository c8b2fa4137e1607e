"""What a person says of their pieces: read, checked by line, and never told of what it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from textmusic.corpus.descriptions import Descriptions, facts_of, read_descriptions, untrue
from textmusic.corpus.files import MUSIC, find
from textmusic.errors import TextMusicError
from textmusic.language.prompt import MAX_CHARACTERS
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS

PLAN = Plan(
    genre="folk", valence=2, arousal=2, programs=(40, 42), key="D minor", tempo=100.0,
    time_signature="3/4", bars=16, density=2, begin=True, end=True,
)  # fmt: skip


def said(folder: Path) -> Descriptions:
    files = find(folder).files
    tables = [f for f in files if f.name.rsplit("/", 1)[-1].startswith("captions.")]
    texts = [f for f in files if f.suffix == ".txt"]
    return read_descriptions(tables, texts, [f for f in files if f.suffix in MUSIC])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Some empty files of music."""
    for name in ("a.mid", "b.mid", "jazz/c.mid", "tunes.abc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_texts_and_facts_of_a_csv(folder: Path) -> None:
    (folder / "captions.csv").write_text(
        "file,text,key,tempo,time_signature,instruments,mood,genre,title\n"
        'a.mid,"slow, sad",d-moll,andante,3/4,"violin, cello",sad,folk,A Song\n'
        "jazz/c.mid,,,132,,,,\n"
        "a.mid,A second text,,,,,,,\n",
        encoding="utf-8-sig",
    )
    found = said(folder)
    about = found.of("a.mid")
    assert about.texts == ("slow, sad", "A second text") and about.title == "A Song"
    assert (about.facts.key, about.facts.time_signature) == ("D minor", "3/4")
    assert (about.facts.programs, about.facts.genre) == ((40, 42), "folk")
    assert about.facts.valence is not None and about.facts.tempo
    assert found.of("jazz/c.mid").facts == Plan(tempo=132.0)
    assert found.of("b.mid").texts == () and not found.notes


def test_semicolons_json_lines_folders_and_side_cars(folder: Path) -> None:
    (folder / "captions.csv").write_text("FILE;Text\r\n.\\a.mid;one, two\r\n")
    (folder / "jazz" / "captions.jsonl").write_text(
        '{"file": "c.mid", "text": "late", "tempo": 90, "mood": [2, 1]}\n\n'
    )
    (folder / "a.txt").write_text("A text\nover two lines.\n\nAnd another one.\n")
    (folder / "readme.txt").write_text("Not about a piece.")
    found = said(folder)
    assert found.of("a.mid").texts == ("one, two", "A text over two lines.", "And another one.")
    about = found.of("jazz/c.mid")
    assert about.texts == ("late",)
    assert (about.facts.tempo, about.facts.valence, about.facts.arousal) == (90, 2, 1)


def test_a_tune_of_many_has_its_own_and_the_file_s(folder: Path) -> None:
    (folder / "captions.csv").write_text(
        "file,text,genre\ntunes.abc,session tune,celtic\ntunes.abc#2,the second,march\n"
    )
    found = said(folder)
    assert found.of("tunes.abc", "1").texts == ("session tune",)
    assert found.of("tunes.abc", "2").texts == ("the second", "session tune")
    assert found.of("tunes.abc", "2").facts.genre == "march", "the nearer one wins"


def test_what_is_measured_or_unknown_or_lost_is_told(folder: Path) -> None:
    (folder / "captions.csv").write_text(
        "file,text,bars,artist\na.mid,x,16,Me\nnone.mid,y,,\nalso/none.mid,z,,\n"
    )
    found = said(folder)
    assert found.of("a.mid").facts == Plan()
    lost, unknown, measured = found.notes
    assert "2 of its lines name a file that does not exist" in lost and "line 3: 'none.mid'" in lost
    assert "artist" in unknown and "bars is measured" in measured


@pytest.mark.parametrize(
    ("table", "text", "problem"),
    [
        ("csv", "name,text\na.mid,x\n", "line 1 of .* no column 'file'; start it with"),
        ("csv", "file,text\na.mid,x\n,y\n", "line 3 of .* names no file; write"),
        ("csv", "file,text\na.mid,x,y\n", "line 2 of .* more fields .* quotation marks"),
        ("csv", "file,key\na.mid,H minor\n", "line 2 of 'captions.csv': .*"),
        ("csv", "file,key\na.mid,Q\n", "line 2 of .* is not a key; write a letter"),
        ("csv", "file,tempo\na.mid,1000\n", "line 2 of .*"),
        ("csv", "file,time_signature\na.mid,13/8\n", "line 2 of .* choose one of"),
        ("csv", "file,instruments\na.mid,zorp\n", "line 2 of .*zorp.*"),
        ("csv", "file,bars\na.mid,many\n", "line 2 of .* bars 'many' is not a number"),
        ("csv", f"file,text\na.mid,{'x' * (MAX_CHARACTERS + 1)}\n", "2,001 characters; use at"),
        ("jsonl", '{"file": "a.mid"}\nnot JSON\n', "line 2 of 'captions.jsonl' is not valid JSON"),
        ("jsonl", "[1]\n", "line 1 of .* is not a JSON object; write"),
        ("jsonl", '{"file": "a.mid", "text": 7}\n', "line 1 of .*: text is not a string"),
        ("jsonl", '{"file": "a.mid", "tempo": [1]}\n', "line 1 of .*: tempo .* has the wrong type"),
    ],
)
def test_errors_name_the_line_and_the_remedy(
    folder: Path, table: str, text: str, problem: str
) -> None:
    (folder / f"captions.{table}").write_text(text)
    with pytest.raises(TextMusicError, match=problem):
        said(folder)


def test_a_table_in_another_encoding_is_said(folder: Path) -> None:
    (folder / "captions.csv").write_bytes("file,text\na.mid,très\n".encode("latin-1"))
    with pytest.raises(TextMusicError, match="not UTF-8 text; save it as UTF-8"):
        said(folder)


def test_a_side_car_in_another_encoding_is_left_out_and_told(folder: Path) -> None:
    (folder / "a.txt").write_bytes("安静".encode("gbk"))
    found = said(folder)
    assert not found.of("a.mid").texts
    assert found.notes == ("a.txt: ignored, since it is not UTF-8 text; save it as UTF-8",)


def test_a_side_car_that_is_too_long_is_left_out_and_told(folder: Path) -> None:
    (folder / "a.txt").write_text("x" * 3000 + "\n\nshort")
    found = said(folder)
    assert found.of("a.mid").texts == ("short",) and "a.txt" in found.notes[0]


@pytest.mark.parametrize(
    ("text", "changes", "wrong"),
    [
        ("a sad tune in D minor", {}, []),
        ("a sad tune in D minor", {"key": "F major"}, ["key"]),
        ("waltz, 16 bars", {}, []),
        ("waltz, 16 bars", {"bars": 12}, ["bars"]),
        ("waltz", {"time_signature": "4/4"}, ["time_signature"]),
        ("violin alone at 104 bpm", {}, []),
        ("violin at 160 bpm", {}, ["tempo"]),
        ("for flute", {}, ["instruments"]),
        ("strings without drums", {"programs": (48, DRUMS)}, ["instruments"]),
        ("whatever it may be", {}, []),
    ],
)
def test_a_text_that_says_something_else_than_the_notes_is_found_out(
    text: str, changes: dict[str, Any], wrong: list[str]
) -> None:
    assert untrue(text, replace(PLAN, **changes)) == wrong


def test_the_genre_is_read_out_of_a_text() -> None:
    assert facts_of("a lazy bossa nova").genre == "bossa-nova"
