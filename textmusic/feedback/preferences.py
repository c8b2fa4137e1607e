"""Databases of votes and thumbs -> which of two pieces somebody preferred.

The files may be anybody's: they are opened for reading only, their tables have to be ours to the
letter (no views, no triggers), and what they hold is bounded, and checked like any other input.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from textmusic.errors import TextMusicError
from textmusic.feedback.database import OVERALL, TABLES, check_header, header
from textmusic.language.controls import check_plan
from textmusic.music.midi_events import MidiError, parse
from textmusic.music.midi_files import LARGEST_MIDI_FILE
from textmusic.music.midi_playing import as_written
from textmusic.music.midi_sounding import to_score
from textmusic.music.plan import Plan
from textmusic.music.sketch import Outline
from textmusic.result.report import Report

if TYPE_CHECKING:
    from symusic import Score

LARGEST_FILE = 1_000_000_000  # bytes of a database
LARGEST_REPORT = 2_000_000  # characters
MOST_ROWS = 100_000  # votes, answers or thumbs of a database
MOST_PAIRS = 20_000  # of all databases together

# Why a pair was left out, as a count of them is said.
TIES = "ties"
LONE = "thumbs with no opposite thumb on the same prompt"
NOT_KEPT = "whose pieces are not kept"
NO_REPORT = "with a piece that has no report"
OTHER_PROMPT = "of different prompts"
OTHER_MODEL = "with a piece by another model"
NOT_WHOLE = "with a piece that was changed, or written by an older textmusic"
BROKEN = "with a piece that can't be read"
REMEDIES = {
    NOT_KEPT: "run textmusic listen again with the same prompts and answers, which keeps them",
    NO_REPORT: "keep the .json that textmusic batch writes beside each .mid",
    OTHER_MODEL: "name that model with --model, or use --any-model",
}

_Group = tuple[str, Plan, float | None, Outline]


@dataclass(frozen=True, slots=True)
class Liked:
    """A piece that somebody judged: what was asked and planned is in its report."""

    score: Score
    report: Report

    @property
    def group(self) -> _Group:
        """What was asked for: pieces that share it answer the same prompt."""
        report = self.report
        return report.caption, report.asked, report.seconds, report.outline


@dataclass(frozen=True, slots=True)
class Preference:
    """Two answers to one prompt."""

    chosen: Liked
    rejected: Liked


@dataclass(frozen=True, slots=True)
class Preferences:
    """Pairs, and how many were left out, by reason."""

    pairs: tuple[Preference, ...]
    left_out: Counter[str]

    def __str__(self) -> str:
        """A line: "83 pairs on 41 prompts; left out: 12 ties"."""
        prompts = len({pair.chosen.group for pair in self.pairs})
        said = [f"{count:,} {reason}" for reason, count in self.left_out.most_common()]
        left = f"; left out: {', '.join(said)}" if said else ""
        pairs = f"{len(self.pairs):,} pair{'s' * (len(self.pairs) != 1)}"
        return f"{pairs} on {prompts:,} prompt{'s' * (prompts != 1)}{left}"

    @property
    def remedy(self) -> str:
        """What would give more pairs, as the end of a sentence."""
        for reason, _ in self.left_out.most_common():
            if reason in REMEDIES:
                return REMEDIES[reason]
        return "listen to more pieces"


class _Unusable(Exception):  # noqa: N818  (not an error: it is counted)
    """A piece that can't be used; says why."""


