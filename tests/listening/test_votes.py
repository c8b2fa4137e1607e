"""Votes: kept whatever happens, exported harmlessly, counted as by hand."""

from __future__ import annotations

import csv
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from listeners import pair

from textmusic.errors import TextMusicError
from textmusic.feedback.database import write_ahead
from textmusic.listening.pairs import Showing
from textmusic.listening.votes import (
    NO_DIFFERENCE,
    QUESTIONS,
    Vote,
    Votes,
    wilson,
    win_rates,
)
from textmusic.system.tables import harmless

FORMULA = '=HYPERLINK("http://x")'
LISTENER = "0" * 32


def test_a_vote_is_kept_with_the_order_shown(votes: Votes) -> None:
    answers = {"overall": "A", "melody": "B", "harmony": NO_DIFFERENCE, "rhythm": None}
    votes.add(LISTENER, Showing(pair(), swapped=True), answers)
    kept = {vote.question: vote for vote in Votes(votes.path).read()}
    assert {name: vote.preferred for name, vote in kept.items()} == {
        "overall": "yakmodel",
        "melody": "zebramodel",
        "harmony": None,
    }
    overall = kept["overall"]
    assert (overall.shown_a, overall.shown_b) == ("yakmodel", "zebramodel")
    assert (overall.listener, overall.pair, overall.prompt) == (LISTENER, "p1", "calm piano")
    assert overall.at.endswith("+00:00")


def test_a_later_vote_replaces_an_earlier_one(votes: Votes) -> None:
    votes.add("a", Showing(pair(), swapped=False), {"overall": "A", "melody": "A"})
    votes.add("b", Showing(pair(), swapped=False), {"overall": "A"})
    votes.add("a", Showing(pair(), swapped=True), {"overall": "A"})
    got = [(vote.listener, vote.question, vote.preferred, vote.shown_a) for vote in votes.read()]
    assert got == [
        ("a", "overall", "yakmodel", "yakmodel"),
        ("a", "melody", "zebramodel", "zebramodel"),
        ("b", "overall", "zebramodel", "zebramodel"),
    ]
    assert votes.counts() == {"p1": 2}


def test_answers_that_are_refused(votes: Votes) -> None:
    showing = Showing(pair(), swapped=False)
    with pytest.raises(TextMusicError, match="choose which is better overall"):
        votes.add("a", showing, {"overall": None, "melody": "A"})
    with pytest.raises(TextMusicError, match="'C' is not an answer"):
        votes.add("a", showing, {"overall": "A", "melody": "C"})
    with pytest.raises(TextMusicError, match="not an answer to 'volume'"):
        votes.add("a", showing, {"overall": "A", "volume": "B"})
    assert votes.read() == []


def test_eight_threads_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "votes.sqlite"
    answers = dict.fromkeys(QUESTIONS, "A")

    def listen(name: str) -> None:
        votes = Votes(path)  # some of them make the file at once
        for k in range(10):
            votes.add(name, Showing(pair(f"p{k}"), swapped=False), answers)
            assert len(votes.judged(name)) == k + 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(listen, "abcdefgh"))
    kept = {(vote.listener, vote.pair, vote.question) for vote in Votes(path).read()}
    assert len(kept) == 8 * 10 * len(QUESTIONS)
    assert Votes(path).counts() == {f"p{k}": 8 for k in range(10)}


def test_the_log_waits_for_who_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "votes.sqlite"
    maker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN IMMEDIATE")
    db = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        db.execute("PRAGMA journal_mode = WAL")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: (time.sleep(0.1), maker.execute("COMMIT")))
        write_ahead(db)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()
    maker.close()


