"""A folder -> the jobs that it gives: corpora with metadata, or somebody's files, or both."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from textmusic.corpus.descriptions import TABLES, read_descriptions
from textmusic.corpus.files import MUSIC, RECORDING, File, find, pieces_in
from textmusic.corpus.pieces import TRANSCRIBED, PieceJob, corpus_jobs
from textmusic.errors import TextMusicError


@dataclass(frozen=True, slots=True)
class Survey:
    """The jobs to do. refused: (file, why) of files without a job.

    formats: files by format. passed_over: other files by suffix. notes: sentences for the person.
    """

    jobs: tuple[PieceJob, ...]
    refused: tuple[tuple[str, str], ...] = ()
    formats: Mapping[str, int] = field(default_factory=dict)
    passed_over: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def survey(folder: Path, leave_out: tuple[Path, ...] = ()) -> Survey:
    """Look through a folder. Raises TextMusicError where it holds nothing, or its tables are wrong.

    A folder with `metadata.jsonl`, or one right below, is a corpus; all other files are a
    person's. leave_out: folders that are passed over, such as the one that is written to.
    """
    corpora = [place for place in (folder, *_below(folder)) if is_corpus(place)]
    jobs = [job for place in corpora for job in corpus_jobs(place)]
    formats = Counter({"corpus": len(jobs)} if corpora else {})
    found = find(folder, (*leave_out, *corpora))
    music = [file for file in found.files if file.suffix in MUSIC]
    tables = [file for file in found.files if file.name.rsplit("/", 1)[-1] in TABLES]
    texts = [file for file in found.files if file.suffix == ".txt"]
    descriptions = read_descriptions(tables, texts, music)
    refused = list(found.refused)
    formats.update(MUSIC[file.suffix] for file in music)
    for piece in pieces_in(music, refused):
        file = piece.file
        about = descriptions.of(file.name, piece.tune)
        source = _source(file, folder)
        if MUSIC[file.suffix] == RECORDING:  # its own source, so that mixes can weigh it
            source += TRANSCRIBED
        own, stamp = f"{source}/{piece.name}", f"{file.stamp} {about}"
        jobs.append(
            PieceJob(piece.name, source, own, stamp, file=file, number=piece.tune, about=about)
        )
    if not jobs and not refused:
        raise TextMusicError(
            f"'{folder}' contains no music files; give a folder with MIDI, MusicXML (.mxl,"
            " .musicxml), ABC or kern (.krn) files, or zip archives of them."
        )
    known = {id(file) for file in (*music, *tables)}
    sides = {file.name.rsplit(".", 1)[0] for file in music}
    passed = Counter(
        file.suffix or "no extension"
        for file in found.files
        if id(file) not in known and file.name.rsplit(".", 1)[0] not in sides
    )
    return Survey(tuple(jobs), tuple(refused), formats, passed, descriptions.notes)


def is_corpus(folder: Path) -> bool:
    """Whether a folder has metadata of the kind that `metadata` reads."""
    try:
        with (folder / "metadata.jsonl").open(encoding="utf-8") as file:
            first = json.loads(file.readline())
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and {"id", "licence", "velocity", "genre"} <= set(first)


def _below(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob("*/metadata.jsonl"))


def _source(file: File, folder: Path) -> str:
    """The source by which training can weight a file: the folder right below the given one."""
    top, below, _ = file.name.partition("/")
    return top.removesuffix(".zip") if below else folder.resolve().name