def read_preferences(files: Sequence[Path], model: str | None = None) -> Preferences:
    """What was preferred in some databases.

    Of blind votes the overall question counts, and the majority where several listeners judged a
    pair. Each thumb up is paired with each thumb down on the same prompt. model: use only pieces
    that the model of this name wrote; None: any.

    Raises TextMusicError for a file that is no database of votes, or too large.
    """
    pairs: list[Preference] = []
    left_out: Counter[str] = Counter()
    pieces = _Pieces(model)
    votes: Counter[tuple[str, str, str]] = Counter()  # pair, two models -> votes for the first
    answers: dict[tuple[str, str], str] = {}
    thumbs: dict[str, bool] = {}
    for file in files:
        with _opened(file) as db:
            tables = _tables(file, db)
            for pair, a, b, preferred in _rows(
                file, db, "SELECT pair, shown_a, shown_b, preferred FROM vote WHERE question = ?"
                " ORDER BY id", OVERALL,
            ):  # fmt: skip
                first, second = sorted((a, b))
                votes[pair, first, second] += (preferred == first) - (preferred == second)
            if "piece" in tables:
                for pair, named, key in _rows(file, db, "SELECT pair, model, piece FROM answer"):
                    answers[pair, named] = key
                thumbs |= {
                    key: bool(up)
                    for key, up in _rows(
                        file, db, "SELECT piece, up FROM thumb ORDER BY at", checked=1
                    )
                }
                needed = {*thumbs, *answers.values()}
                pieces.read(
                    _rows(file, db, "SELECT sha256, midi, report FROM piece", checked=1), needed
                )
    for (pair, *models), balance in votes.items():
        if balance == 0:
            left_out[TIES] += 1
            continue
        better, worse = models if balance > 0 else models[::-1]
        found = pieces.pair(answers.get((pair, better)), answers.get((pair, worse)))
        _put(found, pairs, left_out)
    _put_thumbs(thumbs, pieces, pairs, left_out)
    if len(pairs) > MOST_PAIRS:
        raise TextMusicError(
            f"the votes make {len(pairs):,} pairs, more than {MOST_PAIRS:,}; use fewer files."
        )
    return Preferences(tuple(pairs), left_out)


def _put(found: Preference | str, pairs: list[Preference], left_out: Counter[str]) -> None:
    if isinstance(found, str):
        left_out[found] += 1
    else:
        pairs.append(found)


