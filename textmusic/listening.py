"""Blind listening: pairs of answers to a prompt, people's votes on them, and how often who wins.

    answer folders -> Pair -> Showing -> Vote -> WinRate

Which model is A is drawn anew for every showing and stored with the vote, so that the order can be
checked afterwards. `textmusic/listening_page.py` is the page for it.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import random
import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from threading import Lock

import numpy as np

from textmusic.errors import TextMusicError
from textmusic.generation import write_whole
from textmusic.metrics import Figure, bootstrap

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
_DICE = random.SystemRandom()  # a seed would give every listener the same order of sides


@dataclass(frozen=True, slots=True)
class Side:
    """A model's answer. audio: None if it has yet to be rendered from the MIDI file."""

    model: str
    midi: Path
    audio: Path | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one prompt. key: the same as long as prompt, models and notes are the same."""

    key: str
    prompt: str
    first: Side
    second: Side


@dataclass(frozen=True, slots=True)
class Showing:
    """A pair in the order in which a listener gets it."""

    pair: Pair
    swapped: bool

    @property
    def a(self) -> Side:
        """The answer that is called A."""
        return self.pair.second if self.swapped else self.pair.first

    @property
    def b(self) -> Side:
        """The answer that is called B."""
        return self.pair.first if self.swapped else self.pair.second


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


# Pairs --------------------------------------------------------------------------------------------


def read_pairs(prompts: Path, folders: Sequence[Path]) -> tuple[list[Pair], list[str]]:
    """Every two models' answers to every prompt, and the names of the files that can't be read.

    folders: two or more, as `textmusic batch` writes them; a folder's name is the model's. Where a
    folder holds several answers to a prompt, the first counts. A prompt that a model has no answer
    to is left out for that model.

    Raises TextMusicError for folders that can't be told apart, that hold nothing to compare or that
    were written from other prompts.
    """
    from textmusic.evaluation import read_expectations  # brings the engine along

    texts = [line["text"] for line in read_expectations(prompts)]
    if len(folders) < 2:
        raise TextMusicError("one folder has nothing to be compared with; name two or more.")
    names = Counter(folder.resolve().name for folder in folders)
    name, count = names.most_common(1)[0]
    if count > 1:
        raise TextMusicError(
            f"{count} folders are named '{name}'; rename them, since the name says which model is"
            " which."
        )
    found, broken = [], []
    for folder in folders:
        sides, bad = _sides(folder, texts)
        found.append(sides)
        broken += [f"{folder.resolve().name}/{name}" for name in bad]
    pairs = [
        _pair(text, *two)
        for number, text in enumerate(texts, 1)
        for two in combinations([sides[number] for sides in found if number in sides], 2)
    ]
    if not pairs:
        raise TextMusicError(
            "no prompt is answered in two folders; write the answers to the same prompts."
        )
    return pairs, broken


def _sides(folder: Path, texts: Sequence[str]) -> tuple[dict[int, Side], list[str]]:
    """A folder's answers by the number of their prompt, and the names of broken files."""
    from textmusic.evaluation import read_answers

    answers, broken = read_answers(folder, len(texts))
    # in the order of the answers, which don't say their file
    files = [midi for midi in sorted(folder.glob("[0-9]*.mid*")) if midi.name not in broken]
    sides: dict[int, Side] = {}
    for midi, answer in zip(files, answers, strict=True):
        report = midi.with_suffix(".json")
        text = texts[answer.number - 1]
        if report.exists() and json.loads(report.read_text(encoding="utf-8"))["text"] != text:
            raise TextMusicError(
                f"'{report}' belongs to another prompt; give the prompts file that the folder was"
                " written from."
            )
        wav = midi.with_suffix(".wav")
        side = Side(folder.resolve().name, midi, wav if wav.exists() else None)
        sides.setdefault(answer.number, side)
    return sides, broken


def _pair(prompt: str, first: Side, second: Side) -> Pair:
    """The key has the notes in it: a vote is on music, not on whatever has its file name later."""
    both = sorted(
        (side.model, hashlib.sha256(side.midi.read_bytes()).hexdigest()) for side in (first, second)
    )
    digest = hashlib.sha256(json.dumps([prompt, both]).encode()).hexdigest()
    # a letter in front, or spreadsheets take some keys for numbers
    return Pair(f"p{digest[:15]}", prompt, first, second)