KILLED = """
import sys
from pathlib import Path
from textmusic.listening.pairs import Pair, Showing, Side
from textmusic.listening.votes import QUESTIONS, Votes

votes = Votes(sys.argv[1])
sides = Side("one", Path("one.mid")), Side("two", Path("two.mid"))
for k in range(1_000_000):
    showing = Showing(Pair(f"p{k}", "x" * 2000, *sides), swapped=False)
    votes.add("a", showing, dict.fromkeys(QUESTIONS, "B"))
    print(k, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("after", [0.0, 0.003, 0.01])
def test_votes_survive_a_kill(tmp_path: Path, after: float) -> None:
    """Whatever it was just doing: what was said to be stored is, and no vote is half there."""
    path = tmp_path / "votes.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    said = [int(process.stdout.readline()) for _ in range(5)]
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=after)
    process.send_signal(signal.SIGKILL)
    said += [int(line) for line in process.stdout.read().splitlines()]
    assert process.wait() == -signal.SIGKILL

    votes = Votes(path)
    whole = Counter(vote.pair for vote in votes.read())
    assert set(whole.values()) == {len(QUESTIONS)}
    # the last one may have been stored and not yet said
    assert sorted(int(key[1:]) for key in whole) in (said, [*said, said[-1] + 1])
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()
    votes.add("b", Showing(pair("p0"), swapped=False), {"overall": "A"})
    assert votes.counts()["p0"] == 2


def test_databases_that_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "votes.sqlite"
    Votes(path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 7")
    db.close()
    with pytest.raises(TextMusicError, match=r"schema 7.*choose another database\.$"):
        Votes(path)

    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE cake (recipe TEXT)")
    db.close()
    before = other.read_bytes()
    with pytest.raises(TextMusicError, match="not a database of votes"):
        Votes(other)
    assert other.read_bytes() == before

    text = tmp_path / "text.sqlite"
    text.write_text("no database, but long enough to be looked at as one" * 20)
    with pytest.raises(TextMusicError, match="not a database"):
        Votes(text)
    with pytest.raises(TextMusicError, match="can't be used for votes"):
        Votes(tmp_path)
    with pytest.raises(TextMusicError, match="can't be created"):
        Votes(text / "votes.sqlite")


def test_csv(votes: Votes, tmp_path: Path) -> None:
    for listener, prompt in (("bob", FORMULA), ("ann", '欢快, "quoted"\nline')):
        showing = Showing(pair("p" + listener, prompt, ("@one", "two")), swapped=False)
        votes.add(listener, showing, {"overall": "A", "melody": NO_DIFFERENCE})
    votes.add("ann", Showing(pair("p3", "", ("@one", "two")), swapped=True), {"overall": "A"})
    path = tmp_path / "new" / "votes.csv"
    votes.export_csv(path)
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes().startswith(b"\xef\xbb\xbflistener,pair,prompt,")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = ("listener", "pair", "prompt", "question", "shown_a", "shown_b", "preferred")
    assert [tuple(row[name] for name in kept) for row in rows] == [
        ("1", "pbob", "'" + FORMULA, "overall", "'@one", "two", "'@one"),
        ("1", "pbob", "'" + FORMULA, "melody", "'@one", "two", "no difference"),
        ("2", "pann", '欢快, "quoted"\nline', "overall", "'@one", "two", "'@one"),
        ("2", "pann", '欢快, "quoted"\nline', "melody", "'@one", "two", "no difference"),
        ("2", "p3", "", "overall", "two", "'@one", "two"),
    ]
    (tmp_path / "file").write_text("")
    with pytest.raises(TextMusicError, match="could not be written"):
        votes.export_csv(tmp_path / "file" / "votes.csv")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@sum", "\t=1", " =1", "\r=1"])
def test_a_formula_becomes_text(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "calm piano", "a=b", "p-1", "'=1"])
def test_other_cells_stay(cell: str) -> None:
    assert harmless(cell) == cell


def cast(listener: str, preferred: str | None, a: str = "one", b: str = "two", **more: str) -> Vote:
    question = more.get("question", "overall")
    return Vote(listener, "p", "calm", question, a, b, preferred, "2026-01-01T00:00:00+00:00")


def test_win_rates_by_hand() -> None:
    votes = [
        cast("a", "one"),
        cast("a", "one", "two", "one"),
        cast("b", None),
        cast("b", "two", "two", "one"),
        cast("b", "three", "one", "three", question="melody"),
    ]
    melody, overall = win_rates(votes)
    assert (melody.first, melody.second, melody.question) == ("one", "three", "melody")
    assert (melody.wins, melody.ties, melody.losses, melody.rate.value) == (0, 0, 1, 0)
    assert (overall.first, overall.second, overall.listeners) == ("one", "two", 2)
    assert (overall.wins, overall.ties, overall.losses, overall.rate.n) == (2, 1, 1, 4)
    assert overall.rate.value == pytest.approx((2 + 0.5) / 4)
    # of two listeners at 1 and 1/4, the bootstrap reaches from one to the other; Wilson's lower
    # end, (0.625 + 0.4802 - 1.96 * sqrt(0.625 * 0.375 / 4 + 0.06003)) / 1.9604, is higher or lower
    assert overall.rate.high == 1.0
    assert overall.rate.low == pytest.approx(min(0.25, wilson(0.625, 4)[0]))


def test_questions_are_in_their_order() -> None:
    votes = [cast("a", "one", question=name) for name in reversed(QUESTIONS)]
    assert [rate.question for rate in win_rates(votes)] == list(QUESTIONS)
    assert win_rates([]) == []


def test_wilson() -> None:
    # the textbook's 8 of 10, and three who agree, of whom the bootstrap would be certain
    assert wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    rate = win_rates([cast(name, "one") for name in "abc"])[0].rate
    assert (rate.value, rate.high) == (1.0, 1.0)
    assert rate.low == pytest.approx(0.4385, abs=1e-4)


def test_one_listeners_many_votes_are_not_many_listeners() -> None:
    """Two who disagree all the time: 100 votes, and no certainty at all."""
    votes = [cast(*said) for said in (("a", "one"), ("b", "two")) for _ in range(50)]
    rate = win_rates(votes)[0].rate
    assert (rate.low, rate.value, rate.high) == (0.0, 0.5, 1.0)
    assert wilson(0.5, 100)[0] > 0.4
