"""The SQLite file of blind votes and thumbs, and of the pieces that they are about.

A piece is kept with its report: together they are all that training needs, so that the file can be
taken elsewhere. Nothing in it says who voted.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textmusic.errors import TextMusicError

SCHEMA = 2  # of the tables below; raise it with every change. 1 had votes alone
APPLICATION = 0x746D7573  # "tmus", in the header of our databases: 1 is a common schema number
TABLES = {
    "vote": """
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
)""",
    "piece": """
CREATE TABLE piece (
    sha256 TEXT PRIMARY KEY, -- of the MIDI file
    midi BLOB NOT NULL,
    report TEXT -- the JSON that was written with it; NULL: there was none
)""",
    "answer": """
CREATE TABLE answer (
    pair TEXT NOT NULL,
    model TEXT NOT NULL, -- as votes name it
    piece TEXT NOT NULL,
    UNIQUE (pair, model)
)""",
    "thumb": """
CREATE TABLE thumb (
    piece TEXT PRIMARY KEY,
    up INTEGER NOT NULL CHECK (up IN (0, 1)),
    at TEXT NOT NULL
)""",
}
OVERALL = "overall"  # the question that every vote answers
PATIENCE = 30.0  # seconds that a vote waits for those of others; each takes milliseconds


class Database:
    """An SQLite file of votes, thumbs and pieces, for writing.

    What a transaction has stored is on the disk, and stays there if the process is killed. Threads
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
        with self.connected() as db:
            with transaction(db):
                self._prepare(db)
            # only now: on a file of somebody else's it would leave a mark
            write_ahead(db)

    def _prepare(self, db: sqlite3.Connection) -> None:
        application, schema = header(db)
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application or schema or tables:
            check_header(self.path, application, schema)
        begun = schema == 1
        if schema != SCHEMA:
            for name, table in TABLES.items():
                if not (begun and name == "vote"):
                    db.execute(table)
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute(f"PRAGMA user_version = {SCHEMA}")

    @contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
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


def header(db: sqlite3.Connection) -> tuple[int, int]:
    """Whose database it is, and of which schema; 0 and 0 for a new one."""
    application, schema = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    return int(application), int(schema)


def check_header(path: Path, application: int, schema: int) -> None:
    """Raise TextMusicError unless it is a database of ours, of this schema or an older one."""
    if application != APPLICATION:
        raise TextMusicError(f"'{path}' is not a database of votes; choose another database.")
    if not 1 <= schema <= SCHEMA:
        raise TextMusicError(
            f"'{path}' has schema {schema}, but this textmusic reads schema {SCHEMA}; use"
            " the textmusic that wrote it, or choose another database."
        )


def store_piece(db: sqlite3.Connection, midi: bytes, report: str | None) -> str:
    """Keep a piece, if it is not kept yet; its key."""
    key = hashlib.sha256(midi).hexdigest()
    db.execute(
        "INSERT INTO piece (sha256, midi, report) VALUES (?, ?, ?) ON CONFLICT (sha256) DO UPDATE"
        " SET report = coalesce(report, excluded.report)",
        (key, midi, report),
    )
    return key


def with_report(midi: Path) -> tuple[bytes, str | None] | None:
    """A MIDI file, and the report that was written beside it, None if there is none.

    None altogether where the MIDI file can't be read.
    """
    try:
        content = midi.read_bytes()
    except OSError:
        return None
    try:
        return content, midi.with_suffix(".json").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return content, None


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing: closed without COMMIT, the connection takes everything back.

    Immediate, since a reader that turns writer can't wait for another one.
    """
    db.execute("BEGIN IMMEDIATE")
    yield
    db.execute("COMMIT")


def write_ahead(db: sqlite3.Connection) -> None:
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