class Sounds:
    """The audio of answers, in files whose names say nothing; made when it is first wanted.

    An instance may be shared by threads.
    """

    def __init__(self, folder: Path, soundfont: str | Path | None = None) -> None:
        """folder: for the files; it belongs to this run alone. soundfont: as in `render`."""
        self.folder = folder
        self.soundfont = soundfont
        self._made: dict[Path, Path] = {}
        self._lock = Lock()  # two listeners may come to the same pair at once

    def path(self, side: Side) -> Path:
        """A 16-bit WAV file of an answer, its loudest sample at -1 dBFS.

        Existing audio is written anew too: its metadata could name the model, and its level give it
        away. Raises TextMusicError, which names the model, for what can't be read or written.
        """
        with self._lock:
            if side.midi not in self._made:
                path = self.folder / f"{secrets.token_hex(16)}.wav"
                try:
                    write_whole(path, lambda partial: self._write(side, partial))
                except (OSError, RuntimeError, ValueError) as problem:  # of symusic and libsndfile
                    raise TextMusicError(
                        f"'{side.audio or side.midi}' can't be played ({problem}); write it anew."
                    ) from None
                self._made[side.midi] = path
            return self._made[side.midi]

    def _write(self, side: Side, path: Path) -> None:
        from textmusic import render

        rate = render.SAMPLE_RATE
        if side.audio is None:
            from symusic import Score

            audio = render.render(Score(side.midi), soundfont=self.soundfont)
        else:
            import soundfile

            read, rate = soundfile.read(side.audio, dtype="float32", always_2d=True)
            audio = read.T
        loudest = float(np.abs(audio).max(initial=0.0))
        if loudest > 0:
            audio = audio * np.float32(render.PEAK / loudest)
        render.write_audio(audio, path, rate)


# Votes --------------------------------------------------------------------------------------------


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
                f"'{self.path.parent}' can't be made ({problem.strerror}); choose another database."
            ) from None
        with self._connected() as db:
            with _transaction(db):
                self._prepare(db)
            # only now: on a file of somebody else's it would leave a mark
            db.execute("PRAGMA journal_mode = WAL")

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
                f"'{self.path}' is a database of something else; choose another database."
            )
        elif schema != SCHEMA:
            raise TextMusicError(
                f"'{self.path}' has votes in schema {schema}, and this textmusic reads schema"
                f" {SCHEMA}; use the textmusic that wrote it, or choose another database."
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
        """Write all votes as a table, in UTF-8 with the mark that spreadsheets know it by.

        Listeners are numbered: whoever knew another's random name could vote in it. A cell that a
        spreadsheet would calculate begins with an apostrophe instead. Raises TextMusicError if the
        file can't be written; there is no partial one then.
        """
        votes = self.read()
        numbers = {name: k for k, name in enumerate(dict.fromkeys(v.listener for v in votes), 1)}

        def write(partial: Path) -> None:
            with partial.open("w", encoding="utf-8-sig", newline="") as file:
                table = csv.writer(file)
                table.writerow(COLUMNS)
                for vote in votes:
                    cells = [str(getattr(vote, name) or NO_DIFFERENCE) for name in COLUMNS[1:]]
                    table.writerow([numbers[vote.listener], *map(harmless, cells)])

        write_whole(path, write)


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Immediate: a reader that turns writer can't wait for another one."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def checked(answers: Mapping[str, str | None]) -> dict[str, str]:
    """The answers that are given; raises TextMusicError unless the overall one is among them."""
    given = {question: choice for question, choice in answers.items() if choice is not None}
    for question, choice in given.items():
        if question not in QUESTIONS or choice not in CHOICES:
            raise TextMusicError(
                f"'{choice}' is no answer to '{question}'; choose one of {', '.join(CHOICES)}."
            )
    if OVERALL not in given:
        raise TextMusicError("the first question is open; say which is better overall.")
    return given


def harmless(cell: str) -> str:
    """A cell of a table, such that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.lstrip().startswith(("=", "+", "-", "@")) else cell


def next_pair(
    pairs: Sequence[Pair], votes: Votes, listener: str, dice: random.Random = _DICE
) -> Showing | None:
    """A pair that a listener has not judged, in a random order; None if there is none left.

    It is one of those that the fewest have judged, so that a test that ends early has about as many
    votes on each.
    """
    judged, counts = votes.judged(listener), votes.counts()
    left = [pair for pair in pairs if pair.key not in judged]
    if not left:
        return None
    fewest = min(counts.get(pair.key, 0) for pair in left)
    pair = dice.choice([pair for pair in left if counts.get(pair.key, 0) == fewest])
    return Showing(pair, swapped=dice.random() < 0.5)


# Figures ------------------------------------------------------------------------------------------


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
