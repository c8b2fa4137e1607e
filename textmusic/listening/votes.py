"""Votes of a blind listening test: kept in SQLite, exported as CSV, counted as win rates."""

from __future__ import annotations

import math
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from textmusic.errors import TextMusicError
from textmusic.evaluation.bootstrap import bootstrap
from textmusic.result.figures import Figure
from textmusic.system.tables import write_csv

if TYPE_CHECKING:
    from textmusic.listening.pairs import Showing

OVERALL = "overall"
QUESTIONS = {
    OVERALL: "Which is better overall?",
    "melody": "Which has the better melody?",
    "harmony": "Which has the better harmony?",
    "rhythm": "Which has the better rhythm?",
    "prompt": "Which fits the description better?",
}
NO_DIFFERENCE = "no difference"
CHOICES = ("A", "B", NO_DIFFERENCE)

SCHEMA = 1  # of the table below; raise it with every change
APPLICATION = 0x746D7573  # "tmus", in the header of our databases: 1 is a common schema number
TABLE = """
CREATE TABLE vote (
    id INTEGER PRIMARY KEY,
    listener TEXT NOT NULL,
    pair TEXT NOT NULL,
    prompt TEXT NOT NULL,
    question TEXT NOT NULL,
    shown_a TEXT NOT NULL,
    shown_b TEXT NOT NULL,
    preferred TEXT CHECK (preferred IN (shown_a, shown_b)), -- NULL: no difference
    at TEXT NOT NULL,
    UNIQUE (listener, pair, question)
)"""
COLUMNS = ("listener", "pair", "prompt", "question", "shown_a", "shown_b", "preferred", "at")
PATIENCE = 30.0  # seconds that a vote waits for those of others; each takes milliseconds

_Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Vote:
    """One listener's answer to one question. preferred: a model, None for no difference.

    at: when, in UTC. The other names are those of `Pair`, `QUESTIONS` and `Showing`.
    """

    listener: str
    pair: str
    prompt: str
    question: str
    shown_a: str
    shown_b: str
    preferred: str | None
    at: str


@dataclass(frozen=True, slots=True)
class WinRate:
    """How often `first` is preferred to `second`; rate: its share of wins, a tie counting half."""

    first: str
    second: str
    question: str
    wins: int
    ties: int
    losses: int
    listeners: int
    rate: Figure


class Votes:
    """Votes in an SQLite file.

    What `add` has returned from is on the disk, and stays there if the process is killed. Threads
    and processes may share the file: every operation has a connection and a short transaction of
    its own, and waits for those of others. The write-ahead log that makes readers and writers stay
    out of each other's way needs a local disk, not a network share.
    """

    def __init__(self, path: str | Path) -> None:
        """path: of the file, which is made if it is not there.

        Raises TextMusicError if it is no database, or one of another schema.
        """
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise TextMusicError(
                f"'{self.path.parent}' can't be created ({problem.strerror}); choose another"
                " database."
            ) from None
        with self._connected() as db:
            with _transaction(db):
                self._prepare(db)
            # only now: on a file of somebody else's it would leave a mark
            _write_ahead(db)

    def _prepare(self, db: sqlite3.Connection) -> None:
        application, schema, tables = (
            db.execute(question).fetchone()[0]
            for question in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_master",
            )
        )
        if not (application or schema or tables):
            db.execute(TABLE)
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute(f"PRAGMA user_version = {SCHEMA}")
        elif application != APPLICATION:
            raise TextMusicError(
                f"'{self.path}' is not a database of votes; choose another database."
            )
        elif schema != SCHEMA:
            raise TextMusicError(
                f"'{self.path}' has schema {schema}, but this textmusic reads schema {SCHEMA}; use"
                " the textmusic that wrote it, or choose another database."
            )

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A connection that is closed afterwards; its problems as TextMusicError."""
        try:
            # isolation_level None: transactions begin where we say so
            db = sqlite3.connect(self.path.absolute(), timeout=PATIENCE, isolation_level=None)
            try:
                yield db
            finally:
                db.close()
        except sqlite3.Error as problem:
            raise TextMusicError(
                f"'{self.path}' can't be used for votes ({problem}); free some space, or choose"
                " another database."
            ) from None

    def add(self, listener: str, showing: Showing, answers: Mapping[str, str | None]) -> None:
        """Store a listener's answers on a pair, all or none; later ones replace earlier ones.

        listener: any text that stays the same for one person. answers: of `CHOICES`, by
        `QUESTIONS`; questions with None were left open. Raises TextMusicError if the overall
        question is, or for what can't be stored.
        """
        given = checked(answers)
        models = {"A": showing.a.model, "B": showing.b.model}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        rows = [
            (
                listener, showing.pair.key, showing.pair.prompt, question,
                models["A"], models["B"], models.get(choice), now,
            )
            for question, choice in given.items()
        ]  # fmt: skip
        new = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)
        with self._connected() as db, _transaction(db):
            db.executemany(
                f"INSERT INTO vote ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
                f" ON CONFLICT (listener, pair, question) DO UPDATE SET {new}",
                rows,
            )

    def read(self) -> list[Vote]:
        """All votes, in the order in which they were first given."""
        with self._connected() as db:
            rows = db.execute(f"SELECT {', '.join(COLUMNS)} FROM vote ORDER BY id").fetchall()
        return [Vote(*row) for row in rows]

    def judged(self, listener: str) -> set[str]:
        """Keys of the pairs that a listener has judged."""
        with self._connected() as db:
            rows = db.execute(
                "SELECT pair FROM vote WHERE listener = ? AND question = ?", (listener, OVERALL)
            ).fetchall()
        return {key for (key,) in rows}

    def counts(self) -> dict[str, int]:
        """How many listeners have judged each pair, by its key; pairs without votes are absent."""
        with self._connected() as db:
            rows = db.execute(
                "SELECT pair, count(*) FROM vote WHERE question = ? GROUP BY pair", (OVERALL,)
            ).fetchall()
        return dict(rows)

    def export_csv(self, path: Path) -> None:
        """Write all votes as a table; see `write_csv`.

        Listeners are numbered: whoever knew another's random name could vote in it.
        """
        votes = self.read()
        numbers = {name: k for k, name in enumerate(dict.fromkeys(v.listener for v in votes), 1)}
        rows = [
            [
                numbers[vote.listener],
                *(NO_DIFFERENCE if (cell := getattr(vote, name)) is None else cell
                  for name in COLUMNS[1:]),
            ]
            for vote in votes
        ]  # fmt: skip
        write_csv(path, COLUMNS, rows)


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing: closed without COMMIT, the connection takes everything back.

    Immediate, since a reader that turns writer can't wait for another one.
    """
    db.execute("BEGIN IMMEDIATE")
    yield
    db.execute("COMMIT")