def _put_thumbs(
    thumbs: dict[str, bool], pieces: _Pieces, pairs: list[Preference], left_out: Counter[str]
) -> None:
    """Pair every thumb up with every thumb down on the same prompt."""
    by_prompt: dict[_Group, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for key, up in thumbs.items():
        try:
            by_prompt[pieces.get(key).group][up].append(key)
        except _Unusable as problem:
            left_out[str(problem)] += 1
    for worse_ones, better_ones in by_prompt.values():
        if not (worse_ones and better_ones):
            left_out[LONE] += len(worse_ones) + len(better_ones)
        if len(pairs) + len(worse_ones) * len(better_ones) > MOST_PAIRS:
            raise TextMusicError(
                f"the thumbs make more than {MOST_PAIRS:,} pairs; use fewer files."
            )
        for better, worse in product(better_ones, worse_ones):
            _put(pieces.pair(better, worse), pairs, left_out)


class _Pieces:
    """Pieces by their keys; each is looked into when it is first wanted."""

    def __init__(self, model: str | None) -> None:
        self._model = model
        self._raw: dict[str, tuple[Any, Any]] = {}
        self._read: dict[str, Liked | str] = {}

    def read(self, rows: Iterator[tuple[Any, ...]], needed: set[str]) -> None:
        """Take over those of a database's pieces that are needed."""
        for key, midi, report in rows:
            if key in needed:
                self._raw[key] = midi, report

    def get(self, key: str | None) -> Liked:
        """A piece; raises _Unusable, with the reason, for one that can't be trained on."""
        if key not in self._raw:
            raise _Unusable(NOT_KEPT)
        assert key is not None
        if key not in self._read:
            try:
                self._read[key] = _piece(*self._raw[key], model=self._model)
            except _Unusable as problem:
                self._read[key] = str(problem)
        found = self._read[key]
        if isinstance(found, str):
            raise _Unusable(found)
        return found

    def pair(self, better: str | None, worse: str | None) -> Preference | str:
        """Two pieces as a preference, or why they are none."""
        try:
            chosen, rejected = self.get(better), self.get(worse)
        except _Unusable as problem:
            return str(problem)
        if chosen.group != rejected.group:
            return OTHER_PROMPT
        return TIES if better == worse else Preference(chosen, rejected)


def _piece(midi: Any, said: Any, *, model: str | None) -> Liked:
    """A piece of a database; raises _Unusable, with the reason."""
    if said is None:
        raise _Unusable(NO_REPORT)
    if not (isinstance(midi, bytes) and isinstance(said, str)):
        raise _Unusable(BROKEN)
    if len(midi) > LARGEST_MIDI_FILE or len(said) > LARGEST_REPORT:
        raise _Unusable(BROKEN)
    try:
        report = Report.from_dict(json.loads(said))
        plan = report.planned
        check_plan(plan)
        if None in (plan.bars, plan.time_signature, plan.tempo, plan.programs):
            raise ValueError("the plan is incomplete")
        hash((report.caption + report.model, report.asked, report.seconds, report.outline))
        score = to_score(as_written(parse(midi)))
        if not 0 < score.note_num() == report.notes:
            raise ValueError("the report is of other notes")
    except (
        MidiError, TextMusicError, ValueError, TypeError, LookupError, AttributeError,
        ArithmeticError, RecursionError, RuntimeError,
    ):  # fmt: skip
        raise _Unusable(BROKEN) from None
    if model is not None and report.model != model:
        raise _Unusable(OTHER_MODEL)
    whole = report.new_bars is None and report.change is None
    if not whole or len(report.sketch.rows) != plan.bars:
        raise _Unusable(NOT_WHOLE)
    return Liked(score, report)


# The file -----------------------------------------------------------------------------------------


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can't write; what goes wrong as TextMusicError."""
    try:
        size = file.stat().st_size
    except OSError as problem:
        raise _no_votes(file, problem.strerror or "it can't be read") from None
    if size > LARGEST_FILE:
        raise TextMusicError(
            f"'{file}' has {size / 1e6:,.0f} MB, more than {LARGEST_FILE / 1e6:,.0f};"
            " give a smaller database."
        )
    try:
        address = f"file:{quote(str(file.absolute()))}?mode=ro"
        db = sqlite3.connect(address, uri=True, isolation_level=None)
        try:
            for setting in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON"):
                db.execute(f"PRAGMA {setting}")
            yield db
        finally:
            db.close()
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as problem:
        raise _no_votes(file, problem) from None


def _tables(file: Path, db: sqlite3.Connection) -> set[str]:
    """The names of the tables that there are, which have to be ours."""
    check_header(file, *header(db))
    rows = db.execute("SELECT type, name, sql FROM sqlite_master LIMIT 100").fetchall()
    found = {name: sql for kind, name, sql in rows if kind == "table"}
    strange = [kind for kind, _, sql in rows if kind != "table" and sql is not None]
    ours = all(found[name] == TABLES.get(name, "").strip() for name in found)
    if strange or not ours or "vote" not in found or len(found) not in (1, len(TABLES)):
        raise _no_votes(file, "its tables are others")
    return set(found)


def _rows(
    file: Path, db: sqlite3.Connection, query: str, *values: str, checked: int | None = None
) -> Iterator[Any]:
    """Rows of a bounded number. checked: how many of the columns are text; None: all."""
    for number, row in enumerate(db.execute(query, values)):
        if number == MOST_ROWS:
            raise TextMusicError(f"'{file}' has more than {MOST_ROWS:,} votes; give a smaller one.")
        if not all(isinstance(value, str | None) for value in row[:checked]):
            raise _no_votes(file, "it holds values of other types")
        yield row


def _no_votes(file: Path, why: object) -> TextMusicError:
    return TextMusicError(
        f"'{file}' can't be read as votes ({why}); give a database that textmusic listen or"
        " textmusic serve --feedback wrote."
    )
