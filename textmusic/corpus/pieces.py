"""A job is a row of a corpus or a person's file; its outcome is a piece with its windows."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from symusic import Score

from textmusic.corpus.cutting import CUT_SHORT, fingerprint, windows_of_score
from textmusic.corpus.descriptions import NOTHING, Description, facts_of, prompt_of, untrue
from textmusic.corpus.files import File
from textmusic.corpus.metadata import read_metadata, read_midi, tune_names
from textmusic.corpus.readers import read
from textmusic.corpus.treatment import treated
from textmusic.corpus.windows import Window
from textmusic.music.measure import estimate_key, seconds
from textmusic.music.notes import OUTSIDE, STRUCK_TWICE, STUCK, Notes, notes_of
from textmusic.music.plan import Plan
from textmusic.music.tempo_map import TempoMap
from textmusic.music.theory import DRUMS, is_minor, tonic
from textmusic.notation.sheet import ParsedPiece, UnreadableError
from textmusic.system.crew import Lost
from textmusic.tokens.tokenizer import Tokenizer

LICENCE_NOT_STATED = "not stated"
DROPPED = "piece dropped: "
TRANSCRIBED = "-transcribed"  # ends the source of pieces that were recordings
MENDED = "file repaired: "
FILLED = "measure that is too short: filled up with silence"
# What tells that a piece is not quite what was played or written: notes and bars are not as meant.
FLAWS = (OUTSIDE, STUCK, CUT_SHORT, FILLED)


@dataclass(frozen=True, slots=True)
class PieceJob:
    """A worker's input; either `row` and `folder`, or `file` is given.

    name: what the summary calls it. source: what mixes of training weigh. own: names the piece
    among others that it may share a tune with. stamp: changes where the outcome may. row, folder:
    of a corpus; tune: the tune that it was arranged from. file, number, about: a person's file,
    which of its tunes, and what they say of it.
    """

    name: str
    source: str
    own: str
    stamp: str
    row: dict[str, Any] | None = None
    folder: Path | None = None
    tune: str | None = None
    file: File | None = None
    number: str = ""
    about: Description = NOTHING


@dataclass(frozen=True, slots=True)
class PieceOutcome:
    """The outcome of a job.

    tune, melody: marks that pieces of one tune share, "" for none. notes: how many. same: the same
    for the same notes, "" where copies are no matter. problem: why there is no window. key_right:
    whether the estimate of the key equals the source's label.
    """

    name: str
    source: str
    own: str
    tune: str = ""
    melody: str = ""
    same: str = ""
    programs: tuple[int, ...] = ()
    notes: int = 0
    seconds: float = 0.0
    described: bool = False
    problem: str | None = None
    key_right: bool | None = None
    done: Mapping[str, int] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()

    @property
    def merit(self) -> tuple[bool, bool, int, int]:
        """What the better of two copies of one piece has more of.

        Whether it can be used, whether somebody has described it, how little of it is flawed, and
        how many notes it has; those struck twice at once are one.
        """
        flaws = sum(n for what, n in self.done.items() if what in FLAWS or what.startswith(MENDED))
        notes = self.notes - self.done.get(STRUCK_TWICE, 0)
        return self.problem is None, self.described, -flaws, notes


def corpus_jobs(folder: Path) -> list[PieceJob]:
    """The pieces of a corpus folder, in the order of its metadata."""
    tunes = tune_names(folder)
    packed = folder / "midi.zip"
    stamp = _stamp(packed) if packed.exists() else ""
    jobs = []
    for row in read_metadata(folder):
        own = f"{folder.name}/{row['id'].replace('_', '-')}"
        of_file = stamp or _stamp(folder / f"{row['id']}.mid")
        jobs.append(
            PieceJob(
                f"{folder.name}/{row['id']}", folder.name, own, f"{json.dumps(row)} {of_file}",
                row=row, folder=folder, tune=tunes.get(row["id"]),
            )
        )  # fmt: skip
    return jobs


def _stamp(path: Path) -> str:
    try:
        about = path.stat()
    except OSError:
        return ""
    return f"{about.st_size} {about.st_mtime_ns}"


def work(job: PieceJob, vocabulary: Path, longest: int) -> PieceOutcome:
    """Do a job. vocabulary: folder of the tokenizer. longest: music ids in a window at most."""
    tokenizer = _tokenizer(vocabulary)
    try:
        if job.file is None:
            return _of_corpus(job, tokenizer, longest)
        return _of_file(job, job.file, tokenizer, longest)
    except UnreadableError as problem:
        return failed(job, str(problem))


def failed(job: PieceJob, problem: str | Lost) -> PieceOutcome:
    """The outcome of a job that failed."""
    why = problem.why if isinstance(problem, Lost) else problem
    return PieceOutcome(job.name, job.source, job.own, problem=why)


@lru_cache(maxsize=1)
def _tokenizer(vocabulary: Path) -> Tokenizer:
    return Tokenizer(vocabulary)


def _of_corpus(job: PieceJob, tokenizer: Tokenizer, longest: int) -> PieceOutcome:
    assert job.row is not None and job.folder is not None
    try:
        score = Score.from_midi(read_midi(job.folder, job.row["id"]))
        windows, done = windows_of_score(
            job.row, score, job.source, job.own, tokenizer, longest
        )  # fmt: skip
    except (ValueError, RuntimeError, OSError, KeyError) as problem:
        raise UnreadableError(f"can't be read ({problem})") from None
    notes = notes_of(score)
    piece = PieceOutcome(
        job.name, job.source, job.own, tune=job.tune or "",
        programs=tuple(job.row["programs"]), key_right=_key_right(job.row, notes),
    )  # fmt: skip
    return _finished(piece, score, notes, windows, done)


def _key_right(row: dict[str, Any], notes: Notes) -> bool | None:
    label = row.get("key")
    if not label or label.split()[-1] not in ("major", "minor"):
        return None
    key = estimate_key(notes)
    stated = (tonic(label), label.endswith("minor"))
    return key != "none" and (tonic(key), is_minor(key)) == stated


def _of_file(job: PieceJob, file: File, tokenizer: Tokenizer, longest: int) -> PieceOutcome:
    try:
        data = file.read()
    except Exception as problem:  # zipfile raises many kinds for a broken member
        raise UnreadableError(f"can't be read ({problem})") from None
    reading = read(data, file.suffix, job.number)
    if reading.warning:  # what was lost of it would be learnt as if it were meant
        raise UnreadableError(reading.warning)
    done = Counter({FILLED: reading.filled})
    done += Counter({f"{MENDED}{what}": count for what, count in reading.mended.items()})
    score = treated(_with_facts(reading.score, job.about.facts, done), done)
    if isinstance(score, str):
        raise UnreadableError(score)
    notes = notes_of(score)
    row = row_of(job, reading, score, notes)
    windows, cut = windows_of_score(row, score, job.source, job.own, tokenizer, longest)
    done += cut
    piece = PieceOutcome(
        job.name, job.source, job.own, same=_digest(notes),
        programs=tuple(int(p) for p in np.unique(notes.program)), described=bool(job.about.texts),
    )  # fmt: skip
    windows = [described(window, job.about, done) for window in windows]
    return _finished(piece, score, notes, windows, done)


def row_of(job: PieceJob, reading: ParsedPiece, score: Score, notes: Notes) -> dict[str, Any]:
    """The metadata that `windows_of_score` needs, in the form that corpora have.

    notes: those of the score.
    """
    about = job.about
    read_in_texts = [facts_of(text) for text in about.texts]
    key = about.facts.key or next((said.key for said in read_in_texts if said.key), reading.key)
    genre = about.facts.genre or next((said.genre for said in read_in_texts if said.genre), None)
    loudness = np.unique(notes.velocity)
    stated = reading.tempo or about.facts.tempo is not None
    return {
        "id": job.name,
        "genre": [genre] if genre else [],
        "key": key,
        "tempo_bpm": TempoMap.of_score(score).at(0) if stated else None,
        "style": " ".join(about.texts)[:200],
        "title": about.title or reading.title or job.name.rsplit("/", 1)[-1],
        "licence": about.licence or LICENCE_NOT_STATED,
        "velocity": "flat" if len(loudness) < 2 else "real",
    }


def _with_facts(score: Score, facts: Plan, done: Counter[str]) -> Score:
    """The score with the tempo, metre and instruments that its description states."""
    from symusic import Tempo, TimeSignature

    score = score.copy()
    if facts.tempo is not None:
        score.tempos.clear()
        score.tempos.append(Tempo(0, facts.tempo))
    if facts.time_signature is not None:
        top, bottom = map(int, facts.time_signature.split("/"))
        score.time_signatures.clear()
        score.time_signatures.append(TimeSignature(0, top, bottom))
    players = set(facts.programs or ()) - {DRUMS}
    parts = [track for track in score.tracks if len(track.notes) and not track.is_drum]
    if len(players) == 1:
        for track in parts:
            track.program = min(players)
    elif players and players != {track.program for track in parts}:
        done["instruments of the table not used: several, and not those of the file"] += 1
    return score


def described(window: Window, about: Description, done: Counter[str]) -> Window:
    """A window with the texts that are true of it, and the mood that the person hears."""
    plan = replace(
        window.plan,
        valence=_level("valence", window.plan, about),
        arousal=_level("arousal", window.plan, about),
    )
    true = []
    for text in about.texts:
        if wrong := untrue(text, plan):
            fields = ", ".join(wrong).replace("_", " ")
            done[f"description not used for a window: the notes differ in {fields}"] += 1
        else:
            true.append(text)
    return replace(window, plan=plan, texts=tuple(true))


def _level(name: str, plan: Plan, about: Description) -> int | None:
    """The level of the table; else the measured one, at most one off from that of the texts."""
    measured: int | None = getattr(plan, name)
    given: int | None = getattr(about.facts, name)
    if given is not None or measured is None:
        return given or measured
    heard = next(
        (level for text in about.texts if (level := getattr(prompt_of(text).near, name))), None
    )
    return measured if heard is None else min(max(measured, heard - 1), heard + 1)


def _finished(
    piece: PieceOutcome, score: Score, notes: Notes, windows: list[Window], done: Counter[str]
) -> PieceOutcome:
    return replace(
        piece,
        melody=fingerprint(notes),
        notes=len(notes),
        seconds=seconds(score, notes),
        done={what: count for what, count in done.items() if count},
        windows=tuple(windows),
        problem=None if windows else _why_none(done),
    )


def _why_none(done: Counter[str]) -> str:
    """Why a piece has no window: "fewer than 16 notes", or why its windows were dropped."""
    own = next((what for what in done if what.startswith(DROPPED)), "")
    kinds = ("stretch dropped: ", "window dropped: ")
    causes = [(count, what) for what, count in done.items() if what.startswith(kinds) and count]
    if "no usable window" not in own or not causes:
        return own.removeprefix(DROPPED)
    return f"no usable stretch: {max(causes)[1].partition(': ')[2]}"


def _digest(notes: Notes) -> str:
    """The same for the same notes on the vocabulary's grid, wherever the piece begins."""
    start = np.rint((notes.start - notes.start.min()) * 12).astype(np.int32)
    columns = np.stack([start, notes.pitch, notes.program])
    order = np.lexsort(columns)
    return hashlib.sha1(columns[:, order].astype(np.int32).tobytes()).hexdigest()[:16]