def _write_ahead(db: sqlite3.Connection) -> None:
    """Switch to the write-ahead log.

    Here SQLite does not wait for others who are just making the file: it fails at once.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def checked(answers: Mapping[str, str | None]) -> dict[str, str]:
    """The answers that are given; raises TextMusicError unless the overall one is among them."""
    given = {question: choice for question, choice in answers.items() if choice is not None}
    for question, choice in given.items():
        if question not in QUESTIONS or choice not in CHOICES:
            raise TextMusicError(
                f"'{choice}' is not an answer to '{question}'; choose one of {', '.join(CHOICES)}."
            )
    if OVERALL not in given:
        raise TextMusicError("the first question has no answer; choose which is better overall.")
    return given


def win_rates(votes: Sequence[Vote]) -> list[WinRate]:
    """Wins, ties and losses for every two models and every question, models in alphabetic order.

    The 95 % interval reaches from the lower of two lower ends to the higher of two higher ones. The
    bootstrap draws whole listeners, since one person's votes are not independent; but it has no
    width where there is one listener, or where all agree. Wilson's has, but takes the votes for
    independent. That some prompts suit a model better is in neither.
    """
    cases: dict[tuple[str, str, str], list[Vote]] = {}
    for vote in votes:
        first, second = sorted((vote.shown_a, vote.shown_b))
        cases.setdefault((first, second, vote.question), []).append(vote)
    order = list(QUESTIONS)
    return [
        _win_rate(*case, cases[case])
        for case in sorted(cases, key=lambda case: (*case[:2], order.index(case[2])))
    ]


def _win_rate(first: str, second: str, question: str, votes: Sequence[Vote]) -> WinRate:
    tally = Counter(vote.preferred for vote in votes)
    scores = [0.5 if v.preferred is None else float(v.preferred == first) for v in votes]
    people = {name: k for k, name in enumerate(dict.fromkeys(vote.listener for vote in votes))}
    drawn = bootstrap(scores, [people[vote.listener] for vote in votes])
    low, high = wilson(drawn.value, drawn.n)
    rate = Figure(drawn.value, min(low, drawn.low), max(high, drawn.high), drawn.n)
    return WinRate(
        first, second, question, tally[first], tally[None], tally[second], len(people), rate
    )


def wilson(share: float, n: int) -> tuple[float, float]:
    """95 % interval of a share of n (at least 1) independent votes (Wilson 1927).

    With ties counted half it is rather too wide: those vary less than wins and losses do.
    """
    square = _Z**2 / n
    centre = (share + square / 2) / (1 + square)
    reach = _Z * math.sqrt((share * (1 - share) + square / 4) / n) / (1 + square)
    return max(centre - reach, 0.0), min(centre + reach, 1.0)
