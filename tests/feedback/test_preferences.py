"""Votes and thumbs as pairs, and databases that strangers made."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from judged import database, shown, written
from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.feedback import preferences
from textmusic.feedback.database import TABLES
from textmusic.feedback.preferences import (
    BROKEN,
    LONE,
    NO_REPORT,
    NOT_KEPT,
    NOT_WHOLE,
    OTHER_MODEL,
    OTHER_PROMPT,
    TIES,
    read_preferences,
)
from textmusic.feedback.thumbs import Thumbs
from textmusic.listening.votes import NO_DIFFERENCE, Votes
from textmusic.music.midi_files import read_score
from textmusic.music.notes import notes_of
from textmusic.writing.text_to_music import TextToMusic


@pytest.fixture
def files(tiny: TextToMusic, tmp_path: Path) -> list[Path]:
    """Three pieces to one prompt."""
    return written(tiny, tmp_path / "pieces", "calm piano", range(3))


def seeds(path: Path, model: str | None = None) -> list[tuple[int, int]]:
    """The seeds of what was preferred, and of what was not."""
    pairs = read_preferences([path], model).pairs
    return [(pair.chosen.report.seed, pair.rejected.report.seed) for pair in pairs]


def test_the_majority_of_overall_votes_makes_a_pair(votes: Votes, files: list[Path]) -> None:
    one, two = shown(*files[:2], "p1"), shown(*files[1:], "p2")
    votes.keep([one.pair, two.pair])
    for listener, choice in (("a", "A"), ("b", "B"), ("c", "B")):
        votes.add(listener, one, {"overall": choice, "melody": "A"})
    votes.add("a", two, {"overall": "A"})
    votes.add("b", two, {"overall": "B"})
    found = read_preferences([votes.path])
    assert seeds(votes.path) == [(1, 0)]
    assert found.left_out == {TIES: 1}
    assert str(found) == "1 pair on 1 prompt; left out: 1 ties"


def test_thumbs_of_one_prompt_make_pairs(
    tiny: TextToMusic, votes: Votes, files: list[Path], tmp_path: Path
) -> None:
    thumbs = Thumbs(votes.path)
    (other,) = written(tiny, tmp_path / "pieces", "happy piano", range(9, 10))
    for file, up in zip([*files, other], (True, False, True, True), strict=True):
        thumbs.add(file, up)
    assert sorted(seeds(votes.path)) == [(0, 1), (2, 1)]
    assert read_preferences([votes.path]).left_out == {LONE: 1}
    thumbs.add(files[2], False)
    assert sorted(seeds(votes.path)) == [(0, 1), (0, 2)], "a later thumb replaces an earlier one"
    with pytest.raises(TextMusicError, match="no longer kept"):
        thumbs.add(tmp_path / "gone.mid", True)


def test_it_is_learnt_from_the_score_and_not_from_its_performance(
    votes: Votes, files: list[Path]
) -> None:
    thumbs = Thumbs(votes.path)
    for file, up in zip(files, (True, False, False), strict=True):
        thumbs.add(file, up)
    chosen = read_preferences([votes.path]).pairs[0].chosen
    loud = [
        notes_of(score).velocity for score in (chosen.score, read_score(files[0]), Score(files[0]))
    ]
    assert loud[0].tolist() == loud[1].tolist() and sorted(loud[0]) != sorted(loud[2])


def test_several_files_are_read_as_one(
    tiny: TextToMusic, files: list[Path], tmp_path: Path
) -> None:
    one, two = tmp_path / "one.sqlite", tmp_path / "two.sqlite"
    Thumbs(one).add(files[0], True)
    Thumbs(two).add(files[1], False)
    assert len(read_preferences([one, two]).pairs) == 1
    assert not read_preferences([one]).pairs


def test_what_is_left_out_is_counted(
    tiny: TextToMusic, votes: Votes, files: list[Path], tmp_path: Path
) -> None:
    (other,) = written(tiny, tmp_path / "pieces", "happy piano", range(1))
    bare, torn, older = (tmp_path / f"{name}.mid" for name in ("bare", "torn", "older"))
    report = files[0].with_suffix(".json").read_text()
    bare.write_bytes(files[0].read_bytes() + b"bare")
    torn.write_bytes(b"MThd, and then nothing")
    torn.with_suffix(".json").write_text(report)
    older.write_bytes(files[0].read_bytes() + b"older")
    older.with_suffix(".json").write_text(json.dumps(json.loads(report) | {"sketch": {}}))
    for number, worse in enumerate((other, bare, torn, older, tmp_path / "gone.mid")):
        showing = shown(files[1], worse, f"p{number}")
        votes.keep([showing.pair])
        votes.add("a", showing, {"overall": "A"})
    votes.add("a", shown(files[0], files[1], "p9"), {"overall": NO_DIFFERENCE})
    found = read_preferences([votes.path])
    assert found.left_out == {
        OTHER_PROMPT: 1, NO_REPORT: 1, BROKEN: 1, NOT_WHOLE: 1, NOT_KEPT: 1, TIES: 1,
    }  # fmt: skip


def test_pieces_of_another_model(tiny: TextToMusic, tmp_path: Path) -> None:
    path = database(tiny, tmp_path, prompts=("calm piano",))
    assert len(seeds(path, tiny.name)) == 3
    found = read_preferences([path], "other")
    assert found.left_out == {OTHER_MODEL: 3} and "--any-model" in found.remedy


def test_a_database_of_the_first_schema_gains_pieces(files: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path) as db:
        db.execute(TABLES["vote"])
        db.execute("PRAGMA application_id = 0x746D7573")
        db.execute("PRAGMA user_version = 1")
        row = ("me", "p1", "calm piano, 2 bars", "overall", "one", "two", "two", "2026-01-01")
        db.execute(f"INSERT INTO vote VALUES (1, {', '.join('?' * 8)})", row)
    db.close()
    found = read_preferences([path])
    assert found.left_out == {NOT_KEPT: 1} and "run textmusic listen again" in found.remedy
    votes = Votes(path)
    votes.keep([shown(*files[:2]).pair])
    assert seeds(path) == [(1, 0)] and len(votes.read()) == 1


def test_reading_leaves_the_file_alone(tiny: TextToMusic, tmp_path: Path) -> None:
    path = database(tiny, tmp_path, prompts=("calm piano",))
    before = path.read_bytes()
    read_preferences([path])
    assert path.read_bytes() == before


# Files of strangers -------------------------------------------------------------------------------


def altered(path: Path, *statements: str) -> Path:
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()
    return path


@pytest.mark.parametrize(
    "statements",
    [
        ("DROP TABLE vote",),
        ("DROP TABLE vote", "CREATE TABLE vote (pair TEXT)"),
        # a view that would never end
        ("DROP TABLE thumb", "CREATE VIEW thumb AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
         " SELECT i + 1 FROM n) SELECT i AS piece, 1 AS up, i AS at FROM n"),
        ("CREATE TRIGGER t AFTER INSERT ON vote BEGIN DELETE FROM vote; END",),
        ("CREATE TABLE more (x)",),
    ],
)  # fmt: skip
def test_other_tables_are_refused(statements: tuple[str, ...], tmp_path: Path) -> None:
    path = altered(Votes(tmp_path / "votes.sqlite").path, *statements)
    with pytest.raises(TextMusicError, match=r"can't be read as votes \(its tables are others\)"):
        read_preferences([path])


def test_values_of_other_types_are_refused(tiny: TextToMusic, tmp_path: Path) -> None:
    path = database(tiny, tmp_path, prompts=("calm piano",))
    altered(path, "UPDATE piece SET midi = 'text', report = x'00ff'")
    assert read_preferences([path]).left_out == {BROKEN: 3}
    altered(path, "UPDATE piece SET midi = x'00', report = '" + "[" * 100_000 + "'")
    assert read_preferences([path]).left_out == {BROKEN: 3}
    altered(path, "UPDATE vote SET pair = CAST(pair AS BLOB)")
    with pytest.raises(TextMusicError, match="it holds values of other types"):
        read_preferences([path])


def test_files_that_are_no_votes(
    votes: Votes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, folder = tmp_path / "a.sqlite", tmp_path / "folder.sqlite"
    text.write_text("no database, but long enough to be looked at as one" * 20)
    folder.mkdir()
    for path in (text, folder, tmp_path / "gone"):
        with pytest.raises(TextMusicError, match=r"can't be read as votes \(.*; give a database"):
            read_preferences([path])
    cut = tmp_path / "cut.sqlite"
    cut.write_bytes(votes.path.read_bytes()[:5000])
    with pytest.raises(TextMusicError, match="can't be read as votes"):
        read_preferences([cut])
    altered(votes.path, "PRAGMA user_version = 9")
    with pytest.raises(TextMusicError, match="has schema 9"):
        read_preferences([votes.path])
    monkeypatch.setattr(preferences, "LARGEST_FILE", 1000)
    with pytest.raises(TextMusicError, match="give a smaller database"):
        read_preferences([votes.path])


def test_too_many_are_refused(
    votes: Votes, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for listener in "abc":
        votes.add(listener, shown(*files[:2]), {"overall": "A"})
    monkeypatch.setattr(preferences, "MOST_ROWS", 2)
    with pytest.raises(TextMusicError, match="more than 2 votes"):
        read_preferences([votes.path])
    thumbs = Thumbs(votes.path)
    for file, up in zip(files, (True, False, True), strict=True):
        thumbs.add(file, up)
    monkeypatch.setattr(preferences, "MOST_ROWS", 9)
    monkeypatch.setattr(preferences, "MOST_PAIRS", 1)
    with pytest.raises(TextMusicError, match="more than 1 pairs"):
        read_preferences([votes.path])
