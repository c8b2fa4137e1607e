"""Votes of a blind listening test: kept in SQLite, exported as CSV, counted as win rates."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from textmusic.errors import TextMusicError
from textmusic.evaluation.bootstrap import bootstrap
from textmusic.feedback.database import (
    OVERALL,
    Database,
    store_piece,
    transaction,
    with_report,
)
from textmusic.result.figures import Figure
from textmusic.system.tables import write_csv

if TYPE_CHECKING:
    from textmusic.listening.pairs import Pair, Showing

QUESTIONS = {
    OVERALL: "Which is better overall?",
    "melody": "Which has the better melody?",
    "harmony": "Which has the better harmony?",
    "rhythm": "Which has the better rhythm?",
    "prompt": "Which fits the description better?",
}
NO_DIFFERENCE = "no difference"
CHOICES = ("A", "B", NO_DIFFERENCE)

COLUMNS = ("listener", "pair", "prompt", "question", "shown_a", "shown_b", "preferred", "at")

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


class Votes(Database):
    """Votes in a database."""

    def keep(self, pairs: Sequence[Pair]) -> None:
        """Keep the pieces of pairs, so that the votes on them can be trained on.

        What can't be read is left out: its votes count all the same.
        """
        sides = [(pair, side) for pair in pairs for side in (pair.first, pair.second)]
        with self.connected() as db, transaction(db):
            for pair, side in sides:
                if (found := with_report(side.midi)) is not None:
                    db.execute(
                        "INSERT OR REPLACE INTO answer (pair, model, piece) VALUES (?, ?, ?)",
                        (pair.key, side.model, store_piece(db, *found)),
                    )

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
        with self.connected() as db, transaction(db):
            db.executemany(
                f"INSERT INTO vote ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
                f" ON CONFLICT (listener, pair, question) DO UPDATE SET {new}",
                rows,
            )

    def read(self) -> list[Vote]:
        """All votes, in the order in which they were first given."""
        with self.connected() as db:
            rows = db.execute(f"SELECT {', '.join(COLUMNS)} FROM vote ORDER BY id").fetchall()
        return [Vote(*row) for row in rows]

    def judged(self, listener: str) -> set[str]:
        """Keys of the pairs that a listener has judged."""
        with self.connected() as db:
            rows = db.execute(
                "SELECT pair FROM vote WHERE listener = ? AND question = ?", (listener, OVERALL)
            ).fetchall()
        return {key for (key,) in rows}

    def counts(self) -> dict[str, int]:
        """How many listeners have judged each pair, by its key; pairs without votes are absent."""
        with self.connected() as db:
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
